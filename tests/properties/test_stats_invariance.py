"""What a change of units, of weights' scale, of names or of sides must leave as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from same_figures import same

from gates.measure.stats.auc import Placements, auc, auc_difference
from gates.measure.stats.average_precision import Precision, average_precision, average_precision_difference
from gates.measure.stats.cells import Cells
from gates.measure.stats.conformal import Curve, chance_beyond, coverage_spread, curve_gap
from gates.measure.stats.ece import ece, slope, squared_error
from gates.measure.stats.figure import Figure
from gates.measure.stats.groups import Group, disparities
from gates.measure.stats.joint import ACCURACY, F1, MCC, Joint, decision_difference, decision_metric
from gates.measure.stats.means import PairSums, loss_ratio, mean_difference, mean_loss
from gates.measure.stats.proportions import bin_gap, coverage, proportion
from gates.measure.stats.spiegelhalter import spiegelhalter
from gates.records import Reason

third = settings(max_examples=settings().max_examples // 3)
"""Each example makes many figures."""

LEAST: Any = {"minimum_clusters": 8}
Columns = dict[str, np.ndarray]

SCORES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.5, 1.0]))
ROW = st.fixed_dictionaries(
    {
        "y": st.integers(0, 1),
        "p": SCORES,
        "q": SCORES,
        "cluster": st.integers(0, 11),
        "w": st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0]),
        "group": st.integers(0, 3),
        "chunk": st.integers(0, 2),
    }
)


@st.composite
def tables(draw: st.DrawFn) -> Columns:
    drawn = draw(st.lists(ROW, min_size=1, max_size=60))
    whole = {"cluster", "group", "chunk"}
    return {
        name: np.array([row[name] for row in drawn], dtype=np.int64 if name in whole else float) for name in ROW_NAMES
    }


ROW_NAMES = ("y", "p", "q", "cluster", "w", "group", "chunk")


def cells(t: Columns, *, clustered: bool) -> Cells:
    code = np.searchsorted(np.arange(1, 10) / 10, t["p"], side="left").astype(np.int64)
    p, y = t["p"], t["y"]
    return Cells(code, np.ones_like(p), p, p * p, y, p * y, t["cluster"] if clustered else None)


def exact(some: Cells, p: np.ndarray, w: np.ndarray) -> Figure | Reason:
    """Spiegelhalter's Z of the rows that cells were made of."""
    return spiegelhalter(some, float((w**2 * (1 - 2 * p) ** 2 * p * (1 - p)).sum()), **LEAST)


def weighted_coverage(t: Columns, w: np.ndarray, *, clustered: bool) -> Figure | Reason:
    owner = t["cluster"] if clustered else None
    squares = (t["y"] * w**2, w**2)
    return coverage(t["y"] * w, w, owner, **LEAST, squares=squares, rows=w.size, heaviest=w.max())


def curve(t: Columns, w: np.ndarray, *, clustered: bool, chunks: bool = False) -> Figure | Reason:
    levels = (0.2, 0.5, 0.8)
    hits = [(t["p"] <= level) * w for level in levels]
    owner = t["cluster"] if clustered else None
    columns, squared = [*hits, w], [*((t["p"] <= level) * w**2 for level in levels), w**2]
    if chunks:
        key = t["chunk"] + (10 * t["cluster"] if clustered else 0)
        distinct, code = np.unique(key, return_inverse=True)
        columns, squared = ([np.bincount(code, weights=v) for v in some] for some in (columns, squared))
        owner = distinct // 10 if clustered else None
    several = Curve(levels, columns[:-1], columns[-1], owner, w.size, (squared[:-1], squared[-1]), w.max())
    return curve_gap(several, **LEAST)


def groups(t: Columns, w: np.ndarray, *, clustered: bool) -> list[Group]:
    found = []
    for code in range(4):
        own = t["group"] == code
        y, v = t["y"][own], w[own]
        owner = t["cluster"][own] if clustered else None
        found.append(Group(y * v, v, y * v**2, v**2, int(own.sum()), owner, w.max()))
    return found


def sums(a: np.ndarray, b: np.ndarray, t: Columns, *, clustered: bool, scale: float = 1.0) -> PairSums:
    cell = np.unique(t["cluster"], return_inverse=True)[1] if clustered else np.zeros(a.size, dtype=np.int64)
    flip_a, flip_b = scale * (1 - 2 * t["p"]), scale * (1 - 2 * t["q"])
    terms = (np.ones_like(a), a, b, a * a, a * b, b * b, flip_a**2, flip_b**2)
    return PairSums(*(np.bincount(cell, weights=term) for term in terms), clustered=clustered)


@third
@given(tables(), st.booleans(), st.sampled_from([1e-3, 0.1, 3.0, 1e4]))
def test_the_scale_of_the_weights_changes_nothing(t: Columns, clustered: bool, scale: float) -> None:
    for function in (weighted_coverage, curve):
        same(function(t, t["w"], clustered=clustered), function(t, scale * t["w"], clustered=clustered))
    before, after = (disparities(groups(t, v * t["w"], clustered=clustered), **LEAST) for v in (1.0, scale))
    for one, other in zip(before, after, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            same(one.difference, other.difference)
            same(one.ratio, other.ratio)


@third
@given(tables(), st.booleans())
def test_weights_of_one_are_no_weights(t: Columns, clustered: bool) -> None:
    one = np.ones_like(t["p"])
    plain = coverage(t["y"], one, t["cluster"] if clustered else None, **LEAST)
    same(weighted_coverage(t, one, clustered=clustered), plain)


@third
@given(tables(), st.booleans())
def test_weights_that_differ_never_narrow_a_share(t: Columns, clustered: bool) -> None:
    """Rows of unequal weight tell no more than as many of equal weight and the same share."""
    found = weighted_coverage(t, t["w"], clustered=clustered)
    if isinstance(found, Figure) and not clustered:
        kish = t["w"].sum() ** 2 / (t["w"] ** 2).sum()
        lower, upper = proportion(found.estimate, kish)
        assert np.all(found.lower <= lower + 1e-9)
        assert np.all(found.upper >= upper - 1e-9)


@third
@given(tables(), st.booleans())
def test_the_curve_may_be_cut_in_chunks(t: Columns, clustered: bool) -> None:
    same(curve(t, t["w"], clustered=clustered), curve(t, t["w"], clustered=clustered, chunks=True))


@third
@given(tables(), st.booleans())
def test_bounds_of_curves_and_groups_are_ordered_and_widen_with_confidence(t: Columns, clustered: bool) -> None:
    found = [curve(t, t["w"], clustered=clustered)]
    for one in disparities(groups(t, t["w"], clustered=clustered), **LEAST):
        found += [] if one is None else [one.difference, one.ratio]
    for figure in found:
        if isinstance(figure, Figure):
            assert np.all((figure.lower >= 0) & (figure.upper <= 1 + 1e-12))
            assert np.all(figure.lower <= figure.estimate + 1e-9)
            assert np.all(figure.upper >= figure.estimate - 1e-9)
            assert np.all(np.diff(figure.lower) <= 1e-9)
            assert np.all(np.diff(figure.upper) >= -1e-9)


@third
@given(tables(), st.booleans())
def test_the_farthest_group_is_as_far_as_the_highest_rate_from_the_lowest(t: Columns, clustered: bool) -> None:
    some = groups(t, t["w"], clustered=clustered)
    figures = [one.difference for one in disparities(some, **LEAST) if one is not None]
    measured = [figure for figure in figures if isinstance(figure, Figure)]
    if len(measured) == len(figures) == sum(group.rows > 0 for group in some) - 1:
        rates = [group.rate for group in some if group.rows > 0]
        assert abs(max(f.estimate for f in measured) - (max(rates) - min(rates))) < 1e-12


@third
@given(tables(), st.booleans())
def test_turned_labels_and_scores_mirror(t: Columns, clustered: bool) -> None:
    """Of the complement of both, the calibration error is the same and the gaps of bins are mirrored."""
    here = cells(t, clustered=clustered)
    turned = Cells(
        9 - here.bin,
        here.n,
        here.n - here.p,
        here.n - 2 * here.p + here.pp,
        here.n - here.y,
        here.n - here.y - here.p + here.py,
        here.cluster,
    )
    same(ece(here, **LEAST), ece(turned, **LEAST))
    one = np.ones_like(t["p"])
    same(exact(here, t["p"], one), exact(turned, 1 - t["p"], one))
    gap, mirrored = bin_gap(here, **LEAST), bin_gap(turned, **LEAST)
    same(gap.mirrored() if isinstance(gap, Figure) else gap, mirrored)
    squared = squared_error(here, **LEAST), squared_error(turned, **LEAST)
    if isinstance(squared[0], Reason) or isinstance(squared[1], Reason):
        assert squared[0] is squared[1]
    else:
        np.testing.assert_allclose(squared[0], squared[1], atol=1e-9)


@third
@given(tables(), st.booleans())
def test_an_area_depends_on_the_order_of_the_scores_alone(t: Columns, clustered: bool) -> None:
    owner = t["cluster"] if clustered else None
    ranks = {name: np.unique(t[name], return_inverse=True)[1] * 17.0 - 5 for name in ("p", "q")}
    for name in ("p", "q"):
        one, other = (auc(Placements.of(t["y"], score), owner, **LEAST) for score in (t[name], ranks[name]))
        same(one, other, exact=True)
    one, other = (
        auc_difference(Placements.of(t["y"], p), Placements.of(t["y"], q), owner, **LEAST)
        for p, q in ((t["p"], t["q"]), (ranks["p"], ranks["q"]))
    )
    same(one, other, exact=True)


@third
@given(tables(), st.booleans(), st.sampled_from([0.125, 0.3, 7.0, 64.0]))
def test_the_unit_of_a_loss_scales_its_mean_and_leaves_the_ratio(t: Columns, clustered: bool, unit: float) -> None:
    a, b = (t["p"] - t["y"]) ** 2, (t["q"] - t["y"]) ** 2
    assume(a.mean() > 1e-6 and b.mean() > 1e-6)
    here = sums(a, b, t, clustered=clustered)
    there = sums(unit * a, unit * b, t, clustered=clustered, scale=unit)
    same(loss_ratio(here, **LEAST), loss_ratio(there, **LEAST))
    one, other = mean_loss(here, **LEAST), mean_loss(there, **LEAST)
    if isinstance(one, Reason) or isinstance(other, Reason):
        assert one is other
    else:
        np.testing.assert_allclose(unit * one.estimate, other.estimate, rtol=1e-9)
        np.testing.assert_allclose(unit * one.lower, other.lower, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(unit * one.upper, other.upper, rtol=1e-6, atol=1e-9)


@third
@given(st.integers(1, 5_000), st.integers(0, 5_000), st.integers(0, 5_000))
def test_more_hits_raise_both_limits(n: int, first: int, second: int) -> None:
    fewer, more = sorted((min(first, n), min(second, n)))
    for low, high in zip(proportion(fewer / n, n), proportion(more / n, n), strict=True):
        assert np.all(low <= high + 1e-9)


@third
@given(st.integers(1, 200), st.integers(2, 10), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.floats(0, 0.5))
def test_more_calibration_rows_hold_coverage_nearer_to_its_level(
    few: int, times: int, level: float, distance: float
) -> None:
    # Ranks without rounding, so that nothing but the number of rows differs.
    small, large = 20 * few - 1, 20 * few * times - 1
    assert chance_beyond(large, level, distance) <= chance_beyond(small, level, distance) + 1e-9
    assert chance_beyond(small, level, distance) >= chance_beyond(small, level, distance + 0.01) - 1e-12
    near, far = coverage_spread(large, level), coverage_spread(small, level)
    assert isinstance(near, Figure)
    assert isinstance(far, Figure)
    assert np.all(near.upper <= far.upper + 1e-9)
    assert near.estimate <= far.estimate + 1e-9


def weighted_cells(t: Columns, w: np.ndarray, *, clustered: bool) -> Cells:
    plain = cells(t, clustered=clustered)

    def times(v: np.ndarray, squares: Cells | None) -> Cells:
        columns = (v * values for values in (plain.n, plain.p, plain.pp, plain.y, plain.py))
        top = squares is not None
        return Cells(plain.bin, *columns, plain.cluster, squares, plain.n if top else None, w.max() if top else None)

    return times(w, times(w**2, None))


def ranked_figures(t: Columns, w: np.ndarray | None, *, clustered: bool) -> dict[str, Figure | Reason]:
    owner = t["cluster"] if clustered else None
    placed = [Placements.of(t["y"], t[name], w) for name in ("p", "q")]
    precise = [Precision.of(t["y"], t[name], w) for name in ("p", "q")]
    return {
        "auc": auc(placed[0], owner, **LEAST),
        "auc_difference": auc_difference(placed[0], placed[1], owner, **LEAST),
        "average_precision": average_precision(precise[0], owner, **LEAST),
        "average_precision_difference": average_precision_difference(precise[0], precise[1], owner, **LEAST),
    }


def joint(t: Columns, *, clustered: bool) -> Joint:
    owner = np.unique(t["cluster"], return_inverse=True)[1] if clustered else np.zeros(t["y"].size, dtype=np.int64)
    cell = 4 * t["y"].astype(np.int64) + 2 * (t["p"] > 0.5) + (t["q"] > 0.5)
    size = int(owner.max()) + 1
    counts = np.bincount(owner * 8 + cell, minlength=8 * size).reshape(size, 8).astype(float)
    return Joint(counts, clustered, float(t["y"].size), seed=3)


@third
@given(tables(), st.booleans(), st.sampled_from([0.1, 3.0]))
def test_the_scale_of_the_weights_changes_no_ranking_and_no_bin(t: Columns, clustered: bool, scale: float) -> None:
    # Ranks count weights to 2^-24 of their mean, as the gate hands them over.
    of_mean = (v * t["w"] / (v * t["w"]).mean() for v in (1.0, scale))
    here, there = (ranked_figures(t, weight, clustered=clustered) for weight in of_mean)
    for name, found in here.items():
        same(found, there[name])
    one, other = (weighted_cells(t, v * t["w"], clustered=clustered) for v in (1.0, scale))
    for function in (ece, bin_gap):
        same(function(one, **LEAST), function(other, **LEAST))
    same(exact(one, t["p"], t["w"]), exact(other, t["p"], scale * t["w"]))


@third
@given(tables(), st.booleans())
def test_equal_weights_rank_and_bin_as_none(t: Columns, clustered: bool) -> None:
    here = ranked_figures(t, None, clustered=clustered)
    for name, found in ranked_figures(t, np.full_like(t["w"], 1.0), clustered=clustered).items():
        same(found, here[name])
    weighted = weighted_cells(t, np.ones_like(t["w"]), clustered=clustered)
    for function in (ece, bin_gap):
        same(function(cells(t, clustered=clustered), **LEAST), function(weighted, **LEAST))
    alone = np.ones_like(t["w"])
    same(exact(cells(t, clustered=clustered), t["p"], alone), exact(weighted, t["p"], alone))


@third
@given(tables(), st.booleans(), st.booleans())
def test_bounds_of_the_newer_figures_are_ordered_and_widen_with_confidence(
    t: Columns, clustered: bool, weighted: bool
) -> None:
    found = list(ranked_figures(t, t["w"] if weighted else None, clustered=clustered).values())
    some = weighted_cells(t, t["w"], clustered=clustered) if weighted else cells(t, clustered=clustered)
    found += [ece(some, **LEAST), bin_gap(some, **LEAST), slope(some, some.bin // 2, **LEAST)]
    found.append(exact(some, t["p"], t["w"] if weighted else np.ones_like(t["w"])))
    pairs = sums((t["p"] - t["y"]) ** 2, (t["q"] - t["y"]) ** 2, t, clustered=clustered)
    found.append(mean_difference(pairs, apart=1.0, **LEAST))
    for figure in found:
        ordered(figure)


@third
@given(tables(), st.booleans())
def test_swapped_models_mirror_every_difference(t: Columns, clustered: bool) -> None:
    turned = {**t, "p": t["q"], "q": t["p"]}
    here, there = (ranked_figures(each, t["w"], clustered=clustered) for each in (t, turned))
    for name in ("auc_difference", "average_precision_difference"):
        found = here[name]
        same(found.mirrored() if isinstance(found, Figure) else found, there[name])
    pairs = sums((t["p"] - t["y"]) ** 2, (t["q"] - t["y"]) ** 2, t, clustered=clustered)
    found = mean_difference(pairs, apart=1.0, **LEAST)
    mirrored = mean_difference(pairs.swapped(), apart=1.0, **LEAST)
    same(found.mirrored() if isinstance(found, Figure) else found, mirrored)


@third
@given(tables(), st.booleans(), st.sampled_from([ACCURACY, F1, MCC]))
def test_decisions_swap_up_to_their_draws(t: Columns, clustered: bool, metric: Any) -> None:
    some = joint(t, clustered=clustered)
    for figure in (decision_metric(some, metric, **LEAST), decision_difference(some, metric, **LEAST)):
        ordered(figure)
    here, there = (decision_difference(each, metric, **LEAST) for each in (some, some.swapped()))
    if isinstance(here, Reason) or isinstance(there, Reason):
        assert here is there
    else:
        assert abs(here.estimate + there.estimate) < 1e-12
        # The draws are others, so that the bounds agree to what twenty thousand of them can tell.
        np.testing.assert_allclose(here.lower[:3], -there.upper[:3], atol=0.06)


def ordered(figure: Figure | Reason) -> None:
    if isinstance(figure, Figure):
        slack = 1e-9 * max(1.0, abs(figure.estimate))
        assert np.all(figure.lower <= figure.estimate + slack)
        assert np.all(figure.upper >= figure.estimate - slack)
        assert np.all(figure.lower[1:] <= figure.lower[:-1] + slack)
        assert np.all(figure.upper[1:] >= figure.upper[:-1] - slack)
