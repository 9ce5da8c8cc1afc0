"""Two models of several classes that are equally bad are no regression; what the gold table shows denies them."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import numpy as np
import pandas as pd
import pytest
from simulators.policy_world import counted, golden, name_of, plan_of, plan_request, with_facts

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.measure.interface import Given, Scored
from gates.measure.regression import RegressionGate
from gates.records import Measurement, Plan, Reason

GOLD = "regression.gold_brier_vs_baseline"
FACTS = f"""tier: high
gold: {{digest: "{name_of("gold")}"}}
required: [{{check: {GOLD}}}]
"""
K = 6


def rows(n: int, seed: int, knowing: float) -> pd.DataFrame:
    """Rows of six classes, and what candidate, champion and anchor alike say of them."""
    rng = np.random.default_rng(seed)
    x = 2 * rng.normal(size=(n, K))
    said = np.exp(knowing * x + 0.3 * rng.normal(size=(n, K)))
    said /= said.sum(axis=1, keepdims=True)
    frame = pd.DataFrame({"y": (x + rng.gumbel(size=(n, K))).argmax(axis=1)})
    for model in ("p", "q", "anchor"):
        frame[[f"{model}_{k}" for k in range(K)]] = said
    return frame


def scored(frame: pd.DataFrame, *, champion: bool) -> Scored:
    names = tuple("abcdef")
    return Scored(ibis.memtable(frame), len(frame), champion, False, "scored", task="multiclass", classes=names)


def figures(plan: Plan, knowing: float, *, gold: bool = True) -> dict[str, Measurement]:
    there = scored(rows(4_000, 2, knowing), champion=False) if gold else Reason.NOT_PROVIDED
    given = Given(plan, {}, scored(rows(20_000, 1, knowing), champion=True), None, gold=there)
    found = RegressionGate().measure(given).measurements
    return {one.check: one for one in found if one.subject != "champion"}


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(with_facts(FACTS)) as engine:
        yield engine


@pytest.fixture(scope="module")
def plan(engine: EmbeddedEngine) -> Plan:
    asked = {word: value for word, value in plan_request(task="multiclass").items() if word != "cluster"}
    return Plan.parse(plan_of(engine.evaluate(PLAN, asked), task="multiclass"))


def denying(engine: EmbeddedEngine, plan: Plan, found: dict[str, Measurement]) -> set[str]:
    """The checks of the regression gate that deny; whatever else there is stays good."""
    document = golden("staging", plan.document(), with_facts(FACTS))
    [evidence] = [one for one in document["evidence"] if one["gate"] == "regression"]
    evidence["measurements"] = counted([one.document() for one in found.values()])
    results = engine.evaluate(DECISION, document)["results"]
    checks = {result["check"] for result in results if result["disposition"] == "denies"}
    return {check for check in checks if check.startswith("regression.")}


def test_one_that_is_as_bad_as_its_champion_is_denied(engine: EmbeddedEngine, plan: Plan) -> None:
    assert GOLD in {requirement.check for requirement in plan.requirements}
    bad = figures(plan, -0.2)
    assert bad["regression.brier_vs_champion"].estimate == 1
    assert denying(engine, plan, bad) == {GOLD, "regression.brier_vs_baseline"}
    good = figures(plan, 1.0)
    assert denying(engine, plan, good) == set()


def test_figures_are_those_of_the_gold_rows(plan: Plan) -> None:
    found = figures(plan, 1.0)
    frame = rows(4_000, 2, 1.0)
    hot, said = np.eye(K)[frame.y], frame[[f"p_{k}" for k in range(K)]].to_numpy()
    skill = ((said - hot) ** 2).sum() / ((hot.mean(axis=0) - hot) ** 2).sum()
    assert found[GOLD].estimate == pytest.approx(skill, rel=1e-9)
    assert found[GOLD].subject == "pair"
    assert {p.name: p.value for p in found[GOLD].params}["baseline"] == "class shares of the whole"
    assert found[GOLD].n == 4_000
    assert "regression.gold_log_loss_vs_baseline" not in found


def test_without_a_gold_table_it_says_so_and_denies(engine: EmbeddedEngine, plan: Plan) -> None:
    found = figures(plan, 1.0, gold=False)
    assert found[GOLD].reason is Reason.NOT_PROVIDED
    assert denying(engine, plan, found) == {GOLD}
