"""What a column's values are, the same on every engine: absent, finite, moments in UTC. Expressions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir


def absent(value: ir.Value) -> ir.BooleanValue:
    """Null or NaN."""
    return value.isnull() | value.isnan() if value.type().is_floating() else value.isnull()


def finite(value: ir.Value) -> ir.BooleanValue:
    """Neither NaN nor an infinity; null where the value is, or false where its type has no such numbers."""
    return ~(value.isnan() | infinite(value)) if value.type().is_floating() else value.notnull()


def infinite(value: ir.FloatingValue) -> ir.BooleanValue:
    """An infinity of either sign. By comparison: among Spark's numbers Ibis' `isinf` finds none."""
    import ibis

    return value.abs() == ibis.literal("inf").cast("float64")


def is_whole(value: ir.NumericValue, below: float) -> ir.BooleanValue:
    """Whether a number has no fraction and is less than a bound in magnitude; null where it is."""
    return (value.abs() < below) & (value % 1 == 0)


def is_moment(value: ir.Value) -> bool:
    """Whether a column holds dates, or dates with a time of day."""
    return bool(value.type().is_timestamp() or value.type().is_date())


def has_moment(table: ir.Table, name: str | None) -> bool:
    """Whether a table has the column, and it holds what `is_moment` asks for."""
    return name in table.columns and is_moment(table[name])


def moment(value: ir.Value) -> ir.TimestampValue:
    """The value of `is_moment` as a time in UTC; one without a zone is taken for UTC."""
    return value.cast("timestamp('UTC')")
