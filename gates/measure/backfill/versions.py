"""Two versions of a table under one form, side by side in the engine. Called by `gate`.

Partitions are compared by exact sums over digests of their rows, whatever the order of rows and files; what is in a
partition is looked at only where those differ. Rows and partitions stay in the engine, which may spill to disk.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from gates.inputs.row_digest import Shared, row_digest, row_text, shared_columns, words, written
from gates.inputs.tables import keep
from gates.inputs.values import is_moment, moment
from gates.records import Backfill, Columns, Reason
from gates.records.base import instant

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir


@dataclass(frozen=True)
class Versions:
    """The rows of two versions in one table: `part`, `row` (a digest), `inside`, `key` (without one, the partition), `second`.

    Attributes
    ----------
    columns: those that are compared. partition: that of `part`.
    window, key: why there is no `inside`, no `key`; None where there is.
    """

    rows: ir.Table
    columns: tuple[Shared, ...]
    partition: Shared
    window: Reason | None
    key: Reason | None

    def lost(self, first: ir.Table, leave_out: Collection[str] = ()) -> list[str]:
        """Return the columns of the first table that the second lacks, or has in another kind."""
        kept = {column.name for column in self.columns if _alike(column)}
        return [name for name in first.columns if name not in kept and name not in leave_out]


def _alike(column: Shared) -> bool:
    """Whole and other numbers are one kind, and so are days and moments."""
    return len({"number" if kind == "integer" else kind for kind in column.kinds}) == 1


def versions(first: ir.Table, second: ir.Table, backfill: Backfill, columns: Columns) -> Versions | Reason:
    """Bring two tables under one form, or say why they have none.

    What one table alone has is not compared: a new column changes nothing that was there.
    """
    tables = (first, second)
    shared = shared_columns(tables, backfill.written)
    named = {column.name: column for column in shared}
    if backfill.partition not in named:
        return Reason.COLUMN_MISSING
    partition = named[backfill.partition]
    keyless = Reason.COLUMN_MISSING if columns.key else Reason.NOT_PROVIDED
    key = [named[name] for name in columns.key] if columns.key and set(columns.key) <= set(named) else []
    windows = [inside(table, backfill, columns) for table in tables]
    rows = [
        side(table, shared, partition, key, place, inside=_no_window() if isinstance(window, Reason) else window)
        for place, (table, window) in enumerate(zip(tables, windows, strict=True))
    ]
    return Versions(
        rows[0].union(rows[1]),
        shared,
        partition,
        next((window for window in windows if isinstance(window, Reason)), None),
        None if key else keyless,
    )


def _no_window() -> ir.BooleanValue:
    import ibis

    return ibis.literal(value=False)


def side(
    table: ir.Table,
    shared: Sequence[Shared],
    partition: Shared,
    key: Sequence[Shared],
    place: int,
    **beside: ir.Value,
) -> ir.Table:
    """Bring one of two versions under the form of both: `part`, `row`, `key`, `second` (its place), and what is asked beside."""
    import ibis

    part = written(table[partition.name], partition)
    return table.select(
        part=part,
        row=row_digest(table, shared),
        key=row_text(table, key) if key else part,
        second=ibis.literal(place).cast("int64"),
        **beside,
    )


def inside(table: ir.Table, backfill: Backfill, columns: Columns) -> ir.BooleanValue | Reason:
    """Say of each row whether its time is in the declared window; never null, and no time is not in it.

    The time is that of `columns.time`, or without it the partition's, whose days are of `backfill.zone`.
    """
    import ibis

    name = columns.time or backfill.partition
    if name not in table.columns:
        return Reason.COLUMN_MISSING
    value = table[name]
    if not is_moment(value):
        return Reason.NOT_PROVIDED
    start, end = (instant(us) for us in (backfill.from_us, backfill.to_us))
    if value.type().is_date() and columns.time is None:
        days = [ibis.literal(_first_day(each, backfill.zone)) for each in (start, end)]
        return ((value >= days[0]) & (value < days[1])).fill_null(False)
    moments = [moment(ibis.literal(each.isoformat())) for each in (start, end)]
    at = moment(value)
    return ((at >= moments[0]) & (at < moments[1])).fill_null(False)


def _first_day(moment: datetime, zone: str) -> date:
    """Return the first day that begins at this moment or after it."""
    from zoneinfo import ZoneInfo

    local = moment.astimezone(ZoneInfo(zone))
    return local.date() if local.time() == time() else local.date() + timedelta(days=1)


def partitions(both: Versions) -> ir.Table:
    """Return each partition with `apart`, how many rows it has more or less, `in_window` (rows) and `differs`. One scan."""
    rows = both.rows
    digest = words(rows.row)
    sign = 1 - 2 * rows.second
    signed = {f"w{i}": word * sign for i, word in enumerate(digest)}
    named = rows.select(rows.part, rows.second, window=rows.inside.cast("int64"), **signed)
    summed: dict[str, Any] = {f"w{i}": named[f"w{i}"].sum() for i in range(len(digest))}
    counted = named.group_by("part").aggregate(
        first=(1 - named.second).sum(), second=named.second.sum(), in_window=named.window.sum(), **summed
    )
    differs = reduce(or_, [counted[name] != 0 for name in summed], counted["first"] != counted["second"])
    apart = (counted["first"] - counted["second"]).abs()
    return keep(counted.select("part", "in_window", apart=apart, differs=differs))


def differing(both: Versions, found: ir.Table) -> ir.Table:
    """Return the rows of the partitions that differ."""
    parts = found.filter(found.differs).select("part")
    return both.rows.semi_join(parts, "part")


def edits(rows: ir.Table) -> ir.Table:
    """Return, by partition, the rows `outside` the window to be changed, added or taken out of the first version.

    Of each key, or of each partition where there is none: the larger of how many rows are only in the one version and how
    many are only in the other, so that a changed row is one. A key stands in the least of its partitions.
    """
    import ibis

    beyond = rows.filter(~rows.inside)
    each = beyond.group_by(["key", "row"]).aggregate(part=beyond.part.min(), surplus=(1 - 2 * beyond.second).sum())
    of_key = each.group_by("key").aggregate(
        part=each.part.min(),
        gone=ibis.greatest(each.surplus, 0).sum(),
        come=ibis.greatest(-each.surplus, 0).sum(),
    )
    moved = of_key.select("part", n=ibis.greatest(of_key.gone, of_key.come))
    moved = moved.filter(moved.n > 0)
    return keep(moved.group_by("part").aggregate(outside=moved.n.sum()))


def keys(rows: ir.Table) -> ir.Table:
    """Return, by partition, the keys that only one version has, and the rows of the second that count twice.

    `repeated` are rows beyond as many as the first version has of their key, or beyond one where it has none. A key
    stands in the least of its partitions.
    """
    import ibis

    each = rows.group_by("key").aggregate(part=rows.part.min(), first=(1 - rows.second).sum(), second=rows.second.sum())
    off = each.filter(each["first"] != each["second"])
    found = off.group_by("part").aggregate(
        missing=(off["second"] == 0).cast("int64").sum(),
        added=(off["first"] == 0).cast("int64").sum(),
        repeated=ibis.greatest(off["second"] - ibis.greatest(off["first"], 1), 0).sum(),
    )
    return keep(found)
