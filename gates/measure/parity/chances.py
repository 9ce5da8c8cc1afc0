"""Whether the rows of a sampled log of requests were all kept with the same chance. Called by `gate` and `unkeyed`."""

from __future__ import annotations

from gates.inputs.tables import row
from gates.measure.census import table_of
from gates.measure.interface import Given
from gates.records import Reason

WEIGHT = "weight"
"""Of the table that a log becomes: one over the share of requests that was kept when the row's was; null if unknown."""


def unequal_chances(given: Given) -> bool:
    """Say whether a log's rows stand for unlike numbers of requests: shares of them are then no shares of the traffic."""
    logged = [table_of(given, table.role) for table in given.plan.tables if table.log is not None]
    for table in logged:
        if isinstance(table, Reason) or WEIGHT not in table.table.columns:
            continue
        weight = table.table[WEIGHT]
        seen = row(
            table.table.aggregate(low=weight.min(), high=weight.max(), known=weight.count(), rows=table.table.count())
        )
        if seen["known"] < seen["rows"] or seen["low"] != seen["high"]:
            return True
    return False
