"""The rows in which a feature differs, a sample of them where there are many, and each beside another row's values.

The sample is drawn by a hash of the key. The other row is the next one in the order of that hash: dealt so, the values
of one side are what chance would put beside the other side's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gates.inputs.tables import arrow, keep
from gates.measure.parity.compare import Feature, both_sides, equal, finite, moment

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_ROWS = 10_000
"""Of a feature with more mismatches about so many are looked at: limits of a share are then within .01 of it."""

_DIGITS = 8


@dataclass(frozen=True)
class Rows:
    """Mismatching rows of one feature.

    `table` has the columns `draw` (text, unique), `e0`, `e1`, ... (the key, in the plan's order), `a` (offline), `b`
    (online), `other_a`, `other_b` (of another row) and `dealt` (there is another row). Of numbers (finite ones, else
    null) and of moments (seconds since 1970) it also has them as float64: `x`, `y`, `other_x` and `other_y`.
    """

    table: ir.Table
    feature: Feature
    tolerance: float

    def same(self, a: ir.Value, b: ir.Value) -> ir.BooleanValue:
        """Say whether two values are equal as an offline and an online value of the feature are; never null."""
        pair = cast("ir.Table", {self.feature.left: a, self.feature.right: b})
        return equal(pair, self.feature, self.tolerance)


def rows_of(pairs: ir.Table, key: int, feature: Feature, mismatches: int, tolerance: float) -> Rows:
    """Copy a feature's mismatching rows, at most about MOST_ROWS.

    Parameters
    ----------
    pairs: as of `compare.pair`. key: how many columns it has. mismatches: how many rows there are.
    """
    import ibis

    found = pairs.filter(both_sides(pairs) & ~equal(pairs, feature, tolerance))
    names = {f"e{index}": found[f"l{index}"] for index in range(key)}
    text = ibis.literal("\x1f").join([as_text(value) for value in names.values()])
    table = found.select(draw=text.hexdigest("md5"), **names, a=found[feature.left], b=found[feature.right])
    if mismatches > MOST_ROWS:
        table = table.filter(table.draw.substr(0, _DIGITS) < f"{16**_DIGITS * MOST_ROWS // mismatches:0{_DIGITS}x}")
    if feature.numeric or feature.moments:
        table = table.mutate(x=_float(table.a, feature), y=_float(table.b, feature))
    by_draw = ibis.window(order_by=table.draw)
    others = {
        f"other_{name}": table[name].lag().over(by_draw) for name in ("a", "b", "x", "y") if name in table.columns
    }
    return Rows(keep(table.mutate(**others, dealt=table.draw.lag().over(by_draw).notnull())), feature, tolerance)


def _float(value: ir.Value, feature: Feature) -> ir.FloatingValue:
    import ibis

    if feature.moments:
        return seconds(value)
    number = value.cast("float64")
    return finite(number).ifelse(number, ibis.null("float64"))


def seconds(value: ir.Value) -> ir.FloatingValue:
    """Seconds since 1970 with their fraction."""
    instant = moment(value)
    # Without a zone, in UTC: the engine's warning about zones is not for a fraction of a second.
    fraction = instant.cast("timestamp").microsecond().cast("float64") / 1e6
    return instant.epoch_seconds().cast("float64") + fraction


def as_text(value: ir.Value) -> ir.StringValue:
    """A key's value as text that is the same on every engine."""
    if value.type().is_timestamp():
        return value.cast("timestamp('UTC')").epoch_seconds().cast("string")
    return value.cast("string").fill_null("")


def most_frequent(differences: ir.NumericValue) -> list[float]:
    """Return up to 8 of the most frequent differences between the two sides, the most frequent first."""
    table = differences.name("value").as_table()
    counted = table.filter(table.value.notnull()).group_by("value").aggregate(times=lambda t: t.count())
    top = counted.order_by([counted.times.desc(), counted.value]).limit(8)
    found: list[float] = arrow(top).column("value").to_pylist()
    return found
