"""A page of docs/study: one finding, its plot, its tables, and the promises with what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.promises import Promise, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot


@dataclass(frozen=True)
class Table:
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def lines(self) -> Iterator[str]:
        yield from (f"## {self.title}", "")
        yield "| " + " | ".join(self.head) + " |"
        yield "|" + "---|" * len(self.head)
        yield from ("| " + " | ".join(row) + " |" for row in self.rows)
        yield ""


@dataclass(frozen=True)
class Page:
    """What a study found.

    Attributes
    ----------
    name: of its file. title: the finding. shows: one sentence, what the plot shows. plot, alt: the picture, in words.
    world: how the rows were made. notes: further sentences, one paragraph each.
    """

    name: str
    title: str
    shows: str
    world: str
    plot: Plot
    alt: str
    tables: Sequence[Table]
    promises: Sequence[Promise]
    notes: Sequence[str] = ()

    @property
    def broken(self) -> list[Promise]:
        return [promise for promise in self.promises if not promise.kept]

    def write(self, folder: Path) -> None:
        self.plot.savefig(folder / f"{self.name}.svg", metadata={"Date": None, "Creator": None})
        (folder / f"{self.name}.md").write_text("\n".join(self._lines()).rstrip() + "\n", encoding="utf-8")

    def _lines(self) -> Iterator[str]:
        yield from (f"# {self.title}", "", self.shows, "", f"![{self.alt}]({self.name}.svg)", "")
        yield from (f"The worlds: {self.world}", "")
        for note in self.notes:
            yield from (note, "")
        for table in self.tables:
            yield from table.lines()
        rows = [
            (p.what, p.words, share(p.rate), f"{p.runs:,}", "kept" if p.kept else "**broken**") for p in self.promises
        ]
        yield from Table("Promises", ("event", "promised", "seen", "runs", ""), rows).lines()


GREYS = ("0.0", "0.45", "0.7", "0.25")
MARKERS = ("o", "s", "^", "D")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), "-.")


def canvas(panels: int = 1, *, title: str) -> tuple[Plot, list[Any]]:
    """Return a figure with panels side by side, readable without colour."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Plot

    mpl.rcParams.update({"svg.hashsalt": "study", "svg.fonttype": "none", "font.size": 10})
    plot = Plot(figsize=(7.2, 4.2) if panels == 1 else (4.6 * panels + 0.6, 3.9), layout="constrained")
    axes = list(plot.subplots(1, panels, squeeze=False)[0])
    plot.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="0.9")
        axis.set_axisbelow(True)
    return plot, axes


def line(axis: Any, x: Sequence[float], y: Sequence[float], label: str, style: int) -> None:
    """Draw a series that differs from the others in grey, dash and marker."""
    axis.plot(
        x,
        y,
        label=label,
        color=GREYS[style],
        linestyle=DASHES[style],
        marker=MARKERS[style],
        markersize=5,
        linewidth=1.6,
    )


def promised(axis: Any, rate: float, word: str = "promised: at most") -> None:
    """Draw the promise as a line."""
    axis.axhline(rate, color="0.5", linewidth=0.8, linestyle=(0, (6, 3)))
    axis.annotate(
        f"{word} {share(rate)}",
        (1, rate),
        xytext=(0, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
    )
