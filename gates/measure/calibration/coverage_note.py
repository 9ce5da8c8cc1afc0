"""The attachment `coverage.json`: what the pictures of coverage are drawn from. It judges nothing.

Format: `{version, level, confidence, unit, strata, levels, quantiles, calibration_rows}`; what there is none of is left
out.

- `level`: the plan's nominal coverage, of which the strata are. `confidence`: of each one-sided limit `lower`, `upper`.
- `unit`: of widths: `label` (the label's own unit) or `classes`.
- `strata`: `[{name, by, from, to, n, coverage, lower, upper, mean_width}]`, narrow to wide, then low to high.
  `name` is that of the item of `calibration.stratum_under_coverage`, such as "width 1". `by`: `width`, the length of the
  interval; `size`, the classes in the set; or `prediction`. A stratum holds `from` < value <= `to`, the first of each
  `by` also its `from`.
- `levels`: `[{level, n, coverage, lower, upper, mean_width, champion_mean_width}]`, ascending.
- `quantiles`: `[{level, n, share, lower, upper}]`, ascending: the share of rows at or under the predicted quantile.
- `lower`, `upper` are absent where there are too few clusters.
- `calibration_rows`: that the model was calibrated on, at most.
"""

from __future__ import annotations

import json
from typing import Any

from gates.inputs.opened import OpenTable
from gates.measure.calibration import widths
from gates.measure.calibration.shares import share
from gates.measure.calibration.strata import Stratum
from gates.measure.census import table_of
from gates.measure.interface import Given, Note, Scored
from gates.measure.stats.figure import Figure
from gates.measure.sums import Part
from gates.records import LADDER


def note(given: Given, scored: Scored, whole: Part, strata: list[Stratum]) -> Note | None:
    """Return the attachment, as JSON bytes with sorted keys; None without sets, intervals and quantiles."""
    if not scored.levels and not scored.quantiles:
        return None
    calibration = table_of(given, "calibration")
    document = {
        "version": 1,
        "level": given.plan.parameters.coverage_level,
        "confidence": LADDER[0],
        "unit": "label" if scored.task == "numeric" else "classes",
        "strata": [_stratum(given, scored, stratum) for stratum in strata],
        "levels": sorted(
            (_level(given, scored, whole, i) for i in range(len(scored.levels))), key=lambda one: one["level"]
        ),
        "quantiles": [
            {"level": level, "n": whole.where.rows, **_limits(given, whole, f"below_{i}", "share")}
            for i, level in enumerate(scored.quantiles)
        ],
        **({"calibration_rows": calibration.identity.rows} if isinstance(calibration, OpenTable) else {}),
    }
    kept = {key: value for key, value in document.items() if value != []}
    content = json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Note("coverage.json", "application/json", content.encode())


def _limits(given: Given, part: Part, name: str, called: str) -> dict[str, float]:
    figure = share(given, part, name)
    found = {called: float(part.sums[name].sum() / part.sums["n"].sum())}
    if isinstance(figure, Figure):
        found |= {"lower": float(figure.lower[0]), "upper": float(figure.upper[0])}
    return found


def _stratum(given: Given, scored: Scored, stratum: Stratum) -> dict[str, Any]:
    return {
        "name": stratum.name,
        "by": stratum.by,
        "from": stratum.low,
        "to": stratum.high,
        "n": stratum.part.where.rows,
        **_limits(given, stratum.part, "covered", "coverage"),
        "mean_width": widths.mean(scored, stratum.part, "width"),
    }


def _level(given: Given, scored: Scored, whole: Part, at: int) -> dict[str, Any]:
    document: dict[str, Any] = {"level": scored.levels[at], "n": whole.where.rows}
    document |= _limits(given, whole, f"covered_{at}", "coverage")
    document["mean_width"] = widths.mean(scored, whole, f"width_{at}")
    if scored.champion_levels:
        document["champion_mean_width"] = widths.mean(scored, whole, f"champion_width_{at}")
    return document
