"""Values of a column as the texts that recognisers of personal data look at, whatever type they are kept in. Part of `personal`.

The values themselves are read, and not the engine's own words for them: a card's number kept as a double is the same in
each engine, and in none of them `4.1e15`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt

LONGEST = 100_000
"""Characters of a value that are looked at; a column with a longer one is not known to be clean."""


class Unread(Exception):
    """A value that nobody can look into as a text: bytes that are none, or too long a one."""


class Look(Enum):
    """What a column's type says of personal data in it.

    INTO: it may hold some. PAST: truth values and times hold nothing that a recogniser knows. CLOSED: nobody can tell.
    """

    INTO = "into"
    PAST = "past"
    CLOSED = "closed"


def look(kind: dt.DataType) -> Look:
    """Return whether a type may hold personal data; of a list, an object or a map what its parts do."""
    if kind.is_array():
        return look(kind.value_type)
    if kind.is_map():
        return _of_parts(look(kind.key_type), look(kind.value_type))
    if kind.is_struct():
        return _of_parts(*map(look, kind.types))
    if kind.is_boolean() or kind.is_temporal() or kind.is_null():
        return Look.PAST
    known = kind.is_string() or kind.is_numeric() or kind.is_binary() or kind.is_json()
    return Look.INTO if known or kind.is_uuid() or kind.is_inet() or kind.is_macaddr() else Look.CLOSED


def _of_parts(*parts: Look) -> Look:
    return next((one for one in (Look.CLOSED, Look.INTO) if one in parts), Look.PAST)


def plain(kind: dt.DataType) -> bool:
    """Whether each engine writes and orders values of a type."""
    return bool(kind.is_string() or kind.is_numeric() or kind.is_temporal() or kind.is_boolean())


def texts(value: Any) -> Iterator[str]:
    """Return the texts in a value, those within a list, an object or a map one by one; numbers without an empty fraction.

    Raises
    ------
    Unread: it holds bytes that are no text, or too long a text.
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)
    elif isinstance(value, bytes):
        yield from _fitting(_decoded(value))
    elif isinstance(value, float | Decimal):
        yield from _number(value)
    elif value is not None and not isinstance(value, bool):
        yield from _fitting(str(value))


def _number(value: float | Decimal) -> Iterator[str]:
    """A fraction is none of the numbers that a recogniser knows, and NaN is no value."""
    if math.isfinite(value):
        yield str(int(value)) if value == int(value) else ""


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unread from None


def _fitting(text: str) -> Iterator[str]:
    if len(text) > LONGEST:
        raise Unread
    if text:
        yield text
