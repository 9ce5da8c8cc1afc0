"""Is an event as frequent in the holdout as in training? The difference, with its interval. Called by `gate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow
from gates.measure.census import both_of
from gates.measure.claims import Claim, family, row_params
from gates.measure.grouping import group_text
from gates.measure.interface import Given
from gates.measure.scored_binary import Binary
from gates.measure.scored_multiclass import Multiclass
from gates.measure.stats.figure import Floats
from gates.measure.stats.proportions import share_difference
from gates.measure.sums import Where, numbers
from gates.records import WHOLE, Item, Measurement, Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECK = "data.class_balance"
METHOD = "mover_clopper_pearson"
CLUSTERED = "mover_korn_graubard"
NOWHERE = Where(WHOLE, 1_000_000, 0, None)


def class_balance(given: Given) -> Iterator[Measurement]:
    """Return the share of each class (binary: of 1) in the holdout less that in training; rows count alike.

    Raises
    ------
    UsageError: a label that is none of the task's.
    """
    plan = given.plan
    classes = plan.columns.classes if plan.task == "multiclass" else ("1",)
    both = both_of(given, "holdout", "training")
    label = plan.columns.label
    reason = both if isinstance(both, Reason) else None
    if label is None or plan.task == "numeric":
        reason = Reason.NOT_PROVIDED
    elif not isinstance(both, Reason) and any(label not in one.table.columns for one in both):
        reason = Reason.COLUMN_MISSING
    if reason is not None or isinstance(both, Reason) or label is None:
        yield _claim(plan, len(classes), None).measured(reason or Reason.NOT_PROVIDED, NOWHERE)
        return
    cluster = plan.parameters.cluster
    grouped = cluster if all(cluster in one.table.columns for one in both) else None
    ours, theirs = (_counts(plan, one, label, grouped) for one in both)
    claim = _claim(plan, len(classes), grouped)
    for place, name in enumerate(classes):
        found = share_difference(
            (ours[0][place], ours[1]),
            (theirs[0][place], theirs[1]),
            clustered=grouped is not None,
            minimum_clusters=plan.parameters.minimum_clusters,
        )
        yield claim.measured(found, NOWHERE, Item(kind="class", name=name))


def _claim(plan: Plan, size: int, cluster: str | None) -> Claim:
    return Claim(CHECK, "data", family(CHECK, size), CLUSTERED if cluster else METHOD, row_params(plan, cluster))


def _counts(plan: Plan, opened: OpenTable, label: str, cluster: str | None) -> tuple[list[Floats], Floats]:
    """Rows of each class and rows with a label, by cluster (or all as one cell)."""
    import ibis

    form = Multiclass(plan) if plan.task == "multiclass" else Binary(plan)
    value = form.label()(opened.table[label], label, opened.identity.uri)
    whose = ibis.literal("") if cluster is None else group_text(plan, opened.table[cluster])
    table = opened.table.select(y=value, cluster=whose).filter(lambda rows: rows.y.notnull())
    of_class = _of_class(plan, table)
    sums = {f"y{place}": hit.sum() for place, hit in enumerate(of_class)}
    found = arrow(table.group_by("cluster").aggregate(n=table.count(), **sums).order_by("cluster"))
    return [numbers(found, name) for name in sums], numbers(found, "n")


def _of_class(plan: Plan, table: ir.Table) -> list[ir.BooleanValue]:
    if plan.task == "binary":
        return [table.y == 1]
    return [table.y == place for place in range(len(plan.columns.classes))]
