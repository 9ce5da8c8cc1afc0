"""Coverage by stratum: rows whose intervals are about as wide, whose sets are as large, or that are predicted alike.

Marginal coverage cannot see that narrow intervals miss and wide ones hold too often (statistics.md, section 2). Strata
are of about equal numbers of rows, right-closed, and fixed by widths and predictions alone, never by what happened. Ties
make fewer of them: rows of one width are one stratum. So intervals that are all of one length, as split conformal
prediction has them with absolute residuals, are one stratum, and only the strata by prediction tell low from high ones.

Sets are told by their size, where that has more values than strata are asked for in groups of about equal mass. An empty
set counts as one of one class: it cannot cover, and says nothing of large and small sets (as in Angelopoulos et al. 2021,
arXiv 2009.14193, where sizes 0 and 1 are one stratum).

Cost: exact quantiles are no sums. The engine holds the widths and the predictions while it looks for the edges, some 16
bytes a row; an approximate quantile would not be the same twice.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.tables import arrow, row
from gates.measure.calibration import widths
from gates.measure.calibration.binning import bin_code
from gates.measure.calibration.shares import gap, method, place
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Given, Scored
from gates.measure.stats.figure import Figure
from gates.measure.sums import Part, Where, numbers, parts, unsliced
from gates.records import WHOLE, Item, Measurement, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECK = "calibration.stratum_under_coverage"


@dataclass(frozen=True)
class Stratum:
    """The rows of the whole with low < value <= high.

    Attributes
    ----------
    by: `width`, `size` or `prediction`. low, high: in the label's unit, or classes. of: how many strata there are.
    part: sums `covered` and `width` at the plan's level.
    """

    name: str
    by: str
    low: float
    high: float
    of: int
    part: Part


def measure(given: Given, scored: Scored) -> list[Stratum]:
    """Read the strata at the plan's level, narrow to wide, then low to high: a scan for the edges and one for each kind.

    None where there are no sets or intervals at that level.
    """
    at = place(given, scored)
    if isinstance(at, Reason):
        return []
    wanted, width = given.plan.parameters.strata, scored.table[f"width_{at}"]
    if scored.task != "numeric":
        return _read(given, scored, at, "size", width.clip(lower=1), _sizes(scored, width, wanted))
    edges = _quantiles(scored, {"width": width, "prediction": scored.table.p}, wanted)
    return [
        *_read(given, scored, at, "width", width, edges["width"]),
        *_read(given, scored, at, "prediction", scored.table.p, edges["prediction"]),
    ]


def figures(given: Given, scored: Scored, strata: list[Stratum]) -> Iterator[Measurement]:
    """Return the under-coverage of each stratum: nominal less coverage."""
    level = given.plan.parameters.coverage_level
    size = family(CHECK, len(strata))
    shared = {"level": level, "strata": given.plan.parameters.strata}
    if not strata:
        claim = Claim(CHECK, "candidate", size, method(scored), params(given, **shared), scored.predictions)
        absent = place(given, scored)
        yield claim.measured(absent if isinstance(absent, Reason) else Reason.EMPTY_TABLE, NOTHING)
    for stratum in strata:
        named = params(given, **shared, by=stratum.by, achieved_strata=stratum.of)
        claim = Claim(CHECK, "candidate", size, method(scored), named, scored.predictions)
        figure = gap(given, stratum.part, "covered", level)
        under = figure.mirrored() if isinstance(figure, Figure) else figure
        yield claim.measured(under, stratum.part.where, Item(kind="stratum", name=stratum.name))


@dataclass(frozen=True)
class _Edges:
    """inner: right edges of all strata but the last, ascending. low, high: the least and the largest value."""

    inner: tuple[float, ...]
    low: float
    high: float


def _sizes(scored: Scored, size: ir.FloatingValue, wanted: int) -> _Edges:
    table = scored.table.select(size=size.clip(lower=1))
    answer = arrow(table.group_by("size").aggregate(n=table.count()).order_by("size"))
    sizes, below = numbers(answer, "size"), np.cumsum(numbers(answer, "n").astype(np.int64))
    if sizes.size <= wanted:
        return _Edges(tuple(sizes[:-1].tolist()), float(sizes[0]), float(sizes[-1]))
    ranks = [-(-int(below[-1]) * j // wanted) for j in range(1, wanted)]
    inner = np.unique(sizes[np.searchsorted(below, ranks, side="left")])
    return _Edges(tuple(inner[inner < sizes[-1]].tolist()), float(sizes[0]), float(sizes[-1]))


def _quantiles(scored: Scored, by: dict[str, ir.FloatingValue], wanted: int) -> dict[str, _Edges]:
    asked = {
        f"{name}_{j}": value.min() if j == 0 else value.max() if j == wanted else value.quantile(j / wanted)
        for name, value in by.items()
        for j in range(wanted + 1)
    }
    answer = row(scored.table.aggregate(**asked))
    found = {}
    for name in by:
        low, *inner, high = (float(answer[f"{name}_{j}"]) for j in range(wanted + 1))
        found[name] = _Edges(tuple(sorted({edge for edge in inner if edge < high})), low, high)
    return found


def _read(given: Given, scored: Scored, at: int, by: str, value: ir.FloatingValue, edges: _Edges) -> list[Stratum]:
    table = scored.table.mutate(stratum=value)
    sums = {"covered": table[f"covered_{at}"].cast("int64"), "width": widths.unit_width(scored, table[f"width_{at}"])}
    codes = {"stratum": bin_code(table.stratum, edges.inner).cast("int64")}
    [whole] = parts(replace(scored, table=table), unsliced(given.plan), sums, codes)
    present = np.unique(whole.keys["stratum"])
    # What the engine holds in units of the scale is told in the label's.
    unit = scored.scale if scored.task == "numeric" else 1.0
    ends = [_finite(value * unit) for value in (edges.low, *edges.inner, edges.high)]
    return [
        Stratum(f"{by} {i + 1}", by, ends[code], ends[code + 1], present.size, _of(whole, code))
        for i, code in enumerate(present.tolist())
    ]


def _finite(value: float) -> float:
    return max(-sys.float_info.max, min(value, sys.float_info.max))


def _of(whole: Part, code: int) -> Part:
    mask = whole.keys["stratum"] == code
    sums = {name: total[mask] for name, total in whole.sums.items()}
    squares = {name: total[mask] for name, total in whole.squares.items()} if whole.weighted else sums
    keys = {name: key[mask] for name, key in whole.keys.items()}
    clusters = int(np.unique(keys["cluster"]).size) if "cluster" in keys else None
    rows = whole.rows[mask]
    return Part(Where(WHOLE, 1_000_000, int(rows.sum()), clusters), sums, squares, keys, rows, whole.heaviest)
