"""Policy and spec become one plan: the policy's words, the spec's places, one digest on every machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gates.bundle.canonical import digest_document
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.policies import PolicySet
from gates.errors import EngineError, UsageError
from gates.flow.check import of_pull_request
from gates.plan.build import build_plan, builtin_plan
from gates.plan.spec import Spec, load_spec
from gates.project import Project
from gates.records import Columns, Plan, Table

LADDER = ("development", "staging", "production")
SPEC = """\
model: flights
task: binary
columns: {label: late, key: [id]}
cluster: day
slices: [origin, carrier]
extra:
  - {check: calibration.bin, each: carrier, role: prove, environments: [production]}
  - {check: calibration.ece, slice: {column: origin, value: JFK}}
tables:
  training: {uri: a/training.parquet}
  holdout: {uri: a/holdout.parquet, as_of: 2014-01-01T00:00:00Z}
rollout: {production: [5, 100]}
"""


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return PolicySet.load(None, None)


@pytest.fixture(scope="module")
def engine(policies: PolicySet) -> EmbeddedEngine:
    return EmbeddedEngine(policies)


def spec(folder: Path, text: str = SPEC) -> Spec:
    folder.mkdir(exist_ok=True)
    (folder / "gates.yaml").write_text(text, encoding="utf-8")
    return load_spec(folder)


def build(the_spec: Spec, evaluate: Any, digest: str, **changes: Any) -> Plan:
    given = {"has_champion": True, "has_sets": False, "environments": LADDER, "features": ("x", "z"), **changes}
    return build_plan(the_spec, evaluate, digest, **given)


def test_a_plan_joins_the_policys_words_and_the_specs_places(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet
) -> None:
    plan = build(spec(tmp_path), engine.evaluate, policies.digest)
    assert Plan.parse(plan.document()) == plan
    assert (plan.model, plan.task, plan.tier, plan.environments) == ("flights", "binary", "high", LADDER)
    assert (plan.parameters.cluster, plan.parameters.slices) == ("day", ("carrier", "origin"))
    assert [table.uri for table in plan.tables] == ["a/training.parquet", "a/holdout.parquet"]
    assert (plan.columns.label, plan.columns.features) == ("late", ("x", "z"))
    assert {requirement.environment for requirement in plan.requirements} == set(LADDER)
    whole = {(r.environment, r.check) for r in plan.requirements if r.slice and r.slice.kind == "whole"}
    assert ("production", "parity.mismatch") in whole
    assert ("development", "parity.mismatch") not in whole, "development asks only what can be answered"
    added = [r for r in plan.requirements if r.role == "prove" and r.each == "carrier"]
    assert [(r.environment, r.check) for r in added] == [("production", "calibration.bin")]
    jfk = {r.environment for r in plan.requirements if r.slice and r.slice.value == "JFK"}
    assert jfk == set(LADDER)
    assert not plan.independent_rows


def test_the_plans_digest_is_the_same_in_every_folder_and_engine_order(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet
) -> None:
    def backwards(entry_point: str, document: dict[str, Any]) -> dict[str, Any]:
        answer = engine.evaluate(entry_point, document)
        parameters = {**answer["parameters"], "slices": answer["parameters"]["slices"][::-1]}
        return {**answer, "requirements": answer["requirements"][::-1], "parameters": parameters}

    here = build(spec(tmp_path / "one"), engine.evaluate, policies.digest)
    there = build(spec(tmp_path / "two"), backwards, policies.digest)
    assert digest_document(here.document()) == digest_document(there.document())
    assert str(tmp_path) not in str(here.document())


def test_independent_rows_are_declared_and_not_assumed(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet
) -> None:
    plan = build(spec(tmp_path, SPEC.replace("cluster: day", "rows: independent")), engine.evaluate, policies.digest)
    assert plan.independent_rows
    assert plan.parameters.cluster is None


@pytest.mark.parametrize(
    ("said", "cluster", "by"),
    [("", "at", "day"), ("rows: independent\n", None, None), ("cluster: user\n", "user", None)],
)
def test_a_time_key_makes_clusters_of_days(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet, said: str, cluster: str | None, by: str | None
) -> None:
    timed = SPEC.replace("key: [id]}", "key: [id], time: at}").replace("cluster: day\n", said)
    plan = build(spec(tmp_path, timed), engine.evaluate, policies.digest)
    assert (plan.parameters.cluster, plan.parameters.cluster_by) == (cluster, by)
    untimed = build(spec(tmp_path, SPEC.replace("cluster: day\n", "")), engine.evaluate, policies.digest)
    assert (untimed.parameters.cluster, untimed.parameters.cluster_by) == (None, None)


def test_the_policys_key_goes_before_days(tmp_path: Path, policies: PolicySet) -> None:
    facts = tmp_path / "policies" / "models" / "flights" / "data.yaml"
    facts.parent.mkdir(parents=True)
    facts.write_text("cluster: user\n")
    timed = SPEC.replace("key: [id]}", "key: [id], time: at}").replace("cluster: day\n", "")
    with EmbeddedEngine(PolicySet.load(tmp_path / "policies", None)) as engine:
        plan = build(spec(tmp_path, timed), engine.evaluate, policies.digest)
    assert (plan.parameters.cluster, plan.parameters.cluster_by) == ("user", None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[production]", "[prodution]", 'extra.0.environments: no environment "prodution"; did you mean "production"?'),
        ("rollout: {production", "rollout: {stagin", 'rollout: no environment "stagin"; did you mean "staging"?'),
    ],
)
def test_a_mistyped_rung_does_not_drop_a_wish_in_silence(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet, old: str, new: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        build(spec(tmp_path, SPEC.replace(old, new)), engine.evaluate, policies.digest)
    assert message in str(caught.value)


def test_a_backfill_leaves_no_feature_of_the_models_signature_out(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet
) -> None:
    window = "from: '2020-01-01T00:00:00Z', to: '2020-01-03T00:00:00Z'"
    text = SPEC.replace("tables:\n", "tables:\n  live: {uri: l.parquet}\n  shadow: {uri: s.parquet}\n")
    rewritten = spec(tmp_path, f"{text}backfill: {{partition: day, {window}, written: [note, z]}}\n")
    assert build(rewritten, engine.evaluate, policies.digest, features=("x",)).backfill is not None
    with pytest.raises(UsageError, match='backfill: written: "z" has a part to play, and is compared'):
        build(rewritten, engine.evaluate, policies.digest, features=("x", "z"))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"tier": "high"},
        {"tier": "none", "requirements": [], "not_applicable": [], "parameters": {}},
        {"tier": "high", "requirements": [{"check": "a.b"}], "not_applicable": [], "parameters": {}},
        {"tier": "high", "requirements": None, "not_applicable": [], "parameters": {}},
        {"tier": "high", "requirements": [], "not_applicable": [], "parameters": {"bins": float("nan")}},
        {"tier": "high", "requirements": [], "not_applicable": [], "parameters": []},
    ],
)
def test_an_answer_that_is_no_plan_is_an_engine_error(tmp_path: Path, policies: PolicySet, answer: Any) -> None:
    with pytest.raises(EngineError) as caught:
        build(spec(tmp_path), lambda *_: answer, policies.digest)
    assert (caught.value.exit_code, caught.value.code) == (4, "plan.invalid")


def test_the_built_in_plan_asks_what_the_file_can_answer(engine: EmbeddedEngine, policies: PolicySet) -> None:
    def checks(*, champion: bool) -> set[str]:
        plan = builtin_plan(
            engine.evaluate,
            policies.digest,
            tables=[Table(role="predictions", uri="p.csv")],
            columns=Columns(label="y", score="p"),
            has_champion=champion,
            basis={"label": "y"},
        )
        assert plan.built_in
        assert plan.environments == ("development",)
        return {requirement.check for requirement in plan.requirements}

    alone, versus = checks(champion=False), checks(champion=True)
    assert {"calibration.ece", "calibration.bin", "regression.brier_vs_baseline"} <= alone
    assert {check.split(".")[0] for check in alone} == {"calibration", "regression"}
    assert versus - alone == {
        "regression.auc_vs_champion",
        "regression.brier_vs_champion",
        "regression.log_loss_vs_champion",
    }


def test_pull_requests_may_be_measured_on_another_holdout(
    tmp_path: Path, engine: EmbeddedEngine, policies: PolicySet
) -> None:
    text = SPEC.replace("rollout:", "  pull_request: {uri: a/look-at-this.parquet}\nrollout:")
    for pull_request, uri in ((False, "a/holdout.parquet"), (True, "a/look-at-this.parquet")):
        plan = build(spec(tmp_path, text), engine.evaluate, policies.digest, pull_request=pull_request)
        assert [table.uri for table in plan.tables if table.role == "holdout"] == [uri]
        assert plan.document().get("pull_request", False) is pull_request
    project = Project(spec(tmp_path, text), {"GITHUB_EVENT_NAME": "pull_request"})
    assert of_pull_request(project, asked=False)
    assert not of_pull_request(Project(spec(tmp_path, text), {}), asked=False)
    with pytest.raises(UsageError) as caught:
        of_pull_request(Project(spec(tmp_path), {}), asked=True)
    assert caught.value.code == "spec.pull_request_missing"
