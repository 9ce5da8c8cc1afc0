"""The engine's part of the model-quality gates: exact sums by GROUP BY, handed over as sorted numpy arrays.

Every sum is taken over integers, multiples of 2^-40, so that its value does not depend on threads, on the order of rows
or on how they are split in files: the same table gives the same figures, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gates.inputs.tables import arrow, whole_sum
from gates.measure.interface import Scored
from gates.measure.stats.figure import Floats, Ints, ranked, totals
from gates.records import WHOLE, Plan, Slice

if TYPE_CHECKING:
    import ibis.expr.types as ir

Arrow: TypeAlias = Any
"""A pyarrow.Table; the library ships no types."""

_GRID = 2.0**40
_COARSE = 2.0**30
_NO_FRACTIONS = 1.5 * 2.0**52


@dataclass(frozen=True)
class Where:
    """Which rows a figure is of.

    Attributes
    ----------
    share_ppm: rows per million of the whole, rounded down. clusters: None where rows are taken as independent.
    """

    slice: Slice
    share_ppm: int
    rows: int
    clusters: int | None


@dataclass(frozen=True)
class Part:
    """The rows of a slice, as sums by cell.

    Attributes
    ----------
    sums: name to sums of weight times value by cell, each of shape (cells,); `n` is the sum of the weights.
    squares: the same with the squared weight, for variances; `sums` itself where rows have no weights.
    keys: name to codes by cell, each of shape (cells,).
    rows: how many by cell, shape (cells,).
    heaviest: the largest weight of a row of the whole table, in no matter which slice; None without weights.
    largest: name to the largest weight times value of a row; 0 without rows.
    """

    where: Where
    sums: Mapping[str, Floats]
    squares: Mapping[str, Floats]
    keys: Mapping[str, Ints]
    rows: Floats
    heaviest: float | None = None
    largest: Mapping[str, float] = field(default_factory=dict)

    @property
    def weighted(self) -> bool:
        """Whether rows have weights, so that `squares` says more than `sums`."""
        return self.squares is not self.sums


def exact_sum(value: ir.NumericValue, *, fine: bool = False) -> ir.NumericScalar:
    """Sum of values of up to 8,000,000 in magnitude, each to the nearest multiple of 2^-40, or to its own last bits.

    The same to the last bit in every engine, for values of up to 2,048. Of a billion rows, values of up to 8,000 fit.

    Parameters
    ----------
    fine: multiples of 2^-80. Squared errors of rows beside one whose error is a million times theirs are under 2^-40.
    """
    scaled = value.cast("float64") * _GRID
    whole = nearest(scaled)
    coarse = whole_sum(whole.cast("int64")) / _GRID
    if not fine:
        return coarse
    # What rounding took off is exact in a double, and so is its product with a power of two.
    return coarse + whole_sum(nearest((scaled - whole) * _GRID).cast("int64")) / _GRID / _GRID


def small_sum(value: ir.NumericValue) -> ir.NumericScalar:
    """Sum of values of up to 1/16 in magnitude, each to the nearest multiple of 2^-30; of 134 million rows a cell.

    Whole doubles add up exactly in any order until 2^53, at half the cost of integers of 64 bits.
    """
    return nearest(value.cast("float64") * _COARSE).sum() / _COARSE


def nearest(value: ir.FloatingValue) -> ir.FloatingValue:
    """Return the nearest whole number, a half to the even one, as a double; |value| is at most 2^51.

    What a rounding function does with a half differs by engine, and `floor` gives integers, which engines reckon with
    more slowly than with doubles, as they look for overflow. Beside 1.5 * 2^52 a double has no bits left for fractions.
    """
    return (value + _NO_FRACTIONS) - _NO_FRACTIONS


def double(value: float) -> ir.FloatingScalar:
    """Return a literal that is this double in every engine; a bare number may be read as a decimal."""
    import ibis

    return ibis.literal(repr(value)).cast("float64")


def parts(
    scored: Scored,
    plan: Plan,
    values: Mapping[str, ir.NumericValue],
    keys: Mapping[str, ir.IntegerValue],
    *,
    fine: bool = False,
    further: Mapping[str, ir.NumericScalar] | None = None,
    largest: Mapping[str, ir.NumericValue] | None = None,
) -> list[Part]:
    """Return sums by (slice, cluster, keys): the whole, the rest, each value of each slice column.

    One GROUP BY for each slice column; the whole is rolled up from the first one. The rest are the rows in none of the
    slices that the plan names to be proven; where it names none, the rest would be the whole and is left out.

    Parameters
    ----------
    values: name to value by row; weighted, up to 8,000,000 in magnitude. `n`, the weight itself, is added.
    keys: name to integer expression to group by, besides slice and cluster.
    fine: values are summed as multiples of 2^-80.
    further: sums of the rows of `scored.table` as they are, weights and all; of the whole and the first slices alone.
    largest: name to value by row, at least 0, of which the largest is asked for.
    """
    asked = _Asked(values, keys, fine, largest or {}, further or {})
    found: list[Part] = []
    for column, name in slicings(plan):
        cells = _cells(scored, plan, column, replace(asked, further={}) if found else asked)
        if not found:
            found.append(_whole(cells))
        found.extend(_values(cells, name, found[0].where.rows))
    found = found or [_whole(_cells(scored, plan, None, asked))]
    return [replace(part, heaviest=scored.heaviest) for part in found]


def unsliced(plan: Plan) -> Plan:
    """Return the plan for the whole alone: without slices, and without what it asks of them."""
    parameters = plan.parameters.model_copy(update={"slices": ()})
    return plan.model_copy(update={"requirements": (), "parameters": parameters})


REST = "rest"
"""The column that says which rows are in no slice that the plan names, and its value for them."""


def slicings(plan: Plan) -> list[tuple[str, str | None]]:
    """Columns of the scored table to slice by, each with its name in the plan; the rest has none."""
    named: list[tuple[str, str | None]] = [(f"slice_{i}", name) for i, name in enumerate(plan.parameters.slices)]
    return [(REST, None), *named] if _named(plan) else named


def _named(plan: Plan) -> list[tuple[str, str]]:
    """Slices that the plan names to be proven, by column of the scored table and value."""
    column = {name: f"slice_{i}" for i, name in enumerate(plan.parameters.slices)}
    return sorted(
        (column[slice_.column], slice_.value)
        for slice_ in {r.slice for r in plan.requirements if r.role == "prove" and r.slice is not None}
        if slice_.column in column and slice_.value is not None
    )


def with_rest(table: ir.Table, plan: Plan) -> ir.Table:
    """Return the scored table with the column `rest`, where the plan names slices."""
    inside = [table[name] == value for name, value in _named(plan)]
    return table.mutate(**{REST: reduce(or_, inside).ifelse("", REST)}) if inside else table


@dataclass(frozen=True)
class _Asked:
    """As of `parts`."""

    values: Mapping[str, ir.NumericValue]
    keys: Mapping[str, ir.IntegerValue]
    fine: bool
    largest: Mapping[str, ir.NumericValue]
    further: Mapping[str, ir.NumericScalar]


@dataclass(frozen=True)
class _Cells:
    values: tuple[str, ...]
    value: Ints
    sums: dict[str, Floats]
    keys: dict[str, Ints]
    largest: dict[str, Floats]


def _cells(scored: Scored, plan: Plan, column: str | None, asked: _Asked) -> _Cells:
    table, values, keys = scored.table, asked.values, asked.keys
    by = [f"key_{name}" for name in keys]
    by += ["cluster"] if scored.clustered else []
    by += [column] if column else []
    counted = (
        _weighted(table, values, asked.fine)
        if scored.weighted
        else {name: exact_sum(value, fine=asked.fine) for name, value in values.items()}
    )
    counted |= asked.further
    farthest = {
        name + _LARGEST: (table.weight * value if scored.weighted else value).max()
        for name, value in asked.largest.items()
    }
    table = table.mutate(**{f"key_{name}": value for name, value in keys.items()}) if keys else table
    table = with_rest(table, plan) if column == REST else table
    counted["rows" if scored.weighted else "n"] = table.count()
    wanted = {**counted, **farthest}
    answer = arrow(table.group_by(by).aggregate(**wanted) if by else table.aggregate(**wanted))
    names, value = codes(answer, column) if column else ((), np.zeros(answer.num_rows, dtype=np.int64))
    columns = {name: numbers(answer, f"key_{name}").astype(np.int64) for name in keys}
    if scored.clustered:
        columns["cluster"] = codes(answer, "cluster")[1]
    order = np.lexsort([*columns.values(), value])
    return _Cells(
        names,
        value[order],
        {name: numbers(answer, name)[order] for name in counted},
        {name: key[order] for name, key in columns.items()},
        {name: _seen(answer, name + _LARGEST)[order] for name in asked.largest},
    )


_SQUARED, _LARGEST = "_squared", "_largest"


def _seen(answer: Arrow, column: str) -> Floats:
    """To the same grid as sums, since logarithms differ by engine in the last bits; 0 of no rows."""
    return np.asarray(np.rint(np.nan_to_num(numbers(answer, column)) * _GRID) / _GRID, dtype=np.float64)


def _weighted(table: ir.Table, values: Mapping[str, ir.NumericValue], fine: bool) -> dict[str, ir.NumericScalar]:
    weight = table.weight
    counted = {"n": exact_sum(weight), "n" + _SQUARED: exact_sum(weight * weight)}
    for name, value in values.items():
        counted |= {
            name: exact_sum(weight * value, fine=fine),
            name + _SQUARED: exact_sum(weight * weight * value, fine=fine),
        }
    return counted


def _whole(cells: _Cells) -> Part:
    if not cells.keys:
        sums = {name: total.sum(keepdims=True) for name, total in cells.sums.items()}
        return _part(WHOLE, sums, {}, None, cells.largest)
    order = np.lexsort(list(cells.keys.values()))
    ordered = [key[order] for key in cells.keys.values()]
    first = np.ones(order.size, dtype=np.bool_)
    first[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in ordered])
    code = np.cumsum(first) - 1
    sums = {name: totals(code, total[order]) for name, total in cells.sums.items()}
    keys = {name: key[first] for name, key in zip(cells.keys, ordered, strict=True)}
    return _part(WHOLE, sums, keys, None, cells.largest)


def _values(cells: _Cells, name: str | None, whole: int) -> Iterator[Part]:
    """Return a part for each value of a column; without a name, for the rest alone, which may have no rows."""
    for code, value in enumerate(cells.values if name is not None else (REST,)):
        place = code if name is not None else _place(cells.values, value)
        at = slice(*np.searchsorted(cells.value, (place, place + 1)))
        sums = {key: total[at] for key, total in cells.sums.items()}
        keys = {key: found[at] for key, found in cells.keys.items()}
        where = Slice(kind="rest") if name is None else Slice(kind="value", column=name, value=value)
        yield _part(where, sums, keys, whole, {name: far[at] for name, far in cells.largest.items()})


def _place(values: tuple[str, ...], value: str) -> int:
    """The code of a value's rows; one that none has where it does not occur."""
    return values.index(value) if value in values else len(values)


def _part(
    where: Slice, found: dict[str, Floats], keys: dict[str, Ints], whole: int | None, farthest: dict[str, Floats]
) -> Part:
    sums = {name: total for name, total in found.items() if not name.endswith(_SQUARED)}
    squares = {name: found[name + _SQUARED] for name in sums if name + _SQUARED in found} or sums
    counts = sums.pop("rows", sums["n"])
    rows = int(counts.sum())
    clusters = ranked(keys["cluster"])[0] if "cluster" in keys else None
    of = Where(where, rows * 1_000_000 // (whole or max(rows, 1)), rows, clusters)
    largest = {name: float(far.max(initial=0.0)) for name, far in farthest.items()}
    return Part(of, sums, squares, keys, counts, largest=largest)


def numbers(answer: Arrow, column: str) -> Floats:
    """Return a numeric column, shape (rows,)."""
    return _array(answer.column(column).combine_chunks()).astype(np.float64)


def codes(answer: Arrow, column: str) -> tuple[tuple[str, ...], Ints]:
    """Return the distinct texts of a column in code-point order, and each row's index among them, shape (rows,)."""
    names, place = _distinct(answer.column(column).combine_chunks())
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return tuple(names[i] for i in order), rank[place]


_FEW = 50_000
"""Texts that are told apart here: Arrow does it by its module of computations, which takes longer to import."""


def _distinct(texts: Arrow) -> tuple[list[str], Ints]:
    """Return the distinct texts, and each row's place among them, shape (rows,)."""
    if len(texts) > _FEW:
        encoded = texts.dictionary_encode()
        return encoded.dictionary.to_pylist(), _array(encoded.indices)
    places: dict[str, int] = {}
    found = [places.setdefault(text, len(places)) for text in texts.to_pylist()]
    return list(places), np.array(found, dtype=np.int64)


def _array(values: Arrow) -> npt.NDArray[Any]:
    # `to_numpy` imports pandas first; nulls, which are only where there are no rows at all, need it.
    return np.asarray(values.to_numpy(zero_copy_only=False) if values.null_count else np.from_dlpack(values))
