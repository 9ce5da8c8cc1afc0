"""What stands beside the holdout's figures: the gold table's, the times of calls, and an anchor that stops slow erosion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from test_regression_gate import limits, one, plan, sample

from gates.inputs.opened import Latency
from gates.measure.interface import Findings, Given, Scored
from gates.measure.regression import RegressionGate
from gates.records import Plan, Reason, Requirement


def scored(frame: pd.DataFrame) -> Scored:
    return Scored(ibis.memtable(frame), len(frame), "q" in frame, "cluster" in frame, "scored")


def asking(*checks: str, **parameters: Any) -> Plan:
    required = tuple(Requirement(environment="production", check=f"regression.{c}", role="prove") for c in checks)
    return plan(**parameters).model_copy(update={"requirements": required})


def measure(asked: Plan, **more: Any) -> Findings:
    given = Given(asked, {}, scored(sample(300, slice_0=["a"] * 300)), None)
    return RegressionGate().measure(replace(given, **more))


class TestGold:
    def test_figures_are_those_of_the_gold_rows(self) -> None:
        gold = sample(700, seed=9).drop(columns="q")
        found = measure(plan(slices=("s",)), gold=scored(gold))
        assert one(found, "gold_auc", "candidate").estimate == pytest.approx(roc_auc_score(gold.y, gold.p), abs=1e-12)
        brier = one(found, "gold_brier", "candidate")
        assert brier.estimate == pytest.approx(brier_score_loss(gold.y, gold.p), rel=1e-9)
        assert (brier.n, brier.predictions, brier.slice.kind) == (700, "scored", "whole")
        assert one(found, "auc", "candidate").n == 300

    def test_gold_is_measured_where_the_holdout_is_not(self) -> None:
        found = measure(plan(), scored=Reason.SCORER_FAILED, gold=scored(sample(700)))
        assert one(found, "gold_auc", "candidate").reason is None
        assert one(found, "auc", "candidate").reason is Reason.SCORER_FAILED

    def test_without_one_only_what_is_asked_says_why(self) -> None:
        assert not [m for m in measure(plan()).measurements if "gold" in m.check]
        found = [m for m in measure(asking("gold_auc")).measurements if "gold" in m.check]
        assert [(m.check, m.reason) for m in found] == [("regression.gold_auc", Reason.NOT_PROVIDED)]


class TestLatency:
    def times(self, ratio: float, n: int = 400) -> Latency:
        rng = np.random.default_rng(1)
        a, b = (0.01 * rng.lognormal(0, 0.2, n) for _ in range(2))
        return Latency(ratio * a, b, shared_runner=True)

    def test_a_slower_candidate_is_slower(self) -> None:
        found = [
            m for m in measure(plan(), latency=self.times(1.5)).measurements if m.check.endswith("latency_vs_champion")
        ]
        assert [str(m.item.name) for m in found if m.item] == ["median", "p95"]
        assert limits(found[0])[0] > 1.4
        assert limits(found[0])[1] < 1.6
        assert {p.name: p.value for p in found[0].params} == {"shared_runner": True}

    def test_what_is_missing_is_a_reason(self) -> None:
        assert not [m for m in measure(plan()).measurements if "latency" in m.check]
        found = [m for m in measure(asking("latency_vs_champion")).measurements if "latency" in m.check]
        assert {m.reason for m in found} == {Reason.NOT_PROVIDED}
        times = self.times(1.0)
        alone = Latency(times.candidate, np.zeros(0), shared_runner=False)
        reasons = {m.check: m.reason for m in measure(plan(), latency=alone).measurements if "latency" in m.check}
        assert reasons == {"regression.latency": None, "regression.latency_vs_champion": Reason.NO_CHAMPION}
        lost = Latency(times.candidate * np.nan, times.champion, shared_runner=False)
        reasons = {m.check: m.reason for m in measure(plan(), latency=lost).measurements if "latency" in m.check}
        assert set(reasons.values()) == {Reason.NAN_SCORES}


def test_ten_small_losses_in_a_row_are_stopped_by_the_anchor() -> None:
    """Each release is .002 of AUC worse than the last (50,000 rows, margin .01): each passes against its champion, and
    the comparison with the anchor, within two margins, stops the chain.
    """
    rng, margin = np.random.default_rng(4), 0.01
    x = rng.normal(-0.5, 1.5, 50_000)
    y = (rng.random(50_000) < 1 / (1 + np.exp(-x))).astype(float)
    noise = rng.normal(size=50_000)
    spreads = np.linspace(0, 1.2, 25)
    areas = np.array([roc_auc_score(y, x + spread * noise) for spread in spreads])

    def release(step: int) -> np.ndarray[Any, Any]:
        spread = np.interp(-(areas[0] - 0.002 * step), -areas, spreads)
        return np.asarray(1 / (1 + np.exp(-(x + spread * noise))))

    passed, held = [], []
    for step in (1, 5, 12):
        frame = pd.DataFrame({"y": y, "p": release(step), "q": release(step - 1), "anchor": release(0)})
        found = RegressionGate().measure(Given(plan(), {}, scored(frame), None))
        against = one(found, "auc_vs_champion", "pair")
        assert against.estimate == pytest.approx(-0.002, abs=0.0005)
        passed.append(limits(against)[0] >= -margin)
        held.append(limits(one(found, "auc_vs_anchor", "pair"))[0] >= -2 * margin)
    assert passed == [True, True, True]
    assert held == [True, True, False]
