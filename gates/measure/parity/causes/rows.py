"""The rows in which features differ, a sample of them where there are many, and each beside another row's values.

Features of one form are stacked in one table, so that what is asked of one is asked of all in one query. The sample is
drawn by a hash of the key. The other row is the feature's next one in the order of that hash: dealt so, the values of one
side are what chance would put beside the other side's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gates.inputs.tables import arrow, keep, row
from gates.inputs.values import absent, finite, moment
from gates.measure.parity.apart import Stack, same_in_stack
from gates.measure.parity.causes.decide import EXPLAINED
from gates.measure.parity.compare import Feature

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_ROWS = 10_000
"""Of a feature with more mismatches about so many are looked at: limits of a share are then within .01 of it."""

_DIGITS = 8


@dataclass(frozen=True)
class Rows:
    """Mismatching rows of features of one form.

    `table` has the columns `f` (the feature's number), `scale` (the feature's), `draw` (text, unique in a feature), `e0`,
    `e1`, ... (the key, in the plan's order), `a` (offline), `b` (online), `other_a`, `other_b` (of another row) and `dealt`
    (there is another row). Of numbers (finite ones, else null) and of moments (seconds since 1970) it also has them as
    float64: `x`, `y`, `other_x` and `other_y`.

    Attributes
    ----------
    features: by their number in `f`. sizes: rows of each. every: all mismatching rows, no sample.
    """

    table: ir.Table
    features: Mapping[int, Feature]
    tolerance: float
    sizes: Mapping[int, int]
    every: Stack

    @property
    def form(self) -> Feature:
        """A feature that is like all of them in all that matters here, but for name and scale."""
        return next(iter(self.features.values()))

    def same(self, a: ir.Value, b: ir.Value, scale: ir.Value | None = None) -> ir.BooleanValue:
        """Say whether two values are equal as an offline and an online value of the row's feature are; never null.

        Parameters
        ----------
        scale: the feature's, where the values are not of `table`.
        """
        return same_in_stack(self.form, a, b, self.table.scale if scale is None else scale, self.tolerance)

    def of(self, features: Iterable[int]) -> Rows:
        """Return the rows of some of the features."""
        kept = {f: self.features[f] for f in features}
        table = self.table.filter(self.table.f.isin(list(kept))) if len(kept) < len(self.features) else self.table
        return replace(self, table=table, features=kept, sizes={f: self.sizes[f] for f in kept})

    def on(self, table: ir.Table) -> Rows:
        """Return the same with other columns."""
        return replace(self, table=table)

    def with_constants(self, constants: Mapping[str, Mapping[int, float | None]]) -> Rows:
        """Return the rows with a column for each constant, of the row's feature; null where that has none."""
        columns = {name: by_feature(self.table.f, values) for name, values in constants.items()}
        return self.on(keep(self.table.mutate(**columns)))


def by_feature(f: ir.Value, values: Mapping[int, float | None]) -> ir.FloatingValue:
    """Return the value of a row's feature; null where that has none."""
    import ibis

    if not values:
        return ibis.null("float64")
    # As texts: engines take numbers that are written out for decimals. A list, since cases are three terms for each.
    last = max(values)
    listed = [None if (value := values.get(place)) is None else repr(float(value)) for place in range(last + 1)]
    found = ibis.literal(listed, "array<string>").cast("array<float64>")[f]
    # Spark fails where a list ends before.
    within: ir.FloatingValue = (f <= last).ifelse(found, ibis.null("float64"))
    return within


def sample(stack: Stack, mismatches: Mapping[str, int], tolerance: float) -> Rows:
    """Copy the mismatching rows of a stack's features, at most about MOST_ROWS of each.

    Parameters
    ----------
    mismatches: how many there are, by name.
    """
    import ibis

    form = next(iter(stack.features.values()))
    table = stack.table
    limits = {
        f: f"{16**_DIGITS * MOST_ROWS // mismatches[feature.name]:0{_DIGITS}x}"
        for f, feature in stack.features.items()
        if mismatches[feature.name] > MOST_ROWS
    }
    for f, limit in limits.items():
        table = table.filter((table.f != f) | (table.draw.substr(0, _DIGITS) < limit))
    if form.numeric or form.moments:
        table = table.mutate(x=_float(table.a, form), y=_float(table.b, form))
    by_draw = ibis.window(group_by=table.f, order_by=table.draw)
    others = {
        f"other_{name}": table[name].lag().over(by_draw) for name in ("a", "b", "x", "y") if name in table.columns
    }
    kept = keep(table.mutate(**others, dealt=table.draw.lag().over(by_draw).notnull()))
    counted = arrow(kept.group_by("f").aggregate(rows=kept.count())).to_pydict()
    sizes = dict(zip(counted["f"], counted["rows"], strict=True))
    known = {f: feature for f, feature in stack.features.items() if f in sizes}
    return Rows(kept, known, tolerance, sizes, stack)


def _float(value: ir.Value, feature: Feature) -> ir.FloatingValue:
    import ibis

    if feature.moments:
        return seconds(value)
    number = value.cast("float64")
    return finite(number).ifelse(number, ibis.null("float64"))


def seconds(value: ir.Value) -> ir.FloatingValue:
    """Seconds since 1970, on DuckDB with their fraction."""
    instant = moment(value)
    whole = instant.epoch_seconds().cast("float64")
    if value.get_backend().name != "duckdb":  # Ibis has no microseconds of Spark's
        return whole
    # Without a zone, in UTC: the engine's warning about zones is not for a fraction of a second.
    return whole + instant.cast("timestamp").microsecond().cast("float64") / 1e6


def by_number(table: ir.Table) -> dict[int, dict[str, Any]]:
    """Compute a table with one row a feature."""
    return {row.pop("f"): row for row in arrow(table).to_pylist()}


def most_frequent(rows: Rows, differences: ir.NumericValue) -> dict[int, list[float]]:
    """Return by feature up to 8 of the most frequent differences between the two sides, the most frequent first."""
    import ibis

    table = rows.table.select("f", value=differences)
    table = table.filter(table.value.notnull())
    counted = table.group_by(["f", "value"]).aggregate(times=table.count())
    place = ibis.row_number().over(group_by=counted.f, order_by=[counted.times.desc(), counted.value])
    top = counted.mutate(place=place)
    found = arrow(top.filter(top.place < 8).order_by(["f", "place"])).to_pylist()
    return {f: [line["value"] for line in found if line["f"] == f] for f in rows.features}


def halved(rows: Rows, pairs: ir.Table, constants: Mapping[int, float], steps: Mapping[int, float]) -> set[int]:
    """Return the features whose constant may be what rounding has left: half a step, of values on a grid twice as fine.

    On such a grid every second value stays as it is. Where hardly any pair is equal the constant is an offset.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`. constants: what the rows differ by. steps: of the coarser grid.
    """
    return in_part(
        rows,
        pairs,
        {f for f, value in constants.items() if f in steps and math.isclose(abs(value), steps[f] / 2, rel_tol=1e-6)},
    )


def in_part(rows: Rows, pairs: ir.Table, features: Collection[int], *, zeros: bool = True) -> set[int]:
    """Return those of the features of which some pairs with both values are equal.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`. zeros: pairs whose offline value is 0 count too.
    """
    if not features:
        return set()
    both = {}
    for each in (rows.features[f] for f in features):
        wanted = ~absent(pairs[each.left]) & ~absent(pairs[each.right])
        both[f"n{each.index}"] = pairs.count(where=wanted if zeros else wanted & (pairs[each.left] != 0))
    many = row(pairs.aggregate(**both))
    every = rows.every.of(features).table
    differ = by_number(every.group_by("f").aggregate(rows=every.count()))
    return {f for f in features if differ[f]["rows"] <= EXPLAINED * int(many[f"n{f}"] or 0)}
