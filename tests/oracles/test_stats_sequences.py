"""Confidence sequences: against ville and by hand, exact over all streams of 0 and 1, and simulated for what a monitor does."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats
from ville import AsymptoticCS, BernoulliCS, BernoulliTest, best_rho, normal_mixture

from gates.measure.stats.averages import Total, average
from gates.measure.stats.figure import RUNGS, Figure, Floats
from gates.measure.stats.proportions import proportion
from gates.measure.stats.sequences import (
    FEWEST,
    PACE,
    evidence,
    lower_odds,
    mean_sequence,
    reach,
    share_sequence,
)
from gates.records import LADDER, Reason

COUNTS = [(1, 1, 50), (1, 200, 1_000), (13, 200, 1_000), (150, 10_000, 10_000), (9_000, 9_050, 2_000), (700, 700, 100)]


def figure(found: Figure | Reason) -> Figure:
    assert isinstance(found, Figure)
    return found


def stream(k: int, n: int) -> Floats:
    return np.random.default_rng(k).permutation(np.r_[np.ones(k), np.zeros(n - k)])


def prior_at(share: float, planned: float) -> float:
    return float(PACE * np.sqrt(planned * (1 - share) / share))


def truncation(share: float, k: int, n: int, b: float) -> float:
    """What it adds to the log evidence that the prior knows the side."""
    return float(stats.beta.logsf(share, k + 1, n - k + b) - b * np.log1p(-share))


@pytest.mark.parametrize(("k", "n", "planned"), COUNTS)
def test_at_each_bound_the_e_process_of_ville_says_one_over_alpha(k: int, n: int, planned: int) -> None:
    found = figure(share_sequence(k, n, planned=planned))
    for seen, k_, bounds in ((stream(k, n), k, found.lower), (1 - stream(k, n), n - k, 1 - found.upper)):
        for rung, share in zip(LADDER, bounds, strict=True):
            if k_ == 0:
                assert share == 0
                continue
            if share > 1e-6:  # of less, 1 - upper has too few digits
                b = prior_at(share, planned)
                theirs = BernoulliTest(share, prior=(1.0, b)).fit(seen).log_e_values_[-1]
                said = theirs + truncation(share, k_, n, b)
                assert said == pytest.approx(-np.log1p(-rung), abs=1e-8), (rung, share)


@pytest.mark.parametrize(("k", "n", "planned"), COUNTS)
def test_the_set_of_ville_ends_where_ours_does(k: int, n: int, planned: int) -> None:
    """At our prior there, and at the alpha that remains of ours once the prior knows the side."""
    compared = 0
    for rung, share in zip(LADDER, figure(share_sequence(k, n, planned=planned)).lower, strict=True):
        b = prior_at(share, planned)
        alpha = (1 - rung) * np.exp(truncation(share, k, n, b))
        if alpha < 1:
            theirs = BernoulliCS(alpha, prior=(1.0, b), intersect=False).fit(stream(k, n)).lower_[-1]
            assert share == pytest.approx(theirs, rel=1e-9, abs=1e-15)
            compared += 1
    assert compared >= 5


@pytest.mark.parametrize(("k", "n", "planned"), [(1, 1, 50), (3, 60, 200), (13, 200, 1_000), (59, 60, 100)])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.9])
def test_the_evidence_is_the_integral(k: int, n: int, planned: int, share: float) -> None:
    b = prior_at(share, planned)

    def ratio(q: float) -> float:
        log = k * np.log(q / share) + (n - k) * np.log((1 - q) / (1 - share)) - b * np.log1p(-share)
        return float(b * np.exp(log + (b - 1) * np.log1p(-q)))

    ends = np.unique(np.clip(share + (1 - share) * np.r_[0, np.geomspace(0.01, 100, 30) / b, 1], share, 1))
    by_hand = sum(integrate.quad(ratio, *each)[0] for each in itertools.pairwise(ends))
    said = evidence(np.float64(k), np.float64(n - k), special.logit(share), planned)
    assert np.exp(said) == pytest.approx(by_hand, rel=1e-7)


@pytest.mark.parametrize(("k", "n"), [(1, 10), (5, 1_000), (999, 1_000), (10**6, 10**9)])
def test_all_shares_below_the_bound_are_refused(k: int, n: int) -> None:
    odds = np.linspace(-99, special.logit(k / n), 5_000)
    for planned in (10, 10**4, 10**9):
        said = evidence(np.float64(k), np.float64(n - k), odds, planned)
        for wanted in -np.log1p(-RUNGS):
            assert np.all(np.diff((said >= wanted).astype(int)) <= 0)
            assert said[0] >= wanted > said[-1]


def missed(share: float, planned: int, rows: int) -> Floats:
    """The chance that a bound is ever on the wrong side of the share, at some of so many looks, by rung: over all streams."""
    wanted = -np.log1p(-RUNGS)
    alive = np.ones((1, RUNGS.size))
    for n in range(1, rows + 1):
        hit = np.zeros((n + 1, RUNGS.size))
        hit[:-1] += alive * (1 - share)
        hit[1:] += alive * share
        k = np.arange(n + 1.0)
        said = evidence(np.maximum(k, 1), n - k, special.logit(share), planned)
        alive = np.where((k[:, None] > 0) & (said[:, None] >= wanted), 0.0, hit)
    return 1 - alive.sum(axis=0)


@pytest.mark.parametrize(
    ("share", "planned"), [(0.002, 400), (0.01, 30), (0.1, 400), (0.1, 20_000), (0.5, 400), (0.9, 30), (0.99, 400)]
)
def test_no_share_is_missed_at_any_of_400_looks_more_often_than_promised(share: float, planned: int) -> None:
    """Upper bounds are the lower ones of the misses, so that both sides are here."""
    rates = missed(share, planned, 400)
    assert np.all(rates <= (1 - RUNGS) * (1 + 1e-9)), rates / (1 - RUNGS)
    if (share, planned) == (0.1, 400):
        # A bound that never misses would keep it too. The rows to come need what is left.
        assert np.all(rates[:3] > (1 - RUNGS[:3]) / 4)


def test_a_monitor_that_looks_a_hundred_times_raises_few_false_alarms() -> None:
    assert np.mean(stopped(LIMIT, sequence_alarms) > 0) <= 0.05
    assert 0.2 < np.mean(stopped(LIMIT, proportion_alarms) > 0) < 0.35


@pytest.mark.parametrize(("share", "found_in", "rows"), [(0.015, 0.95, 3_500), (0.02, 1.0, 1_300)])
def test_a_monitor_finds_more_errors(share: float, found_in: float, rows: int) -> None:
    stops = stopped(share, sequence_alarms)
    assert np.mean(stops > 0) >= found_in
    assert np.median(stops[stops > 0]) <= rows


LOOKS = 100 * np.arange(1, 101)
LIMIT = 0.01


def proportion_lower(k: Floats, n: Floats) -> Floats:
    return np.array([proportion(a / b, b)[0][0] for a, b in zip(k, n, strict=True)])


def sequence_alarms(k: Floats, n: Floats) -> Any:
    return evidence(np.maximum(k, 1), n - k, special.logit(LIMIT), 10_000) >= -np.log(0.05)


def proportion_alarms(k: Floats, n: Floats) -> Any:
    return proportion_lower(k, n) > LIMIT


def test_there_is_an_alarm_where_the_lower_bound_is_over_the_limit() -> None:
    k, n = (each.ravel().astype(float) for each in np.meshgrid(np.arange(1, 200, 7), LOOKS[::7]))
    k = np.minimum(k, n)
    alarms = sequence_alarms(k, n)
    over = special.expit(lower_odds(k[:, None], (n - k)[:, None], 10_000)[:, 0]) > LIMIT
    assert np.all(alarms == over)
    assert 0.2 < alarms.mean() < 0.8


def stopped(share: float, alarms: Any) -> Floats:
    """Of 600 streams with a look each 100 rows, the rows at the first look at which the lower bound is over 1 %, or 0."""
    k = np.cumsum(np.random.default_rng(7).binomial(100, share, (600, LOOKS.size)), axis=1)
    pairs, place = np.unique(np.stack([k.ravel(), np.tile(LOOKS, 600)]), axis=1, return_inverse=True)
    over = alarms(*pairs.astype(float))[place].reshape(k.shape)
    return np.where(over.any(axis=1), LOOKS[over.argmax(axis=1)], 0)


@pytest.mark.parametrize("n", [1, 37, 10**6, 10**9, 2**53])
def test_none_and_all_of_any_number_of_rows(n: int) -> None:
    none, every = (figure(share_sequence(k, n, planned=n)) for k in (0, n))
    assert (none.estimate, every.estimate) == (0, 1)
    assert np.all(none.lower == 0)
    assert np.all(every.upper == 1)
    assert every.lower == pytest.approx(1 - none.upper, abs=1e-15)
    # Of many rows without a hit the bound is that of Poisson's law: no further digit of n matters.
    if n >= 10**6:
        assert none.upper * n == pytest.approx(figure(share_sequence(0, 10**7, planned=10**7)).upper * 1e7, rel=2e-5)


@pytest.mark.parametrize("n", [10**4, 10**9, 2**53])
def test_of_very_many_rows_a_share_is_a_mean_of_normal_rows(n: int) -> None:
    """The mixture's boundary by hand, of a Brownian motion at time 1: E = PACE sqrt(2 pi) exp(z^2/2) Phi(z)."""
    found = figure(share_sequence(n // 2, n, planned=n))
    z = 2 * np.sqrt(n) * (found.upper - 0.5) - PACE
    said = np.log(PACE) + np.log(2 * np.pi) / 2 + z**2 / 2 + special.log_ndtr(z)
    assert said == pytest.approx(-np.log1p(-RUNGS), rel=0.02 if n < 10**9 else 1e-4)


def test_the_pace_is_near_the_nearest_at_every_rung() -> None:
    def boundary(pace: float) -> Floats:
        z = np.linspace(0, 8, 80_001)
        said = np.log(pace) + np.log(2 * np.pi) / 2 + z**2 / 2 + special.log_ndtr(z)
        return np.interp(-np.log1p(-RUNGS), said, z) + pace

    nearest = np.min([boundary(pace) for pace in np.geomspace(0.02, 3, 300)], axis=0)
    assert np.all(boundary(PACE) / nearest < 1.007)
    uniform = BernoulliCS(0.05, intersect=False).fit(stream(100, 10_000))
    ours = figure(share_sequence(100, 10_000, planned=10_000))
    assert (uniform.upper_[-1] - 0.01) / (ours.upper[0] - 0.01) > 1.4


@pytest.mark.parametrize("n", [1_000, 3_333, 10_000, 100_000, 10**7])
def test_the_reach_of_means_is_the_papers_and_hardly_beyond_the_exact_boundary(n: int) -> None:
    planned, rho = 10_000, 10_000 / 12
    for rung, standard_errors in zip(LADDER, reach(n, planned), strict=True):
        alpha, r = 1 - rung, 1 / rho
        paper = np.sqrt(2 * (n * r + 1) / (n**2 * r) * np.log(1 + np.sqrt(n * r + 1) / (2 * alpha)))
        assert standard_errors / np.sqrt(n) == pytest.approx(paper, rel=1e-9)
        exact = float(normal_mixture(n, alpha, rho, one_sided=True)) / np.sqrt(n)
        assert exact < standard_errors < 1.015 * exact
        # Robbins' two-sided boundary at twice alpha is the same but for what both sides miss together.
        both = float(normal_mixture(n, 2 * alpha, rho)) / np.sqrt(n)
        assert standard_errors == pytest.approx(both, rel=0.015)
        if n == planned:
            best = best_rho(planned, alpha, one_sided=True)
            assert standard_errors < 1.015 * float(normal_mixture(n, alpha, best, one_sided=True)) / np.sqrt(n)


def test_a_mean_of_a_stream_is_that_of_ville_but_for_what_was_never_seen() -> None:
    values = np.random.default_rng(3).normal(5, 2, 4_000)
    found = figure(mean_sequence(total(values), planned=4_000))
    for rung, upper in zip(LADDER, found.upper, strict=True):
        theirs = AsymptoticCS(2 * (1 - rung), t_opt=4_000, min_samples=FEWEST).fit(values)
        assert found.estimate == pytest.approx(theirs.estimate_[-1], abs=1e-9)
        radius = theirs.upper_[-1] - theirs.estimate_[-1]
        assert radius * 0.99 < upper - found.estimate < radius * 1.12


def test_means_allow_for_values_never_seen() -> None:
    values = np.random.default_rng(4).exponential(1, 2_000)
    error, q = values.std(ddof=1) / np.sqrt(2_000), reach(2_000, 5_000)
    ranged = figure(mean_sequence(total(values, (0.0, 50.0)), planned=5_000))
    assert ranged.upper - values.mean() == pytest.approx(np.hypot(q * error, q**2 * 50 / 2_000), rel=1e-9)
    assert np.all(ranged.lower >= 0)
    bare = figure(mean_sequence(total(values), planned=5_000))
    half = q**2 * values.std() / 2_000 / 2
    assert bare.upper - values.mean() == pytest.approx(half + np.hypot(q * error, half), rel=1e-9)
    same = figure(mean_sequence(total(np.full(2_000, 3.0)), planned=5_000))
    assert np.all(np.isinf(same.upper))


def total(values: Floats, limits: tuple[float, float] | None = None) -> Total:
    return Total(np.array([float(values.size)]), values.sum(keepdims=True), float(values @ values), range=limits)


WORLDS: dict[str, tuple[Any, float, tuple[float, float] | None]] = {
    "normal": (lambda rng, n: rng.normal(5, 1, n), 5.0, None),
    "exponential": (lambda rng, n: rng.exponential(1, n), 1.0, None),
    "rare costs within a range": (lambda rng, n: (rng.random(n) < 0.001) * 20.0, 0.02, (0.0, 20.0)),
    "rare, unequal costs within a range": (
        lambda rng, n: (rng.random(n) < 0.005) * np.minimum(rng.exponential(1, n), 10),
        0.005 * (1 - np.exp(-10)),
        (0.0, 10.0),
    ),
}


@pytest.mark.parametrize("world", WORLDS)
def test_a_mean_is_missed_at_any_of_91_looks_no_more_often_than_promised(world: str) -> None:
    draw, truth, limits = WORLDS[world]
    low, high = ever_missed(draw, truth, limits)
    assert max(low, high) <= 0.05, (low, high)


def test_student_misses_a_mean_at_some_look() -> None:
    draw, truth, limits = WORLDS["normal"]
    assert max(ever_missed(draw, truth, limits, of=average_now)) > 0.1


def average_now(total: Total) -> Figure | Reason:
    return average(total, minimum_clusters=8)


def sequence_now(total: Total) -> Figure | Reason:
    return mean_sequence(total, planned=5_000)


def ever_missed(
    draw: Any, truth: float, limits: tuple[float, float] | None, of: Any = sequence_now
) -> tuple[float, float]:
    """The shares of 200 streams of 10,000 rows in which the bounds at .95, lower and upper, are ever on the wrong side."""
    rng, looks, missed_by = np.random.default_rng(11), np.arange(FEWEST, 10_001, 100), np.zeros(2)
    for _ in range(200):
        values = draw(rng, looks[-1])
        sums, squares = np.cumsum(values)[looks - 1], np.cumsum(values**2)[looks - 1]
        found = [
            figure(of(Total(np.array([float(n)]), np.array([a]), float(b), range=limits)))
            for n, a, b in zip(looks, sums, squares, strict=True)
        ]
        missed_by += [any(one.lower[0] > truth for one in found), any(one.upper[0] < truth for one in found)]
    low, high = missed_by / 200
    return float(low), float(high)


def test_few_rows_and_none() -> None:
    few, none = total(np.ones(FEWEST - 1)), total(np.ones(0))
    assert mean_sequence(few, planned=10_000) is Reason.FEW_EVENTS
    assert mean_sequence(none, planned=10_000) is Reason.EMPTY_TABLE
    assert isinstance(mean_sequence(total(np.ones(FEWEST)), planned=10_000), Figure)
    assert share_sequence(0, 0, planned=10) is Reason.EMPTY_TABLE
