"""Rows of the holdout that a model has learned from: on those it looks better than it is. Called by `gate`.

By the plan's key where both tables have it, else by the values of all features that both have. A row of features names a
row only where hardly any two rows share one: that is looked at in the holdout itself, before anything is concluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gates.inputs.opened import OpenTable
from gates.inputs.tables import row, scalar
from gates.measure.census import census, unmeasured
from gates.measure.data.scan import kind, shared_rows
from gates.measure.interface import Given, Learned, Whose
from gates.records import Item, Measurement, Param, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECKS: dict[Whose, str] = {"candidate": "data.holdout_overlap", "champion": "data.champion_overlap"}
UNIT = "rows"
METHODS = {
    "key": "rows of the holdout whose key stands in the table",
    "features": "rows of the holdout whose features do",
}

CALIBRATED = frozenset({"calibration", "conformal", "conformal_calibration"})
"""Words for the rows that sets and intervals were calibrated on."""

REPEATED = 0.01
"""Above this share of rows that have their features in common with another one, features do not name a row."""


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
    by, names = ("key", key) if key and set(key) <= known else ("features", tuple(n for n in features if n in known))
    if not names:
        return _unmeasured(
            check, Reason.NOT_PROVIDED if not (key or features) else Reason.COLUMN_MISSING, learned.context
        )
    find = shared_rows if by == "key" else shared_features
    shared = find(holdout.table, other.table, names)
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


def _vectors(table: ir.Table, beside: ir.Table, features: tuple[str, ...]) -> ir.Table:
    return table.select(**{f"k{i}": _comparable(table[name], beside[name]) for i, name in enumerate(features)})


def _comparable(value: ir.Value, beside: ir.Value) -> ir.Value:
    import ibis

    if not value.type().is_numeric() or not (value.type().is_floating() or beside.type().is_floating()):
        return value
    narrow = "float32" if "float32" in {str(value.type()), str(beside.type())} else "float64"
    number = value.cast(narrow)
    return number.isnan().ifelse(ibis.null(narrow), number)
