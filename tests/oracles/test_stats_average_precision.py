"""Average precision against scikit-learn, its derivatives by nudged weights, and its bounds beside a Poisson bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from worlds import logistic, logits, outcomes, unseen_of

from gates.measure.stats.average_precision import Precision, average_precision, average_precision_difference
from gates.measure.stats.clusters import deviating
from gates.measure.stats.figure import Figure
from gates.records import Reason


def sample(
    n: int, seed: int, world: str = "bal", *, ties: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = logits(rng, world, n)
    p, q = (logistic(x + s * rng.normal(size=n)) for s in (0.5, 0.9))
    scores = (np.round(p, 1), np.round(q, 1)) if ties else (p, q)
    return outcomes(rng, logistic(x)), *scores, rng.gamma(2.0, 0.5, n)


def of(y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None) -> Precision:
    found = Precision.of(y, p, weight)
    assert isinstance(found, Precision)
    return found


def difference(y: np.ndarray, p: np.ndarray, q: np.ndarray, cluster: np.ndarray | None = None) -> Figure:
    found = average_precision_difference(of(y, p), of(y, q), cluster, minimum_clusters=8)
    assert isinstance(found, Figure)
    return found


def with_rows(y: np.ndarray, score: np.ndarray, rows: float, *, event: float, place: float) -> float:
    """Scikit-learn's figure with so many further rows, which may be a fraction, of one outcome in one place."""
    weight = np.r_[np.ones(y.size), rows]
    return float(average_precision_score(np.r_[y, event], np.r_[score, place], sample_weight=weight))


def worst(y: np.ndarray, candidate: np.ndarray, champion: np.ndarray, rows: float) -> float:
    """What so many rows, never seen, can take from the candidate's figure less the champion's."""
    own, rival = (average_precision_score(y, score) for score in (candidate, champion))
    above = own - with_rows(y, candidate, rows, event=0, place=9)
    won = with_rows(y, champion, rows, event=1, place=9) - rival
    return max(above, won + own - with_rows(y, candidate, rows, event=1, place=-9))


@pytest.mark.parametrize("ties", [False, True])
def test_bounds_hold_what_rows_never_seen_would_take(ties: bool) -> None:
    y, p, q, _ = sample(500, 9, "rare", ties=ties)
    found, same = difference(y, p, q), difference(y, p, p)
    for rung, z, rows in ((0, 1.6448536269514722, -math.log(0.05)), (1, 1.959963984540054, 1.959963984540054**2)):
        assert same.estimate - same.lower[rung] == pytest.approx(max(worst(y, p, p, rows), rows / y.sum()), rel=1e-9)
        spread = z * math.sqrt(float(((of(y, p).influence - of(y, q).influence) ** 2).sum()) * 500 / 499)
        steps = [worst(y, *pair, rows) / 2 for pair in ((p, q), (q, p))]
        below, above = (step + math.hypot(spread, step) for step in steps)
        assert (found.estimate - found.lower[rung]) == pytest.approx(below, rel=1e-9)
        assert (found.upper[rung] - found.estimate) == pytest.approx(above, rel=1e-9)
    alone = average_precision(of(y, p), minimum_clusters=8)
    assert isinstance(alone, Figure)
    assert alone.lower[0] < found.lower[0] + alone.estimate


@pytest.mark.parametrize(("lam", "events"), [(1.5, 300), (2.9, 300), (8.3, 300), (2.9, 30)])
def test_non_events_put_on_top_are_rarely_missed(lam: float, events: int) -> None:
    """A candidate like the champion, but for a region of which `lam` rows are expected: it puts non-events of it above all."""
    rng, rows, runs, wrong = np.random.default_rng(events), 10 * events, 400, 0

    # Of endless rows: the champion ranks all events first, the candidate finds this share of them among its first.
    truth = -lam / events * math.log1p(events / lam)
    for _ in range(runs):
        y = outcomes(rng, np.full(rows, 0.1))
        champion = y + rng.random(rows) / 2
        region = (rng.random(rows) < lam / rows) & (y == 0)
        wrong += bool(difference(y, champion + 2 * region, champion).lower[0] > truth)
    # .05 is promised; three Monte Carlo standard errors of 400 runs are .033.
    assert wrong / runs <= 0.05 + 0.033


@pytest.mark.parametrize("ties", [False, True])
def test_value_is_that_of_scikit_learn(ties: bool) -> None:
    y, p, q, weight = sample(2_000, 1, ties=ties)
    assert of(y, p).value == pytest.approx(average_precision_score(y, p), abs=1e-12)
    own = average_precision_score(y, q, sample_weight=weight)
    assert of(y, q, weight).value == pytest.approx(own, abs=1e-7)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_influence_is_the_derivative_by_the_weight(ties: bool, weighted: bool) -> None:
    y, p, _, weight = sample(120, 2, ties=ties)
    weight = weight if weighted else np.ones(120)
    found = of(y, p, weight if weighted else None)
    assert found.influence.sum() == pytest.approx(0, abs=1e-6)
    for i in range(120):
        nudge = np.eye(120)[i] * 1e-5
        up, down = (average_precision_score(y, p, sample_weight=weight + s * nudge) for s in (1, -1))
        assert found.influence[i] == pytest.approx(weight[i] * (up - down) / 2e-5, abs=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("clustered", [False, True])
def test_bounds_are_near_those_of_a_poisson_bootstrap(clustered: bool) -> None:
    y, p, q, _ = sample(3_000, 3)
    rng = np.random.default_rng(4)
    cluster = rng.integers(0, 100, 3_000)
    p = logistic(np.log(p / (1 - p)) * rng.normal(0.7, 0.6, 100)[cluster]) if clustered else p
    replicates = []
    for _ in range(300):
        weight = (rng.poisson(1, 100)[cluster] if clustered else rng.poisson(1, 3_000)).astype(float)
        ours, other = (average_precision_score(y, score, sample_weight=weight) for score in (p, q))
        replicates.append(ours - other)
    found = difference(y, p, q, cluster if clustered else None)
    unseen = worst(y, q, p, -math.log(0.05)) / 2
    if clustered:
        # The rows that speak of what was never seen are fewer by the design effect, and by what the clusters are worth.
        influence, spread = of(y, p).influence - of(y, q).influence, np.var(replicates)
        few = []
        for side in (y > 0, y == 0):
            seen = side.sum() * min(1.0, float((influence**2).sum()) / float(spread))
            few.append(side.sum() / unseen_of(cluster[side], seen, deviating(influence[side] * side.sum())))
        unseen = worst(y, q, p, -math.log(0.05) * max(few)) / 2
    reach = math.sqrt((found.upper[0] - found.estimate - unseen) ** 2 - unseen**2) / 1.66
    # Three standard errors of a standard deviation of 300 are .122.
    assert reach == pytest.approx(np.std(replicates), rel=0.125)


@pytest.mark.long
@pytest.mark.parametrize(("world", "n"), [("bal", 100), ("bal", 1_000), ("rare", 300), ("rare", 2_000)])
def test_a_true_difference_is_rarely_outside(world: str, n: int) -> None:
    y, p, q, _ = sample(1_000_000, 5, world)
    truth = difference(y, p, q).estimate
    wrong, runs = np.zeros(2), 600
    for run in range(runs):
        y, p, q, _ = sample(n, 100 + run, world)
        found = difference(y, p, q)
        wrong += [found.lower[0] > truth, found.upper[0] < truth]
    # .05 is promised for each side; three Monte Carlo standard errors of 600 runs are .027.
    assert max(wrong / runs) <= 0.05 + 0.027


def test_clusters_rarely_hide_a_true_difference() -> None:
    rng = np.random.default_rng(6)

    def rows(n: int, clusters: int) -> tuple[np.ndarray, ...]:
        x, cluster = logits(rng, "bal", n), rng.integers(0, clusters, n)
        p = logistic(x + rng.normal(0, 0.4, clusters)[cluster] + 0.5 * rng.normal(size=n))
        return outcomes(rng, logistic(x)), p, logistic(x + 0.4 * rng.normal(size=n)), cluster

    truth = difference(*rows(1_000_000, 100_000)[:3]).estimate
    wrong, runs = np.zeros(2), 300
    for _ in range(runs):
        found = difference(*rows(3_000, 20))
        wrong += [found.lower[0] > truth, found.upper[0] < truth]
    # Shocks hurt the candidate only: as for areas, .07 is allowed with few clusters.
    assert max(wrong / runs) <= 0.07 + 0.044


def test_order_changes_no_bit() -> None:
    y, p, q, _ = sample(2_000, 7, ties=True)
    cluster = np.arange(2_000) % 30
    shuffled = np.random.default_rng(8).permutation(2_000)
    one, other = difference(y, p, q, cluster), difference(y[shuffled], p[shuffled], q[shuffled], cluster[shuffled])
    assert (one.estimate, *one.lower, *one.upper) == (other.estimate, *other.lower, *other.upper)


def test_too_little_is_a_reason() -> None:
    assert Precision.of(np.ones(5), np.arange(5.0)) is Reason.ONE_CLASS
    assert Precision.of(np.zeros(0), np.zeros(0)) is Reason.EMPTY_TABLE
    assert average_precision(Reason.ONE_CLASS, minimum_clusters=8) is Reason.ONE_CLASS
    y, cluster = np.r_[np.ones(7), np.zeros(40)], np.r_[np.arange(7), np.arange(40)]
    assert average_precision(of(y, np.arange(47.0)), cluster, minimum_clusters=8) is Reason.FEW_CLUSTERS


def test_three_rows_prove_nothing() -> None:
    found = average_precision(of(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.7])), minimum_clusters=8)
    assert isinstance(found, Figure)
    assert (found.estimate, found.lower[0], found.upper[0]) == (1, 0, 1)
