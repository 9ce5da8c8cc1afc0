"""Labels beside scores, one row for each row of the holdout: what the model-quality gates read. First step of measure.

The scores come from the scorer process (`scored`) or from a table of predictions (`supplied`). Labels are joined here,
in the table engine; the process that runs the model never has them.

In order: (1) each table's columns are read as its task asks (scored_columns, scored_binary, scored_multiclass,
scored_numeric); (2) rows are paired (scored_pairs); (3) every value is looked at once: what the caller can mend is a
UsageError, what the data lack is a Reason; (4) weights are scaled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gates.errors import UsageError
from gates.inputs.engines import reading
from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables
from gates.measure import scored_columns as columns
from gates.measure.grouping import group_of, no_days
from gates.measure.interface import Scored, Whose
from gates.measure.sampling import DRAW, one_in
from gates.measure.scored_binary import Binary
from gates.measure.scored_columns import (
    Form,
    counted,
    filled,
    is_quantile,
    is_score,
    missing,
    of_anchor,
    of_champion,
    reader,
)
from gates.measure.scored_features import ROW_ID, numbered
from gates.measure.scored_multiclass import Multiclass
from gates.measure.scored_numeric import Numeric
from gates.measure.scored_pairs import Read, Side, by_position, pair
from gates.records import Plan, Reason

_FORMS: dict[str, Callable[[Plan], Form]] = {"binary": Binary, "multiclass": Multiclass, "numeric": Numeric}

Wanted: TypeAlias = dict[str, tuple[str, Read]]
"""Our name of a column, its own, and how it is read."""


@dataclass(frozen=True)
class Supplied:
    """What a table says that a model said.

    Attributes
    ----------
    wanted: by raw name (scored_columns), those of the champion as its own.
    """

    table: OpenTable
    wanted: Wanted


def scored_by_scorer(
    tables: Tables,
    plan: Plan,
    holdout: OpenTable,
    candidate: Path,
    champion: Path | OpenTable | None = None,
    anchor: Path | None = None,
) -> Scored | Reason:
    """Join the scorer's predictions to the holdout's labels.

    Parameters
    ----------
    candidate, champion: Parquet with `row_id` (that of `write_features`) and the task's raw columns (scored_columns). A
        champion that cannot score these rows may come as a table of predictions instead, found by the plan's key.
    anchor: the same of a version that served; only its scores are read.

    Raises
    ------
    UsageError: an unknown column, a label that the task does not have, scores that are none, no key for a table.
    """
    supplied = champion if isinstance(champion, OpenTable) else None
    if holdout.identity.rows == 0 or (supplied and supplied.identity.rows == 0):
        return Reason.EMPTY_TABLE
    keys = plan.columns.key if supplied else ()
    if supplied and not keys:
        raise _no_key(supplied.identity.uri)
    form: Form = _FORMS[plan.task](plan)
    table, number = numbered(tables, plan, holdout)
    sides = [
        Side(table, holdout.identity.uri).select((number, *keys), _labels(plan, form, holdout)),
        _answer(tables, candidate, "candidate's predictions", str),
    ]
    if supplied:
        sides.append(Side(supplied.table, supplied.identity.uri).select(keys, _rival(form, supplied), first=1))
    elif champion is not None:
        sides.append(_answer(tables, champion, "champion's predictions", of_champion))  # type: ignore[arg-type]
    if anchor is not None:
        sides.append(_answer(tables, anchor, "anchor's predictions", of_anchor))
    return _assemble(tables, plan, form, sides, "scored", champion_supplied=supplied is not None)


def scored_by_tables(tables: Tables, plan: Plan, opened: Mapping[str, OpenTable]) -> Scored | Reason:
    """Join supplied predictions to the labels by the plan's key.

    Label, weight, payoff, cluster, slices and groups are columns of the holdout where there is one, else of the predictions
    table itself. Without a key a champion's table is paired by position, and only if it repeats the label, equal in
    every row. A champion's table has its own columns (`champion_score`, ...) or those of the candidate's names.

    Where the table has sets or intervals at other levels than the plan's coverage_level, `levels` holds those that it
    has, and no figure is to be had at coverage_level.

    Raises
    ------
    UsageError: as `scored_by_scorer`; also no key where one is needed.
    """
    predictions, holdout, champion = map(opened.get, ("predictions", "holdout", "champion_predictions"))
    if predictions is None:
        return Reason.NOT_PROVIDED
    form: Form = _FORMS[plan.task](plan)
    if not any(map(is_score, form.candidate())):
        return Reason.NOT_PROVIDED
    # Before any type is looked at: an empty CSV has none.
    if any(table.identity.rows == 0 for table in (holdout or predictions, champion) if table):
        return Reason.EMPTY_TABLE
    supplied = supplied_by_tables(plan, opened)
    wanted = {raw: each for one in supplied.values() if one.table is predictions for raw, each in one.wanted.items()}
    keys, base = plan.columns.key, holdout or predictions
    labels = _labels(plan, form, base)
    if holdout is not None:
        if not keys:
            raise _no_key(predictions.identity.uri)
        sides = [_select(holdout, keys, labels), _select(predictions, keys, wanted)]
    elif champion is None or keys:
        sides = [_select(predictions, keys if champion else (), labels | wanted)]
    elif not tables.ordered:
        raise _no_key(predictions.identity.uri)
    else:
        sides = [_placed(predictions, labels | wanted)]
    if champion is not None:
        theirs = supplied["champion"].wanted
        sides.append(
            _select(champion, keys, theirs) if keys else _placed(champion, theirs | _again(plan, form, champion))
        )
    return _assemble(tables, plan, form, sides, "supplied")


def supplied_by_tables(plan: Plan, opened: Mapping[str, OpenTable]) -> dict[Whose, Supplied]:
    """Return by model what `scored_by_tables` reads of its predictions."""
    predictions, champion = opened.get("predictions"), opened.get("champion_predictions")
    form: Form = _FORMS[plan.task](plan)
    own, theirs = form.candidate(), form.champion()
    found: dict[Whose, Supplied] = {}
    if predictions is None or not any(map(is_score, own)):
        return found
    found["candidate"] = Supplied(predictions, _read(own))
    if champion is not None:
        found["champion"] = Supplied(champion, _rival(form, champion))
    elif any(map(is_score, theirs)):
        found["champion"] = Supplied(predictions, _read(theirs))
    return found


def _read(scores: Mapping[str, str]) -> Wanted:
    return {raw: (name, reader(raw)) for raw, name in scores.items()}


def _labels(plan: Plan, form: Form, base: OpenTable) -> Wanted:
    """What is read of the table that holds the labels."""
    named = plan.columns
    if named.label is None:
        raise UsageError(
            "no label column is named", code="column.unknown", where=base.identity.uri, remedy="columns.label"
        )
    wanted: Wanted = {"y": (named.label, form.label())}
    if plan.weight is not None:
        wanted["weight"] = (plan.weight, columns.weight)
    if named.payoff is not None:
        wanted["payoff"] = (named.payoff, columns.payoff)
    if plan.parameters.cluster is not None:
        wanted["cluster"] = (plan.parameters.cluster, _cluster(plan, base))
    texts = {"slice": plan.parameters.slices, "group": named.groups}
    for prefix, names in texts.items():
        wanted |= {f"{prefix}_{index}": (name, columns.part) for index, name in enumerate(names)}
    if one_in(plan, base.identity.rows) > 1 and set(named.key) <= set(base.table.columns):
        wanted |= {f"{DRAW}{index}": (name, columns.text) for index, name in enumerate(named.key)}
    return wanted


def _cluster(plan: Plan, base: OpenTable) -> Read:
    """How a cluster is read; of times, their days."""
    if plan.parameters.cluster_by is None:
        return columns.part
    if plan.parameters.cluster not in base.table.columns:
        raise no_days(plan, f"is no column of {base.identity.uri}")
    return lambda found, name, where: columns.text(group_of(plan, found), name, where)


def _select(opened: OpenTable, keys: tuple[str, ...], wanted: Wanted) -> Side:
    return Side(opened.table, opened.identity.uri).select(keys, wanted)


def _placed(opened: OpenTable, wanted: Wanted) -> Side:
    table, position = by_position(opened.table)
    return Side(table, opened.identity.uri).select((position,), wanted)


def _again(plan: Plan, form: Form, champion: OpenTable) -> Wanted:
    """The label, said again: what shows that rows of one position belong together."""
    label = str(plan.columns.label)
    if label not in champion.table.columns:
        raise _no_key(champion.identity.uri)
    return {"y_again": (label, form.label())}


def _rival(form: Form, champion: OpenTable) -> Wanted:
    """What is read of a champion's own table: under its own names, else under the candidate's."""
    named = form.champion()
    same = {of_champion(raw): name for raw, name in form.candidate().items()}
    found: dict[str, str] = {}
    for kind in (is_score, is_quantile, lambda raw: not is_score(raw) and not is_quantile(raw)):
        own, alike = ({raw: name for raw, name in of.items() if kind(raw)} for of in (named, same))
        there = kind is is_score or set(alike.values()) <= set(champion.table.columns)
        found |= own or (alike if there else {})
    return _read(found)


def _answer(tables: Tables, path: Path, where: str, name: Callable[[str], str | None]) -> Side:
    """The scorer's file; its columns are raw ones, renamed where they are another's, or left out."""
    table = tables.read(path, where=where)
    named = {raw: name(raw) for raw in table.columns if raw != ROW_ID}
    wanted = {ours: (raw, reader(raw)) for raw, ours in named.items() if ours is not None}
    return Side(table, where).select((ROW_ID,), wanted)


def _no_key(where: str) -> UsageError:
    return UsageError("no key says which rows belong together", code="key.none", where=where, remedy="name columns.key")


def _assemble(
    tables: Tables, plan: Plan, form: Form, sides: list[Side], predictions: str, *, champion_supplied: bool = False
) -> Scored | Reason:
    def blame(raw: str) -> str:
        return next(side.where for side in sides if raw in side.table.columns)

    where = sides[0].where
    with reading(where):
        rows = pair(tables, sides)
        if isinstance(rows, Reason):
            return rows
        if "y_again" in rows.columns:
            if counted(rows, other=~rows.y.identical_to(rows.y_again))["other"]:
                return Reason.ROWS_UNPAIRED
            rows = rows.drop("y_again")
        texts = [name for side in sides for name in side.plain]
        seen = counted(rows, **form.conditions(rows), **missing(rows, texts))
        finished = form.finish(rows, seen, blame)
        if isinstance(finished, Reason):
            return finished
        table, heaviest = columns.with_weights(filled(finished.table, texts, seen), where)
        names = set(table.columns)
        return Scored(
            table=table,
            rows=seen["rows"],
            champion=any(map(re.compile(r"q(_\d+)?").fullmatch, names)),
            clustered="cluster" in names,
            predictions=predictions,
            task=plan.task,
            heaviest=heaviest,
            classes=finished.classes,
            levels=finished.levels,
            champion_levels=finished.champion_levels,
            quantiles=finished.quantiles,
            champion_quantiles=finished.champion_quantiles,
            scale=finished.scale,
            champion_supplied=champion_supplied,
        )
