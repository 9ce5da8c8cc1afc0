"""The share of the outcome's spread that a model explains, R^2 = 1 - mean squared error / variance, and its paired
difference, (error of b - error of a) / variance.

Bounds by the delta method on means (van der Vaart, Asymptotic Statistics, 1998, chapter 3): a row's influence on
f(means) is the gradient of f times the row's deviation from them. As for any loss without a ceiling, quantiles are
Student's, and a further z^2 / n of the influence's mean square is held in quadrature (`means`; n of rows in clusters or with
weights: `clusters`). Few large errors make it skewed: the half-width is `rare`'s, with the farthest step that one row is
seen to make.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gates.measure.stats.clusters import Clusters, heavy_rows, unseen_rows
from gates.measure.stats.figure import RUNGS, Figure, Floats, quantiles, three
from gates.records import Reason

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Sums over rows of four values, in this order: the outcome's distance u from a constant, its square s, and the
    squared errors a (candidate) and b (champion).

    Attributes
    ----------
    n: sum of the weights by cell, shape (cells,). totals: sums of weight times value, shape (4, cells).
    products: sums of squared weight times products of two values, shape (4, 4). squares: sums of squared weight times
    value, shape (4,). squared_weight: sum of the squared weights.
    clustered: a cell is a cluster. heaviest: the largest weight that a row can have; None where rows have no weights.
    steps: the largest weight times what a row moves: of the error, a or a less b, and of s.
    """

    n: Floats
    totals: Matrix
    products: Matrix
    squares: Floats
    squared_weight: float
    clustered: bool
    heaviest: float | None = None
    steps: tuple[float, float] = (0.0, 0.0)


def explained(spread: Spread, *, minimum_clusters: int) -> Figure | Reason:
    """Return R^2 of a, at most 1 and possibly below 0.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters;
    Reason.ONE_CLASS where all outcomes are the same.
    """
    return _share(spread, (0.0, 0.0, 1.0, 0.0), 1.0, (-math.inf, 1.0), minimum_clusters)


def explained_difference(spread: Spread, *, minimum_clusters: int) -> Figure | Reason:
    """Return R^2 of a less R^2 of b.

    Returns
    -------
    As `explained`.
    """
    return _share(spread, (0.0, 0.0, 1.0, -1.0), 0.0, (-math.inf, math.inf), minimum_clusters)


def _share(
    spread: Spread, error: tuple[float, ...], offset: float, limits: tuple[float, float], minimum_clusters: int
) -> Figure | Reason:
    """Return offset - (error . means) / variance of the outcome."""
    total = float(spread.n.sum())
    if total == 0:
        return Reason.EMPTY_TABLE
    clusters = Clusters.of(spread.n) if spread.clustered else None
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    mean = spread.totals.sum(axis=1) / total
    variance = float(mean[1] - mean[0] ** 2)
    # What rounding leaves of a constant is no spread.
    if variance <= 1e-12 * float(mean[1]):
        return Reason.ONE_CLASS
    share = float(np.dot(error, mean)) / variance
    gradient = -(np.array(error) - share * np.array([-2 * mean[0], 1.0, 0.0, 0.0])) / variance
    effective = total**2 / spread.squared_weight
    low, high = limits
    square = float(gradient @ _centred(spread, mean) @ gradient) / total**2
    of_rows = max(0.0, square) * effective / max(1.0, effective - 1)
    of_figure, freedom = of_rows, max(2.0, math.floor(effective + 1e-9)) - 1
    if clusters is not None:
        between = clusters.sums(gradient @ (spread.totals - np.outer(mean, spread.n)) / total)
        of_figure, freedom = max(of_rows, float(between @ between)), clusters.freedom_of(between)
    z = quantiles(freedom)
    of_row = max(0.0, square) * effective
    share_off, heavy = 1.0 if of_row > 0 else 0.0, heavy_rows(total, spread.heaviest)
    unseen = unseen_rows(clusters, effective, of_rows, of_figure, share=share_off, heavy=heavy)
    step = (spread.steps[0] + abs(share) * spread.steps[1]) / variance
    few = three(z) * step / total / 2
    half = few + np.hypot(np.hypot(z * math.sqrt(of_figure), z**2 * math.sqrt(of_row) / unseen), few)
    if effective < 2:
        half = np.full(RUNGS.size, math.inf)
    estimate = offset - share
    lower, upper = np.maximum(low, estimate - half), np.minimum(high, estimate + half)
    return Figure(estimate, lower, upper, round(total)).among(clusters)


def _centred(spread: Spread, mean: Floats) -> Matrix:
    """Sums of squared weight times products of deviations from the means, shape (4, 4)."""
    cross = np.outer(spread.squares, mean)
    return np.asarray(spread.products - cross - cross.T + spread.squared_weight * np.outer(mean, mean))
