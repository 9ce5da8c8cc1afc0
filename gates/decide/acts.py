"""DECIDE on an action: its input through the embedded engine, which needs nothing of the machine. Replay calls it too."""

from __future__ import annotations

import time

from pydantic import ValidationError

from gates.bundle.canonical import canonical_bytes, digest_document
from gates.decide.engines.interface import ACTION, Engine
from gates.decide.policies import PolicySet
from gates.errors import EngineError
from gates.records.action import ActionDecision, ActionInput
from gates.records.base import first_fault
from gates.records.decision import Evaluation, LedgerPosition


def knows_actions(policies: PolicySet) -> bool:
    """Whether a policy set has rules for actions; those of early versions have none."""
    return ACTION in policies.sidecar.entry_points


def decide_action(engine: Engine, document: ActionInput) -> tuple[ActionDecision, Evaluation]:
    """Ask the policies.

    Raises
    ------
    EvidenceError: the document is no valid input. EngineError: no answer, or one that is no decision.
    """
    begun = time.monotonic_ns()
    answer = engine.evaluate(ACTION, document.document())
    evaluation = Evaluation(
        engine=engine.name,
        version=engine.version,
        source=engine.source,
        duration_us=(time.monotonic_ns() - begun) // 1_000,
    )
    ordered = {
        key: sorted(value, key=canonical_bytes) if isinstance(value, list) else value for key, value in answer.items()
    }
    try:
        decision = ActionDecision.model_validate(
            {
                **ordered,
                "request": document.request,
                "policy_digest": document.policy.digest,
                "trust_digest": document.policy.trust_digest,
                "input_digest": digest_document(document.document()),
                "ledger": LedgerPosition(sequence=document.ledger.sequence, head=document.ledger.head),
            }
        )
    except ValidationError as error:
        raise EngineError(
            f"the policies' answer is not a decision: {first_fault(error, '/')}", code="engine.answer"
        ) from error
    return decision, evaluation
