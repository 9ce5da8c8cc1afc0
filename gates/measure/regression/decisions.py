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
    share = table.payoff / double(largest_payoff(scored)[0])
    return parts(scored, plan, {"payoff": share, "payoff2": share * share}, keys, fine=True)


def has_payoff(scored: Scored) -> bool:
    """Whether rows say what they are worth."""
    return "payoff" in scored.table.columns


def largest_payoff(scored: Scored) -> tuple[float, float]:
    """Return a power of two, at least the largest magnitude of a row's payoff, and that magnitude as a share of it.

    Both are 1 where rows do not say.
    """
    if not has_payoff(scored):
        return 1.0, 1.0
    largest = scalar(scored.table.payoff.abs().max())
    unit = power_of_two(largest) or 1.0
    return unit, float(largest or 0.0) / unit


def _of_outcomes(matrix: Outcomes) -> Floats:
    """What a decision is worth, by outcome and decision."""
    return np.array([[matrix.true_negative, matrix.false_positive], [matrix.false_negative, matrix.true_positive]])


def apart(matrix: Outcomes) -> float:
    """Return the most by which a row's two decisions can differ in worth: the outcome is the same for both."""
    return float(np.abs(np.diff(_of_outcomes(matrix), axis=1)).max())


def worth_of(part: Part, rival: str, matrix: Outcomes, dearest: float = 1.0) -> PairSums:
    """Return the sums of what the decisions of candidate (a) and rival (b) are worth, in shares of the largest payoff.

    Parameters
    ----------
    dearest: the largest payoff of a row as a share of the unit of payoffs. One more row, never seen, may be worth the
        least or the most of the matrix, times that.
    """
    table, own = _of_outcomes(matrix), {}
    for side, model in (("a", CANDIDATE), ("b", rival)):
        own[side] = table[part.keys["y"], part.keys[model]]
    clustered = "cluster" in part.keys
    size = part.keys["y"].size
    code = np.unique(part.keys["cluster"], return_inverse=True)[1] if clustered else np.zeros(size, dtype=np.int64)

    def sums(of: Mapping[str, Floats]) -> PairSums:
        once, twice = of.get("payoff", of["n"]), of.get("payoff2", of["n"])
        aa, ab, bb = (totals(code, own[i] * own[j] * twice) for i, j in ("aa", "ab", "bb"))
        n, a, b = (totals(code, term) for term in (of["n"], own["a"] * once, own["b"] * once))
        none = np.zeros_like(n)
        return PairSums(n, a, b, aa, ab, bb, none, none, clustered, bounded="payoff" not in of, ceiling=span)

    # Where rows have payoffs of their own, one of 0 is worth nothing whatever is decided.
    span = float(np.ptp(np.append(table, 0.0) if "payoff" in part.sums else table)) * dearest
    found = sums(part.sums)
    return replace(found, squares=sums(part.squares), heaviest=part.heaviest) if part.weighted else found


def joint_of(part: Part, rival: str, seed: int) -> Joint:
    """Return the joint table of the candidate and a rival; of the candidate with itself where that is the rival."""
    cell = 4 * part.keys["y"] + 2 * part.keys[CANDIDATE] + part.keys[rival]
    n, squares = part.sums["n"], part.squares["n"]
    clustered = "cluster" in part.keys
    code = np.unique(part.keys["cluster"], return_inverse=True)[1] if clustered else np.zeros_like(cell)
    size = int(code.max()) + 1 if code.size else 0
    counts = totals(code * 8 + cell, n, 8 * size).reshape(size, 8)
    effective = float(n.sum()) ** 2 / float(squares.sum()) if n.size else 0.0
    weights = totals(cell, squares, 8) if part.weighted else None
    return Joint(counts, clustered, effective, seed, weights, part.heaviest)


def _right(table: ir.Table, column: str, classes: int) -> ir.IntegerValue:
    import ibis

    scores = [table[f"{column}_{k}"] for k in range(classes)]
    highest = reduce(ibis.greatest, scores)
    first = ibis.cases(*((score == highest, k) for k, score in enumerate(scores)), else_=-1)
    return (first == table.y).cast("int64")
