"""A decision as signed statements: in full, and as a SLSA Verification Summary that third-party verifiers read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Generic, TypeVar

from gates.bundle.canonical import canonical_bytes, digest_document
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.base import Digest, Record
from gates.records.decision import Decision, DecisionInput, Evaluation
from gates.records.release import DECISION_TYPE

VSA_TYPE = "https://slsa.dev/verification_summary/v1"
VERIFIER_ID = "urn:model-gates:verifier"


D = TypeVar("D", bound=Record)


@dataclass(frozen=True)
class OpenedVerdict(Generic[D]):
    """A decision of any kind whose signature was checked, and the evaluation record beside it."""

    envelope_digest: Digest
    decision: D
    evaluation: Evaluation
    key_ids: tuple[str, ...]

    @cached_property
    def decision_id(self) -> Digest:
        return digest_document(self.decision.document())


class OpenedDecision(OpenedVerdict[Decision]):
    """A decision on a promotion."""


def put_decision(
    store: Store, signer: Signer, document: DecisionInput, decision: Decision, evaluation: Evaluation
) -> Digest:
    """Store the input, the signed decision and its VSA; return the decision envelope's digest.

    Raises
    ------
    EvidenceError: the decision is about another input.
    """
    if store.put(canonical_bytes(document.document())) != decision.input_digest:
        raise EvidenceError("the decision names another input", code="decision.input")
    candidate = decision.request.candidate
    subject = [(candidate.uri, candidate.digest)]
    predicate = {"decision": decision.document(), "evaluation": evaluation.document()}
    digest = store.put(seal(DECISION_TYPE, subject, predicate, signer))
    vsa = store.put(seal(VSA_TYPE, subject, _verification_summary(document, decision), signer))
    decision_id = digest_document(decision.document())
    store.link("decision", decision_id, digest)
    store.link("decision-id", "all", decision_id)
    store.link("vsa", digest, vsa)
    return digest


def open_decision(raw: bytes, digest: Digest) -> OpenedDecision:
    """Check and parse a decision envelope.

    Raises
    ------
    EvidenceError: malformed bytes, a signature that does not verify, another type or subject.
    """
    opened = open_envelope(raw, expect=DECISION_TYPE, where=digest)
    decision = Decision.parse(opened.predicate.get("decision"), where=digest)
    candidate = decision.request.candidate
    if opened.subjects != ((candidate.uri, candidate.digest),):
        raise EvidenceError("the decision is about another subject", code="decision.subject", where=digest)
    evaluation = Evaluation.parse(opened.predicate.get("evaluation"), where=digest)
    return OpenedDecision(digest, decision, evaluation, opened.key_ids)


def load_decision(store: Store, digest: Digest) -> OpenedDecision:
    return open_decision(store.get(digest), digest)


def _verification_summary(document: DecisionInput, decision: Decision) -> dict[str, object]:
    """SLSA VSA v1: `resourceUri` names version and environment, so that a VSA for one is not usable for another."""
    request = decision.request
    level = f"GATES_{request.environment.upper().replace('-', '_')}"
    level = level if decision.basis == "proven" else f"{level}_{decision.basis.upper()}"
    level += "".join(f"_{word.upper().replace('-', '_')}" for word in decision.bypasses)
    allowed = decision.allow and not decision.simulated
    return {
        "verifier": {"id": VERIFIER_ID},
        "timeVerified": datetime.fromtimestamp(request.effective_time_us // 1_000_000, UTC)
        .isoformat()
        .replace("+00:00", "Z"),
        "resourceUri": f"{request.candidate.uri}?environment={request.environment}",
        "policy": {
            "uri": "urn:model-gates:policy",
            "digest": {"sha256": decision.policy_digest.removeprefix("sha256:")},
        },
        "inputAttestations": [
            {"uri": f"urn:model-gates:evidence:{part.gate}", "digest": {"sha256": part.digest.removeprefix("sha256:")}}
            for part in document.evidence
        ],
        "verificationResult": "PASSED" if allowed else "FAILED",
        "verifiedLevels": [level] if allowed else ["FAILED"],
    }
