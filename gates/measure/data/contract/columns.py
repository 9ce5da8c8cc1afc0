"""The columns of a table as a contract's rules see them: by the contract's names, and of the types that it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Declared:
    """A column as a contract declares it.

    Attributes
    ----------
    name: in the contract. column: in the table (`physicalName`). logical: its logicalType, None where none is said.
    as_text: its physicalType is a text, which holds the values of the logical one in writing.
    """

    name: str
    column: str
    logical: str | None
    as_text: bool = False


@dataclass(frozen=True)
class View:
    """A table, and the columns that its contract declares, by their names there."""

    table: ir.Table
    declared: Mapping[str, Declared]

    def has(self, name: str) -> bool:
        """Whether the table has the column, of whatever type."""
        return self.declared[name].column in self.table.columns

    def raw(self, name: str) -> ir.Value:
        """Return the column as it is."""
        return self.table[self.declared[name].column]

    def value(self, name: str) -> ir.Value:
        """Return the column; null in every row where it is of another type than declared, which a rule of its own counts.

        Times are instants: one without a zone is taken as UTC.
        """
        import ibis

        raw, logical = self.raw(name), self.declared[name].logical
        if (written := self._written(name)) is not None:
            return written
        if logical is not None and not fits(raw.type(), logical) and not _by_value(raw.type(), logical):
            nothing = ibis.null(_TYPES.get(logical, "string"))
            return raw.isnull().ifelse(nothing, nothing)
        if logical == "date" and not raw.type().is_date():
            return raw.cast("date")
        return raw.cast("timestamp('UTC')") if raw.type().is_timestamp() or logical == "timestamp" else raw

    def misfits(self, name: str) -> ir.BooleanValue | None:
        """Return which rows hold a value of another type than declared; None where none can."""
        raw, logical = self.raw(name), self.declared[name].logical
        if logical is None or fits(raw.type(), logical):
            return None
        held = raw.notnull()
        if (written := self._written(name)) is not None:
            return held & written.isnull()
        if logical == "integer" and _by_value(raw.type(), logical):
            return held & ~whole(raw)
        if logical == "date" and _by_value(raw.type(), logical):
            return held & (raw != raw.cast("date").cast(raw.type()))
        return held

    def _written(self, name: str) -> ir.Value | None:
        """The values of a column that holds them in writing, null where it is not one of them."""
        declared, raw = self.declared[name], self.raw(name)
        wanted = _TYPES.get(declared.logical or "")
        return read_as(raw, wanted) if declared.as_text and wanted and raw.type().is_string() else None


def read_as(value: ir.Value, wanted: str) -> ir.Value:
    """Return a value as one of another type, null where it is none; the same in every engine.

    Engines differ in whether 1.5 or 1e3 in writing is a whole number, and in how a number becomes one: here it is cut.
    """
    import ibis

    kind = value.type()
    if kind.is_string() and wanted in _WRITTEN:
        return value.re_search(_WRITTEN[wanted]).ifelse(value, ibis.null("string")).try_cast(wanted)
    if wanted == "int64" and (kind.is_floating() or kind.is_decimal()):
        return (value - value % 1).try_cast(wanted)
    return value.try_cast(wanted)


def whole(value: ir.NumericValue) -> ir.BooleanValue:
    """A whole number; neither NaN nor an infinity is one."""
    return (value % 1 == 0).fill_null(False)


def fits(dtype: dt.DataType, logical: str) -> bool:
    """Whether every value of a type is of a logical type of the standard. A column of nothing is of every type."""
    kinds: dict[str, bool] = {
        "string": dtype.is_string() or dtype.is_uuid(),
        "integer": dtype.is_integer(),
        "number": dtype.is_numeric() and not dtype.is_boolean(),
        "boolean": dtype.is_boolean(),
        "date": dtype.is_date(),
        "timestamp": dtype.is_timestamp() or dtype.is_date(),
        "time": dtype.is_time(),
        "array": dtype.is_array(),
        "vector": dtype.is_array(),
        "map": dtype.is_map(),
        "object": dtype.is_struct() or dtype.is_map() or dtype.is_json(),
    }
    return bool(dtype.is_null()) or kinds[logical]


def _by_value(dtype: dt.DataType, logical: str) -> bool:
    """Types that hold values of another logical type too: pandas keeps whole numbers with gaps as doubles, dates as times."""
    if logical == "integer":
        return bool(dtype.is_floating() or dtype.is_decimal())
    return bool(logical == "date" and dtype.is_timestamp())


_WRITTEN = {
    "int64": r"^[+-]?[0-9]+\z",
    "float64": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z",
}
_TYPES = {
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp('UTC')",
    "time": "time",
    "array": "array<string>",
    "vector": "array<float64>",
    "map": "map<string, string>",
}
