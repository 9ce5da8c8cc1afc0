"""The pairs in which features differ: joined once, kept, and stacked, so that what is asked of one is asked of all.

Nearly all values of two tables are the very same, which is told quickly; tolerances and causes are a matter of the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, cast

from gates.inputs.tables import arrow, forget, keep, scalar
from gates.inputs.values import absent, moment
from gates.measure.parity.compare import Feature, equal
from gates.measure.sums import double

if TYPE_CHECKING:
    import ibis.expr.types as ir

SHARE = 10
"""Where more than one pair in so many differs in some feature, the pairs are not copied to be counted."""

LEAST = 100_000
"""So many pairs are copied in any case."""


@dataclass(frozen=True)
class Stack:
    """The mismatching values of features of one form, one below the other; see `apart` on whether they are computed yet.

    Attributes
    ----------
    table: `f` (the feature's number), `scale` (the feature's), `draw` (text, unique in a feature: a hash of the key), `e0`,
    `e1`, ... (the key), `a` (offline) and `b` (online). features: by their number in `f`.
    """

    table: ir.Table
    features: Mapping[int, Feature]

    def of(self, features: Iterable[int]) -> Stack:
        """Return the stack of some of the features."""
        kept = {f: self.features[f] for f in features}
        if len(kept) == len(self.features):
            return self
        return Stack(self.table.filter(self.table.f.isin(list(kept))), kept)


@dataclass(frozen=True)
class Differ:
    """How many pairs of a feature differ; of these, in how many it is null or NaN on one side alone."""

    rows: int
    absent_offline: int
    absent_online: int


NOWHERE = Differ(0, 0, 0)


@dataclass(frozen=True)
class Apart:
    """Where two tables differ.

    Attributes
    ----------
    differ: by feature; only those that do.
    """

    stacks: tuple[Stack, ...]
    differ: Mapping[str, Differ]


def unlike(pairs: ir.Table, key: int, features: Sequence[Feature], rows: int) -> ir.Table | None:
    """Copy the pairs in which a feature is not the very same; None where they are too many, and nothing is copied then.

    Parameters
    ----------
    pairs: the inner join, as of `compare.pair`. key: how many columns it has. rows: how many pairs there may be.
    """
    most = max(LEAST, rows // SHARE)
    same = reduce(and_, (_same(pairs, feature) for feature in features))
    found = keep(_columns(pairs.filter(~same), key, features).limit(most + 1))
    if int(scalar(found.count())) <= most:
        return found
    forget(found)
    return None


def differing(pairs: ir.Table, key: int, features: Sequence[Feature], tolerance: float) -> ir.Table:
    """Copy the pairs in which any of the features differs. Parameters as of `unlike`."""
    same = reduce(and_, (equal(pairs, feature, tolerance) for feature in features))
    return keep(_columns(pairs.filter(~same), key, features))


def apart(found: ir.Table, key: int, features: Sequence[Feature], tolerance: float, *, few: bool) -> Apart:
    """Stack the features by their forms, and count.

    Parameters
    ----------
    found: as of `unlike` or `differing`, of these features at least.
    few: the values that mismatch are copied, and not found again each time that they are looked at.
    """
    forms: dict[Any, list[Feature]] = {}
    for feature in features:
        types = str(found[feature.left].type()), str(found[feature.right].type())
        forms.setdefault((repr(replace(feature, name="", index=0, scale=1.0, values=0)), types), []).append(feature)
    stacks = tuple(_stack(found, key, group, tolerance, few=few) for group in forms.values())
    return Apart(stacks, {name: differ for stack in stacks for name, differ in _differ(stack).items()})


def same_in_stack(feature: Feature, a: ir.Value, b: ir.Value, scale: ir.Value, tolerance: float) -> ir.BooleanValue:
    """Say whether two values are equal as those of a feature of this form are, on the scale of the row; never null."""
    scaled = replace(feature, scale=cast("float", scale))
    return equal(cast("ir.Table", {feature.left: a, feature.right: b}), scaled, tolerance)


def as_text(value: ir.Value) -> ir.StringValue:
    """A key's value as text that is the same on every engine."""
    if value.type().is_timestamp():
        return moment(value).epoch_seconds().cast("string")
    return value.cast("string").fill_null("")


def _same(pairs: ir.Table, feature: Feature) -> ir.BooleanValue:
    """What is the very same is equal under every tolerance."""
    left, right = pairs[feature.left], pairs[feature.right]
    return left.identical_to(right) if left.type() == right.type() else equal(pairs, feature, 0.0)


def _columns(pairs: ir.Table, key: int, features: Sequence[Feature]) -> ir.Table:
    names = [name for feature in features for name in (feature.left, feature.right)]
    return pairs.select(*[f"l{index}" for index in range(key)], *names)


def _stack(found: ir.Table, key: int, features: Sequence[Feature], tolerance: float, *, few: bool) -> Stack:
    import ibis

    values = [
        ibis.struct(
            {
                "f": ibis.literal(feature.index, "int64"),
                # A bare number would be a decimal, and be cast in every row.
                "scale": double(feature.scale),
                "a": found[feature.left],
                "b": found[feature.right],
            }
        )
        for feature in features
    ]
    names = {f"e{index}": found[f"l{index}"] for index in range(key)}
    one = found.select(**names, one=ibis.array(values).unnest())
    table = one.select(*names, **{name: one.one[name] for name in ("f", "scale", "a", "b")})
    known = {feature.index: feature for feature in features}
    table = table.filter(~same_in_stack(features[0], table.a, table.b, table.scale, tolerance))
    table = keep(table) if few else table
    # Not before the filter, which leaves few of the values that are stacked.
    text = ibis.literal("\x1f").join([as_text(table[name]) for name in names])
    table = table.mutate(draw=text.hexdigest("md5"))
    return Stack(table, known)


def _differ(stack: Stack) -> dict[str, Differ]:
    table = stack.table
    left, right = absent(table.a), absent(table.b)
    counted = table.group_by("f").aggregate(
        rows=table.count(), offline=table.f.count(where=left & ~right), online=table.f.count(where=right & ~left)
    )
    return {
        stack.features[line["f"]].name: Differ(line["rows"], line["offline"], line["online"])
        for line in arrow(counted).to_pylist()
    }
