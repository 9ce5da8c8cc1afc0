"""Metrics of decisions at a threshold, and their paired differences, from the joint table of (outcome, decision of the
candidate, decision of the other): eight counts, sufficient at any number of rows. Spec: statistics.md, section 3.

Bounds come from 20,000 draws of the eight shares: multinomial for independent rows (with weights, of their effective
number, Kish 1965, and stretched where heavy rows are decided otherwise than the others), and where rows come in clusters
also multivariate normal with the covariance of the clusters' totals, the wider of both. Quantiles of clustered draws are stretched by Student's over the normal, with the degrees of freedom
of the rows that the metric's fractions stand on (`clusters`). A rung that fewer than 10
draws lie beyond is put where the last drawn one is, stretched by the ratio of normal quantiles. Both sides reach as far
as the farther one: percentiles side by side let a loss of precision pass in .09 of runs with 30 clusters, this in .065.

Draws never show what was not seen. So each bound holds a further z^2 / d in quadrature, the rule of three: d are the
fewest rows that a metric's fraction stands on (decisions of yes for precision, events for recall, ...); where rows come
in clusters, or have weights, those of them that speak of what was never seen (`clusters`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from gates.measure.stats.clusters import Clusters, fewest, heavy_rows, unseen_rows
from gates.measure.stats.figure import Figure, Floats, quantiles, reach
from gates.records import Reason

DRAWS = 20_000
_CELLS = 8
_STEP = 1e-9


@dataclass(frozen=True)
class Decisions:
    """A two-by-two table, of one model; each array has the same shape. Shares or counts, only ratios matter."""

    true_positive: Floats
    false_positive: Floats
    false_negative: Floats
    true_negative: Floats

    @property
    def events(self) -> Floats:
        return self.true_positive + self.false_negative

    @property
    def others(self) -> Floats:
        return self.true_negative + self.false_positive

    @property
    def yes(self) -> Floats:
        return self.true_positive + self.false_positive

    @property
    def no(self) -> Floats:
        return self.true_negative + self.false_negative

    @property
    def rows(self) -> Floats:
        return self.events + self.others


Score: TypeAlias = Callable[[Decisions], Floats]


@dataclass(frozen=True)
class DecisionMetric:
    """A metric of decisions: its value, NaN where it does not exist, and which rows each of its fractions stands on."""

    value: Score
    stands_on: Callable[[Decisions], tuple[Floats, ...]]
    range: tuple[float, float] = (0.0, 1.0)


def _over(part: Floats, whole: Floats) -> Floats:
    share = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return np.asarray(share, dtype=np.float64)


def _matthews(of: Decisions) -> Floats:
    product = of.true_positive * of.true_negative - of.false_positive * of.false_negative
    return _over(product, np.sqrt(of.events * of.others * of.yes * of.no))


ACCURACY = DecisionMetric(lambda of: _over(of.true_positive + of.true_negative, of.rows), lambda of: (of.rows,))
PRECISION = DecisionMetric(lambda of: _over(of.true_positive, of.yes), lambda of: (of.yes,))
RECALL = DecisionMetric(lambda of: _over(of.true_positive, of.events), lambda of: (of.events,))
# Without a single yes among events F1 is 0, a fact and no gap: only where there is neither an event nor a yes is it none.
F1 = DecisionMetric(lambda of: _over(2 * of.true_positive, of.events + of.yes), lambda of: ((of.events + of.yes) / 2,))
MCC = DecisionMetric(
    _matthews,
    lambda of: (of.events, of.others, of.yes, of.no),
    (-1.0, 1.0),
)


@dataclass(frozen=True)
class Joint:
    """Counts by cluster and cell; a cell is 4 y + 2 a + b for outcome y and decisions a, b, each 0 or 1.

    Attributes
    ----------
    counts: sums of weights, shape (clusters, 8); one row where rows are independent.
    clustered: each row of `counts` is a cluster. effective: rows that would say as much without weights.
    seed: of the draws. squares: sums of squared weights by cell, shape (8,). heaviest: the largest weight that a row can
    have. Both None where rows have no weights.
    """

    counts: Floats
    clustered: bool
    effective: float
    seed: int
    squares: Floats | None = None
    heaviest: float | None = None

    @property
    def total(self) -> float:
        return float(self.counts.sum())

    @cached_property
    def shares(self) -> Floats:
        """Shares of the cells, shape (8,)."""
        return np.asarray(self.counts.sum(axis=0) / self.total, dtype=np.float64)

    @cached_property
    def draws(self) -> tuple[Floats, ...]:
        """Drawn shares, each of shape (draws, 8): of independent rows, then of clusters where there are any."""
        generator = np.random.default_rng(self.seed)
        rows = max(1, round(self.effective))
        independent = generator.multinomial(rows, self.shares, DRAWS) / rows
        if not self.clustered:
            return (independent,)
        values, vectors = np.linalg.eigh(self.between.T @ self.between)
        normal = generator.standard_normal((DRAWS, _CELLS)) * np.sqrt(np.maximum(values, 0.0))
        return independent, np.maximum(0.0, self.shares + normal @ vectors.T)

    @cached_property
    def between(self) -> Floats:
        """What each cluster moves the shares, as the variance takes it, shape (clusters, 8)."""
        rows = self.counts.sum(axis=1)
        off = (self.counts - np.outer(rows, self.shares)) * Clusters.of(rows).jackknife[:, None] / self.total
        return np.asarray(off, dtype=np.float64)

    def swapped(self) -> Joint:
        """Return the table with the two models in each other's place."""
        order = [0, 2, 1, 3, 4, 6, 5, 7]
        squares = None if self.squares is None else self.squares[order]
        return replace(self, counts=self.counts[:, order], squares=squares)

    def slope(self, value: Callable[[Floats], Floats]) -> Floats:
        """Return the slope of a metric in each cell's share, 0 where it has none; shape (8,)."""
        moved = (value(self.shares + _STEP * np.eye(_CELLS)) - value(self.shares)) / _STEP
        return np.asarray(np.where(np.isfinite(moved), moved, 0.0), dtype=np.float64)

    def stretch(self, value: Callable[[Floats], Floats]) -> float:
        """Return how much wider a metric of shares is spread than among `effective` rows of one weight, at least 1.

        It is wider where heavy rows differ from the others in what is said of them. By the delta method.
        """
        if self.squares is None:
            return 1.0
        # What a row adds, less what its weight takes: a metric of shares does not change where all grow alike.
        square = self.slope(value) ** 2
        alike = float(self.shares @ square) / self.effective
        return math.sqrt(max(1.0, float(self.squares @ square) / self.total**2 / alike)) if alike > 0 else 1.0


def candidate(shares: Floats) -> Decisions:
    """The candidate's table of cells in the last axis of length 8."""
    n0, n1, n2, n3, n4, n5, n6, n7 = np.moveaxis(shares, -1, 0)
    return Decisions(n6 + n7, n2 + n3, n4 + n5, n0 + n1)


def other(shares: Floats) -> Decisions:
    """The other's table of cells in the last axis of length 8."""
    n0, n1, n2, n3, n4, n5, n6, n7 = np.moveaxis(shares, -1, 0)
    return Decisions(n5 + n7, n1 + n3, n4 + n6, n0 + n2)


def decision_metric(joint: Joint, metric: DecisionMetric, *, minimum_clusters: int) -> Figure | Reason:
    """Return a metric of the candidate.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters; Reason.ONE_CLASS
    where there are no rows that the metric divides by.
    """

    def stands(shares: Floats) -> tuple[Floats, ...]:
        return metric.stands_on(candidate(shares))

    return _figure(joint, lambda shares: metric.value(candidate(shares)), stands, metric.range, minimum_clusters)


def decision_difference(joint: Joint, metric: DecisionMetric, *, minimum_clusters: int) -> Figure | Reason:
    """Return the candidate's metric less the other's.

    Returns
    -------
    As `decision_metric`, of either model.
    """

    def difference(shares: Floats) -> Floats:
        return metric.value(candidate(shares)) - metric.value(other(shares))

    def stands(shares: Floats) -> tuple[Floats, ...]:
        return *metric.stands_on(candidate(shares)), *metric.stands_on(other(shares))

    span = metric.range[1] - metric.range[0]
    return _figure(joint, difference, stands, (-span, span), minimum_clusters)


def _figure(
    joint: Joint,
    value: Callable[[Floats], Floats],
    stands: Callable[[Floats], tuple[Floats, ...]],
    limits: tuple[float, float],
    minimum_clusters: int,
) -> Figure | Reason:
    if joint.counts.size == 0 or joint.total == 0:
        return Reason.EMPTY_TABLE
    clusters = Clusters.of(joint.counts.sum(axis=1)) if joint.clustered else None
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    estimate = float(value(joint.shares))
    if not math.isfinite(estimate):
        return Reason.ONE_CLASS
    # In how many clusters the rows of a fraction stand says how sure it is, not whether there is a figure.
    groups = [None if clusters is None else Clusters.of(rows) for rows in stands(joint.counts)]
    few = None if clusters is None else fewest([clusters, *(found for found in groups if found is not None)])
    z = quantiles(None if few is None else min(few.freedom, _freedom(joint, clusters, value)))
    reaches = [reach(value(drawn), estimate) for drawn in joint.draws]
    reaches[0] = reaches[0] * joint.stretch(value)
    reaches[1:] = [each * z / quantiles(None) for each in reaches[1:]]
    widest = np.maximum.reduce(reaches)
    independent, variance = (float((each / by)[0]) ** 2 for each, by in ((reaches[0], quantiles(None)), (widest, z)))
    sizes = [float(rows) for rows in stands(joint.shares)]
    least = min(
        unseen_rows(
            own,
            joint.effective * size,
            independent,
            variance,
            share=min(1.0, independent * (joint.effective * size)),
            heavy=heavy_rows(joint.total * size, joint.heaviest),
        )
        for own, size in zip(groups, sizes, strict=True)
    )
    half = np.hypot(widest, z**2 / least)
    lower, upper = np.maximum(limits[0], estimate - half), np.minimum(limits[1], estimate + half)
    figure = Figure(estimate, lower, upper, round(joint.total)).among(clusters)
    return figure if few is None else replace(figure, number=few.number)


def _freedom(joint: Joint, clusters: Clusters | None, value: Callable[[Floats], Floats]) -> float:
    """Degrees of freedom by what each cluster moves the metric, to the first order."""
    return math.inf if clusters is None else clusters.freedom_of(joint.between @ joint.slope(value))
