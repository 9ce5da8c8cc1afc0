"""DECIDE on an action, or on a change of policies: its input through the engines at hand. Replay calls it too."""

from __future__ import annotations

from typing import TypeVar

from gates.decide.document import joined
from gates.decide.engines.interface import ACTION, CHANGE, Engine
from gates.decide.evaluate import evaluate
from gates.decide.policies import PolicySet
from gates.records.action import ActionDecision, ActionInput
from gates.records.change import ChangeDecision, ChangeInput
from gates.records.decision import Evaluation

D = TypeVar("D", ActionDecision, ChangeDecision)


def knows_action(policies: PolicySet, action: str) -> bool:
    """Whether a policy set has rules for an action; those of early versions have none, or not for all."""
    return ACTION in policies.sidecar.entry_points and f"actions/{action}/{action}.rego" in policies.files


def knows_changes(policies: PolicySet) -> bool:
    """Whether a policy set has rules for a change of policies."""
    return CHANGE in policies.sidecar.entry_points


def decide_action(
    engine: Engine, document: ActionInput, *, confirming: Engine | None = None
) -> tuple[ActionDecision, Evaluation]:
    """Ask the policies about an action.

    Parameters
    ----------
    confirming: a second engine, which must give the same bytes.

    Raises
    ------
    EvidenceError: the document is no valid input. EngineError: no answer, one that is no decision, or two different ones.
    """
    return _decide(engine, confirming, ACTION, document, ActionDecision)


def decide_change(
    engine: Engine, document: ChangeInput, *, confirming: Engine | None = None
) -> tuple[ChangeDecision, Evaluation]:
    """Ask the policies about a change of policies; as `decide_action`."""
    return _decide(engine, confirming, CHANGE, document, ChangeDecision)


def _decide(
    engine: Engine, confirming: Engine | None, entry_point: str, document: ActionInput | ChangeInput, kind: type[D]
) -> tuple[D, Evaluation]:
    answer = evaluate(engine, entry_point, document.document(), confirming=confirming)
    return joined(kind, document, answer.document), answer.evaluation
