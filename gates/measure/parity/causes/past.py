"""What a feature's values match in the history of their entity: older and later ones, the last, what was known when.

Without a table of events each side's history is the other side's rows: an online value that is older than its row looks
the same as offline values that are ahead of theirs, unless some rows of the entity agree; then only one of the two fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.profile import kind_of
from gates.inputs.tables import arrow, keep
from gates.measure.parity.causes.history import AHEAD, BACK, DAY, ZONES, History
from gates.measure.parity.causes.hypotheses import (
    LATE,
    SHIFT,
    SOMEWHERE,
    STEP,
    Claim,
    Code,
    Detail,
    Side,
)
from gates.measure.parity.causes.moments import zone_of
from gates.measure.parity.causes.rows import Rows, by_feature

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

OTHER: dict[Side, Side] = {"offline": "online", "online": "offline"}
COLUMN: dict[Side, str] = {"offline": "a", "online": "b"}
PLACES = ("step", "shift", "known", "arrived", "late", "last")


@dataclass(frozen=True)
class Near:
    """A history and the events near the rows of the features, as of `history.near`."""

    history: History
    table: ir.Table


@dataclass(frozen=True)
class _Place:
    """A hypothesis as a place in the history.

    Attributes
    ----------
    flag: its name in the flags. details: by feature. lag: whether the time between is told.
    """

    code: Code
    level: float
    flag: str
    details: Mapping[int, Detail]
    lag: bool = False


@dataclass(frozen=True)
class Look:
    """What of a stack of features can be looked up in a history.

    Attributes
    ----------
    columns: by feature, that of its values in the history. sides: whose values are looked up. prefix: of the flags.
    zones: by side and feature, the time zones in question, in seconds, the best first.
    """

    near: Near
    columns: Mapping[int, str]
    sides: tuple[Side, ...]
    prefix: str
    zones: dict[Side, dict[int, list[float]]]


def look(near: Near, rows: Rows, prefix: str) -> Look | None:
    """Return what can be looked up, if anything can: a history's values must be of the kinds of both sides."""
    history = near.history
    kinds = {rows.form.offline, rows.form.online}
    columns = {
        f: history.values[feature.name] for f, feature in rows.features.items() if feature.name in history.values
    }
    columns = {f: name for f, name in columns.items() if {kind_of(near.table[name].type())} == kinds}
    sides: dict[str, tuple[Side, ...]] = {
        "events": ("offline", "online"),
        "offline": ("online",),
        "online": ("offline",),
    }
    return Look(near, columns, sides[history.whose], prefix, {}) if columns else None


def flagged(looked: Look, rows: Rows) -> Rows:
    """Return the rows with what each value matches, in columns `{prefix}{flag}_{value}`.

    The values are `a`, `b`, `other_a` and `other_b`, of the sides that are looked up.
    """
    import ibis

    near, prefix = looked.near, looked.prefix
    names = [name for side in looked.sides for name in (COLUMN[side], f"other_{COLUMN[side]}")]
    lines = near.table.inner_join(rows.table.select("f", "scale", "draw", *names), "draw")
    value = ibis.cases(*((lines.f == f, lines[column]) for f, column in looked.columns.items()))
    lines = lines.mutate(value=value)
    lines = lines.filter(lines["value"].notnull())
    matches = {f"is_{name}": _match(rows, lines, name) for name in names}
    lines = keep(lines.select("f", "draw", *PLACES, "lag", **matches))
    wanted: dict[str, ir.Value] = {}
    for side in looked.sides:
        column = COLUMN[side]
        looked.zones[side] = _zones(lines, column, list(looked.columns))
        places = _places(lines, looked.zones[side])
        for name in (column, f"other_{column}"):
            match = lines[f"is_{name}"]
            wanted |= {f"{prefix}{flag}_{name}": (place & match).any() for flag, place in places.items()}
        for way in ("older", "later"):
            lag = lines.lag.abs().min(where=lines[f"is_{column}"] & places[way])
            wanted[f"{prefix}{way}_lag_{column}"] = lag
    flags = lines.group_by(["f", "draw"]).aggregate(**wanted, **{f"{prefix}late": lines.late.any()})
    joined = rows.table.left_join(flags, ["f", "draw"]).drop("f_right", "draw_right")
    return rows.on(keep(joined))


def past_claims(looked: Look, rows: Rows) -> Iterator[Claim]:
    """Yield hypotheses about rows that `flagged` has looked at."""
    table, history = rows.table, looked.near.history

    def flag(name: str, value: str) -> ir.BooleanValue:
        return table[f"{looked.prefix}{name}_{value}"].fill_null(False)

    events = history.whose == "events"
    for side in looked.sides:
        column, right = COLUMN[side], COLUMN[OTHER[side]]
        for place in _hypotheses(looked, side):
            holds, chance = flag(place.flag, column), flag(place.flag, f"other_{column}")
            if events:  # the other side has what held, or what was known
                true = flag("own", right) | flag("known", right)
                holds, chance = holds & true, chance & true
            way = {"stale": "older", "future_value": "later"}.get(place.code)
            told = way is not None and place.lag and history.dated
            details: dict[int, Detail] = {f: {**detail, "side": side} for f, detail in place.details.items()}
            lag = table[f"{looked.prefix}{way}_lag_{column}"] if told else None
            yield Claim(place.code, place.level, details, holds, chance, lag=lag)
        if events and history.timed:
            late = table[f"{looked.prefix}late"].fill_null(False)
            yield from _ingested(side, list(looked.columns), late, flag)


def _ingested(
    side: Side, features: Sequence[int], late: ir.BooleanValue, flag: Callable[[str, str], ir.BooleanValue]
) -> Iterator[Claim]:
    """The other side has an event that was ingested after the row's time; this one has what had been ingested."""
    column, right = COLUMN[side], COLUMN[OTHER[side]]
    own = late & flag("own", right)
    if side == "online":
        details: dict[int, Detail] = {key: {"side": "offline"} for key in features}
        holds, chance = own & flag("known", column), own & flag("known", f"other_{column}")
        yield Claim("late_backfill", LATE, details, holds, chance)
    # Offline values that lag behind what serving knew: training was joined on the time of ingestion.
    level = LATE if side == "offline" else SOMEWHERE
    told: dict[int, Detail] = {key: {"side": side} for key in features}
    holds, chance = own & flag("arrived", column), own & flag("arrived", f"other_{column}")
    yield Claim("ingestion_time", level, told, holds, chance)


def _match(rows: Rows, lines: ir.Table, name: str) -> ir.BooleanValue:
    if name.endswith("a"):
        return rows.same(lines[name], lines["value"], scale=lines.scale)
    return rows.same(lines["value"], lines[name], scale=lines.scale)


def _zones(lines: ir.Table, column: str, features: Sequence[int]) -> dict[int, list[float]]:
    """By feature the shifts by whole hours, in seconds, that match any rows, the one that matches the most first."""
    found = lines.filter(lines["shift"].isin(ZONES) & lines[f"is_{column}"])
    counts = arrow(found.group_by(["f", "shift"]).aggregate(times=found.count())).to_pylist()
    ordered = sorted(counts, key=lambda line: (-line["times"], abs(line["shift"]), line["shift"]))
    zones = {f: [line["shift"] for line in ordered if line["f"] == f] for f in features}
    return {f: shifts for f, shifts in zones.items() if shifts}


def _places(lines: ir.Table, zones: Mapping[int, Sequence[float]]) -> dict[str, ir.BooleanValue]:
    step, shift = lines.step, lines["shift"]
    chosen = {f: zone_of(list(shifts))[0] for f, shifts in zones.items()}
    first = by_feature(lines.f, {f: pair[0] for f, pair in chosen.items()})
    second = by_feature(lines.f, {f: pair[-1] for f, pair in chosen.items()})
    found = {
        "own": step == 0,
        "previous": step == -1,
        "next": step == 1,
        "older": step.between(-BACK, -1),
        "later": step.between(1, AHEAD),
        "last": lines.last,
        "known": lines.known,
        "arrived": lines.arrived,
        "day_before": shift == -DAY,
        "week_before": shift == -7 * DAY,
        "day_after": shift == DAY,
        "week_after": shift == 7 * DAY,
        "zone": (shift == first) | (shift == second),
        "zone_first": shift == first,
    }
    return {name: place.fill_null(False) for name, place in found.items()}


def _hypotheses(looked: Look, side: Side) -> Iterator[_Place]:
    def every(detail: Detail) -> Mapping[int, Detail]:
        return dict.fromkeys(looked.columns, detail)

    yield _Place("stale", STEP, "previous", every({"events": 1}), lag=True)
    yield _Place("future_value", STEP, "next", every({"events": 1}), lag=True)
    yield _Place("current_status_join", STEP, "last", every({}))
    yield _Place("stale", SOMEWHERE, "older", every({}), lag=True)
    yield _Place("future_value", SOMEWHERE, "later", every({}), lag=True)
    if not looked.near.history.dated:
        return
    ways: tuple[tuple[Code, str, int], ...] = (("stale", "before", 1), ("future_value", "after", -1))
    for code, word, sign in ways:
        yield _Place(code, STEP, f"day_{word}", every({"lag_seconds": sign * DAY}))
        yield _Place(code, STEP, f"week_{word}", every({"lag_seconds": sign * 7 * DAY}))
    zones = looked.zones[side]
    yield _Place("time_zone", SHIFT, "zone", {f: zone_of(shifts)[1] for f, shifts in zones.items()})
    yield _Place("time_zone", SHIFT, "zone_first", {f: zone_of(shifts[:1])[1] for f, shifts in zones.items()})
