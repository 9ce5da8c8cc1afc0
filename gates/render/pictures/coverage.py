"""Coverage of intervals and prediction sets: by stratum of their width, and by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gates.decide.attachments import Coverage, Level, Stratum
from gates.decide.limits import Limit
from gates.render.names import visible
from gates.render.numbers import count, figure, literal
from gates.render.pictures.canvas import Picture
from gates.render.pictures.intervals import SIGNS, Line, Reference, interval_picture


def by_stratum(coverage: Coverage, under: Limit | None, statuses: Mapping[str, str]) -> Picture | None:
    """Describe the coverage of each stratum against the level that was promised; None without a stratum.

    Parameters
    ----------
    under: limit of nominal less observed coverage, where policy has one.
    statuses: what became of each stratum, by its name.
    """
    strata = [part for part in coverage.strata if part.coverage is not None]
    if not strata:
        return None
    level = coverage.level
    references = [Reference(level, f"promised {literal(level)}")]
    references += [Reference(level - under.value, "", limit=True)] if under else []
    signs = f" {SIGNS}." if statuses else ""
    limits = " Dotted: the limit for too little." if under else ""
    unit = " classes" if coverage.unit == "classes" else ""
    return interval_picture(
        "coverage",
        f"Do {100 * level:g} % {'sets' if unit else 'intervals'} hold the truth {100 * level:g} % of the time?",
        "Rows by the width of what the model gave them, narrow to wide, or by its prediction. Left of the line: too narrow "
        f"for what was promised; right: wider than needed.{limits}{signs}",
        _finding(coverage, strata),
        [_line(part, unit, statuses.get(part.name, "")) for part in strata],
        references,
        axis="share of rows whose truth was inside",
    )


def by_level(coverage: Coverage) -> Picture | None:
    """Describe observed less nominal coverage of each level; None of fewer than two levels."""
    return _curve(
        "levels",
        "Does each level hold what it promises?",
        "Observed minus promised coverage. Left of 0 the truth was inside less often than promised, right of it more often.",
        [part for part in coverage.levels if part.coverage is not None],
        axis="observed minus promised coverage",
    )


def by_quantile(coverage: Coverage) -> Picture | None:
    """Describe, for each predicted quantile, the share of rows at or under it less its level; None of fewer than two."""
    parts = [part for part in coverage.quantiles if part.share is not None]
    return _curve(
        "quantiles",
        "Do a tenth of the rows lie under the predicted 10 %?",
        "Share of rows at or under each predicted quantile, minus what it promised. Right of 0 the prediction was too high.",
        [Level(level=p.level, n=p.n, coverage=p.share, lower=p.lower, upper=p.upper) for p in parts],
        axis="observed minus promised share",
    )


def _curve(name: str, title: str, caption: str, levels: Sequence[Level], *, axis: str) -> Picture | None:
    if len(levels) < 2:
        return None
    worst = max(levels, key=lambda part: abs(_off(part)))
    finding = (
        f"{len(levels)} levels. Farthest off: {literal(worst.level)}, observed {figure(worst.coverage or 0.0)}"
        f"{_interval(worst)}, {count(worst.n)} rows."
    )
    lines = [_level_line(part) for part in levels]
    return interval_picture(name, title, caption, finding, lines, [Reference(0.0, "as promised")], axis=axis)


def _interval(part: Stratum | Level) -> str:
    known = part.lower is not None and part.upper is not None
    return f" [{figure(part.lower or 0.0)}, {figure(part.upper or 0.0)}]" if known else ""


def _off(part: Level) -> float:
    return (part.coverage or 0.0) - part.level


def _line(part: Stratum, unit: str, status: str) -> Line:
    seen = part.coverage or 0.0
    width = f" · {figure(part.mean_width)}{unit or ' wide'}" if part.mean_width is not None else ""
    return Line(
        label=visible(part.name, longest=24) + width,
        figures=f"{figure(seen)}{_interval(part)} · n {count(part.n)}",
        low=seen if part.lower is None else part.lower,
        point=seen,
        high=seen if part.upper is None else part.upper,
        status=status,
    )


def _level_line(part: Level) -> Line:
    seen = part.coverage or 0.0
    return Line(
        label=f"promised {literal(part.level)}",
        figures=f"observed {figure(seen)}{_interval(part)}",
        low=_off(part) if part.lower is None else part.lower - part.level,
        point=_off(part),
        high=_off(part) if part.upper is None else part.upper - part.level,
    )


def _finding(coverage: Coverage, strata: Sequence[Stratum]) -> str:
    least = min(strata, key=lambda part: part.coverage or 0.0)
    most = max(strata, key=lambda part: part.coverage or 0.0)
    low = [part for part in strata if part.upper is not None and part.upper < coverage.level]
    short = f" {len(low)} of {len(strata)} cover less than promised beyond chance." if low else ""
    return (
        f"{len(strata)} strata, promised {literal(coverage.level)}.{short} "
        f"Least: {_words(least)}. Most: {_words(most)}."
    )


def _words(part: Stratum) -> str:
    return f"{visible(part.name, longest=40)}, {figure(part.coverage or 0.0)}{_interval(part)}, {count(part.n)} rows"
