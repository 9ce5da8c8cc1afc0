"""Rows of the holdout that a model has learned from: on those it looks better than it is. Called by `gate`.

By the plan's key, and by the values of all features that both tables have: a row that was copied under another key is the
same row. Where both have the key, features are believed only beyond what chance explains, which is how often rows of other
keys share theirs within each table. Where they do not, features have to name a row in the holdout by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from gates.inputs.opened import OpenTable
from gates.inputs.tables import row, scalar
from gates.measure.census import census, unmeasured
from gates.measure.data.scan import kind, shared_rows
from gates.measure.interface import Given, Learned, Whose
from gates.measure.stats.proportions import proportion
from gates.records import LADDER, Item, Measurement, Param, Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECKS: dict[Whose, str] = {"candidate": "data.holdout_overlap", "champion": "data.champion_overlap"}
UNIT = "rows"
METHODS = {
    "key": "rows of the holdout whose key stands in the table",
    "features": "rows of the holdout whose features stand in the table",
}

CALIBRATED = frozenset({"calibration", "conformal", "conformal_calibration"})
"""Words for the rows that sets and intervals were calibrated on."""

REPEATED = 0.01
"""Above this share of rows that have their features in common with another one, features do not name a row."""

CHANCE = LADDER.index(0.99)
"""The rung of limits on what chance explains, and on what was found: both have to part."""


def overlaps(given: Given, holdout: OpenTable) -> Iterator[Measurement]:
    """Return a figure for each table that candidate and champion have learned from, and what stands for those not named.

    Every model has a training table, and one that answers with sets or intervals has rows that these were calibrated on.
    """
    for whose, check in CHECKS.items():
        if whose == "champion" and given.champion is None:
            yield _unmeasured(check, Reason.NO_CHAMPION, None)
            continue
        learned = learned_of(given, whose)
        for one in learned:
            yield _overlap(check, given, holdout, one)
        named = {one.context for one in learned}
        if "training" not in named:
            yield _unmeasured(check, Reason.TABLE_MISSING, "training")
        if _conformal(given, whose) and not named & CALIBRATED:
            yield _unmeasured(check, Reason.TABLE_MISSING, "calibration")


def no_overlaps(reason: Reason) -> Iterator[Measurement]:
    """Return what stands in place of all figures where there is no holdout."""
    for check in CHECKS.values():
        yield _unmeasured(check, reason, None)


def learned_of(given: Given, whose: Whose) -> tuple[Learned, ...]:
    """Return what a version has learned from: as its run and the spec say, else the spec alone."""
    prefix = "" if whose == "candidate" else "champion_"
    by_role = (
        Learned(context, given.tables[prefix + context], by_run=False)
        for context in ("training", "calibration")
        if prefix + context in given.tables
    )
    return given.learned[whose] if whose in given.learned else tuple(by_role)


def _conformal(given: Given, whose: Whose) -> bool:
    """Whether a version answers with prediction sets or intervals; by the plan's columns where it did not answer."""
    scored, columns = given.scored, given.plan.columns
    if whose == "candidate":
        named = bool(columns.set_columns or columns.intervals)
        return named if isinstance(scored, Reason) else bool(scored.levels)
    named = bool(columns.champion_set_columns or columns.champion_intervals)
    return named if isinstance(scored, Reason) else scored.champion_levels


def _overlap(check: str, given: Given, holdout: OpenTable, learned: Learned) -> Measurement:
    other = learned.table
    if isinstance(other, OpenTable) and other.identity.rows == 0:
        other = Reason.EMPTY_TABLE
    if isinstance(other, Reason):
        return _unmeasured(check, other, learned.context)
    key, features = given.plan.columns.key, given.plan.columns.features
    known = set(holdout.table.columns) & set(other.table.columns)
    shared: int | Reason | None
    by, names = "features", tuple(name for name in features if name in known)
    if key and set(key) <= known:
        by, shared = "key", shared_rows(holdout.table, other.table, key)
        copied = None if shared is None or not names else copied_rows(holdout.table, other.table, given.plan, names)
        if shared is not None and copied is not None and copied > shared:
            by, shared = "features", copied
    elif names:
        shared = shared_features(holdout.table, other.table, names)
    else:
        shared = Reason.COLUMN_MISSING if key or features else Reason.NOT_PROVIDED
    if shared is None or isinstance(shared, Reason):
        return _unmeasured(check, shared or Reason.COLUMN_MISSING, learned.context)
    return census(
        check,
        shared,
        n=holdout.identity.rows,
        unit=UNIT,
        method=METHODS[by],
        item=Item(kind="table", name=learned.context),
        params=(Param(name="by", value=by), Param(name="named_by", value="run" if learned.by_run else "spec")),
    )


def _unmeasured(check: str, reason: Reason, context: str | None) -> Measurement:
    item = None if context is None else Item(kind="table", name=context)
    return unmeasured(check, reason, unit=UNIT, method=METHODS["key"], item=item)


def shared_features(holdout: ir.Table, other: ir.Table, features: tuple[str, ...]) -> int | Reason | None:
    """Count rows of the holdout whose features, all of them, stand in the other table; null and NaN are one value.

    Numbers are compared in the narrower of the two types: a table that was stored as float32 is still the same rows.

    Returns
    -------
    None where a feature is of another kind in the two tables; Reason.KEYS_NOT_UNIQUE where features do not name a row.
    """
    if any(kind(holdout, name) != kind(other, name) for name in features):
        return None
    ours, theirs = (_vectors(table, beside, features) for table, beside in ((holdout, other), (other, holdout)))
    return twins(ours, theirs)


def copied_rows(holdout: ir.Table, other: ir.Table, plan: Plan, features: tuple[str, ...]) -> int | None:
    """Count rows of the holdout whose features, all of them, stand in the other table, beyond what chance explains.

    The same entity at another time is another row, and may well have the features that it had.

    Returns
    -------
    None where a feature is of another kind in the two tables; 0 where chance explains as many rows.
    """
    if any(kind(holdout, name) != kind(other, name) for name in features):
        return None
    entity, time = _entity(plan, holdout, other)
    ours, theirs = (
        _vectors(table, beside, features, key=plan.columns.key, entity=entity, time=time)
        for table, beside in ((holdout, other), (other, holdout))
    )
    vector = [f"k{i}" for i in range(len(features))]
    same = [ours[name].identical_to(theirs[name]) for name in vector]
    if entity:
        anew = [ours[name].identical_to(theirs[name]) for name in _named(entity, "entity")]
        same.append(~reduce(and_, anew) | ours["time"].identical_to(theirs["time"]))
    both = ours.semi_join(theirs, same).select(vector)
    groups = both.group_by(vector).aggregate(times=both.count())
    seen = row(groups.aggregate(rows=groups.times.sum(), vectors=groups.count()))
    if not seen["vectors"]:
        return 0
    # one value that many rows have is one coincidence
    (n, alike), (m, others) = _alike(ours, vector), _alike(theirs, vector)
    found = proportion(int(seen["vectors"]) / n, n)[0][CHANCE]
    return int(seen["rows"]) if found > _by_chance(alike / n, n, others / m, m) else 0


def _entity(plan: Plan, holdout: ir.Table, other: ir.Table) -> tuple[tuple[str, ...], str | None]:
    """Return the columns that name what a row is about, and its time; neither where the tables do not have both."""
    key, time, cluster = plan.columns.key, plan.columns.time, plan.parameters.cluster
    beside = tuple(name for name in key if name != time) if time in key else ()
    entity = beside if cluster is None else (cluster,)
    wanted = {*entity, time}
    known = set(holdout.columns) & set(other.columns)
    if not entity or not wanted <= known or any(kind(holdout, str(n)) != kind(other, str(n)) for n in wanted):
        return (), None
    return entity, time


def _by_chance(here: float, n: int, there: float, m: int) -> float:
    """Return the share of our rows that may well have their features in common with a row of theirs that is another one.

    Each table tells it of itself, and the smaller counts: rows repeated on purpose in the one, or few rows in the other,
    are no reason to see nothing.

    Parameters
    ----------
    here, there: shares of the rows of a table whose features another of its keys has too. n, m: their rows.
    """
    ours, theirs = (float(proportion(rate, rows)[1][CHANCE]) for rate, rows in ((here, n), (there, m)))
    return min(ours * max(1.0, m / n), theirs)


def _alike(table: ir.Table, vector: list[str]) -> tuple[int, int]:
    """Count rows, each key's features once, and those whose features another key has too."""
    keys = [name for name in table.columns if name.startswith("key_")]
    once = table[[*keys, *vector]].distinct()
    groups = once.group_by(vector).aggregate(times=once.count())
    seen = row(groups.aggregate(rows=groups.times.sum(), repeated=groups.times.sum(where=groups.times > 1)))
    return int(seen["rows"]), int(seen["repeated"] or 0)


def twins(ours: ir.Table, theirs: ir.Table) -> int | Reason:
    """Count our rows that equal one of theirs in every column; a null equals a null.

    Returns
    -------
    Reason.KEYS_NOT_UNIQUE where more than a hundredth of our own rows are twins of each other, so that a twin says nothing.
    """
    groups = ours.group_by(list(ours.columns)).aggregate(times=ours.count())
    seen = row(groups.aggregate(rows=groups.times.sum(), repeated=groups.times.sum(where=groups.times > 1)))
    if (seen["repeated"] or 0) > REPEATED * seen["rows"]:
        return Reason.KEYS_NOT_UNIQUE
    same = [ours[name].identical_to(theirs[name]) for name in ours.columns]
    return int(scalar(ours.semi_join(theirs.distinct(), same).count()))


def _vectors(
    table: ir.Table,
    beside: ir.Table,
    features: tuple[str, ...],
    *,
    key: tuple[str, ...] = (),
    entity: tuple[str, ...] = (),
    time: str | None = None,
) -> ir.Table:
    """Features under names of our own, comparable with those of the table beside; and what else is asked for."""
    columns = {f"k{i}": _comparable(table[name], beside[name]) for i, name in enumerate(features)}
    columns |= {own: table[name] for own, name in zip(_named(key, "key"), key, strict=True)}
    columns |= {own: table[name] for own, name in zip(_named(entity, "entity"), entity, strict=True)}
    return table.select(**columns, **({} if time is None else {"time": table[time]}))


def _named(names: tuple[str, ...], word: str) -> list[str]:
    return [f"{word}_{i}" for i in range(len(names))]


def _comparable(value: ir.Value, beside: ir.Value) -> ir.Value:
    import ibis

    if not value.type().is_numeric() or not (value.type().is_floating() or beside.type().is_floating()):
        return value
    narrow = "float32" if "float32" in {str(value.type()), str(beside.type())} else "float64"
    number = value.cast(narrow)
    return number.isnan().ifelse(ibis.null(narrow), number)
