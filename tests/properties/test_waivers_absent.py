"""A waiver counts whole or not at all: whatever is taken out of it or retyped leaves no allow, and engines agree."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from simulators.policy_world import Document, codes, find, golden, plan_request, policy_set, value_of, waiver

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.engines.opa_server import started
from gates.decide.opa_binary import find_opa
from gates.errors import EvidenceError

WHERE = value_of("carrier", "UA")


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(policy_set()) as found:
        yield found


@pytest.fixture(scope="module")
def waived(engine: EmbeddedEngine) -> Document:
    """A candidate with one bad figure, and the waiver of it."""
    document = golden("production", engine.evaluate(PLAN, plan_request()))
    bad = find(document, "calibration.ece", WHERE)
    bad.update(estimate=0.03, debiased=0.03, bounds=[{**b, "lower": 0.025, "upper": 0.04} for b in bad["bounds"]])
    document["waivers"] = [waiver("calibration.ece", WHERE, "production", limit=0.03, ceiling=0.04)]
    return document


def test_it_is_the_waiver_that_allows(engine: EmbeddedEngine, waived: Document) -> None:
    answer = engine.evaluate(DECISION, waived)
    assert codes(answer) <= {"approval.missing", "risk.approval"}
    assert codes(answer, "waived") == {"calibration.ece"}
    bare = engine.evaluate(DECISION, {**waived, "waivers": []})
    assert "calibration.ece" in codes(bare)


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield (*path, key)
        yield from paths(value, (*path, key))


def spoiled(document: Document, path: tuple[Any, ...], how: str) -> Document:
    found = copy.deepcopy(document)
    node = found["waivers"][0]
    for key in path[:-1]:
        node = node[key]
    if how == "removed":
        del node[path[-1]]
    else:
        node[path[-1]] = {"nulled": None, "text": "NaN", "negative": -1, "list": []}[how]
    return found


@pytest.mark.parametrize("how", ["removed", "nulled", "text", "negative", "list"])
def test_whatever_is_taken_out_of_it(engine: EmbeddedEngine, waived: Document, how: str) -> None:
    # What a person reads and no rule judges: other words are no reason to refuse.
    words = {("statement", "reason"), ("statement", "ticket")} if how == "text" else set()
    kept = []
    for path in paths(waived["waivers"][0]):
        try:
            answer = engine.evaluate(DECISION, spoiled(waived, path, how))
        except EvidenceError:
            continue
        if "calibration.ece" not in codes(answer):
            kept.append(path)
    assert {*kept} == words


@pytest.mark.opa
def test_both_engines_give_the_same_bytes(engine: EmbeddedEngine, waived: Document) -> None:
    opa = find_opa()
    assert opa is not None
    cases = [waived]
    for changes in ({"until_us": 1}, {"kind": "baseline"}, {"environment": "staging"}):
        case = copy.deepcopy(waived)
        case["waivers"][0]["statement"] |= changes
        cases.append(case)
    with started(policy_set(), opa) as server:
        for case in cases:
            assert canonical_bytes(server.evaluate(DECISION, case)) == canonical_bytes(engine.evaluate(DECISION, case))
