"""Spiegelhalter's Z against MAPIE and loops over rows, and how often it refutes models that are right, or nearly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mapie.metrics.calibration import spiegelhalter_p_value, spiegelhalter_statistic
from scipy import stats
from worlds import (
    Floats,
    Ints,
    calibrated,
    cells_of,
    freedom_of,
    lifts_of,
    logistic,
    logits,
    outcomes,
    slope_of,
    stretched,
)

from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.spiegelhalter import spiegelhalter
from gates.records import LADDER, Reason

LEAST: Any = {"minimum_clusters": 8}


def own(p: Floats) -> float:
    return float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())


def z_of(p: Floats, y: Floats, cluster: Ints | None = None) -> Figure:
    found = spiegelhalter(cells_of(p, y, cluster), own(p), **LEAST)
    assert isinstance(found, Figure)
    return found


def days(rng: np.random.Generator, clusters: int, n: int, deviation: float) -> tuple[Floats, Floats, Ints]:
    """Rare events of clusters that share a shock on the logit: the score is calibrated over all clusters.

    Of balanced ones a shock cancels in Z, which counts what is too high below .5 against what is too high above.
    """
    x, cluster = logits(rng, "rare", n), rng.integers(0, clusters, n)
    rate = logistic(x + rng.normal(0, deviation, clusters)[cluster])
    return calibrated(x, deviation), outcomes(rng, rate), cluster


@pytest.mark.parametrize("world", ["bal", "rare"])
@pytest.mark.parametrize("slope", [0.6, 1.0, 1.5])
@pytest.mark.parametrize("n", [50, 2_000, 20_000])
def test_it_is_mapies(world: str, slope: float, n: int) -> None:
    rng = np.random.default_rng(n)
    x = logits(rng, world, n)
    p, y = stretched(x, slope, world), outcomes(rng, logistic(x))
    found = z_of(p, y)
    assert found.estimate == pytest.approx(spiegelhalter_statistic(y, p), abs=1e-9)
    assert (found.n, found.clusters) == (n, None)
    # MAPIE's p value is that of the upper side; both sides are bounds here, at each rung.
    p_value = spiegelhalter_p_value(y, p)
    assert list(found.lower > 0) == [p_value < 1 - rung for rung in LADDER]
    assert list(found.upper < 0) == [1 - p_value < 1 - rung for rung in LADDER]


def test_weights_count_once_above_and_twice_below() -> None:
    rng = np.random.default_rng(3)
    x = logits(rng, "bal", 700)
    p, y, w = stretched(x, 1.3, "bal"), outcomes(rng, logistic(x)), rng.gamma(0.5, 3.0, 700)

    def sums(v: Floats, squares: Cells | None) -> Cells:
        bins = np.zeros(p.size, dtype=np.int64)
        return Cells(bins, v, v * p, v * p * p, v * y, v * p * y, None, squares, np.ones_like(v))

    found = spiegelhalter(sums(w, sums(w * w, None)), own_weighted(p, w), **LEAST)
    above = below = 0.0
    for score, outcome, weight in zip(p, y, w, strict=True):
        above += weight * (outcome - score) * (1 - 2 * score)
        below += weight**2 * (1 - 2 * score) ** 2 * score * (1 - score)
    assert isinstance(found, Figure)
    assert found.estimate == pytest.approx(above / below**0.5, abs=1e-9)


def own_weighted(p: Floats, w: Floats) -> float:
    return float((w**2 * (1 - 2 * p) ** 2 * p * (1 - p)).sum())


@pytest.mark.parametrize("deviation", [0.0, 0.8])
def test_clusters_are_their_variance_where_it_is_the_larger(deviation: float) -> None:
    p, y, cluster = days(np.random.default_rng(2), 12, 900, deviation)
    found, terms = z_of(p, y, cluster), (y - p) * (1 - 2 * p)
    mean, lifts, by_cluster = terms.mean(), lifts_of(cluster), 0.0
    for name, lift in lifts.items():
        by_cluster += (lift * sum(term - mean for term, of in zip(terms, cluster, strict=True) if of == name)) ** 2
    error = max(by_cluster, own(p)) ** 0.5
    assert (by_cluster > own(p)) == (deviation > 0)
    assert found.estimate == pytest.approx(terms.sum() / error, abs=1e-9)
    assert found.upper - found.estimate == pytest.approx(stats.t.ppf(LADDER, freedom_of(cluster)), abs=1e-9)
    assert found.estimate - found.lower == pytest.approx(stats.t.ppf(LADDER, freedom_of(cluster)), abs=1e-9)
    assert found.clusters == 12


@pytest.mark.parametrize(
    ("p", "reason"),
    [
        ([], Reason.EMPTY_TABLE),
        ([0.0, 1.0, 0.5, 0.5], Reason.NO_SPREAD),
        ([1e-9, 1e-9, 0.5, 0.5], Reason.NO_SPREAD),
        ([0.0, 1.0, 0.5, 0.4], None),
    ],
)
def test_without_a_variance_there_is_a_reason(p: list[float], reason: Reason | None) -> None:
    score = np.array(p)
    found = spiegelhalter(cells_of(score, np.ones_like(score), edges=np.array([0.5])), own(score), **LEAST)
    assert (found if isinstance(found, Reason) else None) is reason


@pytest.mark.parametrize(("clusters", "reason"), [(7, Reason.FEW_CLUSTERS), (8, None)])
def test_few_clusters_are_a_reason(clusters: int, reason: Reason | None) -> None:
    p, y, _ = days(np.random.default_rng(6), 8, 800, 0.0)
    found = spiegelhalter(cells_of(p, y, np.arange(800) % clusters), own(p), **LEAST)
    assert (found if isinstance(found, Reason) else None) is reason


def about(promised: float, runs: int) -> Any:
    return pytest.approx(promised, abs=3 * (promised * (1 - promised) / runs) ** 0.5)


@pytest.mark.parametrize("world", ["bal", "rare"])
@pytest.mark.parametrize("n", [500, 5_000])
def test_a_calibrated_model_is_refuted_in_one_run_of_twenty(world: str, n: int) -> None:
    rng, runs = np.random.default_rng(n), 2_000
    beyond = 0
    for _ in range(runs):
        p = logistic(logits(rng, world, n))
        beyond += abs(z_of(p, outcomes(rng, p)).estimate) > 1.96
    assert beyond / runs == about(0.05, runs)


@pytest.mark.parametrize("clusters", [15, 40])
def test_so_is_one_whose_rows_come_in_clusters(clusters: int) -> None:
    """Rows taken as independent refute it several times as often."""
    rng, runs, beyond = np.random.default_rng(clusters), 1_500, np.zeros(2)
    for _ in range(runs):
        p, y, cluster = days(rng, clusters, 3_000, 0.5)
        found, plain = z_of(p, y, cluster), z_of(p, y)
        # The second rung on each side: .05 for both.
        beyond += [one.lower[1] > 0 or one.upper[1] < 0 for one in (found, plain)]
    assert beyond[0] / runs == about(0.05, runs)
    assert beyond[1] / runs > 0.15


def test_clusters_that_are_none_refute_no_more_often() -> None:
    rng, runs, beyond = np.random.default_rng(9), 1_500, 0
    for _ in range(runs):
        p, y, cluster = days(rng, 20, 2_000, 0.0)
        found = z_of(p, y, cluster)
        beyond += bool(found.lower[1] > 0 or found.upper[1] < 0)
    assert beyond / runs <= 0.05


def test_it_refutes_a_model_that_policies_accept_and_misses_a_bad_one() -> None:
    """Why it decides nothing: of true error .01 most tables are refuted; of true error .03, on the other side of it, few.

    The bad score is too high below .25 and above .75 and too low between, so that the squared errors are as expected.
    """
    rng, runs, n, slope = np.random.default_rng(10), 200, 10_000, slope_of(0.01, "bal")
    refuted, failed = np.zeros(2), np.zeros(2)
    for _ in range(runs):
        x = logits(rng, "bal", n)
        fine, y = stretched(x, slope, "bal"), outcomes(rng, logistic(x))
        low = rng.random(n) < 0.5
        bad = np.where(low, 0.2, 0.8)
        of_bad = outcomes(rng, bad + 0.03)
        for place, (p, seen) in enumerate(((fine, y), (bad, of_bad))):
            refuted[place] += abs(z_of(p, seen).estimate) > 1.96
            edges = np.array([0.5]) if place else None
            found = ece(cells_of(p, seen, edges=edges), **LEAST)
            assert isinstance(found, Figure)
            failed[place] += found.lower[0] > 0.02
    assert refuted[0] / runs > 0.6
    assert refuted[1] / runs < 0.1
    assert failed[0] == 0
    assert failed[1] / runs > 0.5
