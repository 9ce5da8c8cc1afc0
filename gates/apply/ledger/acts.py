"""The ledger's facts for an action, and whether its decision carries an entry. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from gates.apply.ledger.authority import may_move
from gates.apply.ledger.rollout import check_less, check_step
from gates.apply.ledger.shape import release_digest
from gates.apply.ledger.slots import Known, SlotState
from gates.bundle.acts import ON_ACTION, OpenedAction
from gates.bundle.canonical import canonical_bytes
from gates.errors import Refused
from gates.records.action import ActionLedger, ActionName, Held, Served
from gates.records.base import Digest
from gates.records.release import Entry, Release, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gates.apply.ledger.chain import Chain


ACTIONS = frozenset(get_args(ActionName))
"""Moves that carry a decision on an action."""


def action_facts(chain: Chain, slot: Slot) -> ActionLedger:
    """Return what the ledger knows about a slot, and about who holds the model's versions, at the chain's position.

    Raises
    ------
    EvidenceError: no policy is active in the environment.
    """
    active, state = chain.active(slot.environment), chain.slot(slot)
    return ActionLedger(
        head=chain.head,
        sequence=chain.entries[-1].entry.sequence,
        policy_digest=active.policy_digest,
        trust_digest=active.trust_digest,
        release_digest=state.release_digest,
        served=served(state.known),
        held=tuple(sorted(set(_held(chain, slot.model)), key=lambda held: canonical_bytes(held.document()))),
        archived=tuple(sorted(chain.archived)),
    )


def served(known: Mapping[Digest, Known]) -> tuple[Served, ...]:
    """Return a slot's releases as policies see them."""
    return tuple(
        Served(
            digest=digest,
            state=item.state,
            candidate_digest=item.release.approved.digest,
            time_us=item.time_us,
            left_us=item.left_us,
        )
        for digest, item in known.items()
    )


def _held(chain: Chain, model: str) -> Iterator[Held]:
    for slot, state in chain.slots.items():
        if slot.model != model:
            continue
        for why, digest in _needs(state):
            yield Held.model_validate({"environment": slot.environment, "version_digest": digest, "why": why})


def _needs(state: SlotState) -> Iterator[tuple[str, Digest]]:
    release = state.standing.release
    if release is not None:
        yield "approved", release.approved.digest
        yield from (("serves", digest) for digest in _versions(release))
    if state.standing.deployed is not None:
        yield "deployed", state.standing.deployed.digest
    for standing in (state.open.before, state.open.after) if state.open else ():
        if standing.release is not None:
            yield from (("open", digest) for digest in _versions(standing.release))
    if state.last_good is not None:
        yield from (("rollback", digest) for digest in _versions(state.last_good))


def _versions(release: Release) -> tuple[Digest, ...]:
    return tuple(route.version.digest for route in release.routes)


def action_of(entry: Entry) -> OpenedAction:
    """Open the decision that an action's entry carries.

    Raises
    ------
    EvidenceError: it carries none, or one that does not verify.
    """
    return ON_ACTION.open(canonical_bytes(entry.decision or {}), where=f"ledger entry {entry.sequence}")


def check_action(chain: Chain, entry: Entry, key_ids: tuple[str, ...]) -> None:
    """Refuse an entry whose decision is not a valid yes for it, at this position.

    What was decided beside the ledger, on the rollback pack, is held to the pack's own time and policies by replay, and
    entered by whoever reconciles.

    Parameters
    ----------
    key_ids: the keys that signed the entry.

    Raises
    ------
    Refused, EvidenceError: with the first reason.
    """
    opened, slot = action_of(entry), entry.slot
    if slot is None:
        raise refused("subject", "is about no slot")
    _check_subject(chain, entry, slot, opened)
    _check_key(chain, entry, slot, opened)
    decision, request = opened.decision, opened.decision.request
    if chain.digest_at(decision.ledger.sequence) != decision.ledger.head:
        raise refused("position", "was made on another ledger")
    if opened.document.ledger.pack is None or entry.kind != "rollback":
        if request.actor_key_id not in key_ids:
            raise refused("actor", "is another's than the entry")
        _check_now(chain, entry, slot, opened)
    if entry.kind == "rollout":
        check_step(chain, slot, entry.after, percent=request.percent, time_us=entry.time_us)
    if entry.kind == "monitor":
        check_less(chain, entry, slot, request.percent)


def _check_subject(chain: Chain, entry: Entry, slot: Slot, opened: OpenedAction) -> None:
    request = opened.decision.request
    if (request.action, request.model, request.environment) != (entry.action, slot.model, slot.environment):
        raise refused("subject", f"is about {request.action} of {request.model} in {request.environment}")
    if not opened.decision.allow:
        raise refused("denied", "denies")
    if opened.envelope_digest in chain.carried:
        raise refused("used", "was carried out once already")
    if not _about(entry, opened):
        raise refused("subject", "is about another release or version")
    if entry.kind == "archive" and any(
        held.version_digest == request.version.digest for held in _held(chain, slot.model)
    ):
        raise refused("position", "was made before an environment came to need this version")


def _check_key(chain: Chain, entry: Entry, slot: Slot, opened: OpenedAction) -> None:
    key_id, trust = opened.decision.request.actor_key_id, chain.trust(slot.environment)
    if key_id not in opened.key_ids or not may_move(trust, (key_id,), entry.kind, slot):
        raise refused("unlisted_key", f"is by no key that may apply in {slot.environment}")


def _about(entry: Entry, opened: OpenedAction) -> bool:
    request = opened.decision.request
    if entry.candidate is not None:
        return entry.candidate == request.version and request.release is None
    moved = entry.before if entry.kind == "retire" else entry.after
    # A monitor speaks of what it watches, and leads elsewhere.
    version = entry.before if entry.kind == "monitor" else moved
    return (
        moved is not None
        and version is not None
        and release_digest(moved) == request.release
        and version.approved.digest == request.version.digest
    )


def _check_now(chain: Chain, entry: Entry, slot: Slot, opened: OpenedAction) -> None:
    decision, active = opened.decision, chain.active(slot.environment)
    if (decision.policy_digest, decision.trust_digest) != (active.policy_digest, active.trust_digest):
        raise refused("inactive", "was made under policies or trust that are not in force")
    if not decision.request.effective_time_us <= entry.time_us < decision.valid_until_us:
        raise refused("expired", "does not hold at this time")
    if opened.document.ledger.release_digest != chain.slot(slot).release_digest:
        raise refused("position", "was made where another release served")


def refused(code: str, message: str) -> Refused:
    """Say why a decision on an action, or on a change of policies, does not carry its entry."""
    return Refused(f"the decision {message}", code=f"decision.{code}", remedy="run the command again")
