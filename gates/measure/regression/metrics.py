"""Every metric of the gate, a line or two each: its name, of which tasks, how it is read and which way is better.

A metric where higher is better is compared by the candidate's less the other's, a loss by the candidate's over the
other's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from gates.measure.interface import Scored
from gates.measure.regression.decisions import apart, joint_of, worth_of
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
    PINBALL,
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
from gates.measure.stats.means import loss_ratio, mean_difference, mean_loss
from gates.measure.sums import Part
from gates.records import Parameters, Plan, Reason
from gates.records.base import Scalar
from gates.records.plan import Outcomes, Task

LATENCY = "latency"
"""No metric of rows, and measured apart."""

Found: TypeAlias = Figure | Reason
Of: TypeAlias = "Callable[[Piece, str], Found]"


@dataclass(frozen=True)
class Piece:
    """A slice's rows: as sums of losses, as counts of decisions, and one by one where ranks need them.

    Attributes
    ----------
    constant_is_perfect: the trivial model makes no error in the whole, for want of two classes.
    payoff_unit: what the rows' payoffs in `decisions` are shares of. dearest: the largest of these shares.
    """

    losses: Losses
    sums: Part
    decisions: Part
    rows: Rows | None
    minimum: int
    seed: int
    constant_is_perfect: bool
    parameters: Parameters
    payoff_unit: float
    dearest: float
    _placed: dict[str, Placements | Reason] = field(default_factory=dict, repr=False)
    _precise: dict[str, Precision | Reason] = field(default_factory=dict, repr=False)
    _joint: dict[str, Joint] = field(default_factory=dict, repr=False)

    def placements(self, model: str) -> Placements | Reason:
        if self.rows is None:
            return Reason.NOT_PROVIDED
        if model not in self._placed:
            rows = self.rows
            self._placed[model] = Placements.of(rows.y, rows.scores[model], rows.weight, rows.of_two)
        return self._placed[model]

    def precision(self, model: str) -> Precision | Reason:
        if self.rows is None:
            return Reason.NOT_PROVIDED
        if model not in self._precise:
            rows = self.rows
            self._precise[model] = Precision.of(rows.y, rows.scores[model], rows.weight, rows.of_two)
        return self._precise[model]

    def joint(self, rival: str) -> Joint:
        if rival not in self._joint:
            self._joint[rival] = joint_of(self.decisions, rival, self.seed)
        return self._joint[rival]

    @property
    def weight(self) -> float:
        """Sum of the weights; rows, where there are none."""
        return float(self.sums.sums["n"].sum())

    @property
    def cluster(self) -> np.ndarray | None:
        return None if self.rows is None else self.rows.cluster


@dataclass(frozen=True)
class Metric:
    """One metric: what it is called, and how its figures come from a piece.

    Attributes
    ----------
    one: figure of a model. versus: figure of the candidate against a rival.
    rivals: whom the candidate is compared with. compared: by the difference to them, or by the ratio.
    alone: models have a figure of their own, besides the comparison.
    core: measured in every slice and of every model; others on the whole, and where the plan asks.
    of_quantiles: of predicted quantiles, and not of the prediction; core where there are any.
    constant: what the trivial model says here, where that is not what it says of the task's other metrics.
    """

    name: str
    tasks: frozenset[Task]
    better: Literal["higher", "lower"]
    unit: str
    method: str
    one: Of
    versus: Of
    rivals: tuple[str, ...] = (CHAMPION, ANCHOR)
    compared: Literal["difference", "ratio"] = "difference"
    core: bool = False
    alone: bool = True
    of_quantiles: bool = False
    constant: str = ""
    params: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def paired_unit(self) -> str:
        """A difference is never called a ratio: by the unit alone a reader knows which side is worse."""
        if self.compared == "ratio":
            return "ratio"
        return "difference" if self.unit == "ratio" else self.unit


def _loss(
    name: str,
    tasks: set[Task],
    unit: str,
    of: str,
    *,
    ceiling: float = math.inf,
    root: bool = False,
    rivals: tuple[str, ...] = (CHAMPION, BASELINE, ANCHOR),
    of_quantiles: bool = False,
    constant: str = "",
    **params: Scalar,
) -> Metric:
    """Return a mean loss, or the root of one; compared by their ratio, which Fieller's bounds map to exactly."""

    def shown(found: Found, unit: float) -> Found:
        if isinstance(found, Reason):
            return found
        return found.rising(lambda value: unit * (np.sqrt(value) if root else value))

    def one(piece: Piece, model: str) -> Found:
        if (of, model) not in piece.losses.unit:
            return Reason.NOT_PROVIDED
        sums = piece.losses.pair(piece.sums, of, model, model)
        return shown(mean_loss(sums, minimum_clusters=piece.minimum, ceiling=ceiling), piece.losses.unit[of, model])

    def versus(piece: Piece, rival: str) -> Found:
        if rival == BASELINE and piece.constant_is_perfect:
            return Reason.ONE_CLASS
        if not {(of, CANDIDATE), (of, rival)} <= piece.losses.unit.keys():
            return Reason.NOT_PROVIDED
        sums = piece.losses.pair(piece.sums, of, CANDIDATE, rival)
        unit = piece.losses.unit[of, CANDIDATE] / piece.losses.unit[of, rival]
        return shown(loss_ratio(sums, minimum_clusters=piece.minimum), unit)

    return Metric(
        name,
        frozenset(tasks),
        "lower",
        unit,
        "fieller",
        one,
        versus,
        rivals,
        "ratio",
        core=True,
        of_quantiles=of_quantiles,
        constant=constant,
        params=params,
    )


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


def _expected_cost(piece: Piece, model: str) -> Found:
    """Per 1,000 decisions."""
    return _worth(piece, piece.parameters.cost, model, paired=False, times=1_000.0)


def _cost_difference(piece: Piece, rival: str) -> Found:
    return _worth(piece, piece.parameters.cost, rival, paired=True, times=1_000.0)


def _value(piece: Piece, model: str) -> Found:
    """Of all rows together."""
    return _worth(piece, piece.parameters.payoff, model, paired=False, times=piece.payoff_unit * piece.weight)


def _value_difference(piece: Piece, rival: str) -> Found:
    return _worth(piece, piece.parameters.payoff, rival, paired=True, times=piece.payoff_unit * piece.weight)


def _worth(piece: Piece, matrix: Outcomes | None, model: str, *, paired: bool, times: float) -> Found:
    if matrix is None:
        return Reason.NOT_PROVIDED
    # A cost is that of the decision alone; the row's payoff belongs to the value.
    of_rows = matrix is piece.parameters.payoff
    part, dearest = (piece.decisions, piece.dearest) if of_rows else (_without_payoff(piece.decisions), 1.0)
    sums = worth_of(part, model, matrix, dearest)
    found = (
        mean_difference(sums, apart=apart(matrix) * dearest, minimum_clusters=piece.minimum)
        if paired
        else mean_loss(sums.swapped(), minimum_clusters=piece.minimum, floor=-math.inf)
    )
    return found if isinstance(found, Reason) else found.rising(lambda value: value * times)


def _without_payoff(part: Part) -> Part:
    counts = {"n": part.sums["n"]}
    return replace(part, sums=counts, squares={"n": part.squares["n"]} if part.weighted else counts)


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
    Metric("cost", _BINARY, "lower", "per_1000_decisions", "mean", _expected_cost, _cost_difference),
    Metric("value", _BINARY, "higher", "payoff", "mean", _value, _value_difference),
    _loss("mae", {"numeric"}, "label", ABSOLUTE),
    _loss("rmse", {"numeric"}, "label", SQUARED, root=True, constant="mean"),
    Metric("r2", _NUMERIC, "higher", "ratio", "delta", _explained, _explained_difference),
    _loss(
        "pinball", {"numeric"}, "label", PINBALL, rivals=(CHAMPION, BASELINE), of_quantiles=True, constant="quantiles"
    ),
)
"""All metrics, in the order in which they are reported."""


_VERSUS = f"_vs_{CHAMPION}"


def scorers_of(plan: Plan, scored: Scored | None) -> tuple[Metric, ...]:
    """Return a metric for each comparison that the plan asks for under the name of a scorer of scikit-learn.

    Raises
    ------
    UsageError: scikit-learn has no scorer of that name.
    """
    asked = sorted(
        {r.check.removeprefix("regression.") for r in plan.requirements if r.check.startswith("regression.")}
    )
    named = [check.removesuffix(_VERSUS) for check in asked if check.endswith(_VERSUS)]
    own = {metric.name for metric in METRICS} | {LATENCY}
    return tuple(_scorer(name, plan, scored) for name in named if name not in own)


def _scorer(name: str, plan: Plan, scored: Scored | None) -> Metric:
    from gates.measure.regression.scorers import Scorer

    classes, scale = (len(scored.classes), scored.scale) if scored else (2, 1.0)
    scorer = Scorer(name, plan.task, classes, plan.parameters.operating_threshold, scale)
    scorer.known()

    def versus(piece: Piece, rival: str) -> Found:
        if piece.rows is None:
            return Reason.NOT_PROVIDED
        return scorer.difference(piece.rows, rival, minimum_clusters=piece.minimum, seed=piece.seed)

    # A scorer of a model by itself would cost as much again, and nobody has asked for it.
    return Metric(
        name, frozenset({plan.task}), "higher", "score", "poisson_bootstrap", _unasked, versus, (CHAMPION,), alone=False
    )


def _unasked(piece: Piece, model: str) -> Found:
    return Reason.NOT_PROVIDED


def metrics_of(task: Task) -> tuple[Metric, ...]:
    """Return the metrics of a task."""
    return tuple(metric for metric in METRICS if task in metric.tasks)


__all__ = ["LATENCY", "METRICS", "Found", "Metric", "Piece", "metrics_of", "scorers_of"]
