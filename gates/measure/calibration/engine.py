"""The engine's part of the model-quality gates: exact sums by GROUP BY, handed over as sorted numpy arrays.

Every sum is taken over integers, multiples of 2^-40, so that its value does not depend on threads, on the order of rows
or on how they are split in files: the same table gives the same figures, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gates.measure.interface import Scored
from gates.measure.stats.figure import Floats, Ints, totals
from gates.records import WHOLE, Slice

if TYPE_CHECKING:
    import ibis.expr.types as ir

Arrow: TypeAlias = Any
"""A pyarrow.Table; the library ships no types."""

_GRID = 2**40


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
    sums: name to sums by cell, each of shape (cells,). keys: name to codes by cell, each of shape (cells,).
    """

    where: Where
    sums: Mapping[str, Floats]
    keys: Mapping[str, Ints]


def exact_sum(value: ir.NumericValue) -> ir.NumericScalar:
    """Sum of values of up to 8,000,000 in magnitude, each to the nearest multiple of 2^-40."""
    return (value * _GRID).round().cast("int64").sum().cast("float64") / _GRID


def double(value: float) -> ir.FloatingScalar:
    """Return a literal that is this double in every engine; a bare number may be read as a decimal."""
    import ibis

    return ibis.literal(repr(value)).cast("float64")


def parts(
    scored: Scored, names: tuple[str, ...], sums: Mapping[str, ir.NumericScalar], keys: Mapping[str, ir.IntegerValue]
) -> list[Part]:
    """Return sums by (slice, cluster, keys) for the whole and for each value of each slice column.

    One GROUP BY for each slice column; the whole is rolled up from the first one.

    Parameters
    ----------
    names: the plan's slice columns. sums: name to aggregate; `n`, the count of rows, is added.
    keys: name to integer expression to group by, besides slice and cluster.
    """
    if not names:
        return [_whole(_cells(scored, None, sums, keys))]
    found: list[Part] = []
    for i, name in enumerate(names):
        cells = _cells(scored, f"slice_{i}", sums, keys)
        if not found:
            found.append(_whole(cells))
        found.extend(_values(cells, name, found[0].where.rows))
    return found


@dataclass(frozen=True)
class _Cells:
    values: tuple[str, ...]
    value: Ints
    sums: dict[str, Floats]
    keys: dict[str, Ints]


def _cells(
    scored: Scored, column: str | None, sums: Mapping[str, ir.NumericScalar], keys: Mapping[str, ir.IntegerValue]
) -> _Cells:
    table = scored.table.mutate(**{f"key_{name}": value for name, value in keys.items()}) if keys else scored.table
    by = [f"key_{name}" for name in keys]
    by += ["cluster"] if scored.clustered else []
    by += [column] if column else []
    counted = {"n": table.count(), **sums}
    answer = (table.group_by(by).aggregate(**counted) if by else table.aggregate(**counted)).to_pyarrow()
    values, value = codes(answer, column) if column else ((), np.zeros(answer.num_rows, dtype=np.int64))
    columns = {name: numbers(answer, f"key_{name}").astype(np.int64) for name in keys}
    if scored.clustered:
        columns["cluster"] = codes(answer, "cluster")[1]
    order = np.lexsort([*columns.values(), value])
    return _Cells(
        values,
        value[order],
        {name: numbers(answer, name)[order] for name in counted},
        {name: key[order] for name, key in columns.items()},
    )


def _whole(cells: _Cells) -> Part:
    if not cells.keys:
        return _part(WHOLE, {name: total.sum(keepdims=True) for name, total in cells.sums.items()}, {}, None)
    distinct, code = np.unique(np.stack(list(cells.keys.values())), axis=1, return_inverse=True)
    sums = {name: totals(code, total) for name, total in cells.sums.items()}
    keys = {name: np.asarray(key, dtype=np.int64) for name, key in zip(cells.keys, distinct, strict=True)}
    return _part(WHOLE, sums, keys, None)


def _values(cells: _Cells, name: str, whole: int) -> Iterator[Part]:
    edges = np.searchsorted(cells.value, np.arange(len(cells.values) + 1))
    for i, value in enumerate(cells.values):
        at = slice(edges[i], edges[i + 1])
        sums = {key: total[at] for key, total in cells.sums.items()}
        keys = {key: code[at] for key, code in cells.keys.items()}
        yield _part(Slice(kind="value", column=name, value=value), sums, keys, whole)


def _part(where: Slice, sums: dict[str, Floats], keys: dict[str, Ints], whole: int | None) -> Part:
    rows = int(sums["n"].sum())
    clusters = int(np.unique(keys["cluster"]).size) if "cluster" in keys else None
    return Part(Where(where, rows * 1_000_000 // (whole or max(rows, 1)), rows, clusters), sums, keys)


def numbers(answer: Arrow, column: str) -> Floats:
    """Return a numeric column, shape (rows,)."""
    return np.asarray(answer.column(column).to_numpy(), dtype=np.float64)


def codes(answer: Arrow, column: str) -> tuple[tuple[str, ...], Ints]:
    """Return the distinct texts of a column in code-point order, and each row's index among them, shape (rows,)."""
    encoded = answer.column(column).combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    indices = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    return tuple(names[i] for i in order), rank[indices]
