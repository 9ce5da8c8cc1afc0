"""Differences of two tables without keys: scipy and statsmodels for the points, simulations for the coverage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from gates.measure.stats.figure import RUNGS, Figure
from gates.measure.stats.proportions import proportion
from gates.measure.stats.shift import Estimate, Powers, largest, mean_difference, share_difference, variance_ratio
from gates.records import Reason

Floats = npt.NDArray[np.float64]
ENOUGH = {"fewest": 50, "minimum_clusters": 8}


def powers(x: Floats, cluster: Floats | None = None) -> Powers:
    if cluster is None:
        return Powers(np.array([float(x.size)]), np.array([[(x**power).sum()] for power in range(1, 5)]))
    codes = np.unique(cluster, return_inverse=True)[1]
    sums = [np.bincount(codes, weights=x**power) for power in range(1, 5)]
    return Powers(np.bincount(codes).astype(float), np.array(sums), np.arange(codes.max() + 1))


def test_points_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.gamma(2, 1, 500), rng.gamma(3, 1, 700)
    found = mean_difference(powers(a), powers(b), **ENOUGH)
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx((b.mean() - a.mean()) / np.sqrt((a.var() + b.var()) / 2), rel=1e-12)
    ratio = variance_ratio(powers(a), powers(b), **ENOUGH)
    assert isinstance(ratio, Figure)
    assert ratio.estimate == pytest.approx(b.var() / a.var(), rel=1e-12)
    assert variance_ratio(powers(a).scaled(0.25), powers(b).scaled(0.25), **ENOUGH).estimate == pytest.approx(  # type: ignore[union-attr]
        ratio.estimate, rel=1e-12
    )


def test_errors_are_those_of_the_bootstrap() -> None:
    """An independent way to the same spread: resampled rows."""
    rng = np.random.default_rng(2)
    a, b = rng.exponential(1, 400), rng.normal(1.5, 0.7, 600)
    drawn = []
    for _ in range(2_000):
        x, y = rng.choice(a, a.size), rng.choice(b, b.size)
        drawn.append(((y.mean() - x.mean()) / np.sqrt((x.var() + y.var()) / 2), np.log(y.var() / x.var())))
    spread = np.std(drawn, axis=0)
    smd = mean_difference(powers(a), powers(b), **ENOUGH)
    ratio = variance_ratio(powers(a), powers(b), **ENOUGH)
    assert isinstance(smd, Estimate)
    assert isinstance(ratio, Figure)
    error = np.log(ratio.upper[0] / ratio.estimate) / stats.norm.ppf(0.95)
    # the standard deviation of 2,000 draws is known to 1.6 %, so to 5 % at 3 standard errors
    assert [smd.error, error] == pytest.approx(spread.tolist(), rel=0.07)


def world(name: str, rng: np.random.Generator, n: int) -> Floats:
    draws = {"normal": rng.normal, "skewed": rng.exponential, "heavy": lambda size: rng.standard_t(6, size)}
    return draws[name](size=n)


@pytest.mark.long
@pytest.mark.parametrize("name", ["normal", "skewed", "heavy"])
def test_limits_hold_as_often_as_they_say(name: str) -> None:
    rng = np.random.default_rng(3)
    runs, misses = 1_500, np.zeros(4)
    for _ in range(runs):
        a, b = powers(world(name, rng, 600)), powers(1.0 + 1.2 * world(name, rng, 400))
        moments = {"normal": (0, 1), "skewed": (1, 1), "heavy": (0, 1.5)}[name]
        truth = (1.0 + 0.2 * moments[0]) / np.sqrt(moments[1] * (1 + 1.44) / 2), 1.44
        smd, ratio = mean_difference(a, b, **ENOUGH), variance_ratio(a, b, **ENOUGH)
        assert isinstance(smd, Estimate)
        assert isinstance(ratio, Figure)
        low, high = smd.limits(RUNGS[:1])
        misses += [low[0] > truth[0], high[0] < truth[0], ratio.lower[0] > truth[1], ratio.upper[0] < truth[1]]
    slack = 3 * np.sqrt(0.05 * 0.95 / runs)
    # a variance of few heavy tails is known less well than the delta method says
    assert (misses / runs <= 0.05 + slack + np.array([0, 0, 0.03, 0.03])).all(), misses / runs


def test_clusters_widen_and_hold() -> None:
    rng = np.random.default_rng(4)
    runs, misses, plain = 600, np.zeros(2), np.zeros(2)
    user = np.repeat(np.arange(40), 10).astype(float)
    for _ in range(runs):
        a, b = (rng.normal(size=400) + np.repeat(rng.normal(size=40), 10) for _ in range(2))
        for found, count in ((powers(a, user), misses), (powers(a), plain)):
            other = powers(b, user) if found.cluster is not None else powers(b)
            smd = mean_difference(found, other, **ENOUGH)
            assert isinstance(smd, Estimate)
            low, high = smd.limits(RUNGS[:1])
            count += [low[0] > 0, high[0] < 0]
    slack = 3 * np.sqrt(0.05 * 0.95 / runs)
    assert (misses / runs <= 0.05 + slack).all()
    assert (plain / runs > 0.15).all(), "rows that hang together are not that many rows"


def test_a_difference_of_shares_is_newcombes_on_exact_limits() -> None:
    def exact(hits: int, n: int) -> Figure:
        lower, upper = proportion(hits / n, n)
        return Figure(hits / n, lower, upper, n)

    found = share_difference(exact(56, 70), exact(48, 80))
    for rung, (low, high) in enumerate(zip(found.lower, found.upper, strict=True)):
        alpha = 1 - RUNGS[rung]
        l1, u1 = stats.beta.ppf(alpha, 56, 15), stats.beta.ppf(1 - alpha, 57, 14)
        l2, u2 = stats.beta.ppf(alpha, 48, 33), stats.beta.ppf(1 - alpha, 49, 32)
        p1, p2 = 0.8, 0.6
        assert low == pytest.approx(p2 - p1 - np.sqrt((p2 - l2) ** 2 + (u1 - p1) ** 2), rel=1e-9)
        assert high == pytest.approx(p2 - p1 + np.sqrt((u2 - p2) ** 2 + (p1 - l1) ** 2), rel=1e-9)


def test_a_difference_of_shares_holds_at_rare_events() -> None:
    rng = np.random.default_rng(6)
    misses, runs, bounds = np.zeros(2), 2_000, {}
    for hits_a, hits_b in zip(rng.binomial(300, 0.01, runs), rng.binomial(200, 0.03, runs), strict=True):
        if (hits_a, hits_b) not in bounds:
            sides = [Figure(h / n, *proportion(h / n, n), n) for h, n in ((hits_a, 300), (hits_b, 200))]
            bounds[hits_a, hits_b] = share_difference(*sides)
        found = bounds[hits_a, hits_b]
        misses += [found.lower[0] > 0.02, found.upper[0] < 0.02]
    assert (misses / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)).all()


def test_the_largest_of_equal_parts_is_not_proven_to_differ() -> None:
    rng = np.random.default_rng(7)
    misses, runs = 0, 400
    for _ in range(runs):
        parts = [Estimate(float(rng.normal(0.2, 0.1)), 0.1, 100, None) for _ in range(16)]
        found = largest(parts)
        assert found.upper[0] >= found.estimate >= found.lower[0] >= 0
        misses += found.lower[0] > 0.2
        assert found.upper[0] > 0.2
    assert misses / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_what_has_no_spread_or_too_few_values() -> None:
    one, two, some = powers(np.full(60, 1.0)), powers(np.full(60, 2.0)), powers(np.arange(60.0))
    assert mean_difference(one, two, **ENOUGH) is Reason.NO_SPREAD
    assert variance_ratio(one, some, **ENOUGH) is Reason.NO_SPREAD
    assert variance_ratio(some, one, **ENOUGH) is Reason.NO_SPREAD
    same = mean_difference(one, one, **ENOUGH)
    assert isinstance(same, Estimate)
    assert (same.value, same.error) == (0.0, 0.0)
    assert variance_ratio(one, two, **ENOUGH).estimate == 1.0  # type: ignore[union-attr]
    assert mean_difference(powers(np.arange(49.0)), some, **ENOUGH) is Reason.FEW_EVENTS
    few = powers(np.arange(70.0), np.repeat(np.arange(7.0), 10))
    assert mean_difference(few, some, **ENOUGH) is Reason.FEW_CLUSTERS
