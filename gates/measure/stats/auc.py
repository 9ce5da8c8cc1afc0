"""Area under the ROC curve and its paired difference, on the same rows.

DeLong, DeLong, Clarke-Pearson (Biometrics 1988) on midranks (Sun and Xu 2014); Obuchowski (Biometrics 1997) where rows
come in clusters, with the jackknife's variance (`clusters`) and never narrower than DeLong's. Spec: statistics.md, section 3.

Both bounds hold a further z^2 / min(m, n) in quadrature (m positives, n negatives), the rule of three: three rows that
two models rank alike have no empirical variance, and one row in a hundred that the candidate misplaces altogether is
not seen among thirty. At 1,000 rows of the rarer class the term is .003. Where rows come in clusters, or have weights, m
and n are those that speak of what was never seen (`clusters`).

Memory: the rows themselves are needed, about 100 bytes each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gates.measure.stats.clusters import Clusters, OfClasses, deviating, heavy_rows, unseen_rows
from gates.measure.stats.figure import Figure, Floats, Ints, Mask, lacking_a_class, quantiles, settled, totals
from gates.records import Reason


@dataclass(frozen=True)
class Placements:
    """Where each row of one class stands among those of the other; of two models' difference, the differences.

    Attributes
    ----------
    positive: twice the weight of the negatives below each positive, a tie counts one; shape (m,).
    negative: twice the weight of the positives above each negative; shape (n,). Without weights whole numbers, so that
    sums do not depend on the order of the rows.
    event: which rows are positives, shape (rows,).
    weight: of the positives and of the negatives, shapes (m,) and (n,); None where all count one.
    heaviest: the largest weight that a positive can have, and a negative; None where all count one.
    """

    positive: Floats
    negative: Floats
    event: Mask
    weight: tuple[Floats, Floats] | None = None
    heaviest: tuple[float, float] | None = None

    @classmethod
    def of(
        cls, y: Floats, score: Floats, weight: Floats | None = None, heaviest: tuple[float, float] | None = None
    ) -> Placements | Reason:
        """Place the rows of a table.

        Parameters
        ----------
        y: 0 or 1, shape (rows,). score: any finite numbers, shape (rows,). weight: above 0, shape (rows,).
        heaviest: that a positive can be, and a negative, where that is more than these rows show.

        Returns
        -------
        Reason.EMPTY_TABLE without rows, Reason.ONE_CLASS with one class only.
        """
        event = y > 0.5
        absent = lacking_a_class(event)
        if absent is not None:
            return absent
        above, below = score[event], score[~event]
        left, right = _Ascending.of(above), _Ascending.of(below)
        if weight is None:
            return cls(left.among(right), 2.0 * above.size - right.among(left), event)
        own, other = settled(weight[event]), settled(weight[~event])
        of_own, of_other = heaviest or (float(weight.max()),) * 2
        most = max(float(own.max()), of_own), max(float(other.max()), of_other)
        return cls(left.among(right, other), 2.0 * own.sum() - right.among(left, own), event, (own, other), most)

    def __sub__(self, other: Placements) -> Placements:
        return replace(self, positive=self.positive - other.positive, negative=self.negative - other.negative)

    @property
    def sides(self) -> tuple[_Side, _Side]:
        """The positives and the negatives, each placed among the others as a share."""
        own, other = self.weight or (np.ones(0), np.ones(0))
        m, n = (own.sum(), other.sum()) if self.weight else (self.positive.size, self.negative.size)
        most, least = self.heaviest or (None, None)
        return (
            _Side(self.positive, 2 * float(n), own if self.weight else None, heavy_rows(float(m), most)),
            _Side(self.negative, 2 * float(m), other if self.weight else None, heavy_rows(float(n), least)),
        )

    @property
    def area(self) -> float:
        side = self.sides[0]
        if side.weight is None:
            return float(side.doubled.sum()) / (side.most * side.doubled.size)
        # Sorted, so that the sum does not depend on the order of the rows.
        return float(np.sort(side.weight * side.doubled).sum()) / (side.most * float(side.weight.sum()))


@dataclass(frozen=True)
class _Side:
    """One class: doubled placements, the largest they can be, weights, and rows of the heaviest that weigh as much."""

    doubled: Floats
    most: float
    weight: Floats | None
    heavy: float

    @property
    def effective(self) -> float:
        """Rows that would say as much without weights (Kish)."""
        if self.weight is None:
            return float(self.doubled.size)
        return float(self.weight.sum() ** 2 / np.sort(self.weight**2).sum())

    def variance(self, area: float) -> float:
        """Variance of the mean placement (ddof 1), whatever the order of the rows; 0 of a single row."""
        if self.doubled.size < 2:
            return 0.0
        if self.weight is None:
            return _whole_variance(self.doubled) / (self.most**2 * self.doubled.size)
        square = np.sort((self.weight * (self.doubled / self.most - area)) ** 2).sum()
        return float(square / self.weight.sum() ** 2 * self.effective / max(1.0, self.effective - 1))

    def by_cluster(self, clusters: Clusters, area: float) -> Floats:
        """Sums of deviations from the area by cluster, each as a share of this class, as the variance takes them."""
        code, size = clusters.code, clusters.share.size
        if self.weight is None:
            off = totals(code, self.doubled, size) / self.most - area * np.bincount(code, minlength=size)
            return np.asarray(off / self.doubled.size * clusters.jackknife, dtype=np.float64)
        off = totals(code, settled(self.weight * (self.doubled / self.most - area)), size)
        return np.asarray(off / self.weight.sum() * clusters.jackknife, dtype=np.float64)


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


def either_way(areas: Sequence[Figure]) -> Figure:
    """Return the largest of some areas and of what each lacks of 1, in [.5, 1], with bounds for that maximum.

    A bound is the largest of the areas' bounds, so that it errs where one of them does: the claim is a family of twice as
    many as there are areas.

    Parameters
    ----------
    areas: at least one, of the same rows or of parts of them.
    """
    ways = [way for area in areas for way in (area, area.mirrored().shifted(1.0))]
    lower = np.maximum.reduce([np.full_like(ways[0].lower, 0.5), *(way.lower for way in ways)])
    upper = np.maximum.reduce([way.upper for way in ways])
    best = max(ways, key=lambda way: way.estimate)
    return Figure(best.estimate, lower, upper, max(way.n for way in ways), best.clusters)


@dataclass(frozen=True)
class _Ascending:
    """The scores of one class in order, and the rows that they are of."""

    values: Floats
    order: Ints

    @classmethod
    def of(cls, score: Floats) -> _Ascending:
        order = np.argsort(score)
        return cls(score[order], order)

    def among(self, others: _Ascending, weight: Floats | None = None) -> Floats:
        """Twice the midrank position of each row among others: the weight of lower ones counts two, of equal ones one.

        Parameters
        ----------
        weight: of the others, in the order of their rows.
        """
        # Sorted needles keep the search in the cache: 3 times faster at a million rows.
        sides = [np.searchsorted(others.values, self.values, side) for side in ("left", "right")]
        position = np.empty(self.values.size)
        if weight is None:
            position[self.order] = sides[0] + sides[1]
        else:
            up_to = np.concatenate([[0.0], np.cumsum(weight[others.order])])
            position[self.order] = up_to[sides[0]] + up_to[sides[1]]
        return position


def _whole_variance(values: Floats) -> float:
    """Variance (ddof 1) of whole numbers of at most 2^31, shape (rows,), rows at most 2^30: exact, so of no order.

    Squares are summed by halves of 16 bits, whose sums fit into 64 bits.
    """
    whole = values.astype(np.int64)
    high, low = whole >> 16, whole & (2**16 - 1)
    n, total = whole.size, int(whole.sum())
    squares = (int(high @ high) << 32) + (int(high @ low) << 17) + int(low @ low)
    return (n * squares - total**2) / (n * (n - 1))


def _figure(
    placements: Placements, cluster: Ints | None, minimum_clusters: int, limits: tuple[float, float]
) -> Figure | Reason:
    area, sides = placements.area, placements.sides
    independent = variance = sum(side.variance(area) for side in sides)
    least = min(min(side.effective, side.heavy) for side in sides)
    clusters, freedom = None if cluster is None else _clusters(cluster, placements), None
    if clusters is not None:
        if clusters.few(minimum_clusters):
            return Reason.FEW_CLUSTERS
        ten, one = (side.by_cluster(own, area) for side, own in zip(sides, clusters.sides, strict=True))
        between = ten + one
        variance, freedom = max(variance, float(between @ between)), clusters.freedom_of(between)
        shares = [deviating(side.doubled / side.most - area) for side in sides]
        least = min(
            unseen_rows(own, side.effective, independent, variance, share=share, heavy=side.heavy)
            for side, own, share in zip(sides, clusters.sides, shares, strict=True)
        )
    z = quantiles(freedom)
    half = np.hypot(z * math.sqrt(variance), z**2 / least)
    lower, upper = np.maximum(limits[0], area - half), np.minimum(limits[1], area + half)
    return Figure(area, lower, upper, placements.event.size).among(clusters)


def _clusters(cluster: Ints, placements: Placements) -> OfClasses:
    """The class that stands in fewer clusters says how many there are."""
    weight = None
    if placements.weight is not None:
        weight = np.empty(placements.event.size)
        weight[placements.event], weight[~placements.event] = placements.weight
    return OfClasses.of_rows(cluster, placements.event, weight)
