"""Mean losses and their ratio against scikit-learn, root finding on the paired test, and the delta method's error rates."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as scikit_log_loss
from study import few
from worlds import brier, freedom_of, log_loss, logistic, logits, losses, outcomes, pair_of, unseen_of

from gates.measure.stats.figure import Figure
from gates.measure.stats.means import loss_ratio, mean_loss
from gates.records import LADDER, Reason

Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


def sample(n: int, seed: int, world: str = "bal") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = logits(rng, world, n)
    p, q = (logistic(x + s * rng.normal(size=n)) for s in (0.6, 0.3))
    return outcomes(rng, logistic(x)), p, q


def test_means_are_those_of_scikit_learn() -> None:
    y, p, q = sample(2_000, 1)
    found = figure(mean_loss(losses(y, p, q, log_loss), minimum_clusters=8))
    assert found.estimate == pytest.approx(scikit_log_loss(y, p), rel=1e-12)
    found = figure(mean_loss(losses(y, p, q, brier).swapped(), minimum_clusters=8))
    assert found.estimate == pytest.approx(brier_score_loss(y, q), rel=1e-12)


def test_bounds_of_a_mean_are_written_out() -> None:
    y, p, q = sample(500, 2)
    found = figure(mean_loss(losses(y, p, q, brier), minimum_clusters=8, ceiling=1))
    loss = brier(y, p)[0]
    for i, rung in enumerate(LADDER):
        z = stats.norm.ppf(rung)
        half = math.hypot(z * math.sqrt(loss.var(ddof=1) / 500), z**2 * 1 / 500)
        assert found.upper[i] == pytest.approx(loss.mean() + half, rel=1e-9)
        assert found.lower[i] == pytest.approx(loss.mean() - half, rel=1e-9)


@pytest.mark.parametrize("clusters", [None, 12])
@pytest.mark.parametrize("loss", [brier, log_loss])
def test_fieller_bounds_are_where_the_paired_test_turns(loss: Loss, clusters: int | None) -> None:
    y, p, q = sample(600, 3)
    cluster = None if clusters is None else np.sort(np.random.default_rng(4).integers(0, clusters, 600))
    if cluster is not None:
        p = logistic(np.log(p / (1 - p)) + np.random.default_rng(5).normal(0, 1.5, clusters)[cluster])
    (a, flip_a), (b, flip_b) = loss(y, p), loss(y, q)
    found = figure(loss_ratio(pair_of(a, b, flip_a, flip_b, cluster), minimum_clusters=8))

    def variance_of(d: np.ndarray) -> float:
        if cluster is None:
            return float(d.var(ddof=1) / 600)
        left_out = np.array([d[cluster != g].mean() for g in range(clusters or 0)])
        return (left_out.size - 1) / left_out.size * float(np.sum((left_out - d.mean()) ** 2))

    rows, apart = 600.0, a - a.mean() - (a.mean() / b.mean()) * (b - b.mean())
    if cluster is not None:
        d, flip = a - found.estimate * b, np.hypot(flip_a, found.estimate * flip_b)
        own = a.var(ddof=1) + found.estimate**2 * b.var(ddof=1)
        rows = unseen_of(cluster, d.var(ddof=1) / variance_of(d), min(1, own / (flip**2).mean()))

    # The farthest that a row is from the ratio that was seen, at most.
    step = min(abs(a - b).max() + abs(found.estimate - 1) * b.max(), max(a.max(), found.estimate * b.max()))
    assert abs(a - found.estimate * b).max() <= step

    def evidence(ratio: float, quantile: float) -> float:
        d, flip = a - ratio * b, np.hypot(flip_a, ratio * flip_b)
        half = math.hypot(quantile * math.sqrt(variance_of(d)), quantile**2 * math.sqrt((flip**2).mean()) / rows)
        few = max(quantile**2, -math.log(1 - rung)) * step / 600 / 2
        return abs(d.mean()) - few - math.hypot(half, few)

    for i, rung in enumerate(LADDER[:5]):
        quantile = float(stats.norm.ppf(rung) if cluster is None else stats.t.ppf(rung, freedom_of(cluster, apart)))
        for limit, far in ((found.upper[i], 20.0), (found.lower[i], 0.0)):
            if not math.isfinite(limit) or limit == 0:
                continue
            root = optimize.brentq(evidence, found.estimate, far, args=(quantile,), xtol=1e-13)
            assert limit == pytest.approx(root, rel=1e-7)


def expected_ratio(world: str, loss: Loss) -> float:
    """The ratio in the long run, with outcomes integrated out."""
    rng = np.random.default_rng(6)
    x = logits(rng, world, 1_000_000)
    rate, one = logistic(x), np.ones_like(x)
    means = []
    for s in (0.6, 0.3):
        score = logistic(x + s * rng.normal(size=x.size))
        means.append(float((rate * loss(one, score)[0] + (1 - rate) * loss(0 * one, score)[0]).mean()))
    return means[0] / means[1]


@pytest.mark.long
@pytest.mark.parametrize(("world", "n"), [("bal", 100), ("bal", 1_000), ("rare", 30), ("rare", 100), ("rare", 1_000)])
def test_fieller_keeps_its_promise_where_the_delta_method_does_not(world: str, n: int) -> None:
    """Why Fieller: false passes and false fails at a limit that is exactly the true ratio, .05 promised for each."""
    truth, rng, runs = expected_ratio(world, log_loss), np.random.default_rng(7), 2_000
    wrong = np.zeros(4)
    for _ in range(runs):
        x = logits(rng, world, n)
        y = outcomes(rng, logistic(x))
        p, q = (logistic(x + s * rng.normal(size=n)) for s in (0.6, 0.3))
        sums = losses(y, p, q, log_loss)
        found = figure(loss_ratio(sums, minimum_clusters=8))
        a, b = log_loss(y, p)[0], log_loss(y, q)[0]
        spread = 1.645 * np.std(a / a.mean() - b / b.mean(), ddof=1) / math.sqrt(n)
        ratio = a.mean() / b.mean()
        wrong[:2] += [found.upper[0] < truth, found.lower[0] > truth]
        wrong[2:] += [ratio * math.exp(spread) < truth, ratio * math.exp(-spread) > truth]
    rates = wrong / runs
    # Two standard errors of 2,000 runs are .01.
    assert max(rates[:2]) <= 0.06
    if n <= 100:
        assert max(rates[2:]) > max(rates[:2])
    if (world, n) == ("rare", 30):
        assert max(rates[2:]) > 0.10


def test_a_slice_without_events_proves_nothing() -> None:
    y, p, q = np.zeros(30), np.full(30, 0.001), np.full(30, 0.002)
    for loss in (brier, log_loss):
        found = figure(loss_ratio(losses(y, p, q, loss), minimum_clusters=8))
        assert found.estimate < 0.6
        assert found.upper[0] == math.inf


def test_equal_models_are_equal_as_far_as_rows_can_tell() -> None:
    """The same scores on all rows: either model may have a region of its own that none of them is of."""
    y, p, _ = sample(300, 8)
    for loss, most in ((log_loss, math.sqrt((log_loss(y, p)[1] ** 2).mean())), (brier, 1.0)):
        found = figure(loss_ratio(losses(y, p, p, loss), minimum_clusters=8))
        mean = loss(y, p)[0].mean()
        assert found.estimate == 1
        assert found.upper == pytest.approx(1 / found.lower)
        assert found.upper[0] - 1 >= stats.norm.ppf(0.95) ** 2 * most / 300 / mean
        assert (
            figure(loss_ratio(losses(*(np.tile(v, 1_000) for v in (y, p, p)), loss), minimum_clusters=8)).upper[0]
            < 1.001
        )


@pytest.mark.parametrize(
    ("loss", "n", "region", "said"),
    [
        *(
            (brier, n, region, said)
            for n, region, said in ((30, 0.03, 0.9), (100, 0.01, 0.99), (1_000, 0.003, 1 - 1e-9))
        ),
        *((log_loss, n, region, said) for n, region, said in ((30, 0.03, 0.9), (100, 0.01, 0.99), (1_000, 0.003, 0.9))),
    ],
)
def test_equal_but_for_a_rare_region_is_not_equal(loss: Loss, n: int, region: float, said: float) -> None:
    """The candidate says what the champion does, the true rate of .1, and in a rare region something else."""

    def expected(score: float) -> float:
        event, none = (float(loss(np.array([y]), np.array([score]))[0][0]) for y in (1.0, 0.0))
        return 0.1 * event + 0.9 * none

    truth = 1 + region * (expected(said) / expected(0.1) - 1)
    rng, runs, proven = np.random.default_rng(14), 1_000, 0
    for _ in range(runs):
        y, inside = outcomes(rng, np.full(n, 0.1)), rng.random(n) < region
        found = figure(loss_ratio(losses(y, np.where(inside, said, 0.1), np.full(n, 0.1), loss), minimum_clusters=8))
        proven += bool(found.upper[0] < truth)
    assert proven / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_perfect_losses_divide_by_nothing() -> None:
    y = np.array([0.0, 1.0] * 20)
    perfect = figure(loss_ratio(losses(y, y, y, brier), minimum_clusters=8))
    assert perfect.estimate == 1
    worse = figure(loss_ratio(losses(y, np.full(40, 0.5), y, brier), minimum_clusters=8))
    assert worse.estimate > 1e9
    assert worse.upper[0] == math.inf


def test_few_clusters_and_no_rows_are_reasons() -> None:
    y, p, q = sample(70, 9)
    seven = losses(y, p, q, brier, np.arange(70) % 7)
    assert loss_ratio(seven, minimum_clusters=8) is Reason.FEW_CLUSTERS
    assert mean_loss(seven, minimum_clusters=8) is Reason.FEW_CLUSTERS
    assert isinstance(loss_ratio(seven, minimum_clusters=7), Figure)
    none = losses(y[:0], p[:0], q[:0], brier)
    assert loss_ratio(none, minimum_clusters=8) is Reason.EMPTY_TABLE
    assert mean_loss(none, minimum_clusters=8) is Reason.EMPTY_TABLE


@pytest.mark.parametrize(("n", "bad", "says"), [(10_000, 5, 0.9999), (3_000, 9, 1 - 1e-6)])
def test_few_rows_that_a_candidate_is_sure_of_and_wrong_are_not_taken_for_less(n: int, bad: int, says: float) -> None:
    """The candidate is the champion but in few rows, which are seen: its loss was proven smaller than it is in .09 to .13 of runs."""
    rng, runs = np.random.default_rng(bad), 600
    smaller, larger = np.mean([few.sure(rng, n, bad, says, 0.05) for _ in range(runs)], axis=0)
    # Two standard errors of 600 runs are .018.
    assert max(smaller, larger) <= 0.05
