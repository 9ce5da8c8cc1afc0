"""Where a row stands in the history of its entity: the values before and after it, and those of other hours.

A history is a table of values as they came: the plan's table `events`, or else the other side's rows of the same entity.
Each event has a number within its entity, by event time, then by ingestion time. A row is placed at the number of events
up to its time; what is asked of the history are then numbers near it, joined by equality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gates.inputs.tables import keep
from gates.inputs.values import is_moment
from gates.measure.parity.causes.moments import HOUR
from gates.measure.parity.causes.rows import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir

BACK, AHEAD = 8, 8
"""Events before and after the row's own that are looked at."""

KNOWN_BACK = 32
"""Events among which the newest that had been ingested is looked for."""

DAY = 24 * HOUR
DAYS = (-7 * DAY, -DAY, DAY, 7 * DAY)
ZONES = tuple(hour * HOUR for hour in (*range(-14, 0), *range(1, 15)))

Whose = Literal["offline", "online", "events"]


@dataclass(frozen=True)
class History:
    """Events, numbered.

    Attributes
    ----------
    table: `i0`, `i1`, ... (the entity), `at` (float64: seconds where `dated`), `ingested` (float64, seconds; null where
        unknown), `number` (1, 2, ... within the entity), and the values.
    values: feature to column of `table`. parts: how many columns the entity has.
    """

    whose: Whose
    table: ir.Table
    values: Mapping[str, str]
    parts: int
    dated: bool
    timed: bool

    @property
    def entity(self) -> list[str]:
        return [f"i{part}" for part in range(self.parts)]


def read_history(
    whose: Whose,
    source: ir.Table,
    entity: Sequence[str],
    time: str,
    ingested: str | None,
    features: Sequence[str],
) -> History:
    """Number the events of a table; those without a time are left out.

    Parameters
    ----------
    entity: its columns in `source`; without any all rows are of one. ingested: column, or None.
    """
    import ibis

    dated = is_moment(source[time])
    at = seconds(source[time]) if dated else source[time].cast("float64")
    values = {name: f"h{index}" for index, name in enumerate(features) if name in source.columns}
    table = source.select(
        **{f"i{part}": source[name] for part, name in enumerate(entity)},
        at=at,
        ingested=seconds(source[ingested]) if ingested else ibis.null("float64"),
        **{column: source[name] for name, column in values.items()},
    )
    table = table.filter(table["at"].notnull())
    group = [table[f"i{part}"] for part in range(len(entity))]
    number = ibis.row_number().over(group_by=group or None, order_by=[table["at"], table.ingested]) + 1
    return History(
        whose, keep(table.mutate(number=number)), values, len(entity), dated=dated, timed=ingested is not None
    )


def near(history: History, rows: ir.Table) -> ir.Table:
    """Return the events near each row: one line a row and place.

    Parameters
    ----------
    rows: `draw`, the entity's columns `i0`, ... and `at`.

    Returns
    -------
    Table: `draw`, `at` and `ingested` (the event's), the values, `step` (0: the newest event up to the row's time; null in
    a shift), `shift` (seconds; null elsewhere), `lag` (seconds from the event to the row), `known` (the newest in event
    time of those ingested by then), `arrived` (the newest in ingestion time), `late` (the event of step 0 was ingested
    after the row's time), `last` (the entity's last, if it is not the row's own).
    """
    steps = _steps(history, rows)
    return keep(steps.union(_shifts(history, rows)) if history.dated else steps)


def _placed(history: History, rows: ir.Table) -> ir.Table:
    """Add `number`: how many events of the entity there are up to `asked`."""
    import ibis

    entity = history.entity
    events = history.table.semi_join(rows, entity) if entity else history.table
    columns = {"draw": "string", "row_at": "float64", "shift": "float64"}
    one = events.select(
        *entity, asked=events["at"], event=1, **{name: ibis.null(kind) for name, kind in columns.items()}
    )
    two = rows.select(*entity, asked=rows.asked, event=0, **{name: rows[name] for name in columns})
    both = one.union(two)
    group = [both[name] for name in entity]
    window = ibis.cumulative_window(group_by=group or None, order_by=[both.asked, both.event.desc()])
    # A row comes after the events of its own time: they are up to it.
    counted = both.mutate(number=both.event.sum().over(window))
    return counted.filter(counted.event == 0).drop("event", "asked")


def _with_events(history: History, placed: ir.Table) -> ir.Table:
    keys = [*history.entity, "number"]
    return placed.inner_join(history.table, keys)


def _steps(history: History, rows: ir.Table) -> ir.Table:
    import ibis

    asked = rows.mutate(asked=rows["at"], row_at=rows["at"], shift=ibis.null("float64")).drop("at")
    placed = _placed(history, asked)
    back = KNOWN_BACK if history.timed else BACK
    stepped = placed.mutate(step=ibis.array(list(range(-back, AHEAD + 1))).unnest().cast("int64"))
    stepped = stepped.mutate(number=(stepped.number + stepped.step).cast("int64"))
    found = _with_events(history, stepped)
    by_row = found.draw
    known = (found.step <= 0) & (found.ingested <= found.row_at)
    found = found.mutate(is_known=known.fill_null(False))
    found = found.mutate(
        newest=found.step.max(where=found.is_known).over(group_by=by_row),
        newest_arrival=found.ingested.max(where=found.is_known).over(group_by=by_row),
        late_at=found.ingested.max(where=found.step == 0).over(group_by=by_row),
    )
    marked = found.mutate(
        known=(found.is_known & (found.step == found.newest)).fill_null(False),
        arrived=(found.is_known & (found.ingested == found.newest_arrival)).fill_null(False),
        late=(found.late_at > found.row_at).fill_null(False),
        last=False,
    )
    return _lines(history, marked).union(_lines(history, _last(history, placed)))


def _last(history: History, placed: ir.Table) -> ir.Table:
    import ibis

    table = history.table
    if history.entity:
        ends = table.group_by(history.entity).aggregate(end=table.number.max())
        found = placed.inner_join(ends, history.entity)
    else:
        found = placed.cross_join(table.aggregate(end=table.number.max()))
    found = found.filter(found.end > found.number)
    found = _with_events(history, found.mutate(number=found.end).drop("end"))
    return found.mutate(step=ibis.null("int64"), known=False, arrived=False, late=False, last=True)


def _shifts(history: History, rows: ir.Table) -> ir.Table:
    import ibis

    shifts = list(ZONES + DAYS)
    asked = rows.mutate(shift=ibis.array(shifts).unnest().cast("float64"), row_at=rows["at"])
    asked = asked.mutate(asked=asked.row_at + asked["shift"]).drop("at")
    found = _with_events(history, _placed(history, asked))
    found = found.mutate(step=ibis.null("int64"), known=False, arrived=False, late=False, last=False)
    return _lines(history, found)


def _lines(history: History, found: ir.Table) -> ir.Table:
    return found.select(
        "draw",
        "step",
        "shift",
        "known",
        "arrived",
        "late",
        "last",
        *history.values.values(),
        lag=found.row_at - found["at"],
    )
