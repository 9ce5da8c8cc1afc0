"""Mean width of intervals, or size of sets, and its ratio to the champion's and to what one knows without any model.

Coverage alone is cheap: an interval from the least to the largest label has it. The baseline is the best constant on the
rows that are judged, which favours it: of numbers the narrowest interval that is the same for all of them
(`marginal.py`), of classes the smallest set of the most frequent ones, by weighted rates. It holds the share of the plan's
level, or what the candidate holds where that is less: the tolerance in coverage buys no width. So no constant is ever
narrower, whatever it was fitted on and however the label has drifted, and the baseline's width needs no bounds of its own.
(Quantiles of the training table call a constant narrower where the label's spread has shrunk since, and equal tails one
that leaves out the longer tail of a skewed label.)
The ratio's bounds are Fieller's (`stats/means.py`), paired by row, for losses without a ceiling: of 10 rows these call a
model narrower that is not in .05 of runs where the normal quantile alone does in .10. Against the constant baseline
nothing cancels: of 30 rows with very uneven widths the farthest step of a row makes .04 of what was .16
(`tests/oracles/test_widths.py`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.tables import arrow
from gates.measure.calibration.shares import place
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Given, Scored
from gates.measure.marginal import REACHED, narrowest
from gates.measure.stats.figure import Figure, Floats
from gates.measure.stats.means import PairSums, Steps, loss_ratio, mean_loss
from gates.measure.sums import Part, exact_sum, numbers
from gates.records import Measurement, Reason
from gates.records.measurement import Subject

if TYPE_CHECKING:
    import ibis.expr.types as ir

WIDTH = "calibration.width"
AGAINST_CHAMPION, AGAINST_BASELINE = "calibration.width_vs_champion", "calibration.width_vs_baseline"


def values(scored: Scored) -> dict[str, ir.NumericValue]:
    """Return what to sum by row: widths, their squares and products, for each level, in units of `_unit`."""
    found: dict[str, ir.NumericValue] = {}
    for i in range(len(scored.levels)):
        width = unit_width(scored, scored.table[f"width_{i}"])
        found |= {f"width_{i}": width, f"width_width_{i}": width * width}
        if scored.champion_levels:
            rival = unit_width(scored, scored.table[f"champion_width_{i}"])
            found |= {
                f"champion_width_{i}": rival,
                f"rival_rival_{i}": rival * rival,
                f"width_rival_{i}": width * rival,
            }
    return found


def largest(given: Given, scored: Scored) -> dict[str, ir.NumericValue]:
    """Return of what the largest is asked at the plan's level: widths, and how far the two models' are from each other."""
    at = place(given, scored)
    if isinstance(at, Reason):
        return {}
    width = unit_width(scored, scored.table[f"width_{at}"])
    if not scored.champion_levels:
        return {f"width_{at}": width}
    rival = unit_width(scored, scored.table[f"champion_width_{at}"])
    return {f"width_{at}": width, f"champion_width_{at}": rival, f"apart_{at}": (width - rival).abs()}


def unit_width(scored: Scored, width: ir.FloatingValue) -> ir.FloatingValue:
    """Return widths of at most about 1, so that their squares can be summed."""
    return width if scored.task == "numeric" else width / _unit(scored)


def mean(scored: Scored, part: Part, name: str) -> float:
    """Return a mean of summed widths, in the label's unit or in classes; never beyond the largest double."""
    return min(float(part.sums[name].sum() / part.sums["n"].sum()) * _unit(scored), sys.float_info.max)


def figures(given: Given, scored: Scored, pieces: list[Part]) -> Iterator[Measurement]:
    """Return the mean width and both ratios at the plan's level, of each piece."""
    level, at = given.plan.parameters.coverage_level, place(given, scored)
    if isinstance(at, Reason):
        for piece in pieces:
            for claim in _claims(given, scored, len(pieces), at):
                yield claim.measured(at, piece.where)
        return
    known, rival = baseline(scored, _held(pieces[0], at, level)), _rival(given, scored)
    own, other, trivial = _claims(given, scored, len(pieces), known)
    for piece in pieces:
        yield own.measured(_mean(given, scored, piece, at), piece.where)
        yield other.measured(rival or _ratio(given, piece, against_champion(piece, at)), piece.where)
        skill = known if isinstance(known, Reason) else _ratio(given, piece, against_constant(piece, at, known))
        yield trivial.measured(skill, piece.where)


def unmeasured(given: Given, reason: Reason) -> Iterator[Measurement]:
    for check in (WIDTH, AGAINST_CHAMPION, AGAINST_BASELINE):
        subject: Subject = "candidate" if check == WIDTH else "pair"
        yield Claim(check, subject, family(check, 1), "none", params(given)).measured(reason, NOTHING)


def _claims(given: Given, scored: Scored, pieces: int, known: float | Reason) -> tuple[Claim, Claim, Claim]:
    """Return the claims on the width itself, against the champion and against the baseline; the two are one family."""
    level = given.plan.parameters.coverage_level
    width = {} if isinstance(known, Reason) else {"baseline_width": known * _unit(scored)}
    compared = family("calibration.width_ratio", pieces * (2 if scored.champion_levels else 1))
    unit = "label" if scored.task == "numeric" else "classes"
    shared = params(given, level=level)
    return (
        Claim(WIDTH, "candidate", family(WIDTH, pieces), "mean", shared, scored.predictions, unit),
        Claim(AGAINST_CHAMPION, "pair", compared, "fieller", shared, scored.source(champion=True)),
        Claim(AGAINST_BASELINE, "pair", compared, "fieller", params(given, level=level, **width), scored.predictions),
    )


def _held(whole: Part, at: int, level: float) -> float:
    """The share of the rows that the baseline holds: the level, or the candidate's own where that is less."""
    return min(level, float(whole.sums[f"covered_{at}"].sum() / whole.sums["n"].sum()))


def baseline(scored: Scored, share: float) -> float | Reason:
    """Return the width, in units of `_unit`, above 0, that holds a share of the rows without a model.

    Returns
    -------
    Reason.ONE_CLASS where as many labels are one number: nothing is narrower than that.
    """
    if scored.task != "numeric":
        return _smallest_set(scored, share) / _unit(scored)
    return narrowest(scored, share) or Reason.ONE_CLASS


def _smallest_set(scored: Scored, share: float) -> int:
    table = scored.table
    counted = exact_sum(table.weight) if scored.weighted else table.count()
    rates = np.sort(numbers(arrow(table.group_by("y").aggregate(n=counted)), "n"))[::-1]
    reached = np.cumsum(rates) / rates.sum() >= share - REACHED
    return int(np.argmax(reached)) + 1


def _unit(scored: Scored) -> float:
    """What a width of 1 in the sums stands for, in the label's unit or in classes."""
    return scored.scale if scored.task == "numeric" else 2.0 ** math.ceil(math.log2(max(2, len(scored.classes))))


def _rival(given: Given, scored: Scored) -> Reason | None:
    if scored.champion_levels:
        return None
    # A champion without intervals is not the same as none.
    return Reason.NO_CHAMPION if given.champion is None else Reason.NOT_PROVIDED


def _mean(given: Given, scored: Scored, piece: Part, at: int) -> Figure | Reason:
    pair = against_constant(piece, at, 0.0)
    figure = mean_loss(pair, minimum_clusters=given.plan.parameters.minimum_clusters)
    if isinstance(figure, Reason):
        return figure
    unit, largest = _unit(scored), sys.float_info.max
    with np.errstate(over="ignore"):
        lower, upper = np.minimum(figure.lower * unit, largest), figure.upper * unit
    estimate = min(figure.estimate * unit, largest)
    return replace(figure, estimate=estimate, lower=lower, upper=upper, n=piece.where.rows)


def _ratio(given: Given, piece: Part, pair: PairSums) -> Figure | Reason:
    figure = loss_ratio(pair, minimum_clusters=given.plan.parameters.minimum_clusters)
    return replace(figure, n=piece.where.rows) if isinstance(figure, Figure) else figure


def against_champion(piece: Part, at: int) -> PairSums:
    """Return the sums of the candidate's widths and the champion's, by cluster where there are any."""
    names = (f"width_{at}", f"champion_width_{at}", f"width_width_{at}", f"width_rival_{at}", f"rival_rival_{at}")
    own, other, apart = (piece.largest[name] for name in (*names[:2], f"apart_{at}"))
    steps = Steps(own, other, apart)

    def of(sums: Mapping[str, Floats]) -> PairSums:
        return _pair(piece, steps, sums["n"], *(sums[name] for name in names))

    return _weighed(piece, of)


def against_constant(piece: Part, at: int, constant: float) -> PairSums:
    """Return the sums of the candidate's widths and one constant width, in the same unit."""
    # The constant is the same in each row: none moves it.
    steps = Steps(piece.largest[f"width_{at}"], 0.0, math.inf)

    def of(sums: Mapping[str, Floats]) -> PairSums:
        n, width, square = (sums[name] for name in ("n", f"width_{at}", f"width_width_{at}"))
        return _pair(piece, steps, n, width, constant * n, square, constant * width, constant**2 * n)

    return _weighed(piece, of)


def _weighed(piece: Part, of: Callable[[Mapping[str, Floats]], PairSums]) -> PairSums:
    pair = of(piece.sums)
    return replace(pair, squares=of(piece.squares), heaviest=piece.heaviest) if piece.weighted else pair


def _pair(piece: Part, steps: Steps, n: Floats, a: Floats, b: Floats, aa: Floats, ab: Floats, bb: Floats) -> PairSums:
    # A width has no turned label: as of any loss without a ceiling, one more row like those seen is allowed for.
    return PairSums(n, a, b, aa, ab, bb, aa, bb, clustered="cluster" in piece.keys, bounded=False, steps=steps)
