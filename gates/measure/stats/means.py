"""Mean losses, and the ratio of two mean losses on the same rows. Spec: statistics.md, section 3.

The ratio's bounds are Fieller's (1954): all ratios R at which a - R b is not shown to differ from 0. At the limit of a
non-inferiority claim that is the paired test itself, and where the champion's mean loss is not clear of 0 the interval
says so by being unbounded; the delta method on the log ratio is always finite and never says so.
(`tests/oracles/test_stats_losses.py` has both in the same worlds.)

Each variance holds a further z^2 D^2 / n^2, the rule of three: D is the root mean square of what one turned label would
do to a row's loss. A slice of 30 rows without an event has tiny, equal losses and next to no variance, and one event
would change everything.

Memory: clustered figures need the sums of each cluster, 24 bytes a cluster and loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gates.measure.stats.figure import Figure, Floats, quantiles
from gates.records import Reason

RESOLUTION = 2.0**-40
"""Mean losses under this count as this: the engine's sums are exact to it, and no ratio divides by zero."""


@dataclass(frozen=True)
class PairSums:
    """Sums over rows of the losses a (candidate) and b (champion or baseline); every array has shape (cells,).

    Attributes
    ----------
    n, a, b, aa, ab, bb: rows, losses and their products, by cell.
    faa, fab, fbb: sums of products of the flips: what a turned label would add to the loss of the row.
    clustered: a cell is a cluster; else the cells are summed up.
    """

    n: Floats
    a: Floats
    b: Floats
    aa: Floats
    ab: Floats
    bb: Floats
    faa: Floats
    fab: Floats
    fbb: Floats
    clustered: bool

    def swapped(self) -> PairSums:
        """Return the sums with the two losses in each other's place."""
        return PairSums(self.n, self.b, self.a, self.bb, self.ab, self.aa, self.fbb, self.fab, self.faa, self.clustered)


@dataclass(frozen=True)
class _Form:
    """A quadratic form in (1, -R): the variance of a - R b is aa - 2 R ab + R^2 bb."""

    aa: float
    ab: float
    bb: float

    def at(self, ratio: float) -> float:
        return max(0.0, self.aa - 2 * ratio * self.ab + ratio**2 * self.bb)


def mean_loss(sums: PairSums, *, minimum_clusters: int, ceiling: float = math.inf) -> Figure | Reason:
    """Return the mean of loss a, at least 0.

    Parameters
    ----------
    ceiling: the largest value that the loss can have.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    reason = _unfit(sums, minimum_clusters)
    if reason is not None:
        return reason
    rows = float(sums.n.sum())
    mean = float(sums.a.sum()) / rows
    clusters = sums.n.size if sums.clustered else None
    z = quantiles(clusters)
    half = np.hypot(z * math.sqrt(_variance(sums, 0.0).at(0.0)), z**2 * math.sqrt(_flips(sums).at(0.0)))
    return Figure(mean, np.maximum(0.0, mean - half), np.minimum(ceiling, mean + half), int(rows), clusters)


def loss_ratio(sums: PairSums, *, minimum_clusters: int) -> Figure | Reason:
    """Return mean a over mean b, at least 0; the upper bound is infinite where mean b is not clear of 0.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    reason = _unfit(sums, minimum_clusters)
    if reason is not None:
        return reason
    rows = float(sums.n.sum())
    mean_a, mean_b = (max(RESOLUTION, float(total.sum()) / rows) for total in (sums.a, sums.b))
    ratio = mean_a / mean_b
    clusters = sums.n.size if sums.clustered else None
    z2 = quantiles(clusters) ** 2
    variance, flips = _variance(sums, ratio), _flips(sums)

    def width(value: float, flip: float) -> Floats:
        return np.asarray(z2 * value + z2**2 * flip, dtype=np.float64)

    # (mean_b x)^2 <= z^2 variance(ratio + x) in x, the distance from the ratio: exact where both models agree.
    constant = width(variance.at(ratio), flips.at(ratio))
    linear = width(ratio * variance.bb - variance.ab, ratio * flips.bb - flips.ab)
    leading = mean_b**2 - width(variance.bb, flips.bb)
    root = np.sqrt(np.maximum(0.0, linear**2 + leading * constant))
    bounded = leading > 0
    safe = np.where(bounded, leading, 1.0)
    lower = np.where(bounded, ratio + (linear - root) / safe, 0.0)
    upper = np.where(bounded, ratio + (linear + root) / safe, np.inf)
    return Figure(ratio, np.maximum(0.0, lower), upper, int(rows), clusters)


def _unfit(sums: PairSums, minimum_clusters: int) -> Reason | None:
    if sums.n.sum() == 0:
        return Reason.EMPTY_TABLE
    return Reason.FEW_CLUSTERS if sums.clustered and sums.n.size < minimum_clusters else None


def _variance(sums: PairSums, ratio: float) -> _Form:
    """Variance of the means, as a form: of rows, or of clusters where that is larger at the ratio seen."""
    rows = float(sums.n.sum())
    a, b = float(sums.a.sum()) / rows, float(sums.b.sum()) / rows
    scale = 1 / (rows * max(1.0, rows - 1))
    independent = _Form(
        max(0.0, float(sums.aa.sum()) - rows * a * a) * scale,
        (float(sums.ab.sum()) - rows * a * b) * scale,
        max(0.0, float(sums.bb.sum()) - rows * b * b) * scale,
    )
    if not sums.clustered:
        return independent
    in_a, in_b = sums.a - a * sums.n, sums.b - b * sums.n
    scale = sums.n.size / (sums.n.size - 1) / rows**2
    between = _Form(float(in_a @ in_a) * scale, float(in_a @ in_b) * scale, float(in_b @ in_b) * scale)
    return between if between.at(ratio) >= independent.at(ratio) else independent


def _flips(sums: PairSums) -> _Form:
    """Variance that one turned label in all rows would add, as a form."""
    cube = float(sums.n.sum()) ** 3
    return _Form(float(sums.faa.sum()) / cube, float(sums.fab.sum()) / cube, float(sums.fbb.sum()) / cube)
