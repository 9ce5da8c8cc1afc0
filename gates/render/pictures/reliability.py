"""The reliability diagram with its histogram, and the same bins enlarged against their limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gates.decide.attachments import Bin, Column, Reliability
from gates.decide.limits import Limit
from gates.render.names import visible
from gates.render.numbers import count, figure, literal
from gates.render.pictures.canvas import DATA, GRID, PAPER, QUIET, SOFT, Picture
from gates.render.pictures.intervals import SIGNS, Line, Reference, interval_picture
from gates.render.words import limit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ENDS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Where an axis of probabilities may end."""


def diagram(reliability: Reliability) -> Picture | None:
    """Describe the reliability diagram; None without a bin that has rows."""
    bins = filled(reliability.bins)
    if not bins:
        return None
    reach = max(max(part.mean_p or 0.0, part.mean_y or 0.0, min(part.upper or 0.0, 1.0)) for part in bins)
    end = next(end for end in _ENDS if end >= min(reach, 1.0))
    shown = [column for column in reliability.histogram if column.to <= end + 1e-9]
    beyond = sum(column.n for column in reliability.histogram) - sum(column.n for column in shown)
    bars = any(column.n for column in shown)

    def draw(drawing: Figure) -> None:
        if bars:
            points, counts = drawing.subplots(2, 1, height_ratios=(4, 1))
            _draw_histogram(counts, shown, end)
        else:
            points = drawing.subplots()
        _draw_points(points, bins, end)

    cut = f" {count(beyond)} rows above {literal(end)} are not drawn." if beyond else ""
    below = " Below: how many rows got which prediction." if bars else ""
    return Picture(
        "reliability",
        "Does a prediction of 30 % come true 30 % of the time?",
        "Each point is a bin of rows with like predictions; its line is the interval of the rate that was observed. "
        f"Points on the dashed line are right.{below}{cut}",
        _finding(reliability, bins),
        390 if bars else 300,
        draw,
    )


def gaps(reliability: Reliability, limit: Limit | None, statuses: Mapping[str, str]) -> Picture | None:
    """Describe the gap of each bin, in the order of predictions; None without a bin that has rows.

    Parameters
    ----------
    statuses: what became of each bin, by its name.
    """
    bins = filled([*reliability.bins, *([reliability.decision] if reliability.decision else [])])
    if not bins:
        return None
    lines = [_line(part, statuses.get(part.name, ""), last=part is reliability.decision) for part in bins]
    references = [Reference(0.0, "0"), *(Reference(value, literal(value), limit=True) for value in _values(limit))]
    signs = f" {SIGNS}, which takes more than the line shows: all bins are looked at together." if statuses else ""
    keep = " A line wholly between the dotted limits is proof." if limit else ""
    return interval_picture(
        "gaps",
        "How far off is each bin?",
        f"Observed rate minus prediction: right of 0 it happens more often than predicted.{keep}{signs}",
        gaps_finding(bins, limit, statuses),
        lines,
        references,
        axis="observed rate minus mean prediction",
    )


def filled(bins: Sequence[Bin]) -> list[Bin]:
    """The bins that have rows."""
    return [part for part in bins if part.mean_p is not None and part.mean_y is not None]


def bin_name(part: Bin) -> str:
    """What readers call it: numbered bins by their number, the decision region as such."""
    return "at or above the threshold" if part.name == "decision" else f"bin {visible(part.name, longest=40)}".strip()


def bin_words(part: Bin) -> str:
    """A bin in words and numbers."""
    return (
        f"{bin_name(part)}: predicted {figure(part.mean_p or 0.0)}, observed {figure(part.mean_y or 0.0)}"
        f"{_interval(part)}, {count(part.n)} rows"
    )


def _interval(part: Bin) -> str:
    known = part.lower is not None and part.upper is not None
    return f" [{figure(part.lower or 0.0)}, {figure(part.upper or 0.0)}]" if known else ""


def _gap(part: Bin) -> float:
    return (part.mean_y or 0.0) - (part.mean_p or 0.0)


def _values(limit: Limit | None) -> tuple[float, ...]:
    return limit.values if limit else ()


def _line(part: Bin, status: str, *, last: bool) -> Line:
    score, rate = part.mean_p or 0.0, part.mean_y or 0.0
    name = "at or above the threshold" if last else bin_name(part)
    return Line(
        label=name,
        figures=f"predicted {figure(score)}, observed {figure(rate)}",
        low=_gap(part) if part.lower is None else part.lower - score,
        point=_gap(part),
        high=_gap(part) if part.upper is None else part.upper - score,
        status=status,
    )


def _finding(reliability: Reliability, bins: Sequence[Bin]) -> str:
    rows = sum(part.n for part in bins)
    worst = max(bins, key=lambda part: abs(_gap(part)))
    off = sum(_outside(part) for part in bins)
    overall = ""
    if rows:
        score = sum(part.n * (part.mean_p or 0.0) for part in bins) / rows
        rate = sum(part.n * (part.mean_y or 0.0) for part in bins) / rows
        overall = f" On the whole {figure(score)} was predicted and {figure(rate)} observed."
    apart = f"In {off} of {len(bins)} bins the interval does not hold the prediction" if off else ""
    agree = apart or "In every bin that has an interval it holds the prediction"
    level = f"{100 * reliability.confidence:g} %"
    return (
        f"{len(bins)} {'bin' if len(bins) == 1 else 'bins'} of {count(rows)} rows.{overall} {agree} "
        f"(limits at {level} a side). Farthest off: {bin_words(worst)}."
    )


def _outside(part: Bin) -> bool:
    known = part.lower is not None and part.upper is not None
    return known and not (part.lower or 0.0) <= (part.mean_p or 0.0) <= (part.upper or 0.0)


def gaps_finding(bins: Sequence[Bin], limit: Limit | None, statuses: Mapping[str, str]) -> str:
    """What the picture of the gaps shows, in words and numbers."""
    by_status = {
        words: [bin_name(part) for part in bins if statuses.get(part.name) == status]
        for status, words in (("fail", "proven outside"), ("inconclusive", "undecided"))
    }
    against = f" Limit {limit_text(limit)}." if limit else ""
    told = "".join(
        f" {words[0].upper()}{words[1:]}: {', '.join(names)}." for words, names in by_status.items() if names
    )
    fine = " All are within the limit." if limit and statuses and not told else ""
    worst = max(bins, key=lambda part: abs(_gap(part)))
    return f"{len(bins)} bins.{against}{told}{fine} Farthest off: {bin_words(worst)}, a gap of {figure(_gap(worst))}."


def _draw_points(axes: Axes, bins: Sequence[Bin], end: float) -> None:
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)
    axes.grid(visible=True)
    axes.locator_params(nbins=5)
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("observed rate")
    axes.plot([0, end], [0, end], color=QUIET, linewidth=1.25, dashes=(5, 4), zorder=1)
    for x, y, words, side in ((0.03, 0.95, "more often than predicted", "left"), (0.97, 0.05, "less often", "right")):
        axes.text(x, y, words, transform=axes.transAxes, ha=side, va="center", fontsize=10, color=QUIET)
    for part in bins:
        x = part.mean_p or 0.0
        if part.lower is not None and part.upper is not None:
            ends = [max(0.0, part.lower), min(end, part.upper)]
            axes.plot([x, x], ends, color=DATA, linewidth=2, solid_capstyle="butt", zorder=3)
            axes.plot(
                [x, x], ends, color=DATA, linestyle="none", marker="_", markersize=7, markeredgewidth=1.6, zorder=3
            )
        y = part.mean_y or 0.0
        axes.plot([x], [y], marker="o", markersize=7, color=DATA, markeredgecolor=PAPER, zorder=4, clip_on=False)


def _draw_histogram(axes: Axes, columns: Sequence[Column], end: float) -> None:
    left = [0.0, *(column.to for column in columns[:-1])]
    width = [column.to - start for column, start in zip(columns, left, strict=True)]
    axes.bar(left, [column.n for column in columns], width, align="edge", color=SOFT, edgecolor=DATA, linewidth=0.6)
    axes.set_xlim(0, end)
    axes.set_ylabel("rows")
    axes.set_xticks([])
    highest = max(column.n for column in columns)
    axes.set_yticks([0, highest], ["0", count(highest)])
    axes.spines["bottom"].set_color(QUIET)
    axes.yaxis.grid(visible=False)
    axes.tick_params(axis="y", colors=QUIET)
    axes.set_facecolor(PAPER)
    axes.axhline(highest, color=GRID, linewidth=1, zorder=0)
