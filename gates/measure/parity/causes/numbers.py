"""Numbers: another scale or unit, an offset, another time zone's hour of the day, rounding, dates written as numbers.

A hypothesis h fits a pair where h(a) equals b as the plan counts equality, and where what is left is at most LEFT of the
change: noise of one size is no offset.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gates.inputs.values import finite
from gates.measure.parity.causes.hypotheses import EXCHANGED, GRID, LINE, VALUE, Claim, Code, Detail
from gates.measure.parity.causes.rows import Rows, by_feature, by_number, halved, in_part, most_frequent
from gates.measure.sums import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import ibis.expr.types as ir

    Fits = Callable[[ir.FloatingValue, ir.FloatingValue], ir.BooleanValue]
    Seen = dict[int, dict[str, Any]]

LEFT = 0.01
ARITHMETIC = 1e-11  # relative: what is lost in computing h(a)
WHOLE = 2.0**53
MOST_STEPS = 1e9  # beyond, the distance to a whole number says nothing
DISTINCT = 5  # values of a straight line that is no mapping of categories
BITS = (8, 11, 24)  # of the significand: bfloat16, float16, float32
EPOCHS = (1.0, 1e3, 1e6, 1e9)  # of a second
EPOCH = (1e8, 4.2e9)  # seconds since 1970, from 1973 to 2103
DATES = (1e7, 1e8)  # of eight digits: year, month and day
MOST_HOURS = 26  # from one time zone to another
CLOCKS = {24.0: 1.0, 1440.0: 60.0}  # hours or minutes of the day: the length of the day, and of an hour


def number_claims(rows: Rows, pairs: ir.Table) -> tuple[Rows, list[Claim]]:
    """Return hypotheses about features of numbers, and the rows with the constants that they speak of.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`.
    """
    t = rows.table
    apart = (t.y - t.x).abs()
    seen = by_number(
        t.group_by("f").aggregate(
            factor=_finite(t.y / t.x.nullif(0.0)).median(),
            offset=_finite(t.y - t.x).median(),
            slope=_finite((t.y - t.other_y) / (t.x - t.other_x).nullif(0.0)).median(),
            values=t.x.nunique(),
            low=t.x.min(),
            high=t.x.max(),
            step=_finite(apart).quantile(0.9),
            gap=_finite(apart).median(),
            part=_finite(apart / _ten_below(t.x)).quantile(0.9),
        )
    )
    constants = {name: {f: _usable(one[name]) for f, one in seen.items()} for name in ("factor", "offset")}
    constants["slope"] = {f: _usable(one["slope"]) if one["values"] >= DISTINCT else None for f, one in seen.items()}
    constants["constant"] = _constants(rows, constants["slope"])
    steps = {f: _step(one["step"]) for f, one in seen.items()}
    digits = {f: _digits(one["part"]) for f, one in seen.items()}
    for more in (0, 1):
        constants[f"step{more}"] = {f: None if size is None else 10.0 ** (size + more) for f, size in steps.items()}
        constants[f"part{more}"] = {
            f: None if size is None or size <= more else 10.0 ** (1 - size + more) for f, size in digits.items()
        }
    constants["gap"] = _gaps(rows, pairs, seen)
    clocks = _clocks(rows, seen)
    constants |= {name: {f: clock[name] for f, clock in clocks.items()} for name in ("day", "first", "second")}
    rows = rows.on(t.mutate(**_powers(t))).with_constants(constants)
    offsets = {f: value for f, value in constants["offset"].items() if value is not None}
    half = halved(rows, pairs, offsets, {f: 10.0**size for f, size in steps.items() if size is not None})
    claims = [*_changed(rows, constants, _zones(seen, offsets)), *_rounded(rows, steps, digits, half)]
    claims += [
        *_rounded_otherwise(rows, constants["gap"]),
        *_unsigned(rows, pairs, constants["factor"]),
        *_dates(rows, seen),
    ]
    if clocks:
        claims.append(_hours(rows, clocks))
    return rows, claims


def _constants(rows: Rows, slopes: Mapping[int, float | None]) -> dict[int, float | None]:
    """What is left when the slope is taken out, in the median."""
    known = {f: slope for f, slope in slopes.items() if slope}
    if not known:
        return {}
    t = rows.table
    found = by_number(t.group_by("f").aggregate(constant=_finite(t.y - t.x * by_feature(t.f, known)).median()))
    return {f: _usable(one["constant"]) for f, one in found.items() if f in known}


def _zones(seen: Seen, offsets: Mapping[int, float]) -> dict[int, Detail]:
    """Of instants that are held as numbers, such as seconds since 1970: hours, where the offset is one of time zones."""
    found: dict[int, Detail] = {}
    for f, offset in offsets.items():
        low, high = seen[f]["low"], seen[f]["high"]
        for unit in EPOCHS:
            hours = offset / unit / 3600
            instants = low is not None and EPOCH[0] * unit <= low and high <= EPOCH[1] * unit
            if instants and hours and abs(hours) <= MOST_HOURS and (4 * hours).is_integer():
                found[f] = {"hours": hours}
    return found


def _changed(
    rows: Rows, constants: Mapping[str, Mapping[int, float | None]], zones: Mapping[int, Detail]
) -> Iterator[Claim]:
    """A factor, an offset, or both: medians, which are exact where one of them explains most rows."""
    t = rows.table
    factors, offsets, slopes, rest = (constants[name] for name in ("factor", "offset", "slope", "constant"))
    # A few hours are so small beside instants that a factor fits them too.
    factor: dict[int, Detail] = {f: {"factor": value} for f, value in factors.items() if value and f not in zones}
    offset: dict[int, Detail] = {
        f: {"offset": value} for f, value in offsets.items() if value is not None and f not in zones
    }
    line: dict[int, Detail] = {
        f: {"factor": slope, "offset": value} for f, value in rest.items() if value is not None and (slope := slopes[f])
    }
    yield _claim(rows, "scale_or_unit", VALUE, factor, lambda x, y: _fits(rows, x, y, x * t.factor))
    yield _claim(rows, "offset", VALUE, offset, lambda x, y: _fits(rows, x, y, x + t.offset))
    if zones:
        yield _claim(rows, "time_zone", VALUE, zones, lambda x, y: _fits(rows, x, y, x + t.offset))
    # A factor and an offset in one are more general than either alone.
    yield _claim(rows, "scale_or_unit", LINE, line, lambda x, y: _fits(rows, x, y, x * t.slope + t.constant))


def _claim(rows: Rows, code: Code, level: float, details: Mapping[int, Detail], fits: Fits) -> Claim:
    t = rows.table
    return Claim(code, level, details, fits(t.x, t.y).fill_null(False), fits(t.x, t.other_y).fill_null(False))


def _fits(rows: Rows, a: ir.FloatingValue, b: ir.FloatingValue, changed: ir.FloatingValue) -> ir.BooleanValue:
    import ibis

    left = (changed - b).abs()
    computed = left <= ARITHMETIC * ibis.greatest(a.abs(), b.abs(), changed.abs())
    close = (computed & (b.abs() < WHOLE)) | rows.same(changed, b)
    return close & (left <= LEFT * (changed - a).abs())


def _usable(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _finite(value: ir.FloatingValue) -> ir.FloatingValue:
    import ibis

    return finite(value).ifelse(value, ibis.null("float64"))


def _step(apart: float | None) -> int | None:
    """The power of ten above the distance of nine in ten rows."""
    return math.ceil(math.log10(apart)) if apart is not None and 1e-300 < apart < 1e300 else None


def _digits(part: float | None) -> int | None:
    """Digits that are left where nine in ten rows are within that part of their power of ten."""
    return 1 - math.ceil(math.log10(part)) if part is not None and 1e-15 < part < 1 else None


def _rounded(
    rows: Rows, steps: Mapping[int, int | None], digits: Mapping[int, int | None], half: Collection[int]
) -> Iterator[Claim]:
    """One side lies on a grid that the other does not, and less than a step away: that of the distances, or the next.

    Parameters
    ----------
    half: features of which a constant says no more than the grid, see `halved`.
    """
    t = rows.table
    grids: list[tuple[dict[int, dict[str, int]], Callable[[Any], Any]]] = []
    for more in (0, 1):
        decimals = {f: {"decimals": -size - more} for f, size in steps.items() if size is not None}
        kept = {f: {"digits": size - more} for f, size in digits.items() if size is not None and size > more}
        grids.append((decimals, lambda _, more=more: t[f"step{more}"]))  # type: ignore[misc]
        grids.append((kept, lambda x, more=more: t[f"ten_{x.get_name()}"] * t[f"part{more}"]))  # type: ignore[misc]
    for bits in BITS:
        every = {f: {"bits": bits} for f in rows.features}
        grids.append((every, lambda x, bits=bits: t[f"two_{x.get_name()}"] * 2.0 ** (1 - bits)))  # type: ignore[misc]
    for grid, step in grids:
        for side in ("online", "offline"):
            told: dict[int, Detail] = {f: {**detail, "side": side} for f, detail in grid.items()}

            def fits(x: Any, y: Any, side: str = side, step: Any = step) -> ir.BooleanValue:
                fine, coarse = (x, y) if side == "online" else (y, x)
                return _on_grid(fine, coarse, step(fine))

            alike = {f: detail for f, detail in told.items() if f in half}
            for level, details in ((VALUE, alike), (GRID, {f: told[f] for f in told.keys() - alike.keys()})):
                if details:
                    yield _claim(rows, "rounding_or_precision", level, details, fits)


def _on_grid(fine: ir.FloatingValue, coarse: ir.FloatingValue, step: ir.FloatingValue) -> ir.BooleanValue:
    import ibis

    steps = coarse / step
    size = steps.abs()
    on = (steps - nearest(steps)).abs() <= ibis.greatest(1e-6, 1e-9 * size)
    return (size < MOST_STEPS) & on & ((fine - coarse).abs() < step * (1 - 1e-6))


def _gaps(rows: Rows, pairs: ir.Table, seen: Seen) -> dict[int, float | None]:
    """By feature of which some pairs are equal: the usual distance of the others, which may be the step of a grid."""
    gaps = {f: gap for f, one in seen.items() if (gap := _usable(one["gap"]))}
    return {f: gaps[f] for f in in_part(rows, pairs, gaps)}


def _rounded_otherwise(rows: Rows, gaps: Mapping[int, float | None]) -> Iterator[Claim]:
    """Both sides lie on one grid, and where they differ a step of it apart: rounded down, to the nearest, or towards zero.

    In one direction that is an offset of some rows just as well; in the direction of the values' signs it is none.
    """
    t = rows.table
    told: dict[int, Detail] = {f: {"step": gap} for f, gap in gaps.items() if gap is not None}
    if not told:
        return

    def on(value: ir.FloatingValue) -> ir.BooleanValue:
        steps = value / t.gap
        return (steps.abs() < MOST_STEPS) & ((steps - nearest(steps)).abs() <= 1e-6)

    for way in (1.0, -1.0):
        for by_sign in (False, True):

            def fits(x: Any, y: Any, way: float = way, *, by_sign: bool = by_sign) -> ir.BooleanValue:
                moved = (y - x) * (x + y).sign() if by_sign else y - x
                return ((moved * way / t.gap - 1).abs() <= 1e-6) & on(x) & on(y)

            yield _claim(rows, "rounding_or_precision", VALUE, told, fits)


def _unsigned(rows: Rows, pairs: ir.Table, factors: Mapping[int, float | None]) -> Iterator[Claim]:
    """One side is without its sign: -1 explains what differs, and what has that sign already is equal."""
    turned = {f for f, factor in factors.items() if factor is not None and math.isclose(factor, -1.0, rel_tol=1e-9)}
    part = in_part(rows, pairs, turned, zeros=False)
    if not part:
        return
    told: dict[int, Detail] = {f: {"as": "absolute value"} for f in part}
    for sign in (1.0, -1.0):

        def fits(x: Any, y: Any, sign: float = sign) -> ir.BooleanValue:
            return rows.same(-x, y) & (x * sign < 0) & (y * sign > 0)

        yield _claim(rows, "unknown", VALUE, told, fits)


def _dates(rows: Rows, seen: Seen) -> Iterator[Claim]:
    """Dates as numbers of eight digits, of which the day was read as the month."""
    dated = [
        f for f, one in seen.items() if one["low"] is not None and DATES[0] <= one["low"] and one["high"] < DATES[1]
    ]
    if not dated:
        return

    def fits(x: Any, y: Any) -> ir.BooleanValue:
        month, day = (x / 100.0).floor() % 100, x % 100
        exchanged = x + 99 * (day - month)
        return (y == exchanged) & month.between(1, 12) & day.between(1, 12)

    yield _claim(rows, "type_or_encoding", VALUE, dict.fromkeys(dated, EXCHANGED), fits)


def _powers(t: ir.Table) -> dict[str, ir.FloatingValue]:
    """The powers below the values that grids are asked about, computed once: written out each time they are most of a query."""
    below = {"ten": _ten_below, "two": _two_below}
    return {f"{word}_{name}": power(t[name]) for word, power in below.items() for name in ("x", "y", "other_y")}


def _ten_below(x: ir.FloatingValue) -> ir.FloatingValue:
    import ibis

    return ibis.literal(10.0) ** x.abs().nullif(0.0).log10().floor()


def _two_below(x: ir.FloatingValue) -> ir.FloatingValue:
    import ibis

    return ibis.literal(2.0) ** x.abs().nullif(0.0).log2().floor()


def _clocks(rows: Rows, seen: Seen) -> dict[int, dict[str, float | None]]:
    """By feature that may be an hour or a minute of the day: the day's length, the usual shift and that of summer time."""
    t = rows.table
    found: dict[int, dict[str, float | None]] = {}
    for day, hour in CLOCKS.items():
        fitting = [
            f for f, one in seen.items() if f not in found and _usable(one["low"]) is not None and one["low"] >= 0
            if one["high"] < day
        ]  # fmt: skip
        if not fitting:
            continue
        for f, shifts in most_frequent(rows.of(fitting), (t.y - t.x + day) % day).items():
            whole = [shift for shift in shifts if shift % hour in (0.0, hour / 2, hour / 4)]
            if whole:
                first = whole[0]
                near = (value for value in whole[1:] if abs(abs(value - first) % day) in (hour, day - hour))
                found[f] = {"day": day, "first": first, "second": next(near, None)}
    return found


def _hours(rows: Rows, clocks: Mapping[int, Mapping[str, float | None]]) -> Claim:
    """The hour or minute of the day, read on a clock elsewhere: a shift that runs round, of two amounts in summer time."""
    t = rows.table
    details: dict[int, Detail] = {}
    for f, clock in clocks.items():
        day = clock["day"] or 24.0
        told = {}
        for word, name in (("hours", "first"), ("or_hours", "second")):
            if (shift := clock[name]) is not None:
                told[word] = (shift if shift <= day / 2 else shift - day) / CLOCKS[day]
        details[f] = told

    def fits(x: ir.FloatingValue, y: ir.FloatingValue) -> ir.BooleanValue:
        shift = (y - x + t.day) % t.day
        either = (shift == t["first"]).fill_null(False) | (shift == t.second).fill_null(False)
        return either & (y >= 0) & (y < t.day)

    return _claim(rows, "time_zone", VALUE, details, fits)
