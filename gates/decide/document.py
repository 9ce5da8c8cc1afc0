"""The decision input, from sealed evidence, the ledger's position and what was observed. Pure: replay calls it too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from gates.bundle.canonical import digest_document
from gates.bundle.pack import OpenedBundle
from gates.errors import EngineError, EvidenceError
from gates.records.base import Digest, Record, first_fault
from gates.records.decision import (
    ApprovalInput,
    BundleInput,
    Decision,
    DecisionInput,
    EvidenceInput,
    LastInput,
    LedgerInput,
    LedgerPosition,
    PlanInput,
    PolicyInput,
    RegistryInput,
    Request,
    RollbackInput,
    ServingInput,
    WaiverInput,
)

if TYPE_CHECKING:
    from gates.records.action import ActionInput
    from gates.records.change import ChangeInput

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Observed:
    """What was seen of the outside at the decision: it cannot be rebuilt later, so its digest is in the input's."""

    registry: RegistryInput = field(default_factory=RegistryInput)
    serving: ServingInput | None = None
    rollback: RollbackInput | None = None


def build_input(
    request: Request,
    bundle: OpenedBundle,
    approvals: Sequence[ApprovalInput],
    *,
    policy_digest: Digest,
    trust_digest: Digest,
    ledger: LedgerInput | None,
    last: LastInput | None = None,
    observed: Observed,
    waivers: Sequence[WaiverInput] = (),
) -> DecisionInput:
    """Put together the only document that policies see.

    Raises
    ------
    EvidenceError: `request.parts`: what is to serve is not what the plan says.
    """
    record = bundle.record
    if request.parts != bundle.plan.release:
        raise EvidenceError("asked is for other parts of a release than the plan's", code="request.parts")
    return DecisionInput(
        request=request,
        policy=PolicyInput(digest=policy_digest, trust_digest=trust_digest),
        plan=PlanInput(digest=record.plan_digest, body=bundle.plan),
        bundle=BundleInput(
            digest=bundle.digest,
            plan_digest=record.plan_digest,
            candidate_digest=record.candidate.digest,
            champion_digest=record.champion.digest if record.champion else None,
            holdout_digest=record.holdout_digest,
            holdout_sketch_digest=digest_document(list(record.holdout_sketch)) if record.holdout_sketch else None,
            metadata=record.metadata,
            created_us=record.created_us,
            key_ids=bundle.key_ids,
        ),
        evidence=tuple(
            EvidenceInput(
                digest=part.digest,
                gate=part.evidence.gate,
                subject_digest=part.evidence.candidate.digest,
                champion_digest=part.evidence.champion.digest if part.evidence.champion else None,
                plan_digest=part.evidence.plan_digest,
                key_ids=part.key_ids,
                tables=part.evidence.tables,
                code=part.evidence.code,
                isolation=part.evidence.isolation,
                started_us=part.evidence.started_us,
                finished_us=part.evidence.finished_us,
                measurements=part.evidence.measurements,
            )
            for part in bundle.evidence
        ),
        registry=observed.registry,
        ledger=ledger,
        last=last,
        approvals=tuple(sorted(approvals, key=lambda item: item.digest)),
        waivers=tuple(sorted(waivers, key=lambda item: item.digest)),
        serving=observed.serving,
        rollback=observed.rollback,
    )


def build_decision(document: DecisionInput, answer: dict[str, object], *, simulated: bool) -> Decision:
    """Join the policies' answer with the digests of everything that it depends on; as `joined`."""
    own = {"plan_digest": document.plan.digest, "bundle_digest": document.bundle.digest, "simulated": simulated}
    return joined(Decision, document, {**answer, **own})


def joined(kind: type[R], document: DecisionInput | ActionInput | ChangeInput, answer: dict[str, object]) -> R:
    """Make a decision of an answer and the input that it answers.

    Raises
    ------
    EngineError: the answer is not of the decision's form.
    """
    from pydantic import ValidationError

    seen = document.ledger
    try:
        return kind.model_validate(
            {
                **answer,
                "request": document.request,
                "policy_digest": document.policy.digest,
                "trust_digest": document.policy.trust_digest,
                "input_digest": digest_document(document.document()),
                "ledger": LedgerPosition(sequence=seen.sequence, head=seen.head) if seen else None,
            }
        )
    except ValidationError as error:
        raise EngineError(
            f"the policies' answer is not a decision: {first_fault(error, '/')}", code="engine.answer"
        ) from error


def decision_id(decision: Decision) -> Digest:
    """Digest of the decision's canonical bytes: the same on every engine."""
    return digest_document(decision.document())
