"""Figures as people read them: few digits, but never so few that a figure seems to stand on the other side of a limit.

Used by every view; the records keep the full numbers.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

_MOST_DECIMALS = 15
_MOST_DIGITS = 17


def figure(value: float, *, against: tuple[float, ...] = ()) -> str:
    """Write a number with 3 significant digits (4 from 1 on), or with as many as its side of each limit needs.

    Parameters
    ----------
    against: limits whose comparison with the written figure must come out as with the number itself.
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "NaN"
    if value == 0 or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    magnitude = math.floor(math.log10(abs(value)))
    first = 3 if abs(value) < 1 else 4
    for digits in range(first, _MOST_DIGITS):
        fixed = -4 <= magnitude <= _MOST_DECIMALS
        text = _trimmed(f"{value:,.{max(0, digits - 1 - magnitude)}f}") if fixed else f"{value:.{digits - 1}e}"
        if _same_side(text, value, against):
            return text
    return repr(value)


def figures(estimate: float, lower: float, upper: float, *, against: tuple[float, ...] = ()) -> tuple[str, str, str]:
    """Write an estimate and its interval's ends with the decimals that the width deserves: 2 of its digits.

    Infinite ends are written as such. Where that would need many decimals each number is written by itself.
    """
    numbers = (estimate, lower, upper)
    finite = [number for number in numbers if math.isfinite(number)]
    width = max(finite, default=0.0) - min(finite, default=0.0)
    if 0 < width < math.inf:
        start = max(0, 1 - math.floor(math.log10(width)))
        for decimals in range(start, 7):
            texts = [_fixed(number, decimals) for number in numbers]
            if all(_same_side(text, number, against) for text, number in zip(texts, numbers, strict=True)):
                return texts[0], texts[1], texts[2]
    return figure(estimate, against=against), figure(lower, against=against), figure(upper, against=against)


def _trimmed(text: str) -> str:
    return text.rstrip("0").removesuffix(".") if "." in text else text


def _fixed(value: float, decimals: int) -> str:
    if not math.isfinite(value) or value == 0:
        return figure(value)
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def _same_side(text: str, value: float, limits: tuple[float, ...]) -> bool:
    if not math.isfinite(value):
        return True
    written = float(text.replace(",", ""))
    return all(_side(written, limit) == _side(value, limit) for limit in limits)


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def literal(value: float) -> str:
    """Write a limit as its author did, in full."""
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def count(value: int) -> str:
    return f"{value:,}"


def moment(time_us: int) -> str:
    """Write microseconds since 1970 as a minute in UTC."""
    try:
        return datetime.fromtimestamp(time_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"{time_us} µs"


def short(digest: str) -> str:
    """The first 12 hexadecimal digits of a digest."""
    return digest.removeprefix("sha256:")[:12]
