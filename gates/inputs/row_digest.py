"""A digest of each row, from columns that several tables have: equal where the values are, however they are stored.

A number is the same in an int32, an int64, a float32, a float64 or a decimal column if it is the same number; an instant
is the same in every zone, and without one it is UTC; 0 and -0 are one, and so are all NaN. Null equals null alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gates.inputs.profile import kind_of

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

NULL = "-"
"""How a null is written; no other value is written so."""

NO_NAME = "(null)"
"""How a null is shown."""

Form = Literal["day", "moment", "whole", "decimal", "number", "text"]

_NUMBERS = frozenset({"bool", "integer", "number"})
_DIGITS = 38
_WORD = 8
_WHOLE = 2.0**63


@dataclass(frozen=True)
class Shared:
    """A column that several tables have, and how its values are written in all of them.

    Attributes
    ----------
    scale: digits after the point, of decimals. kinds: what it holds in each table, in their order.
    """

    name: str
    form: Form
    kinds: tuple[str, ...]
    scale: int = 0


def shared_columns(tables: Sequence[ir.Table], leave_out: Collection[str] = ()) -> tuple[Shared, ...]:
    """Return the columns that all tables have, by name."""
    first, *others = tables
    names = sorted(n for n in first.columns if n not in leave_out and all(n in other.columns for other in others))
    return tuple(_shared(name, [table[name].type() for table in tables]) for name in names)


def _shared(name: str, types: list[dt.DataType]) -> Shared:
    kinds = tuple(kind_of(each) for each in types)
    if all(each.is_date() for each in types):
        return Shared(name, "day", kinds)
    if all(each.is_date() or each.is_timestamp() for each in types):
        return Shared(name, "moment", kinds)
    if not set(kinds) <= _NUMBERS or set(kinds) == {"bool"}:
        return Shared(name, "text", kinds)
    if "number" not in kinds:
        return Shared(name, "whole", kinds)
    scale = _common_scale(types)
    return Shared(name, "number", kinds) if scale is None else Shared(name, "decimal", kinds, scale)


def _common_scale(types: list[Any]) -> int | None:
    """Digits after the point of a decimal that holds the values of all types; None where there is none."""
    if any(each.is_floating() for each in types):
        return None
    decimals = [(each.precision or _DIGITS, each.scale or 0) for each in types if each.is_decimal()]
    scale = max(places for _, places in decimals)
    before = max([digits - places for digits, places in decimals] + [20 for each in types if each.is_integer()])
    return scale if before + scale <= _DIGITS else None


def written(value: ir.Value, column: Shared) -> ir.StringValue:
    """Return a value as text; never null, and no two values that differ have one text."""
    return value.isnull().ifelse(NULL, _text(value, column).fill_null(NULL))


def _text(value: Any, column: Shared) -> ir.StringValue:
    import ibis.expr.datatypes as dt

    if column.form == "day":
        return value.cast("string")
    if column.form == "moment":
        return value.cast("timestamp('UTC')").cast("string").replace("+00", "")
    if column.form == "whole":
        return (value.cast("int64") if value.type().is_boolean() else value).cast("string")
    if column.form == "decimal":
        whole = value.cast("int64") if value.type().is_boolean() else value
        return whole.cast(dt.Decimal(_DIGITS, column.scale)).cast("string")
    if column.form == "number":
        return _number(value)
    text = value.cast("string")
    return text.length().cast("string") + ":" + text


def _number(value: Any) -> ir.StringValue:
    """A whole number as one, so that one of 64 bits and one beside it differ though a double is the same for both."""
    if not value.type().is_floating():
        whole = value.cast("int64") if value.type().is_boolean() else value
        return whole.cast("string") if whole.type().is_integer() else _number(value.cast("float64"))
    double = value.cast("float64")
    fits = (double.abs() < _WHOLE) & (double == double.floor())
    return fits.ifelse(fits.ifelse(double, 0.0).cast("int64").cast("string"), double.cast("string"))


def row_digest(table: ir.Table, columns: Sequence[Shared]) -> ir.StringValue:
    """Return the MD5 of a row's columns, 32 hexadecimal digits. No defence against rows made to collide."""
    return row_text(table, columns).hexdigest("md5")


def row_text(table: ir.Table, columns: Sequence[Shared]) -> ir.StringValue:
    """Return a row's columns as one text, in their order; rows that differ have different ones."""
    import ibis

    return ibis.literal("|").join([written(table[column.name], column) for column in columns])


def words(digest: ir.StringValue) -> list[ir.IntegerValue]:
    """Return the four words of a digest of 32 hexadecimal digits, each in [0, 2^32): their sums over rows are exact."""
    return [_word(digest.substr(start, _WORD)) for start in range(0, 4 * _WORD, _WORD)]


def _word(hexadecimal: Any) -> ir.IntegerValue:
    import ibis

    if hexadecimal.get_backend().name == "duckdb":
        return (ibis.literal("0x") + hexadecimal).cast("int64")
    conv = ibis.udf.scalar.builtin(_conv, name="conv", signature=(("string", "int64", "int64"), "string"))
    return conv(hexadecimal, 16, 10).cast("int64")


def _conv(text: str, old: int, new: int) -> str:  # type: ignore[empty-body]
    """Spark's function of this name; it runs there."""


def shown(text: str, column: Shared) -> str:
    """Return a written value as a person would write it."""
    if text == NULL:
        return NO_NAME
    return text.partition(":")[2] if column.form == "text" else text
