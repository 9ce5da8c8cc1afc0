"""What an audit or a replay found, as text and Markdown: the answer first, then every failure, then what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gates.audit.findings import Finding, Findings
from gates.audit.replay import Replayed
from gates.render.markdown import code, prose
from gates.render.names import visible
from gates.render.numbers import short
from gates.render.screen import Screen

if TYPE_CHECKING:
    from rich.console import RenderableType

_MESSAGE = 300


def findings_text(found: Findings, *, screen: Screen | None = None, verbose: bool = False) -> str:
    """Lay findings out; all of them where `verbose`, else what failed or could not be reached."""
    from rich.text import Text

    screen = screen or Screen()
    parts: list[RenderableType] = [Text(_answer(found), style="bold green" if found.good else "bold red"), Text()]
    shown = found.items if verbose else [item for item in found.items if item.status != "ok"]
    parts.extend(_line(item) for item in shown)
    if shown:
        parts.append(Text())
    parts.append(Text(_counted(found.items), style="dim"))
    return screen.draw(*parts)


def findings_markdown(found: Findings) -> str:
    """Write findings as Markdown: what failed or could not be reached, and the counts."""
    lines = [f"## {'✅' if found.good else '❌'} {_answer(found)}", ""]
    for item in found.items:
        if item.status == "ok":
            continue
        message = code(visible(item.message or "", longest=_MESSAGE))
        lines.append(f"- **{item.status}** {item.part} {code(item.where)} ({prose(item.what)}): {message}")
    return "\n".join([*lines, "", _counted(found.items), ""])


def replay_text(replayed: Replayed, *, screen: Screen | None = None) -> str:
    """Say whether the same bytes came out, and where they did not."""
    from rich.text import Text

    name = short(replayed.opened.decision_id)
    if replayed.same:
        words = Text(f"SAME  decision {name}: rebuilt from its sources, it gives the same bytes", style="bold green")
        return (screen or Screen()).draw(words)
    lines = [Text(f"DIFFERENT  decision {name}", style="bold red")]
    if replayed.input_differs:
        lines.append(Text(f"the input, rebuilt from its sources, differs in {', '.join(replayed.input_differs)}"))
    if replayed.decision_differs:
        lines.append(Text(f"the decision differs in {', '.join(replayed.decision_differs)}"))
    return (screen or Screen()).draw(*lines)


def _answer(found: Findings) -> str:
    failed = len(found.failures)
    if failed:
        return f"FAILED: {failed} of {len(found.items)} things do not hold"
    if not found.good:
        return "NOTHING VERIFIED: there was nothing to look at"
    skipped = sum(item.status == "skipped" for item in found.items)
    holds = f"VERIFIED: {len(found.items) - skipped} things hold"
    return f"{holds}, {skipped} could not be looked at" if skipped else holds


def _line(item: Finding) -> RenderableType:
    from rich.text import Text

    style = {"ok": "green", "failed": "red", "skipped": "yellow"}[item.status]
    line = Text(f"{item.status}  ", style=style)
    line.append(f"{item.part} {visible(item.where)} ({item.what})", style="default")
    if item.message:
        line.append(f"\n    {visible(item.message, longest=_MESSAGE)}", style="default")
        line.append(f" ({item.code})" if item.code else "", style="dim")
    if item.remedy:
        line.append(f"\n    {visible(item.remedy, longest=_MESSAGE)}", style="dim")
    return line


def _counted(items: Sequence[Finding]) -> str:
    parts = dict.fromkeys(item.part for item in items)
    counts = {part: sum(item.part == part and item.status == "ok" for item in items) for part in parts}
    return "looked at: " + ", ".join(f"{part} {count}" for part, count in counts.items())
