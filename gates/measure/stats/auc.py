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

from gates.measure.stats.figure import Figure, Floats, Ints, Mask, quantiles, ranked, totals
from gates.records import Reason


@dataclass(frozen=True)
class _Placements:
    """Twice the number of negatives below each positive, and of positives above each negative; a tie counts one.

    Whole numbers, so that sums do not depend on the order of the rows. Of a difference: the differences.
    """

    positive: Floats
    negative: Floats

    def __sub__(self, other: _Placements) -> _Placements:
        return _Placements(self.positive - other.positive, self.negative - other.negative)

    @property
    def area(self) -> float:
        return float(self.positive.sum()) / (2 * self.positive.size * self.negative.size)


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


def _unfit(positive: Mask) -> Reason | None:
    if positive.size == 0:
        return Reason.EMPTY_TABLE
    return Reason.ONE_CLASS if positive.all() or not positive.any() else None


def _placements(positive: Mask, score: Floats) -> _Placements:
    above, below = score[positive], score[~positive]
    return _Placements(_position(above, below), 2.0 * above.size - _position(below, above))


def _position(values: Floats, among: Floats) -> Floats:
    """Twice the midrank position of each value among others: lower ones count two, equal ones one."""
    order = np.argsort(values)
    ascending, sought = np.sort(among), values[order]
    position = np.empty(values.size)
    # Sorted needles keep the search in the cache: 3 times faster at a million rows.
    position[order] = np.searchsorted(ascending, sought, "left") + np.searchsorted(ascending, sought, "right")
    return position


def _figure(
    placements: _Placements, positive: Mask, cluster: Ints | None, minimum_clusters: int, limits: tuple[float, float]
) -> Figure | Reason:
    m, n = placements.positive.size, placements.negative.size
    variance = _variance(placements.positive, n) / m + _variance(placements.negative, m) / n
    freedom, clusters = None, None
    if cluster is not None:
        clusters = ranked(cluster)[0]
        # The class that stands in fewer clusters sets the degrees of freedom.
        freedom = min(ranked(cluster[positive])[0], ranked(cluster[~positive])[0])
        if freedom < minimum_clusters:
            return Reason.FEW_CLUSTERS
        variance = max(variance, _obuchowski(placements, positive, ranked(cluster)[1]))
    z = quantiles(freedom)
    half = np.hypot(z * math.sqrt(variance), z**2 * math.hypot(1 / m, 1 / n))
    area, (low, high) = placements.area, limits
    return Figure(area, np.maximum(low, area - half), np.minimum(high, area + half), m + n, clusters)


def _obuchowski(placements: _Placements, positive: Mask, cluster: Ints) -> float:
    """Variance of the area when rows of a cluster depend on each other, positives and negatives alike."""
    m, n = placements.positive.size, placements.negative.size
    clusters = int(cluster.max()) + 1

    def deviations(doubled: Floats, others: int, code: Ints) -> tuple[Floats, float]:
        rows = np.bincount(code, minlength=clusters)
        occupied = np.count_nonzero(rows)
        off = totals(code, doubled, clusters) / (2 * others) - placements.area * rows
        return off / doubled.size, occupied / (occupied - 1)

    ten, correction_ten = deviations(placements.positive, n, cluster[positive])
    one, correction_one = deviations(placements.negative, m, cluster[~positive])
    cross = clusters / (clusters - 1) * float(ten @ one)
    return max(0.0, correction_ten * float(ten @ ten) + correction_one * float(one @ one) + 2 * cross)


def _variance(doubled: Floats, others: int) -> float:
    """Variance (ddof 1) of placements as shares, whatever the order of the rows; 0 for a single one."""
    return float(np.sort(doubled).var(ddof=1)) / (4 * others**2) if doubled.size > 1 else 0.0
