"""How bad a figure is today, as what a waiver or a baseline accepts of it. Pure; whether it counts is said in Rego.

A waiver is of one version: its point may be as bad as it was measured, and its bound as wide. A baseline is of the
versions to come, whose figures differ from today's by chance alone even where nothing became worse. So it accepts a
point up to today's bound at .995, and a bound at .95 up to today's at .99999. With normal errors of equal size, fresh
rows and an equally bad model the first is exceeded in P(Z > 2.576 / sqrt 2) = 3.4 % of all cases, and the second, at
(4.265 - 1.645) / sqrt 2, only where the first is too; on the same rows less often. A model that is worse by six standard
errors is refused in 99 %. A census has no error, and of it nothing worse is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gates.decide.limits import Limit, LimitOf
from gates.records.decision import Decision, RuleResult
from gates.records.measurement import LADDER, WHOLE, Bound, Item, Measurement, Slice
from gates.records.waiver import Accepted, Level, Side

OPEN = frozenset({"denies", "waived", "observed", "warned"})
"""Dispositions of what denies, or would: what one may ask to be accepted."""

_POINT_RUNG = LADDER.index(0.995)
_BOUND_RUNG = LADDER.index(0.99999)


def level_of(limit: Limit, figures: Sequence[Measurement], *, lasting: bool) -> Level | None:
    """Return what is to be accepted of the figures of one place, the worst of them; None where one has no bound.

    The policy's own limit is never tightened by it: what is within that is good already.

    Parameters
    ----------
    figures: measured ones, at least one. lasting: for versions to come rather than for these bytes.
    """
    highs, lows = [], []
    for figure in figures:
        high, low = _side(figure, "upper", lasting=lasting), _side(figure, "lower", lasting=lasting)
        if (high is None and limit.sense != "at_least") or (low is None and limit.sense != "at_most"):
            return None
        highs.extend([high] if high else [])
        lows.extend([low] if low else [])
    if limit.sense == "at_least":
        return Level(**_worst(lows, limit.value, min))
    if limit.sense == "at_most" or limit.mirror is None:
        return Level(**_worst(highs, limit.value, max))
    return Level(**_worst(highs, limit.value, max), mirror=Side(**_worst(lows, limit.mirror, min)))


def _worst(sides: Iterable[tuple[float, float]], limit: float, pick: Callable[..., float]) -> dict[str, float]:
    points, bounds = zip(*sides, strict=True)
    return {"limit": pick(limit, *points), "ceiling": pick(limit, *bounds)}


def _side(figure: Measurement, side: str, *, lasting: bool) -> tuple[float, float] | None:
    """(point, bound) on one side of the figure, or None where the data set no bound there."""
    bounds = figure.bounds or ()
    bound = _end(bounds, side, _BOUND_RUNG if lasting else 0)
    point = _end(bounds, side, _POINT_RUNG) if lasting else _point(figure)
    return None if bound is None or point is None else (point, bound)


def _point(figure: Measurement) -> float | None:
    return figure.debiased if figure.debiased is not None else figure.estimate


def _end(bounds: Sequence[Bound], side: str, rung: int) -> float | None:
    """The bound at the rung, or at the highest below it where the data set one."""
    for bound in reversed(bounds[: rung + 1]):
        end: float | str = getattr(bound, side)
        if not isinstance(end, str):
            return end
    return None


def accepted_of(
    decision: Decision,
    measurements: Iterable[Measurement],
    limit_of: LimitOf,
    *,
    lasting: bool,
) -> tuple[tuple[Accepted, ...], tuple[RuleResult, ...]]:
    """Return what of a decision can be accepted, by place, and the results that deny and cannot be.

    A figure can; an absence, a broken figure and whatever is not of a gate cannot.
    """
    by_place: dict[tuple[str, Slice, Item | None], list[Measurement]] = {}
    for figure in measurements:
        if figure.status == "measured":
            by_place.setdefault((figure.check, figure.slice, figure.item), []).append(figure)
    found: dict[tuple[str, Slice, Item | None], Accepted] = {}
    others = []
    for result in decision.results:
        if result.disposition not in OPEN:
            continue
        place = (result.check, result.slice or WHOLE, result.item)
        figures = [figure for figure in by_place.get(place, ()) if figure.subject == result.subject]
        limit = limit_of(result)
        level = level_of(limit, figures, lasting=lasting) if limit and figures and _by_figure(result) else None
        if level is None:
            others.append(result)
        else:
            found[place] = Accepted(check=place[0], slice=place[1], item=place[2], accepts=level)
    return tuple(found.values()), tuple(others)


def _by_figure(result: RuleResult) -> bool:
    return result.verdict in ("fail", "inconclusive")
