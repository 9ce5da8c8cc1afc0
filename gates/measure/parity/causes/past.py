"""What a feature's values match in the history of their entity: older and later ones, the last, what was known when.

Without a table of events each side's history is the other side's rows: an online value that is older than its row looks
the same as offline values that are ahead of theirs, unless some rows of the entity agree; then only one of the two fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.profile import kind_of
from gates.inputs.tables import arrow
from gates.measure.parity.causes.history import AHEAD, BACK, DAY, ZONES, History
from gates.measure.parity.causes.hypotheses import (
    LATE,
    SHIFT,
    SOMEWHERE,
    STEP,
    Claim,
    Code,
    Detail,
    Hypothesis,
    Side,
)
from gates.measure.parity.causes.moments import zone_of
from gates.measure.parity.causes.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

OTHER: dict[Side, Side] = {"offline": "online", "online": "offline"}
COLUMN: dict[Side, str] = {"offline": "a", "online": "b"}


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
    flag: its name in the flags. lag: whether the time between is told.
    """

    code: Code
    level: float
    flag: str
    detail: Detail
    lag: bool = False


def sides_of(near: Near, rows: Rows) -> tuple[Side, ...]:
    """Return the sides whose values can be looked up in a history."""
    if rows.feature.name not in near.history.values:
        return ()
    if near.history.whose == "events":
        kind = kind_of(near.table[near.history.values[rows.feature.name]].type())
        return ("offline", "online") if kind == rows.feature.offline == rows.feature.online else ()
    if rows.feature.offline != rows.feature.online:
        return ()
    return ("online",) if near.history.whose == "offline" else ("offline",)


def flagged(near: Near, rows: Rows, sides: tuple[Side, ...], prefix: str) -> tuple[Rows, dict[Side, list[float]]]:
    """Return the rows with what each value matches, in columns `{prefix}{flag}_{value}`, and the time zones in question.

    The values are `a`, `b`, `other_a` and `other_b`, of the sides that can be looked up.
    """
    value = near.history.values[rows.feature.name]
    lines = near.table.inner_join(rows.table.select("draw", "a", "b", "other_a", "other_b"), "draw")
    lines = lines.filter(lines[value].notnull())
    names = [name for side in sides for name in (COLUMN[side], f"other_{COLUMN[side]}")]
    lines = lines.mutate(**{f"is_{name}": _match(rows, lines, value, name) for name in names})
    zones = {side: _zones(lines, COLUMN[side]) for side in sides}
    wanted: dict[str, ir.Value] = {}
    for side in sides:
        for name in (COLUMN[side], f"other_{COLUMN[side]}"):
            match = lines[f"is_{name}"]
            places = _places(lines, zones[side])
            wanted |= {f"{prefix}{flag}_{name}": (place & match).any() for flag, place in places.items()}
        column = COLUMN[side]
        for way in ("older", "later"):
            lag = lines.lag.abs().min(where=lines[f"is_{column}"] & _places(lines, [])[way])
            wanted[f"{prefix}{way}_lag_{column}"] = lag
    flags = lines.group_by("draw").aggregate(**wanted, **{f"{prefix}late": lines.late.any()})
    table = rows.table.left_join(flags, "draw").drop("draw_right")
    return Rows(table, rows.feature, rows.tolerance), zones


def past_claims(
    near: Near, rows: Rows, sides: tuple[Side, ...], prefix: str, zones: dict[Side, list[float]]
) -> Iterator[Claim]:
    """Yield hypotheses about rows that `flagged` has looked at."""
    table = rows.table

    def flag(name: str, value: str) -> ir.BooleanValue:
        return table[f"{prefix}{name}_{value}"].fill_null(False)

    def truth(value: str) -> ir.BooleanValue | None:
        return flag("own", value) | flag("known", value) if near.history.whose == "events" else None

    for side in sides:
        column, right = COLUMN[side], COLUMN[OTHER[side]]
        true = truth(right)
        for place in _hypotheses(near.history, zones[side]):
            holds, chance = flag(place.flag, column), flag(place.flag, f"other_{column}")
            way = {"stale": "older", "future_value": "later"}.get(place.code)
            yield Claim(
                Hypothesis(place.code, place.level, {**place.detail, "side": side}),
                holds if true is None else holds & true,
                chance if true is None else chance & true,
                lag=table[f"{prefix}{way}_lag_{column}"] if way and place.lag and near.history.dated else None,
            )
        if near.history.whose == "events" and near.history.timed:
            late = table[f"{prefix}late"].fill_null(False)
            yield from _ingested(side, late, flag)


def _ingested(side: Side, late: ir.BooleanValue, flag: Callable[[str, str], ir.BooleanValue]) -> Iterator[Claim]:
    """The other side has an event that was ingested after the row's time; this one has what had been ingested."""
    column, right = COLUMN[side], COLUMN[OTHER[side]]
    own = late & flag("own", right)
    if side == "online":
        yield Claim(
            Hypothesis("late_backfill", LATE, {"side": "offline"}),
            own & flag("known", column),
            own & flag("known", f"other_{column}"),
        )
    # Offline values that lag behind what serving knew: training was joined on the time of ingestion.
    yield Claim(
        Hypothesis("ingestion_time", LATE if side == "offline" else SOMEWHERE, {"side": side}),
        own & flag("arrived", column),
        own & flag("arrived", f"other_{column}"),
    )


def _match(rows: Rows, lines: ir.Table, value: str, name: str) -> ir.BooleanValue:
    if name.endswith("a"):
        return rows.same(lines[name], lines[value])
    return rows.same(lines[value], lines[name])


def _zones(lines: ir.Table, column: str) -> list[float]:
    """Seconds: the shift by whole hours that matches the most rows, and the better of its neighbours."""
    found = lines.filter(lines["shift"].isin(ZONES) & lines[f"is_{column}"]).group_by("shift")
    counts = arrow(found.aggregate(times=lambda t: t.count())).to_pydict()
    times = dict(zip(counts["shift"], counts["times"], strict=True))
    return sorted(times, key=lambda shift: (-times[shift], abs(shift), shift))


def _places(lines: ir.Table, zones: list[float]) -> dict[str, ir.BooleanValue]:
    step, shift = lines.step, lines["shift"]
    chosen = zone_of(zones)[0] if zones else []
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
        "zone": shift.isin(chosen) if chosen else lines.last & ~lines.last,
        "zone_first": shift == chosen[0] if chosen else lines.last & ~lines.last,
    }
    return {name: place.fill_null(False) for name, place in found.items()}


def _hypotheses(history: History, zones: list[float]) -> Iterator[_Place]:
    yield _Place("stale", STEP, "previous", {"events": 1}, lag=True)
    yield _Place("future_value", STEP, "next", {"events": 1}, lag=True)
    yield _Place("current_status_join", STEP, "last", {})
    yield _Place("stale", SOMEWHERE, "older", {}, lag=True)
    yield _Place("future_value", SOMEWHERE, "later", {}, lag=True)
    if not history.dated:
        return
    for code, word, sign in (("stale", "before", 1), ("future_value", "after", -1)):
        yield _Place(code, STEP, f"day_{word}", {"lag_seconds": sign * DAY})  # type: ignore[arg-type]
        yield _Place(code, STEP, f"week_{word}", {"lag_seconds": sign * 7 * DAY})  # type: ignore[arg-type]
    if zones:
        yield _Place("time_zone", SHIFT, "zone", zone_of(zones)[1])
        yield _Place("time_zone", SHIFT, "zone_first", zone_of(zones[:1])[1])
