"""Where text goes: its width, its colours and its character set."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_NARROWEST, _WIDEST = 40, 120

_GROWTH = 6
"""Characters that a line may gain when it is written in ASCII."""

_PLAIN = str.maketrans(
    {
        "≤": "<=",
        "≥": ">=",
        "±": "+-",
        "∞": "inf",
        "→": "->",
        "…": "...",
        "·": "-",
        "•": "*",
        "×": "x",
        "–": "-",
        "—": "-",
    }
)


@dataclass(frozen=True)
class Screen:
    """What the reader has: a terminal's width and colours, or a pipe at 80 columns without any."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """Describe a stream; colours only on a terminal, and not where NO_COLOR asks for none."""
        terminal = stream.isatty()
        width = shutil.get_terminal_size().columns if terminal else 80
        return cls(
            width=min(max(width, _NARROWEST), _WIDEST),
            colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
            unicode=(stream.encoding or "ascii").lower().replace("_", "-").startswith("utf"),
        )

    def draw(self, *parts: RenderableType) -> str:
        """Lay rich renderables out for this screen; without trailing spaces."""
        console = self._console()
        with console.capture() as capture:
            for part in parts:
                console.print(part)
        text = "\n".join(line.rstrip() for line in capture.get().splitlines())
        if self.unicode:
            return text
        return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode()

    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            width=self.width if self.unicode else self.width - _GROWTH,
            force_terminal=self.colour,
            no_color=not self.colour,
            color_system="standard" if self.colour else None,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            force_jupyter=False,
            force_interactive=False,
        )
