"""Exact limits of a proportion, and the gaps made of them: reliability bins and conformal coverage.

Clopper-Pearson where rows are independent; Korn-Graubard (1998) where they come in clusters: the same limits at the
effective number of rows. Spec: statistics.md, sections 1 (reliability bins) and 2.
"""

from __future__ import annotations

import numpy as np

from gates.measure.stats.cells import Cells
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints, quantiles, ranked, totals
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


def bin_gap(cells: Cells, *, minimum_clusters: int) -> Figure | Reason:
    """Return mean y minus mean p of the rows of one bin, in [-1, 1]: exact limits on the rate, less the mean score.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    rows = cells.n.sum()
    if rows == 0:
        return Reason.EMPTY_TABLE
    rate, score = cells.y.sum() / rows, cells.p.sum() / rows
    gap = rate - score
    spread = float((cells.y - 2 * cells.py + cells.pp).sum()) - rows * gap**2
    figure = _rate(rate, rows, spread, cells.residual - gap * cells.n, cells.cluster, minimum_clusters)
    return figure if isinstance(figure, Reason) else figure.shifted(-score)


def coverage(covered: Floats, n: Floats, cluster: Ints | None, *, minimum_clusters: int) -> Figure | Reason:
    """Return the share of rows that their prediction set or interval covers, in [0, 1].

    Parameters
    ----------
    covered, n: rows covered and rows, by cell, shape (cells,). cluster: cluster codes by cell, or None.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    rows = n.sum()
    if rows == 0:
        return Reason.EMPTY_TABLE
    rate = covered.sum() / rows
    return _rate(rate, rows, rows * rate * (1 - rate), covered - rate * n, cluster, minimum_clusters)


def _rate(
    rate: float, rows: float, spread: float, deviation: Floats, cluster: Ints | None, minimum_clusters: int
) -> Figure | Reason:
    """Limits of a rate. spread: sum of squared residuals by row; deviation: sums of residuals by cell."""
    if cluster is None:
        lower, upper = proportion(rate, rows)
        return Figure(float(rate), lower, upper, int(rows))
    clusters, code = ranked(cluster)
    if clusters < minimum_clusters:
        return Reason.FEW_CLUSTERS
    by_cluster = totals(code, deviation)
    between = float(by_cluster @ by_cluster) * clusters / (clusters - 1)
    effect = max(1.0, between / spread) if spread > 0 else 1.0
    # Korn and Graubard spend the degrees of freedom on the number of rows; each rung has its own quantiles.
    lower, upper = proportion(rate, rows / effect * (quantiles(None) / quantiles(clusters)) ** 2)
    return Figure(float(rate), lower, upper, int(rows), clusters)
