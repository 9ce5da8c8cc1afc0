"""The keys of two tables: of one kind, once in each, and how many both have. Called before anything is joined by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.profile import kind_of
from gates.inputs.tables import row
from gates.inputs.values import is_moment

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir


def repeated(table: ir.Table, key: Sequence[str]) -> ir.Table:
    """Return the keys without nulls that occur more than once, and how many `times`."""
    named = table.select(**{f"k{index}": table[name] for index, name in enumerate(key)})
    whole = named.filter([named[name].notnull() for name in named.columns])
    counted = whole.group_by(list(whole.columns)).aggregate(times=whole.count())
    return counted.filter(counted.times > 1)


@dataclass(frozen=True)
class Matched:
    """What the keys of two tables show; a key with a null is none.

    Attributes
    ----------
    repeat: a table has one twice. paired: keys that both tables have.
    """

    repeat: bool
    paired: int


_ONLINE = 2.0**40
"""What an online row adds to a sum in which an offline one is 1: more rows than any table has."""

_BLOCK = 4
"""Binary digits of a whole number that say which bit of its block it is."""

_SPARSE = 16
"""Whole numbers of which a range holds fewer than one in so many are grouped one by one."""


def match(offline: ir.Table, online: ir.Table, key: Sequence[str]) -> Matched:
    """Count the keys of both tables in one grouping."""
    import ibis

    types = [_common(offline[name], online[name]) for name in key]
    named: list[ir.Table] = []
    for table, weight in ((offline, 1.0), (online, _ONLINE)):
        keys = {f"k{index}": table[name].cast(kind) for index, (name, kind) in enumerate(zip(key, types, strict=True))}
        whole = table.select(**keys, rows=ibis.literal(weight, "float64"))
        named.append(whole.filter([whole[name].notnull() for name in keys]))
    both = named[0].union(named[1])
    seen = _seen_in_blocks(both) if len(key) == 1 and _has_blocks(both.k0) else None
    if seen is None:
        # Both counts in one sum of doubles, which is exact, and takes a quarter less than two counts.
        counted = both.group_by([f"k{index}" for index in range(len(key))]).aggregate(rows=both.rows.sum())
        seen = counted.aggregate(
            repeat=counted.rows.notin([1.0, _ONLINE, _ONLINE + 1.0]).any(), paired=(counted.rows == _ONLINE + 1.0).sum()
        )
    found = row(seen)
    return Matched(bool(found["repeat"]), int(found["paired"] or 0))


def _has_blocks(key: ir.Value) -> bool:
    # Ibis has no word of Spark's for an "or" of a group's bits.
    return key.get_backend().name == "duckdb" and key.type().is_integer() and not key.type().is_uint64()


def _seen_in_blocks(both: ir.Table) -> ir.Table | None:
    """Count keys that are whole numbers close to each other: a bit for each, so that there are fewer groups than keys.

    A key repeats where a block has more rows than bits. None where the keys are far apart.
    """
    import ibis

    @ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
    def bit_count(bits: int) -> int: ...  # type: ignore[empty-body]

    ends = row(both.aggregate(low=both.k0.min(), high=both.k0.max(), rows=both.count()))
    if not ends["rows"] or ends["high"] - ends["low"] >= min(_SPARSE * ends["rows"], 2**62):
        return None
    place = both.k0.cast("int64") - ends["low"]
    # The online table's bits stand above those of the offline one.
    bit = ibis.literal(1, "int64") << ((place & (2**_BLOCK - 1)) + (both.rows == _ONLINE).ifelse(2**_BLOCK, 0))
    placed = both.select(block=place >> _BLOCK, bit=bit)
    blocks = placed.group_by("block").aggregate(rows=placed.count(), bits=placed.bit.bit_or())
    paired = bit_count(blocks.bits & (blocks.bits >> 2**_BLOCK))
    return blocks.aggregate(repeat=(blocks.rows != bit_count(blocks.bits)).any(), paired=paired.sum())


def _common(left: ir.Value, right: ir.Value) -> dt.DataType | str:
    """Return the type as which the values of two columns are compared."""
    import ibis.expr.datatypes as dt

    types = [value.type().copy(nullable=True) for value in (left, right)]
    if types[0] == types[1]:
        return types[0]
    if is_moment(left) and is_moment(right):
        return "timestamp('UTC')"
    return dt.highest_precedence(types)


def keys_compare(offline: ir.Table, online: ir.Table, key: Sequence[str]) -> bool:
    """Say whether each key column has one kind in both tables."""
    return all(_family(offline[name]) == _family(online[name]) for name in key)


def _family(value: ir.Value) -> str:
    kind = kind_of(value.type())
    return "number" if kind == "integer" else kind
