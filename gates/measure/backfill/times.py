"""Rows of a rewrite that arrived too late, or hold what was known too late or was too old. Called by `gate`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from gates.inputs.row_digest import Shared, written
from gates.inputs.tables import keep
from gates.inputs.values import has_moment, moment
from gates.records import Backfill, Columns, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir


def broken_times(table: ir.Table, partition: Shared, backfill: Backfill, columns: Columns) -> ir.Table | Reason:
    """Return, by partition, the rows that break what was declared: `late`, `later` and `expired`, where each was.

    A time that is null is late and known later, since nobody can say that it was not; nothing that is null is too old.
    """
    ingested = columns.ingested if backfill.lateness_s is not None else None
    wanted = [name for name in (columns.time, ingested, *backfill.known) if name is not None]
    if columns.time is None or (backfill.lateness_s is not None and ingested is None):
        return Reason.NOT_PROVIDED
    if any(not has_moment(table, name) for name in wanted):
        return Reason.COLUMN_MISSING
    at = moment(table[columns.time])
    broken: dict[str, ir.BooleanValue] = {}
    if ingested is not None and backfill.lateness_s is not None:
        broken["late"] = (moment(table[ingested]) > _after(at, backfill.lateness_s)).fill_null(True)
    known = [moment(table[name]) for name in backfill.known]
    if known:
        broken["later"] = reduce(or_, [(time > at).fill_null(True) for time in known])
    if known and backfill.ttl_s is not None:
        old = [(_after(time, backfill.ttl_s) < at).fill_null(False) for time in known]
        broken["expired"] = reduce(or_, old)
    counted = table.select(
        part=written(table[partition.name], partition), **{name: flag.cast("int64") for name, flag in broken.items()}
    )
    return keep(counted.group_by("part").aggregate(**{name: counted[name].sum() for name in broken}))


def _after(time: ir.TimestampValue, seconds: int) -> ir.TimestampValue:
    import ibis

    return time + ibis.interval(seconds=seconds) if seconds else time
