"""How far two tables without common keys differ in one quantity: from sums of powers, with intervals by the delta method.

Each table's mean and variance vary with its own rows, independent of the other's; from the influence of one row on
the figure follows its variance, over rows or over clusters. Shares without a value are compared by the method of
variance estimates recovered (Zou and Donner 2008, equation 2; Newcombe 1998, method 10) on exact limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gates.measure.stats.clusters import Clusters, fewest_known
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints
from gates.records import Reason


@dataclass(frozen=True)
class Powers:
    """Sums of powers of (x - center) / scale over the rows that have a finite value, by cell.

    Attributes
    ----------
    n: rows with a value, shape (cells,). sums: of the powers 1 to 4, shape (4, cells).
    cluster: codes by cell, None where rows are taken as independent; there is then one cell.
    """

    n: Floats
    sums: Floats
    cluster: Ints | None = None

    @property
    def rows(self) -> int:
        return int(self.n.sum())

    @cached_property
    def clusters(self) -> Clusters | None:
        """The clusters that have values; None where rows are taken as independent, or there are no values."""
        return None if self.cluster is None or self.rows == 0 else Clusters.by(self.cluster, self.n)

    @property
    def mean(self) -> float:
        return float(self.sums[0].sum() / self.n.sum())

    @property
    def variance(self) -> float:
        """Over n, not n - 1."""
        return max(0.0, float(self.sums[1].sum() / self.n.sum()) - self.mean**2)

    def scaled(self, factor: float) -> Powers:
        """Return the sums of values that are `factor` times these."""
        return replace(self, sums=self.sums * (factor ** np.arange(1, 5))[:, None])

    def varies(self, of_mean: float, of_variance: float) -> float:
        """Variance of a figure that moves by so much with the mean and with the variance."""
        n, mean, variance = float(self.n.sum()), self.mean, self.variance
        if self.clusters is not None:
            first = self.sums[0] - mean * self.n
            second = self.sums[1] - 2 * mean * self.sums[0] + (mean**2 - variance) * self.n
            return self.clusters.variance((of_mean * first + of_variance * second) / n)
        two, three, four = (float(total.sum()) / n for total in self.sums[1:])
        third = three - 3 * mean * two + 2 * mean**3
        fourth = four - 4 * mean * three + 6 * mean**2 * two - 3 * mean**4
        spread = of_mean**2 * variance + 2 * of_mean * of_variance * third + of_variance**2 * (fourth - variance**2)
        return max(0.0, spread) / n


@dataclass(frozen=True)
class Estimate:
    """A figure that is about normal, with its standard error; the clusters that have the fewest degrees of freedom."""

    value: float
    error: float
    n: int
    clusters: Clusters | None

    def limits(self, confidence: Floats) -> tuple[Floats, Floats]:
        """Return one-sided limits at each confidence."""
        from scipy.special import ndtri, stdtrit

        at = ndtri(confidence) if self.clusters is None else stdtrit(self.clusters.freedom, confidence)
        z = np.asarray(at, dtype=np.float64)
        return self.value - z * self.error, self.value + z * self.error

    def figure(self) -> Figure:
        lower, upper = self.limits(RUNGS)
        return Figure(self.value, lower, upper, self.n).among(self.clusters)


def mean_difference(before: Powers, after: Powers, *, fewest: int, minimum_clusters: int) -> Estimate | Reason:
    """Return the standardised mean difference (mean after - mean before) / sqrt((variance before + variance after) / 2).

    Returns
    -------
    Reason.FEW_EVENTS with fewer than `fewest` values on a side; Reason.FEW_CLUSTERS; Reason.NO_SPREAD where each side has one
    value and they are two.
    """
    if reason := _too_few(before, after, fewest, minimum_clusters):
        return reason
    pooled = (before.variance + after.variance) / 2
    if pooled == 0:
        same = before.mean == after.mean
        return Estimate(0.0, 0.0, after.rows, _clusters(before, after)) if same else Reason.NO_SPREAD
    value = (after.mean - before.mean) / pooled**0.5
    by_variance = -value / (4 * pooled)
    error = before.varies(-(pooled**-0.5), by_variance) + after.varies(pooled**-0.5, by_variance)
    return Estimate(value, error**0.5, after.rows, _clusters(before, after))


def variance_ratio(before: Powers, after: Powers, *, fewest: int, minimum_clusters: int) -> Figure | Reason:
    """Return variance after / variance before; the interval is that of the logarithm, so the bounds are positive.

    Returns
    -------
    As of `mean_difference`; Reason.NO_SPREAD also where one side alone has no spread.
    """
    if reason := _too_few(before, after, fewest, minimum_clusters):
        return reason
    if before.variance == 0 or after.variance == 0:
        if before.variance != after.variance:
            return Reason.NO_SPREAD
        return Estimate(1.0, 0.0, after.rows, _clusters(before, after)).figure()
    error = sum(side.varies(0.0, 1 / side.variance) for side in (before, after))
    value = float(np.log(after.variance / before.variance))
    return Estimate(value, error**0.5, after.rows, _clusters(before, after)).figure().rising(_exp)


def largest(parts: Sequence[Estimate]) -> Figure:
    """Return the largest magnitude among figures of one pair of tables, such as the buckets of a text.

    The upper bound is the largest of theirs, which the true largest one's is not above; the lower bound is the largest of
    theirs at a confidence corrected for their number (Bonferroni).
    """
    corrected = 1 - (1 - RUNGS) / len(parts)
    upper = np.max([np.maximum(-low, high) for low, high in (part.limits(RUNGS) for part in parts)], axis=0)
    lower = np.max([np.maximum(low, -high) for low, high in (part.limits(corrected) for part in parts)], axis=0)
    top = max(parts, key=lambda part: abs(part.value))
    return Figure(abs(top.value), np.maximum(lower, 0.0), upper, top.n).among(top.clusters)


def share_difference(before: Figure, after: Figure) -> Figure:
    """Return one share less another of other rows, in [-1, 1], from limits of each at each rung."""
    gap = after.estimate - before.estimate
    down = np.hypot(after.estimate - after.lower, before.upper - before.estimate)
    up = np.hypot(after.upper - after.estimate, before.estimate - before.lower)
    clustered = [side for side in (before, after) if side.clusters is not None and side.number is not None]
    least = min(clustered, key=lambda side: side.number or 0.0, default=after)
    lower, upper = np.maximum(gap - down, -1.0), np.minimum(gap + up, 1.0)
    return Figure(gap, lower, upper, after.n, least.clusters, number=least.number)


def _exp(value: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(value), dtype=np.float64)


def _clusters(before: Powers, after: Powers) -> Clusters | None:
    return fewest_known(side.clusters for side in (before, after))


def _too_few(before: Powers, after: Powers, fewest: int, minimum_clusters: int) -> Reason | None:
    if min(before.rows, after.rows) < max(fewest, 2):
        return Reason.FEW_EVENTS
    clusters = _clusters(before, after)
    return Reason.FEW_CLUSTERS if clusters is not None and clusters.few(minimum_clusters) else None
