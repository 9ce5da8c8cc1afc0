"""Slope within bins: row-by-row formulas, the sawtooth that binned error misses, and how often the bounds are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from worlds import Floats, Ints, edges_of, logistic, logits, outcomes

from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece, slope
from gates.measure.stats.figure import Figure
from gates.records import LADDER

LEAST = {"minimum_clusters": 8}


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


def fine(p: Floats, y: Floats, cluster: Ints | None = None) -> tuple[Cells, Ints]:
    """Cells by (cluster, micro-bin), and the bin of equal mass of each."""
    edges = edges_of(p)
    micro = np.clip(np.ceil(p * 1000 - 1e-9).astype(np.int64), 1, 1000)
    key = micro if cluster is None else cluster * 1_001 + micro
    distinct, cell = np.unique(key, return_inverse=True)
    owner = None if cluster is None else distinct // 1_001
    sums = [np.bincount(cell, weights=v) for v in (np.ones_like(p), p, p * p, y, p * y)]
    number = distinct % 1_001 if cluster is not None else distinct
    return Cells(number, *sums, owner), np.searchsorted(edges, number / 1000, side="left")


def sawtooth(p: Floats, size: float) -> Floats:
    """True rates: the score plus `size` in the lower half of each bin of equal mass, and minus in the upper half."""
    edges = np.r_[-np.inf, edges_of(p), np.inf]
    code = np.searchsorted(edges[1:-1], p, side="left")
    middle = np.array([np.median(p[code == b]) for b in range(edges.size - 1)])
    return np.clip(p + np.where(p < middle[code], size, -size), 0, 1)


def sample(seed: int, n: int) -> Floats:
    return np.asarray(np.random.default_rng(seed).uniform(0.1, 0.9, n))


def test_is_the_formula_row_by_row() -> None:
    rng = np.random.default_rng(1)
    p = logistic(logits(rng, "bal", 3_000))
    y = outcomes(rng, np.clip(p**1.3, 0, 1))
    code = np.searchsorted(edges_of(p), p, side="left")
    g = np.zeros_like(p)
    for b in np.unique(code):
        g[code == b] = (p[code == b] - p[code == b].mean()) / p[code == b].std()
    x = g * (y - p)
    share, gap = np.bincount(code) / p.size, np.array([x[code == b].mean() for b in range(10)])
    plug_in = float(share @ np.abs(gap))
    found = figure(slope(*fine(p, y), **LEAST))
    assert found.estimate == pytest.approx(plug_in, abs=1e-10)
    # Within a micro-bin the squared residual is taken as unrelated to g^2: the bounds are near, not equal.
    variance = np.mean((np.where(gap < 0, -1, 1)[code] * x - plug_in) ** 2) / p.size
    z = stats.norm.ppf(LADDER[0])
    assert found.upper[0] == pytest.approx(plug_in + math.hypot(z * math.sqrt(variance), z**2 / p.size), rel=1e-4)


def test_is_never_more_than_the_root_mean_square_within_the_bins() -> None:
    p = np.sort(sample(2, 100_000))
    truth = sawtooth(p, 0.05)
    code = np.searchsorted(edges_of(p), p, side="left")
    error = truth - p
    spread = sum(math.sqrt(np.mean((error[code == b] - error[code == b].mean()) ** 2)) for b in range(10)) / 10
    # Rates in place of outcomes: the figure without any noise.
    found = figure(slope(*fine(p, truth), **LEAST)).estimate
    assert 0.8 * spread < found <= spread


def test_a_sawtooth_that_passes_the_binned_error_is_found() -> None:
    rng = np.random.default_rng(3)
    passed = failed = 0
    for _ in range(100):
        p = sample(int(rng.integers(2**31)), 10_000)
        truth = sawtooth(p, 0.049)
        assert np.mean(np.abs(truth - p)) == pytest.approx(0.049, abs=1e-3)
        cells, code = fine(p, outcomes(rng, truth))
        passed += figure(ece(cells.binned(code), **LEAST)).upper[0] < 0.02
        failed += figure(slope(cells, code, **LEAST)).lower[0] > 0
    assert passed > 50
    assert failed > 95


@pytest.mark.parametrize("world", ["bal", "rare"])
@pytest.mark.parametrize("n", [500, 10_000])
def test_bounds_of_a_calibrated_model_are_wrong_no_more_often_than_they_say(world: str, n: int) -> None:
    rng, runs = np.random.default_rng(4), 300
    found = []
    for _ in range(runs):
        p = logistic(logits(rng, world, n))
        found.append(figure(slope(*fine(p, outcomes(rng, p)), **LEAST)))
    assert np.mean([one.lower[0] > 0 for one in found]) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert all(one.upper[0] > 0 for one in found)


@pytest.mark.parametrize("size", [0.02, 0.05])
def test_the_upper_bound_covers_the_truth(size: float) -> None:
    rng, runs = np.random.default_rng(5), 300
    grid = np.sort(sample(6, 200_000))
    truth = figure(slope(*fine(grid, sawtooth(grid, size)), **LEAST)).estimate
    missed = 0
    for _ in range(runs):
        p = sample(int(rng.integers(2**31)), 4_000)
        missed += figure(slope(*fine(p, outcomes(rng, sawtooth(p, size))), **LEAST)).upper[0] < truth
    assert missed / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_clusters_that_share_a_slope_widen_the_bounds() -> None:
    rng, wrong, wrong_alone, runs = np.random.default_rng(7), 0, 0, 200
    for _ in range(runs):
        p, cluster = sample(int(rng.integers(2**31)), 3_000), rng.integers(0, 20, 3_000)
        code = np.searchsorted(edges_of(p), p, side="left")
        middle = np.array([p[code == b].mean() for b in range(10)])[code]
        truth = np.clip(p + np.where(p < middle, 1, -1) * rng.normal(0, 0.15, 20)[cluster], 0, 1)
        y = outcomes(rng, truth)
        wrong += figure(slope(*fine(p, y, cluster), **LEAST)).lower[0] > 0
        wrong_alone += figure(slope(*fine(p, y), **LEAST)).lower[0] > 0
    assert wrong / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert wrong_alone > wrong


def test_scores_that_are_one_number_have_no_slope() -> None:
    p = np.full(500, 0.3)
    found = figure(slope(*fine(p, (np.arange(500) % 3 == 0).astype(float)), **LEAST))
    assert found.estimate == 0
    assert found.lower[0] == 0
