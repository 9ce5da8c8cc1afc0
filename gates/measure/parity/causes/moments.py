"""Dates and timestamps: another time zone, a constant shift, a coarser clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gates.inputs.tables import row
from gates.measure.parity.causes.hypotheses import VALUE, Claim, Detail, Hypothesis
from gates.measure.parity.causes.rows import Rows, most_frequent

if TYPE_CHECKING:
    import ibis.expr.types as ir

HOUR = 3600.0
WIDEST = 14 * HOUR
"""Time zones lie up to 14 hours from UTC, by quarters of an hour (Kiritimati, Chatham)."""

UNITS = {"second": 1.0, "minute": 60.0, "hour": HOUR, "day": 24 * HOUR}


def moment_claims(rows: Rows) -> Iterator[Claim]:
    """Yield hypotheses about a feature of dates or timestamps."""
    table = rows.table
    a, b, other = table.x, table.y, table.other_y
    found = most_frequent(b - a)
    if not found:
        return
    zones = [shift for shift in found if zone_like(shift)]
    if zones:
        chosen, detail = zone_of(zones)
        yield Claim(
            Hypothesis("time_zone", VALUE, detail),
            (b - a).isin(chosen).fill_null(False),
            (other - a).isin(chosen).fill_null(False),
        )
    if not zone_like(found[0]):
        yield Claim(
            Hypothesis("offset", VALUE, {"seconds": found[0]}),
            (b - a == found[0]).fill_null(False),
            (other - a == found[0]).fill_null(False),
        )
    yield from _coarser(rows)


def zone_like(shift: float) -> bool:
    """Say whether a shift in seconds may be that of a time zone."""
    return shift % (HOUR / 4) == 0 and 0 < abs(shift) <= WIDEST


def zone_of(shifts: list[float]) -> tuple[list[float], Detail]:
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


def _coarser(rows: Rows) -> Iterator[Claim]:
    sides = {"online": ("x", "y", "x", "other_y"), "offline": ("y", "x", "y", "other_x")}
    value = rows.table
    seen = row(
        rows.table.aggregate(
            **{
                f"{side}_{unit}": _cut(value[names[0]], value[names[1]], UNITS[unit]).sum()
                for side, names in sides.items()
                for unit in UNITS
            }
        )
    )
    for side, (fine, coarse, other_fine, other_coarse) in sides.items():
        unit = max(UNITS, key=lambda name: seen[f"{side}_{name}"] or 0)
        yield Claim(
            Hypothesis("rounding_or_precision", VALUE, {"unit": unit, "side": side}),
            _cut(value[fine], value[coarse], UNITS[unit]),
            _cut(value[other_fine], value[other_coarse], UNITS[unit]),
        )


def _cut(fine: ir.FloatingValue, coarse: ir.FloatingValue, unit: float) -> ir.BooleanValue:
    return ((coarse % unit == 0) & ((fine - coarse).abs() < unit)).fill_null(False)
