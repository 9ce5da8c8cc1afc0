"""What a holdout can prove of a perfect model against the limits of each environment, before any model is measured.

For `gates plan --resolution`. Never part of a decision: it says whether a holdout is worth measuring on. Where rows come
in clusters every answer has two ends: at best the rows of a cluster share nothing after the model, at worst as much as
the labels do (`gates/measure/stats/resolution.py`). Without clusters both ends are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gates.decide.limits import Limit, limit_at
from gates.measure.stats import resolution as stats
from gates.measure.stats.resolution import Holdout
from gates.records import WHOLE, Plan, Requirement, Slice

_COVERAGE = ("calibration.under_coverage", "calibration.over_coverage")


@dataclass(frozen=True)
class AtLimit:
    """What a limit asks of the holdout.

    Attributes
    ----------
    environments: that have it. rows, rows_at_worst: the fewest that a perfect model passes with in 8 of 10 runs, at either
    end; None beyond a billion.
    proof: this holdout is enough for a pass, even at worst. possible: at best it is. provisional: at best it is at least
    for the wider ceiling, where the limit has one.
    """

    environments: tuple[str, ...]
    limit: Limit
    rows: int | None
    rows_at_worst: int | None
    proof: bool
    possible: bool
    provisional: bool


@dataclass(frozen=True)
class Shown:
    """The smallest limit that a perfect model passes in 8 of 10 runs on this holdout, and what policy's limits need.

    Attributes
    ----------
    checks: several where both sides of one figure must hold at once. smallest, smallest_at_worst: distance from the
    perfect figure, at either end.
    """

    checks: tuple[str, ...]
    slice: Slice
    smallest: float
    smallest_at_worst: float
    limits: tuple[AtLimit, ...]


@dataclass(frozen=True)
class Resolution:
    """All of it.

    Attributes
    ----------
    holdouts: by slice, the whole first. open: required checks whose spread is only known once a model was measured.
    """

    holdouts: tuple[tuple[Slice, Holdout], ...]
    shown: tuple[Shown, ...]
    open: tuple[str, ...]
    few_clusters: bool


def slices_to_prove(plan: Plan) -> tuple[Slice, ...]:
    """Return the whole and every slice that the plan names to be proven."""
    named = {item.slice for item in plan.requirements if item.role == "prove" and item.slice is not None}
    return (WHOLE, *sorted((one for one in named if one.kind == "value"), key=str))


def resolve(plan: Plan, data: Mapping[str, Any], holdouts: Mapping[Slice, Holdout]) -> Resolution:
    """Join what a holdout can show with the limits of policy data.

    Parameters
    ----------
    data: of the policies (`thresholds`, `overrides`). holdouts: facts of each of `slices_to_prove`.
    """
    clusters = holdouts[WHOLE].in_effect
    shown, known = [], set()
    for where, holdout in holdouts.items():
        asked = _asked(plan, where)
        for checks in (_COVERAGE, *((check,) for check in _METHODS if check not in _COVERAGE)):
            wanted = tuple(check for check in checks if check in asked)
            if wanted:
                shown.append(_shown(plan, data, holdout, where, wanted, asked))
                known |= set(wanted)
    quality = {item.check for item in plan.requirements if item.check.split(".")[0] in ("calibration", "regression")}
    return Resolution(
        tuple(holdouts.items()),
        tuple(shown),
        tuple(sorted(quality - known)),
        few_clusters=clusters is not None and clusters < plan.parameters.minimum_clusters,
    )


def _asked(plan: Plan, where: Slice) -> dict[str, tuple[str, ...]]:
    """Checks to be proven of a slice, with the environments that ask."""
    found: dict[str, list[str]] = {}
    for item in plan.requirements:
        if item.role == "prove" and item.each is None and _of(item) == where:
            found.setdefault(item.check, []).append(item.environment)
    return {check: tuple(name for name in plan.environments if name in names) for check, names in found.items()}


def _of(item: Requirement) -> Slice:
    return item.slice or WHOLE


def _shown(
    plan: Plan,
    data: Mapping[str, Any],
    holdout: Holdout,
    where: Slice,
    checks: tuple[str, ...],
    asked: Mapping[str, tuple[str, ...]],
) -> Shown:
    def at_best(rows: float) -> float:
        return _METHODS[checks[0]](plan, holdout.nothing_shared, rows, checks)

    def at_worst(rows: float) -> float:
        return _METHODS[checks[0]](plan, holdout, rows, checks)

    def needed(smallest: Callable[[float], float], limit: Limit) -> int | None:
        found = stats.rows_needed(smallest, _reach(limit))
        return None if found is None else round(found * holdout.counted / holdout.rows)

    by_limit: dict[Limit, list[str]] = {}
    for environment in asked[checks[0]]:
        limits = [found for check in checks if (found := _limit(data, environment, check, plan.tier))]
        if limits:
            by_limit.setdefault(min(limits, key=_reach), []).append(environment)
    best, worst = at_best(holdout.rows), at_worst(holdout.rows)
    at = []
    for limit, environments in by_limit.items():
        rows = needed(at_best, limit)
        at.append(
            AtLimit(
                environments=tuple(environments),
                limit=limit,
                rows=rows,
                rows_at_worst=rows if holdout.effect == 1 else needed(at_worst, limit),
                proof=worst <= _reach(limit),
                possible=best <= _reach(limit),
                provisional=limit.ceiling is not None and best <= abs(limit.ceiling - _perfect(limit)),
            )
        )
    return Shown(checks, where, best, worst, tuple(at))


def _perfect(limit: Limit) -> float:
    """The figure of a perfect model: no difference, or a ratio of 1."""
    return 1.0 if limit.sense == "at_most" and limit.value > 0.5 else 0.0


def _reach(limit: Limit) -> float:
    """How far the limit lies from a perfect figure, on its nearer side."""
    return min(abs(value - _perfect(limit)) for value in limit.values)


def _limit(data: Mapping[str, Any], environment: str, check: str, tier: str) -> Limit | None:
    """The limit in force: the policy owners' own where it tightens the shipped one (policies/lib/limits.rego).

    Of the tier before that of any tier. Limits of features are of checks that no holdout's size decides; one that the
    ledger lets loosen is not known here, so that the answer is rather too strict.
    """
    sense = _SENSES.get(check, "at_most")

    def at(root: str) -> list[Limit]:
        paths = (f"{root}/{environment}/limits/{check}/{name}" for name in (tier, "any"))
        return [found for path in paths if (found := limit_at(data, path, sense))]  # type: ignore[arg-type]

    shipped = next(iter(at("thresholds")), None)
    if shipped is None:
        return None
    return next((own for own in at("overrides") if _reach(own) <= _reach(shipped)), shipped)


_SENSES = {
    "calibration.bin": "within",
    "calibration.level_coverage": "within",
    "calibration.quantile": "within",
    "regression.auc_vs_champion": "at_least",
}

_Method = Callable[[Plan, Holdout, float, tuple[str, ...]], float]


def _ece(plan: Plan, holdout: Holdout, rows: float, _: tuple[str, ...]) -> float:
    scores = holdout.scores or stats.hardest_scores(_rate(holdout), plan.parameters.bins)[0]
    return stats.ece_limit(scores, rows, effect=holdout.effect, **holdout.clustered(rows))


def _bins(plan: Plan, holdout: Holdout, rows: float, _: tuple[str, ...]) -> float:
    scores = holdout.scores or stats.hardest_scores(_rate(holdout), plan.parameters.bins)[1]
    return stats.bins_limit(scores, rows, effect=holdout.effect, **holdout.clustered(rows))


def _coverage(plan: Plan, holdout: Holdout, rows: float, checks: tuple[str, ...]) -> float:
    under, over = (check in checks for check in _COVERAGE)
    level = plan.parameters.coverage_level
    return stats.levels_limit([level], rows, under=under, over=over, effect=holdout.effect, **holdout.clustered(rows))


def _levels(plan: Plan, holdout: Holdout, rows: float, _: tuple[str, ...]) -> float:
    return stats.levels_limit(_of_intervals(plan), rows, effect=holdout.effect, **holdout.clustered(rows))


def _of_intervals(plan: Plan) -> list[float]:
    return sorted({plan.parameters.coverage_level, *(interval.level for interval in plan.columns.intervals)})


def _strata(plan: Plan, holdout: Holdout, rows: float, _: tuple[str, ...]) -> float:
    """Strata of equal mass; those of a numeric task are made twice, by width and by prediction."""
    each = plan.parameters.strata
    kinds = 2 if plan.task == "numeric" else 1
    levels = [plan.parameters.coverage_level] * (kinds * each)
    # A stratum, as a bin, holds only some rows of a cluster.
    within = 1 + (holdout.effect - 1) / each
    return stats.levels_limit(levels, rows / each, over=False, effect=within, **holdout.clustered(rows))


def _quantiles(plan: Plan, holdout: Holdout, rows: float, _: tuple[str, ...]) -> float:
    levels = sorted(quantile.level for quantile in plan.columns.quantiles) or plan.parameters.curve_levels
    return stats.levels_limit(levels, rows, effect=holdout.effect, **holdout.clustered(rows))


def _curves(plan: Plan, holdout: Holdout, rows: float, checks: tuple[str, ...]) -> float:
    """Of predicted quantiles and of intervals, where there are several: both curves must hold."""
    intervals = _of_intervals(plan)
    if len(intervals) == 1:
        return _quantiles(plan, holdout, rows, checks)
    levels = [*intervals, *(quantile.level for quantile in plan.columns.quantiles)]
    return stats.levels_limit(levels, rows, effect=holdout.effect, **holdout.clustered(rows))


def _auc(_: Plan, holdout: Holdout, rows: float, __: tuple[str, ...]) -> float:
    return stats.auc_limit(_rate(holdout), rows, effect=holdout.effect, **holdout.clustered(rows))


def _rate(holdout: Holdout) -> float:
    """The base rate; of more than two classes nothing is known of the top one, and even odds are the hardest."""
    return 0.5 if holdout.rate is None else holdout.rate


_METHODS: Mapping[str, _Method] = {
    "calibration.ece": _ece,
    "calibration.bin": _bins,
    "calibration.under_coverage": _coverage,
    "calibration.over_coverage": _coverage,
    "calibration.level_coverage": _levels,
    "calibration.stratum_under_coverage": _strata,
    "calibration.quantile": _quantiles,
    "calibration.pit": _curves,
    "regression.auc_vs_champion": _auc,
}
