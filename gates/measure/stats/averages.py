"""Means of values of which nothing is known beforehand but, where somebody says so, their range. Student's t, by rows or
by clusters of rows.

Each half-width holds what rows do that were not seen, the rule of three: a value that n rows do not show may stand in
3 / n of the rows (at .95), each D away from the mean. With a declared range D is its width, n of rows in clusters those
that speak of what was never seen (`clusters`), and t^2 D / n stands in quadrature. Without a range nothing says what a
value can be but those seen: D is the largest distance from the mean, of a row or of the sum over a cluster, times 1 + 3/k,
where k rows, or clusters, are far from it (`clusters.deviating`): the farthest of few says little of the next. It is
added as `figure.rare` does. Of sums alone D is the standard deviation. Values that are all the same set no bound without a range: thirty
costs of 0 do not say what the thirty-first may be.

Student's interval is too low on the long side of skewed values. Share of runs in which the upper bound at .95 missed, by
Student alone / of sums / of values (`tests/oracles/test_stats_averages.py` has the worlds):

| n | normal | exponential | lognormal | .02 of rows cost something, exponential |
|---|---|---|---|---|
| 30 | .05 / .03 / .01 | .10 / .07 / .02 | .15 / .13 / .04 | .62 / .06 / .02 |
| 100 | .05 / .04 / .02 | .07 / .07 / .02 | .11 / .10 / .04 | .33 / .22 / .05 |
| 1,000 | .04 / .05 / .04 | .05 / .05 / .03 | .08 / .07 / .03 | .12 / .12 / .02 |

So rows are better than sums. Values that differ only where it is dear are beyond both: of 300 rows with three costs
expected .09 of runs missed, and where a twentieth of 20 clusters costs fifty times the others .35 did, in all of which no
such cluster was seen. There declare the range, or measure a share instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gates.measure.stats.clusters import Clusters, deviating, unseen_rows
from gates.measure.stats.figure import Figure, Floats, quantiles, rare, three
from gates.records import Reason

_SAME = 1e-14
"""A variance of this share of the squared mean is what rounding leaves of values that are all the same."""


@dataclass(frozen=True)
class Total:
    """Sums of values, by cell; n and values of shape (cells,).

    Attributes
    ----------
    squares: the sum of the squared values. away: each value less the mean, shape (rows,), where the rows were seen.
    range: declared limits of a single value. clustered: a cell is a cluster; else cells are summed up.
    """

    n: Floats
    values: Floats
    squares: float
    clustered: bool = False
    away: Floats | None = None
    range: tuple[float, float] | None = None


def average(total: Total, *, minimum_clusters: int, quantile: Floats | None = None) -> Figure | Reason:
    """Return the mean, in the unit of the values; infinite bounds where one row or values without spread set none.

    Parameters
    ----------
    quantile: how many standard errors it may be off, at the rungs, shape (9,); None for Student's.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    rows = float(total.n.sum())
    if rows == 0:
        return Reason.EMPTY_TABLE
    clusters = Clusters.of(total.n) if total.clustered else None
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    mean = float(total.values.sum()) / rows
    spread = max(0.0, total.squares / rows - mean**2)
    step = _step(total, clusters, spread, mean)
    if rows < 2 or step is None:
        half = np.full(quantiles(None).shape, np.inf)
    else:
        independent = variance = spread / (rows - 1)
        freedom: float = int(rows) - 1
        if clusters is not None:
            between = clusters.sums((total.values - mean * total.n) / rows)
            variance, freedom = max(independent, float(between @ between)), clusters.freedom_of(between)
        t = quantiles(freedom) if quantile is None else quantile
        unseen = rows
        if total.range is not None:
            unseen = unseen_rows(clusters, rows, independent, variance, share=spread / step**2)
        error = math.sqrt(variance)
        if total.range is None:
            half = rare(t, error, three(t) * step / rows)
        else:
            half = np.hypot(t * error, t**2 * step / unseen)
    low, high = total.range or (-math.inf, math.inf)
    return Figure(mean, np.maximum(low, mean - half), np.minimum(high, mean + half), int(rows)).among(clusters)


def _step(total: Total, clusters: Clusters | None, spread: float, mean: float) -> float | None:
    """How far an unseen value may be from the mean; None where nothing says so."""
    if total.range is not None:
        return total.range[1] - total.range[0]
    if spread <= _SAME * mean**2:
        return None
    farthest = math.sqrt(spread) if total.away is None else _beyond(total.away)
    if clusters is None:
        return farthest
    return max(farthest, _beyond(total.values - mean * total.n))


def _beyond(away: Floats) -> float:
    """How far one more may be, beyond the farthest of those seen, by how few are far."""
    farthest = float(np.abs(away).max())
    return farthest * (1 + 3 / (deviating(away / farthest) * away.size)) if farthest > 0 else 0.0
