"""How far the people who gave the labels agree: one row of the table `annotations` for each item and annotator.

Called by `gate`. Items, their labels and who gave them are counted in the engine; what leaves it are patterns (how many
labels of each kind an item has, and of how many items that holds) or, of numbers, three sums an item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gates.errors import UsageError
from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow, row
from gates.inputs.values import infinite
from gates.measure.census import table_of
from gates.measure.claims import Claim, family
from gates.measure.interface import Given
from gates.measure.stats.agreement import alpha_interval, alpha_nominal, cohen, fleiss
from gates.measure.stats.figure import Figure, Floats
from gates.measure.sums import Where, numbers
from gates.records import WHOLE, Item, Measurement, Param, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

KAPPA, ALPHA = "data.annotator_kappa", "data.krippendorff_alpha"
MOST_LABELS = 100
"""Different labels that a pattern counts; more of them are numbers or free text, and no classes."""

ITEM = Item(kind="table", name="annotations")


@dataclass(frozen=True)
class _Answers:
    """Labels that were given: `item` (the row's key, one column each), `who`, `label`; no label is null.

    Attributes
    ----------
    key: names of the columns of the item. annotators: how many people there are.
    """

    table: ir.Table
    key: tuple[str, ...]
    annotators: int


def kappa(given: Given) -> Iterator[Measurement]:
    """Return Cohen's kappa where two people gave labels, and Fleiss' where more did."""
    answers = Reason.NOT_PROVIDED if given.plan.task == "numeric" else _answers(given)
    method = "cohen" if isinstance(answers, _Answers) and answers.annotators == 2 else "fleiss"
    measure = _cohen if method == "cohen" else _fleiss
    yield _measured(KAPPA, method, answers, measure)


def alpha(given: Given) -> Iterator[Measurement]:
    """Return Krippendorff's alpha: of a numeric task's labels by squared difference, else by equality."""
    numeric = given.plan.task == "numeric"
    yield _measured(ALPHA, "interval" if numeric else "nominal", _answers(given), _interval if numeric else _nominal)


def _measured(
    check: str, method: str, answers: _Answers | Reason, measure: Callable[[_Answers], Figure | Reason]
) -> Measurement:
    found = answers if isinstance(answers, Reason) else measure(answers)
    if found is Reason.EMPTY_TABLE and isinstance(answers, _Answers):
        found = Reason.ONE_ANNOTATION
    rows = () if isinstance(answers, Reason) else (Param(name="annotators", value=answers.annotators),)
    claim = Claim(check, "data", family(check, 1), method, (*rows, Param(name="rows", value="items")))
    return claim.measured(found, Where(WHOLE, 1_000_000, 0, None), ITEM)


def _answers(given: Given) -> _Answers | Reason:
    """The labels that are there, or why they tell nothing; an annotator who labelled an item twice has no one label."""
    opened, columns = table_of(given, "annotations"), given.plan.columns
    if isinstance(opened, Reason):
        return opened
    if not columns.key or columns.annotator is None or columns.label is None:
        return Reason.NOT_PROVIDED
    table = opened.table
    if not {*columns.key, columns.annotator, columns.label} <= set(table.columns):
        return Reason.COLUMN_MISSING
    if opened.identity.rows == 0:
        return Reason.EMPTY_TABLE
    return _told(opened, columns.key, columns.annotator, columns.label, numeric=given.plan.task == "numeric")


def _told(opened: OpenTable, key: tuple[str, ...], who: str, label: str, *, numeric: bool) -> _Answers | Reason:
    names = tuple(f"k{place}" for place in range(len(key)))
    table = opened.table
    value = table[label]
    if numeric and not value.type().is_numeric():
        return Reason.COLUMN_MISSING
    value = value.nullif(float("nan")) if value.type().is_floating() else value
    told = table.select(
        **dict(zip(names, (table[name] for name in key), strict=True)),
        who=table[who].cast("string").fill_null(""),
        label=value.cast("float64") if numeric else value.cast("string"),
    )
    told = told.filter(told.label.notnull())
    each = told.group_by([*names, "who"]).aggregate(times=told.count())
    found = row(each.aggregate(annotators=each.who.nunique(), twice=(each.times > 1).sum()))
    if found["twice"]:
        return Reason.KEYS_NOT_UNIQUE
    return _Answers(told, names, int(found["annotators"]))


def _kinds(answers: _Answers) -> list[str]:
    """Every label that was given, sorted.

    Raises
    ------
    UsageError: there are too many for them to be classes.
    """
    distinct = answers.table.select("label").distinct().order_by("label").limit(MOST_LABELS + 1)
    kinds = [str(kind) for kind in arrow(distinct).column("label").to_pylist()]
    if len(kinds) > MOST_LABELS:
        raise UsageError(
            f"annotators gave more than {MOST_LABELS} different labels",
            code="labels.many",
            where="annotations",
            remedy="store classes; of numbers, agreement is measured where the task is numeric",
        )
    return kinds


def _patterns(answers: _Answers) -> tuple[Floats, Floats]:
    """How often an item got each label, shape (patterns, labels), and how many items that is true of."""
    kinds = _kinds(answers)
    counts = {f"c{place}": (answers.table.label == kind).sum() for place, kind in enumerate(kinds)}
    items = answers.table.group_by(list(answers.key)).aggregate(**counts)
    found = arrow(items.group_by(list(counts)).aggregate(items=items.count()).order_by(list(counts)))
    return np.column_stack([numbers(found, name) for name in counts]), numbers(found, "items")


def _fleiss(answers: _Answers) -> Figure | Reason:
    return Reason.EMPTY_TABLE if answers.annotators < 2 else fleiss(*_patterns(answers))


def _nominal(answers: _Answers) -> Figure | Reason:
    return Reason.EMPTY_TABLE if answers.annotators < 2 else alpha_nominal(*_patterns(answers))


def _cohen(answers: _Answers) -> Figure | Reason:
    kinds, table = _kinds(answers), answers.table
    one, other = sorted(arrow(table.select("who").distinct()).column("who").to_pylist())
    both = table.group_by(list(answers.key)).aggregate(
        one=table.label.max(where=table.who == one), other=table.label.max(where=table.who == other)
    )
    both = both.filter(both.one.notnull() & both.other.notnull())
    found = arrow(both.group_by(["one", "other"]).aggregate(items=both.count()))
    joint = np.zeros((len(kinds), len(kinds)))
    place = {kind: index for index, kind in enumerate(kinds)}
    for left, right, items in zip(*(found.column(name).to_pylist() for name in found.column_names), strict=True):
        joint[place[left], place[right]] = items
    return cohen(joint)


def _interval(answers: _Answers) -> Figure | Reason:
    """Numbers are brought to [-1, 1] about the middle of what was seen, so that no square is too large."""
    table = answers.table
    seen = row(table.aggregate(low=table.label.min(), high=table.label.max(), wild=infinite(table.label).sum()))
    if seen["wild"]:
        return Reason.NULL_LABELS
    if answers.annotators < 2 or seen["low"] is None:
        return Reason.EMPTY_TABLE
    unit = max(abs(float(seen["low"])), abs(float(seen["high"])))
    if unit == 0:
        return Reason.ONE_CLASS
    low, high = float(seen["low"]) / unit, float(seen["high"]) / unit
    centred = table.mutate(label=table.label / unit - (low + high) / 2)
    items = centred.group_by(list(answers.key)).aggregate(
        n=centred.count(), total=centred.label.sum(), squares=(centred.label * centred.label).sum()
    )
    found = arrow(items.filter(items.n >= 2))
    labels, sums, squares = (numbers(found, name) for name in ("n", "total", "squares"))
    order = np.lexsort((squares, sums, labels))  # sums in one order, whatever the engine's
    return alpha_interval(labels[order], sums[order], squares[order], spread=high - low)
