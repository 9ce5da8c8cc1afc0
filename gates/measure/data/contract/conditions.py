"""Single rules of a contract as conditions on a row: ranges, allowed values, patterns, lengths, physical types.

Each answers which rows break the rule. A null breaks none of them, whether there may be nulls is `required`; a NaN, which
is a value, is outside every range and every list.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from gates.inputs.values import absent

if TYPE_CHECKING:
    import ibis.expr.types as ir

Condition = Callable[["ir.Value"], "ir.BooleanValue | None"]
"""From a column to the rows that break the rule; null where the value is, None where no row of this column can."""


class Unsaid(ValueError):
    """A rule that cannot be made of what the contract says; the message says why."""


def unfit() -> tuple[type[Exception], ...]:
    """What Ibis raises where an operation does not go with the type of a value."""
    from ibis.common.annotations import ValidationError
    from ibis.common.exceptions import IbisError

    return (IbisError, ValidationError, TypeError, AttributeError, RecursionError)


def literal(value: object, logical: str | None) -> ir.Scalar:
    """Return a value of the contract as one of the engine, of the column's logical type.

    Raises
    ------
    Unsaid: it is of another type.
    """
    import ibis

    from gates.measure.sums import double

    if logical in ("date", "timestamp", "time"):
        return _moment(value, logical)
    if logical in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unsaid(f"{_shown(value)} is no number")
        if isinstance(value, int) and abs(value) < 2**63:
            return ibis.literal(value)
        try:
            return double(float(value))
        except OverflowError:
            raise Unsaid("is beyond what a number holds") from None
    if logical == "boolean":
        if not isinstance(value, bool):
            raise Unsaid(f"{_shown(value)} is neither true nor false")
        return ibis.literal(value)
    if not isinstance(value, str):
        raise Unsaid(f"{_shown(value)} is no text; write it in quotes")
    return ibis.literal(value)


def _moment(value: object, logical: str) -> ir.Scalar:
    import ibis

    try:
        if not isinstance(value, str):
            raise ValueError  # noqa: TRY301, TRY004
        if logical == "date":
            return ibis.literal(date.fromisoformat(value))
        if logical == "time":
            return ibis.literal(time.fromisoformat(value))
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Unsaid(f"{_shown(value)} is no {logical}; write it like {_LIKE[logical]}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return ibis.literal(aware.astimezone(UTC)).cast("timestamp('UTC')")


_LIKE = {"date": "2014-01-31", "time": "09:30:00", "timestamp": "2014-01-31T09:30:00Z"}


def _shown(value: object) -> str:
    return f'"{str(value)[:60]}"' if isinstance(value, str) else str(value)[:60]


_BEYOND: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": lambda value, end: value < end,
    "maximum": lambda value, end: value > end,
    "exclusiveMinimum": lambda value, end: value <= end,
    "exclusiveMaximum": lambda value, end: value >= end,
}
_SIZES: dict[str, Callable[[Any, Any], Any]] = {
    "minLength": lambda size, end: size >= end,
    "maxLength": lambda size, end: size <= end,
    "minItems": lambda size, end: size >= end,
    "maxItems": lambda size, end: size <= end,
    "dimensions": lambda size, end: size == end,
}
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_FORMATS = {
    "uuid": r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "ipv4": rf"^({_OCTET}\.){{3}}{_OCTET}$",
}


def option(word: str, said: Any, logical: str) -> Condition | None:
    """Return the condition of a word under `logicalTypeOptions`; None where it is nothing that rows could break.

    Raises
    ------
    Unsaid: what is said does not fit the column's type, or is no pattern.
    """
    if word in _BEYOND:
        return _bound(word, literal(said, logical))
    if word in _SIZES:
        return lambda value: ~(_SIZES[word](value.length(), said))
    if word == "pattern":
        return pattern(said)
    if word == "multipleOf":
        return multiple(said)
    if word == "format" and logical == "integer":
        low, high = _integer(said)
        return lambda value: ~(value.between(low, high))
    if word == "format" and said in _FORMATS and logical == "string":
        return pattern(_FORMATS[said])
    return None


def _bound(word: str, end: ir.Scalar) -> Condition:
    def broken(value: ir.Value) -> ir.BooleanValue:
        beyond = _BEYOND[word](value, end)
        # the engines order NaN above every number: it is beyond a maximum, and would keep any minimum
        return (
            beyond | value.isnan() if value.type().is_floating() and word in ("minimum", "exclusiveMinimum") else beyond
        )

    return broken


def _integer(name: str) -> tuple[int, int]:
    bits = int(name[1:])
    return (0, 2**bits - 1) if name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def multiple(of: float) -> Condition:
    """Return the condition that a number is a multiple of another, to nine digits where either is a fraction."""

    def broken(value: ir.Value) -> ir.BooleanValue:
        if isinstance(of, int) and not value.type().is_floating():
            return ~(value % of == 0)
        from gates.measure.sums import double

        step = double(float(of))
        size = value.cast("float64").abs()
        rest = size % step
        slack = double(1e-9) * (size > step).ifelse(size, step)
        # NaN is above infinity in the engines' order
        return (size > double(sys.float_info.max)) | ((rest > slack) & (rest < step - slack))

    return broken


def allowed(values: Sequence[object], logical: str | None) -> Condition:
    """Return the condition that a value is one of some; null among them says nothing that null does not say anyway.

    Raises
    ------
    Unsaid: a value is not of the column's type.
    """
    literals = [literal(value, logical) for value in values if value is not None]
    return lambda value: ~(value.isin(literals) if literals else value.isnull())


def among(values: Sequence[object], logical: str | None) -> Condition:
    """Return which rows hold one of some values; null among them means a null or a NaN. Raises as `allowed`."""
    literals = [literal(value, logical) for value in values if value is not None]

    def found(value: ir.Value) -> ir.BooleanValue:
        inside = value.isin(literals).fill_null(False) if literals else None
        if None not in values:
            return inside if inside is not None else value.isnull() & value.notnull()
        return absent(value) if inside is None else inside | absent(value)

    return found


def either(conditions: Sequence[Condition]) -> Condition:
    """Return which rows break any of some conditions."""

    def broken(value: ir.Value) -> ir.BooleanValue | None:
        return reduce(or_, [found for condition in conditions if (found := condition(value)) is not None])

    return broken


def pattern(regex: object) -> Condition:
    """Return the condition that a pattern is found in a text (anchors bind it to the whole), the same in every engine.

    Raises
    ------
    Unsaid: not a regular expression, one that needs to look around or back, which not every engine can, or one that
        engines read in different ways.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(regex, str):
        raise Unsaid(f"{_shown(regex)} is no pattern")
    plain = "(?-s)" + _anchored(regex)
    try:
        pc.match_substring_regex(pa.array([""]), plain)
    except pa.ArrowInvalid as error:
        raise Unsaid(f"{_shown(regex)} is no pattern that RE2 reads: {str(error).splitlines()[0][:120]}") from None
    return lambda value: ~(value.re_search(plain))


def _anchored(regex: str) -> str:
    r"""Write `$` as `\z`: in some engines the former also stands before a last line end. Raises as `pattern`."""
    found, inside, escaped = [], False, False
    for place, char in enumerate(regex):
        if not escaped:
            rest = regex[place:]
            # Java adds classes up and intersects them, RE2 has named ones; only RE2 folds the case of all alphabets.
            if inside and (char == "[" or rest.startswith("&&")):
                raise Unsaid(
                    f"{_shown(regex)} has {rest[:2]} within [], which engines read in different ways; escape it"
                )
            if (
                not inside
                and (flags := re.match(r"\(\?(P<|[a-zA-Z-]+[:)])", rest))
                and not set(flags[1]) <= set("sm-:)")
            ):
                raise Unsaid(
                    f"{_shown(regex)} has {flags[0]}, which engines read in different ways; [Aa] is an a of either case"
                )
            inside = (inside or char == "[") and char != "]"
        found.append(r"\z" if char == "$" and not (escaped or inside) else char)
        escaped = char == "\\" and not escaped
    return "".join(found)


_INTEGERS = {
    "TINYINT": "i8", "SMALLINT": "i16", "INT": "i32", "MEDIUMINT": "i32", "BIGINT": "i64", "INT128": "i128",
    "UTINYINT": "u8", "USMALLINT": "u16", "UINT": "u32", "UBIGINT": "u64",
}  # fmt: skip
_LOGICAL = {
    "FLOAT": "number", "DOUBLE": "number", "DECIMAL": "number", "BIGDECIMAL": "number", "BOOLEAN": "boolean",
    "CHAR": "string", "NCHAR": "string", "VARCHAR": "string", "NVARCHAR": "string", "TEXT": "string", "UUID": "string",
    "DATE": "date", "TIME": "time", "DATETIME": "timestamp", "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamp",
    "TIMESTAMPLTZ": "timestamp", "TIMESTAMPNTZ": "timestamp", "ARRAY": "array", "LIST": "array", "MAP": "map",
    "STRUCT": "object", "JSON": "object",
}  # fmt: skip


def _parsed(text: str) -> tuple[str, list[int]]:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        found = exp.DataType.build(text)
    except (SqlglotError, ValueError):
        raise Unsaid(f"{_shown(text)} is no type of SQL") from None
    name = found.this.name if hasattr(found.this, "name") else ""
    if name not in _INTEGERS and name not in _LOGICAL:
        raise Unsaid(f"{_shown(text)} is no type that is known here")
    return name, [int(part.name) for part in found.expressions if re.fullmatch(r"\d+", part.name)]


def room(text: str) -> tuple[str, float]:
    """Return the logical type of a physical one, and how much it holds: bits, characters, digits before the point.

    Raises
    ------
    Unsaid: no type of SQL.
    """
    name, sizes = _parsed(text)
    if name in _INTEGERS:
        return "integer", int(_INTEGERS[name][1:]) + (0.5 if _INTEGERS[name][0] == "i" else 0)
    if name == "DECIMAL" and sizes:
        return "number", sizes[0] - (sizes[1] if len(sizes) > 1 else 0)
    if name == "FLOAT":
        return "number", 1e6
    return _LOGICAL[name], sizes[0] if sizes and _LOGICAL[name] == "string" else math.inf


def physical(text: str) -> tuple[str, tuple[Condition, ...]]:
    """Return the logical type of a physical one, and what its values must keep: whole numbers of 32 bits, 2 characters.

    What a value may be, and not how a file holds it: a table reads the same from CSV and from Parquet.

    Raises
    ------
    Unsaid: no type of SQL.
    """
    name, _ = _parsed(text)
    if name in _INTEGERS:
        low, high = _integer(_INTEGERS[name])
        return "integer", (lambda value: ~(value.between(low, high)),)
    logical, size = room(text)
    if size == math.inf or name == "FLOAT":
        return logical, ()
    if logical == "string":
        return logical, (lambda value: ~(value.length() <= int(size)),)
    return logical, (lambda value: ~(value.abs() < 10 ** int(size)),)
