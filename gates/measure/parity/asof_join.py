"""Rows beside what was known at their time: an as-of join of a table with the log of its features' values.

An event is known from the later of its own time and the time of its ingestion; one of which either is null is never
known. The value of a feature at a row's time is that of the entity's newest event known by then: newest by its own time,
of one time the one ingested last. Of events that tie in both any may be meant, so that the value of any of them is right.
An event holds all features of the log: a null is a value as every other.

The engines need no as-of join: rows and events are sorted together, and the highest number of a known event runs along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from gates.inputs.tables import keep, row
from gates.inputs.values import absent
from gates.measure.parity.compare import Feature, equal
from gates.measure.sums import double
from gates.records.base import Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Log:
    """The log's columns.

    Attributes
    ----------
    entity: those of the key that the log has. time: from which a value held. ingested: None where nobody wrote it down.
    """

    table: ir.Table
    entity: tuple[str, ...]
    time: str
    ingested: str | None


@dataclass(frozen=True)
class Seen:
    """What became of a feature, in rows.

    Attributes
    ----------
    mismatches: the value is not the one known at the row's time. Of these
    earlier: it is one known before. happened_later: no event known by then has it, one of a later time does.
    ingested_later: neither, but one that was ingested after the row's time has it, or one of no known time.
    default: of the mismatches, rows that have the definition's default where the event known by then has no value, or
    there is none.
    """

    mismatches: int
    earlier: int = 0
    happened_later: int = 0
    ingested_later: int = 0
    default: int = 0

    @property
    def later(self) -> int:
        """Rows whose value could not have been known."""
        return self.happened_later + self.ingested_later


@dataclass(frozen=True)
class Rebuilt:
    """Counts over all rows. nothing_known: rows of an entity of which no event was known at their time."""

    rows: int
    nothing_known: int
    features: Mapping[str, Seen]


def rebuild(
    rows: ir.Table,
    log: Log,
    features: Sequence[Feature],
    tolerance: float,
    defaults: Mapping[str, Scalar] | None = None,
) -> Rebuilt:
    """Rebuild every row, and count. Rows that differ are looked at beside all events of their entity.

    Parameters
    ----------
    rows: with the columns `log.entity`, `log.time` and the features.
    features: as of `shared_features`, of the rows and the log. defaults: what definitions put where there is nothing.
    """
    sides = [f"e{index}" for index in range(len(log.entity))]
    events = _events(log, features, sides)
    asked = rows.select(
        **{side: rows[name] for side, name in zip(sides, log.entity, strict=True)},
        at=_instant(rows[log.time]),
        **{feature.left: rows[feature.name] for feature in features},
    )
    pairs = _as_of(asked, events, sides)
    differs = {feature: ~equal(pairs, feature, tolerance) for feature in features}
    counted = pairs.aggregate(
        rows=pairs.count(),
        nothing=pairs.number.isnull().sum(),
        **{f"m{feature.index}": flag.sum() for feature, flag in differs.items()},
        **{
            f"d{feature.index}": (flag & absent(pairs[feature.right]) & told).sum()
            for feature, flag in differs.items()
            if (told := _is_default(pairs[feature.left], (defaults or {}).get(feature.name))) is not None
        },
    )
    seen = {name: int(value or 0) for name, value in row(counted).items()}
    wrong = [feature for feature in features if seen[f"m{feature.index}"]]
    found = {feature.name: Seen(0) for feature in features}
    if wrong:
        missed = reduce(or_, (differs[feature] for feature in wrong))
        columns = {f"m{feature.index}": differs[feature] for feature in wrong}
        kept = pairs.filter(missed).mutate(**columns)
        kept = kept.drop(*(feature.right for feature in features))
        found |= _explained(kept, events, sides, wrong, tolerance)
        for feature in wrong:
            own = found[feature.name]
            found[feature.name] = replace(own, default=min(seen.get(f"d{feature.index}", 0), own.mismatches))
    return Rebuilt(rows=seen["rows"], nothing_known=seen["nothing"], features=found)


def _is_default(value: ir.Value, default: Scalar | None) -> ir.BooleanValue | None:
    """Whether a value is the default; None where there is none, or the column can hold no such value."""
    import ibis

    kind = value.type()
    fits = (
        (isinstance(default, bool) and kind.is_boolean())
        or (isinstance(default, int | float) and not isinstance(default, bool) and kind.is_numeric())
        or (isinstance(default, str) and kind.is_string())
    )
    if not fits:
        return None
    if kind.is_numeric():
        return (value.cast("float64") == double(float(default))).fill_null(False)  # type: ignore[arg-type]
    return (value == ibis.literal(default)).fill_null(False)


def _events(log: Log, features: Sequence[Feature], sides: Sequence[str]) -> ir.Table:
    """Number each entity's events: by time, then by ingestion."""
    import ibis

    source = log.table
    time = _instant(source[log.time])
    arrived = time if log.ingested is None else _instant(source[log.ingested])
    table = source.select(
        **{side: source[name] for side, name in zip(sides, log.entity, strict=True)},
        time=time,
        arrived=arrived,
        # Where one is null both engines' `greatest` is the other.
        known=(time.notnull() & arrived.notnull()).ifelse(ibis.greatest(time, arrived), ibis.null(time.type())),
        **{feature.right: source[feature.name] for feature in features},
    )
    table = table.filter([table[side].notnull() for side in sides])
    order = ibis.window(group_by=list(sides), order_by=[table.time, table.arrived])
    return keep(table.mutate(number=ibis.row_number().over(order)))


def _instant(value: ir.Value) -> ir.TimestampValue:
    return value.cast("timestamp('UTC', 6)")


def _as_of(asked: ir.Table, events: ir.Table, sides: Sequence[str]) -> ir.Table:
    """Return the rows, each with the event known at its time: `number`, its time and arrival, and its values."""
    import ibis

    known = events.filter(events.known.notnull())
    blank = {name: ibis.null(asked[name].type()) for name in asked.columns if name not in {*sides, "at"}}
    upper = known.select(
        *sides, at=_instant(known.known), number=known.number.cast("int64"), row=ibis.literal(0, "int8"), **blank
    )
    lower = asked.select(
        *sides, at=asked["at"], number=ibis.null("int64"), row=ibis.literal(1, "int8"), **{n: asked[n] for n in blank}
    )
    both = upper.union(lower)
    # Events come before the rows of their own time: they are known by then.
    window = ibis.cumulative_window(group_by=list(sides), order_by=[both["at"], both.row])
    run = both.mutate(newest=both.number.max().over(window))
    placed = run.filter(run.row == 1)
    placed = placed.mutate(newest=placed["at"].notnull().ifelse(placed.newest, ibis.null("int64"))).drop(
        "number", "row"
    )
    right = events.rename({f"right_{side}": side for side in sides})
    on = [*(placed[side] == right[f"right_{side}"] for side in sides), placed.newest == right.number]
    return placed.left_join(right, on).drop(*(f"right_{side}" for side in sides), "newest", "known")


def _explained(
    missed: ir.Table, events: ir.Table, sides: Sequence[str], features: Sequence[Feature], tolerance: float
) -> dict[str, Seen]:
    """Look for the values that differ among all events of their entity."""
    import ibis

    left = missed.rename(own_number="number", own_time="time", own_arrived="arrived")
    left = keep(left.mutate(line=ibis.row_number()))
    right = events.rename({f"right_{side}": side for side in sides})
    near = left.left_join(right, [left[side] == right[f"right_{side}"] for side in sides])
    known = (near.known <= near["at"]).fill_null(False)
    tied = known & (near.time == near.own_time) & near.arrived.identical_to(near.own_arrived)
    after = (near.time > near["at"]).fill_null(False)
    wanted: dict[str, Any] = {}
    for feature in features:
        same = equal(near, feature, tolerance) & near.number.notnull()
        # An absence tells nothing of the future.
        value = same & ~absent(near[feature.left])
        flags = {"t": same & tied, "k": value & known, "h": value & ~known & after, "l": value & ~known}
        wanted[f"m{feature.index}"] = near[f"m{feature.index}"].cast("int8").max()
        wanted |= {f"{word}{feature.index}": flag.cast("int8").max() for word, flag in flags.items()}
    lines = near.group_by("line").aggregate(**wanted)
    sums: dict[str, Any] = {}
    for feature in features:
        m, t, k, h, later = (lines[f"{word}{feature.index}"] == 1 for word in "mtkhl")
        wrong = m & ~t
        sums[f"mismatches{feature.index}"] = wrong.sum()
        sums[f"earlier{feature.index}"] = (wrong & k).sum()
        sums[f"happened_later{feature.index}"] = (wrong & ~k & h).sum()
        sums[f"ingested_later{feature.index}"] = (wrong & ~k & ~h & later).sum()
    counts = {name: int(value or 0) for name, value in row(lines.aggregate(**sums)).items()}
    words = ("mismatches", "earlier", "happened_later", "ingested_later")
    return {feature.name: Seen(**{word: counts[f"{word}{feature.index}"] for word in words}) for feature in features}
