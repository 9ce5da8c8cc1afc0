"""Dates and timestamps: another time zone, a constant shift, a coarser clock, the day read as the month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.inputs.values import moment
from gates.measure.parity.causes.hypotheses import EXCHANGED, GRID, VALUE, Claim, Detail
from gates.measure.parity.causes.rows import Rows, halved, most_frequent, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import ibis.expr.types as ir

HOUR = 3600.0
WIDEST = 14 * HOUR
"""Time zones lie up to 14 hours from UTC, by quarters of an hour (Kiritimati, Chatham)."""

UNITS = {"second": 1.0, "minute": 60.0, "hour": HOUR, "day": 24 * HOUR}


def moment_claims(rows: Rows, pairs: ir.Table) -> tuple[Rows, list[Claim]]:
    """Return hypotheses about features of dates or timestamps, and the rows with the constants that they speak of.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`.
    """
    found = most_frequent(rows, rows.table.y - rows.table.x)
    zones = {f: zone_of(shifts) for f, each in found.items() if (shifts := [s for s in each if zone_like(s)])}
    offsets = {f: shifts[0] for f, shifts in found.items() if shifts and not zone_like(shifts[0])}
    rows = rows.with_constants(
        {
            "first": {f: chosen[0] for f, (chosen, _) in zones.items()},
            "second": {f: chosen[-1] for f, (chosen, _) in zones.items()},
            "shift": offsets,
        }
    )
    t = rows.table
    shift, other = t.y - t.x, t.other_y - t.x

    def either(value: ir.FloatingValue) -> ir.BooleanValue:
        return ((value == t["first"]) | (value == t.second)).fill_null(False)

    claims = [
        Claim("time_zone", VALUE, {f: detail for f, (_, detail) in zones.items()}, either(shift), either(other)),
        Claim(
            "offset",
            VALUE,
            {f: {"seconds": seconds} for f, seconds in offsets.items()},
            (shift == t["shift"]).fill_null(False),
            (other == t["shift"]).fill_null(False),
        ),
        Claim(
            "type_or_encoding",
            VALUE,
            dict.fromkeys(rows.features, EXCHANGED),
            _exchanged(t.a, t.b),
            _exchanged(t.a, t.other_b),
        ),
        *_coarser(rows, pairs, {f: shifts[0] for f, shifts in found.items() if shifts}),
    ]
    return rows, claims


def _exchanged(value: ir.Value, other: ir.Value) -> ir.BooleanValue:
    """Whether the day of one is the month of the other, in the same year and at the same time of day."""
    one, two = moment(value).cast("timestamp"), moment(other).cast("timestamp")
    turned = (one.year() == two.year()) & (one.month() == two.day()) & (one.day() == two.month())
    at_once = (seconds(value) - seconds(other)) % (24 * HOUR) == 0
    return (turned & at_once).fill_null(False)


def zone_like(shift: float) -> bool:
    """Say whether a shift in seconds may be that of a time zone."""
    return shift % (HOUR / 4) == 0 and 0 < abs(shift) <= WIDEST


def zone_of(shifts: Sequence[float]) -> tuple[list[float], Detail]:
    """Return the most frequent shift and, an hour away, the most frequent of summer time; and the detail.

    Parameters
    ----------
    shifts: in seconds, the most frequent first.
    """
    first = shifts[0]
    second = next((shift for shift in shifts[1:] if abs(shift - first) == HOUR), None)
    if second is None:
        return [first], {"hours": first / HOUR}
    return [first, second], {"hours": first / HOUR, "or_hours": second / HOUR}


def _coarser(rows: Rows, pairs: ir.Table, shifts: Mapping[int, float]) -> Iterator[Claim]:
    t = rows.table
    for unit, size in UNITS.items():
        half = halved(rows, pairs, shifts, dict.fromkeys(shifts, size))
        for side, fine, coarse, other in (("online", t.x, t.y, t.other_y), ("offline", t.y, t.x, t.other_x)):
            told: Detail = {"unit": unit, "side": side}
            holds, chance = _cut(fine, coarse, size), _cut(fine, other, size)
            for level, features in ((VALUE, half), (GRID, set(rows.features) - half)):
                if features:
                    yield Claim("rounding_or_precision", level, dict.fromkeys(features, told), holds, chance)


def _cut(fine: ir.FloatingValue, coarse: ir.FloatingValue, unit: float) -> ir.BooleanValue:
    return ((coarse % unit == 0) & ((fine - coarse).abs() < unit)).fill_null(False)
