"""Texts and unlike kinds: the same thing written otherwise; gaps: a default or nothing where the other side has a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gates.inputs.tables import row
from gates.inputs.values import absent, is_moment, moment
from gates.measure.parity.causes.hypotheses import EXCHANGED, GAP, VALUE, Claim, Detail, Hypothesis, Side, Tally
from gates.measure.parity.causes.rows import Rows, by_number, seconds
from gates.plan.guess import Kind

if TYPE_CHECKING:
    import ibis.expr.types as ir

    Reading = Callable[[ir.Value], ir.Value]

EPOCHS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
FOREIGN = "[^\\x20-\\x7E]+"
COMBINING = "[A-Za-z][\\x{0300}-\\x{036F}]+"
YEAR_FIRST = "^([0-9]{4})([-/.])([0-9]{1,2})([-/.])([0-9]{1,2})([^0-9].*)?$"
DAY_OR_MONTH_FIRST = "^([0-9]{1,2})([-/.])([0-9]{1,2})[-/.]([0-9]{4})([^0-9].*)?$"
TRUE, FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")


def text_claims(rows: Rows) -> tuple[Rows, list[Claim]]:
    """Return what makes two texts, or two values of unlike kinds, the same when both are read in one way."""
    t = rows.table
    # Two rows of one value would agree whatever the reading does.
    unlike = ~t.a.identical_to(t.other_a)
    return rows, [
        Claim(
            "type_or_encoding",
            VALUE,
            dict.fromkeys(rows.features, detail),
            (left(t.a) == right(t.b)).fill_null(False),
            unlike.ifelse((left(t.a) == right(t.other_b)).fill_null(False), None),
        )
        for detail, left, right in _readings(rows)
    ]


def _readings(rows: Rows) -> Iterator[tuple[Detail, Reading, Reading]]:
    kinds = rows.form.offline, rows.form.online
    if kinds == ("text", "text"):
        yield {"as": "case and spaces"}, folded, folded
        yield {"as": "number"}, _parsed, _parsed
        yield {"as": "plain letters"}, _plain, _plain
        yield EXCHANGED, _trimmed, _exchanged
        return
    if {rows.form.offline, rows.form.online} == {"text", "other"} and any(
        v.type().is_binary() for v in (rows.table.a, rows.table.b)
    ):
        yield {"as": "text"}, _hashed, _hashed
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
        yield "time, day and month exchanged", {"text": _exchanged_time, "time": seconds}
        for word, groups in {"time, day first": (4, 3, 1), "time, month first": (4, 1, 3)}.items():

            def written(text: ir.Value, groups: tuple[int, ...] = groups) -> ir.Value:
                return _parsed_time(_rearranged(text, DAY_OR_MONTH_FIRST, groups, "-"))

            yield word, {"text": written, "time": seconds}
    elif kinds in ({"time", "integer"}, {"time", "number"}) and dated:
        for unit, per_second in EPOCHS.items():

            def epoch(value: ir.Value, per_second: float = per_second) -> ir.Value:
                return value.cast("float64") / per_second

            yield f"{unit} since 1970", {"time": seconds, "integer": epoch, "number": epoch}
        yield "year, month and day", {"time": _digits, "integer": _number, "number": _number}


def _dated(rows: Rows) -> bool:
    kinds = ((rows.form.offline, rows.table.a), (rows.form.online, rows.table.b))
    return all(is_moment(value) for kind, value in kinds if kind == "time")


def folded(text: ir.StringValue) -> ir.StringValue:
    """Without case, without spaces around, with one space within."""
    return text.strip().lower().re_replace("\\s+", " ")


def _parsed(text: ir.StringValue) -> ir.FloatingValue:
    return text.strip().try_cast("float64")


def _parsed_time(text: ir.StringValue) -> ir.FloatingValue:
    return seconds(text.strip().try_cast("timestamp"))


def _trimmed(text: ir.StringValue) -> ir.StringValue:
    return text.strip()


def _hashed(value: ir.Value) -> ir.StringValue:
    """Of bytes and of text: engines do not agree on how one is made the other."""
    from ibis.expr.operations import HexDigest

    found: ir.StringValue = HexDigest(value, "md5").to_expr()
    return found


def _exchanged(text: ir.StringValue) -> ir.StringValue:
    """A date with its day in the place of its month; nothing where there is no date."""
    import ibis

    orders = {YEAR_FIRST: (1, 2, 5, 4, 3, 6), DAY_OR_MONTH_FIRST: (3, 2, 1, 2, 4, 5)}
    return ibis.coalesce(*(_rearranged(text, pattern, groups) for pattern, groups in orders.items()))


def _exchanged_time(text: ir.StringValue) -> ir.FloatingValue:
    import ibis

    # What has no such month is read as it is, as by whoever exchanged the two.
    return ibis.coalesce(_parsed_time(_exchanged(text)), _parsed_time(text))


def _rearranged(text: ir.StringValue, pattern: str, groups: Sequence[int], between: str = "") -> ir.StringValue:
    """The groups of a pattern in another order; nothing where it does not match."""
    import ibis

    plain = text.strip()
    found = ibis.literal(between).join([plain.re_extract(pattern, group) for group in groups])
    return plain.re_search(pattern).ifelse(found, ibis.null("string"))


def _digits(value: ir.Value) -> ir.FloatingValue:
    """A date as a number of eight digits; nothing where it has a time of day."""
    plain = moment(value).cast("timestamp")
    number = (plain.year() * 10_000 + plain.month() * 100 + plain.day()).cast("float64")
    return (seconds(value) % 86_400 == 0).ifelse(number, None)


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
    sides: tuple[tuple[Side, ir.BooleanValue], ...] = (("online", b & ~a), ("offline", a & ~b))
    for side, gap in sides:
        yield Claim("absent", GAP, {key: {"side": side} for key in rows.features}, gap, no)
    if rows.form.numeric:  # null on one side, NaN on the other
        yield Claim("type_or_encoding", VALUE, {key: {"as": "NaN for null"} for key in rows.features}, a & b, no)


def default_tallies(rows: Rows, pairs: ir.Table) -> dict[int, list[Tally]]:
    """Return by feature: one constant on one side where the other has nothing.

    By chance it is there as often as in rows with values.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`.
    """
    found: dict[int, list[Tally]] = {}
    sides: tuple[tuple[Side, str, str], ...] = (("online", "a", "b"), ("offline", "b", "a"))
    for side, gap, filled in sides:
        table = rows.table.filter(absent(rows.table[gap]) & ~absent(rows.table[filled]))
        counted = table.group_by(["f", table[filled].name("value")]).aggregate(times=table.count())
        most = by_number(counted.group_by("f").aggregate(times=counted.times.max()))
        for f, one in most.items():
            if 2 * one["times"] > rows.sizes[f]:
                own = counted.filter(counted.f == f).order_by([counted.times.desc(), counted.value]).limit(1)
                found.setdefault(f, []).append(_default(rows, pairs, f, side, own, one["times"]))
    return found


def _default(rows: Rows, pairs: ir.Table, f: int, side: Side, top: ir.Table, explained: int) -> Tally:
    feature = rows.features[f]
    values = pairs.filter(~absent(pairs[feature.left]) & ~absent(pairs[feature.right]))
    column = feature.right if side == "online" else feature.left
    joined = values.left_join(top, values[column] == top.value)
    seen = row(joined.aggregate(rows=joined.count(), hits=joined.value.notnull().sum()))
    word = _word(top.value)
    said = None if word is None else row(top.aggregate(word=word.max()))["word"]
    chance = int(seen["hits"] or 0) / seen["rows"] if seen["rows"] else 0.0
    hypothesis = Hypothesis("default_instead_of_null", VALUE, {"side": side, "default": said or "a constant"})
    return Tally(hypothesis, rows.sizes[f], explained, share_by_chance=chance)


def _word(value: ir.Value) -> ir.StringValue | None:
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
    return None
