"""What every statistic returns: an estimate, and its one-sided bounds at each rung of LADDER."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gates.records import LADDER, Bound, Reason

if TYPE_CHECKING:
    from gates.measure.stats.clusters import Clusters

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

RUNGS: Floats = np.array(LADDER)
RUNGS.flags.writeable = False


@dataclass(frozen=True)
class Figure:
    """An estimate with one-sided bounds.

    Attributes
    ----------
    lower, upper: shape (9,), at the rungs of LADDER; -inf and inf where the data set no limit.
    n: rows that entered. clusters: independent groups of rows, None where rows were taken as independent.
    debiased: the estimate less its known bias, where the method has one.
    number: as many clusters of one size would say as much (`clusters`), 1 to `clusters`.
    """

    estimate: float
    lower: Floats
    upper: Floats
    n: int
    clusters: int | None = None
    debiased: float | None = None
    number: float | None = None

    @classmethod
    def exact(cls, value: float, n: int, clusters: int | None = None) -> Figure:
        """Return what is known of the rows read and claimed of no others: without width."""
        level = np.full_like(RUNGS, value)
        return cls(value, level, level, n, clusters)

    def bounds(self) -> tuple[Bound, ...]:
        """Return the bounds as records, ascending in confidence."""
        # Built without validation, of which nine for each figure were half of the time of a table of many slices.
        return tuple(
            Bound.model_construct(confidence=rung, lower=_or_unbounded(low), upper=_or_unbounded(high))
            for rung, low, high in zip(LADDER, self.lower.tolist(), self.upper.tolist(), strict=True)
        )

    def among(self, clusters: Clusters | None) -> Figure:
        """Return the figure with the clusters that its rows come in; None where they were taken as independent."""
        return self if clusters is None else replace(self, clusters=clusters.count, number=clusters.number)

    @property
    def effective_clusters(self) -> int | None:
        """`number` to the nearest whole one, where that is less than the clusters are; else None."""
        whole = None if self.number is None else round(self.number)
        return None if whole == self.clusters else whole

    def shifted(self, offset: float) -> Figure:
        """Return the figure of the quantity plus a constant."""
        return replace(
            self, estimate=self.estimate + offset, lower=self.lower + offset, upper=self.upper + offset, debiased=None
        )

    def rising(self, transform: Callable[[Floats], Floats]) -> Figure:
        """Return the figure of a rising function of the quantity: its bounds are the function of the bounds."""
        estimate = float(transform(np.asarray(self.estimate, dtype=np.float64)))
        return replace(self, estimate=estimate, lower=transform(self.lower), upper=transform(self.upper), debiased=None)

    def mirrored(self) -> Figure:
        """Return the figure of the negated quantity: its lower bound is the negated upper one."""
        return replace(self, estimate=-self.estimate, lower=-self.upper, upper=-self.lower, debiased=None)


def at_ladder(interval: Callable[[float], tuple[float, float]]) -> tuple[Bound, ...]:
    """Build bounds from a function of the one-sided confidence.

    Parameters
    ----------
    interval: confidence in (.5, 1) to (lower, upper); infinite where the data set no limit.
    """
    limits = [interval(rung) for rung in LADDER]
    return tuple(
        Bound(confidence=rung, lower=_or_unbounded(low), upper=_or_unbounded(high))
        for rung, (low, high) in zip(LADDER, limits, strict=True)
    )


_NORMAL = NormalDist()


@lru_cache(maxsize=4096)
def quantiles(freedom: float | None, share: float = 1.0) -> Floats:
    """Return one-sided quantiles at the rungs, shape (9,): normal, or Student's.

    Parameters
    ----------
    freedom: degrees of freedom, above 0; None for the normal ones.
    share: of each rung's alpha, in (0, 1]; what a bound may spend where several are joined.
    """
    at = RUNGS + (1 - share) * (1 - RUNGS)
    if freedom is None:
        # Not SciPy's, whose import takes a tenth of the time that a million rows are ranked in.
        values = np.array([_NORMAL.inv_cdf(rung) for rung in at])
    else:
        from scipy.special import stdtrit

        values = np.asarray(stdtrit(freedom, at), dtype=np.float64)
    values.flags.writeable = False
    return values


def three(z: Floats) -> Floats:
    """Rows that may have been expected of which none was seen, by rung: the larger of z^2 and -ln(1 - rung), 3.0 at .95."""
    return np.maximum(z**2, -np.log1p(-RUNGS))


def rare(z: Floats, error: float, unseen: Floats) -> Floats:
    """Half-widths around a figure that single rows may move far, by rung: c + sqrt(z^2 error^2 + c^2), c half of `unseen`.

    Where `unseen` is `three` times one step, and k rows took that step while nothing else varies, it is as wide as Poisson's
    law says of k: within .07 steps at .95, and wider beyond. In quadrature, hypot(z error, unseen), a bound at .95 misses .08
    there: rare steps make a mean skewed.

    Parameters
    ----------
    z: quantiles. error: the standard error. unseen: what `three` rows like none of those seen would do; shapes (9,).
    """
    return np.asarray(unseen / 2 + np.hypot(z * error, unseen / 2), dtype=np.float64)


def totals(code: Ints, values: Floats, size: int = 0) -> Floats:
    """Return the sums of values by code, shape (max(size, largest code + 1),)."""
    return np.bincount(code, weights=values, minlength=size).astype(np.float64, copy=False)


def lacking_a_class(event: Mask) -> Reason | None:
    """Return why rows cannot be ranked against each other: there are none, or all are of one class."""
    if event.size == 0:
        return Reason.EMPTY_TABLE
    return Reason.ONE_CLASS if event.all() or not event.any() else None


_SEEN = 10
"""Draws beyond a rung, with fewer of which it is not read from draws."""


def reach(drawn: Floats, estimate: float) -> Floats:
    """How far draws lie from an estimate at each rung, on the side where they lie farther; shape (9,).

    A rung that too few draws lie beyond is put where the last one is, stretched by the ratio of normal quantiles.

    Parameters
    ----------
    drawn: at least 200 draws; those that are not finite do not count.
    """
    ordered = np.sort(drawn[np.isfinite(drawn)])
    inside = 1 - _SEEN / ordered.size >= RUNGS
    normal = quantiles(None)
    at = np.rint(RUNGS[inside] * (ordered.size - 1)).astype(np.int64)
    seen = np.maximum(estimate - ordered[ordered.size - 1 - at], ordered[at] - estimate)
    return np.concatenate([seen, seen[-1] * normal[~inside] / normal[inside][-1]])


def settled(values: Floats) -> Floats:
    """Round to multiples of 2^-24: sums of millions of them are exact in any order of the rows."""
    return np.asarray(np.rint(values * 2.0**24) * 2.0**-24, dtype=np.float64)


def ranked(code: Ints) -> tuple[int, Ints]:
    """Return how many distinct codes there are, and each one's position among them, ascending; codes are at least 0."""
    if code.size and int(code.max()) < 4 * code.size:
        # Counting is 20 times faster than sorting, unless a few rows hold a few of very many codes.
        present = np.bincount(code) > 0
        return int(np.count_nonzero(present)), (np.cumsum(present) - 1)[code].astype(np.int64, copy=False)
    distinct, position = np.unique(code, return_inverse=True)
    return int(distinct.size), position.astype(np.int64, copy=False)


def _or_unbounded(limit: float) -> float | Literal["unbounded"]:
    return limit if math.isfinite(limit) else "unbounded"
