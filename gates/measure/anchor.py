"""By what the anchor is chosen: one mean loss of a model's rows. No figure: it has no bounds, and nobody judges it."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add

from gates.inputs.tables import row
from gates.measure.interface import Scored
from gates.measure.sums import exact_sum


def mean_loss(scored: Scored, column: str = "p") -> float:
    """Return a model's mean loss of all rows, each with its weight: the lower, the better.

    Brier score (binary, of the event; multiclass, summed over the classes), or mean absolute error in units of the
    label: the losses of statistics.md, section 3.

    Parameters
    ----------
    column: of the model's predictions, or with several classes how they begin: `p` the candidate's, `q` the champion's.
    """
    table = scored.table
    if scored.task == "multiclass":
        squares = [(table[f"{column}_{k}"] - (table.y == k).ifelse(1.0, 0.0)) for k in range(len(scored.classes))]
        loss = reduce(add, [square * square for square in squares])
    else:
        error = table[column] - table.y
        loss = error.abs() if scored.task == "numeric" else error * error
    weight = table.weight if scored.weighted else table.y * 0.0 + 1.0
    found = row(table.aggregate(loss=exact_sum(weight * loss), n=exact_sum(weight)))
    return float(found["loss"]) / float(found["n"]) * scored.scale


def champion_as_anchor(scored: Scored) -> Scored:
    """Let the champion's predictions stand as the anchor's too."""
    names = [f"_{k}" for k in range(len(scored.classes))] if scored.task == "multiclass" else [""]
    table = scored.table
    return replace(scored, table=table.mutate(**{f"anchor{name}": table[f"q{name}"] for name in names}))
