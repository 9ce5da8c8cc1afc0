"""Own measurements as functions: each returns what was seen, and `gates measure` computes how certain that is."""

from __future__ import annotations

import numpy as np

from gates.measure.interface import Given
from gates.measure.own import Successes, Values
from gates.records import Reason


def precision(given: Given) -> Successes | Reason:
    """Of the rows that the model selects: the share with the event. Counted in the table engine."""
    scored = given.scored
    if isinstance(scored, Reason):
        return scored
    selected = scored.table.filter(scored.table.p >= given.plan.parameters.operating_threshold)
    [row] = selected.aggregate(hits=selected.y.sum(), n=selected.count()).to_pyarrow().to_pylist()
    return Successes(int(row["hits"] or 0), int(row["n"]))


def surprise(given: Given) -> Values | Reason:
    """How far a score is from what happened, a value a row."""
    if isinstance(given.scored, Reason):
        return given.scored
    rows = given.scored.table.select("y", "p").to_pyarrow()
    y, p = rows.column("y").to_numpy(), rows.column("p").to_numpy()
    return Values(np.abs(y - p), range=(0, 1))
