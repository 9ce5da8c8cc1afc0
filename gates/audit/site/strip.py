"""A figure's interval against its limit, small enough for a line of a table; the template writes the SVG.

There is one on every line, which is why it is not drawn as the page's larger pictures are (`gates/render/pictures`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gates.decide.limits import ends
from gates.render.row import Row


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
