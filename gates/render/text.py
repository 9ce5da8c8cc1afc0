"""A decision as text for a terminal or a pipe: the answer first, then what decided it, then a count of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gates.render.names import visible
from gates.render.numbers import moment, short
from gates.render.row import Row
from gates.render.screen import Screen
from gates.render.view import View
from gates.render.words import (
    UNBOUNDED,
    WORSE,
    estimate_text,
    interval_text,
    limit_text,
    need_text,
    stand_out_text,
    tally,
    unbounded,
    verdict_text,
    where_text,
    worse_text,
    worst_text,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_SHOWN = 8
"""Deciding rows on one screen; --verbose shows all."""

_REMEDIES = 3

_TABLE_WIDTH = 76
"""Columns that the table needs with its longest check and verdict."""

_PLAIN_SUFFIXES = ("passed", "inconclusive", "provisional")


def text(view: View, *, screen: Screen | None = None, verbose: bool = False) -> str:
    """Lay a decision out for a screen.

    Parameters
    ----------
    verbose: all rows, not only those that decided the answer.
    """
    from rich.text import Text

    screen = screen or Screen()
    shown = view.rows if verbose else view.deciding[:_SHOWN]
    parts: list[RenderableType] = [_answer(view), Text(view.why), Text()]
    if shown:
        parts.extend([_table(shown) if screen.width >= _TABLE_WIDTH else _stacked(shown), Text()])
    for block in (_notes(view, shown, verbose=verbose), _todo(view), [_footer(view)]):
        parts.extend([*block, Text()] if block else [])
    return screen.draw(*parts[:-1])


def _answer(view: View) -> Text:
    from rich.text import Text

    request = view.decision.request
    candidate = f"{visible(request.candidate.name)} {visible(request.candidate.version)}"
    line = Text(view.answer, style=f"bold {answer_colour(view)}")
    line.append(f"  {candidate} → {request.environment}", style="bold")
    if view.decision.simulated:
        line.append("  (simulated: not sealed, cannot be applied)", style="not bold yellow")
    return line


def answer_colour(view: View) -> str:
    return {"ALLOW": "green", "DENY": "red"}.get(view.answer, "yellow")


def _colour(row: Row) -> str:
    if row.denies:
        return "red"
    return "green" if row.status == "pass" else "yellow"


def _table(rows: Sequence[Row]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("verdict", overflow="fold")
    table.add_column("check", overflow="fold", min_width=12)
    table.add_column("estimate", justify="right", no_wrap=True)
    table.add_column("interval", overflow="fold")
    table.add_column("limit", no_wrap=True)
    for row in rows:
        check = Text(visible(row.check))
        check.append("".join(f"\n  {line}" for line in _below(row)), style="dim")
        table.add_row(
            Text(verdict_text(row), style=_colour(row)),
            check,
            Text(estimate_text(row)),
            Text(interval_text(row)),
            Text(limit_text(row.limit)),
        )
    return table


def _stacked(rows: Sequence[Row]) -> Text:
    """The same as lines, for a screen that is too narrow for columns."""
    from rich.text import Text

    block = Text(overflow="fold")
    for number, row in enumerate(rows):
        block.append("\n" if number else "")
        block.append(verdict_text(row), style=_colour(row))
        block.append(f" {visible(row.check)}")
        figures = " ".join(part for part in (estimate_text(row), interval_text(row)) if part)
        limit = f"limit {limit_text(row.limit)}" if row.limit else ""
        below = [", ".join(part for part in (figures, limit) if part), *_below(row)]
        block.append("".join(f"\n  {line}" for line in below if line))
    return block


def _below(row: Row) -> list[str]:
    return [line for line in (where_text(row), row.note or "", _code(row), _owners_limit(row)) if line]


def _owners_limit(row: Row) -> str:
    """Where the limit stands, where it is the policy owners' own."""
    path = row.result.limit or ""
    return f"limit of {visible(path)}" if path.startswith("overrides/") else ""


def _code(row: Row) -> str:
    """The code, where it is more than the check's name."""
    return (
        ""
        if row.code == row.check or row.code in {f"{row.check}.{word}" for word in _PLAIN_SUFFIXES}
        else f"code {row.code}"
    )


def _notes(view: View, shown: Sequence[Row], *, verbose: bool) -> list[Text]:
    from rich.text import Text

    lines = []
    if any(unbounded(row) for row in shown):
        lines.append(UNBOUNDED)
    if not verbose:
        rest = view.deciding[_SHOWN:] + view.rest
        if rest:
            lines.append(f"{len(rest)} more: {tally(rest)}; --verbose shows all")
    lines.extend(view.waivers)
    lines.extend(view.cautions)
    return [Text(line, style="dim") for line in lines]


def _todo(view: View) -> list[Table]:
    from rich.table import Table
    from rich.text import Text

    lines = [f"{code}: {visible(remedy, longest=400)}" for code, remedy in view.remedies[:_REMEDIES]]
    lines.extend(
        f"{row.check}: {need_text(row.needs, row.slice, row.item)}" for row in view.needs[:_REMEDIES] if row.needs
    )
    lines.extend(f"{worst.place[0]}: {worst_text(worst)}" for worst in view.advice.worst[:_REMEDIES])
    lines.extend(f"{found.check}: {stand_out_text(found)}" for found in view.advice.stand_out[:_REMEDIES])
    lines.extend(f"{visible(cause.feature)}: {cause.hint}" for cause in view.advice.causes[:_REMEDIES])
    lines.extend(f"{chance.check}: {chance.hint}" for chance in (view.advice.chance,) if chance)
    lines.extend(f"{hint.check}: {hint.text}" for hint in view.advice.hints)
    lines.extend([f"{WORSE} {worse_text(view.advice.worse)}"] if view.advice.worse else [])
    if not lines:
        return []
    grid = Table.grid(padding=(0, 1, 0, 0))
    for line in lines:
        grid.add_row(Text("•"), Text(line, overflow="fold"))
    return [grid]


def _footer(view: View) -> Text:
    from rich.text import Text

    decision = view.decision
    until = f"valid until {moment(decision.valid_until_us)} · " if decision.allow else ""
    return Text(f"{until}decision {short(view.decision_id)} · policy {short(decision.policy_digest)}", style="dim")
