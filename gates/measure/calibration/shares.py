"""Shares of rows that are covered, or at or under a quantile, out of the engine's sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.measure.interface import Given, Scored
from gates.measure.stats import proportions
from gates.measure.stats.conformal import Curve
from gates.measure.stats.figure import Figure
from gates.measure.sums import Part
from gates.records import Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir


def known(scored: Scored) -> dict[str, ir.NumericValue]:
    """Return what to sum by row: 1 where the row is covered, for each level."""
    return {f"covered_{i}": scored.table[f"covered_{i}"].cast("int64") for i in range(len(scored.levels))}


def place(given: Given, scored: Scored) -> int | Reason:
    """Return which of the levels is the plan's; none of them is as good as not given."""
    if not scored.levels:
        return Reason.NO_SETS
    level = given.plan.parameters.coverage_level
    return scored.levels.index(level) if level in scored.levels else Reason.NOT_PROVIDED


def share(given: Given, part: Part, name: str) -> Figure | Reason:
    """Return the share of a part's rows for which a summed 0 or 1 is 1; see `proportions.coverage`."""
    return proportions.coverage(
        part.sums[name],
        part.sums["n"],
        part.keys.get("cluster"),
        minimum_clusters=given.plan.parameters.minimum_clusters,
        squares=(part.squares[name], part.squares["n"]) if part.weighted else None,
        rows=part.where.rows,
        heaviest=part.heaviest,
    )


def gap(given: Given, part: Part, name: str, level: float) -> Figure | Reason:
    """Return that share less its nominal level."""
    figure = share(given, part, name)
    return figure.shifted(-level) if isinstance(figure, Figure) else figure


def curve(part: Part, names: list[str], levels: tuple[float, ...]) -> Curve:
    """Return several shares of a part as a curve."""
    squares = ([part.squares[name] for name in names], part.squares["n"]) if part.weighted else None
    hits = [part.sums[name] for name in names]
    return Curve(levels, hits, part.sums["n"], part.keys.get("cluster"), part.where.rows, squares, part.heaviest)


def method(scored: Scored) -> str:
    return "korn_graubard" if scored.clustered or scored.weighted else "clopper_pearson"


def name_of(level: float) -> str:
    """Return the name of a level's item."""
    return f"{level:.12g}"
