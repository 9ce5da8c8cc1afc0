"""The decision on an action as a signed statement, with the whole input in it: nothing else need be at hand to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.action import ACTION_TYPE, ActionDecision, ActionInput, ActionRequest
from gates.records.base import Digest
from gates.records.decision import Evaluation


@dataclass(frozen=True)
class OpenedAction:
    """A decision on an action whose signature was checked."""

    envelope_digest: Digest
    decision: ActionDecision
    document: ActionInput
    evaluation: Evaluation
    key_ids: tuple[str, ...]

    @property
    def decision_id(self) -> Digest:
        return digest_document(self.decision.document())


def seal_action(document: ActionInput, decision: ActionDecision, evaluation: Evaluation, signer: Signer) -> bytes:
    """Return the signed envelope of a decision with its input."""
    predicate = {
        "decision": decision.document(),
        "input": document.document(),
        "evaluation": evaluation.document(),
    }
    return seal(ACTION_TYPE, [_subject(decision.request)], predicate, signer)


def open_action(raw: bytes, *, where: str) -> OpenedAction:
    """Check and parse an envelope.

    Raises
    ------
    EvidenceError: malformed bytes, a signature that does not verify, another type, subject or input.
    """
    opened = open_envelope(raw, expect=ACTION_TYPE, where=where)
    decision = ActionDecision.parse(opened.predicate.get("decision"), where=where)
    document = ActionInput.parse(opened.predicate.get("input"), where=where)
    if opened.subjects != (_subject(decision.request),):
        raise EvidenceError("the decision is about another subject", code="decision.subject", where=where)
    same = (document.request, document.policy.digest, document.policy.trust_digest)
    if (
        digest_document(document.document()) != decision.input_digest
        or same != (decision.request, decision.policy_digest, decision.trust_digest)
        or (document.ledger.sequence, document.ledger.head) != (decision.ledger.sequence, decision.ledger.head)
    ):
        raise EvidenceError("the decision names another input", code="decision.input", where=where)
    evaluation = Evaluation.parse(opened.predicate.get("evaluation"), where=where)
    return OpenedAction(digest_bytes(raw), decision, document, evaluation, opened.key_ids)


def _subject(request: ActionRequest) -> tuple[str, Digest]:
    return (request.version.uri, request.version.digest)


def keep_action(store: Store, envelope: dict[str, Any]) -> None:
    """Keep the decision of an entry in the store, where it is found by its id."""
    raw = canonical_bytes(envelope)
    opened = open_action(raw, where="decision")
    digest = store.put(raw)
    store.link("action", opened.decision_id, digest)
    store.link("action", digest, digest)
    store.link("action-id", "all", opened.decision_id)


def find_action(store: Store, digest: Digest) -> OpenedAction | None:
    """Open the decision on an action by its id or its envelope's digest; None: there is no such decision on an action.

    Raises
    ------
    EvidenceError: bytes and signatures that do not verify.
    """
    linked = store.linked("action", digest)
    return open_action(store.get(linked[0]), where=linked[0]) if linked else None
