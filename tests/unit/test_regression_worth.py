"""What decisions cost and pay: sums written out by row, paired, with and without a payoff of the row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_regression_gate import limits, measure, one, plan, sample

from gates.records import Reason
from gates.records.plan import Outcomes

COST = Outcomes(true_positive=1, false_positive=2, false_negative=25, true_negative=0)


def by_row(frame: pd.DataFrame, score: str, matrix: Outcomes) -> np.ndarray[Any, Any]:
    said, y = frame[score] >= 0.5, frame.y == 1
    table = {
        (True, True): matrix.true_positive,
        (True, False): matrix.false_positive,
        (False, True): matrix.false_negative,
        (False, False): matrix.true_negative,
    }
    return np.array([table[pair] for pair in zip(said, y, strict=True)])


def test_cost_is_that_of_the_rows_and_its_difference_is_paired() -> None:
    frame = sample(1_000)
    found = measure(frame, plan(cost=COST))
    a, b = by_row(frame, "p", COST), by_row(frame, "q", COST)
    assert one(found, "cost", "candidate").estimate == pytest.approx(1_000 * a.mean(), rel=1e-9)
    assert one(found, "cost", "champion").estimate == pytest.approx(1_000 * b.mean(), rel=1e-9)
    pair = one(found, "cost_vs_champion", "pair")
    assert pair.estimate == pytest.approx(1_000 * (a - b).mean(), rel=1e-9)
    assert pair.unit == "per_1000_decisions"
    # A row never seen may be decided otherwise by one of them: at worst an event that is missed, 24 dearer.
    z, step = stats.norm.ppf(0.95), -math.log(0.05) * 24 / 1_000 / 2
    half = step + math.hypot(z * (a - b).std(ddof=1) / math.sqrt(1_000), step)
    assert limits(pair)[1] - pair.estimate == pytest.approx(1_000 * half, rel=1e-9)


@pytest.mark.parametrize("clustered", [False, True])
def test_value_is_the_sum_of_the_rows_payoffs(clustered: bool) -> None:
    frame = sample(800)
    payoff = np.random.default_rng(1).lognormal(9, 1.5, 800)
    given = frame.assign(payoff=payoff, **({"cluster": [f"d{i % 20}" for i in range(800)]} if clustered else {}))
    matrix = Outcomes(true_positive=1, false_positive=-0.1, false_negative=-1, true_negative=0)
    found = measure(given, plan(payoff=matrix, cost=COST))
    a, b = by_row(frame, "p", matrix) * payoff, by_row(frame, "q", matrix) * payoff
    assert one(found, "value", "candidate").estimate == pytest.approx(a.sum(), rel=1e-9)
    pair = one(found, "value_vs_champion", "pair")
    assert pair.estimate == pytest.approx((a - b).sum(), rel=1e-9)
    assert one(found, "cost", "candidate").estimate == pytest.approx(1_000 * by_row(frame, "p", COST).mean(), rel=1e-9)
    d = a - b
    z, variance, rows = stats.t.ppf(0.95, 19 if clustered else 799), d.var(ddof=1) / 800, 800.0
    if clustered:
        off = np.bincount(np.arange(800) % 20, weights=d - d.mean())
        variance = max(variance, float(off @ off) * 20 / 19 / 800**2)
        seen, share = d.var(ddof=1) / variance, min(1.0, d.var(ddof=1) / (2 * payoff.max()) ** 2)
        rows = (seen * share + 1) / (share + 1 / 20)
    step = max(z**2, -math.log(0.05)) * 2 * payoff.max() / rows / 2
    half = step + math.hypot(z * math.sqrt(variance), step)
    assert pair.estimate is not None
    assert limits(pair)[0] == pytest.approx(pair.estimate - 800 * half, rel=1e-6, abs=1e-6)


def test_a_model_that_saves_money_costs_less_and_is_worth_more() -> None:
    frame = sample(3_000)
    found = measure(
        frame.assign(q=0.0),
        plan(cost=COST, payoff=Outcomes(**{name: -value for name, value in COST.model_dump().items()})),
    )
    assert limits(one(found, "cost_vs_champion", "pair"))[1] < 0
    assert limits(one(found, "value_vs_champion", "pair"))[0] > 0
    assert one(found, "value", "candidate").estimate == pytest.approx(-3 * one(found, "cost", "candidate").estimate)


def test_without_a_matrix_nothing_is_worth_anything() -> None:
    found = measure(sample(100))
    for check, subject in (("cost", "candidate"), ("cost_vs_champion", "pair"), ("value_vs_champion", "pair")):
        assert one(found, check, subject).reason is Reason.NOT_PROVIDED
