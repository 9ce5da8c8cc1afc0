"""What the judged labels say by themselves: their quantiles, and the narrowest interval that holds a share of them.

This is all that a model can know which reads no feature, and more than it could know beforehand: no constant has a
smaller absolute or pinball loss on these rows than their own quantile, none that holds as many of them is narrower. So
a constant shows no skill, whatever it was fitted on and however the label has drifted since.

Memory: one sort by label in the engine, which DuckDB spills to disk; a number a quantile, or 10,000 rows, come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.tables import arrow, row
from gates.measure.interface import Scored
from gates.measure.stats.figure import Floats
from gates.measure.sums import double, nearest, numbers

if TYPE_CHECKING:
    import ibis.expr.types as ir

RUNS = 10_000
"""Rows in the order of their labels are cut into as many runs of equal weight; fewer rows are runs of their own."""

_WHOLE = 2.0**30
"""Weights are added up as whole multiples of 1 / this, so that their sum does not depend on how threads split the rows."""

REACHED = 1e-12
"""Shares that add up to the wanted one within this reach it: .7 + .2 is a little under .9 in doubles."""


def quantiles(scored: Scored, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return the label's quantile at each level in (0, 1): the least one that has that share of the weight at or under it.

    Of all constants it has the least mean pinball loss at its level (Koenker and Bassett 1978); units are the table's.
    """
    ordered, total = _ordered(scored)
    asked = {f"q{i}": ordered.y.min(where=ordered.upto >= double(level * total)) for i, level in enumerate(levels)}
    seen = row(ordered.aggregate(**asked))
    return tuple(float(seen[name]) for name in asked)


def narrowest(scored: Scored, share: float) -> float:
    """Return a width, at least 0, that no interval undercuts which is the same for all rows and holds a share of them.

    Up to 10,000 rows it is the width of one that does; of more, an interval that holds 2/10,000 fewer may be as wide.
    """
    ordered, total = _ordered(scored)
    run = ((ordered.upto - 1) * double(RUNS / total)).floor().cast("int64").name("run")
    grouped = ordered.group_by(run).aggregate(least=ordered.y.min(), most=ordered.y.max(), weight=ordered.unit.sum())
    found = arrow(grouped)
    by_label = np.argsort(numbers(found, "run"))
    least, most, weight = (numbers(found, name)[by_label] for name in ("least", "most", "weight"))
    return narrowest_of(least, most, weight / weight.sum(), share)


def narrowest_of(least: Floats, most: Floats, weight: Floats, share: float) -> float:
    """Return the least width of an interval that can hold a share, in [0, 1], of rows that are known by runs.

    An interval that begins within run i and ends within run j holds at most the runs i to j, and is at least as wide as
    the least label of j less the largest of i.

    Parameters
    ----------
    least, most, weight: smallest and largest label and share of the weight by run, ascending; each of shape (runs,).
    """
    upto = np.cumsum(weight)
    before = upto - weight
    last = np.searchsorted(upto, before + share - REACHED)
    inside = last < upto.size
    return max(0.0, float((least[last[inside]] - most[inside]).min()))


def _ordered(scored: Scored) -> tuple[ir.Table, float]:
    """Return the rows with `unit`, their weight, and `upto`, the weight of all up to them by label; and of all rows."""
    import ibis

    table = scored.table
    if not scored.weighted:
        return table.select(y=table.y, unit=1, upto=ibis.row_number().over(order_by=table.y) + 1), float(scored.rows)
    units = table.select(y=table.y, unit=nearest(table.weight * _WHOLE).cast("int64"))
    # Rows of one label are told apart by their weight, or which of them comes first would be up to the engine.
    by_label = ibis.window(order_by=[units.y, units.unit], preceding=(None, 0))
    found = units.mutate(upto=units.unit.sum().over(by_label).cast("float64"))
    return found, float(row(units.aggregate(total=units.unit.sum().cast("float64")))["total"])
