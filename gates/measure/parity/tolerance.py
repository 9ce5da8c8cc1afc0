"""When two values count as the same: numbers by a tolerance, arrays element by element, texts as they are or in NFC.

Called by `compare`. Every expression is of doubles and gives the same answer on every engine.
"""

from __future__ import annotations

import math
from functools import cache, reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from gates.inputs.profile import kind_of
from gates.inputs.values import is_moment, moment
from gates.measure.sums import double
from gates.records.plan import Alike

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import ibis.expr.types as ir

    Same = Callable[[ir.Value, ir.Value], ir.BooleanValue]


def close(a: ir.FloatingValue, b: ir.FloatingValue, rules: Sequence[Alike], *, single: bool) -> ir.BooleanValue:
    """Say whether two numbers are as near as every rule wants; null where one is, false for NaN and infinities.

    Parameters
    ----------
    rules: at least one, each with something about numbers. single: units in the last place are of single precision.
    """
    import ibis

    distance, size = (a - b).abs(), ibis.greatest(a.abs(), b.abs())
    return reduce(and_, (_within(distance, size, rule, single=single) for rule in rules))


def near(a: ir.FloatingValue, b: ir.FloatingValue, tolerance: float, scale: float) -> ir.BooleanValue:
    """Say whether |a - b| <= tolerance * (scale + max(|a|, |b|)); null where one is, false for infinities."""
    import ibis

    reach = tolerance * (scale + ibis.greatest(a.abs(), b.abs()))
    # |inf - 5| <= inf is true, and NaN is above infinity: a finite reach is one of finite numbers
    return ((a - b).abs() <= reach) & (reach < math.inf)


def _within(distance: ir.FloatingValue, size: ir.FloatingValue, rule: Alike, *, single: bool) -> ir.BooleanValue:
    reach = double(rule.absolute or 0.0) + double(rule.relative or 0.0) * size
    found = distance <= reach
    if rule.ulp is not None:
        found |= distance <= rule.ulp * last_place(size, single=single)
    return found & (size < math.inf)


def last_place(size: ir.FloatingValue, *, single: bool) -> ir.FloatingValue:
    """Return the distance to the next larger number of the same precision, of a finite number of at least 0.

    By four roundings to nearest instead of a logarithm, which is wrong beside powers of two: Rump, Ogita and Oishi,
    Accurate floating-point summation part I (2008), algorithm 3.5 for the unit in the first place.
    """
    import ibis

    large = size > double(2.0**900)
    scaled = large.ifelse(size * double(2.0**-200), size)
    product = scaled * double(2.0**52 + 1)
    first = (product - double(1 - 2.0**-53) * product).abs()
    digits, least = (23, 2.0**-149) if single else (52, 2.0**-1074)
    place = large.ifelse(first * double(2.0**-digits) * double(2.0**200), first * double(2.0**-digits))
    return ibis.greatest(place, double(least))


def same_elements(left: ir.ArrayValue, right: ir.ArrayValue, same: Same) -> ir.BooleanValue:
    """Say whether two arrays are both null, or as long as each other with the same elements in their places."""
    unlike = left.zip(right).filter(lambda pair: ~same(pair.f1, pair.f2)).length() == 0
    return (left.isnull() & right.isnull()) | ((left.length() == right.length()) & unlike).fill_null(False)


def same_value(left: ir.Value, right: ir.Value) -> ir.BooleanValue:
    """Say whether two values are the same, whatever types of one kind hold them; never null.

    Objects are compared name by name, lists place by place, times as instants; anything else by how it is written.
    """
    types = left.type(), right.type()
    if types[0] == types[1]:
        return left.identical_to(right)
    if all(kind.is_struct() for kind in types) and set(types[0].names) == set(types[1].names):
        parts = [same_value(left[name], right[name]) for name in types[0].names]
        both = left.notnull() & right.notnull() & reduce(and_, parts)
        return (left.isnull() & right.isnull()) | both
    if all(kind.is_array() for kind in types):
        return same_elements(left, right, same_value)
    if is_moment(left) and is_moment(right):
        return moment(left).identical_to(moment(right))
    if all(kind.is_integer() for kind in types):
        return left.identical_to(right)
    if all(kind.is_numeric() or kind.is_boolean() for kind in types):
        return left.cast("float64").identical_to(right.cast("float64"))
    if kind_of(types[0]) != kind_of(types[1]):
        return left.isnull() & right.isnull()
    return left.cast("string").identical_to(right.cast("string"))


def normal_form(text: ir.StringValue) -> ir.StringValue:
    """Return a text in Unicode's normalisation form C."""
    engine: Any = text.as_table().get_backend().name
    normalised: ir.StringValue = _engines_own()(text) if engine == "duckdb" else _python()(text)
    return normalised


@cache
def _engines_own() -> Any:
    import ibis

    @ibis.udf.scalar.builtin(name="nfc_normalize", signature=(("string",), "string"))
    def normalise(text): ...  # type: ignore[no-untyped-def]

    return normalise


@cache
def _python() -> Any:
    import ibis

    @ibis.udf.scalar.python(signature=(("string",), "string"))
    def to_form_c(text):  # type: ignore[no-untyped-def]
        import unicodedata

        return None if text is None else unicodedata.normalize("NFC", text)

    return to_form_c
