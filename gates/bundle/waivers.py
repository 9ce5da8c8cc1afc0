"""Waivers and baselines in the store: signed by the one who asks, and approved by a statement of a second person."""

from __future__ import annotations

from collections.abc import Iterable

from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.base import DAY_US, Digest, Environment, Micros, ModelVersion, slot_key
from gates.records.decision import WaiverApprovalInput, WaiverInput
from gates.records.waiver import WAIVER_APPROVAL_TYPE, WAIVER_TYPE, Waiver, WaiverApproval

REPORTED_US = 30 * DAY_US
"""For so long after its end a waiver is still told of, so that nobody wonders why something denies again."""


def put_waiver(store: Store, signer: Signer, waiver: Waiver) -> Digest:
    """Sign what is asked for, store it, and list it under its version, or a baseline under its slot."""
    digest = store.put(seal(WAIVER_TYPE, _subject(waiver), waiver.document(), signer))
    if waiver.candidate is not None:
        store.link("waiver", waiver.candidate.digest, digest)
    else:
        store.link("baseline", slot_key(waiver.model, waiver.environment), digest)
    return digest


def put_waiver_approval(store: Store, signer: Signer, approval: WaiverApproval) -> Digest:
    """Sign the approval, store it and list it under what it approves."""
    subject = [(slot_key(approval.model, approval.environment), approval.waiver_digest)]
    digest = store.put(seal(WAIVER_APPROVAL_TYPE, subject, approval.document(), signer))
    store.link("waiver-approval", approval.waiver_digest, digest)
    return digest


def load_waiver(store: Store, digest: Digest, approvals: Iterable[Digest] | None = None) -> WaiverInput:
    """Open a waiver and its approvals; every signature is checked.

    Parameters
    ----------
    approvals: exactly these; default: all that the store lists.

    Raises
    ------
    EvidenceError: a byte that changed, a signature that does not verify, an approval of something else.
    """
    opened = open_envelope(store.get(digest), expect=WAIVER_TYPE, where=digest)
    waiver = Waiver.parse(opened.predicate, where=digest)
    if opened.subjects != tuple(_subject(waiver)):
        raise EvidenceError("the waiver is about another subject", code="waiver.subject", where=digest)
    named = store.linked("waiver-approval", digest) if approvals is None else approvals
    given = tuple(_load_approval(store, name, of=digest) for name in sorted(named))
    return WaiverInput(digest=digest, key_ids=opened.key_ids, statement=waiver, approvals=given)


def _load_approval(store: Store, digest: Digest, *, of: Digest) -> WaiverApprovalInput:
    opened = open_envelope(store.get(digest), expect=WAIVER_APPROVAL_TYPE, where=digest)
    approval = WaiverApproval.parse(opened.predicate, where=digest)
    if approval.waiver_digest != of or [about for _, about in opened.subjects] != [of]:
        raise EvidenceError("the approval is of another waiver", code="waiver.subject", where=digest)
    return WaiverApprovalInput(digest=digest, key_ids=opened.key_ids, statement=approval)


def load_waivers(
    store: Store, candidate: ModelVersion, environment: Environment, *, at_us: Micros
) -> tuple[WaiverInput, ...]:
    """All that the store lists for a version in an environment, those that ended lately too; sorted by digest."""
    named = {
        *store.linked("waiver", candidate.digest),
        *store.linked("baseline", slot_key(candidate.name, environment)),
    }
    found = (load_waiver(store, digest) for digest in sorted(named))
    return tuple(
        opened
        for opened in found
        if opened.statement.environment == environment and opened.statement.until_us + REPORTED_US > at_us
    )


def reload_waivers(store: Store, stored: Iterable[WaiverInput]) -> tuple[WaiverInput, ...]:
    """Exactly those that a decision's input names, with exactly those approvals: what replay reads."""
    return tuple(load_waiver(store, item.digest, [approval.digest for approval in item.approvals]) for item in stored)


def _subject(waiver: Waiver) -> list[tuple[str, Digest]]:
    about = waiver.candidate.digest if waiver.candidate is not None else waiver.bundle_digest
    return [(slot_key(waiver.model, waiver.environment), about)]
