"""What the columns of a file hold, for guessing; and the guess's recipe applied to the table. Inputs of measuring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gates.inputs.engines import reading
from gates.inputs.opened import OpenTable
from gates.inputs.tables import row
from gates.plan.guess import ColumnProfile, Kind, Recipe

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

SHOWN_VALUES = 3


def profile(opened: OpenTable) -> tuple[ColumnProfile, ...]:
    """Profile every column in one scan, and the values of those with few in a second.

    Raises
    ------
    UsageError: the file is damaged.
    """
    table = opened.table
    with reading(opened.identity.uri):
        counts = _counts(table)
        few = [index for index in range(len(table.columns)) if 0 < counts[f"distinct_{index}"] <= SHOWN_VALUES]
        values = _values(table, few)
    return tuple(
        ColumnProfile(
            name=name,
            kind=kind_of(table[name].type()),
            rows=int(counts["rows"]),
            missing=int(counts["rows"]) - int(counts[f"present_{index}"]),
            distinct=int(counts[f"distinct_{index}"]),
            values=values.get(index, ()),
            lowest=counts.get(f"lowest_{index}"),
            highest=counts.get(f"highest_{index}"),
        )
        for index, name in enumerate(table.columns)
        if _nameable(name)
    )


def normalise(opened: OpenTable, recipe: Recipe) -> OpenTable:
    """Return the table with its label as 0 and 1 and percents as probabilities, under the same names and identity."""
    import ibis

    table = opened.table
    changes: dict[str, ir.Value] = {}
    if recipe.label is not None:
        text = _present(table[recipe.label]).cast("string")
        changes[recipe.label] = ibis.cases((text == recipe.positive, 1.0), (text == recipe.negative, 0.0))
    changes |= {name: table[name].cast("float64") / 100.0 for name in recipe.percents}
    return OpenTable(identity=opened.identity, table=table.mutate(**changes) if changes else table)


def kind_of(dtype: dt.DataType) -> Kind:
    """Sort a column's type into the kinds that comparisons know."""
    if dtype.is_boolean():
        return "bool"
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if dtype.is_string():
        return "text"
    return "time" if dtype.is_temporal() else "other"


def _nameable(name: str) -> bool:
    """A column that a plan can name; one with a line break or no name at all plays no part."""
    return 0 < len(name) <= 256 and name.isprintable()


def _present(value: ir.Value) -> ir.Value:
    """The value, with NaN as null."""
    import ibis

    return value.isnan().ifelse(ibis.null(value.type()), value) if value.type().is_floating() else value


def _counts(table: ir.Table) -> Mapping[str, Any]:
    wanted: dict[str, Any] = {"rows": table.count()}
    for index, name in enumerate(table.columns):
        value = _present(table[name])
        wanted[f"present_{index}"] = value.count()
        wanted[f"distinct_{index}"] = value.nunique()
        if table[name].type().is_numeric():
            wanted[f"lowest_{index}"] = value.cast("float64").min()
            wanted[f"highest_{index}"] = value.cast("float64").max()
    return row(table.aggregate(**wanted))


def _values(table: ir.Table, few: list[int]) -> dict[int, tuple[str, ...]]:
    if not few:
        return {}
    texts = {f"v{index}": _present(table[table.columns[index]]).cast("string").collect(distinct=True) for index in few}
    found = row(table.aggregate(**texts))
    return {index: tuple(sorted(found[f"v{index}"])) for index in few}
