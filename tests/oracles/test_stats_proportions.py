"""Exact limits against scipy and statsmodels; Korn-Graubard against its formula written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from study.wilson import wilson
from worlds import cells_of, freedom_of

from gates.measure.stats.figure import Figure, quantiles
from gates.measure.stats.proportions import bin_gap, coverage, proportion
from gates.records import LADDER, Reason


@pytest.mark.parametrize("wilsons", [False, True])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 30), (1, 30), (17, 30), (30, 30), (9_001, 10_000)])
def test_limits_are_those_of_scipy_and_statsmodels(k: int, n: int, wilsons: bool) -> None:
    """Clopper-Pearson's, which are shipped, and Wilson's in the study."""
    lower, upper = wilson(k, n, quantiles(None)) if wilsons else proportion(k / n, n)
    for i, rung in enumerate(LADDER):
        # One-sided at the rung is two-sided at 2 rung - 1.
        theirs = stats.binomtest(k, n).proportion_ci(2 * rung - 1, method="wilson" if wilsons else "exact")
        assert lower[i] == pytest.approx(theirs.low, abs=1e-9)
        assert upper[i] == pytest.approx(theirs.high, abs=1e-9)
        low, high = proportion_confint(k, n, alpha=2 * (1 - rung), method="wilson" if wilsons else "beta")
        assert lower[i] == pytest.approx(low, abs=1e-9)
        assert upper[i] == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize(("n", "rate"), [(100, 0.001), (1_000, 0.001), (3_000, 0.01), (300, 0.98), (100, 0.97)])
def test_exact_limits_keep_their_word_at_every_rung_and_wilsons_do_not(n: int, rate: float) -> None:
    """By the binomial itself: the chance that a limit is on the wrong side of the rate."""
    chance = stats.binom.pmf(np.arange(n + 1), n, rate)
    left = 1 - np.array(LADDER)
    wrong = []
    for limits in (
        [proportion(k / n, n) for k in range(n + 1)],
        [wilson(k, n, quantiles(None)) for k in range(n + 1)],
    ):
        low, high = (np.array(side) for side in zip(*limits, strict=True))
        wrong.append(np.maximum(chance @ (low > rate + 1e-12), chance @ (high < rate - 1e-12)))
    exact, of_wilson = wrong
    assert np.all(exact <= left + 1e-12)
    assert of_wilson[0] > left[0]
    assert of_wilson[4] > 2 * left[4]


def test_a_bin_is_its_rate_less_its_mean_score() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4])
    found = bin_gap(cells_of(p, np.array([0.0, 1.0, 0.0, 1.0])), minimum_clusters=8)
    assert isinstance(found, Figure)
    theirs = stats.binomtest(2, 4).proportion_ci(0.9, method="exact")
    assert found.estimate == pytest.approx(0.25)
    assert found.lower[0] == pytest.approx(theirs.low - 0.25)
    assert found.upper[0] == pytest.approx(theirs.high - 0.25)


def test_korn_graubard_written_out() -> None:
    rng = np.random.default_rng(6)
    cluster = rng.integers(0, 15, 600)
    covered = (rng.random(600) < rng.beta(18, 2, 15)[cluster]).astype(float)
    k, n = np.bincount(cluster, weights=covered), np.bincount(cluster).astype(float)
    found = coverage(k, n, np.arange(15), minimum_clusters=8)
    assert isinstance(found, Figure)
    rate = covered.mean()
    variance = 14 / 15 * sum((covered[cluster != g].mean() - rate) ** 2 for g in range(15))
    effect = max(1, variance / (rate * (1 - rate) / 600))
    assert effect > 1.5
    seen, number = 600 / effect, 600**2 / sum(n**2)
    # A mean of what each independent miss (hit) says that a row is worth, and of what one more, never seen, says.
    above, below = (1 / np.average([1 / seen, 1 / number], weights=[seen * s, 1]) for s in (rate, 1 - rate))
    assert number < below < above < seen
    for i, rung in enumerate(LADDER):
        low, high = (n * (stats.norm.ppf(rung) / stats.t.ppf(rung, freedom_of(cluster))) ** 2 for n in (below, above))
        assert found.lower[i] == pytest.approx(stats.beta.ppf(1 - rung, rate * low, (1 - rate) * low + 1), rel=1e-9)
        assert found.upper[i] == pytest.approx(stats.beta.ppf(rung, rate * high + 1, (1 - rate) * high), rel=1e-9)


@pytest.mark.parametrize("each", [1, 10, 100])
def test_rows_of_a_cluster_that_all_say_the_same_are_one_row(each: int) -> None:
    once = coverage(np.zeros(30), np.ones(30), np.arange(30), minimum_clusters=8)
    often = coverage(np.zeros(30), np.full(30, float(each)), np.arange(30), minimum_clusters=8)
    assert isinstance(once, Figure)
    assert isinstance(often, Figure)
    assert often.upper == pytest.approx(once.upper)
    assert often.upper[0] > 0.09


def test_a_cluster_for_each_row_is_hardly_wider_than_independent_rows() -> None:
    covered = np.r_[np.ones(900), np.zeros(100)]
    clustered = coverage(covered, np.ones(1_000), np.arange(1_000), minimum_clusters=8)
    independent = coverage(covered, np.ones(1_000), None, minimum_clusters=8)
    assert isinstance(clustered, Figure)
    assert isinstance(independent, Figure)
    assert np.all(clustered.lower <= independent.lower)
    assert clustered.lower[:7] == pytest.approx(independent.lower[:7], abs=1e-3)
    assert clustered.lower == pytest.approx(independent.lower, abs=2e-3)


def test_few_clusters_and_no_rows_are_reasons() -> None:
    seven = np.arange(7)
    assert coverage(np.ones(7), np.ones(7), seven, minimum_clusters=8) is Reason.FEW_CLUSTERS
    assert isinstance(coverage(np.ones(8), np.ones(8), np.arange(8), minimum_clusters=8), Figure)
    assert coverage(np.zeros(0), np.zeros(0), None, minimum_clusters=8) is Reason.EMPTY_TABLE
    assert math.isclose(float(proportion(1.0, 1)[0][0]), 0.05)
