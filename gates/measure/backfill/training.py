"""Which version of a rewritten table the rows of the training table are of. Called by `gate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.row_digest import Shared, row_digest, row_text, shared_columns
from gates.inputs.tables import keep, row
from gates.measure.backfill.tally import Tally, tallies
from gates.measure.backfill.versions import Versions, side
from gates.records import Backfill, Columns, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

KINDS = ("old", "new", "other")
_BOTH = 3


@dataclass(frozen=True)
class Mixture:
    """Rows of the training table whose key is one of a row that the rewrite changed, by version.

    Attributes
    ----------
    old, new: as the live table has them, as the rewrite has them. other: as neither.
    mixed: those of another version than most, by the partition of their key.
    """

    old: int
    new: int
    other: int
    mixed: Tally


def mixture(
    tables: tuple[ir.Table, ir.Table, ir.Table],
    both: Versions,
    parts: ir.Table,
    backfill: Backfill,
    columns: Columns,
    *,
    differ: bool,
) -> Mixture | Reason:
    """Find the training table's rows in both versions, by the columns that all three tables have.

    A column that the training table does not have is no difference. Where rows of changed keys are there, and all as
    neither version has them, nothing can be said: `rows_unpaired`.

    Parameters
    ----------
    tables: live, shadow and training. parts: by `part`, whether it `differs`. differ: any of them does.
    """
    if not columns.key:
        return Reason.NOT_PROVIDED
    shared = shared_columns(tables, backfill.written)
    named = {column.name: column for column in shared}
    if not set(columns.key) <= set(named):
        return Reason.COLUMN_MISSING
    if not differ:
        return Mixture(0, 0, 0, Tally())
    key = [named[name] for name in columns.key]
    changed = _changed(tables[:2], parts.filter(parts.differs).select("part"), both.partition, shared, key)
    training = tables[2].select(key=row_text(tables[2], key), row=row_digest(tables[2], shared))
    by_key = changed.filter(changed.kind != _BOTH).group_by("key").aggregate(part=changed.part.min())
    met = training.inner_join(by_key, "key").select("part", "key", "row")
    told = met.left_join(changed.select("key", "row", "kind"), ["key", "row"])
    kinds = told.select("part", kind=told.kind.fill_null(KINDS.index("other")))
    counted = keep(
        kinds.group_by("part").aggregate(
            **{name: (kinds.kind == index).cast("int64").sum() for index, name in enumerate(KINDS)}
        )
    )
    return _mixture(counted, both.partition)


def _changed(
    tables: Sequence[ir.Table], parts: ir.Table, partition: Shared, shared: Sequence[Shared], key: Sequence[Shared]
) -> ir.Table:
    """Return each row of the partitions that differ, once: `key`, `row`, a `part` and `kind`, old, new or in both."""
    sides = [side(table, shared, partition, key, place) for place, table in enumerate(tables)]
    rows = sides[0].union(sides[1]).semi_join(parts, "part")
    each = rows.group_by(["key", "row"]).aggregate(
        part=rows.part.min(), least=rows.second.min(), most=rows.second.max()
    )
    return keep(each.select("key", "row", "part", kind=(each.least == each.most).ifelse(each.least, _BOTH)))


def _mixture(counted: ir.Table, partition: Shared) -> Mixture | Reason:
    sums = {name: int(n or 0) for name, n in row(counted.aggregate(**{k: counted[k].sum() for k in KINDS})).items()}
    if sums["other"] and not sums["old"] + sums["new"]:
        return Reason.ROWS_UNPAIRED
    rest = [name for name in KINDS if name != max(KINDS, key=sums.__getitem__)]
    minority = counted.select("part", mixed=counted[rest[0]] + counted[rest[1]])
    return Mixture(**sums, mixed=tallies(minority, ["mixed"], partition)["mixed"])
