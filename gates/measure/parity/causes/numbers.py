"""Numbers: another scale or unit, an offset, another time zone's hour of the day, rounding.

A hypothesis h fits a pair where h(a) equals b as the plan counts equality, and where what is left is at most LEFT of the
change: noise of one size is no offset.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gates.inputs.tables import row
from gates.measure.parity.causes.hypotheses import LINE, VALUE, Claim, Code, Detail, Hypothesis
from gates.measure.parity.causes.rows import Rows, most_frequent
from gates.measure.parity.compare import finite

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    Change = Callable[[ir.FloatingValue], ir.FloatingValue]

LEFT = 0.01
ARITHMETIC = 1e-11  # relative: what is lost in computing h(a)
WHOLE = 2.0**53
MOST_STEPS = 1e9
DISTINCT = 5  # values of a straight line that is no mapping of categories
BITS = (8, 11, 24)  # of the significand: bfloat16, float16, float32
CLOCKS = {24.0: 1.0, 1440.0: 60.0}  # hours or minutes of the day: the length of the day, and of an hour


def number_claims(rows: Rows) -> Iterator[Claim]:
    """Yield hypotheses about a feature of numbers."""
    t = rows.table
    apart = (t.y - t.x).abs()
    seen = row(
        t.aggregate(
            factor=_median(t.y / t.x.nullif(0.0)),
            offset=_median(t.y - t.x),
            slope=_median((t.y - t.other_y) / (t.x - t.other_x).nullif(0.0)),
            values=t.x.nunique(),
            low=t.x.min(),
            high=t.x.max(),
            step=_nearly_all(apart),
            part=_nearly_all(apart / _ten_below(t.x)),
        )
    )
    yield from _changed(rows, seen)
    yield from _rounded(rows, seen)
    yield from _hours(rows, seen)


def _changed(rows: Rows, seen: dict[str, Any]) -> Iterator[Claim]:
    """A factor, an offset, or both; `seen` has the medians, which are exact where one of them explains most rows."""
    lines: list[tuple[Code, Detail, Change]] = []
    if _usable(factor := seen["factor"]) and factor:
        lines.append(("scale_or_unit", {"factor": factor}, lambda x: x * factor))
    if _usable(offset := seen["offset"]):
        lines.append(("offset", {"offset": offset}, lambda x: x + offset))
    if _usable(slope := seen["slope"]) and slope and seen["values"] >= DISTINCT:
        constant = row(rows.table.aggregate(constant=_median(rows.table.y - rows.table.x * slope)))["constant"]
        if _usable(constant):
            line: Detail = {"factor": slope, "offset": constant}
            lines.append(("scale_or_unit", line, lambda x: x * slope + constant))
    for code, detail, change in lines:
        # A factor and an offset in one are more general than either alone.
        hypothesis = Hypothesis(code, LINE if len(detail) == 2 else VALUE, detail)
        yield _claim(rows, hypothesis, lambda x, y, h=change: _fits(rows, x, y, h(x)))  # type: ignore[misc]


def _median(value: ir.FloatingValue) -> Any:
    return _finite(value).median()


def _nearly_all(value: ir.FloatingValue) -> Any:
    return _finite(value).quantile(0.9)


def _finite(value: ir.FloatingValue) -> ir.FloatingValue:
    import ibis

    return finite(value).ifelse(value, ibis.null("float64"))


def _usable(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _claim(rows: Rows, hypothesis: Hypothesis, fits: Callable[[ir.Value, ir.Value], ir.BooleanValue]) -> Claim:
    t = rows.table
    return Claim(hypothesis, fits(t.x, t.y).fill_null(False), fits(t.x, t.other_y).fill_null(False))


def _fits(rows: Rows, a: ir.FloatingValue, b: ir.FloatingValue, changed: ir.FloatingValue) -> ir.BooleanValue:
    import ibis

    left = (changed - b).abs()
    computed = left <= ARITHMETIC * ibis.greatest(a.abs(), b.abs(), changed.abs())
    close = (computed & (b.abs() < WHOLE)) | rows.same(changed, b)
    return close & (left <= LEFT * (changed - a).abs())


def _rounded(rows: Rows, seen: dict[str, Any]) -> Iterator[Claim]:
    """One side lies on a grid that the other does not, and less than a step away.

    Nine of ten rows are within `step`, or within `part` of their power of ten: the grid's step is the power above it, or
    the next.
    """
    grids: list[tuple[str, int, float | None, Callable[[ir.FloatingValue], ir.FloatingValue]]] = []
    for extra in (0, 1):
        if _usable(seen["step"]) and 1e-300 < seen["step"] < 1e300:
            size = math.ceil(math.log10(seen["step"])) + extra
            grids.append(("decimals", -size, 10.0**size, lambda x: x))
        if _usable(seen["part"]) and 1e-15 < seen["part"] < 1:
            digits = 1 - math.ceil(math.log10(seen["part"])) - extra
            if digits > 0:
                grids.append(("digits", digits, None, lambda x, k=digits: _ten_below(x) * 10.0 ** (1 - k)))  # type: ignore[misc]
    grids.extend(("bits", bits, None, lambda x, k=bits: _two_below(x) * 2.0 ** (1 - k)) for bits in BITS)  # type: ignore[misc]
    for word, size, fixed, step_of in grids:
        for side in ("online", "offline"):

            def fits(
                x: Any, y: Any, side: str = side, fixed: float | None = fixed, step_of: Any = step_of
            ) -> ir.BooleanValue:
                fine, coarse = (x, y) if side == "online" else (y, x)
                return _on_grid(fine, coarse, fixed if fixed is not None else step_of(fine))

            yield _claim(rows, Hypothesis("rounding_or_precision", VALUE, {word: size, "side": side}), fits)


def _on_grid(fine: ir.FloatingValue, coarse: ir.FloatingValue, step: Any) -> ir.BooleanValue:
    import ibis

    steps = coarse / step
    steps = (steps.abs() < MOST_STEPS).ifelse(steps, ibis.null("float64"))  # engines round to whole numbers of 64 bits
    on = (steps - steps.round()).abs() <= ibis.greatest(1e-6, 1e-9 * steps.abs())
    return on & ((fine - coarse).abs() < step * (1 - 1e-6))


def _ten_below(x: ir.FloatingValue) -> ir.FloatingValue:
    import ibis

    return ibis.literal(10.0) ** x.abs().nullif(0.0).log10().floor()


def _two_below(x: ir.FloatingValue) -> ir.FloatingValue:
    import ibis

    return ibis.literal(2.0) ** x.abs().nullif(0.0).log2().floor()


def _hours(rows: Rows, seen: dict[str, Any]) -> Iterator[Claim]:
    """The hour or minute of the day, read on a clock elsewhere: a shift that runs round, of two amounts in summer time."""
    a, b = rows.table.x, rows.table.y
    if not _usable(seen["low"]) or seen["low"] < 0:
        return
    for day, hour in CLOCKS.items():
        if seen["high"] >= day:
            continue
        shifts = [shift for shift in most_frequent((b - a + day) % day) if shift % hour in (0.0, hour / 2, hour / 4)]
        if not shifts:
            continue
        first = shifts[0]
        second = next((value for value in shifts[1:] if abs(abs(value - first) % day) in (hour, day - hour)), None)
        chosen = [first] if second is None else [first, second]
        hours = [(value if value <= day / 2 else value - day) / hour for value in chosen]
        detail: Detail = {"hours": hours[0]} if second is None else {"hours": hours[0], "or_hours": hours[1]}

        def fits(x: Any, y: Any, chosen: list[float] = chosen, day: float = day) -> ir.BooleanValue:
            return ((y - x + day) % day).isin(chosen) & (y >= 0) & (y < day)

        yield _claim(rows, Hypothesis("time_zone", VALUE, detail), fits)
        return
