"""What the gate asks: the causes of features that differ, and of the pair of tables. From the plan's tables to `find`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gates.measure.census import table_of
from gates.measure.interface import Given
from gates.measure.parity.apart import Apart
from gates.measure.parity.causes.find import Explanation, Sources, find_causes
from gates.measure.parity.causes.hypotheses import Cause
from gates.measure.parity.causes.keys import UNPAIRED, key_causes
from gates.measure.parity.compare import Feature
from gates.records import Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["Explanation", "explain", "explain_keys", "explain_pair"]


def explain(
    given: Given,
    pairs: ir.Table,
    found: Apart | None,
    key: Sequence[str],
    features: Sequence[Feature],
    mismatches: Mapping[str, int],
) -> dict[str, Explanation]:
    """Explain the features that differ, with the histories that the plan's tables hold; see `find_causes`."""
    columns, tables = given.plan.columns, given.tables
    events = table_of(given, "events")
    sources = Sources(
        offline=tables["offline"].table,
        online=tables["online"].table,
        events=None if isinstance(events, Reason) else events.table,
        key=tuple(key),
        time=columns.time,
        ingested=columns.ingested,
    )
    return find_causes(pairs, found, features, mismatches, given.plan.parameters.parity_tolerance, sources)


def explain_keys(given: Given, key: Sequence[str]) -> list[Cause]:
    """Name what is wrong with the keys of the tables `offline` and `online`."""
    return key_causes(given.tables["offline"].table, given.tables["online"].table, key)


def explain_pair(
    given: Given, key: Sequence[str], paired: int, online_only: int, explanations: Mapping[str, Explanation]
) -> list[Cause]:
    """Name causes that are of the pair of tables and of no one feature: keys that do not pair, rows in another order.

    Parameters
    ----------
    key: columns that were paired by. paired, online_only: pairs, and online rows without a partner.
    """
    found = explain_keys(given, key) if online_only > UNPAIRED * (paired + online_only) else []
    moved = [one.cause for one in explanations.values() if one.cause.code == "sort_order"]
    if len(moved) > 1 and len(moved) == len(explanations):  # all features that differ stand at other rows
        worst = max(moved, key=lambda cause: cause.rows)
        found.append(worst)
    return found
