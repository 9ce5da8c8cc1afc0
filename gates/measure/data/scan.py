"""One flat aggregate over each table: what the data gate needs to know of every column. Called by `gate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gates.inputs.opened import OpenTable
from gates.inputs.profile import kind_of
from gates.inputs.tables import row, scalar
from gates.inputs.values import absent, finite, infinite, moment
from gates.records import Columns, Reason
from gates.records.base import micros

if TYPE_CHECKING:
    import ibis.expr.types as ir

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)  # databases write `infinity` for "never"; that is no event
RANGED = ("number", "time")


@dataclass(frozen=True)
class Holdout:
    """Counts over the holdout.

    Attributes
    ----------
    missing: nulls and NaN of each feature that it has.
    outside: rows outside the training range, of each feature that both tables have in one kind.
    label_nulls, newest_us: absent where there is no such column, or no time in it.
    """

    rows: int
    missing: Mapping[str, int]
    outside: Mapping[str, int]
    label_nulls: int | None
    newest_us: int | None


@dataclass(frozen=True)
class Training:
    """Counts over the training table: rows, and the nulls and NaN of each feature that it has."""

    rows: int
    missing: Mapping[str, int]


@dataclass(frozen=True)
class Scan:
    holdout: Holdout
    training: Training | None


def kind(table: ir.Table, name: str) -> str:
    """Kind of a column for comparing tables: whole and other numbers are one kind."""
    found = kind_of(table[name].type())
    return "number" if found == "integer" else found


def schema(features: Sequence[str], holdout: OpenTable, training: OpenTable) -> list[str]:
    """Return the features that the holdout lacks, or has in another kind than training (which may lack them too)."""
    return [
        name
        for name in features
        if name not in holdout.table.columns
        or name not in training.table.columns
        or kind(holdout.table, name) != kind(training.table, name)
    ]


def scan(columns: Columns, holdout: OpenTable, training: OpenTable | Reason) -> Scan:
    """Scan both tables; training's ranges are joined to the holdout in the engine, so that no value is rounded."""
    table = holdout.table
    features = [name for name in columns.features if name in table.columns]
    wanted: dict[str, Any] = {f"missing_{name}": absent(table[name]).sum() for name in features}
    wanted["rows"] = table.count()
    if columns.label in table.columns:
        wanted["label"] = absent(table[columns.label]).sum()
    if columns.time in table.columns and table[columns.time].type().is_temporal():
        wanted["newest"] = newest(table[columns.time])
    seen = row(table.aggregate(**wanted))
    trained, outside = (None, {}) if isinstance(training, Reason) else _against(features, table, training.table)
    return Scan(
        holdout=Holdout(
            rows=int(seen["rows"]),
            missing={name: int(seen[f"missing_{name}"] or 0) for name in features},
            outside=outside,
            label_nulls=int(seen["label"] or 0) if "label" in seen else None,
            newest_us=micros_of(seen.get("newest")),
        ),
        training=trained,
    )


def repeated_rows(table: ir.Table, key: Sequence[str]) -> int:
    """Count rows beyond the first of each key; null is a value of a key."""
    groups = _keys(table, key)
    counted = groups.group_by(list(groups.columns)).aggregate(times=groups.count())
    return int(scalar((counted.times - 1).sum()) or 0)


def shared_rows(holdout: ir.Table, other: ir.Table, key: Sequence[str]) -> int | None:
    """Count rows of the holdout whose key stands in the other table; None where its columns are of another kind.

    Null is a value of a key, as in `repeated_rows`.
    """
    if any(kind(holdout, name) != kind(other, name) for name in key):
        return None
    ours, theirs = _keys(holdout, key), _keys(other, key).distinct()
    same = [ours[name].identical_to(theirs[name]) for name in ours.columns]
    return int(scalar(ours.semi_join(theirs, same).count()))


def _keys(table: ir.Table, key: Sequence[str]) -> ir.Table:
    """The key's columns under names of our own, which none of a user's can be taken for."""
    return table.select(**{f"k{index}": table[name] for index, name in enumerate(key)})


def _against(features: Sequence[str], holdout: ir.Table, training: ir.Table) -> tuple[Training, dict[str, int]]:
    shared = [name for name in features if name in training.columns]
    wanted: dict[str, Any] = {f"missing_{index}": absent(training[name]).sum() for index, name in enumerate(shared)}
    wanted["rows"] = training.count()
    same = [index for index, name in enumerate(shared) if kind(holdout, name) == kind(training, name)]
    for index in same:
        wanted |= _range(training[shared[index]], index, kind(training, shared[index]))
    ranges = training.aggregate(**wanted)
    seen = row(ranges)
    trained = Training(
        rows=int(seen["rows"]), missing={name: int(seen[f"missing_{index}"] or 0) for index, name in enumerate(shared)}
    )
    if not same:
        return trained, {}
    plain = holdout.select(**{f"v{index}": holdout[name] for index, name in enumerate(shared)})
    beside = plain.cross_join(ranges)
    outside = {f"o{index}": _outside(beside, index, training[shared[index]]).sum() for index in same}
    counts = row(beside.aggregate(**outside))
    return trained, {shared[index]: int(counts[f"o{index}"] or 0) for index in same}


def _range(value: ir.Value, index: int, of: str) -> dict[str, Any]:
    if of not in RANGED:
        return {}
    wild = {f"infinite_{index}": infinite(value).sum()} if value.type().is_floating() else {}
    return {
        f"low_{index}": value.min(where=finite(value)),
        f"high_{index}": value.max(where=finite(value)),
        **wild,
    }


def _outside(beside: ir.Table, index: int, training: ir.Value) -> ir.BooleanValue:
    value = beside[f"v{index}"]
    new_gap = absent(value) & (beside[f"missing_{index}"] == 0)
    if f"low_{index}" not in beside.columns:
        seen = training.as_table().filter(training.notnull())[training.get_name()]
        return new_gap | (value.notnull() & ~value.isin(seen))
    within = value.between(beside[f"low_{index}"], beside[f"high_{index}"]).fill_null(False)
    if value.type().is_floating() and f"infinite_{index}" in beside.columns:
        within |= infinite(value) & (beside[f"infinite_{index}"] > 0)
    return new_gap | (~absent(value) & ~within)


def newest(value: ir.Value) -> ir.Value:
    """Return the newest moment of a column that is one of an event."""
    at = moment(value)
    return at.max(where=at < END_OF_TIME)


def micros_of(time: datetime | None) -> int | None:
    """Return a time in microseconds since 1970; one without a zone is taken as UTC."""
    return None if time is None else micros(time if time.tzinfo else time.replace(tzinfo=UTC))
