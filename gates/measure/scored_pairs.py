"""Rows of several tables brought together by a key: each has exactly one partner, or there is a Reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.tables import Tables, column, scalar
from gates.records import Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

Read = Callable[["ir.Value", str, str], "ir.Value"]
"""Bring a column to its type, given its name and what errors call its table."""

KINDS: tuple[Callable[[Any], bool], ...] = (
    lambda kind: kind.is_numeric(),
    lambda kind: kind.is_boolean(),
    lambda kind: kind.is_string(),
    lambda kind: kind.is_temporal(),
)
"""Two columns can be a key of each other only within one of these."""


@dataclass(frozen=True)
class Side:
    """An expression, and what errors call it. After `select` its columns have our own names, keys being k0, k1, ...

    The first side has every key; another one those by which its rows are found.

    Attributes
    ----------
    plain: columns of texts that go as they are.
    """

    table: ir.Table
    where: str
    plain: tuple[str, ...] = ()

    def select(self, keys: tuple[str, ...], columns: Mapping[str, tuple[str, Read]], *, first: int = 0) -> Side:
        """Choose keys, from number `first` on, and columns {ours: (theirs, how it is read)}.

        Raises
        ------
        UsageError: an unknown column, or what its reader says.
        """
        chosen = {f"k{index}": column(self.table, name, where=self.where) for index, name in enumerate(keys, first)}
        plain = []
        for ours, (theirs, read) in columns.items():
            found = column(self.table, theirs, where=self.where)
            chosen[ours] = read(found, theirs, self.where)
            if chosen[ours] is found and found.type().is_string():
                plain.append(ours)
        return Side(self.table.select(**chosen), self.where, tuple(plain))


def by_position(table: ir.Table) -> tuple[ir.Table, str]:
    """Return the table with its rows' positions, from 0, as a further column, and that column's name."""
    import ibis

    name = free_name(table)
    return table.mutate(**{name: ibis.row_number()}), name


def free_name(table: ir.Table) -> str:
    """Return a name for a position that no column of the table has."""
    name = "position"
    while name.casefold() in {each.casefold() for each in table.columns}:
        name += "_"
    return name


def pair(tables: Tables, sides: list[Side]) -> ir.Table | Reason:
    """Join each side to the first, one to one, by the keys that it has; the keys are dropped.

    Raises
    ------
    UsageError: a key of different kinds here and there.
    """
    first, *others = sides
    for other in others:
        keys = _keys(other)
        if _repeated(first.table, keys) or _repeated(other.table, keys):
            return Reason.KEYS_NOT_UNIQUE
    joined = first.table
    for other in others:
        keys = _keys(other)
        _same_kinds(first, other, keys)
        partner = other.table.rename({f"{name}_again": name for name in keys})
        both = joined.inner_join(partner, [joined[name] == partner[f"{name}_again"] for name in keys])
        kept = tables.keep(both.drop(*(f"{name}_again" for name in keys)))
        if not scalar(kept.count()) == scalar(joined.count()) == scalar(partner.count()):
            return Reason.ROWS_UNPAIRED
        joined = kept
    return joined.drop(*_keys(first))


def _keys(side: Side) -> list[str]:
    return [name for name in side.table.columns if re.fullmatch(r"k\d+", name)]


def _repeated(table: ir.Table, keys: list[str]) -> bool:
    counted = table.group_by(keys).aggregate(times=table.count())
    return bool(scalar(counted.filter(counted.times > 1).count()) > 0)


def _same_kinds(left: Side, right: Side, keys: list[str]) -> None:
    for name in keys:
        kinds = left.table[name].type(), right.table[name].type()
        same = any(all(test(kind) for kind in kinds) for test in KINDS)
        if not same:
            raise UsageError(
                f"a key is of type {kinds[1]} here and {kinds[0]} in {left.where}", code="key.kind", where=right.where
            )
