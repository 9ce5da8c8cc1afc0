"""What the scorer may see of a holdout: its features under numbers that tell nothing, never the label.

Place in the flow: `write_features` before the scorer process, `numbered` again when its answers come back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.engines import reading
from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables, column, scalar
from gates.measure.scored_pairs import by_position, free_name
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir

ROW_ID = "row_id"


def write_features(tables: Tables, holdout: OpenTable, plan: Plan, path: Path) -> int:
    """Write what the scorer may see: `row_id` and the plan's features, never the label. Returns the number of rows.

    Rows are shuffled by a hash of the table's digest and their position: a holdout that is sorted by its label would
    tell the answers by its order.

    Raises
    ------
    UsageError: no features, one that the holdout lacks, the label or `row_id` among them.
    """
    features, where = plan.columns.features, holdout.identity.uri
    if not features:
        raise UsageError("no features are named, nor in the model's signature", code="features.none", where=where)
    for name, what in ((plan.columns.label, "the label"), (ROW_ID, "the row's number")):
        if name in features:
            raise UsageError(f'"{name}" is {what}, and no feature', code="features.leak", where=where)
    for name in features:
        column(holdout.table, name, where=where)
    with reading(where):
        table, number = numbered(tables, plan, holdout)
        kept = tables.keep(table.select(table[number].name(ROW_ID), *features).order_by(ROW_ID))
        kept.to_parquet(path)
        return int(scalar(kept.count()))


def numbered(tables: Tables, plan: Plan, holdout: OpenTable) -> tuple[ir.Table, str]:
    """Number the rows in an order that tells nothing and is the same each time: by hash of digest and position.

    Where the engine gives rows no position their features stand for it; rows alike in all of them are answered alike.
    Returns the table and the name of its new column.
    """
    import ibis

    table = holdout.table
    if tables.ordered:
        placed, name = by_position(table)
        own = placed[name].cast("string")
    else:
        placed, name = table, free_name(table)
        words = [table[feature].cast("string").fill_null("") for feature in plan.columns.features]
        own = ibis.literal("\x1f").join(words)
    mixed = (ibis.literal(holdout.identity.digest) + own).hexdigest("md5")
    return placed.mutate(**{name: ibis.row_number().over(order_by=mixed)}), name
