"""One question, one answer: an engine's answer is a decision only where a second engine gives the same bytes.

OPA and the policies that it compiled must agree; where they differ, neither wins and there is no decision (exit 4).
Where no OPA can be had the embedded engine answers alone, and the evaluation record says so.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import Engine
from gates.decide.engines.opa_server import OpaServerEngine, started
from gates.decide.opa_binary import find_opa
from gates.decide.policies import PolicySet
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


def evaluate_both(first: Engine, second: Engine, entry_point: str, document: dict[str, Any]) -> Answer:
    """`evaluate` with a second engine that must agree."""
    return evaluate(first, entry_point, document, confirming=second)


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


@contextlib.contextmanager
def engines(
    policies: PolicySet, *, url: str | None = None, token: str | None = None
) -> Iterator[tuple[Engine, Engine | None]]:
    """Yield the engine that answers and the one that confirms.

    OPA at `url`, else an OPA found on this machine and started for the call, confirmed by the embedded engine; without
    any OPA the embedded engine alone. Never builds OPA.

    Raises
    ------
    EngineError: the policies' module is stale, or OPA does not start.
    """
    with contextlib.ExitStack() as stack:
        embedded = stack.enter_context(EmbeddedEngine(policies))
        if url is not None:
            server = OpaServerEngine(url, token=token)
            stack.callback(server.close)
            yield server, embedded
            return
        opa = find_opa()
        if opa is None:
            yield embedded, None
            return
        yield stack.enter_context(started(policies, opa)), embedded
