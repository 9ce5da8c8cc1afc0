"""Deletion: whatever is taken out of a good input or spoiled in it, nothing but the words of people leaves an allow."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from engine_inputs import golden_inputs, worlds
from simulators.policy_world import Document

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, prepared
from gates.errors import EvidenceError

Path = tuple[str | int, ...]

GONE = object()
SPOILED = (GONE, None, [], {}, "", 0, -1, True, "NaN", "Infinity", "-inf", "null", "1e999", "unbounded")
SAID = "said for people; no rule reads it, and digests tell the things apart"
BOUND = "the plan is bound by its digest, which bundle, evidence and approvals name; what the policy requires it adds itself"
LEDGER = "read from the verified ledger and bound by its head; with less history there is less to deny for, never more to allow"
SIGNED = "what the measurer says of the candidate, signed with the bundle; policy asks that it is said"
SHOWN = "shown beside the figure; the verdict is read from the bounds"

HARMLESS = {
    "request/candidate/version": SAID,
    "request/champion/name": SAID,
    "request/champion/version": SAID,
    "request/actor": "a name that is nobody's; in earnest the key that signs says who asks",
    "request/triggered_by": "who started the job, by what CI calls them; the key that signs says so, and nobody is barred unnamed",
    "request/triggered_by/*": "as the accounts",
    "plan/body/environments/*": BOUND,
    "plan/body/requirements/*": BOUND,
    "plan/body/requirements/*/environment": BOUND,
    "plan/body/requirements/*/check": BOUND,
    "plan/body/requirements/*/slice": BOUND,
    "plan/body/requirements/*/each": BOUND,
    "plan/body/tables": BOUND,
    "plan/body/tables/*": BOUND,
    "plan/body/tables/*/uri": SAID,
    "plan/body/columns/label": BOUND,
    "plan/body/columns/key/*": BOUND,
    "plan/body/columns/features": BOUND,
    "plan/body/columns/features/*": BOUND,
    "plan/body/built_in": BOUND,
    "evidence/*/gate": SAID,
    "evidence/*/champion_digest": "evidence that compares with nobody names nobody; where it compares, it denies",
    "evidence/*/tables": SAID,
    "evidence/*/tables/*": SAID,
    "evidence/*/tables/*/uri": SAID,
    "evidence/*/tables/*/rows": SAID,
    "evidence/*/code/distribution": SAID,
    "evidence/*/code/version": SAID,
    "evidence/*/started_us": "an early beginning; the age is that of the end",
    "evidence/*/measurements/*/share_ppm": SHOWN,
    "evidence/*/measurements/*/estimate": SHOWN,
    "evidence/*/measurements/*/bounds/*/lower": "a bound may be zero, and be unbounded on the side that is not asked about",
    "evidence/*/measurements/*/bounds/*/upper": "a bound may be zero",
    "evidence/*/measurements/*/bounds/*": "a rung that no comparison of this figure needs",
    "evidence/*/measurements/*/family/name": SAID,
    "evidence/*/measurements/*/n": SHOWN,
    "evidence/*/measurements/*/unit": SHOWN,
    "evidence/*/measurements/*/method": SHOWN,
    "evidence/*/measurements/*/debiased": "read by the bounded rule only, not for a figure that is proven",
    "evidence/*/measurements/*/clusters": SHOWN,
    "bundle/metadata/training_snapshot": SIGNED,
    "bundle/metadata/validation_snapshot": SIGNED,
    "bundle/metadata/query_digest": SIGNED,
    "bundle/metadata/as_of_us": SIGNED,
    "bundle/metadata/feature_definitions": SIGNED,
    "bundle/metadata/label_definition": SIGNED,
    "bundle/metadata/environment": SIGNED,
    "bundle/metadata/vulnerability_scan": SIGNED,
    "bundle/metadata/code_revision": SIGNED,
    "bundle/metadata/authors/*": SIGNED,
    "bundle/metadata/tags/*/name": SIGNED,
    "bundle/metadata/tags/*/value": SIGNED,
    "bundle/metadata/changelog/what": SIGNED,
    "bundle/metadata/changelog/why": SIGNED,
    "bundle/metadata/changelog/impact": SIGNED,
    "serving/target": SAID,
    "serving/configuration/variables": SAID,
    "serving/configuration/variables/*": SAID,
    "serving/configuration/variables/*/name": SAID,
    "ledger/sequence": LEDGER,
    "ledger/release/model": SAID,
    "ledger/release/environment": SAID,
    "ledger/release/routes/*/version/name": SAID,
    "ledger/release/routes/*/version/version": SAID,
    "ledger/release/routes/*/percent": LEDGER,
    "ledger/release/approved/name": SAID,
    "ledger/release/approved/version": SAID,
    "ledger/known_releases": LEDGER,
    "ledger/known_releases/*": LEDGER,
    "ledger/known_releases/*/time_us": LEDGER,
    "ledger/attempts": LEDGER,
    "ledger/candidates_judged": LEDGER,
    "ledger/expected_aliases": LEDGER,
    "ledger/expected_aliases/*": LEDGER,
}
"""Fields in which some other value leaves a good input good, each with its reason. Nothing may join it unseen."""


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(worlds()[0]) as made:
        yield made


def _production() -> Document:
    return next(d for world, d in golden_inputs() if world == 0 and d["request"]["environment"] == "production")


def _paths(node: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))


def _field(path: Path) -> str:
    return "/".join("*" if isinstance(part, int) else part for part in path)


def _allowed(engine: EmbeddedEngine, document: Document, path: Path, value: Any) -> bool:
    """Whether the document with that one change is still a yes; the document comes back as it was."""
    holder: Any = document
    for part in path[:-1]:
        holder = holder[part]
    last, before = path[-1], copy.deepcopy(holder)
    if value is GONE:
        del holder[last]
    elif canonical_bytes(holder[last]) == canonical_bytes(value):
        return False
    else:
        holder[last] = value
    try:
        prepared(DECISION, document)
        return bool(engine.evaluate(DECISION, document)["allow"])
    except EvidenceError:
        return False
    finally:
        if isinstance(holder, list):
            holder[:] = before
        else:
            holder.clear()
            holder.update(before)


def _spoil(engine: EmbeddedEngine, document: Document, *, copies: int, values: tuple[Any, ...]) -> dict[str, list[Any]]:
    """Field -> the values under which it was still a yes."""
    fields: dict[str, list[Path]] = {}
    for path in _paths(document):
        fields.setdefault(_field(path), []).append(path)
    found: dict[str, list[Any]] = {}
    for field, paths in fields.items():
        chosen = [*paths[: copies // 2], *paths[-1:]] if copies > 1 else paths[:1]
        for path in dict.fromkeys(chosen):
            for value in values:
                if _allowed(engine, document, path, value):
                    found.setdefault(field, []).append("gone" if value is GONE else value)
    return found


def test_nothing_taken_out_or_spoiled_leaves_an_allow(engine: EmbeddedEngine) -> None:
    document = _production()
    before = canonical_bytes(document)
    assert engine.evaluate(DECISION, document)["allow"] is True
    found = _spoil(engine, document, copies=1, values=(GONE, "NaN"))
    assert canonical_bytes(document) == before
    assert found.keys() - HARMLESS.keys() == set()
    assert len(found) > 20
    estimates = found.get("evidence/*/measurements/*/estimate", [])
    assert estimates == [], "a measured figure without an estimate"


def _named(part: Document) -> bytes:
    return canonical_bytes([part["check"], part.get("slice"), part.get("item")])


@pytest.mark.parametrize("world", range(len(worlds())))
def test_no_judged_measurement_taken_out_leaves_an_allow(world: int) -> None:
    left = looked = 0
    with EmbeddedEngine(worlds()[world]) as engine:
        for document in (each for of, each in golden_inputs() if of == world):
            whole = engine.evaluate(DECISION, document)
            judged = {_named(result) for result in whole["results"]}
            for evidence in document["evidence"]:
                every = evidence["measurements"]
                for place, gone in enumerate(every):
                    evidence["measurements"] = every[:place] + every[place + 1 :]
                    answer = engine.evaluate(DECISION, document)
                    environment = document["request"]["environment"]
                    assert answer["allow"] is (_named(gone) not in judged), (environment, gone)
                    left += answer["allow"]
                    looked += 1
                evidence["measurements"] = every
    assert left < looked / 3, "most of what a good input holds is judged"


def _only_judged(engine: EmbeddedEngine, document: Document) -> None:
    """Take out figures that nobody asks for, which may say what they like."""
    judged = {_named(result) for result in engine.evaluate(DECISION, document)["results"]}
    for each in document["evidence"]:
        each["measurements"] = [m for m in each["measurements"] if _named(m) in judged]
    assert engine.evaluate(DECISION, document)["allow"] is True


@pytest.mark.long
@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_nothing_taken_out_or_spoiled_leaves_an_allow_anywhere(engine: EmbeddedEngine, environment: str) -> None:
    document = next(d for world, d in golden_inputs() if world == 0 and d["request"]["environment"] == environment)
    _only_judged(engine, document)
    found = _spoil(engine, document, copies=6, values=SPOILED)
    if environment == "production":
        assert found.keys() == HARMLESS.keys()
    # What the strict environments ask of trust, ledger and freshness, development does not; and only production asks
    # who computed the predictions.
    supplied = "evidence/*/measurements/*/predictions"
    measured = {field for field in found if field.startswith("evidence/*/measurements")}
    assert measured - HARMLESS.keys() <= ({supplied} if environment != "production" else set())
    assert "gone" not in found.get("evidence/*/measurements/*/estimate", [])


def _shuffle(node: Any, chance: random.Random) -> Any:
    if isinstance(node, dict):
        items = [(key, _shuffle(value, chance)) for key, value in node.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(node, list):
        return chance.sample([_shuffle(item, chance) for item in node], len(node))
    return node


@pytest.mark.parametrize("seed", range(3))
def test_order_changes_nothing(engine: EmbeddedEngine, seed: int) -> None:
    for document in (_production(), _denied()):
        asked = canonical_bytes(engine.evaluate(DECISION, document))
        again = _shuffle(document, random.Random(seed))
        assert canonical_bytes(again) != canonical_bytes(document)
        assert canonical_bytes(engine.evaluate(DECISION, again)) == asked


def test_identical_copies_change_nothing(engine: EmbeddedEngine) -> None:
    for document in (_production(), _denied()):
        asked = canonical_bytes(engine.evaluate(DECISION, document))
        for part in ("evidence", "approvals"):
            twice = copy.deepcopy(document)
            twice[part] += copy.deepcopy(twice[part])
            assert canonical_bytes(engine.evaluate(DECISION, twice)) == asked, part
        twice = copy.deepcopy(document)
        for evidence in twice["evidence"]:
            evidence["measurements"] *= 2
        assert canonical_bytes(engine.evaluate(DECISION, twice)) == asked


def test_two_figures_for_one_thing_deny(engine: EmbeddedEngine) -> None:
    document = _production()
    other = copy.deepcopy(document["evidence"][0]["measurements"][0])
    other["n"] += 1
    document["evidence"][-1]["measurements"].append(other)
    answer = engine.evaluate(DECISION, document)
    assert answer["allow"] is False
    assert "evidence.conflict" in {result["code"] for result in answer["results"]}


def _denied() -> Document:
    document = _production()
    for evidence in document["evidence"][1:3]:
        for figure in evidence["measurements"][::2]:
            figure["bounds"] = [{**bound, "lower": 0.5, "upper": 0.9} for bound in figure["bounds"]]
            figure["estimate"] = 0.7
    document["approvals"].pop()
    return document
