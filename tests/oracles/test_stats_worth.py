"""What decisions cost beside another model's: rare jumps by Poisson's law, and regions that no row is of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from worlds import decided

from gates.measure.regression.decisions import apart, worth_of
from gates.measure.regression.losses import CHAMPION
from gates.measure.stats.figure import RUNGS, Figure, quantiles, rare, three
from gates.measure.stats.means import mean_difference
from gates.measure.sums import Part
from gates.records.plan import Outcomes

DEAR = Outcomes(true_positive=-1, false_positive=20, false_negative=0, true_negative=0)
"""A yes to a non-event costs 20, a yes to an event saves 1, and no costs nothing."""
USUAL = Outcomes(true_positive=1, false_positive=2, false_negative=10, true_negative=0)


def difference(part: Part, matrix: Outcomes, dearest: float = 1.0) -> Figure:
    sums = worth_of(part, CHAMPION, matrix, dearest)
    found = mean_difference(sums, apart=apart(matrix) * dearest, minimum_clusters=8)
    assert isinstance(found, Figure)
    return found


@pytest.mark.parametrize("jumps", [0, 1, 2, 5, 20, 200])
def test_rare_jumps_reach_as_far_as_poisson_says(jumps: int) -> None:
    exact = stats.chi2.ppf(RUNGS, 2 * jumps + 2) / 2 - jumps
    found = rare(z := quantiles(None), math.sqrt(jumps), three(z))
    assert found[0] == pytest.approx(exact[0], abs=0.07)
    assert np.all(found[1:] >= exact[1:] - 0.02)
    assert np.all(found <= 1.65 * exact)


def test_two_decisions_of_a_row_differ_by_one_outcome_alone() -> None:
    assert (apart(DEAR), apart(USUAL)) == (20, 9)


@pytest.mark.parametrize(("gain", "region"), [(16, 1.0), (25, 1.5), (57, 2.9), (80, 4.2), (160, 8.3)])
def test_a_dearer_model_is_rarely_proven_no_dearer(gain: float, region: float) -> None:
    """It truly finds `gain` events more in 10,000 rows, and in a region of which `region` are expected it says yes to non-events."""
    rng, runs, wrong, below = np.random.default_rng(int(gain)), 800, 0, 0
    truth = (20 * region - gain) / 10_000
    assert truth > 0
    for _ in range(runs):
        both, more, bad = (int(rng.poisson(of)) for of in (60, gain, region))
        y, a, b = (np.zeros(10_000, dtype=np.int64) for _ in range(3))
        y[: both + more] = a[: both + more] = b[:both] = 1
        a[both + more : both + more + bad] = 1
        found = difference(decided(y, a, b), DEAR)
        wrong += bool(found.upper[0] <= 0)
        below += bool(found.upper[0] < truth)
    # .05 is promised; three Monte Carlo standard errors of 800 runs are .023.
    assert max(wrong, below) / runs <= 0.05 + 0.023


@pytest.mark.parametrize("largest", [False, True])
def test_a_region_of_large_payoffs_is_rarely_missed(largest: bool) -> None:
    """The candidate finds one event in a hundred more, and says yes to three non-events in a holdout: any, or of the dearest 1 %."""
    matrix, n, runs, wrong = (
        Outcomes(true_positive=1, false_positive=-3, false_negative=0, true_negative=0),
        4_000,
        400,
        0,
    )
    rng = np.random.default_rng(7)
    top = math.exp(stats.norm.isf(0.01))
    worth = math.exp(0.5) * (stats.norm.sf(stats.norm.isf(0.01) - 1) / 0.01 if largest else 1.0)
    truth = 0.1 * 0.01 * math.exp(0.5) - 3 * 3 / n * worth
    for _ in range(runs):
        payoff, y = rng.lognormal(0, 1, n), (rng.random(n) < 0.1).astype(np.int64)
        champion = y * (rng.random(n) < 0.6)
        pool = (y == 0) & ((payoff > top) | (not largest))
        bad = pool & (rng.random(n) < 3 / n / 0.9 / (0.01 if largest else 1.0))
        candidate = np.where(bad, 1, np.where((y == 1) & (rng.random(n) < 0.01 / 0.4), 1, champion))
        unit = 2.0 ** np.ceil(np.log2(payoff.max()))
        found = difference(decided(y, candidate, champion, payoff / unit), matrix, payoff.max() / unit)
        wrong += bool(found.lower[0] * unit > truth)
    # .05 is promised; three Monte Carlo standard errors of 400 runs are .033.
    assert wrong / runs <= 0.05 + 0.033


def test_customers_of_whom_none_was_seen_are_rarely_missed() -> None:
    rng, runs, wrong, owner = np.random.default_rng(8), 400, 0, np.repeat(np.arange(60), 50)
    for _ in range(runs):
        y = (rng.random(3_000) < 0.1).astype(np.int64)
        champion = y * (rng.random(3_000) < 0.7)
        bad = (rng.random(60) < 0.04)[owner]
        candidate = np.where(bad, 1, np.where((y == 1) & (rng.random(3_000) < 0.02), 1, champion))
        truth = 0.04 * (0.9 * 2 - 0.1 * 0.3 * 9) - 0.96 * 0.1 * 0.3 * 0.02 * 9
        wrong += bool(difference(decided(y, candidate, champion, cluster=owner), USUAL).upper[0] < truth)
    assert wrong / runs <= 0.05 + 0.033


def test_equal_decisions_are_proven_equal_within_the_rule_of_three() -> None:
    rng = np.random.default_rng(9)
    y, said = ((rng.random(10_000) < share).astype(np.int64) for share in (0.2, 0.3))
    found = difference(decided(y, said, said), USUAL)
    assert found.estimate == 0
    # 2.7 in 1,000 decisions: a margin of 3 is proven.
    assert found.upper[0] == -found.lower[0] == pytest.approx(-math.log(0.05) * 9 / 10_000)


def test_a_model_that_is_truly_cheaper_is_proven_to_be() -> None:
    """Of 10,000 rows 2 % are decided otherwise at random by either model, and one event in forty more is found."""
    rng, runs, proven = np.random.default_rng(10), 60, 0
    for _ in range(runs):
        y, u = (rng.random(10_000) < 0.2).astype(np.int64), rng.random(10_000)
        base = (u < np.where(y == 1, 0.7, 0.1)).astype(np.int64)
        noisy = [np.where((v := rng.random(10_000)) < 0.01, 1, np.where(v < 0.02, 0, base)) for _ in range(2)]
        better = np.where((y == 1) & (rng.random(10_000) < 0.1), 1, noisy[0])
        proven += bool(difference(decided(y, better, noisy[1]), USUAL).upper[0] <= 0)
    assert proven / runs >= 0.9
