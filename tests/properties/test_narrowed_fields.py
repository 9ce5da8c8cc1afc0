"""Every word of the plan, and of gates.yaml behind it: one that asks less than the last decision did is seen, or is here
with the reason why it need not be. A new word is in neither, and fails."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from simulators.policy_world import Document, golden, measurements, name_of, plan_of, plan_request, policy_set

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN, prepared
from gates.plan.spec import Spec
from gates.records.plan import Plan

HOLDOUT = 0
"""The place of the holdout among the tables of the golden plan."""
FIRST = {"feature": "wind"}

OTHER = (
    "rows of each release are other ones; the evidence names them by digest, and models/<model>/data.yaml the holdout"
)
BEFORE = "what the champion was made by; a check that it asks for is `narrowed.check` without it"
SERVED = "what serves with the model and is no measure of it; the decision binds it"
NAMES = "only what columns are called; the plan's key and time name them again, and those are compared"
LAST = "which table it is; rules are held against each other by it"

REASONS = {
    "schema_version": "the form of the record",
    "model": "the ledger's slot is of one model",
    "tier": "of the policy owners' data, which is compared with it (`narrowed.tier`)",
    "environments": "the environment is that of the request; a check that is asked for nowhere is `narrowed.check`",
    "requirements.environment": "only those of the environment are compared",
    "requirements.slice.kind": "with the slice: `whole`, `value` and `rest` are different requirements",
    "not_applicable.environment": "as not_applicable.check",
    "not_applicable.check": "no rule reads it; the policy says by itself what does not apply",
    "not_applicable.reason": "for people",
    "tables.role": "a role that is gone is seen; it is the name of the table",
    "tables.uri": OTHER,
    "tables.as_of_us": OTHER,
    "tables.snapshot": OTHER,
    "tables.champion_contract": BEFORE,
    "tables.champion_definitions": BEFORE,
    "tables.feast.repo": OTHER,
    "tables.feast.service": "features that the table lacks are unmeasured, and the model's are compared by name",
    "tables.feast.features": "features that the table lacks are unmeasured, and the model's are compared by name",
    "tables.feast.full_names": NAMES,
    "tables.log.format": "one word; a log that is none is seen",
    "tables.log.id": NAMES,
    "tables.log.time": NAMES,
    "tables.log.columns": NAMES,
    "tables.reads.name": OTHER,
    "tables.reads.uri": OTHER,
    "tables.reads.snapshot": OTHER,
    "backfill.from_us": "each rewrite has its own window; its figures carry it as a parameter",
    "backfill.to_us": "each rewrite has its own window; its figures carry it as a parameter",
    "parity.fingerprint": "kept with the evidence for the next comparison; nothing is judged by it",
    "parity.features.feature": LAST,
    "parameters.parity_features.feature": LAST,
    "release": SERVED,
    "rollout.environment": "policy bounds each step of the plan, whatever it was (`rollout.plan`)",
    "rollout.steps": "policy bounds each step of the plan, whatever it was (`rollout.plan`)",
    "policy_digest": "the ledger says which policies are in force",
    "spec_digest": "the digest of gates.yaml, whose words are compared one by one",
    "built_in": "of a table without gates.yaml; it counts in development alone (subject.rego), and the policy requires what it requires",
    "pull_request": "denied by its own rule (`holdout.pull_request`)",
    "parameters.slices": "a column less is `narrowed.slice` by its requirements",
}

Said = tuple[Document, Document, str]
"""What the last plan said, what this one says, and the code under which that is less."""


def _parameter(was: Any, now: Any) -> Any:
    return lambda name: ({"parameters": {name: was}}, {"parameters": {name: now}}, "narrowed.parameter")


def _column(was: Any, now: Any) -> Any:
    return lambda name: ({"columns": {name: was}}, {"columns": {name: now}}, "narrowed.key")


def _table(was: Document, now: Document, code: str = "narrowed.table") -> Said:
    return {"tables": {HOLDOUT: was}}, {"tables": {HOLDOUT: now}}, code


def _rule(was: Document, now: Document, code: str = "narrowed.tolerance") -> Said:
    return {"parity": {"features": [FIRST | was]}}, {"parity": {"features": [FIRST | now]}}, code


def _owned(was: Document, now: Document) -> Said:
    rules = [{"parameters": {"parity_features": [FIRST | said]}} for said in (was, now)]
    return rules[0], rules[1], "narrowed.parameter"


def _rewrite(was: Document, now: Document, code: str) -> Said:
    plain = {"partition": "day", "from_us": 0, "to_us": 1, "zone": "UTC"}
    return {"backfill": plain | was}, {"backfill": plain | now}, code


def _required(**change: Any) -> Said:
    named = {"environment": "production", "check": "calibration.ece", "role": "prove"} | change
    code = "narrowed.check" if change.get("check") else "narrowed.slice"
    return {"requirements": [named]}, {}, code


_COST = {"true_positive": 0, "false_positive": 1, "false_negative": 1, "true_negative": 0}
_VALUE = {"kind": "value", "column": "carrier", "value": "never seen"}
_FEAST = {"repo": "store", "service": "s", "time": "at", "created": True}
_LOG = {"format": "databricks"}
_QUANTILES = [{"level": 0.1, "column": "a"}], [{"level": 0.1, "column": "b"}]
_INTERVALS = [{"level": 0.9, "lower": "a", "upper": "b"}], [{"level": 0.9, "lower": "a", "upper": "c"}]

LESS: dict[str, Any] = {
    "task": ({"task": "multiclass"}, {}, "narrowed.parameter"),
    "requirements.check": _required(check="calibration.other", slice={"kind": "whole"}),
    "requirements.role": _required(each="carrier"),
    "requirements.slice.column": _required(slice=_VALUE),
    "requirements.slice.value": _required(slice=_VALUE),
    "requirements.each": _required(each="month", role="no-harm"),
    "independent_rows": ({}, {"independent_rows": True}, "narrowed.key"),
    "parameters.bins": _parameter(20, 10),
    "parameters.micro_bins": _parameter(2000, 1000),
    "parameters.coverage_level": _parameter(0.95, 0.9),
    "parameters.curve_levels": _parameter([0.1, 0.5, 0.9], [0.5]),
    "parameters.curve_reach": _parameter(0.01, 0.05),
    "parameters.strata": _parameter(6, 5),
    "parameters.operating_threshold": _parameter(0.5, 0.6),
    "parameters.parity_tolerance": _parameter(0.001, 0.01),
    "parameters.parity_features.absolute": _owned({"absolute": 0}, {"absolute": 1}),
    "parameters.parity_features.relative": _owned({"relative": 0}, {"relative": 0.1}),
    "parameters.parity_features.ulp": _owned({"ulp": 0}, {"ulp": 1}),
    "parameters.parity_features.text": _owned({"text": "exact"}, {"text": "nfc"}),
    "parameters.parity_features.max_age_s": _owned({"max_age_s": 1}, {"max_age_s": 2}),
    "parameters.minimum_clusters": _parameter(9, 8),
    "parameters.latency_pairs": _parameter(400, 300),
    "parameters.anchors": _parameter(12, 1),
    "parameters.minimum_events": _parameter(60, 50),
    "parameters.max_rows": _parameter(2000, 1000),
    "parameters.seed": _parameter(0, 1),
    "parameters.maturation_seconds": _parameter(60, 59),
    "parameters.near_digits": _parameter(3, 4),
    "parameters.personal_rows": _parameter(1000, 1),
    "parameters.rescored_rows": _parameter(1000, 1),
    "parameters.rescored_tolerance": _parameter(0.0, 0.5),
    **{f"parameters.cost.{word}": _parameter(_COST, _COST | {word: 2})("cost") for word in _COST},
    **{f"parameters.payoff.{word}": _parameter(_COST, _COST | {word: 2})("payoff") for word in _COST},
    "parameters.cluster": ({"parameters": {"cluster": "a"}}, {"parameters": {"cluster": "b"}}, "narrowed.key"),
    "parameters.weight": ({"parameters": {"weight": "a"}}, {"parameters": {"weight": "b"}}, "narrowed.key"),
    "parameters.cluster_by": (
        {"parameters": {"cluster": "at", "cluster_by": "day"}},
        {"parameters": {"cluster": "at"}},
        "narrowed.key",
    ),
    "tables.contract": _table({"contract": "c.yaml"}, {}),
    "tables.definitions": _table({"definitions": "d.json"}, {}),
    "tables.serving_definitions": _table({"serving_definitions": "d.json"}, {}),
    "tables.personal_data": _table({"personal_data": "p.json"}, {}),
    "tables.scope": _table({}, {"scope": "sample"}),
    "tables.feast.time": _table({"feast": _FEAST}, {"feast": _FEAST | {"time": "later"}}, "narrowed.key"),
    "tables.feast.created": _table({"feast": _FEAST}, {"feast": _FEAST | {"created": False}}, "narrowed.key"),
    "columns.label": _column("late", "early"),
    "columns.key": _column(["id"], ["day"]),
    "columns.time": _column("at", "later"),
    "columns.ingested": _column("at", "later"),
    "columns.labelled": _column("at", "later"),
    "columns.annotator": _column("who", "team"),
    "columns.guideline": _column("a", "b"),
    "columns.quasi_identifiers": _column(["age", "zip"], ["age"]),
    "columns.weight": _column("a", "b"),
    "columns.payoff": _column("a", "b"),
    "columns.groups": _column(["sex", "age"], ["sex"]),
    "columns.score": _column("a", "b"),
    "columns.champion_score": _column("a", "b"),
    "columns.classes": _column(["a", "b", "c"], ["a", "b"]),
    "columns.class_scores": _column(["a", "b"], ["a", "c"]),
    "columns.champion_class_scores": _column(["a", "b"], ["a", "c"]),
    "columns.set_columns": _column(["a", "b"], []),
    "columns.champion_set_columns": _column(["a", "b"], ["a", "c"]),
    "columns.features": ({"columns": {"features": ["wind", "x"]}}, {"columns": {"features": ["wind"]}}, "narrowed.feature"),
    **{f"columns.{side}quantiles.{word}": _column(*_QUANTILES)(f"{side}quantiles") for side in ("", "champion_") for word in ("level", "column")},
    **{f"columns.{side}intervals.{word}": _column(*_INTERVALS)(f"{side}intervals") for side in ("", "champion_") for word in ("level", "lower", "upper")},
    "backfill.partition": _rewrite({}, {"partition": "carrier"}, "narrowed.key"),
    "backfill.zone": _rewrite({}, {"zone": "Asia/Tokyo"}, "narrowed.key"),
    "backfill.lateness_s": _rewrite({"lateness_s": 60}, {}, "narrowed.tolerance"),
    "backfill.known": _rewrite({"known": ["a"]}, {}, "narrowed.tolerance"),
    "backfill.ttl_s": _rewrite({"ttl_s": 60}, {"ttl_s": 61}, "narrowed.tolerance"),
    "backfill.written": _rewrite({}, {"written": ["run"]}, "narrowed.tolerance"),
    "parity.written": (
        {"parity": {"written": "a", "features": [FIRST | {"max_age_s": 1}]}},
        {"parity": {"written": "b", "features": [FIRST | {"max_age_s": 1}]}},
        "narrowed.key",
    ),
    "parity.features.written": _rule({"max_age_s": 1, "written": "a"}, {"max_age_s": 1, "written": "b"}, "narrowed.key"),
    "parity.features.absolute": _rule({"absolute": 0.1}, {"absolute": 0.2}),
    "parity.features.relative": _rule({"absolute": 0.1}, {"absolute": 0.1, "relative": 0.2}),
    "parity.features.ulp": _rule({"ulp": 1}, {"ulp": 2}),
    "parity.features.text": _rule({"text": "exact"}, {"text": "nfc"}),
    "parity.features.max_age_s": _rule({"max_age_s": 1}, {"max_age_s": 2}),
}  # fmt: skip


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _fields(record: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every word of a record and of the records within it, by its path; lists and maps count as what they hold."""
    for name, field in record.model_fields.items():
        inner = list(_models(field.annotation))
        for model in inner:
            yield from _fields(model, f"{path}{name}.")
        if not inner:
            yield path + name


def _excused(path: str) -> bool:
    return any(path == said or path.startswith(f"{said}.") for said in REASONS)


def test_every_word_of_the_plan_is_compared_or_has_a_reason() -> None:
    fields = set(_fields(Plan))
    assert len(fields) > 100
    assert {path for path in fields if path not in LESS and not _excused(path)} == set()
    assert {path for path in LESS if path not in fields} == set()
    assert {path for path in LESS if _excused(path)} == set()
    assert {said for said in REASONS if not any(p == said or p.startswith(f"{said}.") for p in fields)} == set()


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(policy_set()) as made:
        yield made


@pytest.fixture(scope="module")
def plain(engine: EmbeddedEngine) -> Document:
    """A good candidate; only its figures that nobody reads here are gone, so that a decision takes no time."""
    body = Plan.model_validate(plan_of(engine.evaluate(PLAN, plan_request()))).document()
    document = golden("production", body)
    assert sum(1 for _ in measurements(document)) > 10
    return document


def _changed(node: Any, change: Any) -> Any:
    if isinstance(node, list) and isinstance(change, dict):
        return [_changed(item, change[place]) if place in change else item for place, item in enumerate(node)]
    if isinstance(node, dict) and isinstance(change, dict):
        return node | {word: _changed(node.get(word), said) for word, said in change.items()}
    return copy.deepcopy(change)


def _with(body: Document, change: Document) -> Document:
    """The plan with what is said; requirements join those that there are."""
    more = change.get("requirements")
    changed = _changed(body, change | ({"requirements": [*body["requirements"], *more]} if more else {}))
    return Plan.model_validate(changed).document()


def _less(engine: EmbeddedEngine, plain: Document, was: Document, now: Document) -> set[str]:
    document = copy.deepcopy(plain)
    body = document["plan"]["body"]
    last = name_of("last decision")
    document["last"] = {"decision_id": last, "plan": {"digest": name_of("last plan"), "body": _with(body, was)}}
    document["ledger"]["last_decision"] = last
    document["plan"]["body"] = _with(body, now)
    prepared(DECISION, document)
    results = engine.evaluate(DECISION, document)["results"]
    return {result["code"] for result in results if result["code"].startswith("narrowed.")}


def test_the_same_again_is_no_less(engine: EmbeddedEngine, plain: Document) -> None:
    assert _less(engine, plain, {}, {}) == set()


@pytest.mark.parametrize("path", list(LESS))
def test_less_is_seen(engine: EmbeddedEngine, plain: Document, path: str) -> None:
    said = LESS[path]
    was, now, code = said(path.partition(".")[2]) if callable(said) else said
    assert code in _less(engine, plain, was, now)
    assert code not in _less(engine, plain, now, now)


@pytest.mark.parametrize("word", ["feast", "log"])
def test_a_table_from_elsewhere_is_another(engine: EmbeddedEngine, plain: Document, word: str) -> None:
    was, now, code = _table({word: _FEAST if word == "feast" else _LOG}, {})
    assert code in _less(engine, plain, was, now)


PLANNED = {
    "tables": "uri as_of snapshot scope contract champion_contract definitions serving_definitions champion_definitions feast log reads personal_data",
    "parity.features": "absolute relative ulp max_age_s written",
    "backfill": "partition start end zone lateness known ttl written",
}
"""Words of gates.yaml that the plan carries, where the two differ in how they are called or nested."""

OURS = "where our own things are kept; the ledger, the policies and the trust data in force are found by digest"
PARTS = {
    "schema_version": "plan",
    "schema_url": "for editors",
    "model": "plan",
    "task": "plan",
    "registry": "the candidate counts by its digest",
    "candidate": "a default of what is asked for",
    "champion": "for development alone; above it the ledger says",
    "policies": OURS,
    "trust": OURS,
    "store": OURS,
    "ledger": OURS,
    "serving": "judged as it is at each decision (`serving.*`, `narrowed.target`)",
    "batch": SERVED,
    "release": "plan",
    "rollback": "judged as it is at each decision (`ready.*`)",
    "packages": "what the model runs with; its evidence says it, and `isolation.*` judges",
    "engine": "what computes the sums: the same figures on each",
    "columns": "plan",
    "cluster": "plan",
    "rows": "plan",
    "slices": "plan",
    "extra": "plan",
    "parity": "plan",
    "tables": "plan",
    "backfill": "plan",
    "rollout": "plan",
}


def test_every_word_of_the_spec_is_in_the_plan_or_has_a_reason() -> None:
    assert set(Spec.model_fields) == set(PARTS)
    columns, planned = Spec.model_fields["columns"].annotation, Plan.model_fields["columns"].annotation
    assert set(columns.model_fields) == set(planned.model_fields)  # type: ignore[union-attr]
    of_spec = set(_fields(Spec))
    for place, words in PLANNED.items():
        prefix = "tables.holdout." if place == "tables" else f"{place}."
        found = {path.removeprefix(prefix).partition(".")[0] for path in of_spec if path.startswith(prefix)}
        assert found == set(words.split()), place
    for place in ("feast", "log"):
        prefix = f"tables.holdout.{place}."
        found = {path.removeprefix(prefix) for path in of_spec if path.startswith(prefix)}
        assert found == {p.removeprefix(f"tables.{place}.") for p in _fields(Plan) if p.startswith(f"tables.{place}.")}
