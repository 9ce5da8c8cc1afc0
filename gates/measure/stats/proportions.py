"""Exact limits of a proportion, and the gaps made of them: reliability bins and conformal coverage.

Clopper-Pearson where rows are independent; Korn-Graubard (1998) where they come in clusters: the same limits at the
effective number of rows, with the variance and the degrees of freedom of `clusters`; so also where they have weights. There
the limits hold in quadrature what heavy rows could do that were not seen, `three` of them, beyond what as many rows as the
limits stand on allow for (`clusters`): limits at so few rows as heavy ones are would be wider by a half and more.
Wilson's limits are shorter and break their word near 0 and 1, the more the higher the rung (`docs/study/alternatives.md`).
Few hits seldom show how many come together, so that the design effect is too small just where the rate is: the upper
limit stands on the rows that speak of hits never seen, the lower one on those that speak of misses (`clusters`).
Spec: statistics.md, sections 1 (reliability bins) and 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.measure.stats.cells import Cells
from gates.measure.stats.clusters import Clusters, heavy_rows, unseen
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints, quantiles, three
from gates.records import Reason


def proportion(rate: float, n: float | Floats) -> tuple[Floats, Floats]:
    """Return one-sided Clopper-Pearson limits at the rungs, each of shape (9,).

    Parameters
    ----------
    rate: successes / n, in [0, 1]. n: rows, > 0; one number, or an effective number for each rung, shape (9,).
    """
    from scipy.special import betaincinv

    m = np.broadcast_to(np.asarray(n, dtype=np.float64), RUNGS.shape)
    lower = betaincinv(m * rate, m * (1 - rate) + 1, 1 - RUNGS) if rate > 0 else np.zeros_like(RUNGS)
    upper = 1 - betaincinv(m * (1 - rate), m * rate + 1, 1 - RUNGS) if rate < 1 else np.ones_like(RUNGS)
    return np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)


@dataclass(frozen=True)
class Worth:
    """Independent rows of one weight that would tell as much of a share, at the rungs; each of shape (9,).

    Attributes
    ----------
    rows: by the variance that was seen. lower, upper: at most these; what the limits stand on.
    below, above: what heavy rows never seen may further do to the limits; 0 where rows have no weights.
    """

    rows: Floats
    lower: Floats
    upper: Floats
    below: Floats
    above: Floats

    def limits(self, rate: float) -> tuple[Floats, Floats]:
        """Return one-sided limits of a share, each of shape (9,)."""
        lower, upper = proportion(rate, self.lower)[0], proportion(rate, self.upper)[1]
        return widened(lower, rate, -self.below), widened(upper, rate, self.above)


def further(few: Floats, rows: Floats | float, heavy: Floats | float) -> Floats:
    """Return how far heavy rows never seen may move a share, beyond what its exact limits allow for; by element, 0 or more.

    Parameters
    ----------
    few: rows that may be expected of which none was seen (`figure.three`). rows: that the limits stand on.
    heavy: rows of the heaviest weight that would weigh as much.
    """
    return np.asarray(few * np.sqrt(np.maximum(0.0, 1 / np.square(heavy) - 1 / np.square(rows))), dtype=np.float64)


def widened(limit: Floats, rate: Floats | float, by: Floats) -> Floats:
    """Return limits of a share that hold a distance in quadrature, up where it is above 0 and down where it is below."""
    wider = np.clip(rate + np.copysign(np.hypot(limit - rate, by), by), 0.0, 1.0)
    return np.asarray(np.where(by == 0, limit, wider), dtype=np.float64)


def bin_gap(cells: Cells, *, minimum_clusters: int) -> Figure | Reason:
    """Return mean y minus mean p of the rows of one bin, in [-1, 1]: exact limits on the rate, less the mean score.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    if cells.rows == 0:
        return Reason.EMPTY_TABLE
    clusters = cells.groups
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    weight, squares = float(cells.n.sum()), cells.squared
    rate, score = float(cells.y.sum()) / weight, float(cells.p.sum()) / weight
    gap = rate - score
    plain = float(cells.residual_square.sum()) - weight * gap**2
    squared = float((squares.residual_square - 2 * gap * squares.residual + gap**2 * squares.n).sum())
    deviation = cells.residual - gap * cells.n
    worth = _korn_graubard(rate, plain / weight, squared, weight, cells.effective, cells.heavy, deviation, clusters)
    lower, upper = worth.limits(rate)
    return Figure(rate, lower, upper, cells.rows).among(clusters).shifted(-score)


def coverage(
    covered: Floats,
    n: Floats,
    cluster: Ints | None,
    *,
    minimum_clusters: int,
    squares: tuple[Floats, Floats] | None = None,
    rows: int | None = None,
    heaviest: float | None = None,
) -> Figure | Reason:
    """Return the share of rows that their prediction set or interval covers, in [0, 1].

    Parameters
    ----------
    covered, n: rows covered and rows, by cell, shape (cells,); with weights the sums of these.
    cluster: cluster codes by cell, or None.
    squares: the same two with squared weights, where rows have weights.
    rows: how many there are, where that is not the sum of n. heaviest: the largest weight that a row can have.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    if n.sum() == 0:
        return Reason.EMPTY_TABLE
    clusters = None if cluster is None else Clusters.by(cluster, n)
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    rate = float(covered.sum() / n.sum())
    lower, upper = effective_rows(covered, n, clusters, squares=squares, heaviest=heaviest).limits(rate)
    return Figure(rate, lower, upper, int(n.sum()) if rows is None else rows).among(clusters)


def share_difference(
    ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats], *, clustered: bool, minimum_clusters: int
) -> Figure | Reason:
    """Return a share of some rows less that of other, independent rows, in [-1, 1].

    The limits of both shares (`coverage`) are joined by MOVER: the lower one is d - hypot(a - l, U - b), where a and b are
    the shares, l the lower limit of a and U the upper one of b (Zou and Donner 2008, Statistics in Medicine 27, eq. 7).

    Parameters
    ----------
    ours, theirs: hits and rows by cell, each of shape (cells,). clustered: a cell is a cluster.

    Returns
    -------
    Reason.EMPTY_TABLE where one of them has no rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    shares = []
    for hits, n in (ours, theirs):
        cluster = np.arange(n.size) if clustered else None
        share = coverage(hits, n, cluster, minimum_clusters=minimum_clusters)
        if isinstance(share, Reason):
            return share
        shares.append(share)
    one, other = shares
    apart = one.estimate - other.estimate
    return Figure(
        apart,
        apart - np.hypot(one.estimate - one.lower, other.upper - other.estimate),
        apart + np.hypot(one.upper - one.estimate, other.estimate - other.lower),
        one.n + other.n,
        None if one.clusters is None or other.clusters is None else one.clusters + other.clusters,
        number=None if one.number is None or other.number is None else one.number + other.number,
    )


def effective_rows(
    covered: Floats,
    n: Floats,
    clusters: Clusters | None,
    *,
    squares: tuple[Floats, Floats] | None = None,
    heaviest: float | None = None,
) -> Worth:
    """Return how many independent rows of one weight would tell as much of a share.

    Korn-Graubard: r (1 - r) over the variance of the rate, at most (sum w)^2 / sum w^2, with which it is also 0 or 1.
    Clustered, the degrees of freedom are spent on the number of rows; each rung has its own quantiles.

    Parameters
    ----------
    clusters: of the cells, at least two; None where rows are taken as independent. The others as of `coverage`.
    """
    weight = float(n.sum())
    rate = float(covered.sum()) / weight
    hits, weights = (float(total.sum()) for total in squares or (covered, n))
    # Of rows: each one's (hit - rate)^2 is hit (1 - 2 rate) + rate^2.
    squared = hits * (1 - 2 * rate) + rate**2 * weights
    kish, heavy = weight**2 / weights, heavy_rows(weight, heaviest)
    return _korn_graubard(rate, rate * (1 - rate), squared, weight, kish, heavy, covered - rate * n, clusters)


def _korn_graubard(
    rate: float,
    variance: float,
    squared: float,
    weight: float,
    kish: float,
    heavy: float,
    deviation: Floats,
    clusters: Clusters | None,
) -> Worth:
    """Return the variance of a row over that of the mean, as rows, at most Kish's.

    Parameters
    ----------
    variance: of a row's deviation. squared: sum of squared weight times squared deviation. weight: sum of weights.
    heavy: rows of the heaviest weight that would weigh as much.
    deviation: sums of weight times deviation by cell, shape (cells,).
    """
    between = None if clusters is None else clusters.sums(deviation)
    if between is not None:
        squared = max(squared, float(between @ between))
    rows = min(kish, variance * weight**2 / squared) if variance > 0 and squared > 0 else kish
    if clusters is None or between is None:
        every = np.full_like(RUNGS, rows)
        beyond = further(three(quantiles(None)), rows, heavy)
        return Worth(every, every, every, beyond, beyond)
    # Korn and Graubard spend the degrees of freedom on the number of rows; each rung has its own quantiles.
    adjust = (quantiles(None) / quantiles(clusters.freedom_of(between))) ** 2
    below, above = (min(rows, unseen(rows, share, clusters.number)) for share in (1 - rate, rate))
    few = three(quantiles(clusters.freedom))
    return Worth(
        *(np.asarray(each * adjust, dtype=np.float64) for each in (rows, below, above)),
        *(further(few, each, heavy) for each in (below, above)),
    )
