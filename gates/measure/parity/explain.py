"""What the mismatches of a feature have in common: one ratio or one offset. Shares and quantiles, never a value.

For the attachment `parity.json`, from which people and advice read causes such as `online = 0.447 x offline`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.inputs.tables import row
from gates.measure.parity.compare import Feature, both_sides, equal, finite, moment

if TYPE_CHECKING:
    import ibis.expr.types as ir

LIKENESS = 1e-3  # relative: how near to the median ratio or offset a pair must be to be explained by it
MOST = 50  # features, those with the most mismatches first: an attachment is read by people


@dataclass(frozen=True)
class Pattern:
    """A constant that turns offline into online.

    Attributes
    ----------
    median: of online / offline, or of online - offline (seconds for times).
    spread: distance between the quartiles. explains: share of the mismatches that it makes equal, 0 to 1.
    """

    median: float
    spread: float
    explains: float

    def document(self) -> dict[str, float]:
        return {"median": self.median, "spread": self.spread, "explains": self.explains}


@dataclass(frozen=True)
class Explanation:
    ratio: Pattern | None
    offset: Pattern | None


def explain(
    pairs: ir.Table, features: Sequence[Feature], mismatches: dict[str, int], tolerance: float
) -> dict[str, Explanation]:
    """Explain the features that mismatch and can be subtracted: two scans, whatever their number."""
    worst = sorted(
        (feature for feature in features if mismatches[feature.name] and _subtractable(feature)),
        key=lambda feature: (-mismatches[feature.name], feature.name),
    )[:MOST]
    if not worst:
        return {}
    differing = pairs.filter(both_sides(pairs))
    wanted: dict[str, Any] = {}
    for feature in worst:
        where = ~equal(differing, feature, tolerance)
        for name, value in _changes(differing, feature).items():
            usable = where & finite(value)
            for quantile in (25, 50, 75):
                wanted[f"{name}{feature.index}_{quantile}"] = value.quantile(quantile / 100, where=usable)
    seen = row(differing.aggregate(**wanted))
    shares = _shares(differing, worst, seen, tolerance)
    return {
        feature.name: Explanation(
            *(
                _pattern(f"{name}{feature.index}", seen, shares, mismatches[feature.name])
                for name in ("ratio", "offset")
            )
        )
        for feature in worst
    }


def _shares(differing: ir.Table, worst: Sequence[Feature], seen: dict[str, Any], tolerance: float) -> dict[str, int]:
    wanted: dict[str, Any] = {}
    for feature in worst:
        where = ~equal(differing, feature, tolerance)
        for name, value in _changes(differing, feature).items():
            median = seen[f"{name}{feature.index}_50"]
            if median is not None and math.isfinite(median):
                reach = LIKENESS * abs(median) + tolerance * feature.scale
                near = finite(value) & ((value - median).abs() <= reach)
                wanted[f"{name}{feature.index}"] = (where & near.fill_null(False)).sum()
    return {name: int(count or 0) for name, count in row(differing.aggregate(**wanted)).items()} if wanted else {}


def _changes(pairs: ir.Table, feature: Feature) -> dict[str, ir.FloatingValue]:
    left, right = pairs[feature.left], pairs[feature.right]
    if feature.moments:
        a, b = (moment(side).epoch_seconds().cast("float64") for side in (left, right))
        return {"offset": b - a}
    a, b = left.cast("float64"), right.cast("float64")
    return {"ratio": b / a.nullif(0.0), "offset": b - a}


def _pattern(name: str, seen: dict[str, Any], shares: dict[str, int], mismatches: int) -> Pattern | None:
    if name not in shares:
        return None
    spread = seen[f"{name}_75"] - seen[f"{name}_25"]
    if not math.isfinite(spread):
        return None
    return Pattern(float(seen[f"{name}_50"]), float(spread), shares[name] / mismatches)


def _subtractable(feature: Feature) -> bool:
    return feature.numeric or feature.moments
