"""The calibration of a numeric model's whole distribution: shares of rows at or under its predicted quantiles.

A share of y <= q_tau that is tau at each level is what the probability integral transform is uniform for. Without
quantiles the coverage of intervals at two levels or more is such a curve too; one level says nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gates.measure.calibration.shares import curve, gap, method, name_of
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Given, Scored
from gates.measure.stats.conformal import Curve, curve_gap
from gates.measure.sums import Part
from gates.records import Item, Measurement, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

PIT, QUANTILE = "calibration.pit", "calibration.quantile"


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
    of, levels = ("quantiles", scored.quantiles) if scored.quantiles else ("intervals", scored.levels)
    claim = Claim(
        PIT,
        "candidate",
        family(PIT, len(pieces)),
        f"exact_and_dkw_{of}",
        params(given, of=of, levels=len(levels)),
        scored.predictions,
    )
    minimum = given.plan.parameters.minimum_clusters
    told = scored.task == "numeric" and (scored.quantiles or len(levels) > 1)
    for piece in pieces if scored.task == "numeric" else pieces[:1]:
        figure = curve_gap(_curve(piece, of, levels), minimum_clusters=minimum) if told else Reason.NOT_PROVIDED
        yield claim.measured(figure, piece.where)


def _curve(piece: Part, of: str, levels: tuple[float, ...]) -> Curve:
    name = "below" if of == "quantiles" else "covered"
    return curve(piece, [f"{name}_{i}" for i in range(len(levels))], levels)
