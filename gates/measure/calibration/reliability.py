"""The attachment `reliability.json`: what the reliability diagram of the whole is drawn from. It judges nothing.

Format: `{version, binning, bins, equal_width, decision, histogram, confidence, debiased_squared_error}`. Each bin has
`name, from, to, n, mean_p, mean_y` and, where it could be measured, `lower, upper`: one-sided limits of mean_y at
`confidence`. Bins are right-closed, `from` < p <= `to`; the first of each list also holds p = 0, and the decision region
holds its left edge. Empty bins of equal width are left out. `histogram` has columns `{to, n}` of equal width.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from gates.measure.calibration.binning import WIDTHS, Binned, Bins
from gates.measure.interface import Given, Note
from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import squared_error
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import bin_gap
from gates.records import LADDER, Reason

_COLUMNS = 50


@dataclass(frozen=True)
class BinGap:
    """A bin of the whole: its sums, and mean y less mean p or why there is none."""

    name: str
    cells: Cells
    figure: Figure | Reason


def note(given: Given, found: Binned, gaps: list[BinGap]) -> Note:
    """Return the attachment, as JSON bytes with sorted keys."""
    parameters = given.plan.parameters
    edges = (0.0, *found.bins.edges, 1.0)
    *ordinary, decision = gaps
    squared = squared_error(found.cells(found.pieces[0]), minimum_clusters=parameters.minimum_clusters)
    document = {
        "version": 1,
        "confidence": LADDER[0],
        "binning": found.bins.described(parameters),
        "bins": [_bin(gap, edges[i], edges[i + 1]) for i, gap in enumerate(ordinary)],
        "decision": _bin(decision, parameters.operating_threshold, 1.0),
        "equal_width": _equal_width(found, parameters.minimum_clusters),
        "histogram": _histogram(found.bins, parameters.micro_bins),
        **({} if isinstance(squared, Reason) else {"debiased_squared_error": squared}),
    }
    content = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Note("reliability.json", "application/json", content.encode())


def _bin(gap: BinGap, left: float, right: float) -> dict[str, Any]:
    rows = gap.cells.rows
    document: dict[str, Any] = {"name": gap.name, "from": left, "to": right, "n": rows}
    if rows == 0:
        return document
    weight = float(gap.cells.n.sum())
    score = float(gap.cells.p.sum()) / weight
    document |= {"mean_p": score, "mean_y": float(gap.cells.y.sum()) / weight}
    if isinstance(gap.figure, Figure):
        document |= {"lower": float(gap.figure.lower[0]) + score, "upper": float(gap.figure.upper[0]) + score}
    return document


def _equal_width(found: Binned, minimum_clusters: int) -> list[dict[str, Any]]:
    cells = found.by_width(found.pieces[0])
    filled = []
    for code in np.unique(cells.bin).tolist():
        some = cells.select(cells.bin == code)
        gap = BinGap(str(code + 1), some, bin_gap(some, minimum_clusters=minimum_clusters))
        filled.append(_bin(gap, code / WIDTHS, (code + 1) / WIDTHS))
    return filled


def _histogram(bins: Bins, micro_bins: int) -> list[dict[str, Any]]:
    """Counts in columns of equal width, or in micro-bins where those are fewer."""
    columns = min(_COLUMNS, micro_bins)
    column = (bins.micro * columns + micro_bins - 1) // micro_bins - 1
    counts = np.bincount(column, weights=bins.counts, minlength=columns)
    return [{"to": (i + 1) / columns, "n": int(count)} for i, count in enumerate(counts)]
