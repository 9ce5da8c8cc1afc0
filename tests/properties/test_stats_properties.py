"""What holds for any rows: order and chunks change nothing, bounds are ordered and widen with confidence, models swap."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from same_figures import same

from gates.measure.stats.auc import Placements, auc, auc_difference
from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure, at_ladder, quantiles
from gates.measure.stats.means import PairSums, loss_ratio, mean_loss
from gates.measure.stats.proportions import bin_gap, coverage, proportion
from gates.measure.stats.spiegelhalter import spiegelhalter
from gates.records import LADDER, Reason

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

SCORES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.5, 1.0, 1e-300, 5e-324, 1 - 1e-16]))
ROW = st.tuples(st.integers(0, 1), SCORES, SCORES, st.integers(0, 11))


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    drawn = draw(st.lists(ROW, min_size=1, max_size=60))
    y, p, q, cluster = zip(*drawn, strict=True)
    return np.array(y, dtype=float), np.array(p), np.array(q), np.array(cluster, dtype=np.int64)


def cells(y: np.ndarray, p: np.ndarray, cluster: np.ndarray | None) -> Cells:
    """One cell a row: the finest chunks."""
    code = np.searchsorted(np.arange(1, 10) / 10, p, side="left").astype(np.int64)
    return Cells(code, np.ones_like(p), p, p * p, y, p * y, cluster)


def own(p: np.ndarray) -> float:
    return float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())


def sums(y: np.ndarray, p: np.ndarray, q: np.ndarray, cluster: np.ndarray | None) -> PairSums:
    cell = np.zeros(y.size, dtype=np.int64) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    a, b, flip_a, flip_b = (p - y) ** 2, (q - y) ** 2, 1 - 2 * p, 1 - 2 * q
    terms = (np.ones_like(p), a, b, a * a, a * b, b * b, flip_a**2, flip_b**2)
    return PairSums(*(np.bincount(cell, weights=term) for term in terms), clustered=cluster is not None)


def figures(some: Rows, *, clustered: bool) -> dict[str, Figure | Reason]:
    y, p, q, cluster = some
    by = cluster if clustered else None
    least: Any = {"minimum_clusters": 8}
    one = cells(y, p, by)
    return {
        "ece": ece(one, **least),
        "bin": bin_gap(one, **least),
        "spiegelhalter": spiegelhalter(one, own(p), **least),
        "coverage": coverage(y, np.ones_like(y), by, **least),
        "auc": auc(Placements.of(y, p), by, **least),
        "auc_difference": auc_difference(Placements.of(y, p), Placements.of(y, q), by, **least),
        "loss": mean_loss(sums(y, p, q, by), **least, ceiling=1),
        "ratio": loss_ratio(sums(y, p, q, by), **least),
    }


RANGES = {
    "ece": (0, 1),
    "bin": (-1, 1),
    "spiegelhalter": (-np.inf, np.inf),
    "coverage": (0, 1),
    "auc": (0, 1),
    "auc_difference": (-1, 1),
    "loss": (0, 1),
    "ratio": (0, np.inf),
}


@given(rows(), st.booleans())
def test_bounds_are_ordered_in_range_and_widen_with_confidence(some: Rows, clustered: bool) -> None:
    for name, found in figures(some, clustered=clustered).items():
        if isinstance(found, Reason):
            continue
        low, high = RANGES[name]
        assert np.isfinite(found.estimate)
        slack = 1e-12 * max(1, abs(found.estimate))
        assert np.all(found.lower <= found.estimate + slack), name
        assert np.all(found.upper >= found.estimate - slack), name
        assert np.all(np.diff(found.lower) <= slack), name
        assert np.all(found.upper[1:] >= found.upper[:-1] - slack), name
        assert np.all(found.lower >= low - slack), name
        assert np.all(found.upper <= high + slack), name
        assert not np.isnan(found.lower).any()
        assert not np.isnan(found.upper).any()
        assert found.n == some[0].size
        assert (found.clusters is None) == (not clustered)
        assert [bound.confidence for bound in found.bounds()] == list(LADDER)


@given(rows(), st.booleans())
def test_few_clusters_are_a_reason_and_only_they(some: Rows, clustered: bool) -> None:
    found = figures(some, clustered=clustered)
    rows = np.unique(some[3], return_counts=True)[1]
    few = clustered and round(float(rows.sum() ** 2 / (rows**2).sum())) < 8
    for name in ("ece", "bin", "spiegelhalter", "coverage", "loss", "ratio"):
        assert (found[name] is Reason.FEW_CLUSTERS) == few
    if np.unique(some[0]).size < 2:
        assert found["auc"] is found["auc_difference"] is Reason.ONE_CLASS


@given(rows(), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_area_and_nothing_else_beyond_rounding(
    some: Rows, clustered: bool, random: Any
) -> None:
    order = list(range(some[0].size))
    random.shuffle(order)
    shuffled: Any = tuple(column[order] for column in some)
    before, after = figures(some, clustered=clustered), figures(shuffled, clustered=clustered)
    for name, found in before.items():
        same(found, after[name], exact=name.startswith("auc"))


@given(rows(), st.booleans())
def test_chunks_add_up(some: Rows, clustered: bool) -> None:
    """Cells merged by (cluster, bin) give what one cell a row gives: any engine may cut the table anywhere."""
    y, p, _, cluster = some
    one = cells(y, p, cluster if clustered else None)
    key = one.bin + 100 * cluster if clustered else one.bin
    distinct, code = np.unique(key, return_inverse=True)
    total = [np.bincount(code, weights=column) for column in (one.n, one.p, one.pp, one.y, one.py)]
    merged = Cells(distinct % 100, *total, distinct // 100 if clustered else None)
    for function in (ece, bin_gap):
        same(function(one, minimum_clusters=8), function(merged, minimum_clusters=8))
    same(*(spiegelhalter(found, own(p), minimum_clusters=8) for found in (one, merged)))


@given(rows(), st.booleans())
def test_swapped_models_mirror_the_difference_and_invert_the_ratio(some: Rows, clustered: bool) -> None:
    y, p, q, cluster = some
    there = figures(some, clustered=clustered)
    back = figures((y, q, p, cluster), clustered=clustered)
    forward, mirrored = there["auc_difference"], back["auc_difference"]
    same(forward.mirrored() if isinstance(forward, Figure) else forward, mirrored)
    pair = sums(y, p, q, cluster if clustered else None)
    same(mean_loss(pair.swapped(), minimum_clusters=8, ceiling=1), back["loss"])
    ratio, inverse = there["ratio"], back["ratio"]
    if isinstance(ratio, Figure) and isinstance(inverse, Figure):
        assume(ratio.estimate > 1e-6 and inverse.estimate > 1e-6)
        assert abs(ratio.estimate * inverse.estimate - 1) < 1e-9
        # The set of ratios not refuted is the same set, read from the other side, where both ends are finite.
        both = np.isfinite(ratio.upper) & np.isfinite(inverse.upper) & (ratio.lower > 1e-6) & (inverse.lower > 1e-6)
        if not clustered:
            np.testing.assert_allclose(ratio.upper[both] * inverse.lower[both], 1, rtol=1e-5)


@given(rows(), st.integers(2, 20))
def test_more_of_the_same_rows_narrow_the_bounds(some: Rows, times: int) -> None:
    few = figures(some, clustered=False)
    many: Any = figures(tuple(np.tile(column, times) for column in some), clustered=False)  # type: ignore[arg-type]
    for name in ("bin", "coverage", "auc", "auc_difference"):
        before, after = few[name], many[name]
        if isinstance(before, Reason) or isinstance(after, Reason):
            assert before is after
            continue
        # One row of a class says nothing of its spread; from two on each further row narrows.
        if name.startswith("auc") and min(some[0].sum(), some[0].size - some[0].sum()) < 2:
            continue
        assert np.all(after.upper - after.lower <= before.upper - before.lower + 1e-9), name


@given(st.integers(1, 5_000), st.floats(0, 1))
def test_a_rate_and_its_complement_mirror(n: int, share: float) -> None:
    k = round(share * n)
    lower, upper = proportion(k / n, n)
    other_lower, other_upper = proportion((n - k) / n, n)
    np.testing.assert_allclose(lower, 1 - other_upper, atol=1e-9)
    np.testing.assert_allclose(upper, 1 - other_lower, atol=1e-9)


@given(st.integers(2, 10_000))
def test_quantiles_of_clusters_are_wider_than_normal(clusters: int) -> None:
    assert np.all(quantiles(clusters) > quantiles(None))
    assert np.all(np.diff(quantiles(clusters)) > 0)


def test_bounds_from_a_function_stand_at_the_ladder() -> None:
    bounds = at_ladder(lambda confidence: (-np.inf, confidence))
    assert [bound.upper for bound in bounds] == list(LADDER)
    assert {bound.lower for bound in bounds} == {"unbounded"}
