"""Rates of groups: points against fairlearn, limits against the papers' formulas, promises in worlds with a known truth."""

from __future__ import annotations

import itertools
from typing import Any

import fairlearn.metrics as theirs
import numpy as np
import pytest
from scipy import optimize, stats
from worlds import freedom_of, lifts_of, unseen_of

from gates.measure.stats.figure import Figure
from gates.measure.stats.groups import Disparity, Group, disparities
from gates.records import LADDER, Reason

THREE_ERRORS = 3


def group(hits: float, rows: int) -> Group:
    """A group of independent rows without weights."""
    k, n = np.array([float(hits)]), np.array([float(rows)])
    return Group(k, n, k, n, rows)


def groups_of(hit: Any, name: Any, weight: Any = None, cluster: Any = None) -> list[Group]:
    """Groups of a table, by sorted name, one cell a row."""
    weight = np.ones(len(name)) if weight is None else weight
    made = []
    for value in np.unique(name):
        own = name == value
        w, h = weight[own], hit[own].astype(float)
        of = None if cluster is None else cluster[own]
        made.append(Group(w * h, w, w * w * h, w * w, int(own.sum()), of, float(weight.max())))
    return made


def measured(found: list[Disparity | None]) -> list[Disparity]:
    return [one for one in found if one is not None]


def figure(found: Figure | Reason) -> Figure:
    assert isinstance(found, Figure)
    return found


def spread(groups: list[Group]) -> tuple[float, float]:
    """The largest difference and the smallest ratio."""
    found = measured(disparities(groups, minimum_clusters=8))
    assert len(found) == len(groups) - 1
    return max(figure(one.difference).estimate for one in found), min(figure(one.ratio).estimate for one in found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_points_are_those_of_fairlearn(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 2_000
    name = rng.choice(["a", "b", "c", "d", "e"], n, p=[0.5, 0.3, 0.1, 0.08, 0.02])
    y, chosen = rng.random(n) < 0.4, rng.random(n) < np.where(name == "c", 0.6, 0.3)
    weight = rng.uniform(0.2, 3, n) if weighted else np.ones(n)
    given: dict[str, Any] = {"y_true": y, "y_pred": chosen, "sensitive_features": name, "sample_weight": weight}
    everyone = spread(groups_of(chosen, name, weight))
    positive = spread(groups_of(chosen[y], name[y], weight[y]))
    negative = spread(groups_of(chosen[~y], name[~y], weight[~y]))
    assert everyone[0] == pytest.approx(theirs.demographic_parity_difference(**given), abs=1e-12)
    assert everyone[1] == pytest.approx(theirs.demographic_parity_ratio(**given), abs=1e-12)
    assert positive[0] == pytest.approx(theirs.true_positive_rate_difference(**given), abs=1e-12)
    assert positive[1] == pytest.approx(theirs.true_positive_rate_ratio(**given), abs=1e-12)
    assert negative[0] == pytest.approx(theirs.false_positive_rate_difference(**given), abs=1e-12)
    assert negative[1] == pytest.approx(theirs.false_positive_rate_ratio(**given), abs=1e-12)
    assert max(positive[0], negative[0]) == pytest.approx(theirs.equalized_odds_difference(**given), abs=1e-12)
    assert min(positive[1], negative[1]) == pytest.approx(theirs.equalized_odds_ratio(**given), abs=1e-12)


def exact(k: int, n: int, confidence: float) -> tuple[float, float]:
    found = stats.binomtest(k, n).proportion_ci(2 * confidence - 1, method="exact")
    return found.low, found.high


def apart(own: tuple[int, int], other: tuple[int, int], confidence: float) -> tuple[float, float]:
    """Newcombe's method 10 on exact limits, own less other."""
    p, q = own[0] / own[1], other[0] / other[1]
    (l1, u1), (l2, u2) = exact(*own, confidence), exact(*other, confidence)
    return p - q - np.sqrt((p - l1) ** 2 + (u2 - q) ** 2), p - q + np.sqrt((u1 - p) ** 2 + (q - l2) ** 2)


def over(own: tuple[int, int], other: tuple[int, int], confidence: float) -> tuple[float, float]:
    """The ratios at which own less ratio times other is not shown to differ from 0, found by a root finder."""
    p, q = own[0] / own[1], other[0] / other[1]
    (l1, u1), (l2, u2) = exact(*own, confidence), exact(*other, confidence)
    seen = p / q

    def under(ratio: float) -> float:
        return p - ratio * q - np.hypot(p - l1, ratio * (u2 - q))

    def above(ratio: float) -> float:
        return p - ratio * q + np.hypot(u1 - p, ratio * (q - l2))

    lower = optimize.brentq(under, 0, seen, xtol=1e-15) if p > 0 else 0.0
    return lower, optimize.brentq(above, seen, 1e9, xtol=1e-12)


@pytest.mark.parametrize("counts", [((300, 1_000), (20, 100)), ((40, 900), (1, 30)), ((5, 20), (10, 12))])
def test_the_limits_of_one_pair_are_the_formulas(counts: tuple[tuple[int, int], tuple[int, int]]) -> None:
    large, small = sorted(counts, key=lambda pair: -pair[1])
    [found] = measured(disparities([group(*large), group(*small)], minimum_clusters=8))
    difference, ratio = figure(found.difference), figure(found.ratio)
    for i, rung in enumerate(LADDER):
        # One pair has two sides, so that a lower limit stands at half of the tail.
        strict = 1 - (1 - rung) / 2
        low, high = apart(small, large, rung)
        assert difference.upper[i] == pytest.approx(min(1, max(high, -low)), abs=1e-9)
        low, high = apart(small, large, strict)
        assert difference.lower[i] == pytest.approx(max(0, low, -high), abs=1e-9)
        low, high = over(small, large, rung)
        assert ratio.lower[i] == pytest.approx(min(low, 1 / high), abs=1e-7)
        low, high = over(small, large, strict)
        assert ratio.upper[i] == pytest.approx(min(1, high, 1 / low if low > 0 else 1), abs=1e-7)


def test_a_group_is_compared_with_every_larger_one_and_the_worst_pair_counts() -> None:
    counts = [(30, 300), (60, 200), (9, 100), (8, 20)]
    found = disparities([group(*one) for one in counts], minimum_clusters=8)
    assert found[0] is None
    for place in (1, 2, 3):
        one = found[place]
        assert one is not None
        larger = counts[:place]
        for i, rung in enumerate(LADDER[:4]):
            strict = 1 - (1 - rung) / (2 * place)
            pairs = [apart(counts[place], other, rung) for other in larger]
            assert figure(one.difference).upper[i] == pytest.approx(max(max(h, -lo) for lo, h in pairs), abs=1e-9)
            pairs = [apart(counts[place], other, strict) for other in larger]
            best = max(max(0, lo, -h) for lo, h in pairs)
            assert figure(one.difference).lower[i] == pytest.approx(best, abs=1e-9)


def test_korn_graubard_of_a_pair_written_out() -> None:
    rng = np.random.default_rng(4)
    cluster = rng.integers(0, 25, 3_000)
    name = np.where(rng.random(3_000) < 0.7, "a", "b")
    rate = np.clip(0.3 + rng.normal(0, 0.15, 25)[cluster] * np.where(name == "a", 1, -1), 0.01, 0.99)
    hit = rng.random(3_000) < rate
    [found] = measured(disparities(groups_of(hit, name, cluster=cluster), minimum_clusters=8))
    a, b = name == "a", name == "b"
    p, q = hit[b].mean(), hit[a].mean()
    influence = np.where(b, (hit - p) / b.sum(), -(hit - q) / a.sum())
    up, down = lifts_of(cluster[b]), lifts_of(cluster[a])
    between = sum(
        (up[c] * influence[b & (cluster == c)].sum() + down[c] * influence[a & (cluster == c)].sum()) ** 2
        for c in range(25)
    )
    freedom = min(freedom_of(cluster[a]), freedom_of(cluster[b]))
    effect = between / (p * (1 - p) / b.sum() + q * (1 - q) / a.sum())
    assert effect > 3
    for i, rung in enumerate(LADDER[:5]):
        factor = (stats.norm.ppf(rung) / stats.t.ppf(rung, freedom)) ** 2
        limits = []
        for share, side in ((p, b), (q, a)):
            below, above = (unseen_of(cluster[side], side.sum() / effect, s) * factor for s in (1 - share, share))
            low = stats.beta.ppf(1 - rung, share * below, (1 - share) * below + 1)
            limits.append((low, stats.beta.ppf(rung, share * above + 1, (1 - share) * above)))
        (l1, u1), (l2, u2) = limits
        low, high = p - q - np.hypot(p - l1, u2 - q), p - q + np.hypot(u1 - p, q - l2)
        assert figure(found.difference).upper[i] == pytest.approx(max(high, -low), abs=1e-9)


def test_weights_of_one_are_no_weights_and_doubled_weights_change_nothing() -> None:
    rng = np.random.default_rng(5)
    name, hit = rng.choice(["a", "b", "c"], 600), rng.random(600) < 0.3
    plain = measured(disparities(groups_of(hit, name), minimum_clusters=8))
    for weight in (np.ones(600), np.full(600, 2.0)):
        weighted = measured(disparities(groups_of(hit, name, weight), minimum_clusters=8))
        for one, other in zip(plain, weighted, strict=True):
            assert figure(other.difference).upper == pytest.approx(figure(one.difference).upper, abs=1e-9)
            assert figure(other.ratio).lower == pytest.approx(figure(one.ratio).lower, abs=1e-9)


def test_nothing_seen_in_either_group_proves_nothing() -> None:
    [found] = measured(disparities([group(0, 10), group(0, 3)], minimum_clusters=8))
    difference, ratio = figure(found.difference), figure(found.ratio)
    assert (difference.estimate, ratio.estimate) == (0, 1)
    assert difference.upper[0] > 0.5
    assert np.all(ratio.lower == 0)
    assert np.all(ratio.upper == 1)
    [found] = measured(disparities([group(5, 10), group(0, 3)], minimum_clusters=8))
    assert figure(found.ratio).estimate == 0
    assert figure(found.ratio).upper[4] == 1


def test_groups_without_rows_with_few_clusters_or_alone_are_reasons() -> None:
    found = disparities([group(3, 10), group(0, 0), group(1, 5)], minimum_clusters=8)
    assert found[0] is None
    assert found[1] == Disparity(Reason.ONE_CLASS, Reason.ONE_CLASS)
    assert found[2] is not None
    assert (
        disparities([group(3, 10), group(0, 0)], minimum_clusters=8)
        == [Disparity(Reason.ONE_GROUP, Reason.ONE_GROUP)] * 2
    )
    rng = np.random.default_rng(6)
    name = np.repeat(["a", "b"], [300, 300])
    cluster = np.r_[rng.integers(0, 20, 300), rng.integers(0, 7, 300)]
    few = disparities(groups_of(rng.random(600) < 0.5, name, cluster=cluster), minimum_clusters=8)
    assert few == [None, Disparity(Reason.FEW_CLUSTERS, Reason.FEW_CLUSTERS)]


WORLDS = [
    ((0.3, 0.3), (100, 20)),
    ((0.05, 0.15), (1_000, 30)),
    ((0.001, 0.01), (10_000, 500)),
    ((0.9, 0.3), (10, 3)),
    ((0.3, 0.3, 0.5, 0.3, 0.1), (200, 100, 50, 30, 10)),
]


@pytest.mark.parametrize(("rates", "rows"), WORLDS)
def test_bounds_hold_for_the_largest_difference_and_the_smallest_ratio(
    rates: tuple[float, ...], rows: tuple[int, ...]
) -> None:
    """Of each group's figure, and of the spread over all: the worst upper and the best lower bound at the family's rung."""
    rng, runs = np.random.default_rng(7), 250
    difference, ratio = max(rates) - min(rates), min(rates) / max(rates)
    missed = np.zeros(4)
    for _ in range(runs):
        found = measured(
            disparities([group(rng.binomial(n, p), n) for p, n in zip(rates, rows, strict=True)], minimum_clusters=8)
        )
        family = np.searchsorted([1, 2, 5, 10], len(found))
        missed += [
            max(figure(one.difference).upper[0] for one in found) < difference,
            max(figure(one.difference).lower[family] for one in found) > difference + 1e-12,
            min(figure(one.ratio).lower[0] for one in found) > ratio + 1e-12,
            min(figure(one.ratio).upper[family] for one in found) < ratio,
        ]
    assert np.all(missed / runs <= 0.05 + THREE_ERRORS * np.sqrt(0.05 * 0.95 / runs)), missed / runs


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_bounds_hold_where_groups_share_their_days(shared: float) -> None:
    rng, runs, clusters, missed = np.random.default_rng(8), 200, 20, np.zeros(2)
    node, weight = np.polynomial.hermite_e.hermegauss(31)
    # Logits -1 and -0.4 with a shock of deviation .6 by day: the same in both groups, or of each group its own.
    truth = [float((1 / (1 + np.exp(-(mean + 0.6 * node)))) @ weight / weight.sum()) for mean in (-1, -0.4)]
    for _ in range(runs):
        cluster, second = rng.integers(0, clusters, 800), rng.random(800) < 0.3
        day, own = rng.normal(0, 0.6, clusters), rng.normal(0, 0.6, (2, clusters))
        shock = np.sqrt(shared) * day[cluster] + np.sqrt(1 - shared) * own[second.astype(int), cluster]
        hit = rng.random(800) < 1 / (1 + np.exp(-(np.where(second, -0.4, -1) + shock)))
        [found] = measured(disparities(groups_of(hit, second, cluster=cluster), minimum_clusters=8))
        one = figure(found.difference)
        missed += [one.upper[0] < truth[1] - truth[0], one.lower[0] > truth[1] - truth[0]]
    assert np.all(missed / runs <= 0.05 + THREE_ERRORS * np.sqrt(0.05 * 0.95 / runs)), missed / runs


def test_the_order_of_groups_does_not_matter_and_bounds_widen_along_the_ladder() -> None:
    groups = [group(30, 300), group(60, 200), group(9, 100)]
    first = disparities(groups, minimum_clusters=8)
    for order in itertools.permutations(range(3)):
        again = disparities([groups[i] for i in order], minimum_clusters=8)
        for place, i in enumerate(order):
            one, other = first[i], again[place]
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert np.array_equal(figure(one.difference).upper, figure(other.difference).upper)
    for one in measured(first):
        for found in (figure(one.difference), figure(one.ratio)):
            assert np.all(np.diff(found.lower) <= 0)
            assert np.all(np.diff(found.upper) >= 0)
            assert np.all((found.lower <= found.estimate) & (found.estimate <= found.upper))
