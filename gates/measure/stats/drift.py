"""How far the rows of one table are from those of another in one feature: from counts by cell, and from the largest gap.

Cells are the same for both tables, and what has no value is one of them. PSI = sum (a - b) ln(a / b) and the divergence
of Jensen and Shannon in bits, sum a log2(a / m) / 2 + b log2(b / m) / 2 with m = (a + b) / 2 and no root, are of shares to
which Jeffreys' half a row was added, of the B cells that one of the tables has rows in. KS is the largest difference of the
two shares of rows up to a value, where what has no value is above all values.

- Bias. Of two samples of one population PSI is about c chi2(B - 1), c = 1/n + 1/m: its mean (B - 1) c is taken off, and
  2 (B - 1) c^2 added to the variance by the delta method, which is nearly 0 there. JS is about PSI / (8 ln 2) then.
- Upper bound. The variance grows as the figure does, so it is taken where the bound is, as Wilson does of a share: with k its
  part by the delta method over the figure, value + c + sqrt(z^2 SE^2 + c^2), c = z^2 k / 2.
- Clusters. With V the covariance of the differences of shares and p the shares, D = V / sqrt(p p') is c (I - sqrt(p p'))
  where rows are independent. In its place the clusters' own is taken (`clusters`): trace D for the bias, 2 trace D^2 for the
  variance (Rao and Scott 1981), and never less of either variance than of independent rows.
- What was never seen. Three rows may be expected in a cell that neither table has, and as (a - b) ln(a / b) grows faster
  than a, so few may matter. Clustered, they may be three whole clusters: a feature is missing for a day or not at all.
- KS has the slack of Dvoretzky, Kiefer and Wolfowitz (Massart 1990) for both tables, each at half of alpha. Clustered, at
  the rows that would make the largest variance of a share up to the end of a cell, 1 / (4 V), adjusted as Korn and Graubard do; never
  fewer than the number of clusters, of which each gives a mean of what one row of it would; and not less than three of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gates.measure.stats.clusters import Clusters, fewest_known
from gates.measure.stats.figure import RUNGS, Figure, Floats, quantiles, rare, three
from gates.records import Reason


@dataclass(frozen=True)
class Side:
    """One table's rows of a feature, by cell.

    Attributes
    ----------
    counts: rows, shape (clusters, cells); one cluster that holds all where rows are taken as independent.
    """

    counts: Floats
    clustered: bool = False

    @cached_property
    def rows(self) -> float:
        return float(self.counts.sum())

    @cached_property
    def clusters(self) -> Clusters | None:
        return Clusters.of(self.counts.sum(axis=1)) if self.clustered else None

    @property
    def number(self) -> float:
        """Rows, or clusters of one size: what may come together."""
        return float(self.rows if self.clusters is None else self.clusters.number)

    def _shares(self, half: float) -> Floats:
        total = self.counts.sum(axis=0) + half
        return np.asarray(total / total.sum(), dtype=np.float64)

    @cached_property
    def half(self) -> float:
        """Half a row; clustered, as many rows as say as much as half an independent one."""
        if self.clusters is None or self.counts.shape[1] < 2:
            return 0.5
        effect = float((self.deviations**2 / self._shares(0.5)).sum()) * self.rows / (self.counts.shape[1] - 1)
        return float(0.5 * min(max(effect, 1.0), self.rows / self.number))

    @cached_property
    def shares(self) -> Floats:
        """With `half` a row more in each cell, shape (cells,)."""
        return self._shares(self.half)

    @cached_property
    def deviations(self) -> Floats:
        """What each cluster adds to the shares, as the variance takes it, shape (clusters, cells); only where clustered."""
        clusters = self.clusters or Clusters.of(self.counts.sum(axis=1))
        seen = self.counts.sum(axis=0) / self.rows
        apart = self.counts - self.counts.sum(axis=1, keepdims=True) * seen
        return np.asarray(apart / self.rows * clusters.jackknife[:, None], dtype=np.float64)

    def scatter(self) -> Floats:
        """Covariance of the shares over the root of the product of the shares, shape (cells, cells)."""
        root = np.sqrt(self.shares)
        if self.clusters is None:
            return np.asarray((np.eye(root.size) - np.outer(root, root)) / self.rows, dtype=np.float64)
        scaled = self.deviations / root
        return np.asarray(scaled.T @ scaled, dtype=np.float64)

    def varies(self, slope: Floats) -> float:
        """Variance of a figure that moves by so much with each share."""
        alone = float(_spread(self.shares, slope)) / self.rows
        return alone if self.clusters is None else max(alone, float(((self.deviations @ slope) ** 2).sum()))


@dataclass(frozen=True)
class Divergence:
    """A sum over cells of a function of both shares that is 0 where they are one, and the same if they are exchanged.

    Attributes
    ----------
    of: the cells' terms. slope: their derivative by the first share. curve: the terms are about curve (a - b)^2 / a where a
    and b are close. most: the largest sum.
    """

    of: Callable[[Floats, Floats], Floats]
    slope: Callable[[Floats, Floats], Floats]
    curve: float
    most: float

    def between(self, before: Side, after: Side) -> float:
        """Return the sum for two tables with rows in each of the cells together."""
        return float(self.of(before.shares, after.shares).sum())


PSI = Divergence(lambda a, b: (a - b) * np.log(a / b), lambda a, b: np.log(a / b) + 1 - b / a, 1.0, np.inf)
JS = Divergence(
    lambda a, b: (a * np.log2(2 * a / (a + b)) + b * np.log2(2 * b / (a + b))) / 2,
    lambda a, b: np.log2(2 * a / (a + b)) / 2,
    float(1 / (8 * np.log(2))),
    1.0,
)


def divergence(kind: Divergence, before: Side, after: Side, *, least: int, minimum_clusters: int) -> Figure | Reason:
    """Return PSI or JS less its bias, at least 0, with bounds; the same if the tables are exchanged.

    Parameters
    ----------
    before, after: of the same cells. least: rows that a table must have.

    Returns
    -------
    Reason.FEW_EVENTS with fewer rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    if reason := _too_few(before, after, least, minimum_clusters):
        return reason
    there = before.counts.sum(axis=0) + after.counts.sum(axis=0) > 0
    before, after = (Side(side.counts[:, there], side.clustered) for side in (before, after))
    scatter = before.scatter() + after.scatter()
    alone = (scatter.shape[0] - 1) * (1 / before.rows + 1 / after.rows) ** 2
    by_chance = max(alone, float((scatter**2).sum())) if before.clustered or after.clustered else alone
    slopes = kind.slope(before.shares, after.shares), kind.slope(after.shares, before.shares)
    sampled = before.varies(slopes[0]) + after.varies(slopes[1])
    raw = kind.between(before, after)
    value = raw - kind.curve * float(np.trace(scatter))
    error = float(np.sqrt(sampled + 2 * kind.curve**2 * by_chance))
    clusters = _clusters(before, after)
    z = quantiles(None if clusters is None else clusters.freedom)
    grown = z**2 * sampled * _growth(kind, before, after, z)
    lower, upper = value - z * error, value + rare(z, error, np.maximum(grown, _unseen(kind, before, after, z)))
    lower, upper = (np.asarray(np.clip(end, 0.0, kind.most), dtype=np.float64) for end in (lower, upper))
    return Figure(max(value, 0.0), lower, upper, int(before.rows + after.rows)).among(clusters)


def largest_gap(gap: float, before: Side, after: Side, *, least: int, minimum_clusters: int) -> Figure | Reason:
    """Return KS with its slack.

    Parameters
    ----------
    gap: the largest difference, exactly. before, after: cells in the order of the values, for the clusters' variance. The
    others, and what is returned, as of `divergence`.
    """
    if reason := _too_few(before, after, least, minimum_clusters):
        return reason
    below, above = (_slack(before, unseen) + _slack(after, unseen) for unseen in (False, True))
    clusters = _clusters(before, after)
    lower, upper = np.maximum(gap - below, 0.0), np.minimum(gap + above, 1.0)
    return Figure(gap, lower, upper, int(before.rows + after.rows)).among(clusters)


def _too_few(before: Side, after: Side, least: int, minimum_clusters: int) -> Reason | None:
    if min(before.rows, after.rows) < max(least, 2):
        return Reason.FEW_EVENTS
    sides = [side.clusters for side in (before, after) if side.clusters is not None]
    return Reason.FEW_CLUSTERS if any(side.few(minimum_clusters) for side in sides) else None


def _clusters(before: Side, after: Side) -> Clusters | None:
    return fewest_known(side.clusters for side in (before, after))


def _spread(shares: Floats, slope: Floats) -> Floats:
    """Variance of a slope over shares, along the last axis."""
    mean = (shares * slope).sum(axis=-1, keepdims=True)
    return np.asarray((shares * (slope - mean) ** 2).sum(axis=-1), dtype=np.float64)


def _growth(kind: Divergence, before: Side, after: Side, z: Floats) -> Floats:
    """By how much of itself the variance grows with the figure, up to z standard errors, of independent rows; by rung."""

    def variance(a: Floats, b: Floats) -> Floats:
        return _spread(a, kind.slope(a, b)) / before.rows + _spread(b, kind.slope(b, a)) / after.rows

    a, b = before.shares, after.shares
    here = float(variance(a, b))
    if here == 0:
        return np.zeros_like(z)
    step = z[:, None] / here**0.5
    c, d = a * np.exp(step * kind.slope(a, b) / before.rows), b * np.exp(step * kind.slope(b, a) / after.rows)
    c, d = (tilted / tilted.sum(axis=-1, keepdims=True) for tilted in (c, d))
    farther = kind.of(c, d).sum(axis=-1) - kind.of(a, b).sum()
    return np.asarray(np.maximum(0.0, (variance(c, d) / here - 1) / farther), dtype=np.float64)


def _unseen(kind: Divergence, before: Side, after: Side, z: Floats) -> Floats:
    """What rows of a cell that neither table has would add, by rung; of the table in which they add more."""
    added = []
    for side, other in ((before, after), (after, before)):
        share = np.minimum(three(z) / side.number, 1.0)
        added.append(kind.of(share, np.full_like(share, other.half / other.rows)))
    return np.asarray(np.maximum(*added), dtype=np.float64)


def _slack(side: Side, unseen: bool) -> Floats:
    """How far the shares of rows up to any value may be from the true ones, by rung, at half of alpha.

    Parameters
    ----------
    unseen: rows that were never seen may be whole clusters.
    """
    rows = np.full_like(RUNGS, side.rows)
    if side.clusters is not None:
        up_to = np.cumsum(side.deviations, axis=1)
        widest = float((up_to**2).sum(axis=0).max())
        adjust = (quantiles(None, 0.5) / quantiles(side.clusters.freedom, 0.5)) ** 2
        worth = adjust * min(side.rows, 1 / (4 * widest) if widest > 0 else side.rows)
        rows = np.maximum(worth, side.number)
    slack = np.sqrt((np.log(4) - np.log1p(-RUNGS)) / (2 * rows))
    if side.clusters is None or not unseen:
        return np.asarray(slack, dtype=np.float64)
    return np.asarray(np.maximum(slack, three(quantiles(None)) / side.number), dtype=np.float64)
