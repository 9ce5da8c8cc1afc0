"""Labels and scores of a multiclass task: the place of a class, and a probability for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError, masked
from gates.inputs.engines import reading
from gates.inputs.tables import arrow
from gates.measure.scored_binary import probabilities
from gates.measure.scored_columns import Blame, Finished, joined, of_champion, whose, with_sets
from gates.measure.scored_pairs import Read
from gates.plan.nearest import did_you_mean
from gates.records import Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

SUM_TOLERANCE = 1e-6
"""How far the probabilities of a row may add up to something else than 1."""

_NO_CLASS = -1


@dataclass(frozen=True)
class Multiclass:
    """The form of a multiclass task; see `Form`."""

    plan: Plan

    @property
    def classes(self) -> tuple[str, ...]:
        return self.plan.columns.classes

    def label(self) -> Read:
        return self._label

    def candidate(self) -> Mapping[str, str]:
        columns = self.plan.columns
        return self._scores(columns.class_scores, columns.set_columns)

    def champion(self) -> Mapping[str, str]:
        columns = self.plan.columns
        theirs = self._scores(columns.champion_class_scores, columns.champion_set_columns)
        return {of_champion(raw): name for raw, name in theirs.items()}

    def conditions(self, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        import ibis

        wanted: dict[str, ir.BooleanValue] = {"null_y": rows.y.isnull()}
        for side in _sides(rows):
            scores = [rows[f"{side}_{place}"] for place in range(len(self.classes))]
            total = joined(scores, lambda left, right: left + right)
            # Also where infinities of both signs cancel each other.
            lost = total.isnull() | total.isnan()
            highest, lowest = ibis.greatest(*scores), ibis.least(*scores)
            inside = (lowest >= 0) & (highest <= 1)
            wanted[f"lost_{side}"] = lost
            wanted[f"outside_{side}"] = ~lost & ~inside
            wanted[f"sum_{side}"] = ~lost & inside & ((total - 1).abs() > SUM_TOLERANCE)
            wanted[f"soft_{side}"] = lost | (highest != 1)
        return wanted

    def finish(self, rows: ir.Table, seen: Mapping[str, int], blame: Blame) -> Finished | Reason:
        problem = _problem(_sides(rows), seen, blame)
        if problem is not None:
            return problem
        return replace(with_sets(rows, self.plan, len(self.classes)), classes=self.classes)

    def _scores(self, scores: tuple[str, ...], sets: tuple[str, ...]) -> dict[str, str]:
        if scores and not self.classes:
            raise UsageError("no classes are named", code="classes.none", remedy="columns.classes")
        for names, what in ((scores, "score"), (sets, "set")):
            if names and len(names) != len(self.classes):
                raise UsageError(
                    f"{len(names)} {what} columns for {len(self.classes)} classes",
                    code="classes.count",
                    remedy="name one for each of columns.classes, in the same order",
                )
        named = {f"p_{place}": name for place, name in enumerate(scores)}
        return named | {f"set_{place}": name for place, name in enumerate(sets)}

    def _label(self, found: ir.Value, name: str, where: str) -> ir.Value:
        """Place among the classes; null where the label is null or NaN, -1 where it is none of them."""
        import ibis

        if not self.classes:
            raise UsageError("no classes are named", code="classes.none", where=where, remedy="columns.classes")
        kind = found.type()
        known = found.notnull() & ~found.isnan() if kind.is_floating() else found.notnull()
        places = list(zip(_values(self.classes, kind, name, where), range(len(self.classes)), strict=True))
        with reading(where):
            self._known(found, known, [value for value, _ in places], where, name)
        is_class = [(found == value, ibis.literal(place, "int64")) for value, place in places]
        return ibis.cases(*is_class, (known, ibis.literal(_NO_CLASS, "int64")))

    def _known(self, found: ir.Value, known: ir.Value, values: Sequence[Any], where: str, name: str) -> None:
        """Say which value is no class, before the table is joined and the value forgotten."""
        import ibis

        column = ibis.ifelse(known, found, None).name("value")
        others = column.as_table().distinct()
        others = others.filter(others["value"].notnull() & others["value"].notin(list(values))).order_by("value")
        strangers = [str(value) for value in arrow(others.limit(3)).column("value").to_pylist()]
        if strangers:
            shown = ", ".join(f'"{masked(value)}"' for value in strangers)
            raise UsageError(
                f'label "{name}" has values that are no class, such as {shown}',
                code="label.invalid",
                where=where,
                remedy=did_you_mean(strangers[0], self.classes),
            )


def _sides(rows: ir.Table) -> list[str]:
    return [side for side in ("p", "q") if f"{side}_0" in rows.columns]


def _problem(sides: list[str], seen: Mapping[str, int], blame: Blame) -> Reason | None:
    for side in sides:
        probabilities(side, seen, lambda name: blame(f"{name}_0"))
        if seen[f"sum_{side}"]:
            raise UsageError(
                f"the {whose(side)} probabilities do not add up to 1 in {seen[f'sum_{side}']} of {seen['rows']} rows",
                code="score.sum",
                where=blame(f"{side}_0"),
                remedy="give one probability for each class",
            )
    if seen["null_y"]:
        return Reason.NULL_LABELS
    return Reason.NAN_SCORES if any(seen[f"lost_{side}"] for side in sides) else None


def _values(classes: tuple[str, ...], kind: Any, name: str, where: str) -> list[Any]:
    """Return the classes as values of the label's type."""
    if kind.is_string():
        return list(classes)
    convert = _whole if kind.is_integer() else _truth if kind.is_boolean() else float
    if not (kind.is_numeric() or kind.is_boolean()):
        raise UsageError(f'label "{name}" is of type {kind}', code="label.invalid", where=where, remedy="store texts")
    try:
        values = [convert(each) for each in classes]
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f'label "{name}" is of type {kind}, and the classes are {", ".join(classes)[:100]}',
            code="label.invalid",
            where=where,
            remedy="write the classes as the label has them",
        ) from error
    if len(set(values)) < len(values):
        raise UsageError("two classes are the same number", code="classes.twice", where=where)
    return values


def _whole(text: str) -> int:
    value = float(text)
    if not value.is_integer():
        raise ValueError(text)
    return int(text) if "." not in text and "e" not in text.casefold() else int(value)


def _truth(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.casefold() not in known:
        raise ValueError(text)
    return known[text.casefold()]
