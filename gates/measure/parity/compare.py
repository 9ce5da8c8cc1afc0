"""Two tables side by side: a full outer join on the key, and one count for each feature. Called by `gate`.

Two values are equal when they are the same (null and null, NaN and NaN, infinities of one sign), or when both are
finite numbers, not both whole, and |a - b| <= t * (s + max(|a|, |b|)), with s = min(1, mean |a|) of the offline table's
finite values: a feature measured in millionths is compared in its own scale. Null against NaN is a mismatch, and so are
values of different kinds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gates.inputs.profile import kind_of
from gates.inputs.tables import row, scalar
from gates.plan.guess import Kind

if TYPE_CHECKING:
    import ibis.expr.types as ir

NUMBERS = ("integer", "number", "bool")


@dataclass(frozen=True)
class Feature:
    """A feature that both tables have.

    Attributes
    ----------
    left, right: its columns in the pairs. moments: both sides are dates or timestamps.
    scale: s of the module's docstring.
    """

    name: str
    index: int
    offline: Kind
    online: Kind
    moments: bool
    scale: float = 1.0

    @property
    def left(self) -> str:
        return f"a{self.index}"

    @property
    def right(self) -> str:
        return f"b{self.index}"

    @property
    def numeric(self) -> bool:
        return self.offline in NUMBERS and self.online in NUMBERS


@dataclass(frozen=True)
class Counts:
    """What the join showed.

    Attributes
    ----------
    paired: keys in both tables. offline_only, online_only: keys without a partner.
    mismatches: by feature, over the pairs.
    """

    paired: int
    offline_only: int
    online_only: int
    mismatches: Mapping[str, int]


def shared_features(names: Sequence[str], offline: ir.Table, online: ir.Table) -> list[Feature]:
    """Return the features that both tables have, with the scale of each."""
    found = [
        Feature(
            name,
            index,
            kind_of(offline[name].type()),
            kind_of(online[name].type()),
            moments=_is_moment(offline[name]) and _is_moment(online[name]),
        )
        for index, name in enumerate(dict.fromkeys(names))
        if name in offline.columns and name in online.columns
    ]
    means = {f.left: _magnitude(offline[f.name]).mean() for f in found if f.numeric and f.offline == "number"}
    seen = row(offline.aggregate(**means)) if means else {}
    return [replace(f, scale=_scale(seen.get(f.left))) for f in found]


def keys_repeat(table: ir.Table, key: Sequence[str]) -> bool:
    """Say whether a key without nulls occurs twice."""
    named = table.select(**{f"k{index}": table[name] for index, name in enumerate(key)})
    whole = named.filter([named[name].notnull() for name in named.columns])
    counted = whole.group_by(list(whole.columns)).aggregate(times=whole.count())
    return bool(scalar(counted.filter(counted.times > 1).count()) > 0)


def keys_compare(offline: ir.Table, online: ir.Table, key: Sequence[str]) -> bool:
    """Say whether each key column has one kind in both tables."""
    return all(_family(offline[name]) == _family(online[name]) for name in key)


def pair(offline: ir.Table, online: ir.Table, key: Sequence[str], features: Sequence[Feature]) -> ir.Table:
    """Return the full outer join: a0, b0, a1, b1, ... and the flags `in_offline` and `in_online`.

    A key with a null finds no partner.
    """
    import ibis

    left = offline.select(
        **{f"l{index}": offline[name] for index, name in enumerate(key)},
        **{feature.left: offline[feature.name] for feature in features},
        in_offline=ibis.literal(value=True),
    )
    right = online.select(
        **{f"r{index}": online[name] for index, name in enumerate(key)},
        **{feature.right: online[feature.name] for feature in features},
        in_online=ibis.literal(value=True),
    )
    return left.outer_join(right, [left[f"l{index}"] == right[f"r{index}"] for index in range(len(key))])


def count(pairs: ir.Table, features: Sequence[Feature], tolerance: float) -> Counts:
    """Count over all pairs in one scan."""
    both = both_sides(pairs)
    wanted: dict[str, Any] = {
        "paired": both.sum(),
        "offline_only": pairs.in_online.isnull().sum(),
        "online_only": pairs.in_offline.isnull().sum(),
    }
    wanted |= {f"m{feature.index}": (both & ~equal(pairs, feature, tolerance)).sum() for feature in features}
    seen = {name: int(value or 0) for name, value in row(pairs.aggregate(**wanted)).items()}
    return Counts(
        paired=seen["paired"],
        offline_only=seen["offline_only"],
        online_only=seen["online_only"],
        mismatches={feature.name: seen[f"m{feature.index}"] for feature in features},
    )


def both_sides(pairs: ir.Table) -> ir.BooleanValue:
    return pairs.in_offline.notnull() & pairs.in_online.notnull()


def equal(pairs: ir.Table, feature: Feature, tolerance: float) -> ir.BooleanValue:
    """Say whether the two values of a feature are equal; never null."""
    import ibis

    left, right = pairs[feature.left], pairs[feature.right]
    if feature.moments:  # with and without a zone they are instants; without one the time is UTC
        return moment(left).identical_to(moment(right))
    if feature.offline == feature.online and feature.offline != "number":
        return left.identical_to(right) if left.type() == right.type() else _as_text(left, right, feature)
    if not feature.numeric:
        return left.isnull() & right.isnull()
    a, b = left.cast("float64"), right.cast("float64")
    reach = tolerance * (feature.scale + ibis.greatest(a.abs(), b.abs()))
    # |inf - 5| <= inf is true, and NaN is above infinity: a finite reach is one of finite numbers
    close = ((a - b).abs() <= reach) & (reach < math.inf)
    return a.identical_to(b) | close.fill_null(False)


def finite(value: ir.FloatingValue) -> ir.BooleanValue:
    return ~(value.isnan() | value.isinf())


def absent(value: ir.Value) -> ir.BooleanValue:
    return value.isnull() | value.isnan() if value.type().is_floating() else value.isnull()


def moment(value: ir.Value) -> ir.TimestampValue:
    return value.cast("timestamp('UTC')")


def _is_moment(value: ir.Value) -> bool:
    return bool(value.type().is_timestamp() or value.type().is_date())


def _as_text(left: ir.Value, right: ir.Value, feature: Feature) -> ir.BooleanValue:
    """Whole numbers of two widths are compared as they are; other types of one kind by how they are written."""
    if feature.offline == "integer":
        return left.identical_to(right)
    return left.cast("string").identical_to(right.cast("string"))


def _magnitude(value: ir.Value) -> ir.FloatingValue:
    import ibis

    number = value.cast("float64")
    return finite(number).ifelse(number.abs(), ibis.null("float64"))


def _scale(mean: float | None) -> float:
    return min(1.0, mean) if mean is not None and math.isfinite(mean) and mean > 0 else 1.0


def _family(value: ir.Value) -> str:
    kind = kind_of(value.type())
    return "number" if kind == "integer" else kind
