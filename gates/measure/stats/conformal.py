"""What a conformal model's coverage can be at all, and how far a whole curve of shares lies from its levels.

Given the rows that it was calibrated on, the coverage of split conformal prediction is itself random: with n rows and
level 1 - a it is Beta(k, n + 1 - k), k = ceil((n + 1)(1 - a)) (Vovk 2012; arXiv 2303.02770; statistics.md, section 2).
That holds for exchangeable rows and scores without ties, and no number of test rows changes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gates.measure.stats.clusters import Clusters
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints
from gates.measure.stats.proportions import effective_rows
from gates.records import Reason

_ROUNDING = 1e-9
"""(n + 1)(1 - a) is taken as whole within this: in doubles 20 * .95 need not be 19."""


def rank(rows: int, level: float) -> int:
    """Return k, the rank of the score that split conformal prediction cuts at, 1 to rows + 1."""
    return max(1, math.ceil((rows + 1) * level - _ROUNDING))


def chance_beyond(rows: int, level: float, distance: float) -> float:
    """Return the probability that coverage is off its level by more than a distance, even with endless test rows.

    Parameters
    ----------
    rows: that calibrated the model, at least 1. level: nominal coverage in (0, 1). distance: at least 0.
    """
    return 1 - float(_within(rows, level, np.array([distance]))[0])


def coverage_spread(rows: int, level: float) -> Figure | Reason:
    """Return how far from its level coverage lies, |coverage - level|, given only the number of calibration rows.

    The estimate is the median; the bounds at a rung are the quantiles at 1 - rung and rung.

    Returns
    -------
    Reason.EMPTY_TABLE without rows.
    """
    if rows == 0:
        return Reason.EMPTY_TABLE
    wanted = np.concatenate([[0.5], 1 - RUNGS, RUNGS])
    low, high = np.zeros_like(wanted), np.full_like(wanted, max(level, 1 - level))
    for _ in range(60):
        middle = (low + high) / 2
        enough = _within(rows, level, middle) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return Figure(float(high[0]), high[1:10], high[10:], rows)


def _within(rows: int, level: float, distance: Floats) -> Floats:
    """P(|coverage - level| <= distance), by element."""
    from scipy.special import betainc

    k = rank(rows, level)
    if k > rows:
        # Too few rows for the level: the interval is everything, and covers always.
        return (distance >= 1 - level).astype(np.float64)
    above, below = np.minimum(1.0, level + distance), np.maximum(0.0, level - distance)
    return np.asarray(betainc(k, rows + 1 - k, above) - betainc(k, rows + 1 - k, below), dtype=np.float64)


@dataclass(frozen=True)
class Curve:
    """Shares of rows at several levels, as sums by cell.

    Attributes
    ----------
    levels: shape (levels,), in (0, 1). hits: rows at or under each level's threshold, each of shape (cells,).
    n: rows by cell. cluster: cluster codes by cell, or None. squares: hits and n with squared weights, or None.
    rows: how many there are; the sum of n where they have no weights. heaviest: the largest weight that a row can have.
    """

    levels: Sequence[float]
    hits: Sequence[Floats]
    n: Floats
    cluster: Ints | None
    rows: int
    squares: tuple[Sequence[Floats], Floats] | None = None
    heaviest: float | None = None


def curve_gap(*curves: Curve, minimum_clusters: int) -> Figure | Reason:
    """Return the largest |share - level| over all levels of one curve, or of several on the same rows, in [0, 1].

    Upper bound: the largest distance of any level's exact limits (Korn-Graubard), each at the rung itself. One level is
    truly the farthest, and a bound that holds for it is enough: an intersection-union test. With 10,000 rows and nine
    levels a perfect model is shown to be within .02 in .95 of runs, by the band below in .54 (`tests/oracles`).
    Lower bound: the estimate less the band of Dvoretzky, Kiefer, Wolfowitz and Massart, sqrt(ln(2 c / a) / (2 n)), for
    c curves, with the fewest effective rows of any level as n, and what heavy rows never seen may do. Of intervals' levels it supposes that wider ones hold
    narrower ones.

    Returns
    -------
    Reason.NOT_PROVIDED without levels; EMPTY_TABLE without rows; FEW_CLUSTERS with fewer than `minimum_clusters`.
    """
    known = [curve for curve in curves if curve.levels]
    if not known:
        return Reason.NOT_PROVIDED
    rows, n, cluster = known[0].rows, known[0].n, known[0].cluster
    if n.sum() == 0:
        return Reason.EMPTY_TABLE
    clusters = None if cluster is None else Clusters.by(cluster, n)
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    gap, upper, fewest = 0.0, np.zeros_like(RUNGS), np.full_like(RUNGS, np.inf)
    heavy = np.zeros_like(RUNGS)
    for curve in known:
        for i, level in enumerate(curve.levels):
            squares = None if curve.squares is None else (curve.squares[0][i], curve.squares[1])
            rate = float(curve.hits[i].sum()) / float(n.sum())
            worth = effective_rows(curve.hits[i], n, clusters, squares=squares, heaviest=curve.heaviest)
            limits = worth.limits(rate)
            gap = max(gap, abs(rate - level))
            upper = np.maximum(upper, np.maximum(level - limits[0], limits[1] - level))
            fewest = np.minimum(fewest, worth.rows)
            heavy = np.maximum.reduce([heavy, worth.below, worth.above])
    band = np.sqrt(np.log(2 * len(known) / (1 - RUNGS)) / (2 * fewest))
    return Figure(gap, np.maximum(0.0, gap - np.hypot(band, heavy)), upper, rows).among(clusters)
