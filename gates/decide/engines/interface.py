"""The Engine port: an entry point and an input document in, the policies' answer out. An engine never decides alone.

Every adapter validates its input first, and hands back lists in one order: all lists of an answer are sets in Rego, and
engines give sets in orders of their own.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pydantic_core import from_json

from gates.bundle.canonical import canonical_bytes, canonical_sets
from gates.errors import EngineError, EvidenceError, UsageError

PLAN = "gates/main/plan"
DECISION = "gates/main/decision"
ACTION = "gates/main/action"
CHANGE = "gates/main/change"
ACTIVATION = "gates/main/activation"


class Engine(Protocol):
    """A policy engine with a policy set in it.

    Attributes
    ----------
    name, version: what evaluated. source: where it came from (a file, a URL, the package).
    """

    name: str
    version: str
    source: str

    def evaluate(self, entry_point: str, document: dict[str, Any]) -> dict[str, Any]:
        """Evaluate.

        Raises
        ------
        EvidenceError: the document is not a valid input (`input.invalid`); no engine saw it.
        EngineError: undefined, an exception, a limit, no connection: no answer.
        """
        ...


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave out the search for cycles, of which a JSON document has none: it was a fifth of a large decision's time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def prepared(entry_point: str, document: dict[str, Any]) -> bytes:
    """Return the canonical bytes of a valid input.

    Raises
    ------
    EvidenceError: `input.invalid`.
    UsageError: the policies have no such entry point.
    """
    try:
        content = canonical_bytes(document)
    except EvidenceError as error:
        raise EvidenceError(error.message, code="input.invalid", where=entry_point) from error
    check_input(entry_point, content)
    return content


def check_input(entry_point: str, content: bytes) -> None:
    """Validate the canonical bytes of an input: what is validated is what the engine will read, whatever Python made of it.

    Raises
    ------
    EvidenceError: `input.invalid`.
    UsageError: the policies have no such entry point.
    """
    from gates.decide.schemas import INPUTS, validate_input

    if entry_point not in INPUTS:
        raise UsageError(f"no entry point {entry_point!r}", code="engine.entry_point", remedy=f"one of {list(INPUTS)}")
    try:
        document = _read(content)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"not a JSON document: {error}", code="input.invalid", where=entry_point) from error
    validate_input(entry_point, document)


def answered(answer: object, *, engine: str, entry_point: str) -> dict[str, Any]:
    """Return a defined answer in its one order.

    Raises
    ------
    EngineError: `engine.undefined`: a rule without a value is no decision.
    """
    defined(answer, engine=engine, entry_point=entry_point)
    ordered: dict[str, Any] = _read(canonical_sets(answer))
    return ordered


def defined(answer: object, *, engine: str, entry_point: str) -> dict[str, Any]:
    """Return an answer as the engine gave it, its lists in no order.

    Raises
    ------
    EngineError: `engine.undefined`: a rule without a value is no decision.
    """
    if not isinstance(answer, dict) or not answer:
        raise EngineError(
            f"{engine} gave no answer for {entry_point}",
            code="engine.undefined",
            where=entry_point,
            remedy="the policies and the engine do not fit together; see `gates doctor`",
        )
    return answer


def _read(content: bytes) -> Any:
    # A third of the time of `json.loads`; it goes no deeper than 200, where `json` goes as deep as Python.
    try:
        return from_json(content)
    except ValueError:
        return json.loads(content)
