"""The calibration of a numeric model's whole distribution: shares of rows at or under its predicted quantiles.

A share of y <= q_tau that is tau at each level is what the probability integral transform is uniform for. The coverage of
intervals at two levels or more is such a curve too; one level says nothing of the rest. Where there are both, the worse of
the two counts. Which levels are there is the author's word, so policy says which must be: a curve of one level of its
author's choice is easily right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from gates.measure.calibration.shares import curve, gap, method, name_of
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Given, Scored
from gates.measure.stats.conformal import Curve, curve_gap
from gates.measure.sums import Part
from gates.records import Item, Measurement, Parameters, Reason
from gates.records.base import Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir

PIT, QUANTILE = "calibration.pit", "calibration.quantile"

MEDIAN = 0.5
"""Level of the quantile that no interval lies around."""

ROUNDING = 1e-9
"""In doubles .75 is a little more than .05 away from .7."""


def values(scored: Scored) -> dict[str, ir.NumericValue]:
    """Return what to sum by row: 1 where y is at or under the quantile, for each level."""
    return {f"below_{i}": scored.table[f"below_{i}"].cast("int64") for i in range(len(scored.quantiles))}


def figures(given: Given, scored: Scored, pieces: list[Part]) -> Iterator[Measurement]:
    """Return the farthest distance of the curve in each piece, and each quantile of the whole."""
    yield from _farthest(given, scored, pieces)
    whole, levels = pieces[0], scored.quantiles
    size = family(QUANTILE, 2 * len(levels))
    claim = Claim(QUANTILE, "candidate", size, method(scored), params(given), scored.predictions)
    if not levels:
        yield claim.measured(Reason.NOT_PROVIDED, whole.where)
    for i, level in enumerate(levels):
        item = Item(kind="level", name=name_of(level))
        yield claim.measured(gap(given, whole, f"below_{i}", level), whole.where, item)


def unmeasured(given: Given, reason: Reason) -> Iterator[Measurement]:
    for check in (PIT, QUANTILE):
        yield Claim(check, "candidate", family(check, 1), "none", params(given)).measured(reason, NOTHING)


def _farthest(given: Given, scored: Scored, pieces: list[Part]) -> Iterator[Measurement]:
    curves = _curves(scored)
    named: dict[str, Scalar] = {"of": " and ".join(curves), "levels": sum(map(len, curves.values()))} if curves else {}
    claim = Claim(
        PIT,
        "candidate",
        family(PIT, len(pieces)),
        "_".join(("exact_and_dkw", *curves)),
        params(given, **named),
        scored.predictions,
    )
    missing = _missing(given.plan.parameters, scored, curves)
    minimum = given.plan.parameters.minimum_clusters
    for piece in pieces if scored.task == "numeric" else pieces[:1]:
        drawn = [_curve(piece, of, levels) for of, levels in curves.items()]
        yield claim.measured(missing or curve_gap(*drawn, minimum_clusters=minimum), piece.where)


def _curves(scored: Scored) -> dict[str, tuple[float, ...]]:
    """Return the levels of each curve that the model has."""
    found = {"quantiles": scored.quantiles, "intervals": scored.levels if len(scored.levels) > 1 else ()}
    return {of: levels for of, levels in found.items() if levels and scored.task == "numeric"}


def _missing(asked: Parameters, scored: Scored, curves: Mapping[str, tuple[float, ...]]) -> Reason | None:
    """Return why there is no curve to judge; one that has all levels is enough, and then all there are count."""
    if scored.task != "numeric" or not (scored.quantiles or scored.levels):
        return Reason.NOT_PROVIDED
    of_intervals = tuple(abs(2 * level - 1) for level in asked.curve_levels if level != MEDIAN)
    enough = _reached(asked.curve_levels, curves.get("quantiles", ()), asked.curve_reach) or _reached(
        of_intervals, curves.get("intervals", ()), 2 * asked.curve_reach
    )
    return None if enough else Reason.FEW_LEVELS


def _reached(wanted: Iterable[float], levels: tuple[float, ...], reach: float) -> bool:
    return bool(levels) and all(min(abs(level - one) for one in levels) <= reach + ROUNDING for level in wanted)


def _curve(piece: Part, of: str, levels: tuple[float, ...]) -> Curve:
    name = "below" if of == "quantiles" else "covered"
    return curve(piece, [f"{name}_{i}" for i in range(len(levels))], levels)
