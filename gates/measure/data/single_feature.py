"""How well each feature tells the label by itself: one that tells it too well often knows it. Called by `gate`.

The figure is the area under the ROC curve, DeLong's (stats.auc), of the rows of the holdout: the larger of the area and
what it lacks of 1, of the values of those rows that have one, and of whether a row has one at all. A text stands for the
mean label that training has of it, so that a text of every row's own says nothing; one that training lacks is no value.
The events are 1 (binary), each class against the others (multiclass), and a label above the holdout's median (numeric).

Memory: 100 bytes a row of at most MOST_ROWS, which a hash of the key and the plan's seed draws from a larger table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow
from gates.inputs.values import absent, is_moment, moment
from gates.measure.census import table_of, unmeasured
from gates.measure.claims import NOTHING, Claim, family, row_params
from gates.measure.grouping import group_text
from gates.measure.interface import Given
from gates.measure.sampling import sampled
from gates.measure.scored_binary import Binary
from gates.measure.scored_multiclass import Multiclass
from gates.measure.scored_numeric import Numeric
from gates.measure.stats.auc import Placements, auc, either_way
from gates.measure.stats.figure import Figure, Floats, Ints, Mask
from gates.measure.sums import codes
from gates.records import Item, Measurement, Param, Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECK = "data.single_feature_auc"
METHOD = "delong_either_way"
UNIT = "ratio"
MOST_ROWS = 1_000_000

_WAYS = 4
"""Areas that a figure is the largest of, for each event: up and down, of the values and of their absence."""


def single_features(given: Given) -> Iterator[Measurement]:
    """Return a figure for each feature that can be ranked; numbers, truth values, times and texts can.

    Raises
    ------
    UsageError: a label that is none of the task's.
    """
    plan, holdout = given.plan, table_of(given, "holdout")
    if isinstance(holdout, Reason):
        yield unmeasured(CHECK, holdout, unit=UNIT, method=METHOD)
        return
    label, training = plan.columns.label, table_of(given, "training")
    features = [name for name in plan.columns.features if _rankable(holdout.table, name, label, training)]
    if label is None or not features or not holdout.identity.rows:
        yield unmeasured(CHECK, _why_none(plan, holdout), unit=UNIT, method=METHOD)
        return
    if label not in holdout.table.columns:
        yield unmeasured(CHECK, Reason.COLUMN_MISSING, unit=UNIT, method=METHOD)
        return
    cluster = plan.parameters.cluster if plan.parameters.cluster in holdout.table.columns else None
    share = math.ceil(holdout.identity.rows / min(MOST_ROWS, plan.parameters.max_rows))
    rows = _rows(plan, holdout, share)
    told = training if isinstance(training, OpenTable) and label in training.table.columns else None
    seen = _Holdout(
        plan,
        rows,
        _label(plan, rows, holdout.identity.uri),
        cluster,
        None if told is None else (told.table, _label(plan, told.table, told.identity.uri)),
    )
    params = (Param(name="one_in", value=share), *row_params(plan, cluster))
    labels = len(plan.columns.classes) if plan.task == "multiclass" else 1
    claim = Claim(CHECK, "data", family(CHECK, _WAYS * labels * len(features)), METHOD, params)
    for name in features:
        yield claim.measured(seen.feature(name), NOTHING, Item(kind="feature", name=name))


def _why_none(plan: Plan, holdout: OpenTable) -> Reason:
    if plan.columns.label is None or not plan.columns.features:
        return Reason.NOT_PROVIDED
    return Reason.COLUMN_MISSING if holdout.identity.rows else Reason.EMPTY_TABLE


def _rankable(table: ir.Table, name: str, label: str | None, training: OpenTable | Reason) -> bool:
    if name not in table.columns:
        return False
    value = table[name]
    if value.type().is_string():
        return isinstance(training, OpenTable) and {name, label} <= set(training.table.columns)
    return bool(value.type().is_numeric() or value.type().is_boolean() or is_moment(value))


def _rows(plan: Plan, opened: OpenTable, share: int) -> ir.Table:
    table = opened.table
    if share == 1:
        return table
    key = [name for name in plan.columns.key if name in table.columns] or list(table.columns)
    return sampled(table, key, plan.parameters.seed, share)


def _form(plan: Plan) -> Binary | Multiclass | Numeric:
    if plan.task == "binary":
        return Binary(plan)
    return Multiclass(plan) if plan.task == "multiclass" else Numeric(plan)


def _label(plan: Plan, table: ir.Table, where: str) -> ir.FloatingValue:
    name = str(plan.columns.label)
    form = _form(plan)
    return form.label()(table[name], name, where).cast("float64")


@dataclass(frozen=True)
class _Holdout:
    """The rows to rank, their labels, and what texts are told by."""

    plan: Plan
    rows: ir.Table
    label: ir.FloatingValue
    cluster: str | None
    training: tuple[ir.Table, ir.FloatingValue] | None

    def feature(self, name: str) -> Figure | Reason:
        wanted = self._texts(name) if self.rows[name].type().is_string() else self._ranked(name)
        found = arrow(wanted.filter(~absent(wanted.y)))
        ranks = [_numbers(found, column) for column in wanted.columns if column.startswith("x")]
        code = None if self.cluster is None else codes(found, "cluster")[1]
        areas = [
            area
            for place, event in enumerate(_events(self.plan, _numbers(found, "y")))
            for area in _areas(event, ranks[min(place, len(ranks) - 1)], code, self.plan.parameters.minimum_clusters)
        ]
        measured = [area for area in areas if isinstance(area, Figure)]
        return either_way(measured) if measured else next(area for area in areas if isinstance(area, Reason))

    def _selected(self, **columns: ir.Value) -> ir.Table:
        import ibis

        group = ibis.literal("") if self.cluster is None else group_text(self.plan, self.rows[self.cluster])
        return self.rows.select(y=self.label, cluster=group, **columns)

    def _ranked(self, name: str) -> ir.Table:
        value = self.rows[name]
        return self._selected(x0=(moment(value).epoch_seconds() if is_moment(value) else value).cast("float64"))

    def _texts(self, name: str) -> ir.Table:
        """The rows with, as `x0`, `x1`, ..., the mean label of their text in training, of each class by itself."""
        table, label = self.training  # type: ignore[misc]  # `_rankable` has asked
        theirs = table.select(told=table[name].cast("string"), y=label)
        theirs = theirs.filter(~absent(theirs.y))
        each = [theirs.y]
        if self.plan.task == "multiclass":
            each = [(theirs.y == place).cast("float64") for place in range(len(self.plan.columns.classes))]
        means = theirs.group_by("told").aggregate(**{f"x{place}": value.mean() for place, value in enumerate(each)})
        rows = self._selected(text=self.rows[name])
        return rows.left_join(means, rows["text"] == means.told).drop("text", "told")


def _numbers(found: object, column: str) -> Floats:
    """A column as doubles, NaN where there is no value."""
    values = found.column(column).combine_chunks()  # type: ignore[attr-defined]
    return np.asarray(values.fill_null(math.nan).to_numpy(zero_copy_only=False), dtype=np.float64)


def _events(plan: Plan, y: Floats) -> Iterator[Mask]:
    if plan.task == "multiclass":
        yield from (y == place for place in range(len(plan.columns.classes)))
    elif y.size and plan.task == "numeric":
        yield y > np.median(y)
    else:
        yield y == 1


def _areas(event: Mask, x: Floats, code: Ints | None, minimum_clusters: int) -> Iterable[Figure | Reason]:
    there = ~np.isnan(x)
    y = event.astype(np.float64)
    groups = None if code is None else code[there]
    yield auc(Placements.of(y[there], x[there]), groups, minimum_clusters=minimum_clusters)
    if not there.all():
        yield auc(Placements.of(y, there.astype(np.float64)), code, minimum_clusters=minimum_clusters)
