"""Counts what a contract's rules ask: all rules of rows in one flat aggregate, keys and references in one query each."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.engines import engine_errors
from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow, row, scalar
from gates.inputs.values import absent, is_whole
from gates.measure.data.contract.columns import View
from gates.measure.data.contract.conditions import Unsaid, unfit
from gates.measure.data.contract.expects import Expects
from gates.measure.data.contract.rules import (
    CountRule,
    DistinctRule,
    FreshRule,
    NullRule,
    ReferenceRule,
    RowRule,
    Rule,
    SqlRule,
    TypeRule,
)
from gates.measure.data.scan import kind, micros_of, newest, repeated_rows
from gates.records import Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

Target = Callable[[str], "OpenTable | Reason"]
"""The table that an object of the contract, or a role, stands for."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worst:
    """A slice in which a rule is missed by most."""

    column: str
    value: str
    measured: float
    rows: int


@dataclass(frozen=True)
class Found:
    """What was counted for a rule.

    Attributes
    ----------
    measured: the number itself, None where it is no count: the least or the sum of few rows is a value of theirs, and
    stays in the table. missed_by: how far it is off what the contract expects, 0 where it is met; 1 for any miss of
    what is no count.
    rows: that were looked at.
    """

    rule: Rule
    measured: float | None
    missed_by: float
    rows: int
    worst: Worst | None = None


Answer = Found | Reason


def measure(
    rules: Sequence[Rule],
    view: View,
    opened: OpenTable,
    target: Target,
    where: Callable[[Rule], str],
) -> list[tuple[Rule, Answer]]:
    """Return an answer for each rule, in their order.

    Parameters
    ----------
    where: file and line of a rule, for errors.

    Raises
    ------
    UsageError: a rule that asks of a column what its type has not.
    """
    rows = opened.identity.rows
    flat: dict[str, Any] = {}
    answers: dict[str, Answer] = {}
    for index, rule in enumerate(rules):
        if not isinstance(rule, TypeRule) and not all(view.has(name) for name in rule.columns):
            answers[rule.name] = Reason.COLUMN_MISSING
            continue
        try:
            expression = _aggregate(rule, view)
        except Unsaid as error:
            raise UsageError(f"{rule.name}: {error}", code="contract.rule", where=where(rule)) from None
        if expression is not None:
            flat[f"r{index}"] = expression
    counted = _flat(view.table, flat)
    for index, rule in enumerate(rules):
        if rule.name not in answers:
            answers[rule.name] = _answer(rule, counted.get(f"r{index}"), rows, view, opened, target)
    return [(rule, answers[rule.name]) for rule in rules]


def _aggregate(rule: Rule, view: View) -> ir.Scalar | None:
    """What the flat aggregate counts for a rule; None where it has a query of its own, or nothing to count."""
    if isinstance(rule, SqlRule):
        return rule.said.aggregate(view)
    if isinstance(rule, FreshRule):
        value = view.value(rule.columns[0])
        if not value.type().is_temporal():
            raise Unsaid("is of a time, and the column holds none")
        return newest(value)
    broken: ir.BooleanValue | None = None
    if isinstance(rule, TypeRule) and view.has(rule.columns[0]):
        broken = view.misfits(rule.columns[0])
    elif isinstance(rule, RowRule):
        broken = _said(rule, view)
    elif isinstance(rule, NullRule) and not rule.slices:
        broken = absent(view.raw(rule.columns[0]))
    return None if broken is None else broken.sum()


def _said(rule: RowRule, view: View) -> ir.BooleanValue | None:
    try:
        return rule.broken(view.value(rule.columns[0]))
    except unfit():
        raise Unsaid(f"cannot be asked of {view.raw(rule.columns[0]).type()}") from None


def _flat(table: ir.Table, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """All aggregates in one scan; where the engine trips over one, each by itself, so that it takes no other with it."""
    if not wanted:
        return {}
    try:
        return row(table.aggregate(**wanted))
    except engine_errors() as error:
        _log.debug("the flat aggregate failed", exc_info=error)
    found: dict[str, Any] = {}
    for name, expression in wanted.items():
        try:
            found |= row(table.aggregate(**{name: expression}))
        except engine_errors():
            found[name] = Reason.GATE_FAILED
    return found


def _answer(rule: Rule, counted: Any, rows: int, view: View, opened: OpenTable, target: Target) -> Answer:
    if isinstance(counted, Reason):
        return counted
    if isinstance(rule, TypeRule) and not view.has(rule.columns[0]):
        return Found(rule, max(1, rows), max(1, rows), rows)
    if isinstance(rule, FreshRule):
        return _fresh(rule, counted, opened)
    if isinstance(rule, ReferenceRule):
        return _reference(rule, view, rows, target)
    if isinstance(rule, NullRule) and rule.slices:
        return _by_slice(rule, view, rows)
    if isinstance(rule, SqlRule) and counted is None:
        return Reason.EMPTY_TABLE
    measured = _number(rule, counted, view, rows)
    missed = rule.expects.missed_by(measured, rows)
    if isinstance(rule, SqlRule) and rule.said.of_values:
        return Found(rule, None, 1.0 if missed else 0.0, rows)
    if not math.isfinite(measured):  # such as a count times a number beyond all
        return Reason.GATE_FAILED
    return Found(rule, measured, missed, rows)


def _number(rule: Rule, counted: Any, view: View, rows: int) -> float:
    if isinstance(rule, CountRule):
        return rows
    if isinstance(rule, DistinctRule):
        return _repeated(rule, view)
    return float(counted or 0)


def _repeated(rule: DistinctRule, view: View) -> int:
    columns = [view.declared[name].column for name in rule.columns]
    table = view.table
    if not rule.key:
        table = table.filter(~absent(table[columns[0]]))
    return repeated_rows(table, columns)


def _fresh(rule: FreshRule, newest: datetime | None, opened: OpenTable) -> Answer:
    as_of_us, newest_us = opened.identity.as_of_us, micros_of(newest)
    if as_of_us is None:
        return Reason.NOT_PROVIDED
    if newest_us is None:
        return Reason.EMPTY_TABLE
    # an event after the as-of time is as wrong as an old one
    age = abs(as_of_us - newest_us) / 1_000_000
    expects = Expects("mustBeLessOrEqualTo", (rule.seconds,), whole=False)
    return Found(rule, age, expects.missed_by(age, 0), opened.identity.rows)


def _reference(rule: ReferenceRule, view: View, rows: int, target: Target) -> Answer:
    other = target(rule.target)
    if isinstance(other, Reason):
        return other
    ours = view.table.select(**{f"k{i}": view.raw(name) for i, name in enumerate(rule.columns)}).drop_null()
    if not set(rule.others) <= set(other.table.columns):
        return Reason.COLUMN_MISSING
    theirs = other.table.select(**{f"k{i}": other.table[name] for i, name in enumerate(rule.others)}).distinct()
    if any(kind(ours, name) != kind(theirs, name) for name in ours.columns):
        return Reason.COLUMN_MISSING
    alone = ours.anti_join(theirs, [_same(ours[name], theirs[name]) for name in ours.columns])
    measured = int(scalar(alone.count()))
    return Found(rule, measured, rule.expects.missed_by(measured, rows), rows)


def _same(one: ir.Value, other: ir.Value) -> ir.BooleanValue:
    """Whether two values of one kind are the same. Engines would read whole numbers as doubles, which hold 53 bits."""
    if one.type().is_floating() and other.type().is_integer():
        return _whole(one) == other
    if one.type().is_integer() and other.type().is_floating():
        return one == _whole(other)
    return one == other


def _whole(value: ir.FloatingValue) -> ir.Value:
    return is_whole(value, 2.0**63).ifelse(value.cast("int64"), None)


def _by_slice(rule: NullRule, view: View, rows: int) -> Found:
    """The expectation is of each value of each column; what is missed adds up over them."""
    measured = missed = 0.0
    worst: tuple[float, Worst] | None = None
    for column, value, nulls, n in _nulls(rule, view):
        off = rule.expects.missed_by(nulls, n)
        measured, missed = measured + nulls, missed + off
        if off and (worst is None or off > worst[0]):
            worst = (off, Worst(column, value, nulls, n))
    return Found(rule, measured, missed, rows, worst[1] if worst else None)


def _nulls(rule: NullRule, view: View) -> Iterator[tuple[str, str, int, int]]:
    missing = absent(view.raw(rule.columns[0]))
    for column in rule.slices:
        table = view.table.select(value=view.raw(column).cast("string").fill_null(""), missing=missing)
        found = arrow(table.group_by("value").aggregate(nulls=table.missing.sum(), n=table.count()))
        for each in sorted(found.to_pylist(), key=lambda each: str(each["value"])):
            yield column, each["value"], int(each["nulls"] or 0), int(each["n"])
