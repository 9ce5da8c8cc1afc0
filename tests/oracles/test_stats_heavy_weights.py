"""Heavy rows: what was never seen may weigh as much as the heaviest, and every bound of weighted rows allows for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from study.heavy_rows import cells, joint, losses
from worlds import Floats, Ints, logistic

from gates.measure.regression.ranks import Rows, weights_of_classes
from gates.measure.stats.auc import Placements, auc, auc_difference
from gates.measure.stats.average_precision import Precision, average_precision
from gates.measure.stats.clusters import Clusters, heavy_rows, unseen_rows
from gates.measure.stats.ece import ece, ece_sum
from gates.measure.stats.explained import Spread, explained
from gates.measure.stats.figure import Figure
from gates.measure.stats.groups import Group, disparities
from gates.measure.stats.joint import ACCURACY, decision_metric
from gates.measure.stats.means import mean_difference, mean_loss
from gates.measure.stats.proportions import bin_gap, coverage
from gates.records import Reason

Z = float(stats.norm.ppf(0.95))
FEW = -math.log(0.05)
LEAST = {"minimum_clusters": 8}


def figure(found: Figure | Reason) -> Figure:
    assert isinstance(found, Figure)
    return found


def share(hit: Floats, w: Floats, heaviest: float | None) -> Figure:
    found = coverage(hit * w, w, None, **LEAST, squares=(hit * w * w, w * w), rows=w.size, heaviest=heaviest)
    return figure(found)


def sample(n: int, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Score, outcome, weight (1 or 20) and another score, by row; the outcome follows the score."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, n)
    p, q = logistic(x), logistic(x + rng.normal(0, 0.3, n))
    return p, (rng.random(n) < p).astype(float), np.where(rng.random(n) < 0.02, 20.0, 1.0), q


def test_as_many_rows_as_heavy_ones_weigh_as_much() -> None:
    assert heavy_rows(300.0, None) == math.inf
    assert heavy_rows(300.0, 20.0) == 15
    groups = Clusters.of(np.full(20, 50.0))
    for rows, heavy, alone, together in ((1_000, 400, 1e-3, 1e-3), (1_000, 15, 1e-3, 2e-2), (1_000, 15, 0.0, 0.0)):
        bare = unseen_rows(groups, rows, alone, together, share=0.1)
        assert unseen_rows(groups, rows, alone, together, share=0.1, heavy=heavy) == min(bare, heavy)
        assert unseen_rows(None, rows, alone, together, share=0.1, heavy=heavy) == min(rows, heavy)
    # Kish's number of the rows seen is never less.
    for seed in range(20):
        w = np.random.default_rng(seed).lognormal(0, 1.5, 300)
        assert heavy_rows(w.sum(), w.max()) <= w.sum() ** 2 / (w @ w) * (1 + 1e-12)


def test_means_and_areas_are_the_formulas_row_by_row() -> None:
    p, y, w, _ = sample(2_000, 1)
    unseen = w.sum() / w.max()
    loss, flip = (p - y) ** 2, 1 - 2 * p
    found = figure(mean_loss(losses(loss, flip, w, 1.0, w.max()), **LEAST))
    mean, kish = w @ loss / w.sum(), w.sum() ** 2 / (w @ w)
    error = math.sqrt((w * w) @ (loss - mean) ** 2 / (1 - 1 / kish)) / w.sum()
    assert found.upper[0] == pytest.approx(mean + math.hypot(Z * error, Z**2 / unseen), rel=1e-9)
    apart = figure(mean_difference(losses(loss, flip, w, 1.0, w.max()), apart=3.0, **LEAST))
    half = FEW * 3.0 / unseen / 2
    assert apart.upper[0] - mean == pytest.approx(half + math.hypot(Z * error, half), rel=1e-9)
    area = figure(auc(Placements.of(y, p, w), **LEAST))
    bare = figure(auc(Placements.of(y, p), **LEAST))
    event, other = (w[y == label].sum() / w.max() for label in (1, 0))
    halves = [found.upper[0] - found.estimate for found in (area, bare)]
    assert halves[0] > Z**2 / min(event, other) > Z**2 / min(y.sum(), (1 - y).sum())
    # The variance of the weighted placements, by loops over pairs.
    pos, neg, wp, wn = p[y == 1], p[y == 0], w[y == 1], w[y == 0]
    wins = (pos[:, None] > neg[None, :]) + 0.5 * (pos[:, None] == neg[None, :])
    ten, one = wins @ wn / wn.sum(), wp @ wins / wp.sum()
    value = wp @ ten / wp.sum()

    def variance(v: Floats, of: Floats) -> float:
        size = v.sum() ** 2 / (v @ v)
        return float((v * v) @ (of - value) ** 2 / v.sum() ** 2 * size / (size - 1))

    expected = math.hypot(Z * math.sqrt(variance(wp, ten) + variance(wn, one)), Z**2 / min(event, other))
    assert halves[0] == pytest.approx(expected, rel=1e-6)


def every_figure(
    p: Floats, y: Floats, w: Floats, q: Floats, cluster: Ints | None, top: float | None
) -> dict[str, Figure]:
    """All weighted figures but those of the scorers, `top` being the heaviest weight of the table."""
    whole = cells(p, y, w, cluster, top)
    columns = np.stack([y - y.mean(), (y - y.mean()) ** 2, (p - y) ** 2, (q - y) ** 2])
    spread = Spread(
        w if cluster is not None else np.array([w.sum()]),
        columns * w if cluster is not None else (columns @ w)[:, None],
        (columns * w * w) @ columns.T,
        columns @ (w * w),
        float(w @ w),
        cluster is not None,
        w.max() if top is None else top,
    )
    if cluster is not None:
        spread = Spread(
            np.bincount(cluster, weights=w),
            np.array([np.bincount(cluster, weights=w * column) for column in columns]),
            *(getattr(spread, name) for name in ("products", "squares", "squared_weight", "clustered", "heaviest")),
        )
    hit, named = (p > 0.4).astype(float), q > 0.5
    heaviest = float(w.max()) if top is None else top
    tops = None if top is None else (top, top)
    groups = [
        Group(
            (w * hit)[own],
            w[own],
            (w * w * hit)[own],
            (w * w)[own],
            int(own.sum()),
            None if cluster is None else cluster[own],
            heaviest,
        )
        for own in (named, ~named)
    ]
    [pair] = [one for one in disparities(groups, **LEAST) if one is not None]
    table = coverage(w * hit, w, cluster, **LEAST, squares=(w * w * hit, w * w), rows=w.size, heaviest=heaviest)
    found = {
        "ece": ece(whole, **LEAST),
        "ece_sum": ece_sum([whole], whole, **LEAST),
        "bin": bin_gap(whole.select(whole.bin == 4), **LEAST),
        "coverage": table,
        "auc": auc(Placements.of(y, p, w, tops), cluster, **LEAST),
        "auc_difference": auc_difference(Placements.of(y, p, w, tops), Placements.of(y, q, w, tops), cluster, **LEAST),
        "average_precision": average_precision(Precision.of(y, p, w, tops), cluster, **LEAST),
        "r2": explained(spread, **LEAST),
        "group_difference": pair.difference,
        "group_ratio": pair.ratio,
    }
    if cluster is None:
        found["brier"] = mean_loss(losses((p - y) ** 2, 1 - 2 * p, w, 1.0, heaviest), **LEAST)
        found["accuracy"] = decision_metric(
            joint(y.astype(np.int64), (p > 0.5).astype(np.int64), w, heaviest), ACCURACY, **LEAST
        )
    return {name: figure(each) for name, each in found.items()}


@pytest.mark.parametrize("clusters", [None, 60])
def test_each_figure_of_a_slice_allows_for_the_heavy_rows_of_the_table(clusters: int | None) -> None:
    """None of the slice's rows is heavy, and they may be just those that were not seen."""
    p, y, _, q = sample(3_000, 2)
    w = np.ones(3_000)
    cluster = None if clusters is None else np.random.default_rng(3).integers(0, clusters, 3_000)
    alone, beside = (every_figure(p, y, w, q, cluster, top) for top in (1.0, 200.0))
    for name, found in beside.items():
        assert found.estimate == alone[name].estimate
        wider = found.upper[0] - found.lower[0] - (alone[name].upper[0] - alone[name].lower[0])
        # Of 200 times the weight a single row never seen moves a share by 1/15.
        assert wider > 0.02, name


HEAVY = [(3_000, 0.003, 50), (10_000, 0.001, 100), (3_000, 0.01, 20)]


def gone_wrong(n: int, part: float, heavy: int, runs: int, wrong: Callable[..., bool]) -> float:
    rng = np.random.default_rng(n + heavy)
    count = 0
    for _ in range(runs):
        w = np.where(rng.random(n) < part, float(heavy), 1.0)
        count += wrong(rng, w, w > 1)
    return count / runs


def tolerance(runs: int) -> float:
    return 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("n", "part", "heavy"), HEAVY)
def test_an_error_of_the_heavy_rows_alone_is_seldom_proven_not_to_be(n: int, part: float, heavy: int) -> None:
    """Scores of heavy rows are off by as much as makes the weighted error .02. By Kish's rows .06 to .23 passed."""
    weight = part * heavy / (1 - part + part * heavy)
    off = 0.02 / weight

    def passes(rng: np.random.Generator, w: Floats, h: np.ndarray) -> bool:
        p = np.where(h, rng.uniform(0.001, 0.02, n), rng.beta(0.5, 20, n))
        y = (rng.random(n) < p + off * h).astype(float)
        return bool(figure(ece(cells(p, y, w), **LEAST)).upper[0] < 0.02)

    assert gone_wrong(n, part, heavy, 300, passes) <= tolerance(300)


@pytest.mark.parametrize(("n", "part", "heavy"), HEAVY)
def test_shares_and_decisions_that_heavy_rows_miss_are_seldom_proven_higher(n: int, part: float, heavy: int) -> None:
    """By Kish's rows coverage in .05 to .09 of runs, and accuracy, whose spread left weights out, in .20 to .25."""
    light, held = 0.93, 0.5
    truth = ((1 - part) * light + part * heavy * held) / (1 - part + part * heavy)

    def covers(rng: np.random.Generator, w: Floats, h: np.ndarray) -> bool:
        hit = (rng.random(n) < np.where(h, held, light)).astype(float)
        return bool(share(hit, w, float(w.max())).lower[0] > truth)

    def decides(rng: np.random.Generator, w: Floats, h: np.ndarray) -> bool:
        y, right = rng.integers(0, 2, n), rng.random(n) < np.where(h, held, light)
        found = decision_metric(joint(y, np.where(right, y, 1 - y), w, float(w.max())), ACCURACY, **LEAST)
        return bool(figure(found).lower[0] > truth)

    assert gone_wrong(n, part, heavy, 1_000, covers) <= tolerance(1_000)
    assert gone_wrong(n, part, heavy, 200, decides) <= tolerance(200)


def test_a_slice_in_which_no_heavy_row_was_seen_proves_nothing() -> None:
    """A hundredth of 200 rows is heavy and missed: none is in the slice in .13 of runs."""
    runs, passed, by_own = 500, 0, 0
    rng = np.random.default_rng(8)
    truth = 0.99 * 0.99 / (0.99 + 0.01 * 50)
    for _ in range(runs):
        h = rng.random(200) < 0.01
        hit, w = ((rng.random(200) < 0.99) & ~h).astype(float), np.where(h, 50.0, 1.0)
        passed += bool(share(hit, w, 50.0).lower[0] > truth)
        by_own += bool(share(hit, w, float(w.max())).lower[0] > truth)
    assert passed == 0
    assert by_own / runs > 0.08


def test_what_heavy_weights_cost() -> None:
    """A perfect model of 3,000 rows, a hundredth of them worth 20, is proven within .02 less often than without weights."""
    runs, passed = 100, {"none": 0, "heavy": 0}
    rng = np.random.default_rng(9)
    for _ in range(runs):
        p = rng.beta(0.5, 20, 3_000)
        y = (rng.random(3_000) < p).astype(float)
        for name, w in (("none", np.ones(3_000)), ("heavy", np.where(rng.random(3_000) < 0.01, 20.0, 1.0))):
            passed[name] += bool(figure(ece(cells(p, y, w), **LEAST)).upper[0] < 0.02)
    assert passed["none"] >= 0.9 * runs
    assert 0.02 * runs <= passed["heavy"] <= 0.5 * runs


def test_a_class_of_which_a_share_was_kept_costs_the_other_nothing() -> None:
    """One in ten of the non-events was kept and weighs 10: 1,000 events are not worth 100."""
    rng = np.random.default_rng(10)
    y = np.repeat([1.0, 0.0], [1_000, 3_000])
    weight = np.where(y > 0, 1.0, 10.0)
    assert weights_of_classes(y, weight) == {0: 10.0, 1: 1.0}
    assert weights_of_classes(y, None) == {}
    assert weights_of_classes(y, np.where(np.arange(4_000) == 7, 10.0, weight)) == {}
    score = rng.normal(size=4_000) + 1.5 * y
    near = score + 0.01 * rng.normal(size=4_000)
    rows = Rows(y, {"candidate": near, "champion": score}, None, weight, 10.0, weights_of_classes(y, weight))
    assert rows.of_two == (1.0, 10.0)
    assert replace(rows, of_class={}).of_two == (10.0, 10.0)
    known, unknown = (
        figure(
            auc_difference(
                Placements.of(y, near, weight, most), Placements.of(y, score, weight, most), minimum_clusters=8
            )
        )
        for most in (rows.of_two, (10.0, 10.0))
    )
    assert known.lower[0] > -0.005
    assert unknown.lower[0] < -0.02
    bare = figure(auc_difference(Placements.of(y, near), Placements.of(y, score), minimum_clusters=8))
    assert known.lower[0] == pytest.approx(bare.lower[0], abs=1e-6)
