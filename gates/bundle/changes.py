"""The decision on a change of policies, and the approvals of it, as signed statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.base import Digest
from gates.records.change import (
    CHANGE_APPROVAL_TYPE,
    CHANGE_TYPE,
    ChangeApproval,
    ChangeApprovalInput,
    ChangeDecision,
    ChangeInput,
)
from gates.records.decision import Evaluation


@dataclass(frozen=True)
class OpenedChange:
    """A decision on a change whose signature was checked."""

    envelope_digest: Digest
    decision: ChangeDecision
    document: ChangeInput
    evaluation: Evaluation
    key_ids: tuple[str, ...]

    @property
    def decision_id(self) -> Digest:
        return digest_document(self.decision.document())


def seal_change(document: ChangeInput, decision: ChangeDecision, evaluation: Evaluation, signer: Signer) -> bytes:
    """Return the signed envelope of a decision with its input."""
    predicate = {
        "decision": decision.document(),
        "input": document.document(),
        "evaluation": evaluation.document(),
    }
    return seal(CHANGE_TYPE, [_subject(document)], predicate, signer)


def open_change(raw: bytes, *, where: str) -> OpenedChange:
    """Check and parse an envelope.

    Raises
    ------
    EvidenceError: malformed bytes, a signature that does not verify, another type, subject or input.
    """
    opened = open_envelope(raw, expect=CHANGE_TYPE, where=where)
    decision = ChangeDecision.parse(opened.predicate.get("decision"), where=where)
    document = ChangeInput.parse(opened.predicate.get("input"), where=where)
    if opened.subjects != (_subject(document),):
        raise EvidenceError("the decision is about another subject", code="decision.subject", where=where)
    same = (document.request, document.policy.digest, document.policy.trust_digest)
    if (
        digest_document(document.document()) != decision.input_digest
        or same != (decision.request, decision.policy_digest, decision.trust_digest)
        or (document.ledger.sequence, document.ledger.head) != (decision.ledger.sequence, decision.ledger.head)
    ):
        raise EvidenceError("the decision names another input", code="decision.input", where=where)
    evaluation = Evaluation.parse(opened.predicate.get("evaluation"), where=where)
    return OpenedChange(digest_bytes(raw), decision, document, evaluation, opened.key_ids)


def _subject(document: ChangeInput) -> tuple[str, Digest]:
    return (f"policy:{document.request.environment}", document.change.policy_digest)


def keep_change(store: Store, envelope: dict[str, Any]) -> None:
    """Keep the decision of an entry in the store, where it is found by its id."""
    raw = canonical_bytes(envelope)
    opened = open_change(raw, where="decision")
    digest = store.put(raw)
    store.link("change", opened.decision_id, digest)
    store.link("change", digest, digest)
    store.link("action-id", "all", opened.decision_id)


def find_change(store: Store, digest: Digest) -> OpenedChange | None:
    """Open the decision on a change by its id or its envelope's digest; None: there is no such decision on a change.

    Raises
    ------
    EvidenceError: bytes and signatures that do not verify.
    """
    linked = store.linked("change", digest)
    return open_change(store.get(linked[0]), where=linked[0]) if linked else None


def put_change_approval(store: Store, signer: Signer, approval: ChangeApproval) -> Digest:
    """Sign an approval of a change, store it and list it under the policies that it is about."""
    subject = [(f"policy:{approval.environment}", approval.policy_digest)]
    digest = store.put(seal(CHANGE_APPROVAL_TYPE, subject, approval.document(), signer))
    store.link("change-approval", approval.policy_digest, digest)
    return digest


def load_change_approval(store: Store, digest: Digest) -> ChangeApprovalInput:
    """Open an approval of a change.

    Raises
    ------
    EvidenceError: bytes and signatures that do not verify, or another subject.
    """
    opened = open_envelope(store.get(digest), expect=CHANGE_APPROVAL_TYPE, where=digest)
    approval = ChangeApproval.parse(opened.predicate, where=digest)
    if opened.subjects != ((f"policy:{approval.environment}", approval.policy_digest),):
        raise EvidenceError("the approval is about other policies", code="approval.subject", where=digest)
    return ChangeApprovalInput(digest=digest, key_ids=opened.key_ids, statement=approval)


def load_change_approvals(store: Store, policy: Digest, environment: str) -> tuple[ChangeApprovalInput, ...]:
    """Return the approvals that these policies be in force there; one that does not verify counts for nothing."""
    found = []
    for digest in store.linked("change-approval", policy):
        try:
            approval = load_change_approval(store, digest)
        except EvidenceError:
            continue
        if approval.statement.environment == environment:
            found.append(approval)
    return tuple(sorted(found, key=lambda item: item.digest))
