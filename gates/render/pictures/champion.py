"""Candidate against champion: every metric's difference on one scale, its own margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

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
    One that may lose nothing has no margin; half of its interval is its unit, and 0 its limit.
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
    limits = {limit for line in lines for limit in line.limits}
    units, references = _scale(limits)
    if len(limits) == 1:
        lines = [replace(line, limits=()) for line in lines]
    return interval_picture(
        "champion",
        "Is the candidate worse than the champion?",
        f"Differences on the same rows, {units}; right is better. A line wholly right of {_DOTTED[len(limits) == 1]} is "
        f"proven to be within its limit. {SIGNS}.{arrows}{cut}",
        _finding(chosen),
        lines,
        references,
        axis="← worse · in margins · better →" if 0.0 not in limits else "← worse · better →",
        reach=(-_REACH, _REACH),
    )


_DOTTED = {True: "the dotted limit", False: "its own dotted limit"}


def _scale(limits: set[float]) -> tuple[str, list[Reference]]:
    """Say what the units are, and draw the limit through the whole picture where all lines have the same."""
    margins, halves = "each in units of its own margin", "each in units of half its interval"
    if limits == {0.0}:
        return f"{halves}, since none may be worse at all", [Reference(0.0, "equal, the limit", limit=True)]
    equal = Reference(0.0, "equal")
    if 0.0 in limits:
        return f"{margins}; what may not be worse at all, in units of half its interval", [equal]
    return margins, [equal, *(Reference(limit, "limit", limit=True) for limit in limits if len(limits) == 1)]


def _line(row: Row) -> Line | None:
    """The interval in margins with its limit there; None of what is no comparison with the champion."""
    figure, limit, bound = row.measurement, row.limit, row.bound
    if not row.check.endswith(("_vs_champion", "_vs_anchor")) or figure is None or limit is None or bound is None:
        return None
    if figure.estimate is None or limit.sense == "within":
        return None
    equal = _equal(figure)
    better = 1.0 if limit.sense == "at_least" else -1.0
    unit = abs(limit.value - equal) or _half(figure.estimate, ends(bound)) or abs(figure.estimate - equal) or 1.0

    def margins(value: float) -> float:
        return better * (value - equal) / unit

    low, high = sorted(margins(value) for value in ends(bound))
    where = "" if row.whole else f" {slice_text(row.slice)}"
    label = visible(_metric(row) + where, longest=26)
    at = margins(limit.value) + 0.0  # no -0.0
    return Line(label, _figures(row), low, margins(figure.estimate), high, row.status, (at,))


def _half(estimate: float, interval: tuple[float, float]) -> float:
    """Half an interval, or what there is of it; 0 where it has no length, or no end."""
    lower, upper = interval
    sides = [side for side in (estimate - lower, upper - estimate) if math.isfinite(side)]
    return sum(sides) / len(sides) if sides else 0.0


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
