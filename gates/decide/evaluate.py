"""One question, one answer: an engine's answer is a decision only where a second engine gives the same bytes.

OPA and the policies that it compiled must agree; where they differ, neither wins and there is no decision (exit 4).
Where no OPA can be had the embedded engine answers alone, and the evaluation record says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.interface import Engine
from gates.errors import EngineError
from gates.records import Evaluation


@dataclass(frozen=True)
class Answer:
    """What the policies answered, and how it was computed."""

    document: dict[str, Any]
    evaluation: Evaluation


def evaluate(engine: Engine, entry_point: str, document: dict[str, Any], *, confirming: Engine | None = None) -> Answer:
    """Ask an engine and, where there is one, a second that must give the same bytes.

    Raises
    ------
    EvidenceError: the document is not a valid input (`input.invalid`).
    EngineError: no answer, or two different ones (`engine.disagree`).
    """
    begun = time.monotonic_ns()
    answer = engine.evaluate(entry_point, document)
    if confirming is not None:
        _demand_same(answer, confirming.evaluate(entry_point, document), engine, confirming)
    return Answer(
        answer,
        Evaluation(
            engine=engine.name,
            version=engine.version,
            source=engine.source,
            duration_us=(time.monotonic_ns() - begun) // 1_000,
            confirmed_by=f"{confirming.name} ({confirming.version})" if confirming is not None else None,
        ),
    )


def _demand_same(answer: dict[str, Any], other: dict[str, Any], engine: Engine, confirming: Engine) -> None:
    if canonical_bytes(answer) == canonical_bytes(other):
        return
    parts = sorted({*answer, *other})
    differing = [part for part in parts if answer.get(part) != other.get(part)]
    raise EngineError(
        f"{engine.name} and {confirming.name} answer differently in {', '.join(differing) or 'the bytes'}",
        code="engine.disagree",
        where=engine.source,
        remedy="neither counts; check that the server has loaded these policies, data and trust",
    )
