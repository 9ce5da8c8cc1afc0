"""Right-closed bins of equal mass: the engine and numpy agree on every edge, and counts alone decide."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
import pytest

from gates.measure.calibration.binning import Grid, bin_code, binned, equal_mass_edges, micro_bin
from gates.measure.interface import Scored
from gates.measure.sums import exact_sum
from gates.records import Parameters, Plan


def edges_of(frame: pd.DataFrame, **parameters: float) -> tuple[float, ...]:
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        policy_digest="sha256:" + "0" * 64,
        spec_digest="sha256:" + "0" * 64,
    )
    return binned(Scored(ibis.memtable(frame), len(frame), False, False, "scored"), plan).bins.edges


def engine_bins(p: np.ndarray, micro_bins: int) -> np.ndarray:
    table = ibis.memtable(pd.DataFrame({"i": np.arange(p.size), "p": p}))
    frame = table.mutate(micro=micro_bin(table.p, micro_bins)).order_by("i").to_pandas()
    return frame.micro.to_numpy()


@pytest.mark.parametrize("micro_bins", [10, 20, 100, 1000, 99_999])
def test_micro_bins_are_right_closed_at_every_edge(micro_bins: int) -> None:
    k = np.unique(np.r_[np.arange(1, min(micro_bins, 1001)), micro_bins - 1, micro_bins])
    edges = k / micro_bins
    assert np.array_equal(engine_bins(edges, micro_bins), k)
    assert np.array_equal(engine_bins(np.nextafter(edges, 2)[:-1], micro_bins), k[:-1] + 1)
    assert np.array_equal(engine_bins(np.nextafter(edges, 0), micro_bins), k)


def test_ends_and_decimal_literals_fall_where_they_are_read() -> None:
    assert engine_bins(np.array([0.0, 5e-324, 1.0, 0.57, 0.07, 0.29]), 100).tolist() == [1, 1, 100, 57, 7, 29]


@pytest.mark.parametrize("seed", range(5))
def test_bins_have_equal_mass_and_none_is_empty(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3 + seed, 2, 10_000)
    micro, counts = np.unique(np.clip(np.ceil(p * 1000).astype(int), 1, 1000), return_counts=True)
    edges = equal_mass_edges(micro, counts, 1000, 10)
    mass = np.bincount(np.searchsorted(edges, p, side="left"))
    assert mass.min() > 0
    assert len(edges) <= 9
    # No bin is off by more than the fullest micro-bin.
    assert mass.max() <= 1_000 + counts.max() or len(edges) < 9


@pytest.mark.parametrize(
    ("micro", "counts", "bins", "edges"),
    [
        ([500], [7], 10, ()),
        ([1], [100], 10, ()),
        ([1000], [100], 10, ()),
        # Half of the mass is only reached in the last micro-bin, which ends no bin but the last.
        ([100, 900], [1, 99], 2, ()),
        ([100, 900], [99, 1], 2, (0.1,)),
        ([1, 2, 3, 4], [5, 5, 5, 5], 2, (0.002,)),
        ([1, 2, 3, 4], [5, 5, 5, 5], 4, (0.001, 0.002, 0.003)),
        ([1, 2, 3, 4], [5, 5, 5, 5], 100, (0.001, 0.002, 0.003)),
        ([10, 20, 30], [1, 1, 1], 2, (0.02,)),
    ],
)
def test_ties_reduce_the_bins(micro: list[int], counts: list[int], bins: int, edges: tuple[float, ...]) -> None:
    assert equal_mass_edges(np.array(micro), np.array(counts), 1000, bins) == edges


@pytest.mark.parametrize("micro_bins", [20, 1000, 99_999])
def test_the_engine_and_numpy_agree_on_every_edge(micro_bins: int) -> None:
    edges = tuple(k / micro_bins for k in range(1, min(micro_bins, 60)))
    p = np.unique(np.r_[edges, np.nextafter(edges, 0), np.nextafter(edges, 1)])
    table = ibis.memtable(pd.DataFrame({"p": p}))
    codes = table.mutate(code=bin_code(table.p, edges)).order_by("p").to_pandas().code
    assert np.array_equal(codes, np.searchsorted(edges, p, side="left"))


def test_scores_on_a_coarse_grid_fall_below_their_edge() -> None:
    p = np.round(np.random.default_rng(1).random(5_000) * 20) / 20
    frame = pd.DataFrame({"i": np.arange(5_000), "p": p, "y": 0.0})
    edges = edges_of(frame)
    assert set(edges) <= set(p)
    table = ibis.memtable(frame)
    codes = table.mutate(code=bin_code(table.p, edges)).order_by("i").to_pandas().code
    assert np.array_equal(codes, np.searchsorted(edges, p, side="left"))


def test_outcomes_do_not_move_the_edges() -> None:
    p = np.random.default_rng(2).random(1_000)
    first, second = (edges_of(pd.DataFrame({"p": p, "y": y})) for y in (np.zeros(1_000), (p > 0.5).astype(float)))
    assert first == second
    assert len(first) == 9


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.5003, 0.9999, 1.0])
@pytest.mark.parametrize("micro_bins", [10, 33, 1000])
def test_cells_of_a_grid_are_bins_widths_and_the_region_of_the_decision(threshold: float, micro_bins: int) -> None:
    edges = np.arange(1, micro_bins) / micro_bins
    p = np.unique(np.r_[0.0, 1.0, edges, np.nextafter(edges, 0), np.nextafter(edges, 1), threshold, np.arange(11) / 10])
    grids = (
        Grid.of_micro_bins(Parameters(micro_bins=micro_bins, operating_threshold=threshold)),
        Grid(np.union1d(edges, np.arange(1, 10) / 10)[:40], threshold),
    )
    for grid in grids:
        table = ibis.memtable(pd.DataFrame({"p": p}))
        code = table.mutate(code=grid.code(table.p).cast("int64")).order_by("p").to_pandas().code.to_numpy()
        assert np.array_equal(grid.decided(code), p >= threshold)
        assert np.array_equal(grid.interval(code), np.searchsorted(grid.cuts, p, side="left"))
        some = tuple(float(e) for e in edges[[0, 2, 5]] if e in grid.cuts)
        assert np.array_equal(grid.bins(code, some), np.searchsorted(some, p, side="left"))


def test_sums_are_exact_in_any_order() -> None:
    values = np.random.default_rng(3).random(100_000)
    grid = np.round(values * 2**40).astype(np.int64)
    for order in (np.arange(100_000), np.argsort(values)):
        table = ibis.memtable(pd.DataFrame({"v": values[order]}))
        assert table.aggregate(s=exact_sum(table.v)).to_pandas().s[0] == int(grid.sum()) / 2**40
    assert int(grid.sum()) / 2**40 == pytest.approx(math.fsum(values), abs=1e-7)


def test_a_sum_beyond_64_bits_is_exact_up_and_down() -> None:
    """16 rows of 2^19 on a grid of 2^-40 are 2^63."""
    table = ibis.memtable(pd.DataFrame({"v": [2.0**19] * 20 + [1.5]}))
    found = table.aggregate(up=exact_sum(table.v), down=exact_sum(-table.v)).to_pandas()
    assert (found.up[0], found.down[0]) == (20 * 2.0**19 + 1.5, -20 * 2.0**19 - 1.5)


def test_a_half_of_the_grid_goes_to_the_even_multiple_up_and_down() -> None:
    table = ibis.memtable(pd.DataFrame({"v": [0.5 * 2.0**-40, 1.5 * 2.0**-40, 2047 + 2.5 * 2.0**-40]}))
    for sign in (1, -1):
        found = table.mutate(s=exact_sum(sign * table.v).over(ibis.window(group_by=table.v))).order_by("v").to_pandas()
        assert (found.s * sign).tolist() == [0.0, 2 * 2.0**-40, 2047 + 2 * 2.0**-40]
