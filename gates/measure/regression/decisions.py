"""Counts of (outcome, decision of each model), by the engine: what the threshold metrics are made of.

Binary: a decision is the score at or above the operating threshold. Multiclass: the outcome is that a row has a class,
and the decision is whether the likeliest class (the first of equals) is it; of these accuracy alone is a metric.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gates.measure.interface import Scored
from gates.measure.regression.losses import BASELINE, CANDIDATE, COLUMN, Trivial, models
from gates.measure.stats.figure import totals
from gates.measure.stats.joint import Joint
from gates.measure.sums import Part, double, parts
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir


def read_decisions(scored: Scored, plan: Plan, trivial: Trivial) -> list[Part]:
    """Read the counts, in the order of `sums.parts`; the trivial model always says the commonest class."""
    table = scored.table
    if scored.task == "multiclass":
        keys = {model: _right(table, COLUMN[model], len(scored.classes)) for model in models(scored)}
        keys[BASELINE] = (table.y == int(np.argmax(trivial))).cast("int64")
        keys["y"] = (table.y >= 0).cast("int64")
    else:
        bar = double(plan.parameters.operating_threshold)
        keys = {model: (table[COLUMN[model]] >= bar).cast("int64") for model in models(scored)}
        keys["y"] = table.y.cast("int64")
    return parts(scored, plan, {}, keys)


def joint_of(part: Part, rival: str, seed: int) -> Joint:
    """Return the joint table of the candidate and a rival; of the candidate with itself where that is the rival."""
    cell = 4 * part.keys["y"] + 2 * part.keys[CANDIDATE] + part.keys[rival]
    n, squares = part.sums["n"], part.squares["n"]
    clustered = "cluster" in part.keys
    code = np.unique(part.keys["cluster"], return_inverse=True)[1] if clustered else np.zeros_like(cell)
    size = int(code.max()) + 1 if code.size else 0
    counts = totals(code * 8 + cell, n, 8 * size).reshape(size, 8)
    return Joint(counts, clustered, float(n.sum()) ** 2 / float(squares.sum()) if n.size else 0.0, seed)


def _right(table: ir.Table, column: str, classes: int) -> ir.IntegerValue:
    import ibis

    scores = [table[f"{column}_{k}"] for k in range(classes)]
    highest = reduce(ibis.greatest, scores)
    first = ibis.cases(*((score == highest, k) for k, score in enumerate(scores)), else_=-1)
    return (first == table.y).cast("int64")
