"""Means of own values: Student's formula, the largest seen or declared step, and coverage in worlds with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from worlds import freedom_of, unseen_of

from gates.measure.own import Sums, Values
from gates.measure.stats.averages import Total, average
from gates.measure.stats.figure import Figure
from gates.records import LADDER, Reason

Draw = Callable[[np.random.Generator, int], Any]


def figure(found: Figure | Reason) -> Figure:
    assert isinstance(found, Figure)
    return found


def beyond(t: float, rung: float, error: float, step: float) -> float:
    """Student's half-width and half of the rule of three, in quadrature, beyond the other half of it."""
    half = max(t**2, -np.log(1 - rung)) * step / 2
    return float(half + np.hypot(t * error, half))


def test_sums_are_student_with_one_more_deviation() -> None:
    values = np.random.default_rng(1).normal(7, 2, 40)
    found = figure(Sums(values.sum(), values @ values, 40).figure(8))
    error, step = values.std(ddof=1) / np.sqrt(40), values.std()
    for i, rung in enumerate(LADDER):
        t = stats.t.ppf(rung, 39)
        half = beyond(t, rung, error, step / 40)
        assert found.upper[i] == pytest.approx(values.mean() + half, abs=1e-9)
        assert found.lower[i] == pytest.approx(values.mean() - half, abs=1e-9)


def test_rows_know_the_farthest_value_and_a_range_is_farther_still() -> None:
    values = np.random.default_rng(2).exponential(1, 50)
    t, error = stats.t.ppf(0.99, 49), values.std(ddof=1) / np.sqrt(50)
    found = figure(Values(values).figure(8))
    away = values - values.mean()
    step = away.max() * (1 + 3 * (away**4).sum() / (away**2).sum() ** 2)
    assert found.upper[2] - values.mean() == pytest.approx(beyond(t, 0.99, error, step / 50))
    ranged = figure(Values(values, range=(0, 20)).figure(8))
    assert ranged.upper[2] - values.mean() == pytest.approx(np.hypot(t * error, t**2 * 20 / 50))
    assert np.all(ranged.lower >= 0)


def test_clusters_are_the_variance_of_leaving_them_out() -> None:
    rng = np.random.default_rng(3)
    cluster = rng.integers(0, 12, 400)
    values = rng.normal(0, 1, 12)[cluster] + rng.normal(0, 1, 400)
    found = figure(Values(values, cluster).figure(8))
    left_out = [values[cluster != c].mean() for c in range(12)]
    error = np.sqrt(11 / 12 * np.square(np.array(left_out) - values.mean()).sum())
    t = stats.t.ppf(0.95, freedom_of(cluster))
    sums = np.array([(values[cluster == c] - values.mean()).sum() for c in range(12)])
    farthest = abs(sums).max() * (1 + 3 * (sums**4).sum() / (sums**2).sum() ** 2)
    half = beyond(t, 0.95, error, farthest / 400)
    assert found.clusters == 12
    assert found.upper[0] - values.mean() == pytest.approx(half)
    within = figure(Values(values, cluster, range=(-9, 9)).figure(8))
    seen = 400 * min(1, values.var() / 399 / error**2)
    unseen = unseen_of(cluster, seen, values.var() / 18**2)
    assert within.upper[0] - values.mean() == pytest.approx(np.hypot(t * error, t**2 * 18 / unseen))


@pytest.mark.parametrize("offset", [0.0, 1e6, -1e12])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e150])
def test_bounds_move_and_stretch_with_the_values(offset: float, scale: float) -> None:
    values = np.random.default_rng(4).normal(0, 1, 60)
    plain = figure(Values(values).figure(8))
    moved = figure(Values(values * scale + offset * scale).figure(8))
    assert (moved.upper - offset * scale) / scale == pytest.approx(plain.upper, abs=1e-3 if offset else 1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e8, 7])
def test_values_that_are_all_the_same_set_no_bound_without_a_range(value: float) -> None:
    rows = np.full(30, value)
    for found in (Sums(rows.sum(), rows @ rows, 30), Values(np.where(rows == 0, 0.5, rows))):
        assert np.all(np.isinf(figure(found.figure(8)).upper))
    ranged = figure(Sums(rows.sum(), rows @ rows, 30, range=(value - 1, value + 9)).figure(8))
    assert ranged.upper[0] == pytest.approx(value + stats.t.ppf(0.95, 29) ** 2 * 10 / 30)


def test_one_row_no_row_few_clusters() -> None:
    assert np.all(np.isinf(figure(Values([0.5]).figure(8)).upper))
    assert Values([]).figure(8) is Reason.EMPTY_TABLE
    assert Sums(0, 0, 0).figure(8) is Reason.EMPTY_TABLE
    assert Values([0.5, 0.6], ["a", "b"]).figure(8) is Reason.FEW_CLUSTERS
    cells = Total(np.ones(8), np.arange(8.0), 140.0, clustered=True)
    assert figure(average(cells, minimum_clusters=8)).clusters == 8


WORLDS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda rng, n: rng.normal(5, 1, n), 5.0),
    "exponential": (lambda rng, n: rng.exponential(1, n), 1.0),
    "lognormal": (lambda rng, n: rng.lognormal(0, 1, n), float(np.exp(0.5))),
    "few costs": (lambda rng, n: (rng.random(n) < 0.02) * 10 * rng.exponential(1, n), 0.2),
    "costs": (lambda rng, n: (rng.random(n) < 0.02) * rng.exponential(1, n), 0.02),
}


@pytest.mark.parametrize(
    ("world", "n", "of_sums", "of_values"),
    [
        ("normal", 30, 0.05, 0.05),
        ("exponential", 30, 0.07, 0.05),
        ("exponential", 1_000, 0.05, 0.05),
        ("lognormal", 30, 0.135, 0.05),
        ("lognormal", 1_000, 0.075, 0.05),
        ("costs", 100, 0.21, 0.05),
        ("few costs", 300, 0.35, 0.05),
    ],
)
def test_how_often_the_upper_bound_misses(world: str, n: int, of_sums: float, of_values: float) -> None:
    rng, runs, missed = np.random.default_rng(n), 600, np.zeros(4)
    draw, truth = WORLDS[world]
    for _ in range(runs):
        values = draw(rng, n)
        sums = figure(Sums(values.sum(), values @ values, n).figure(8))
        rows = figure(Values(values, range=None if np.ptp(values) else (0, 1)).figure(8))
        missed += [sums.upper[0] < truth, rows.upper[0] < truth, sums.lower[0] > truth, rows.lower[0] > truth]
    promised = np.array([of_sums, of_values, 0.05, 0.05])
    assert np.all(missed / runs <= promised + 3 * np.sqrt(promised * (1 - promised) / runs)), missed / runs


def test_a_declared_range_holds_even_for_rare_costs() -> None:
    rng, runs = np.random.default_rng(5), 600
    draw, truth = WORLDS["costs"]
    found = [figure(Values(np.minimum(draw(rng, 100), 6), range=(0, 6)).figure(8)) for _ in range(runs)]
    assert np.mean([one.upper[0] < truth for one in found]) == 0


def test_bounds_of_clustered_values_hold() -> None:
    rng, runs, missed = np.random.default_rng(6), 400, np.zeros(2)
    for _ in range(runs):
        cluster = rng.integers(0, 15, 300)
        found = figure(Values(rng.normal(0, 0.5, 15)[cluster] + rng.normal(0, 1, 300), cluster).figure(8))
        missed += [found.upper[0] < 0, found.lower[0] > 0]
    assert np.all(missed / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)), missed / runs
