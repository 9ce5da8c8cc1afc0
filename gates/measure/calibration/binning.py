"""Bins of the score: right-closed, equal in mass, fixed by counts alone and never by outcomes.

Spec: statistics.md, section 1. A score on an edge belongs to the bin below it, in the engine (`p > edge`) as in numpy
(`searchsorted(edges, p, "left")`); micro-bin edges are the doubles k / micro_bins, whatever `p * micro_bins` rounds to.

The engine counts cells on a `Grid` whose cuts hold every edge, so that bins of any kind, and the decision region, are
sums of cells. Rows that are independent need one GROUP BY, on the micro-bins. Rows in clusters need a second, on the
edges only: (cluster, micro-bin) would be as many cells as rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gates.measure.interface import Scored
from gates.measure.stats.cells import Cells
from gates.measure.stats.figure import Floats, Ints, Mask, totals
from gates.measure.sums import Part, double, exact_sum, nearest, parts, small_sum, unsliced
from gates.records import Parameters, Plan
from gates.records.base import Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir

WIDTHS = 10
"""Bins of equal width."""


def micro_bin(p: ir.FloatingValue, micro_bins: int) -> ir.FloatingValue:
    """Return the number, 1 to micro_bins, of the right-closed bin of equal width that holds p in [0, 1], as a double."""
    # The nearest edge is that of p's bin or of the one before it, whatever the product was rounded to.
    edge = nearest(p * float(micro_bins))
    return edge + (edge / float(micro_bins) < p).cast("float64") + (p == 0.0).cast("float64")


def bin_code(p: ir.FloatingValue, edges: tuple[float, ...]) -> ir.FloatingValue:
    """Return the bin's code, 0 to len(edges), as a double: the number of edges below p."""
    code = double(0.0)
    for edge in edges:
        code = code + (p > double(edge)).cast("float64")
    return code


@dataclass(frozen=True)
class Grid:
    """Right-closed intervals of the score, and the region of the decision: p >= threshold.

    A row's code is its interval's number, from 0, and one more in the region; the cell that the threshold cuts so
    becomes two, and no two cells have one code.

    Attributes
    ----------
    cuts: ascending, shape (intervals - 1,). micro: the number of micro-bins, where the cuts are all of their edges.
    """

    cuts: Floats
    threshold: float
    micro: int | None = None

    @classmethod
    def of_micro_bins(cls, parameters: Parameters) -> Grid:
        """Split each micro-bin further, where its edges would miss one of a bin of equal width."""
        micro = parameters.micro_bins * (WIDTHS // math.gcd(WIDTHS, parameters.micro_bins))
        return cls(np.arange(1, micro) / micro, parameters.operating_threshold, micro)

    def code(self, p: ir.FloatingValue) -> ir.FloatingValue:
        """Return the code of each row in the engine, as a double."""
        interval = micro_bin(p, self.micro) - 1 if self.micro else bin_code(p, tuple(self.cuts.tolist()))
        return interval + (p >= double(self.threshold)).cast("float64")

    def interval(self, code: Ints) -> Ints:
        """Return the intervals' numbers of codes."""
        return code - self.decided(code)

    def decided(self, code: Ints) -> Mask:
        """Return which codes are in the region of the decision."""
        return code > np.searchsorted(self.cuts, self.threshold, side="left")

    def bins(self, code: Ints, edges: tuple[float, ...]) -> Ints:
        """Return the numbers, from 0, of the bins with these inner edges, each of which is a cut."""
        top = np.append(self.cuts, np.inf)
        return np.searchsorted(np.asarray(edges), top[self.interval(code)], side="left").astype(np.int64)


def equal_mass_edges(micro: Ints, mass: Floats, micro_bins: int, bins: int) -> tuple[float, ...]:
    """Return the inner edges of at most `bins` bins of about equal mass, ascending.

    Ties reduce them: a micro-bin is never split, so the bins achieved are len(edges) + 1, at least 1, none empty.

    Parameters
    ----------
    micro: numbers of the occupied micro-bins. mass: rows or weights in each, > 0; both of shape (occupied,).
    """
    below = np.cumsum(totals(micro, mass, micro_bins + 1))
    # A sum of weights that is a bin's share but for rounding is that share.
    wanted = below[-1] * np.arange(1, bins) / bins * (1 - 1e-12)
    edges = np.unique(np.searchsorted(below, wanted, side="left"))
    last = int(micro[-1])
    return tuple(float(k) / micro_bins for k in edges if below[k] > 0 and k < last)


@dataclass(frozen=True)
class Bins:
    """The bins of one table: inner edges, and the micro-bins that they were merged from.

    Attributes
    ----------
    edges: ascending, shape (achieved - 1,). micro, counts: numbers and rows of the occupied micro-bins.
    """

    edges: tuple[float, ...]
    micro: Ints
    counts: Floats

    @property
    def achieved(self) -> int:
        return len(self.edges) + 1

    def described(self, parameters: Parameters) -> dict[str, Scalar]:
        """Return how the bins were made, for a figure's params."""
        return {
            "binning": "equal_mass",
            "bins": parameters.bins,
            "achieved_bins": self.achieved,
            "micro_bins": parameters.micro_bins,
        }


@dataclass(frozen=True)
class Binned:
    """Scores and outcomes of one table in cells.

    Attributes
    ----------
    micro: cells of the whole by micro-bin, without clusters; `Cells.bin` is the code on the grid of micro-bins.
    pieces: the whole, the rest, each slice; their cells lie on `grid`.
    own: sum over the whole of (1 - 2p)^2 p (1 - p), with squared weights; 0 where it was not asked for.
    """

    bins: Bins
    fine: Grid
    micro: Cells
    grid: Grid
    pieces: list[Part]
    own: float = 0.0

    def cells(self, piece: Part) -> Cells:
        """Return a piece's cells by bin of equal mass."""
        cells = cells_of(piece)
        return cells.binned(self.grid.bins(cells.bin, self.bins.edges))

    def by_width(self, piece: Part) -> Cells:
        """Return a piece's cells by bin of equal width."""
        cells = cells_of(piece)
        return cells.binned(self.grid.bins(cells.bin, tuple(j / WIDTHS for j in range(1, WIDTHS))))


def find_bins(micro: Cells, grid: Grid, parameters: Parameters) -> Bins:
    """Merge micro-bins to bins of equal mass."""
    finer = (grid.micro or 1) // parameters.micro_bins
    number = grid.interval(micro.bin) // finer + 1
    if number.size == 0:
        return Bins((), number, micro.n)
    occupied, place = np.unique(number, return_inverse=True)
    mass, counts = totals(place, micro.n), totals(place, micro.n if micro.count is None else micro.count)
    edges = equal_mass_edges(occupied, mass, parameters.micro_bins, parameters.bins)
    return Bins(edges, occupied.astype(np.int64), counts)


def binned(scored: Scored, plan: Plan, *, own: bool = False) -> Binned:
    """Read the sums of scores and outcomes; `scored.table` has `p` and `y`, and at least one row.

    Parameters
    ----------
    own: sum (1 - 2p)^2 p (1 - p) too, the one power of the score that cells do not hold (`stats/spiegelhalter.py`).
    """
    fine = Grid.of_micro_bins(plan.parameters)
    if not scored.clustered:
        pieces = score_parts(scored, plan, fine, own=own)
        micro = cells_of(pieces[0])
        return Binned(find_bins(micro, fine, plan.parameters), fine, micro, fine, pieces, _summed(pieces[0]))
    [whole] = score_parts(replace(scored, clustered=False), unsliced(plan), fine, own=own)
    micro = cells_of(whole)
    bins = find_bins(micro, fine, plan.parameters)
    cuts = np.union1d(np.asarray(bins.edges), np.arange(1, WIDTHS) / WIDTHS)
    grid = Grid(cuts, plan.parameters.operating_threshold)
    return Binned(bins, fine, micro, grid, score_parts(scored, plan, grid), _summed(whole))


def score_parts(scored: Scored, plan: Plan, grid: Grid, *, own: bool = False) -> list[Part]:
    """Read the sums of scores by (slice, cluster, cell of the grid, outcome)."""
    p, y = scored.table.p, scored.table.y
    further = {"own": _own(scored)} if own else {}
    # The outcome as a key and not as sums: of 0 and 1 all sums with y are those of the rows where it is 1.
    keys = {"code": (grid.code(p) * 2.0 + y).cast("int64")}
    return parts(scored, plan, {"p": p, "pp": p * p}, keys, further=further)


def _summed(whole: Part) -> float:
    return float(whole.sums["own"].sum()) if "own" in whole.sums else 0.0


def _own(scored: Scored) -> ir.NumericScalar:
    p = scored.table.p
    variance = p - p * p
    # (1 - 2p)^2 is 1 - 4 p (1 - p).
    of_row = variance * (double(1.0) - variance * double(4.0))
    return exact_sum(scored.table.weight * scored.table.weight * of_row) if scored.weighted else small_sum(of_row)


def cells_of(part: Part) -> Cells:
    """Return a part's sums as the cells that the statistics take; `bin` is the code on the grid."""
    code, outcome = np.divmod(part.keys["code"], 2)
    cluster = part.keys.get("cluster")

    def cells(sums: Mapping[str, Floats], squares: Cells | None, count: Floats | None) -> Cells:
        n, p, pp = sums["n"], sums["p"], sums["pp"]
        return Cells(code, n, p, pp, n * outcome, p * outcome, cluster, squares, count, part.heaviest)

    if part.weighted:
        return cells(part.sums, cells(part.squares, None, None), part.rows)
    return cells(part.sums, None, None)
