"""Candidate against champion: every metric's difference on one scale, its own margin."""

from __future__ import annotations

from collections.abc import Sequence

from gates.decide.limits import ends
from gates.records import Measurement
from gates.render.names import slice_text, visible
from gates.render.pictures.canvas import Picture
from gates.render.pictures.intervals import SIGNS, Line, Reference, interval_picture
from gates.render.row import Row
from gates.render.words import estimate_text, interval_text, limit_text

_MOST = 20
_REACH = 6.0
"""Margins to either side that are drawn; what lies beyond is an arrow."""


def against_champion(rows: Sequence[Row]) -> Picture | None:
    """Describe the forest plot of every comparison with the champion; None without one.

    Comparisons of the whole come first, then the slices that are proven worse. A figure is shown in units of its margin,
    the distance between equal and its limit: 0 is equal, -1 the limit, and to the right is better, whatever the metric.
    """
    whole = [row for row in rows if row.whole and _line(row)]
    worse = [row for row in rows if not row.whole and row.status == "fail" and _line(row)]
    if not whole:
        return None
    chosen = [*whole, *worse][:_MOST]
    left = len(whole) + len(worse) - len(chosen)
    cut = f" {left} more are in the tables." if left else ""
    lines = [line for row in chosen if (line := _line(row))]
    arrows = " An arrow goes on." if any(max(-line.low, line.high) > _REACH for line in lines) else ""
    return interval_picture(
        "champion",
        "Is the candidate worse than the champion?",
        "Differences on the same rows, each in units of its own margin; right is better. A line wholly right of the dotted "
        f"limit is proven to be no worse than the margin allows. {SIGNS}.{arrows}{cut}",
        _finding(chosen),
        lines,
        [Reference(0.0, "equal"), Reference(-1.0, "limit", limit=True)],
        axis="← worse · in margins · better →",
        reach=(-_REACH, _REACH),
    )


def _line(row: Row) -> Line | None:
    """The interval in margins; None of what is no comparison with the champion, or has no margin to measure by."""
    figure, limit, bound = row.measurement, row.limit, row.bound
    if not row.check.endswith(("_vs_champion", "_vs_anchor")) or figure is None or limit is None or bound is None:
        return None
    equal = _equal(figure)
    if figure.estimate is None or limit.sense == "within" or limit.value == equal:
        return None

    def margins(value: float) -> float:
        return -(value - equal) / (limit.value - equal)

    low, high = sorted(margins(value) for value in ends(bound))
    where = "" if row.whole else f" {slice_text(row.slice)}"
    label = visible(_metric(row) + where, longest=26)
    return Line(label, _figures(row), low, margins(figure.estimate), high, row.status)


def _equal(figure: Measurement) -> float:
    """The figure of two equal models: 1 of a ratio, 0 of a difference."""
    return 1.0 if figure.unit == "ratio" else 0.0


def _metric(row: Row) -> str:
    return row.title.removesuffix(" against the champion")


def _figures(row: Row) -> str:
    return f"{estimate_text(row)} {interval_text(row)} {limit_text(row.limit)}"


def _finding(rows: Sequence[Row]) -> str:
    words = {"pass": "no worse", "fail": "proven worse", "inconclusive": "undecided"}
    told = (
        f"{_metric(row)}{'' if row.whole else ' of ' + slice_text(row.slice)}: {words.get(row.status, row.status)}, "
        f"{_figures(row)}"
        for row in rows
    )
    return f"{'; '.join(told)}."
