"""Area under the ROC curve and its paired difference, on the same rows.

DeLong, DeLong, Clarke-Pearson (Biometrics 1988) on midranks (Sun and Xu 2014); Obuchowski (Biometrics 1997) where rows
come in clusters, never narrower than DeLong's. Spec: statistics.md, section 3.

Both bounds hold a further z^2 / min(m, n) in quadrature (m positives, n negatives), the rule of three: three rows that
two models rank alike have no empirical variance, and one row in a hundred that the candidate misplaces altogether is
not seen among thirty. At 1,000 rows of the rarer class the term is .003.

Memory: the rows themselves are needed, about 100 bytes each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gates.measure.stats.figure import Figure, Floats, Ints, Mask, quantiles, ranked, totals
from gates.records import Reason


@dataclass(frozen=True)
class Placements:
    """Where each row of one class stands among those of the other; of two models' difference, the differences.

    Attributes
    ----------
    positive: twice the number of negatives below each positive, a tie counts one; shape (m,).
    negative: twice the number of positives above each negative; shape (n,). Whole numbers, so that sums do not depend
    on the order of the rows.
    event: which rows are positives, shape (rows,).
    """

    positive: Floats
    negative: Floats
    event: Mask

    @classmethod
    def of(cls, y: Floats, score: Floats) -> Placements | Reason:
        """Place the rows of a table.

        Parameters
        ----------
        y: 0 or 1, shape (rows,). score: any finite numbers, shape (rows,).

        Returns
        -------
        Reason.EMPTY_TABLE without rows, Reason.ONE_CLASS with one class only.
        """
        event = y > 0.5
        if event.size == 0:
            return Reason.EMPTY_TABLE
        if event.all() or not event.any():
            return Reason.ONE_CLASS
        above, below = score[event], score[~event]
        return cls(_position(above, below), 2.0 * above.size - _position(below, above), event)

    def __sub__(self, other: Placements) -> Placements:
        return Placements(self.positive - other.positive, self.negative - other.negative, self.event)

    @property
    def area(self) -> float:
        return float(self.positive.sum()) / (2 * self.positive.size * self.negative.size)


def auc(placements: Placements | Reason, cluster: Ints | None = None, *, minimum_clusters: int) -> Figure | Reason:
    """Return the area under the ROC curve, in [0, 1].

    Parameters
    ----------
    cluster: codes from 0, shape (rows,); None where rows are taken as independent.

    Returns
    -------
    Reason.FEW_CLUSTERS where positives or negatives stand in fewer than `minimum_clusters` clusters.
    """
    if isinstance(placements, Reason):
        return placements
    return _figure(placements, cluster, minimum_clusters, (0.0, 1.0))


def auc_difference(
    candidate: Placements | Reason, champion: Placements | Reason, cluster: Ints | None = None, *, minimum_clusters: int
) -> Figure | Reason:
    """Return the candidate's area less the champion's, in [-1, 1], of placements of the same rows in the same order."""
    if isinstance(candidate, Reason):
        return candidate
    if isinstance(champion, Reason):
        return champion
    return _figure(candidate - champion, cluster, minimum_clusters, (-1.0, 1.0))


def _position(values: Floats, among: Floats) -> Floats:
    """Twice the midrank position of each value among others: lower ones count two, equal ones one."""
    order = np.argsort(values)
    ascending, sought = np.sort(among), values[order]
    position = np.empty(values.size)
    # Sorted needles keep the search in the cache: 3 times faster at a million rows.
    position[order] = np.searchsorted(ascending, sought, "left") + np.searchsorted(ascending, sought, "right")
    return position


def _figure(
    placements: Placements, cluster: Ints | None, minimum_clusters: int, limits: tuple[float, float]
) -> Figure | Reason:
    m, n = placements.positive.size, placements.negative.size
    variance = _variance(placements.positive, n) / m + _variance(placements.negative, m) / n
    freedom, clusters = None, None
    if cluster is not None:
        clusters, code = ranked(cluster)
        positive, negative = code[placements.event], code[~placements.event]
        # The class that stands in fewer clusters sets the degrees of freedom.
        freedom = min(ranked(positive)[0], ranked(negative)[0])
        if freedom < minimum_clusters:
            return Reason.FEW_CLUSTERS
        variance = max(variance, _obuchowski(placements, positive, negative, clusters))
    z = quantiles(freedom)
    half = np.hypot(z * math.sqrt(variance), z**2 / min(m, n))
    area, (low, high) = placements.area, limits
    return Figure(area, np.maximum(low, area - half), np.minimum(high, area + half), m + n, clusters)


def _obuchowski(placements: Placements, positive: Ints, negative: Ints, clusters: int) -> float:
    """Variance of the area when rows of a cluster depend on each other; codes of the positives and the negatives."""
    m, n = placements.positive.size, placements.negative.size
    area = placements.area

    def deviations(doubled: Floats, others: int, code: Ints) -> tuple[Floats, float]:
        rows = np.bincount(code, minlength=clusters)
        occupied = np.count_nonzero(rows)
        off = totals(code, doubled, clusters) / (2 * others) - area * rows
        return off / doubled.size, occupied / (occupied - 1)

    ten, correction_ten = deviations(placements.positive, n, positive)
    one, correction_one = deviations(placements.negative, m, negative)
    cross = clusters / (clusters - 1) * float(ten @ one)
    return max(0.0, correction_ten * float(ten @ ten) + correction_one * float(one @ one) + 2 * cross)


def _variance(doubled: Floats, others: int) -> float:
    """Variance (ddof 1) of placements as shares, whatever the order of the rows; 0 for a single one."""
    return float(np.sort(doubled).var(ddof=1)) / (4 * others**2) if doubled.size > 1 else 0.0
