"""Labels and time: rows too young for their label to have come for good, and labels that came too late. Called by `gate`.

Which rows are mature is told by the age of the event alone, never by the arrival of the label: choosing rows whose label
is there already keeps the quick ones, and events are often the slow ones (statistics.md, section 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gates.inputs.tables import row
from gates.inputs.values import has_moment, moment
from gates.measure.census import census, table_of, unmeasured
from gates.measure.interface import Given
from gates.records import Item, Measurement, Param, Reason
from gates.records.base import instant

if TYPE_CHECKING:
    import ibis.expr.types as ir

IMMATURE, DELAY = "data.immature_rows", "data.label_delay"
UNIT = "ratio"
METHODS = {
    IMMATURE: "share of rows whose event is younger than the maturation window at the table's as-of time, or has no time",
    DELAY: "share of mature rows whose label came later than the maturation window after the event, never, or before it",
}
HOLDOUT = Item(kind="table", name="holdout")


def immature_rows(given: Given) -> Iterator[Measurement]:
    """Return the share of rows of the holdout that are younger than the plan's `maturation_seconds`."""
    seen = _counted(given)
    if isinstance(seen, Reason):
        yield _unmeasured(given, IMMATURE, seen)
        return
    yield _census(given, IMMATURE, 1 - seen["mature"] / seen["rows"], seen["rows"])


def label_delay(given: Given) -> Iterator[Measurement]:
    """Return the share of mature rows whose label did not come within the window."""
    seen = _counted(given) if given.plan.columns.labelled is not None else Reason.NOT_PROVIDED
    if isinstance(seen, Reason):
        yield _unmeasured(given, DELAY, seen)
    elif seen["late"] is None:
        yield _unmeasured(given, DELAY, Reason.COLUMN_MISSING)
    elif not seen["mature"]:
        yield _unmeasured(given, DELAY, Reason.EMPTY_TABLE)
    else:
        yield _census(given, DELAY, seen["late"] / seen["mature"], seen["mature"])


def _counted(given: Given) -> dict[str, Any] | Reason:
    """Rows, those that are mature, and of these the ones whose label was late (None without such a column)."""
    holdout, columns = table_of(given, "holdout"), given.plan.columns
    window = given.plan.parameters.maturation_seconds
    if isinstance(holdout, Reason):
        return holdout
    if window is None or columns.time is None or holdout.identity.as_of_us is None:
        return Reason.NOT_PROVIDED
    if holdout.identity.rows == 0:
        return Reason.EMPTY_TABLE
    if not has_moment(holdout.table, columns.time):
        return Reason.COLUMN_MISSING
    as_of = instant(holdout.identity.as_of_us)
    event = moment(holdout.table[columns.time])
    mature = (event <= as_of - timedelta(seconds=window)).fill_null(False)
    wanted = {"rows": holdout.table.count(), "mature": mature.sum()}
    if columns.labelled is not None and has_moment(holdout.table, columns.labelled):
        wanted["late"] = (mature & ~_in_time(given, holdout.table, event, window)).sum()
    return {"late": None, **row(holdout.table.aggregate(**wanted))}


def _in_time(given: Given, table: ir.Table, event: ir.TimestampValue, window: int) -> ir.BooleanValue:
    import ibis

    came = moment(table[str(given.plan.columns.labelled)])
    within = (came >= event) & (came <= event + ibis.interval(seconds=window))
    label = given.plan.columns.label
    there = table[label].notnull() if label in table.columns else ibis.literal(True)
    return (within & there).fill_null(False)


def _params(given: Given) -> tuple[Param, ...]:
    window = given.plan.parameters.maturation_seconds
    return () if window is None else (Param(name="maturation_seconds", value=window),)


def _census(given: Given, check: str, value: float, rows: int) -> Measurement:
    return census(check, value, n=int(rows), unit=UNIT, method=METHODS[check], item=HOLDOUT, params=_params(given))


def _unmeasured(given: Given, check: str, reason: Reason) -> Measurement:
    return unmeasured(check, reason, unit=UNIT, method=METHODS[check], item=HOLDOUT, params=_params(given))
