"""Rows of the holdout with a near twin in training: the same in every feature once numbers are rounded. Called by `gate`.

A number is rounded to significant digits, so that two numbers within half a unit of the last one may still fall on either
side of a border: the figure is a floor. Everything that is no number is compared as it is; null and NaN are one value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gates.measure.census import both_of, census, unmeasured
from gates.measure.data.overlap import twins
from gates.measure.data.scan import kind
from gates.measure.interface import Given
from gates.records import Item, Measurement, Param, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECK = "data.near_duplicates"
UNIT = "ratio"
METHOD = "share of rows of the holdout that a row of the table equals in every feature, numbers rounded"

SMALLEST = 1e-280
"""Numbers nearer to 0 are 0 here: 10^(digits - 1 - exponent) is still a double."""


def near_duplicates(given: Given) -> Iterator[Measurement]:
    """Return the share of rows of the holdout with a near twin in training."""
    digits, features = given.plan.parameters.near_digits, given.plan.columns.features
    params = (Param(name="digits", value=digits),)
    item = Item(kind="table", name="training")
    both = both_of(given, "holdout", "training") if features else Reason.NOT_PROVIDED
    if isinstance(both, Reason):
        yield unmeasured(CHECK, both, unit=UNIT, method=METHOD, item=item, params=params)
        return
    holdout, training = both
    found = rows_with_twins(holdout.table, training.table, features, digits)
    if isinstance(found, Reason):
        yield unmeasured(CHECK, found, unit=UNIT, method=METHOD, item=item, params=params)
        return
    rows = holdout.identity.rows
    yield census(CHECK, found / rows, n=rows, unit=UNIT, method=METHOD, item=item, params=params)


def rows_with_twins(holdout: ir.Table, other: ir.Table, features: tuple[str, ...], digits: int) -> int | Reason:
    """Count rows of the holdout that equal a row of the other table in every feature, numbers to so many digits.

    Returns
    -------
    Reason.COLUMN_MISSING where a feature is absent or of another kind; Reason.KEYS_NOT_UNIQUE where more than a hundredth
    of the holdout's own rows are twins of each other, so that a twin says nothing.
    """
    if any(name not in table.columns for name in features for table in (holdout, other)):
        return Reason.COLUMN_MISSING
    if any(kind(holdout, name) != kind(other, name) for name in features):
        return Reason.COLUMN_MISSING
    ours, theirs = (
        table.select(**{f"k{i}": _rounded(table[name], digits) for i, name in enumerate(features)})
        for table in (holdout, other)
    )
    return twins(ours, theirs)


def _rounded(value: ir.Value, digits: int) -> ir.Value:
    """A number as text of its digits and exponent, the same in every numeric type and engine; other values unchanged."""
    import ibis

    if not value.type().is_numeric():
        return value
    number = value.cast("float64")
    size = number.abs()
    plain = (size >= SMALLEST) & (size < float("inf"))
    # of what is not plain the logarithm is never taken
    safe = plain.ifelse(size, 1.0)
    exponent = safe.log10().floor()
    whole = (safe * ibis.literal(10.0).pow(digits - 1 - exponent) + 0.5).floor()
    carried = whole >= 10.0**digits
    shown = carried.ifelse(whole / 10, whole).cast("int64").cast("string")
    power = (exponent + carried.ifelse(1, 0)).cast("int64").cast("string")
    sign = (number < 0).ifelse("-", "")
    return ibis.cases(
        (number.isnull() | number.isnan(), ibis.null("string")),
        (size < SMALLEST, "0"),
        (size == float("inf"), sign + "inf"),
        else_=sign + shown + "e" + power,
    )
