"""The limits of an environment as policy data state them, and the rung at which a figure was judged.

Read after a decision, by views and advice; a decision itself compares in Rego only (policies/lib/comparison.rego).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

if TYPE_CHECKING:
    from gates.records.decision import RuleResult
    from gates.records.measurement import Bound, Measurement

Sense = Literal["at_most", "at_least", "within"]


@dataclass(frozen=True)
class Limit:
    """What a figure must keep to, in the figure's unit.

    Attributes
    ----------
    mirror: the lower side of a two-sided limit (sense `within`), else absent.
    inclusive: the limit itself is still good.
    ceiling: how far the bound of an undecided figure may reach where the environment accepts it provisionally.
    """

    sense: Sense
    value: float
    inclusive: bool
    mirror: float | None = None
    ceiling: float | None = None

    @property
    def values(self) -> tuple[float, ...]:
        return (self.value,) if self.mirror is None else (self.mirror, self.value)

    def document(self) -> dict[str, Any]:
        """Return the JSON document; a field without a value is absent."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def holds(self, figure: float) -> bool:
        """Whether a number keeps to the limit."""
        excess = self.excess(figure)
        return excess <= 0 if self.inclusive else excess < 0

    def excess(self, figure: float) -> float:
        """How far a number lies beyond the limit: positive is bad."""
        if self.sense == "at_least":
            return self.value - figure
        above = figure - self.value
        return above if self.mirror is None else max(above, self.mirror - figure)

    def best(self, bound: Bound) -> float:
        """The number of the interval that lies farthest on the good side."""
        lower, upper = ends(bound)
        if self.sense == "within":
            centre = sum(self.values) / 2
            return min(max(lower, centre), upper)
        return upper if self.sense == "at_least" else lower

    def worst(self, bound: Bound) -> float:
        """The end of the interval that lies farthest on the bad side."""
        return max(ends(bound), key=self.excess)


def ends(bound: Bound) -> tuple[float, float]:
    """The interval as floats, infinite where unbounded."""
    lower = float("-inf") if bound.lower == "unbounded" else bound.lower
    upper = float("inf") if bound.upper == "unbounded" else bound.upper
    return lower, upper


LimitOf = Callable[["RuleResult"], Limit | None]
"""How views and advice find the limit that a result names."""


@dataclass(frozen=True)
class Rungs:
    """Which rung of the ladder a verdict is read at (statistics.md, section 0); the tables of comparison.rego.

    Attributes
    ----------
    families: largest family for each rung. looks: largest look for each rung.
    """

    families: tuple[int, ...] = (1, 2, 5, 10, 50, 100, 500, 5_000, 50_000)
    looks: tuple[int, ...] = (1, 2, 2, 3, 7, 10, 22, 71, 224)

    def judged(self, measurement: Measurement, verdict: str, look: int) -> Bound | None:
        """The interval that a verdict was read from: a failure is corrected for family and looks, the rest for looks.

        None for an unmeasured, and beyond the tables, where there is no verdict.
        """
        if measurement.bounds is None:
            return None
        rungs = [_rung(self.looks, look)]
        if verdict == "fail":
            rungs.append(_rung(self.families, measurement.family.size))
        known = [rung for rung in rungs if rung is not None]
        return measurement.bounds[max(known)] if len(known) == len(rungs) else None


def _rung(table: tuple[int, ...], value: int) -> int | None:
    return next((index for index, largest in enumerate(table) if value <= largest), None)


def limit_at(data: Mapping[str, Any], path: str, sense: Sense) -> Limit | None:
    """Read the limit that a rule result names out of policy data; None where the path leads to none."""
    node: Any = data
    for part in path.split("/"):
        node = node.get(part) if isinstance(node, Mapping) else None
    value = _number(node, "limit")
    if value is None:
        return None
    mirror = _number(node.get("mirror"), "limit") if sense == "within" else None
    return Limit(sense, value, bool(node.get("inclusive", False)), mirror, _number(node, "ceiling"))


def limits_of(data: Mapping[str, Any]) -> LimitOf:
    """Look the limits of rule results up in policy data; a result's rule is the sense of its limit."""

    def limit_of(result: RuleResult) -> Limit | None:
        if result.limit is None or result.rule not in get_args(Sense):
            return None
        return limit_at(data, result.limit, cast("Sense", result.rule))

    return limit_of


def _number(node: Any, key: str) -> float | None:
    value = node.get(key) if isinstance(node, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
