"""Counts of (outcome, decision of each model), by the engine: what the threshold metrics are made of.

Binary: a decision is the score at or above the operating threshold. Multiclass: the outcome is that a row has a class,
and the decision is whether the likeliest class (the first of equals) is it; of these accuracy alone is a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.tables import scalar
from gates.measure.interface import Scored
from gates.measure.regression.losses import BASELINE, CANDIDATE, COLUMN, Trivial, models, power_of_two
from gates.measure.stats.figure import Floats, totals
from gates.measure.stats.joint import Joint
from gates.measure.stats.means import PairSums
from gates.measure.sums import Part, double, parts
from gates.records import Plan
from gates.records.plan import Outcomes

if TYPE_CHECKING:
    import ibis.expr.types as ir


def read_decisions(scored: Scored, plan: Plan, trivial: Trivial) -> list[Part]:
    """Read the counts, in the order of `sums.parts`; the trivial model always says the commonest class.

    With a column of payoffs, also their sums and squares by cell, as shares of the largest: `payoff`, `payoff2`.
    """
    table = scored.table
    if scored.task == "multiclass":
        keys = {model: _right(table, COLUMN[model], len(scored.classes)) for model in models(scored)}
        keys[BASELINE] = (table.y == int(np.argmax(trivial))).cast("int64")
        keys["y"] = (table.y >= 0).cast("int64")
    else:
        bar = double(plan.parameters.operating_threshold)
        keys = {model: (table[COLUMN[model]] >= bar).cast("int64") for model in models(scored)}
        keys["y"] = table.y.cast("int64")
    if not has_payoff(scored):
        return parts(scored, plan, {}, keys)
    share = table.payoff / double(largest_payoff(scored))
    return parts(scored, plan, {"payoff": share, "payoff2": share * share}, keys, fine=True)


def has_payoff(scored: Scored) -> bool:
    """Whether rows say what they are worth."""
    return "payoff" in scored.table.columns


def largest_payoff(scored: Scored) -> float:
    """Return a power of two, at least the largest magnitude of a row's payoff; 1 where rows do not say."""
    if not has_payoff(scored):
        return 1.0
    return power_of_two(scalar(scored.table.payoff.abs().max())) or 1.0


def worth_of(part: Part, rival: str, matrix: Outcomes) -> PairSums:
    """Return the sums of what the decisions of candidate (a) and rival (b) are worth, in shares of the largest payoff.

    A flip is what a turned outcome would change; where rows differ in payoff there is no ceiling, and none are taken.
    """
    y = part.keys["y"].astype(np.float64)
    table = np.array([[matrix.true_negative, matrix.false_positive], [matrix.false_negative, matrix.true_positive]])
    own, flip = {}, {}
    for side, model in (("a", CANDIDATE), ("b", rival)):
        own[side] = table[part.keys["y"], part.keys[model]]
        flip[side] = table[1 - part.keys["y"], part.keys[model]] - own[side]
    clustered = "cluster" in part.keys
    code = np.unique(part.keys["cluster"], return_inverse=True)[1] if clustered else np.zeros(y.size, dtype=np.int64)

    def sums(of: Mapping[str, Floats]) -> PairSums:
        once, twice = of.get("payoff", of["n"]), of.get("payoff2", of["n"])
        turned = own if "payoff" in of else flip
        products = [own[i] * own[j] * twice for i, j in ("aa", "ab", "bb")]
        aa, ab, bb, faa, fbb = (totals(code, v) for v in (*products, *(turned[i] ** 2 * twice for i in "ab")))
        n, a, b = (totals(code, term) for term in (of["n"], own["a"] * once, own["b"] * once))
        return PairSums(n, a, b, aa, ab, bb, faa, fbb, clustered=clustered, bounded="payoff" not in of)

    found = sums(part.sums)
    return replace(found, squares=sums(part.squares)) if part.weighted else found


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
