"""Bins of the score: right-closed, equal in mass, fixed by counts alone and never by outcomes.

Spec: statistics.md, section 1. A score on an edge belongs to the bin below it, in the engine (`p > edge`) as in numpy
(`searchsorted(edges, p, "left")`); micro-bin edges are the doubles k / micro_bins, whatever `p * micro_bins` rounds to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gates.measure.interface import Scored
from gates.measure.stats.cells import Cells
from gates.measure.stats.figure import Ints
from gates.measure.sums import Part, double, numbers, parts
from gates.records import Parameters, Plan
from gates.records.base import Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir


def micro_bin(p: ir.FloatingValue, micro_bins: int) -> ir.IntegerValue:
    """Return the number, 1 to micro_bins, of the right-closed bin of equal width that holds p in [0, 1]."""
    first = (p * micro_bins).ceil().cast("int64")
    low = ((first - 1).cast("float64") / micro_bins >= p).cast("int64")
    high = (first.cast("float64") / micro_bins < p).cast("int64")
    return (first - low + high).clip(lower=1, upper=micro_bins)


def equal_mass_edges(micro: Ints, counts: Ints, micro_bins: int, bins: int) -> tuple[float, ...]:
    """Return the inner edges of at most `bins` bins of about equal mass, ascending.

    Ties reduce them: a micro-bin is never split, so the bins achieved are len(edges) + 1, at least 1, none empty.

    Parameters
    ----------
    micro: numbers of the occupied micro-bins. counts: rows in each, > 0; both of shape (occupied,).
    """
    mass = np.zeros(micro_bins + 1, dtype=np.int64)
    mass[micro] = counts
    below = np.cumsum(mass)
    rows = int(below[-1])
    wanted = [-(-rows * j // bins) for j in range(1, bins)]
    edges = np.unique(np.searchsorted(below, wanted, side="left"))
    return tuple(float(k) / micro_bins for k in edges if 0 < below[k] < rows)


def bin_code(p: ir.FloatingValue, edges: tuple[float, ...]) -> ir.IntegerValue:
    """Return the bin's code, 0 to len(edges): the number of edges below p."""
    import ibis

    code: ir.IntegerValue = ibis.literal(0, type="int64")
    for edge in edges:
        code = code + (p > double(edge)).cast("int64")
    return code


@dataclass(frozen=True)
class Bins:
    """The bins of one table: inner edges, and the counts of the micro-bins that they were merged from.

    Attributes
    ----------
    edges: ascending, shape (achieved - 1,). micro, counts: numbers and rows of the occupied micro-bins.
    """

    edges: tuple[float, ...]
    micro: Ints
    counts: Ints

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


def find_bins(scored: Scored, parameters: Parameters) -> Bins:
    """Read the counts of the micro-bins, one scan, and merge them to bins of equal mass."""
    table = scored.table.mutate(micro=micro_bin(scored.table.p, parameters.micro_bins))
    answer = table.group_by("micro").aggregate(n=table.count()).order_by("micro").to_pyarrow()
    micro, counts = numbers(answer, "micro").astype(np.int64), numbers(answer, "n").astype(np.int64)
    return Bins(equal_mass_edges(micro, counts, parameters.micro_bins, parameters.bins), micro, counts)


def score_parts(scored: Scored, plan: Plan, code: ir.IntegerValue) -> list[Part]:
    """Read the sums of scores and outcomes by (slice, cluster, bin, decision region)."""
    p, y = scored.table.p, scored.table.y
    decision = (p >= double(plan.parameters.operating_threshold)).cast("int64")
    return parts(scored, plan, {"p": p, "pp": p * p, "y": y, "py": p * y}, {"bin": code, "decision": decision})


def cells_of(part: Part) -> Cells:
    """Return a part's sums as the cells that the statistics take."""
    return Cells(bin=part.keys["bin"], cluster=part.keys.get("cluster"), **part.sums)
