"""Weights: whole numbers are rows repeated, equal ones are none, and bounds hold where weights differ wildly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from worlds import Floats, Ints, cells_of, edges_of, logistic, logits, outcomes, slope_of, stretched

from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece, ece_sum, squared_error
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import bin_gap

LEAST = {"minimum_clusters": 8}


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


def weighted(p: Floats, y: Floats, w: Floats, cluster: Ints | None = None, edges: Floats | None = None) -> Cells:
    """Every row a cell."""
    code = np.searchsorted(edges_of(p) if edges is None else edges, p, side="left").astype(np.int64)

    def cells(v: Floats, squares: Cells | None, count: Floats | None) -> Cells:
        most = None if squares is None else float(w.max())
        return Cells(code, v, v * p, v * p * p, v * y, v * p * y, cluster, squares, count, most)

    return cells(w, cells(w * w, None, None), np.ones_like(w))


def sample(n: int, seed: int = 1) -> tuple[Floats, Floats, np.random.Generator]:
    rng = np.random.default_rng(seed)
    x = logits(rng, "bal", n)
    return stretched(x, 1.4, "bal"), outcomes(rng, logistic(x)), rng


def test_whole_weights_are_repeated_rows_for_estimates() -> None:
    p, y, rng = sample(2_000)
    times = rng.integers(1, 6, p.size)
    often = edges_of(np.repeat(p, times))
    ours, theirs = (
        weighted(p, y, times * 2000 / times.sum(), edges=often),
        cells_of(np.repeat(p, times), np.repeat(y, times)),
    )
    assert figure(ece(ours, **LEAST)).estimate == pytest.approx(figure(ece(theirs, **LEAST)).estimate, abs=1e-12)
    assert figure(bin_gap(ours, **LEAST)).estimate == pytest.approx(
        figure(bin_gap(theirs, **LEAST)).estimate, abs=1e-12
    )
    # Repeated rows tell no more: the bounds of the weighted rows are wider.
    for function in (ece, bin_gap):
        assert figure(function(ours, **LEAST)).upper[0] > figure(function(theirs, **LEAST)).upper[0]


@pytest.mark.parametrize("clusters", [None, 12])
@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_equal_weights_are_none(clusters: int | None, scale: float) -> None:
    p, y, rng = sample(1_000)
    cluster = None if clusters is None else rng.integers(0, clusters, p.size)
    ours, plain = weighted(p, y, np.full(p.size, scale), cluster), cells_of(p, y, cluster)
    for function in (ece, bin_gap):
        one, other = figure(function(ours, **LEAST)), figure(function(plain, **LEAST))
        assert one.estimate == pytest.approx(other.estimate, rel=1e-12)
        assert one.lower == pytest.approx(other.lower, rel=1e-9, abs=1e-12)
        assert one.upper == pytest.approx(other.upper, rel=1e-9)
        assert one.n == other.n == 1_000
        assert one.clusters == other.clusters
    assert squared_error(ours, **LEAST) == pytest.approx(squared_error(plain, **LEAST), rel=1e-9)


@pytest.mark.parametrize("off", [0.0, 0.1])
def test_bounds_are_the_formulas_row_by_row(off: float) -> None:
    p, y, rng = sample(3_000)
    p = off + (1 - off) * p
    w = rng.exponential(size=p.size)
    found = figure(ece(weighted(p, y, w), **LEAST))
    code = np.searchsorted(edges_of(p), p, side="left")
    total = np.bincount(code, weights=w)
    gap = np.bincount(code, weights=w * (y - p)) / total
    plug_in = float(total @ np.abs(gap)) / w.sum()
    deviation = w * (np.where(gap < 0, -1, 1)[code] * (y - p) - plug_in)
    unseen = w.sum() / w.max()
    z = stats.norm.ppf(0.95)
    few = z**2 / unseen
    assert found.upper[0] == pytest.approx(plug_in + math.hypot(z * math.sqrt(deviation @ deviation) / w.sum(), few))
    errors = []
    for b in range(10):
        own, r = w[code == b], (y - p)[code == b] - gap[b]
        size = own.sum() ** 2 / (own**2).sum()
        data = (own**2 @ r**2) * size / (size - 1)
        errors.append(math.sqrt(max(data, own**2 @ (p * (1 - p))[code == b])) / own.sum())
    share = total / w.sum()
    mean = math.sqrt(2 / math.pi) * float(share @ errors)
    variance = (1 - 2 / math.pi) * float((share * errors) @ (share * errors))
    noise = stats.gamma.isf(0.025, mean**2 / variance, scale=variance / mean)
    half = stats.norm.isf(0.025)
    shift = w @ (y - p) / w.sum()
    error = math.sqrt(max(w**2 @ (y - p - shift) ** 2, w**2 @ (p * (1 - p)))) / w.sum()
    centred = abs(shift) - math.hypot(
        stats.norm.isf(0.025 - min(0.0125, stats.norm.sf(abs(shift) / error))) * error, half**2 / unseen
    )
    assert found.lower[0] == pytest.approx(max(0, plug_in - math.hypot(noise, half**2 / unseen), centred), abs=1e-12)
    if off:
        assert found.lower[0] == pytest.approx(centred, abs=1e-12)


def test_limits_of_a_bin_are_korn_graubard() -> None:
    rng = np.random.default_rng(5)
    p, w = np.full(400, 0.3), rng.exponential(size=400)
    y = outcomes(rng, p)
    found = figure(bin_gap(weighted(p, y, w, edges=np.array([])), **LEAST))
    rate = w @ y / w.sum()
    variance = (w**2) @ ((y - rate) ** 2) / w.sum() ** 2
    rows = min(rate * (1 - rate) / variance, w.sum() ** 2 / (w**2).sum())
    low = stats.beta.ppf(0.05, rows * rate, rows * (1 - rate) + 1)
    high = stats.beta.ppf(0.95, rows * rate + 1, rows * (1 - rate))
    few = -math.log(0.05)
    further = math.sqrt((few * w.max() / w.sum()) ** 2 - (few / rows) ** 2)
    assert found.lower[0] == pytest.approx(rate - math.hypot(rate - low, further) - 0.3, rel=1e-9)
    assert found.upper[0] == pytest.approx(rate + math.hypot(high - rate, further) - 0.3, rel=1e-9)


@pytest.mark.parametrize("world", ["bal", "rare"])
def test_a_model_at_the_limit_seldom_passes_and_a_calibrated_one_seldom_fails(world: str) -> None:
    """Weights of 1 to 20 that follow the score: the weighted error is 0.02 where every row's share of it is."""
    rng, runs, n = np.random.default_rng(6), 200, 2_000
    slope, passed, failed = slope_of(0.02, world), 0, 0
    grid = logits(rng, world, 400_000)
    heavy = 1 + 19 * (logistic(grid) > 0.5)
    bad = stretched(grid, slope, world)
    truth = float(heavy @ np.abs(logistic(grid) - bad) / heavy.sum())
    for _ in range(runs):
        x = logits(rng, world, n)
        w, y = 1.0 + 19.0 * (logistic(x) > 0.5), outcomes(rng, logistic(x))
        passed += figure(ece(weighted(stretched(x, slope, world), y, w), **LEAST)).upper[0] < truth
        failed += figure(ece(weighted(logistic(x), y, w), **LEAST)).lower[0] > 0
    promised = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert passed / runs <= promised
    assert failed / runs <= promised


def test_a_sum_of_one_table_is_its_error_and_a_sum_of_two_is_wider_than_either() -> None:
    p, y, _ = sample(2_000)
    cells = cells_of(p, y)
    one, alone = figure(ece_sum([cells], cells, **LEAST)), figure(ece(cells, **LEAST))
    assert one.upper == pytest.approx(alone.upper)
    assert one.lower == pytest.approx(alone.lower)
    both = figure(ece_sum([cells, cells], cells, **LEAST))
    assert both.estimate == pytest.approx(2 * alone.estimate)
    assert both.upper[0] - both.estimate > alone.upper[0] - alone.estimate
