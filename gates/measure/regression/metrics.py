"""Every metric of the gate, a line or two each: its name, of which tasks, how it is read and which way is better.

A metric where higher is better is compared by the candidate's less the other's, a loss by the candidate's over the
other's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from gates.measure.regression.decisions import joint_of
from gates.measure.regression.losses import (
    ABSOLUTE,
    ANCHOR,
    BASELINE,
    BRIER,
    CANDIDATE,
    CHAMPION,
    EPS,
    LOG_LOSS,
    LOG_LOSS_CEILING,
    SQUARED,
    Losses,
)
from gates.measure.regression.ranks import Rows
from gates.measure.stats.auc import Placements, auc, auc_difference
from gates.measure.stats.average_precision import Precision, average_precision, average_precision_difference
from gates.measure.stats.explained import explained, explained_difference
from gates.measure.stats.figure import Figure
from gates.measure.stats.joint import (
    ACCURACY,
    F1,
    MCC,
    PRECISION,
    RECALL,
    DecisionMetric,
    Joint,
    decision_difference,
    decision_metric,
)
from gates.measure.stats.means import loss_ratio, mean_loss
from gates.measure.sums import Part
from gates.records import Reason
from gates.records.base import Scalar
from gates.records.plan import Task

Found: TypeAlias = Figure | Reason
Of: TypeAlias = "Callable[[Piece, str], Found]"


@dataclass(frozen=True)
class Piece:
    """A slice's rows: as sums of losses, as counts of decisions, and one by one where ranks need them.

    Attributes
    ----------
    minimum: fewest clusters. constant_is_perfect: the trivial model makes no error in the whole, for want of two classes.
    """

    losses: Losses
    sums: Part
    decisions: Part
    rows: Rows | None
    minimum: int
    seed: int
    constant_is_perfect: bool
    _placed: dict[str, Placements | Reason] = field(default_factory=dict, repr=False)
    _precise: dict[str, Precision | Reason] = field(default_factory=dict, repr=False)
    _joint: dict[str, Joint] = field(default_factory=dict, repr=False)

    def placements(self, model: str) -> Placements | Reason:
        if self.rows is None:
            return Reason.NOT_PROVIDED
        if model not in self._placed:
            self._placed[model] = Placements.of(self.rows.y, self.rows.scores[model], self.rows.weight)
        return self._placed[model]

    def precision(self, model: str) -> Precision | Reason:
        if self.rows is None:
            return Reason.NOT_PROVIDED
        if model not in self._precise:
            self._precise[model] = Precision.of(self.rows.y, self.rows.scores[model], self.rows.weight)
        return self._precise[model]

    def joint(self, rival: str) -> Joint:
        if rival not in self._joint:
            self._joint[rival] = joint_of(self.decisions, rival, self.seed)
        return self._joint[rival]

    @property
    def cluster(self) -> np.ndarray | None:
        return None if self.rows is None else self.rows.cluster


@dataclass(frozen=True)
class Metric:
    """One metric: what it is called, and how its figures come from a piece.

    Attributes
    ----------
    one: figure of a model. versus: figure of the candidate against a rival.
    rivals: whom the candidate is compared with.
    core: measured in every slice and of every model; others on the whole, and where the plan asks.
    """

    name: str
    tasks: frozenset[Task]
    better: Literal["higher", "lower"]
    unit: str
    method: str
    one: Of
    versus: Of
    rivals: tuple[str, ...] = (CHAMPION, ANCHOR)
    core: bool = False
    params: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def paired_unit(self) -> str:
        return self.unit if self.better == "higher" else "ratio"


def _loss(
    name: str,
    tasks: set[Task],
    unit: str,
    of: str,
    *,
    ceiling: float = math.inf,
    root: bool = False,
    rivals: tuple[str, ...] = (CHAMPION, BASELINE, ANCHOR),
    **params: Scalar,
) -> Metric:
    """Return a mean loss, or the root of one; compared by their ratio, which Fieller's bounds map to exactly."""

    def shown(found: Found, unit: float) -> Found:
        if isinstance(found, Reason):
            return found
        return found.rising(lambda value: unit * (np.sqrt(value) if root else value))

    def one(piece: Piece, model: str) -> Found:
        sums = piece.losses.pair(piece.sums, of, model, model)
        return shown(mean_loss(sums, minimum_clusters=piece.minimum, ceiling=ceiling), piece.losses.unit[model])

    def versus(piece: Piece, rival: str) -> Found:
        if rival == BASELINE and piece.constant_is_perfect:
            return Reason.ONE_CLASS
        sums = piece.losses.pair(piece.sums, of, CANDIDATE, rival)
        unit = piece.losses.unit[CANDIDATE] / piece.losses.unit[rival]
        return shown(loss_ratio(sums, minimum_clusters=piece.minimum), unit)

    return Metric(name, frozenset(tasks), "lower", unit, "fieller", one, versus, rivals, core=True, params=params)


def _decided(
    name: str, tasks: set[Task], metric: DecisionMetric, rivals: tuple[str, ...] = (CHAMPION, ANCHOR)
) -> Metric:
    def one(piece: Piece, model: str) -> Found:
        joint = piece.joint(model)
        # The rival of the joint table is looked at as its candidate.
        return decision_metric(joint if model == CANDIDATE else joint.swapped(), metric, minimum_clusters=piece.minimum)

    def versus(piece: Piece, rival: str) -> Found:
        return decision_difference(piece.joint(rival), metric, minimum_clusters=piece.minimum)

    return Metric(name, frozenset(tasks), "higher", "ratio", "joint_counts", one, versus, rivals)


def _area(piece: Piece, model: str) -> Found:
    return auc(piece.placements(model), piece.cluster, minimum_clusters=piece.minimum)


def _area_difference(piece: Piece, rival: str) -> Found:
    pair = piece.placements(CANDIDATE), piece.placements(rival)
    return auc_difference(*pair, piece.cluster, minimum_clusters=piece.minimum)


def _precise(piece: Piece, model: str) -> Found:
    return average_precision(piece.precision(model), piece.cluster, minimum_clusters=piece.minimum)


def _precise_difference(piece: Piece, rival: str) -> Found:
    pair = piece.precision(CANDIDATE), piece.precision(rival)
    return average_precision_difference(*pair, piece.cluster, minimum_clusters=piece.minimum)


def _explained(piece: Piece, model: str) -> Found:
    return explained(piece.losses.spread(piece.sums, model, model), minimum_clusters=piece.minimum)


def _explained_difference(piece: Piece, rival: str) -> Found:
    return explained_difference(piece.losses.spread(piece.sums, CANDIDATE, rival), minimum_clusters=piece.minimum)


_BINARY: frozenset[Task] = frozenset({"binary"})
_NUMERIC: frozenset[Task] = frozenset({"numeric"})

METRICS: tuple[Metric, ...] = (
    Metric("auc", _BINARY, "higher", "area", "delong", _area, _area_difference, core=True),
    _loss("log_loss", {"binary"}, "nats", LOG_LOSS, ceiling=LOG_LOSS_CEILING, rivals=(CHAMPION, ANCHOR), eps=EPS),
    _loss("log_loss", {"multiclass"}, "nats", LOG_LOSS, ceiling=LOG_LOSS_CEILING, eps=EPS),
    _loss("brier", {"binary"}, "squared_error", BRIER, ceiling=1.0),
    _loss("brier", {"multiclass"}, "squared_error", BRIER, ceiling=2.0),
    Metric("average_precision", _BINARY, "higher", "area", "jackknife", _precise, _precise_difference),
    _decided("accuracy", {"binary"}, ACCURACY),
    _decided("accuracy", {"multiclass"}, ACCURACY, (CHAMPION, BASELINE, ANCHOR)),
    _decided("precision", {"binary"}, PRECISION),
    _decided("recall", {"binary"}, RECALL),
    _decided("f1", {"binary"}, F1),
    _decided("mcc", {"binary"}, MCC),
    _loss("mae", {"numeric"}, "label", ABSOLUTE),
    _loss("rmse", {"numeric"}, "label", SQUARED, root=True),
    Metric("r2", _NUMERIC, "higher", "ratio", "delta", _explained, _explained_difference),
)
"""All metrics, in the order in which they are reported."""


def metrics_of(task: Task) -> tuple[Metric, ...]:
    """Return the metrics of a task."""
    return tuple(metric for metric in METRICS if task in metric.tasks)


__all__ = ["METRICS", "Found", "Metric", "Piece", "metrics_of"]
