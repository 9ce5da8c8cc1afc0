"""Which rows a holdout has, in 256 short digests: that it shares rows with an earlier one shows without either's rows.

(1) Each row has a digest: of its key, or, where the plan names no key, of its whole content but predictions.
(2) The sketch is the 256 smallest different ones: the bottom-k sketch of Broder (1997), a sample of rows that every table
    draws alike.
(3) Two tables that share a digest share rows. Of tables of at most n rows that share s, none shows with a chance of about
    e^(-256 s / n): under 1 in 100 from s = n / 50 on.
A value has one text however it is stored, so that the rows of a CSV and a Parquet file, in any order, have one sketch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gates.inputs.engines import reading
from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow
from gates.inputs.values import is_moment, moment
from gates.records import Plan
from gates.records.base import RowDigest

if TYPE_CHECKING:
    import ibis.expr.types as ir

SIZE = 256
_DIGITS = 16
_LONGEST = 16**_DIGITS
_SPARE = 4
"""How many times as many rows as are wanted are looked at, so that all of a long table need not be told apart."""

_WHOLE = 2.0**63


def row_sketch(plan: Plan, opened: Mapping[str, OpenTable]) -> tuple[RowDigest, ...] | None:
    """Return the sketch of the table that is judged, ascending; None where there is none, or it has no rows.

    Raises
    ------
    UsageError: the table is damaged.
    """
    judged = opened.get("holdout") or opened.get("predictions")
    if judged is None:
        return None
    with reading(judged.identity.uri):
        rows = judged.identity.rows
        return _smallest(_by_key(plan, judged.table), rows) or _smallest(_by_content(plan, judged.table), rows) or None


def _by_key(plan: Plan, table: ir.Table) -> ir.Table | None:
    """Digests of the keys; one with a null is none."""
    key = sorted(plan.columns.key)
    if not key or not set(key) <= set(table.columns):
        return None
    return _digests(table.filter([table[name].notnull() for name in key]), key)


def _by_content(plan: Plan, table: ir.Table) -> ir.Table:
    predicted = set(_predictions(plan))
    return _digests(table, [name for name in sorted(table.columns) if name not in predicted])


def _predictions(plan: Plan) -> Iterable[str | None]:
    """Names of the columns that a model wrote: with the next candidate they change, and the rows do not."""
    named = plan.columns
    yield from (named.score, named.champion_score)
    for names in (named.class_scores, named.champion_class_scores, named.set_columns, named.champion_set_columns):
        yield from names
    for interval in (*named.intervals, *named.champion_intervals):
        yield from (interval.lower, interval.upper)
    for quantile in (*named.quantiles, *named.champion_quantiles):
        yield quantile.column


def _digests(table: ir.Table, columns: list[str]) -> ir.Table:
    import ibis

    if not columns:
        return table.select(row=ibis.null("string"))
    # One column needs no word of where it ends, which takes as long as all the rest.
    alone = len(columns) == 1
    text = _text(table[columns[0]]) if alone else ibis.literal("|").join([_written(table[name]) for name in columns])
    return table.select(row=text.hexdigest("md5").substr(0, _DIGITS))


def _written(value: ir.Value) -> ir.StringValue:
    """A value with its length before it; never null."""
    text: Any = _text(value)
    return (text.length().cast("string") + ":" + text).fill_null("-")


def _text(value: Any) -> ir.StringValue:
    """A whole number as one in every numeric type, any other as the nearest float32; a date as its midnight."""
    kind = value.type()
    if is_moment(value):
        return moment(value).cast("string").replace("+00", "")
    if kind.is_boolean():
        return value.cast("int64").cast("string")
    if kind.is_integer() or not kind.is_numeric():
        return value.cast("string")
    single = value.cast("float32")
    double = value.cast("float64")
    whole = (double.abs() < _WHOLE) & (double == double.floor())
    text = whole.ifelse(whole.ifelse(double, 0.0).cast("int64").cast("string"), single.cast("string"))
    return single.isnan().ifelse(None, text)


def _smallest(digests: ir.Table | None, rows: int) -> tuple[RowDigest, ...]:
    if digests is None:
        return ()
    found: tuple[RowDigest, ...] = ()
    if rows > _SPARE * SIZE:
        found = _least(digests.filter(digests.row < f"{_LONGEST * _SPARE * SIZE // rows:0{_DIGITS}x}"))
    # Rows that repeat are fewer than they are many.
    return found if len(found) == SIZE else _least(digests.filter(digests.row.notnull()))


def _least(digests: ir.Table) -> tuple[RowDigest, ...]:
    return tuple(arrow(digests.distinct().order_by("row").limit(SIZE))["row"].to_pylist())
