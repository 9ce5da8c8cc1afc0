"""Average precision, the mean of the precision at each event's score, and its paired difference on the same rows.

Bounds by the infinitesimal jackknife (Efron 1982, chapter 6; Jaeckel 1972): the derivative of the figure by each row's
weight, exact in ties, in one sort. Clusters add up the derivatives of their rows. It takes the place of a Poisson
bootstrap, whose replicates it is the limit of: no seed, no replicates, and as often right in the same worlds
(`tests/oracles/test_stats_average_precision.py`).

Both bounds hold what `figure.three` rows like none of those seen would change, as `figure.rare` adds it. As the top of
the ranking is all that counts, a row there weighs more than in the area under the ROC curve (`auc`): one non-event above
all of m events takes (1/2 + ... + 1/(m + 1))/m from a perfect ranking, which is 5 times 1/m where m is 300. So the figure is
worked out with the rows in the worst place (`Curve`): non-events above all, or events above all in the one model and
below all in the other; so many times the rows of their class over those of it that speak of what was never seen
(`clusters`; with weights one such row weighs as much as the heaviest). It is never less than z^2 / min(m, n); with that, the area's, alone a loss of .01 to .04 was proven not to be
in .12 to .23 of runs (`tests/oracles/test_stats_average_precision.py`).

Memory: the rows themselves are needed, about 100 bytes each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gates.measure.stats.clusters import OfClasses, deviating, heavy_rows, unseen_rows
from gates.measure.stats.figure import (
    Figure,
    Floats,
    Ints,
    Mask,
    lacking_a_class,
    quantiles,
    rare,
    settled,
    three,
    totals,
)
from gates.records import Reason

Unseen: TypeAlias = Callable[[float, float], float]
"""How far so many further non-events, or so many further events, can move a figure."""


@dataclass(frozen=True)
class Curve:
    """The events of a ranking from the highest score down, ties as one, and what further rows would make of it.

    Attributes
    ----------
    events: weight of the events at each score that has any. found, rows: of the events, and of all rows, down to there;
    all of shape (scores,). size: weight of all rows.
    """

    events: Floats
    found: Floats
    rows: Floats
    size: float

    def with_rows(self, others: float = 0.0, events: float = 0.0, below: float = 0.0) -> float:
        """Return the average precision with so many further rows: non-events or events above all, events below all."""
        precision = (self.found + events) / (self.rows + others + events)
        count = float(self.found[-1]) + events
        last = (count + below) / (self.size + others + events + below)
        return (float(self.events @ precision) + events + below * last) / (count + below)


@dataclass(frozen=True)
class Precision:
    """Average precision, and what it would change by for each row.

    Attributes
    ----------
    value: in [0, 1]. curve: what it is of. influence: weight times the derivative by it, shape (rows,); they sum to 0.
    event: which rows are events, shape (rows,). weight: shape (rows,), None where all count one.
    heaviest: the largest weight that an event can have, and another row; None where all count one.
    """

    value: float
    curve: Curve
    influence: Floats
    event: Mask
    weight: Floats | None
    heaviest: tuple[float, float] | None = None

    @classmethod
    def of(
        cls, y: Floats, score: Floats, weight: Floats | None = None, heaviest: tuple[float, float] | None = None
    ) -> Precision | Reason:
        """Rank the rows of a table, ties as one.

        Parameters
        ----------
        y: 0 or 1, shape (rows,). score: any finite numbers, shape (rows,). weight: above 0, shape (rows,).
        heaviest: that an event can be, and another row, where that is more than these rows show.

        Returns
        -------
        Reason.EMPTY_TABLE without rows, Reason.ONE_CLASS with one class only.
        """
        event = y > 0.5
        absent = lacking_a_class(event)
        if absent is not None:
            return absent
        # Each run of equal scores is one step of the curve, from the highest down.
        order = np.argsort(-score)
        starts = np.concatenate([[True], np.diff(score[order]) != 0])
        step = np.empty(score.size, dtype=np.int64)
        step[order] = np.cumsum(starts) - 1
        events = totals(step, event.astype(np.float64) if weight is None else settled(weight * event))
        found = np.cumsum(events)
        rows = np.cumsum(totals(step, np.ones_like(score) if weight is None else settled(weight)))
        precision, all_events = found / rows, found[-1]
        value = float(events @ precision) / all_events
        # A row at a step changes the precision of that step and of all below.
        share = events / rows
        below_event = np.cumsum((share * (1 - precision))[::-1])[::-1]
        below_other = np.cumsum((share * precision)[::-1])[::-1]
        of_event = (precision - value + below_event) / all_events
        influence = np.where(event, of_event[step], -below_other[step] / all_events)
        at = events > 0
        curve = Curve(events[at], found[at], rows[at], float(rows[-1]))
        if weight is None:
            return cls(value, curve, influence, event, weight)
        own, other = heaviest or (float(weight.max()),) * 2
        most = max(float(weight[event].max()), own), max(float(weight[~event].max()), other)
        return cls(value, curve, weight * influence, event, weight, most)


def average_precision(
    found: Precision | Reason, cluster: Ints | None = None, *, minimum_clusters: int
) -> Figure | Reason:
    """Return the average precision, in [0, 1].

    Parameters
    ----------
    cluster: codes from 0, shape (rows,); None where rows are taken as independent.

    Returns
    -------
    Reason.FEW_CLUSTERS where events or other rows stand in fewer than `minimum_clusters` clusters.
    """
    if isinstance(found, Reason):
        return found
    curve = found.curve

    def least(others: float, events: float) -> float:
        return found.value - min(curve.with_rows(others), curve.with_rows(below=events))

    def most(_: float, events: float) -> float:
        return curve.with_rows(events=events) - found.value

    return _figure(found, found.value, found.influence, cluster, minimum_clusters, 0.0, (least, most))


def average_precision_difference(
    candidate: Precision | Reason, champion: Precision | Reason, cluster: Ints | None = None, *, minimum_clusters: int
) -> Figure | Reason:
    """Return the candidate's average precision less the champion's, in [-1, 1], of the same rows in the same order."""
    if isinstance(candidate, Reason):
        return candidate
    if isinstance(champion, Reason):
        return champion
    influence = candidate.influence - champion.influence
    unseen = _ahead(champion, candidate), _ahead(candidate, champion)
    value = candidate.value - champion.value
    return _figure(candidate, value, influence, cluster, minimum_clusters, -1.0, unseen)


def _ahead(one: Precision, other: Precision) -> Unseen:
    """By how much one model gets ahead of the other, at most."""

    def gained(others: float, events: float) -> float:
        ranked_by_one = one.curve.with_rows(events=events) - one.value
        lost = other.value - other.curve.with_rows(below=events)
        return max(other.value - other.curve.with_rows(others), ranked_by_one + lost)

    return gained


def _figure(
    found: Precision,
    value: float,
    influence: Floats,
    cluster: Ints | None,
    minimum_clusters: int,
    low: float,
    unseen: tuple[Unseen, Unseen],
) -> Figure | Reason:
    """Bounds around a value; `unseen` says what rows never seen would take from it, and what they would add."""
    sizes = [_effective(found, of) for of in (found.event, ~found.event)]
    effective = sum(sizes)
    independent = variance = float(np.sort(influence**2).sum()) * effective / max(1.0, effective - 1)
    clusters, freedom = None if cluster is None else OfClasses.of_rows(cluster, found.event, found.weight), None
    if clusters is not None:
        if clusters.few(minimum_clusters):
            return Reason.FEW_CLUSTERS
        # A grid, so that the sums do not depend on the order of the rows.
        between = clusters.sums(settled(influence * effective) / effective)
        variance, freedom = max(variance, float(between @ between)), clusters.freedom_of(between)
        sizes = [
            unseen_rows(side, size, independent, variance, share=deviating(influence[rows] * size))
            for side, size, rows in zip(clusters.sides, sizes, (found.event, ~found.event), strict=True)
        ]
    z = quantiles(freedom)
    events = float(found.curve.found[-1])
    weights = events, found.curve.size - events
    if found.heaviest is not None:
        of_class = zip(sizes, weights, found.heaviest, strict=True)
        sizes = [min(size, heavy_rows(weight, most)) for size, weight, most in of_class]
    per_row = weights[1] / sizes[1], weights[0] / sizes[0]
    few = [(rows, rows / min(sizes)) for rows in three(z)]
    below, above = (
        rare(
            z,
            math.sqrt(variance),
            np.array([max(least, far(*(rows * each for each in per_row))) for rows, least in few]),
        )
        for far in unseen
    )
    lower, upper = np.maximum(low, value - below), np.minimum(1.0, value + above)
    return Figure(value, lower, upper, influence.size).among(clusters)


def _effective(found: Precision, of: Mask) -> float:
    if found.weight is None:
        return float(np.count_nonzero(of))
    weight = np.sort(found.weight[of])
    return float(weight.sum() ** 2 / (weight**2).sum())
