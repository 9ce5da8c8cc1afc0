"""What a model without features would say: the trivial rival that each release is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.tables import row
from gates.measure.interface import Given, OpenTable, Scored
from gates.measure.regression.losses import Trivial, shares
from gates.measure.regression.metrics import Metric
from gates.measure.sums import double
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Baseline:
    """A trivial model.

    Attributes
    ----------
    says: base rate; shares of the classes; the label's median, then its quantiles at the levels that the candidate
    predicts, in units of the scored table's scale. name: what it is. rows: of which. perfect: all rows are of one class,
    so that it makes no error and shows no skill.
    """

    says: Trivial
    name: str
    rows: str
    perfect: bool

    def name_for(self, metric: Metric) -> str:
        """Return what a metric's rival is, and of which rows."""
        return f"{'quantiles' if metric.of_quantiles else self.name} of {self.rows}"


def find_baseline(given: Given, scored: Scored) -> Baseline:
    """Return the trivial model of the task: base rate, class shares, or the median and quantiles of the training rows.

    Without a training table that has the label, they are the judged rows' own, which favours it.
    """
    if scored.task != "numeric":
        found = shares(scored)
        name = "base rate" if scored.task == "binary" else "class shares"
        return Baseline(found, name, "the whole", max(found) == 1 or (scored.task == "binary" and found == (0.0,)))
    label = _label(given.tables.get("training"), given.plan)
    if label is not None:
        training = _quantiles(label / double(scored.scale), scored.quantiles)
        if training:
            return Baseline(training, "median", "training", False)
    return Baseline(_quantiles(scored.table.y, scored.quantiles), "median", "the whole", False)


def _label(training: OpenTable | None, plan: Plan) -> ir.FloatingValue | None:
    name = plan.columns.label
    if training is None or name not in training.table.columns or not training.table[name].type().is_numeric():
        return None
    return training.table[name].cast("float64")


def _quantiles(label: ir.FloatingValue, levels: tuple[float, ...]) -> Trivial:
    """Return the median, then the quantiles at the levels; empty where one of them is no finite number."""
    table = label.name("y").as_table()
    kept = table.filter(table.y.notnull() & ~table.y.isnan() & ~table.y.isinf())
    asked = {"median": kept.y.median()} | {f"quantile_{i}": kept.y.quantile(level) for i, level in enumerate(levels)}
    seen = row(kept.aggregate(**asked))
    found = [seen[name] for name in asked]
    return tuple(map(float, found)) if all(each is not None and math.isfinite(each) for each in found) else ()
