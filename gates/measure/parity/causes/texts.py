"""Texts and unlike kinds: the same thing written otherwise; gaps: a default or nothing where the other side has a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gates.inputs.tables import row
from gates.measure.parity.causes.hypotheses import GAP, VALUE, Claim, Detail, Hypothesis, Side, Tally
from gates.measure.parity.causes.rows import Rows, seconds
from gates.measure.parity.compare import absent
from gates.plan.guess import Kind

if TYPE_CHECKING:
    import ibis.expr.types as ir

    Reading = Callable[[ir.Value], ir.Value]

EPOCHS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
FOREIGN = "[^\\x20-\\x7E]+"
COMBINING = "[A-Za-z][\\x{0300}-\\x{036F}]+"
TRUE, FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")


def text_claims(rows: Rows) -> Iterator[Claim]:
    """Yield what makes two texts, or two values of unlike kinds, the same when both are read in one way."""
    for detail, left, right in _readings(rows):
        a, b, other_b = left(rows.table.a), right(rows.table.b), right(rows.table.other_b)
        # Two rows of one value would agree whatever the reading does.
        unlike = ~rows.table.a.identical_to(rows.table.other_a)
        yield Claim(
            Hypothesis("type_or_encoding", VALUE, detail),
            (a == b).fill_null(False),
            unlike.ifelse((a == other_b).fill_null(False), None),
        )


def _readings(rows: Rows) -> Iterator[tuple[Detail, Reading, Reading]]:
    kinds = rows.feature.offline, rows.feature.online
    if kinds == ("text", "text"):
        yield {"as": "case and spaces"}, folded, folded
        yield {"as": "number"}, _parsed, _parsed
        yield {"as": "plain letters"}, _plain, _plain
        return
    for word, readings in _of_kinds(frozenset(kinds), dated=_dated(rows)):
        yield {"as": word}, readings[kinds[0]], readings[kinds[1]]


def _of_kinds(kinds: frozenset[Kind], *, dated: bool) -> Iterator[tuple[str, dict[Kind, Reading]]]:
    """Readings by kind that give what can be compared."""
    if kinds == {"text", "bool"}:
        yield "truth value", {"text": _truth, "bool": _number}
    elif kinds in ({"text", "integer"}, {"text", "number"}):
        yield "number", {"text": _parsed, "integer": _number, "number": _number}
    elif kinds == {"text", "time"} and dated:
        yield "time", {"text": _parsed_time, "time": seconds}
    elif kinds in ({"time", "integer"}, {"time", "number"}) and dated:
        for unit, per_second in EPOCHS.items():

            def epoch(value: ir.Value, per_second: float = per_second) -> ir.Value:
                return value.cast("float64") / per_second

            yield f"{unit} since 1970", {"time": seconds, "integer": epoch, "number": epoch}


def _dated(rows: Rows) -> bool:
    kinds = ((rows.feature.offline, rows.table.a), (rows.feature.online, rows.table.b))
    return all(value.type().is_timestamp() or value.type().is_date() for kind, value in kinds if kind == "time")


def folded(text: ir.StringValue) -> ir.StringValue:
    """Without case, without spaces around, with one space within."""
    return text.strip().lower().re_replace("\\s+", " ")


def _parsed(text: ir.StringValue) -> ir.FloatingValue:
    return text.strip().try_cast("float64")


def _parsed_time(text: ir.StringValue) -> ir.FloatingValue:
    return seconds(text.strip().try_cast("timestamp"))


def _number(value: ir.Value) -> ir.FloatingValue:
    return value.cast("float64")


def _truth(text: ir.StringValue) -> ir.FloatingValue:
    import ibis

    word = folded(text)
    return ibis.cases((word.isin(TRUE), 1.0), (word.isin(FALSE), 0.0))


def _plain(text: ir.StringValue) -> ir.StringValue:
    """The letters that every encoding has in common; nothing where they are few."""
    plain = text.re_replace(COMBINING, "").re_replace(FOREIGN, "").replace("?", "")
    return (plain.length() >= 3).ifelse(plain, None)


def gap_claims(rows: Rows) -> Iterator[Claim]:
    """Yield: nothing on one side where the other has values."""
    a, b = absent(rows.table.a), absent(rows.table.b)
    no = rows.table.dealt & ~rows.table.dealt
    yield Claim(Hypothesis("absent", GAP, {"side": "online"}), b & ~a, no)
    yield Claim(Hypothesis("absent", GAP, {"side": "offline"}), a & ~b, no)
    if rows.feature.numeric:  # null on one side, NaN on the other
        yield Claim(Hypothesis("type_or_encoding", VALUE, {"as": "NaN for null"}), a & b, no)


def default_tallies(rows: Rows, pairs: ir.Table, total: int) -> Iterator[Tally]:
    """Yield: one constant on one side where the other has nothing. By chance it is there as often as in rows with values.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`. total: the mismatching rows.
    """
    sides: dict[Side, tuple[str, str, str]] = {
        "online": ("a", "b", rows.feature.right),
        "offline": ("b", "a", rows.feature.left),
    }
    for side, (gap, filled, column) in sides.items():
        table = rows.table
        found = table.filter(absent(table[gap]) & ~absent(table[filled]))
        counted = found.group_by(value=found[filled]).aggregate(times=found.count())
        top = counted.order_by([counted.times.desc(), counted.value]).limit(1)
        explained = int(row(top.aggregate(times=top.times.max()))["times"] or 0)
        if 2 * explained <= total:
            continue
        values = pairs.filter(~absent(pairs[rows.feature.left]) & ~absent(pairs[rows.feature.right]))
        joined = values.left_join(top, values[column] == top.value)
        seen = row(joined.aggregate(rows=joined.count(), hits=joined.value.notnull().sum()))
        said = row(top.aggregate(word=_word(top.value).max()))["word"]
        chance = int(seen["hits"] or 0) / seen["rows"] if seen["rows"] else 0.0
        hypothesis = Hypothesis("default_instead_of_null", VALUE, {"side": side, "default": said or "a constant"})
        yield Tally(hypothesis, total, explained, share_by_chance=chance)


def _word(value: ir.Value) -> ir.StringValue:
    """Defaults that everybody uses have a name; no other value leaves the engine."""
    import ibis

    if value.type().is_string():
        word = folded(value)
        blank, named = (
            ("", "empty text"),
            ("nan", "none", "null", "na", "n/a", "unknown", "missing", "other", "0", "-1"),
        )
        return ibis.cases((word == blank[0], blank[1]), *((word == name, name) for name in named))
    if value.type().is_numeric() and not value.type().is_boolean():
        return ibis.cases(*((value == number, str(number)) for number in (0, -1, 1, 999, -999, 9999, -9999)))
    return ibis.null("string")
