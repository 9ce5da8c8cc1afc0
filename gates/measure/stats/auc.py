"""Area under the ROC curve and its paired difference, on the same rows.

DeLong, DeLong, Clarke-Pearson (Biometrics 1988) on midranks (Sun and Xu 2014); Obuchowski (Biometrics 1997) where rows
come in clusters, never narrower than DeLong's. Spec: statistics.md, section 3.

Both bounds hold a further z^2 sqrt(1/m^2 + 1/n^2) in quadrature (m positives, n negatives): three rows that two models
rank alike have no empirical variance and prove nothing. At 1,000 rows of the rarer class it is .003 wide.

Memory: the rows themselves are needed, about 100 bytes each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gates.measure.stats.figure import Figure, Floats, Ints, quantiles
from gates.records import Reason


@dataclass(frozen=True)
class _Placements:
    """For each positive the share of negatives below it, for each negative the share of positives above it."""

    positive: Floats
    negative: Floats

    def __sub__(self, other: _Placements) -> _Placements:
        return _Placements(self.positive - other.positive, self.negative - other.negative)

    @property
    def area(self) -> float:
        return _mean(self.positive)


def auc(y: Floats, score: Floats, cluster: Ints | None = None, *, minimum_clusters: int) -> Figure | Reason:
    """Return the area under the ROC curve, in [0, 1].

    Parameters
    ----------
    y: 0 or 1, shape (rows,). score: any finite numbers, shape (rows,). cluster: codes from 0, shape (rows,), or None.

    Returns
    -------
    Reason.EMPTY_TABLE without rows, Reason.ONE_CLASS with one class only, Reason.FEW_CLUSTERS where positives or
    negatives stand in fewer than `minimum_clusters` clusters.
    """
    positive = y > 0.5
    reason = _unfit(positive)
    if reason is not None:
        return reason
    return _figure(_placements(positive, score), positive, cluster, minimum_clusters, (0.0, 1.0))


def auc_difference(
    y: Floats, candidate: Floats, champion: Floats, cluster: Ints | None = None, *, minimum_clusters: int
) -> Figure | Reason:
    """Return the candidate's area less the champion's on the same rows, in [-1, 1]; arguments as for `auc`."""
    positive = y > 0.5
    reason = _unfit(positive)
    if reason is not None:
        return reason
    difference = _placements(positive, candidate) - _placements(positive, champion)
    return _figure(difference, positive, cluster, minimum_clusters, (-1.0, 1.0))


def _unfit(positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Reason | None:
    if positive.size == 0:
        return Reason.EMPTY_TABLE
    return Reason.ONE_CLASS if positive.all() or not positive.any() else None


def _placements(positive: np.ndarray[tuple[int], np.dtype[np.bool_]], score: Floats) -> _Placements:
    above, below = score[positive], score[~positive]
    order_above, order_below = np.sort(above), np.sort(below)
    # A tie counts one half, from either side: the mean of the left and the right position.
    wins = (np.searchsorted(order_below, above, "left") + np.searchsorted(order_below, above, "right")) / 2
    losses = (np.searchsorted(order_above, below, "left") + np.searchsorted(order_above, below, "right")) / 2
    return _Placements(wins / below.size, 1 - losses / above.size)


def _figure(
    placements: _Placements,
    positive: np.ndarray[tuple[int], np.dtype[np.bool_]],
    cluster: Ints | None,
    minimum_clusters: int,
    limits: tuple[float, float],
) -> Figure | Reason:
    m, n = placements.positive.size, placements.negative.size
    variance = _variance(placements.positive) / m + _variance(placements.negative) / n
    independent, clusters = None, None
    if cluster is not None:
        # The class that stands in fewer clusters sets the degrees of freedom.
        independent = min(np.unique(cluster[positive]).size, np.unique(cluster[~positive]).size)
        if independent < minimum_clusters:
            return Reason.FEW_CLUSTERS
        clusters = int(np.unique(cluster).size)
        variance = max(variance, _obuchowski(placements, positive, cluster))
    z = quantiles(independent)
    half = np.hypot(z * math.sqrt(variance), z**2 * math.hypot(1 / m, 1 / n))
    area = placements.area
    low, high = limits
    return Figure(area, np.maximum(low, area - half), np.minimum(high, area + half), m + n, clusters)


def _obuchowski(placements: _Placements, positive: np.ndarray[tuple[int], np.dtype[np.bool_]], cluster: Ints) -> float:
    """Variance of the area when rows of a cluster depend on each other, positives and negatives alike."""
    size = int(cluster.max()) + 1
    area = placements.area

    def totals(values: Floats, codes: Ints) -> tuple[Floats, int]:
        rows = np.bincount(codes, minlength=size)
        return np.bincount(codes, weights=values, minlength=size) - area * rows, int(np.count_nonzero(rows))

    ten, with_positive = totals(placements.positive, cluster[positive])
    one, with_negative = totals(placements.negative, cluster[~positive])
    both = int(np.unique(cluster).size)
    m, n = placements.positive.size, placements.negative.size
    s10 = with_positive / (with_positive - 1) * float(ten @ ten) / m**2
    s01 = with_negative / (with_negative - 1) * float(one @ one) / n**2
    s11 = both / (both - 1) * float(ten @ one) / (m * n)
    return max(0.0, s10 + s01 + 2 * s11)


def _mean(values: Floats) -> float:
    """Mean that does not depend on the order of the rows."""
    return float(np.sort(values).mean())


def _variance(values: Floats) -> float:
    """Variance (ddof 1) that does not depend on the order of the rows; 0 for a single one."""
    return float(np.sort(values).var(ddof=1)) if values.size > 1 else 0.0
