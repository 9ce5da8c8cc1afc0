"""Two tables side by side: a full outer join on the key, and what makes two values of a feature equal.

Two values are equal when they are the same (null and null, NaN and NaN, infinities of one sign), or when both are
finite numbers, not both whole (whatever type holds them), and |a - b| <= t * (s + max(|a|, |b|)), with s = min(1, mean
|a|) of the offline table's finite values: a feature measured in millionths is compared in its own scale. Where the
policy has a rule for the feature (`records.plan.Alike`) it takes the place of this one, for whole numbers too; a rule of
the spec must hold besides. Arrays of numbers are compared element by element, times as instants to the microsecond, texts
as they are. Null against NaN is a mismatch, and so are values of different kinds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Literal

from gates.inputs.profile import kind_of
from gates.inputs.tables import row, scalar
from gates.inputs.values import absent, finite, is_moment, is_whole, moment
from gates.measure.parity.tolerance import close, near, normal_form, same_elements, same_value
from gates.plan.guess import Kind
from gates.records.plan import Alike

if TYPE_CHECKING:
    import ibis.expr.types as ir

NUMBERS = ("integer", "number", "bool")

Side = Literal["offline", "online"]


@dataclass(frozen=True)
class Feature:
    """A feature that both tables have.

    Attributes
    ----------
    left, right: its columns in the pairs. moments: both sides are dates or timestamps.
    elements: both sides are arrays of numbers. whole: both are of whole numbers. single: a side is of single precision.
    scale: s of the module's docstring. values: rows of the offline table that have one, neither null nor NaN.
    rules: the policy's of this feature, in place of the default tolerance. stricter: what the spec wants besides.
    nfc: texts are compared in Unicode's normalisation form C.
    """

    name: str
    index: int
    offline: Kind
    online: Kind
    moments: bool
    scale: float = 1.0
    elements: bool = False
    whole: bool = False
    single: bool = False
    values: int = 0
    rules: tuple[Alike, ...] = ()
    stricter: tuple[Alike, ...] = ()
    nfc: bool = False

    @property
    def left(self) -> str:
        return f"a{self.index}"

    @property
    def right(self) -> str:
        return f"b{self.index}"

    @property
    def numeric(self) -> bool:
        return self.offline in NUMBERS and self.online in NUMBERS


def shared_features(
    names: Sequence[str], offline: ir.Table, online: ir.Table, rules: Sequence[Alike] = (), extra: Sequence[Alike] = ()
) -> list[Feature]:
    """Return the features that both tables have, with the scale of each.

    Parameters
    ----------
    rules, extra: the policy's and the spec's, of any features.
    """
    found = [
        _feature(name, index, offline[name], online[name], rules, extra)
        for index, name in enumerate(dict.fromkeys(names))
        if name in offline.columns and name in online.columns
    ]
    plain, careful = _sizes(offline, found, plain=True), _sizes(offline, found, plain=False)
    seen = row(offline.aggregate(**plain)) if found else {}
    # Only a mean of finite numbers is finite: of the others, what there is is counted without NaN and infinities.
    again = {name for f in found if not math.isfinite(seen.get(f.left) or 0) for name in (f.left, f"v{f.index}")}
    if again:
        seen |= row(offline.aggregate(**{name: careful[name] for name in again}))
    for feature in found:
        if feature.elements and not feature.rules:
            elements = offline.select(value=offline[feature.name].unnest())
            seen[feature.left] = scalar(_magnitude(elements.value).mean())
    return [replace(f, scale=_scale(seen.get(f.left)), values=int(seen[f"v{f.index}"] or 0)) for f in found]


def _sizes(offline: ir.Table, features: Sequence[Feature], *, plain: bool) -> dict[str, ir.Scalar]:
    """Ask for the mean magnitude of each feature of real numbers, and how many rows have a value of each."""
    found: dict[str, ir.Scalar] = {}
    for feature in features:
        value = offline[feature.name]
        if feature.offline == "number":
            found[feature.left] = (value.cast("float64").abs() if plain else _magnitude(value)).mean()
        found[f"v{feature.index}"] = value.count() if plain else (~absent(value)).sum()
    return found


def _feature(
    name: str, index: int, left: ir.Value, right: ir.Value, rules: Sequence[Alike], extra: Sequence[Alike]
) -> Feature:
    types = (left.type(), right.type())
    elements = [kind.value_type if kind.is_array() else kind for kind in types]
    own = tuple(rule for rule in rules if rule.feature == name)
    return Feature(
        name,
        index,
        kind_of(types[0]),
        kind_of(types[1]),
        moments=is_moment(left) and is_moment(right),
        elements=all(kind.is_array() for kind in types) and all(kind.is_numeric() for kind in elements),
        whole=all(kind.is_integer() or (kind.is_decimal() and kind.scale == 0) for kind in elements),
        single=any(kind.is_float32() or kind.is_float16() for kind in elements),
        rules=tuple(rule for rule in own if rule.numeric),
        stricter=tuple(rule for rule in extra if rule.feature == name and rule.numeric),
        nfc=any(rule.text == "nfc" for rule in own) and all(kind.is_string() for kind in types),
    )


def pair(
    offline: ir.Table,
    online: ir.Table,
    key: Sequence[str],
    features: Sequence[Feature],
    beside: Mapping[str, tuple[Side, str]] | None = None,
    *,
    how: Literal["outer", "inner", "anti"] = "outer",
) -> ir.Table:
    """Return the full outer join: a0, b0, a1, b1, ... and the flags `in_offline` and `in_online`.

    A key with a null finds no partner.

    Parameters
    ----------
    beside: further columns by their name in the pairs: of which table, and its name there.
    how: `inner`: what has a partner; `anti`: what offline has alone, without the columns of online.
    """
    import ibis

    sides: dict[Side, dict[str, ir.Value]] = {
        "offline": {
            **{f"l{index}": offline[name] for index, name in enumerate(key)},
            **{feature.left: offline[feature.name] for feature in features},
        },
        "online": {
            **{f"r{index}": online[name] for index, name in enumerate(key)},
            **{feature.right: online[feature.name] for feature in features},
        },
    }
    for name, (side, column) in (beside or {}).items():
        sides[side][name] = (offline if side == "offline" else online)[column]
    left = offline.select(**sides["offline"], in_offline=ibis.literal(value=True))
    right = online.select(**sides["online"], in_online=ibis.literal(value=True))
    return left.join(right, [left[f"l{index}"] == right[f"r{index}"] for index in range(len(key))], how=how)


def both_sides(pairs: ir.Table) -> ir.BooleanValue:
    return pairs.in_offline.notnull() & pairs.in_online.notnull()


def equal(pairs: ir.Table, feature: Feature, tolerance: float) -> ir.BooleanValue:
    """Say whether the two values of a feature are equal; never null.

    Parameters
    ----------
    tolerance: of numbers, where the feature has no rules of its own.
    """
    left, right = pairs[feature.left], pairs[feature.right]
    if feature.moments:  # with and without a zone they are instants; without one the time is UTC
        return moment(left).identical_to(moment(right))
    if feature.elements:
        return same_elements(left, right, lambda a, b: _numbers(a, b, feature, tolerance))
    if left.type() != right.type() and (left.type().is_nested() or right.type().is_nested()):
        return same_value(left, right)
    if feature.numeric and (feature.offline != feature.online or feature.offline != "bool"):
        return _numbers(left, right, feature, tolerance)
    if feature.offline != feature.online:
        return left.isnull() & right.isnull()
    if feature.nfc:
        return normal_form(left).identical_to(normal_form(right))
    return same_value(left, right)


def _numbers(left: ir.Value, right: ir.Value, feature: Feature, tolerance: float) -> ir.BooleanValue:
    import ibis

    if feature.whole and not feature.rules:
        return left.identical_to(right)
    a, b = left.cast("float64"), right.cast("float64")
    wanted = [] if feature.rules else [near(a, b, tolerance, feature.scale) & ~_both_whole(a, b, single=feature.single)]
    if rules := (*feature.rules, *feature.stricter):
        wanted.append(close(a, b, rules, single=feature.single))
    # Whole numbers beyond 2^53 are the same double as their neighbours.
    same = left.identical_to(right) if feature.whole else a.identical_to(b)
    # Not by "or", which would compute the distance of values that are the same, and nearly all are.
    return same.ifelse(ibis.literal(value=True), reduce(and_, wanted).fill_null(False))


def _both_whole(a: ir.FloatingValue, b: ir.FloatingValue, *, single: bool) -> ir.BooleanValue:
    """Whether these are whole numbers that doubles hold, such as of a column with a null; beyond, every double is whole."""
    most = 2.0**24 if single else 2.0**53
    return is_whole(a, most) & is_whole(b, most)


def _magnitude(value: ir.Value) -> ir.FloatingValue:
    import ibis

    number = value.cast("float64")
    return finite(number).ifelse(number.abs(), ibis.null("float64"))


def _scale(mean: float | None) -> float:
    return min(1.0, mean) if mean is not None and math.isfinite(mean) and mean > 0 else 1.0
