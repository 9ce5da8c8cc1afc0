"""How many rows would settle an undecided figure: a range with a cap, because the effect itself is only estimated.

Method: statistics.md, section 1 "Rows needed" and section 3. The count is for a fresh holdout, whose first look is
tested at .95; adding rows to a holdout that was looked at is a second look at a stricter rung.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

from gates.decide.attachments import Bin
from gates.decide.limits import Limit, Rungs, ends
from gates.records.measurement import Measurement

POWER = NormalDist().inv_cdf(0.8)
"""A repeat with the advised rows settles the matter in 8 of 10 runs."""

QUARTILE = NormalDist().inv_cdf(0.75)
"""The range takes the effect at the quartiles of what it may be."""

CAP = 100
"""Beyond so many times the present rows a number would say more than the data do."""

_PASSING = NormalDist().inv_cdf(0.95)
_SHARE_OF_SPREAD = 0.7
_FOLDED_MEAN = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class Need:
    """Rows that would settle a figure.

    Attributes
    ----------
    now: rows that it has. low, high: rows of a fresh holdout, effect at its quartiles; at most CAP times `now`.
    capped: the upper end is beyond the cap. toward: the verdict that more rows would probably bring.
    sure: the estimate is more than one standard error from the limit; else the direction is a guess.
    """

    now: int
    low: int
    high: int
    capped: bool
    toward: Literal["pass", "fail"]
    sure: bool

    def document(self) -> dict[str, Any]:
        return {
            "n": self.now,
            "rows_low": self.low,
            "rows_high": self.high,
            "capped": self.capped,
            "toward": self.toward,
            "sure": self.sure,
        }


def rows_for_width(measurement: Measurement, limit: Limit, rungs: Rungs) -> Need | None:
    """Rows by the square-root law: an interval's width shrinks with the root of n.

    Returns
    -------
    None where the data set no bound, so that there is no width to scale, or without width.
    """
    if measurement.estimate is None or measurement.bounds is None or measurement.n == 0:
        return None
    lower, upper = ends(measurement.bounds[0])
    point = measurement.estimate if measurement.debiased is None else measurement.debiased
    excess = limit.excess(point)
    if none_seen := _none_seen(measurement, limit):
        return none_seen
    above = limit.excess(point + 1e-9) > excess
    width = upper - measurement.estimate if above == (excess <= 0) else measurement.estimate - lower
    if not math.isfinite(width) or width <= 0:
        return None
    error = width / _PASSING
    toward: Literal["pass", "fail"] = "pass" if excess < 0 else "fail"
    z = _PASSING if toward == "pass" else _failing(measurement, rungs)
    distance = abs(excess) / error

    def rows(effect: float) -> float:
        return measurement.n * ((z + POWER) / effect) ** 2 if effect > 0 else math.inf

    return _need(measurement.n, rows(distance + QUARTILE), rows(distance - QUARTILE), toward, sure=distance > 1)


_SHARES = ("parity.mismatch", "parity.missing", "parity.null", "parity.not_found", "parity.too_old")


def _none_seen(measurement: Measurement, limit: Limit) -> Need | None:
    """Rows with which a share of which nothing was seen is proven to be under a limit, where rows are independent.

    The width of its exact interval shrinks with n, not with its root: (1 - limit)^n <= .05.
    """
    if measurement.check not in _SHARES or measurement.estimate != 0 or measurement.clusters is not None:
        return None
    if not 0 < limit.value < 1:
        return None
    rows = math.ceil(math.log(0.05) / math.log1p(-limit.value))
    return Need(now=measurement.n, low=rows, high=rows, capped=False, toward="pass", sure=True)


def _failing(measurement: Measurement, rungs: Rungs, share: float = 1.0) -> float:
    """The normal quantile of a failure, at so much of its rung's alpha."""
    bound = rungs.judged(measurement, "fail", 1)
    confidence = 0.95 if bound is None else bound.confidence
    return NormalDist().inv_cdf(1 - share * (1 - confidence))


def _need(now: int, low: float, high: float, toward: Literal["pass", "fail"], *, sure: bool) -> Need:
    cap = CAP * now
    return Need(
        now=now,
        low=_rounded(min(low, cap)),
        high=_rounded(min(high, cap)),
        capped=high > cap,
        toward=toward,
        sure=sure,
    )


def _rounded(rows: float) -> int:
    """Two digits, upwards: the number is no more exact than that."""
    step = int(10 ** max(0, math.floor(math.log10(rows)) - 1))
    return math.ceil(rows / step) * step


@dataclass(frozen=True)
class _Filled:
    """A reliability bin with rows: observed rate and mean prediction."""

    n: int
    mean_y: float
    mean_p: float

    @property
    def gap(self) -> float:
        return self.mean_y - self.mean_p

    @property
    def variance(self) -> float:
        """Variance of one row's outcome; the larger of the data's and the model's."""
        return max(self.mean_y * (1 - self.mean_y), self.mean_p * (1 - self.mean_p))


def rows_for_ece(measurement: Measurement, limit: Limit, bins: Sequence[Bin], rungs: Rungs) -> Need | None:
    """Rows for a binned calibration error: its noise shrinks with the root of n, and its bias too.

    The gaps are shrunk so that their mean square is the debiased one; the expected plug-in error and its bound at m
    rows follow (Kumar 2019, arXiv 1909.10155).

    Returns
    -------
    None where the bins are not those of the figure.
    """
    filled = [
        _Filled(part.n, part.mean_y, part.mean_p)
        for part in bins
        if part.mean_y is not None and part.mean_p is not None
    ]
    rows = sum(part.n for part in filled)
    if rows != measurement.n or measurement.bounds is None or measurement.estimate is None or rows == 0:
        return None
    world = _World.of(filled, rows, _inflation(measurement, filled, rows))
    small, effect, large = (world.shrunk(offset) for offset in (-QUARTILE, 0.0, QUARTILE))
    distance = limit.value - world.limit_of_error(effect)
    toward: Literal["pass", "fail"] = "pass" if distance > 0 else "fail"
    z = _failing(measurement, rungs, share=0.5)

    def needed(gaps: tuple[float, ...]) -> float:
        if toward == "pass":
            return _smallest(rows, lambda m: world.upper(gaps, m) <= limit.value)
        return _smallest(rows, lambda m: world.lower(gaps, m, z) > limit.value)

    low, high = (needed(small), needed(large)) if toward == "pass" else (needed(large), needed(small))
    return _need(rows, low, high, toward, sure=abs(distance) > world.spread(rows))


def _smallest(now: int, settled: Callable[[float], bool]) -> float:
    """The smallest number of rows that settles, by bisection on its logarithm; infinite where none under 2 CAP does."""
    low, high = 0.0, math.log(2 * CAP * now)
    if not settled(math.exp(high)):
        return math.inf
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if settled(math.exp(middle)) else (middle, high)
    return math.exp(high)


def _inflation(measurement: Measurement, bins: Sequence[_Filled], rows: int) -> float:
    """How much more the figure varies than with independent rows, from the width of its own interval."""
    if measurement.bounds is None or measurement.estimate is None:
        return 1.0
    _, upper = ends(measurement.bounds[0])
    independent = _PASSING * math.sqrt(sum(part.n * part.variance for part in bins)) / rows
    width = upper - measurement.estimate
    return max(1.0, (width / independent) ** 2) if independent > 0 and math.isfinite(width) else 1.0


@dataclass(frozen=True)
class _World:
    """What the bins say about a repeat with m rows: shares, gaps, and the variance of a row in each bin."""

    shares: tuple[float, ...]
    gaps: tuple[float, ...]
    variances: tuple[float, ...]
    rows: int

    @classmethod
    def of(cls, bins: Sequence[_Filled], rows: int, inflation: float) -> _World:
        return cls(
            tuple(part.n / rows for part in bins),
            tuple(part.gap for part in bins),
            tuple(part.variance * inflation for part in bins),
            rows,
        )

    def shrunk(self, offset: float) -> tuple[float, ...]:
        """The gaps, scaled to their debiased mean square; `offset` standard errors of it up or down."""
        noise = [v / (w * self.rows) for w, v in zip(self.shares, self.variances, strict=True)]
        seen = sum(w * d * d for w, d in zip(self.shares, self.gaps, strict=True))
        true = max(0.0, seen - sum(w * s for w, s in zip(self.shares, noise, strict=True)))
        error = math.sqrt(sum(w * w * (2 * s * s + 4 * s * true) for w, s in zip(self.shares, noise, strict=True)))
        scale = math.sqrt(max(0.0, true + offset * error) / seen) if seen > 0 else 0.0
        return tuple(scale * d for d in self.gaps)

    def limit_of_error(self, gaps: tuple[float, ...]) -> float:
        """The error that endless rows would show."""
        return sum(w * abs(d) for w, d in zip(self.shares, gaps, strict=True))

    def expected(self, gaps: tuple[float, ...], rows: float) -> float:
        """Mean of the plug-in error at so many rows: folded normals."""
        return sum(
            w * _folded(d, math.sqrt(v / (w * rows))) for w, d, v in zip(self.shares, gaps, self.variances, strict=True)
        )

    def spread(self, rows: float) -> float:
        """Standard error of the mean of signed residuals at so many rows."""
        return math.sqrt(sum(w * v for w, v in zip(self.shares, self.variances, strict=True)) / rows)

    def upper(self, gaps: tuple[float, ...], rows: float) -> float:
        """The bound that a pass needs, reached in 8 of 10 runs."""
        return self.expected(gaps, rows) + (_PASSING + _SHARE_OF_SPREAD * POWER) * self.spread(rows)

    def lower(self, gaps: tuple[float, ...], rows: float, z: float) -> float:
        """The bound that a failure needs, reached in 8 of 10 runs: the larger of that of the plug-in and of the mean.

        The null of the plug-in is a sum of folded normals. `z` is the quantile at half of alpha.
        """
        errors = [w * math.sqrt(v / (w * rows)) for w, v in zip(self.shares, self.variances, strict=True)]
        null = _FOLDED_MEAN * sum(errors) + z * math.sqrt((1 - 2 / math.pi) * sum(e * e for e in errors))
        plug_in = self.expected(gaps, rows) - null - _SHARE_OF_SPREAD * POWER * self.spread(rows)
        shift = abs(sum(w * d for w, d in zip(self.shares, gaps, strict=True)))
        return max(plug_in, shift - (z + POWER) * self.spread(rows))


def _folded(gap: float, error: float) -> float:
    """Mean of |X| for a normal X with that mean and deviation."""
    if error == 0:
        return abs(gap)
    ratio = gap / error
    return error * (_FOLDED_MEAN * math.exp(-(ratio**2) / 2) + ratio * math.erf(ratio / math.sqrt(2)))
