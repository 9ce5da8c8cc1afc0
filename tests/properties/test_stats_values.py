"""Means and shares of values of any size: units, order, chunks and sides; and what a holdout's resolution must follow."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gates.measure.stats.averages import Total, average
from gates.measure.stats.explained import Spread, explained, explained_difference
from gates.measure.stats.figure import Figure
from gates.measure.stats.resolution import bins_limit, ece_limit, hardest_scores, levels_limit
from gates.measure.stats.sequences import FEWEST, mean_sequence, share_sequence
from gates.records import Reason

LEAST: Any = {"minimum_clusters": 8}
VALUES = st.one_of(st.floats(-100, 100), st.sampled_from([0.0, 1.0, -1.0]))
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES, st.integers(0, 11)), min_size=1, max_size=50)


def table(rows: list[tuple[float, float, float, int]]) -> tuple[np.ndarray, ...]:
    y, p, q, cluster = zip(*rows, strict=True)
    return np.array(y), np.array(p), np.array(q), np.unique(cluster, return_inverse=True)[1]


def total(values: np.ndarray, cluster: np.ndarray, *, clustered: bool) -> Total:
    cell = cluster if clustered else np.zeros(values.size, dtype=np.int64)
    n, summed = np.bincount(cell).astype(float), np.bincount(cell, weights=values)
    return Total(n, summed, float((values**2).sum()), clustered, values - values.mean())


def spread(y: np.ndarray, p: np.ndarray, q: np.ndarray, cluster: np.ndarray, *, clustered: bool) -> Spread:
    u = y - y.mean()
    columns = np.array([u, u**2, (y - p) ** 2, (y - q) ** 2])
    cell = cluster if clustered else np.zeros(y.size, dtype=np.int64)
    sums = np.array([np.bincount(cell, weights=column) for column in columns])
    n = np.bincount(cell).astype(float)
    return Spread(n, sums, columns @ columns.T, columns.sum(axis=1), float(y.size), clustered)


def ordered(figure: Figure | Reason) -> None:
    if isinstance(figure, Figure):
        slack = 1e-9 * max(1.0, abs(figure.estimate))
        assert not np.isnan(figure.lower).any()
        assert not np.isnan(figure.upper).any()
        assert np.all(figure.lower <= figure.estimate + slack)
        assert np.all(figure.upper >= figure.estimate - slack)
        assert np.all(figure.lower[1:] <= figure.lower[:-1] + slack)
        assert np.all(figure.upper[1:] >= figure.upper[:-1] - slack)


@given(ROWS, st.booleans())
def test_bounds_are_ordered_and_widen_with_confidence(rows: Any, clustered: bool) -> None:
    y, p, q, cluster = table(rows)
    ordered(average(total(y, cluster, clustered=clustered), **LEAST))
    for function in (explained, explained_difference):
        ordered(function(spread(y, p, q, cluster, clustered=clustered), **LEAST))


@given(ROWS, st.booleans(), st.sampled_from([0.25, 8.0, 1024.0]))
def test_the_unit_scales_a_mean_and_leaves_a_share(rows: Any, clustered: bool, unit: float) -> None:
    y, p, q, cluster = table(rows)
    assume(np.abs(y).max() > 1e-3)
    here, there = (average(total(v * y, cluster, clustered=clustered), **LEAST) for v in (1.0, unit))
    close(here, there, unit)
    assume(np.ptp(y) > 1e-3)
    for function in (explained, explained_difference):
        one, other = (function(spread(v * y, v * p, v * q, cluster, clustered=clustered), **LEAST) for v in (1.0, unit))
        close(one, other, 1.0)


@given(ROWS, st.booleans())
def test_swapped_models_and_turned_signs_mirror(rows: Any, clustered: bool) -> None:
    y, p, q, cluster = table(rows)
    found, turned = (average(total(v * y, cluster, clustered=clustered), **LEAST) for v in (1.0, -1.0))
    close(found.mirrored() if isinstance(found, Figure) else found, turned, 1.0)
    assume(np.ptp(y) > 1e-3)
    one = explained_difference(spread(y, p, q, cluster, clustered=clustered), **LEAST)
    other = explained_difference(spread(y, q, p, cluster, clustered=clustered), **LEAST)
    close(one.mirrored() if isinstance(one, Figure) else one, other, 1.0)


@settings(max_examples=settings().max_examples // 4)
@given(st.floats(0.001, 0.999), st.integers(1, 20), st.integers(30, 100_000), st.integers(2, 50))
def test_more_rows_show_smaller_errors(rate: float, bins: int, few: int, times: int) -> None:
    whole, single = hardest_scores(rate, bins)
    assert ece_limit(whole, few * times) <= ece_limit(whole, few) + 1e-12
    assert bins_limit(single, few * times) <= bins_limit(single, few) + 1e-6
    assert levels_limit((0.9,), few * times) <= levels_limit((0.9,), few) + 1e-3


@given(st.floats(0.001, 0.999), st.integers(1, 20), st.integers(100, 100_000), st.floats(1, 50), st.integers(8, 400))
def test_rows_that_share_more_show_less(rate: float, bins: int, rows: int, effect: float, number: int) -> None:
    whole, single = hardest_scores(rate, bins)
    few: dict[str, float] = {"freedom": number - 1, "number": min(number, rows)}
    assert ece_limit(whole, rows, **few) <= ece_limit(whole, rows, effect=effect, **few) + 1e-12
    assert bins_limit(single, rows, **few) <= bins_limit(single, rows, effect=effect, **few) + 1e-3
    assert levels_limit((0.9,), rows, **few) <= levels_limit((0.9,), rows, effect=effect, **few) + 1e-3


def close(first: Figure | Reason, second: Figure | Reason, unit: float) -> None:
    if isinstance(first, Reason) or isinstance(second, Reason):
        assert first is second
        return
    for one, other in ((first.estimate, second.estimate), (first.lower, second.lower), (first.upper, second.upper)):
        np.testing.assert_allclose(unit * np.asarray(one), other, rtol=1e-6, atol=1e-7 * unit)


@settings(max_examples=settings().max_examples // 4)
@given(st.integers(1, 10**9), st.floats(0, 1), st.integers(1, 10**12))
def test_bounds_of_a_stream_are_ordered_and_mirror(n: int, share: float, planned: int) -> None:
    k = round(share * n)
    found, other = share_sequence(k, n, planned=planned), share_sequence(n - k, n, planned=planned)
    ordered(found)
    close(found.shifted(-1).mirrored() if isinstance(found, Figure) else found, other, 1.0)
    assert isinstance(found, Figure)
    assert np.all(found.lower >= 0)
    assert np.all(found.upper <= 1)
    assert np.all(found.lower < k / n) or k == 0
    assert np.all(found.upper > k / n) or k == n
    if k < n:
        more = share_sequence(k + 1, n, planned=planned)
        assert isinstance(more, Figure)
        assert np.all(more.lower >= found.lower)
        assert np.all(more.upper >= found.upper)


@given(st.integers(0, 10**6), st.floats(-100, 100), st.floats(0, 100), st.integers(1, 10**9), st.booleans())
def test_bounds_of_a_stream_of_numbers_are_ordered_and_hold_more_than_those_of_one_look(
    n: int, mean: float, deviation: float, planned: int, declared: bool
) -> None:
    sums = np.array([float(n)]), np.array([n * mean])
    some = Total(*sums, n * (mean**2 + deviation**2), range=(-200.0, 200.0) if declared else None)
    found = mean_sequence(some, planned=planned)
    ordered(found)
    if n < FEWEST:
        assert found is (Reason.FEW_EVENTS if n else Reason.EMPTY_TABLE)
        return
    once = average(some, **LEAST)
    assert isinstance(found, Figure)
    assert isinstance(once, Figure)
    assert np.all(found.lower <= once.lower)
    assert np.all(found.upper >= once.upper)
