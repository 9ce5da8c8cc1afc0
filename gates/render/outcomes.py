"""Several decisions side by side: the last screen of a demonstration or of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from gates.render.names import item_text, slice_text, visible
from gates.render.row import Row
from gates.render.screen import Screen
from gates.render.text import answer_colour
from gates.render.view import View
from gates.render.words import estimate_text, interval_text, limit_text, verdict_text

if TYPE_CHECKING:
    from rich.text import Text

_SHOWN = 2


@dataclass(frozen=True)
class Outcome:
    """A decision, and what came of it.

    Attributes
    ----------
    label: what the reader knows the candidate by. after: what was done, in a few words; empty for nothing.
    page: path of its page.
    """

    label: str
    view: View
    after: str = ""
    page: str | None = None


def outcomes(decided: Sequence[Outcome], *, screen: Screen | None = None) -> str:
    """Lay a table out: candidate, environment, decision, deciding checks with figures, and where the page is."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    screen = screen or Screen()
    table = Table(box=box.HORIZONTALS if screen.unicode else box.ASCII2, pad_edge=False, show_lines=True)
    table.add_column("candidate\nenvironment", overflow="fold", max_width=22)
    table.add_column("decision", overflow="fold", min_width=13, max_width=18)
    table.add_column("deciding checks\nestimate [interval] limit", overflow="fold")
    folder = _folder(decided)
    for outcome in decided:
        request = outcome.view.decision.request
        candidate = Text(visible(outcome.label))
        candidate.append(f"\n{visible(request.candidate.name)} {visible(request.candidate.version)}", style="dim")
        candidate.append(f"\n→ {request.environment}")
        answer = Text(outcome.view.answer.replace(" ", "\n"), style=answer_colour(outcome.view))
        if outcome.after:
            answer.append(f"\n{visible(outcome.after)}", style="not bold default")
        table.add_row(candidate, answer, _deciding(outcome, folder))
    if folder is None:
        return screen.draw(table)
    return screen.draw(table, Text(f"pages in {folder}", overflow="fold"))


def _deciding(outcome: Outcome, folder: PurePath | None) -> Text:
    from rich.text import Text

    rows = outcome.view.deciding
    lines = [_line(row) for row in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        lines.append(f"and {len(rows) - _SHOWN} more")
    text = Text("\n".join(lines))
    if outcome.page is not None:
        page = PurePath(outcome.page)
        text.append(f"\npage: {page.relative_to(folder) if folder else page}", style="dim")
    return text


def _line(row: Row) -> str:
    where = [item_text(row.item)] if row.item else []
    where += [] if row.whole else [slice_text(row.slice)]
    name = " ".join([visible(row.check), *where])
    figures = " ".join(part for part in (estimate_text(row), interval_text(row), limit_text(row.limit)) if part)
    return f"{name}\n  {figures or row.note or verdict_text(row)}"


def _folder(decided: Sequence[Outcome]) -> PurePath | None:
    """The one folder that all pages lie in, if there is one."""
    folders = {PurePath(outcome.page).parent for outcome in decided if outcome.page is not None}
    return folders.pop() if len(folders) == 1 else None
