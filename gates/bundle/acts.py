"""The decision on an action, or on a change of policies, as a signed statement: with the whole input in it, nothing else need
be at hand to read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document
from gates.bundle.decisions import OpenedVerdict
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.action import ACTION_TYPE, ActionDecision, ActionInput
from gates.records.base import Digest
from gates.records.change import CHANGE_TYPE, ChangeDecision, ChangeInput
from gates.records.decision import Evaluation

D = TypeVar("D", ActionDecision, ChangeDecision)
Q = TypeVar("Q", ActionInput, ChangeInput)


@dataclass(frozen=True)
class OpenedAct(OpenedVerdict[D], Generic[D, Q]):
    """A decision on an action or a change, and the input that it names."""

    document: Q


OpenedAction = OpenedAct[ActionDecision, ActionInput]
OpenedChange = OpenedAct[ChangeDecision, ChangeInput]


@dataclass(frozen=True)
class Kind(Generic[D, Q]):
    """What such a decision is on.

    Attributes
    ----------
    statement: its type. link: what it is listed under in a store. subject: what its statement is about.
    """

    statement: str
    link: str
    decision: type[D]
    document: type[Q]
    subject: Callable[[D, Q], tuple[str, Digest]]

    def seal(self, document: Q, decision: D, evaluation: Evaluation, signer: Signer) -> bytes:
        """Return the signed envelope of a decision with its input."""
        predicate = {
            "decision": decision.document(),
            "input": document.document(),
            "evaluation": evaluation.document(),
        }
        return seal(self.statement, [self.subject(decision, document)], predicate, signer)

    def open(self, raw: bytes, *, where: str) -> OpenedAct[D, Q]:
        """Check and parse an envelope.

        Raises
        ------
        EvidenceError: malformed bytes, a signature that does not verify, another type, subject or input.
        """
        opened = open_envelope(raw, expect=self.statement, where=where)
        decision = self.decision.parse(opened.predicate.get("decision"), where=where)
        document = self.document.parse(opened.predicate.get("input"), where=where)
        if opened.subjects != (self.subject(decision, document),):
            raise EvidenceError("the decision is about another subject", code="decision.subject", where=where)
        same = (document.request, document.policy.digest, document.policy.trust_digest)
        if (
            digest_document(document.document()) != decision.input_digest
            or same != (decision.request, decision.policy_digest, decision.trust_digest)
            or (document.ledger.sequence, document.ledger.head) != (decision.ledger.sequence, decision.ledger.head)
        ):
            raise EvidenceError("the decision names another input", code="decision.input", where=where)
        evaluation = Evaluation.parse(opened.predicate.get("evaluation"), where=where)
        return OpenedAct(digest_bytes(raw), decision, evaluation, opened.key_ids, document)

    def keep(self, store: Store, envelope: dict[str, Any]) -> None:
        """Keep the decision of an entry in the store, where it is found by its id."""
        raw = canonical_bytes(envelope)
        opened = self.open(raw, where="decision")
        digest = store.put(raw)
        store.link(self.link, opened.decision_id, digest)
        store.link(self.link, digest, digest)
        store.link("action-id", "all", opened.decision_id)

    def find(self, store: Store, digest: Digest) -> OpenedAct[D, Q] | None:
        """Open a decision by its id or its envelope's digest; None: there is none of this kind.

        Raises
        ------
        EvidenceError: bytes and signatures that do not verify.
        """
        linked = store.linked(self.link, digest)
        return self.open(store.get(linked[0]), where=linked[0]) if linked else None


def _action_subject(decision: ActionDecision, document: ActionInput) -> tuple[str, Digest]:
    return decision.request.version.uri, decision.request.version.digest


def _change_subject(decision: ChangeDecision, document: ChangeInput) -> tuple[str, Digest]:
    return f"policy:{document.request.environment}", document.change.policy_digest


ON_ACTION = Kind(ACTION_TYPE, "action", ActionDecision, ActionInput, _action_subject)
ON_CHANGE = Kind(CHANGE_TYPE, "change", ChangeDecision, ChangeInput, _change_subject)
