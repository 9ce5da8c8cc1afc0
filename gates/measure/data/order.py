"""Time and the tables that a model has learned from: the holdout must begin after they end. Called by `gate`."""

from __future__ import annotations

from collections.abc import Iterator

from gates.inputs.opened import OpenTable
from gates.inputs.tables import row
from gates.inputs.values import has_moment, moment
from gates.measure.census import census, table_of, unmeasured, with_rows
from gates.measure.data.overlap import learned_of
from gates.measure.interface import Given, Learned
from gates.records import Item, Measurement, Reason

CHECK = "data.time_order"
UNIT = "rows"
METHOD = "rows of the table at or after the first event of the holdout; a row without a time, of either table, counts"


def time_order(given: Given) -> Iterator[Measurement]:
    """Return for each table that the candidate learned from how many rows are not shown to come before the holdout."""
    learned = learned_of(given, "candidate")
    if "training" not in {one.context for one in learned}:
        learned = (Learned("training", Reason.TABLE_MISSING, by_run=False), *learned)
    for one in learned:
        item = Item(kind="table", name=one.context)
        both = with_rows(table_of(given, "holdout"), one.table)
        found = both if isinstance(both, Reason) else _late_rows(given.plan.columns.time, *both)
        if isinstance(found, Reason):
            yield unmeasured(CHECK, found, unit=UNIT, method=METHOD, item=item, family=len(learned))
            continue
        late, rows = found
        yield census(CHECK, late, n=rows, unit=UNIT, method=METHOD, item=item, family=len(learned))


def _late_rows(time: str | None, holdout: OpenTable, other: OpenTable) -> tuple[int, int] | Reason:
    """Rows that are late, and rows of the table."""
    if time is None:
        return Reason.NOT_PROVIDED
    if not (has_moment(holdout.table, time) and has_moment(other.table, time)):
        return Reason.COLUMN_MISSING
    begins = moment(holdout.table[time])
    start = holdout.table.aggregate(start=begins.min(), timeless=begins.isnull().sum())
    beside = other.table.select(at=moment(other.table[time])).cross_join(start)
    late = (beside.at >= beside.start).fill_null(True)
    found = row(beside.aggregate(late=late.sum(), timeless=beside.timeless.max()))
    return int(found["late"]) + int(found["timeless"]), other.identity.rows
