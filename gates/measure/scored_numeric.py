"""Labels and scores of a numeric task: a number, its prediction, and the model's own word on its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.tables import row
from gates.measure.scored_columns import Blame, Finished, by_level, of_champion, whose
from gates.measure.scored_pairs import Read
from gates.measure.sums import double
from gates.records import Plan, Reason
from gates.records.plan import Interval, Quantile

if TYPE_CHECKING:
    import ibis.expr.types as ir

LARGEST_POWER = 1_000
"""A number beyond 2 to this power counts as infinite, so that no sum, difference or figure of the rest can be."""

_POINTS = ("y", "p", "q", "anchor")


@dataclass(frozen=True)
class Numeric:
    """The form of a numeric task; see `Form`."""

    plan: Plan

    def label(self) -> Read:
        return _label

    def candidate(self) -> Mapping[str, str]:
        columns = self.plan.columns
        return _scores(columns.score, columns.intervals, columns.quantiles)

    def champion(self) -> Mapping[str, str]:
        columns = self.plan.columns
        theirs = _scores(columns.champion_score, columns.champion_intervals, columns.champion_quantiles)
        return {of_champion(raw): name for raw, name in theirs.items()}

    def conditions(self, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        wanted: dict[str, ir.BooleanValue] = {}
        for name in _numbers(rows):
            value = rows[name]
            wanted[f"lost_{name}"] = value.isnull() | value.isnan() | (value.abs() > double(2.0**LARGEST_POWER))
        for name in _ends(rows):
            wanted[f"crossed_{name}"] = rows[name] > rows[name.replace("lower", "upper")]
        return wanted

    def finish(self, rows: ir.Table, seen: Mapping[str, int], blame: Blame) -> Finished | Reason:
        levels = by_level(rows.columns, "lower")
        first = self.plan.parameters.coverage_level
        levels.sort(key=lambda level: (level != first, level))
        theirs = set(by_level(rows.columns, "champion_lower"))
        problem = _problem(rows, seen, blame)
        if problem is not None:
            return problem
        scale = _scale(rows)
        return _finished(rows, tuple(levels), bool(levels) and theirs >= set(levels), scale)


def _scores(score: str | None, intervals: tuple[Interval, ...], quantiles: tuple[Quantile, ...]) -> dict[str, str]:
    named = {} if score is None else {"p": score}
    for interval in intervals:
        named |= {f"lower_{interval.level!r}": interval.lower, f"upper_{interval.level!r}": interval.upper}
    return named | {f"quantile_{quantile.level!r}": quantile.column for quantile in quantiles}


def _label(found: ir.Value, name: str, where: str) -> ir.Value:
    kind = found.type()
    if not kind.is_numeric():
        raise UsageError(f'label "{name}" is of type {kind}', code="label.invalid", where=where, remedy="store numbers")
    return found.cast("float64")


def _numbers(rows: ir.Table) -> list[str]:
    """Raw names of all columns in the label's unit."""
    kinds = ("lower", "upper", "champion_lower", "champion_upper", "quantile", "champion_quantile")
    by = [f"{kind}_{level!r}" for kind in kinds for level in by_level(rows.columns, kind)]
    return [name for name in (*_POINTS, *by) if name in rows.columns]


def _ends(rows: ir.Table) -> list[str]:
    """Raw names of the lower ends of intervals."""
    return [name for name in _numbers(rows) if "lower" in name]


def _problem(rows: ir.Table, seen: Mapping[str, int], blame: Blame) -> Reason | None:
    if seen["lost_y"]:
        return Reason.NULL_LABELS
    if any(seen[f"lost_{name}"] for name in _numbers(rows)):
        return Reason.NAN_SCORES
    for name in _ends(rows):
        if seen[f"crossed_{name}"]:
            raise UsageError(
                f"the {whose(name)} intervals end below their beginning in "
                f"{seen[f'crossed_{name}']} of {seen['rows']} rows",
                code="interval.crossed",
                where=blame(name),
                remedy="lower is at most upper",
            )
    return None


def _scale(rows: ir.Table) -> float:
    """A power of two, at least every magnitude and every length of an interval; not below 2^-1000.

    Where a power of two is the largest magnitude itself it is the scale: nothing is larger than 1 in its unit.
    """
    wanted = {name: rows[name].abs().max() for name in _numbers(rows)}
    for name in _ends(rows):
        wanted[f"length_{name}"] = (rows[name.replace("lower", "upper")] - rows[name]).max()
    largest = max(float(value) for value in row(rows.aggregate(**wanted)).values())
    if largest == 0:
        return 1.0
    mantissa, power = math.frexp(largest)
    return math.ldexp(1.0, max(power - (mantissa == 0.5), -LARGEST_POWER))


def _finished(rows: ir.Table, levels: tuple[float, ...], champion_levels: bool, scale: float) -> Finished:
    unit = double(scale)
    quantiles = tuple(by_level(rows.columns, "quantile"))
    champion_quantiles = bool(quantiles) and {*by_level(rows.columns, "champion_quantile")} >= {*quantiles}
    changes: dict[str, ir.Value] = {name: rows[name] / unit for name in _POINTS if name in rows.columns}
    for index, level in enumerate(levels):
        lower, upper = rows[f"lower_{level!r}"], rows[f"upper_{level!r}"]
        changes[f"covered_{index}"] = rows.y.between(lower, upper)
        changes[f"width_{index}"] = (upper - lower) / unit
        if champion_levels:
            theirs = rows[f"champion_upper_{level!r}"] - rows[f"champion_lower_{level!r}"]
            changes[f"champion_width_{index}"] = theirs / unit
    for index, level in enumerate(quantiles):
        changes[f"below_{index}"] = rows.y <= rows[f"quantile_{level!r}"]
        changes[f"quantile_{index}"] = rows[f"quantile_{level!r}"] / unit
        if champion_quantiles:
            changes[f"champion_quantile_{index}"] = rows[f"champion_quantile_{level!r}"] / unit
    used = {*_numbers(rows)} - {*_POINTS}
    rest = [name for name in rows.columns if name not in used | changes.keys()]
    return Finished(rows.select(*rest, **changes), levels, champion_levels, quantiles, champion_quantiles, scale=scale)
