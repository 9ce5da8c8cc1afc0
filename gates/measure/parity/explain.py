"""What the mismatches of a feature have in common: one ratio or one offset. Shares and quantiles, never a value.

For the attachment `parity.json`, from which people and advice read causes such as `online = 0.447 x offline`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from gates.inputs.tables import keep, row
from gates.measure.parity.compare import Feature, absent, both_sides, equal, finite, moment

if TYPE_CHECKING:
    import ibis.expr.types as ir

LIKENESS = 1e-3  # relative: how near to the median ratio or offset a pair must be to be explained by it
FEWEST = 10  # mismatches: the ratio and the offset of fewer say little, and of one give the two values away
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
    """What is known of a feature's mismatches; `absent_*` is null or NaN on that side alone, in rows."""

    absent_offline: int
    absent_online: int
    ratio: Pattern | None
    offset: Pattern | None


def explain(
    pairs: ir.Table, features: Sequence[Feature], mismatches: Mapping[str, int], tolerance: float
) -> dict[str, Explanation]:
    """Explain the features with mismatches, those with the most first and at most MOST.

    The rows in which anything differs are copied once and looked at twice, whatever the number of features.
    """
    worst = sorted(
        (feature for feature in features if mismatches[feature.name]),
        key=lambda feature: (-mismatches[feature.name], feature.name),
    )[:MOST]
    if not worst:
        return {}
    differs = reduce(or_, (~equal(pairs, feature, tolerance) for feature in worst))
    columns = [column for feature in worst for column in (feature.left, feature.right)]
    rows = keep(pairs.filter(both_sides(pairs) & differs).select(*columns))
    seen = row(rows.aggregate(**_wanted(rows, worst, tolerance)))
    shares = _shares(rows, worst, seen, tolerance)
    return {
        feature.name: Explanation(
            absent_offline=int(seen[f"absent_offline{feature.index}"] or 0),
            absent_online=int(seen[f"absent_online{feature.index}"] or 0),
            ratio=_pattern(f"ratio{feature.index}", seen, shares, mismatches[feature.name]),
            offset=_pattern(f"offset{feature.index}", seen, shares, mismatches[feature.name]),
        )
        for feature in worst
    }


def _wanted(rows: ir.Table, worst: Sequence[Feature], tolerance: float) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for feature in worst:
        left, right = absent(rows[feature.left]), absent(rows[feature.right])
        wanted[f"absent_offline{feature.index}"] = (left & ~right).sum()
        wanted[f"absent_online{feature.index}"] = (right & ~left).sum()
        where = ~equal(rows, feature, tolerance)
        for name, value in _changes(rows, feature).items():
            wanted[f"{name}{feature.index}"] = value.quantile([0.25, 0.5, 0.75], where=where & finite(value))
    return wanted


def _shares(rows: ir.Table, worst: Sequence[Feature], seen: dict[str, Any], tolerance: float) -> dict[str, int]:
    wanted: dict[str, Any] = {}
    for feature in worst:
        where = ~equal(rows, feature, tolerance)
        for name, value in _changes(rows, feature).items():
            quartiles = seen[f"{name}{feature.index}"]
            if quartiles is not None and all(math.isfinite(quartile) for quartile in quartiles):
                reach = LIKENESS * abs(quartiles[1]) + tolerance * feature.scale
                near = finite(value) & ((value - quartiles[1]).abs() <= reach)
                wanted[f"{name}{feature.index}"] = (where & near.fill_null(False)).sum()
    return {name: int(count or 0) for name, count in row(rows.aggregate(**wanted)).items()} if wanted else {}


def _changes(rows: ir.Table, feature: Feature) -> dict[str, ir.FloatingValue]:
    """From offline to online, where the one can be subtracted from the other."""
    left, right = rows[feature.left], rows[feature.right]
    if feature.moments:
        a, b = (moment(side).epoch_seconds().cast("float64") for side in (left, right))
        return {"offset": b - a}
    if not feature.numeric:
        return {}
    a, b = left.cast("float64"), right.cast("float64")
    return {"ratio": b / a.nullif(0.0), "offset": b - a}


def _pattern(name: str, seen: dict[str, Any], shares: dict[str, int], mismatches: int) -> Pattern | None:
    if name not in shares or mismatches < FEWEST:
        return None
    low, median, high = seen[name]
    spread = high - low
    return Pattern(median, spread, shares[name] / mismatches) if math.isfinite(spread) else None
