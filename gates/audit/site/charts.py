"""Where things stand in the page's drawings: numbers in, coordinates out; the template writes the SVG.

Drawings are 400 units wide, so that text stays readable on a phone. y grows downwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gates.decide.attachments import Bin, Reliability
from gates.decide.limits import Limit, ends
from gates.render.names import visible
from gates.render.numbers import count, figure, literal
from gates.render.view import Row

WIDTH = 400.0
LEFT, RIGHT = 46.0, 16.0

_NICE = {0.02: 4, 0.05: 5, 0.1: 5, 0.2: 4, 0.25: 5, 0.3: 3, 0.4: 4, 0.5: 5, 0.6: 3, 0.8: 4, 1.0: 5}
"""Ends of an axis of probabilities, and into how many steps each is divided."""


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A bin: its point, its interval if it has one, and its words for readers of the source."""

    x: float
    y: float
    low: float | None
    high: float | None
    title: str
    decision: bool = False


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Diagram:
    """Observed rate against mean prediction, over a histogram of predictions with the same axis."""

    height: float
    top: float
    bottom: float
    right: float
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    bars_top: float
    bars_bottom: float
    most: str
    beyond: str
    description: str


@dataclass(frozen=True)
class Gaps:
    """Observed rate less mean prediction by bin, with the limit where policy has one."""

    height: float
    top: float
    bottom: float
    right: float
    zero: float
    marks: tuple[Mark, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    limits: tuple[Tick, ...]
    description: str


@dataclass(frozen=True)
class Strip:
    """One figure's interval against its limit, on a line of 200 units; an open side reaches the edge."""

    low: float
    high: float
    point: float
    limits: tuple[float, ...]
    good: tuple[float, float]
    open_low: bool
    open_high: bool
    description: str


def diagram(reliability: Reliability) -> Diagram | None:
    """Lay the reliability diagram out; None without a bin that has rows."""
    bins = [part for part in reliability.bins if part.mean_p is not None and part.mean_y is not None]
    if not bins:
        return None
    most = _axis_end(bins)
    top, bottom, right = 12.0, 330.0, WIDTH - RIGHT
    x = _scale(0, most, LEFT, right)
    y = _scale(0, most, bottom, top)
    ticks = _steps(most)
    bars, highest, beyond = _bars(reliability, most, x, bottom + 46.0, bottom + 106.0)
    return Diagram(
        height=bottom + (130.0 if bars else 42.0),
        top=top,
        bottom=bottom,
        right=right,
        marks=tuple(_mark(part, x, y, decision=False) for part in bins),
        x_ticks=tuple(Tick(x(value), literal(value)) for value in ticks),
        y_ticks=tuple(Tick(y(value), literal(value)) for value in ticks),
        bars=bars,
        bars_top=bottom + 46.0,
        bars_bottom=bottom + 106.0,
        most=count(highest),
        beyond=f"{count(beyond)} rows above {literal(most)} are not drawn." if beyond else "",
        description=_words(bins),
    )


def gaps(reliability: Reliability, limit: Limit | None) -> Gaps | None:
    """Lay the gaps of the bins out, in the order of their scores; None without a bin that has rows."""
    bins = [part for part in reliability.bins if part.mean_p is not None and part.mean_y is not None]
    if not bins:
        return None
    if reliability.decision is not None and reliability.decision.mean_p is not None:
        bins = [*bins, reliability.decision]
    reach = [abs(value) for part in bins for value in _gap_range(part)]
    reach.extend(abs(value) for value in (limit.values if limit else ()))
    end = _round_up(max(reach) * 1.05 or 0.01)
    top, bottom, right = 12.0, 250.0, WIDTH - RIGHT
    y = _scale(-end, end, bottom, top)
    step = (right - LEFT) / len(bins)
    marks = []
    for index, part in enumerate(bins):
        low, high = _gap_range(part)
        known = part.lower is not None and part.upper is not None
        marks.append(
            Mark(
                x=LEFT + step * (index + 0.5),
                y=y((part.mean_y or 0.0) - (part.mean_p or 0.0)),
                low=y(low) if known else None,
                high=y(high) if known else None,
                title=_bin_words(part),
                decision=part is reliability.decision,
            )
        )
    return Gaps(
        height=bottom + 46.0,
        top=top,
        bottom=bottom,
        right=right,
        zero=y(0.0),
        marks=tuple(marks),
        y_ticks=tuple(Tick(y(value), literal(value)) for value in (-end, -end / 2, end / 2, end)),
        x_ticks=tuple(
            Tick(mark.x, "≥ t" if mark.decision else visible(part.name) or str(place))
            for place, (mark, part) in enumerate(zip(marks, bins, strict=True), start=1)
        ),
        limits=tuple(Tick(y(value), literal(value)) for value in (limit.values if limit else ())),
        description="; ".join(mark.title for mark in marks),
    )


def strip(row: Row) -> Strip | None:
    """Lay one figure out against its limit; None without a figure or a limit."""
    if row.measurement is None or row.measurement.estimate is None or row.bound is None or row.limit is None:
        return None
    lower, upper = ends(row.bound)
    estimate = row.measurement.estimate
    values = [v for v in (lower, upper, estimate, *row.limit.values) if math.isfinite(v)]
    span = max(values) - min(values) or abs(estimate) or 1.0
    start, stop = min(values) - 0.12 * span, max(values) + 0.12 * span
    x = _scale(start, stop, 0.0, 200.0)
    marks = tuple(x(value) for value in row.limit.values)
    good = {"at_most": (0.0, marks[-1]), "at_least": (marks[0], 200.0), "within": (marks[0], marks[-1])}
    return Strip(
        low=x(lower) if math.isfinite(lower) else 0.0,
        high=x(upper) if math.isfinite(upper) else 200.0,
        point=x(estimate),
        limits=marks,
        good=good[row.limit.sense],
        open_low=not math.isfinite(lower),
        open_high=not math.isfinite(upper),
        description=f"{row.check}: the interval against its limit, the good side shaded",
    )


class _Scale:
    """A linear map of numbers to coordinates, with two decimals."""

    def __init__(self, start: float, stop: float, at: float, to: float) -> None:
        self._start, self._factor, self._at = start, (to - at) / (stop - start), at
        self._low, self._high = min(at, to), max(at, to)

    def __call__(self, value: float) -> float:
        return round(min(self._high, max(self._low, self._at + (value - self._start) * self._factor)), 2)


def _scale(start: float, stop: float, at: float, to: float) -> _Scale:
    return _Scale(start, stop, at, to)


def _axis_end(bins: Sequence[Bin]) -> float:
    reach = max(max(part.mean_p or 0.0, part.mean_y or 0.0, min(part.upper or 0.0, 1.0)) for part in bins)
    return next(end for end in _NICE if end >= min(reach, 1.0))


def _steps(end: float) -> tuple[float, ...]:
    return tuple(round(end * index / _NICE[end], 6) for index in range(_NICE[end] + 1))


def _round_up(value: float) -> float:
    scale = 10.0 ** math.floor(math.log10(value))
    return round(next(step * scale for step in (1, 2, 4, 6, 8, 10) if step * scale >= value), 9)


def _mark(part: Bin, x: _Scale, y: _Scale, *, decision: bool) -> Mark:
    return Mark(
        x=x(part.mean_p or 0.0),
        y=y(part.mean_y or 0.0),
        low=y(part.lower) if part.lower is not None else None,
        high=y(part.upper) if part.upper is not None else None,
        title=_bin_words(part),
        decision=decision,
    )


def _gap_range(part: Bin) -> tuple[float, float]:
    score, rate = part.mean_p or 0.0, part.mean_y or 0.0
    return (rate if part.lower is None else part.lower) - score, (rate if part.upper is None else part.upper) - score


def _bin_words(part: Bin) -> str:
    name = "decision region" if part.name == "decision" else f"bin {visible(part.name)}" if part.name else "bin"
    interval = (
        f" [{figure(part.lower)}, {figure(part.upper)}]" if part.lower is not None and part.upper is not None else ""
    )
    return (
        f"{name}: predicted {figure(part.mean_p or 0.0)}, observed {figure(part.mean_y or 0.0)}{interval}, "
        f"{count(part.n)} rows"
    )


def _words(bins: Sequence[Bin]) -> str:
    return "; ".join(_bin_words(part) for part in bins)


def _bars(
    reliability: Reliability, most: float, x: _Scale, top: float, bottom: float
) -> tuple[tuple[Bar, ...], int, int]:
    """Columns of the histogram up to the axis' end; the highest count, and the rows beyond."""
    shown = [column for column in reliability.histogram if column.to <= most + 1e-9]
    beyond = sum(column.n for column in reliability.histogram if column.to > most + 1e-9)
    highest = max((column.n for column in shown), default=0)
    if highest == 0:
        return (), 0, beyond
    bars, left = [], 0.0
    for column in shown:
        height = (bottom - top) * column.n / highest
        title = f"{figure(left)} to {figure(column.to)}: {count(column.n)} rows"
        width = max(0.5, x(column.to) - x(left) - 0.5)
        bars.append(Bar(x(left), round(bottom - height, 2), round(width, 2), round(height, 2), title))
        left = column.to
    return tuple(bars), highest, beyond
