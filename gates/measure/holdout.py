"""What a holdout tells before any model is measured: rows, events, clusters, and scores where they are there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gates.errors import UsageError
from gates.inputs.engines import reading
from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow, column, row
from gates.measure.calibration.binning import equal_mass_edges, micro_bin
from gates.measure.grouping import group_of
from gates.measure.scored_binary import Binary
from gates.measure.stats.clusters import Clusters
from gates.measure.stats.resolution import Holdout, Scores, design_effect
from gates.measure.sums import numbers
from gates.records import Plan, Slice

if TYPE_CHECKING:
    import ibis.expr.types as ir


def look_at(plan: Plan, opened: Mapping[str, OpenTable], where: Slice) -> Holdout:
    """Read what is known of a slice of the holdout, or of the predictions table that stands in its place.

    Raises
    ------
    UsageError: neither table is there, it has no rows, a column that is not there, a label that is not 0 or 1.
    """
    base = opened.get("holdout") or opened.get("predictions")
    if base is None:
        raise UsageError("the plan has no holdout", code="holdout.none", remedy="name `tables.holdout` in gates.yaml")
    with reading(base.identity.uri):
        table = _narrowed(plan, base, where)
        counted = int(row(table.aggregate(n=table.count()))["n"])
        if counted == 0:
            raise UsageError("no rows", code="holdout.empty", where=f"{base.identity.uri} ({where})")
        groups = _groups(plan, table) if plan.parameters.cluster is not None else None
        clusters = None if groups is None else Clusters.of(groups[1])
        rows = _effective(plan, table, counted)
        rate = _rate(plan, table, base.identity.uri) if plan.task == "binary" else None
        return Holdout(
            counted=counted,
            rows=rows,
            rate=rate,
            clusters=None if clusters is None else clusters.count,
            number=None if clusters is None else clusters.number,
            freedom=None if clusters is None else clusters.freedom,
            effect=_effect(groups, clusters, rate, rows),
            scores=_scores(plan, opened) if where.kind == "whole" else None,
        )


def _narrowed(plan: Plan, base: OpenTable, where: Slice) -> ir.Table:
    """The rows of the slice with the columns that matter, under our own names."""
    named = plan.columns
    wanted: dict[str, Any] = {}
    if plan.task == "binary" and named.label is not None:
        label = column(base.table, named.label, where=base.identity.uri)
        wanted["y"] = Binary(plan).label()(label, named.label, base.identity.uri)
    for ours, theirs in (("weight", plan.weight), ("cluster", plan.parameters.cluster), ("slice", where.column)):
        if theirs is not None:
            wanted[ours] = column(base.table, theirs, where=base.identity.uri)
    if "cluster" in wanted:
        wanted["cluster"] = group_of(plan, wanted["cluster"])
    if not wanted:
        return base.table
    table = base.table.select(**wanted)
    return table.filter(table["slice"].cast("string") == where.value) if where.kind == "value" else table


def _rate(plan: Plan, table: ir.Table, where: str) -> float:
    if "y" not in table.columns:
        raise UsageError("no label column is named", code="column.unknown", where=where, remedy="columns.label")
    found = row(table.aggregate(events=table.y.sum(), known=table.y.count(), bad=table.y.notin([0.0, 1.0]).sum()))
    if found["bad"] or not found["known"]:
        what = f"is neither 0 nor 1 in {found['bad']} rows" if found["bad"] else "is null in every row"
        raise UsageError(f'label "{plan.columns.label}" {what}', code="label.invalid", where=where)
    return float(found["events"]) / int(found["known"])


def _effective(plan: Plan, table: ir.Table, counted: int) -> float:
    """Rows of as much weight: (sum w)^2 / sum w^2 (Kish 1965)."""
    if plan.weight is None:
        return float(counted)
    weight = table.weight.cast("float64")
    found = row(table.aggregate(sum=weight.sum(), squares=(weight * weight).sum()))
    return float(found["sum"]) ** 2 / float(found["squares"]) if found["squares"] else float(counted)


def _groups(plan: Plan, table: ir.Table) -> tuple[Any, Any]:
    """Events and rows by cluster, shape (clusters,); without labels of two classes the events are none."""
    events = table.y.fill_null(0.0).sum() if "y" in table.columns else table.count() * 0.0
    answer = arrow(table.group_by("cluster").aggregate(events=events, n=table.count()))
    return numbers(answer, "events"), numbers(answer, "n")


def _effect(groups: tuple[Any, Any] | None, clusters: Clusters | None, rate: float | None, rows: float) -> float:
    """What the labels of a cluster share; where they tell nothing of it, a cluster may say as much as one row."""
    if groups is None or clusters is None:
        return 1.0
    return design_effect(*groups) if rate is not None else max(1.0, rows / clusters.number)


def _scores(plan: Plan, opened: Mapping[str, OpenTable]) -> Scores | None:
    """How the candidate's or the champion's probabilities are spread, of a table that the plan has; else None."""
    if plan.task != "binary":
        return None
    named = plan.columns
    for role, name in (("predictions", named.score), ("champion_predictions", named.champion_score or named.score)):
        if role in opened and name is not None:
            found = _spread(plan, column(opened[role].table, name, where=opened[role].identity.uri))
            if found is not None:
                return found
    return None


def _spread(plan: Plan, score: ir.Value) -> Scores | None:
    bins, micro_bins = plan.parameters.bins, plan.parameters.micro_bins
    table = score.cast("float64").name("p").as_table()
    table = table.filter(table.p.between(0.0, 1.0))
    binned = table.mutate(micro=micro_bin(table.p, micro_bins))
    answer = binned.group_by("micro").aggregate(n=binned.count(), p=binned.p.sum(), pp=(binned.p * binned.p).sum())
    found = arrow(answer.order_by("micro"))
    if found.num_rows == 0:
        return None
    micro, n, p, pp = (numbers(found, name) for name in ("micro", "n", "p", "pp"))
    edges = equal_mass_edges(micro.astype(np.int64), n.astype(np.int64), micro_bins, bins)
    code = np.searchsorted(np.asarray(edges), micro / micro_bins, side="left")
    count, score_sum, squares = (np.bincount(code, weights=values) for values in (n, p, pp))
    return Scores(count / n.sum(), score_sum / count, np.maximum(0.0, score_sum - squares) / count)
