"""Admit: may these bytes serve here now? Asked where a model is loaded, by the ledger alone. Pure.

(1) The chain was verified from its root: each decision in it was signed by a key that may decide, and was a valid yes
    when it was carried out.
(2) An alias points where the ledger says; one that the ledger does not manage explains nothing.
(3) The version takes traffic in the slot's present release, or in the one that an open move leads to.
(4) The bytes at hand are those of the release.
"""

from __future__ import annotations

from dataclasses import dataclass

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.promotion import decision_of
from gates.bundle.decisions import OpenedDecision
from gates.errors import EvidenceError, Refused
from gates.records.base import Digest, ModelVersion
from gates.records.release import Release, Slot


@dataclass(frozen=True)
class Admitted:
    """A version that may serve.

    Attributes
    ----------
    decision: by which it came; None: it was adopted.
    moving: the move that brings it is not finished.
    """

    slot: Slot
    version: ModelVersion
    percent: int
    head: Digest
    decision: OpenedDecision | None
    moving: bool


def check_alias(chain: Chain, slot: Slot, alias: str, version: str) -> None:
    """Refuse an alias that somebody set by hand.

    Raises
    ------
    Refused: `alias.unexplained`.
    """
    expected = chain.expected_aliases(slot.model)
    move = chain.open_intent(slot)
    # A promotion that is under way moves its aliases before its outcome.
    leads = {f"approved-{slot.environment}"} if move and move.after.release else set()
    if expected.get(alias) == version:
        return
    if move and move.after.release and alias in leads and move.after.release.approved.version == version:
        return
    said = f"by the ledger it points to {expected[alias]}" if alias in expected else "the ledger explains no such alias"
    raise Refused(
        f"points to version {version}; {said}",
        code="alias.unexplained",
        where=f"models:/{slot.model}@{alias}",
        remedy="load the version that `gates status` shows, and find out who set the alias",
    )


def find_version(chain: Chain, slot: Slot, number: str) -> Admitted:
    """Return the version as the ledger has it in the slot.

    Raises
    ------
    Refused: `admit.not_current`: it takes no traffic there. EvidenceError: no policy is active there.
    """
    chain.active(slot.environment)
    state = chain.slot(slot)
    after = state.open.after.release if state.open else None
    for release, moving in ((state.standing.release, False), (after, True)):
        for route in release.routes if release else ():
            if route.version.version == number and route.percent > 0:
                decision = _decision(chain, slot, route.version)
                return Admitted(slot, route.version, route.percent, chain.head, decision, moving)
    raise Refused(
        f"version {number} takes no traffic in {slot.environment}: {_served(state.standing.release)}",
        code="admit.not_current",
        where=f"models:/{slot.model}/{number}",
        remedy=f"gates promote -e {slot.environment}, or load what serves",
    )


def check_bytes(admitted: Admitted, digest: Digest, *, where: str) -> None:
    """Refuse other bytes than those of the release.

    Raises
    ------
    EvidenceError: `model.bytes_changed`.
    """
    if digest != admitted.version.digest:
        raise EvidenceError(
            f"the bytes are {digest}, the release has {admitted.version.digest}",
            code="model.bytes_changed",
            where=where,
            remedy="do not load them; fetch the version again, and find out who changed it",
        )


def _decision(chain: Chain, slot: Slot, version: ModelVersion) -> OpenedDecision | None:
    for item in reversed(chain.entries):
        if item.entry.slot == slot and item.entry.kind == "intent":
            opened = decision_of(item.entry)
            if opened.decision.request.candidate == version:
                return opened
    return None


def _served(release: Release | None) -> str:
    if release is None:
        return "nothing serves there"
    return ", ".join(f"{route.percent} % on version {route.version.version}" for route in release.routes)
