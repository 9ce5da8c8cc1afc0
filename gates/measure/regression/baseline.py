"""What a model without features would say: the trivial rival that each release is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from gates.measure.interface import Given, OpenTable, Scored
from gates.measure.regression.losses import Trivial, shares
from gates.records import Plan


@dataclass(frozen=True)
class Baseline:
    """A trivial model.

    Attributes
    ----------
    says: base rate; shares of the classes; median, in units of the scored table's scale. name: what it is, and of which
    rows. perfect: all rows are of one class, so that it makes no error and shows no skill.
    """

    says: Trivial
    name: str
    perfect: bool


def find_baseline(given: Given, scored: Scored) -> Baseline:
    """Return the trivial model of the task: base rate, class shares, or the median of the training rows.

    Without a training table that has the label, the median is the judged rows' own, which favours it.
    """
    if scored.task != "numeric":
        found = shares(scored)
        name = "base rate of the whole" if scored.task == "binary" else "class shares of the whole"
        return Baseline(found, name, max(found) == 1 or (scored.task == "binary" and found == (0.0,)))
    training = _median(given.tables.get("training"), given.plan)
    if training is not None:
        return Baseline((training / scored.scale,), "median of training", False)
    [row] = scored.table.aggregate(y=scored.table.y.median()).to_pyarrow().to_pylist()
    return Baseline((float(row["y"]),), "median of the whole", False)


def _median(training: OpenTable | None, plan: Plan) -> float | None:
    label = plan.columns.label
    if training is None or label not in training.table.columns or not training.table[label].type().is_numeric():
        return None
    value = training.table[label].cast("float64")
    kept = training.table.select(y=value).filter(lambda t: t.y.notnull() & ~t.y.isnan() & ~t.y.isinf())
    [row] = kept.aggregate(y=kept.y.median()).to_pyarrow().to_pylist()
    return None if row["y"] is None else float(row["y"])
