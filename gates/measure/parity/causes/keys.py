"""Causes of the pair of tables: keys that occur twice, keys of another kind or written otherwise, times of another zone.

They are looked for where the keys do not pair: the tables cannot then be compared, or hardly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gates.inputs.profile import kind_of
from gates.inputs.tables import keep, row, scalar
from gates.measure.parity.apart import as_text
from gates.measure.parity.causes.decide import FEWEST, decide, lower_limit
from gates.measure.parity.causes.history import ZONES
from gates.measure.parity.causes.hypotheses import VALUE, Cause, Code, Detail, Hypothesis, Tally
from gates.measure.parity.causes.moments import HOUR
from gates.measure.parity.causes.rows import seconds
from gates.measure.parity.causes.texts import folded
from gates.measure.parity.match import repeated

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_KEYS = 10_000
MOST_COLUMNS = 30
UNPAIRED = 0.5
"""Share of the online keys without a partner above which a cause of it is looked for."""

SHAPES = {
    "e-mail addresses": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "UUIDs": r"^\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?$",
    "hexadecimal digests": r"^(0x)?([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$",
    "whole numbers": r"^[+-]?[0-9]+$",
    "telephone numbers": r"^\+[0-9][0-9 ()-]{6,}$",
}


def key_causes(offline: ir.Table, online: ir.Table, key: Sequence[str]) -> list[Cause]:
    """Name what is wrong with the keys of two tables; nothing where most of them pair and none occurs twice."""
    if not key or not set(key) <= set(offline.columns) or not set(key) <= set(online.columns):
        return []
    found = [cause for side, table in (("offline", offline), ("online", online)) for cause in _twice(side, table, key)]
    for name in key:
        cause = _column(offline, online, name, [other for other in offline.columns if other not in key])
        if cause is not None:
            found.append(cause)
    return found


def _twice(side: str, table: ir.Table, key: Sequence[str]) -> Iterator[Cause]:
    again = repeated(table, key)
    seen = row(again.aggregate(keys=again.count(), rows=again.times.sum()))
    if seen["keys"]:
        rows = int(seen["rows"])
        # A count of all rows: nothing is concluded from it.
        yield Cause("duplicated_key", rows, rows, 1.0, detail={"side": side, "keys": int(seen["keys"]), "rows": rows})


def _column(offline: ir.Table, online: ir.Table, name: str, others: Sequence[str]) -> Cause | None:
    """Ask why the values of one key column are not the same on both sides."""
    left, right = _distinct(offline[name]), _distinct(online[name])
    rows = int(scalar(right.count()))
    if not rows or int(scalar(left.count())) == 0:
        return None
    alone = right if kind_of(offline[name].type()) != kind_of(online[name].type()) else right.anti_join(left, "value")
    alone = keep(alone.order_by(as_text(alone.value).hexdigest("md5")).limit(MOST_KEYS))
    lost = int(scalar(alone.count()))
    if lost < FEWEST or lost < UNPAIRED * min(rows, MOST_KEYS):
        return None
    tallies = [*_read_alike(left, alone, lost), *_elsewhere(offline, alone, lost, others)]
    cause = decide(tallies, lost, lambda _a, _b: (0, 0))
    return cause if cause.code != "unknown" else _unlike(left, alone, lost)


def _distinct(value: ir.Value) -> ir.Table:
    table = value.name("value").as_table()
    return table.filter(table.value.notnull()).distinct()


def _read_alike(left: ir.Table, alone: ir.Table, lost: int) -> Iterator[Tally]:
    """Written otherwise, or, of times, some hours away."""
    both = left.value.type(), alone.value.type()
    if all(kind.is_timestamp() for kind in both):
        times = left.select(at=seconds(left.value)).distinct()
        for shift in ZONES:
            moved = alone.select(at=seconds(alone.value) - shift)
            hits = int(scalar(moved.semi_join(times, "at").count()))
            if hits:
                yield _tally("time_zone", {"hours": shift / HOUR}, lost, hits)
        return
    known = left.select(text=_bare(left.value)).distinct()
    hits = int(scalar(alone.select(text=_bare(alone.value)).semi_join(known, "text").count()))
    yield _tally("type_or_encoding", {"as": "key"}, lost, hits)


def _bare(value: ir.Value) -> ir.StringValue:
    """A key without case, spaces, hyphens, braces, zeros in front and a decimal part of nothing."""
    text = folded(value.cast("string")).re_replace(r"[\s{}-]+", "").re_replace(r"\.0+$", "")
    return text.re_replace("^0+([0-9])", "\\1")


def _elsewhere(offline: ir.Table, alone: ir.Table, lost: int, others: Sequence[str]) -> Iterator[Tally]:
    """Another column of the offline table holds these keys."""
    kind = kind_of(alone.value.type())
    for name in others[:MOST_COLUMNS]:
        if kind_of(offline[name].type()) == kind and kind in ("text", "integer"):
            hits = int(scalar(alone.semi_join(_distinct(offline[name]), "value").count()))
            yield _tally("key_of_another_kind", {"column": name}, lost, hits)


def _tally(code: Code, detail: Detail, lost: int, hits: int) -> Tally:
    return Tally(Hypothesis(code, VALUE, detail), lost, hits, share_by_chance=0.0)


def _unlike(left: ir.Table, alone: ir.Table, lost: int) -> Cause | None:
    """The keys of the two sides do not even look alike."""
    shapes = [_shape(table) for table in (left, alone)]
    names = [name for name, _, _ in shapes]
    if names[0] == names[1] or None in names:
        return None
    hits = shapes[1][1]
    detail: Detail = {"offline_like": str(names[0]), "online_like": str(names[1])}
    return Cause("key_of_another_kind", lost, hits, lower_limit(hits, lost), detail=detail)


def _shape(table: ir.Table) -> tuple[str | None, int, int]:
    """The shape that nine in ten values surely have, else `other texts` where hardly any has one of these."""
    text = table.value.cast("string")
    wanted = {f"s{index}": text.re_search(shape).sum() for index, shape in enumerate(SHAPES.values())}
    seen = row(table.aggregate(rows=table.count(), **wanted))
    rows = int(seen["rows"])
    counts = {name: int(seen[f"s{index}"] or 0) for index, name in enumerate(SHAPES)}
    for name, hits in counts.items():
        if lower_limit(hits, rows) > 0.9:
            return name, hits, rows
    rest = rows - sum(counts.values())
    return ("other texts", rest, rows) if lower_limit(max(0, rest), rows) > 0.9 else (None, 0, rows)
