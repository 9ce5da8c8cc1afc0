"""What the rows of calibration leave to chance: coverage that no holdout, however long, can show or mend.

Said after a decision, in the words of its own limit. Source: statistics.md, section 2 (coverage is Beta distributed).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gates.decide.limits import LimitOf
from gates.measure.stats.conformal import chance_beyond
from gates.records.decision import RuleResult
from gates.records.measurement import Measurement

SPREAD = "calibration.coverage_spread"
"""Its rows are those of calibration: more rows of the holdout settle nothing."""

_ROWS, _COVERAGE = "calibration.calibration_rows", "calibration.under_coverage"

_MOST_ROWS = 1e15


@dataclass(frozen=True)
class Chance:
    """The probability that coverage is off its level by more than the limit allows, even with endless test rows.

    Attributes
    ----------
    check: the one with that limit. rows: that calibrated the model, at most. distance: the limit, as a share.
    """

    check: str
    rows: int
    level: float
    distance: float
    probability: float

    @property
    def hint(self) -> str:
        likely = f"{self.probability:.2g}" if self.probability >= 0.001 else "under .001"
        return (
            f"calibrated on {self.rows:,} rows, at most: coverage may be off {self.level:g} by more than "
            f"{100 * self.distance:g} points with probability {likely}, even with endless test rows"
        )

    def document(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "calibration_rows": self.rows,
            "level": self.level,
            "limit": self.distance,
            "probability": self.probability,
            "hint": self.hint,
        }


def coverage_chance(
    results: Iterable[RuleResult], measurements: Iterable[Measurement], limit_of: LimitOf
) -> Chance | None:
    """Return the chance for the whole's under-coverage; None unless it was judged and the rows are known."""
    judged = next((r for r in results if r.check == _COVERAGE and (r.slice is None or r.slice.kind == "whole")), None)
    rows = next((m.estimate for m in measurements if m.check == _ROWS and m.estimate is not None), None)
    limit = None if judged is None else limit_of(judged)
    level = None if judged is None or judged.item is None else _number(judged.item.name)
    if limit is None or level is None or rows is None or not 1 <= rows <= _MOST_ROWS or limit.value < 0:
        return None
    return Chance(_COVERAGE, int(rows), level, limit.value, chance_beyond(int(rows), level, limit.value))


def _number(name: str) -> float | None:
    try:
        level = float(name)
    except ValueError:
        return None
    return level if 0 < level < 1 else None
