"""What an own measurement returns: counts, sums, rows, or a bare number; and the figure that is made of it.

Whoever measures says what was seen, never how certain it is: bounds are computed here, at every rung of the ladder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gates.measure.stats.averages import Total, average
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints, totals
from gates.measure.stats.proportions import coverage
from gates.measure.stats.sequences import mean_sequence, share_sequence
from gates.records import Reason

Numbers: TypeAlias = Sequence[float] | Sequence[bool] | npt.NDArray[np.generic]
MOST = 2**53
"""Counts beyond this are not exact."""


class Unusable(ValueError):
    """What was returned is no measurement; the message says why."""


@dataclass(frozen=True)
class Successes:
    """So many of n independent rows; limits are Clopper-Pearson's.

    Attributes
    ----------
    planned: of a stream that is looked at again and again, about how many rows it will have, as planned before the first
    look: limits then hold at every look at once. None: this is the only look.
    """

    successes: int
    n: int
    planned: int | None = None

    def figure(self, minimum_clusters: int) -> Figure | Reason:
        """Return the share of successes, in [0, 1]. Raises Unusable."""
        _whole(self.successes, self.n)
        if not 0 <= self.successes <= self.n:
            raise Unusable(f"{self.successes} of {self.n} is no share: successes lie between 0 and n")
        if self.planned is not None:
            return share_sequence(self.successes, self.n, planned=_planned(self.planned))
        return coverage(
            np.array([float(self.successes)]), np.array([float(self.n)]), None, minimum_clusters=minimum_clusters
        )

    @property
    def method(self) -> str:
        return "clopper_pearson" if self.planned is None else "confidence_sequence"


@dataclass(frozen=True)
class Sums:
    """Sum and sum of squares of n independent values; limits are Student's.

    Attributes
    ----------
    range: the least and the largest that a value can be, where that is known.
    planned: as in Successes; under 1,000 rows there are then no limits yet.
    """

    sum: float
    sum_squares: float
    n: int
    range: tuple[float, float] | None = None
    planned: int | None = None

    def figure(self, minimum_clusters: int) -> Figure | Reason:
        """Return the mean. Raises Unusable."""
        _whole(self.n)
        _finite(self.sum, self.sum_squares)
        limits = _range(self.range)
        if self.n == 0:
            return Reason.EMPTY_TABLE
        mean = self.sum / self.n
        # Cauchy-Schwarz, but for rounding.
        if self.sum_squares < self.sum * mean * (1 - 1e-9) or self.sum_squares < 0:
            raise Unusable("the sum of squares is less than the squared sum over n: these are sums of no values")
        if limits is not None and not limits[0] <= mean <= limits[1]:
            raise Unusable(f"the mean {mean:g} lies outside the range {limits[0]:g} to {limits[1]:g}")
        total = Total(np.array([float(self.n)]), np.array([float(self.sum)]), float(self.sum_squares), range=limits)
        if self.planned is not None:
            return mean_sequence(total, planned=_planned(self.planned))
        return average(total, minimum_clusters=minimum_clusters)

    @property
    def method(self) -> str:
        return "student" if self.planned is None else "asymptotic_confidence_sequence"


@dataclass(frozen=True)
class Values:
    """A value for each row, and where rows hang together, the cluster of each.

    Values of only 0 and 1 (or false and true) are a share with exact limits, unless a range is given; others are a mean.

    Attributes
    ----------
    values: shape (rows,). clusters: anything that can be sorted, shape (rows,).
    """

    values: Numbers
    clusters: Sequence[str] | Sequence[int] | npt.NDArray[np.generic] | None = None
    range: tuple[float, float] | None = None

    def figure(self, minimum_clusters: int) -> Figure | Reason:
        """Return the share or the mean. Raises Unusable."""
        values, codes = _numbers(self.values), self._codes()
        limits = _range(self.range)
        if values.size == 0:
            return Reason.EMPTY_TABLE
        if self._is_share(values):
            hits = totals(codes, values) if codes is not None else values.sum(keepdims=True)
            n = totals(codes, np.ones_like(values)) if codes is not None else np.array([float(values.size)])
            cells = None if codes is None else np.arange(n.size)
            return coverage(hits, n, cells, minimum_clusters=minimum_clusters)
        if limits is not None and not (limits[0] <= values.min() and values.max() <= limits[1]):
            raise Unusable(f"values lie outside the range {limits[0]:g} to {limits[1]:g}")
        return _mean(values, codes, limits, minimum_clusters)

    @property
    def method(self) -> str:
        if self._is_share(_numbers(self.values)):
            return "clopper_pearson" if self.clusters is None else "korn_graubard"
        return "student"

    def _is_share(self, values: Floats) -> bool:
        return self.range is None and bool(np.isin(values, (0.0, 1.0)).all())

    def _codes(self) -> Ints | None:
        if self.clusters is None:
            return None
        clusters = np.asarray(self.clusters)
        if clusters.ndim != 1 or clusters.size != len(self.values):
            raise Unusable(f"{clusters.size} clusters for {len(self.values)} values")
        return np.asarray(np.unique(clusters, return_inverse=True)[1], dtype=np.int64)


@dataclass(frozen=True)
class Bare:
    """A number and nothing else: no bound on either side, which only a limit with `point: true` accepts."""

    value: float

    def figure(self, minimum_clusters: int) -> Figure | Reason:
        """Return the number without bounds. Raises Unusable."""
        _finite(self.value)
        return Figure(float(self.value), np.full(RUNGS.shape, -np.inf), np.full(RUNGS.shape, np.inf), 0)

    @property
    def method(self) -> str:
        return "bare"


Result: TypeAlias = Successes | Sums | Values | Bare


def _mean(
    values: Floats, codes: Ints | None, limits: tuple[float, float] | None, minimum_clusters: int
) -> Figure | Reason:
    """Measured from the first value, in units of the largest distance: equal values have no spread at all, and neither
    large nor tiny ones lose digits.
    """
    origin = float(values[0])
    with np.errstate(over="ignore"):
        off = values - origin
    top = float(np.abs(off).max())
    if not math.isfinite(top):
        raise Unusable("values are too far apart for their differences to be numbers")
    unit = math.ldexp(0.5, math.frexp(top)[1])
    off = off / unit
    n = np.array([float(values.size)]) if codes is None else totals(codes, np.ones_like(values))
    sums = off.sum(keepdims=True) if codes is None else totals(codes, off)
    away = off - off.mean()
    declared = None if limits is None else ((limits[0] - origin) / unit, (limits[1] - origin) / unit)
    total = Total(n, sums, float(off @ off), codes is not None, away, declared)
    figure = average(total, minimum_clusters=minimum_clusters)
    if isinstance(figure, Reason):
        return figure
    scaled = replace(figure, estimate=figure.estimate * unit, lower=figure.lower * unit, upper=figure.upper * unit)
    return scaled.shifted(origin)


def _numbers(values: Numbers) -> Floats:
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "biuf"):
        raise Unusable(f"values are numbers, one a row, and not {found.dtype} of {found.ndim} dimensions")
    numbers = found.astype(np.float64)
    lost = int(np.count_nonzero(~np.isfinite(numbers)))
    if lost:
        raise Unusable(f"{lost} of {numbers.size} values are missing, NaN or infinite")
    return numbers


def _whole(*counts: int) -> None:
    for count in counts:
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 0 <= count <= MOST:
            raise Unusable(f"{count!r} is not a whole number of rows")


def _planned(rows: int) -> int:
    _whole(rows)
    if rows < 1:
        raise Unusable("a stream of no rows is planned")
    return int(rows)


def _finite(*numbers: float) -> None:
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float | np.number) or not math.isfinite(number):
            raise Unusable(f"{number!r} is not a finite number")


def _range(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    if limits is None:
        return None
    _finite(*limits)
    low, high = limits
    if not low < high:
        raise Unusable(f"a range goes from the least to the largest value, and not from {low:g} to {high:g}")
    return float(low), float(high)
