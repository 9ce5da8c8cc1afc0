"""A picture of intervals, one a line: its words above it, the estimate in it, and the limits that it must keep to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.render.pictures.canvas import BAD, DATA, GRID, INK, PAPER, QUIET, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 36.0
_FOOT = 46.0
_BAR = 0.2
"""How far under the middle of its line an interval is drawn."""

SIGNS = "● within the limit, ○ undecided, ✕ proven outside"
"""What the marks of `Line.status` mean, for captions."""

_FARTHEST = 1e15
"""Beyond it there is no scale on which anything else could be seen."""

_MARKS = {"fail": ("X", BAD, BAD), "inconclusive": ("o", PAPER, DATA)}


@dataclass(frozen=True)
class Line:
    """One interval on the common axis.

    Attributes
    ----------
    label, figures: at the left and at the right above it. low, high: infinite where the data set no limit.
    status: pass, fail, inconclusive, or none. limits: where it must not reach; short dotted lines of its own.
    """

    label: str
    figures: str
    low: float
    point: float
    high: float
    status: str = "pass"
    limits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A line through the whole picture, with its name under it. `limit`: drawn dotted, in the colour of a limit."""

    at: float
    name: str
    limit: bool = False


def interval_picture(
    name: str,
    title: str,
    caption: str,
    finding: str,
    lines: Sequence[Line],
    references: Sequence[Reference],
    *,
    axis: str,
    reach: tuple[float, float] | None = None,
) -> Picture:
    """Describe a picture of intervals.

    Parameters
    ----------
    axis: what the numbers under it are. reach: the ends of the axis, where what goes on beyond them becomes an arrow;
        default: as far as the finite ends and the references go.
    """
    ends = reach or _ends(lines, references)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_xlim(*ends)
        axes.set_ylim(len(lines) - 0.45, -0.6)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.set_xlabel(axis)
        for reference in references:
            style = {"color": BAD, "linestyle": (0, (1.5, 2))} if reference.limit else {"color": QUIET}
            axes.axvline(reference.at, linewidth=1.25, zorder=1, **style)
        _name_references(axes, references)
        for row, line in enumerate(lines):
            _draw(axes, row, line, ends)

    return Picture(name, title, caption, finding, _LINE * len(lines) + _FOOT, draw)


def _ends(lines: Sequence[Line], references: Sequence[Reference]) -> tuple[float, float]:
    values = [value for line in lines for value in (line.low, line.point, line.high, *line.limits)]
    values += [reference.at for reference in references]
    finite = [value for value in values if abs(value) < _FARTHEST] or [0.0]
    low, high = min(finite), max(finite)
    margin = 0.06 * (high - low) or abs(low) or 1.0
    return low - margin, high + margin


def _name_references(axes: Axes, references: Sequence[Reference]) -> None:
    """Names stand on top of their lines; the ticks under the picture stay numbers."""
    for reference in references:
        axes.annotate(
            reference.name,
            (reference.at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=10,
            color=BAD if reference.limit else QUIET,
            annotation_clip=False,
        )


def _draw(axes: Axes, row: int, line: Line, ends: tuple[float, float]) -> None:
    start, stop = ends
    across = axes.get_yaxis_transform()
    # The words stand on paper, so that no reference line runs through them.
    paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
    axes.text(0, row - 0.24, line.label, transform=across, va="center", fontsize=11, color=INK, bbox=paper)
    axes.text(
        1, row - 0.24, line.figures, transform=across, ha="right", va="center", fontsize=10, color=QUIET, bbox=paper
    )
    low, high = max(line.low, start), min(line.high, stop)
    if low <= high:
        axes.plot([low, high], [row + _BAR] * 2, color=DATA, linewidth=2, solid_capstyle="butt", zorder=3)
    for end, beyond, at, arrow in ((line.low, line.low < start, start, "<"), (line.high, line.high > stop, stop, ">")):
        if beyond:
            axes.plot([at], [row + _BAR], marker=arrow, markersize=8, color=DATA, markeredgewidth=0, clip_on=False)
        elif start <= end <= stop:
            axes.plot([end] * 2, [row + _BAR - 0.1, row + _BAR + 0.1], color=DATA, linewidth=2, zorder=3)
    for limit in line.limits:
        axes.plot([limit] * 2, [row - 0.02, row + 0.46], color=BAD, linewidth=1.5, linestyle=(0, (1.5, 1.5)), zorder=2)
    if start <= line.point <= stop:
        marker, face, edge = _MARKS.get(line.status, ("o", DATA, PAPER))
        axes.plot(
            [line.point],
            [row + _BAR],
            marker=marker,
            color=edge,
            markersize=8,
            markerfacecolor=face,
            markeredgecolor=edge,
            markeredgewidth=1.6 if line.status == "inconclusive" else 0.8,
            zorder=5,
        )
    axes.axhline(row + 0.5, color=GRID, linewidth=1, zorder=0)
