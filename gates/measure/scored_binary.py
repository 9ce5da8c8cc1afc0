"""Labels and scores of a binary task: 0 or 1, and the probability of 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.errors import UsageError, masked
from gates.inputs.engines import reading
from gates.inputs.tables import arrow
from gates.measure.scored_columns import Blame, Finished, of_champion, whose, with_sets
from gates.measure.scored_pairs import Read
from gates.plan.labels import label_pair
from gates.records import Columns, Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Binary:
    """The form of a binary task; see `Form`."""

    plan: Plan

    def label(self) -> Read:
        return _label

    def candidate(self) -> Mapping[str, str]:
        columns = self.plan.columns
        return _scores(columns.score, columns.set_columns)

    def champion(self) -> Mapping[str, str]:
        columns = self.plan.columns
        theirs = _scores(columns.champion_score, columns.champion_set_columns)
        return {of_champion(raw): name for raw, name in theirs.items()}

    def conditions(self, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        wanted: dict[str, ir.BooleanValue] = {}
        for name in ("y", *_named(rows)):
            value = rows[name]
            wanted |= {f"{name}_null": value.isnull(), f"{name}_0": value == 0.0, f"{name}_1": value == 1.0}
        for name in _named(rows):
            wanted |= {f"{name}_nan": rows[name].isnan(), f"{name}_inside": rows[name].between(0.0, 1.0)}
        return wanted

    def finish(self, rows: ir.Table, seen: Mapping[str, int], blame: Blame) -> Finished | Reason:
        problem = _problem(_named(rows), dict(seen), self.plan.columns, blame)
        return problem if problem is not None else with_sets(rows, self.plan, 2)


def _scores(score: str | None, sets: tuple[str, ...]) -> dict[str, str]:
    return {**({} if score is None else {"p": score}), **{f"set_{place}": name for place, name in enumerate(sets)}}


def _label(found: ir.Value, name: str, where: str) -> ir.Value:
    """0 or 1; null where the label is null or NaN; another value stays itself, or is -1 where it is text."""
    import ibis

    kind = found.type()
    if kind.is_boolean() or kind.is_integer() or kind.is_decimal():
        return found.cast("float64")
    if kind.is_floating():
        return found.isnan().ifelse(ibis.null("float64"), found.cast("float64"))
    if not kind.is_string():
        raise UsageError(f'label "{name}" is of type {kind}', code="label.invalid", where=where, remedy="store 0 and 1")
    with reading(where):
        texts = found.name("text").as_table().distinct()
        few = arrow(texts.filter(texts["text"].notnull()).limit(3))
    values = [str(value) for value in few.column("text").to_pylist()]
    pair = label_pair(values)
    if values and pair is None:
        # Two values are the names of two classes; of more, each may be a row's own.
        shown = ", ".join(f'"{value if len(values) <= 2 else masked(value)}"' for value in sorted(values))
        raise UsageError(
            f'label "{name}" has values such as {shown}: which of them is 1 is not certain',
            code="label.invalid",
            where=where,
            remedy="store 0 and 1",
        )
    negative, positive = pair or ("0", "1")
    return ibis.cases((found == positive, 1.0), (found == negative, 0.0), (found.notnull(), -1.0))


def _named(rows: ir.Table) -> list[str]:
    return [name for name in ("p", "q") if name in rows.columns]


def _problem(scores: list[str], seen: dict[str, int], columns: Columns, blame: Blame) -> Reason | None:
    lost: dict[str, int] = {}
    bad = seen["rows"] - sum(seen[f"y_{kind}"] for kind in ("null", "0", "1"))
    if bad:
        raise UsageError(
            f'label "{columns.label}" is neither 0 nor 1 in {bad} of {seen["rows"]} rows',
            code="label.invalid",
            where=blame("y"),
            remedy="a binary task has labels 0 and 1",
        )
    for name in scores:
        lost[name] = seen[f"{name}_null"] + seen[f"{name}_nan"]
        seen[f"outside_{name}"] = seen["rows"] - lost[name] - seen[f"{name}_inside"]
        seen[f"soft_{name}"] = seen["rows"] - seen[f"{name}_0"] - seen[f"{name}_1"]
        probabilities(name, seen, blame)
    if seen["y_null"]:
        return Reason.NULL_LABELS
    return Reason.NAN_SCORES if any(lost.values()) else None


def probabilities(name: str, seen: Mapping[str, int], blame: Blame) -> None:
    """Refuse what is no probability, from the counts of rows `outside_` [0, 1] and `soft_`, neither 0 nor 1.

    Raises
    ------
    UsageError: scores outside [0, 1], or of only 0 and 1.
    """
    if seen[f"outside_{name}"]:
        raise UsageError(
            f"{seen[f'outside_{name}']} of {seen['rows']} of the {whose(name)} scores lie outside [0, 1]",
            code="score.outside",
            where=blame(name),
            remedy="give probabilities, not margins, odds or percents",
        )
    if not seen[f"soft_{name}"]:
        raise UsageError(
            f"the {whose(name)} scores are all 0 or 1",
            code="score.classes",
            where=blame(name),
            remedy="give the probability (predict_proba), not the predicted class",
        )
