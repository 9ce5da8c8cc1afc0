"""From one drawing to two outputs: SVG that takes its colours and its font from the page, and a PNG with its own words.

matplotlib draws both; it is imported here, when something is drawn. The SVG has no script, no style sheet and no
reference outside itself. Accessibility: SVG-AAM 1.0 (role `img` with title and description).
"""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 350
"""Units that a drawing is wide: on a phone a unit is about a pixel, so that 11 units are readable text."""

INK, QUIET, GRID, DATA, SOFT, BAD, PAPER = "#1b1f24", "#59636e", "#e6e9ed", "#2458a6", "#c8d5e9", "#b3261e", "#ffffff"

_VARIABLES = {INK: "ink", QUIET: "quiet", GRID: "grid", DATA: "data", SOFT: "data-soft", BAD: "bad", PAPER: "card"}
"""The page's custom property for each colour of a drawing; a PNG keeps the colour itself."""

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gates",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.facecolor": PAPER,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 5,
    "grid.color": GRID,
    "grid.linewidth": 1,
}

_POINTS_PER_INCH = 72
_PNG_DOTS_PER_INCH = 180
_TITLE_LINE, _CAPTION_LINE = 40, 60
"""Letters of a line in a PNG's own words, so that it stays within WIDTH; on a page the browser wraps."""


@dataclass(frozen=True)
class Picture:
    """A drawing and its words.

    Attributes
    ----------
    name: of its file, without an ending. caption: how to read it. finding: what it shows, in words and numbers, for
    those who do not see it. height: in units, of which it is WIDTH wide. draw: puts everything onto an empty figure.
    """

    name: str
    title: str
    caption: str
    finding: str
    height: float
    draw: Callable[[Figure], None]

    def svg(self) -> str:
        """Return an `svg` element for an HTML page, about 10 kB, whose colours are the page's custom properties."""
        target = io.StringIO()
        with _figure(self) as figure:
            metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(target, format="svg", transparent=True, metadata=metadata)
        return _inlined(target.getvalue(), self)

    def png(self) -> bytes:
        """Return a PNG on white that holds title and caption too; its metadata holds the finding."""
        target = io.BytesIO()
        title, lines = textwrap.wrap(self.title, _TITLE_LINE), textwrap.wrap(self.caption, _CAPTION_LINE)
        with _figure(self, more=8 + 16 * len(title) + 13 * len(lines)) as figure:
            figure.suptitle("\n".join(title), x=0.02, ha="left", fontsize=13, fontweight="bold")
            figure.supxlabel("\n".join(lines), x=0.02, ha="left", fontsize=9.5, color=QUIET)
            metadata = {"Title": self.title, "Description": self.finding, "Software": None}
            figure.savefig(target, format="png", dpi=_PNG_DOTS_PER_INCH, metadata=metadata)
        return target.getvalue()


@contextmanager
def _figure(picture: Picture, more: float = 0) -> Iterator[Figure]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes in the PNG, and by the browser's fonts in the SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        size = WIDTH / _POINTS_PER_INCH, (picture.height + more) / _POINTS_PER_INCH
        figure = Figure(figsize=size, layout="constrained", facecolor=PAPER)
        picture.draw(figure)
        yield figure


def _inlined(source: str, picture: Picture) -> str:
    """The `svg` element alone: the page's colours and font, ids that are unique on the page, words for those who hear it."""
    root = ElementTree.fromstring(source)  # noqa: S314 (matplotlib wrote it, one line above)
    used = {target[1:] for node in root.iter() for name, target in node.items() if name.endswith("href")}
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style", "clipPath"):
                parent.remove(child)
    for node in root.iter():
        node.tag = _local(node.tag)
        attributes = {_local(name): value for name, value in node.items()}
        node.attrib.clear()
        node.attrib.update(_attributes(attributes, used, picture.name))
        node.text = node.text.strip() or None if node.text else None
        node.tail = None
    inner = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    label, words = f"{picture.name}-title", f"{picture.name}-words"
    return (
        f'<svg viewBox="0 0 {WIDTH} {picture.height:g}" role="img" aria-labelledby="{label} {words}">'
        f'<title id="{label}">{escape(picture.title)}</title><desc id="{words}">{escape(picture.finding)}</desc>'
        f"{inner}</svg>"
    )


def _attributes(found: dict[str, str], used: set[str], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if name == "id":
            if value in used:
                yield name, f"{prefix}-{value}"
        elif name == "href":
            yield name, f"#{prefix}-{value[1:]}"
        elif name == "style":
            yield name, _styled(value)
        elif name == "d":
            yield name, _rounded(" ".join(value.split()))
        elif name in ("x", "y", "transform"):
            if not (name == "transform" and re.match(r"rotate\(-?0 ", value)):
                yield name, _rounded(value)
        elif name != "clip-path":
            yield name, value


def _styled(style: str) -> str:
    for colour, variable in _VARIABLES.items():
        style = style.replace(colour, f"var(--{variable})")
    kept = [part for part in style.split("; ") if not part.startswith("font-family")]
    return "; ".join(kept)


def _rounded(text: str) -> str:
    """Coordinates to a tenth of a unit, finer than any screen shows them."""
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text)


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]
