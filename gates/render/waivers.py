"""Waivers and baselines of a decision in words: what each accepts, what became of it, and until when it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gates.render.names import place_text, visible
from gates.render.numbers import figure, moment

if TYPE_CHECKING:
    from gates.decide.explain import Explanation
    from gates.records.decision import Decision, WaiverInput
    from gates.records.waiver import Accepted, Waiver


def accepted_text(accepted: Accepted) -> str:
    """One accepted figure: its place, how bad it may be, and how far its bound may reach."""
    place = place_text(accepted.slice, accepted.item)
    level = accepted.accepts
    low = f", or {figure(level.mirror.limit)} with a bound of {figure(level.mirror.ceiling)}" if level.mirror else ""
    return (
        f"{accepted.check}{f' of {place}' if place else ''} "
        f"at {figure(level.limit)} with a bound of {figure(level.ceiling)}{low}"
    )


def title_text(waiver: Waiver) -> str:
    """What it is of, in a few words."""
    if waiver.kind == "baseline":
        figures = len(waiver.accepted)
        return f"baseline of {figures} {'figure' if figures == 1 else 'figures'}"
    first = waiver.accepted[0]
    place = place_text(first.slice, None)
    return f"waiver of {first.check}{f' on {place}' if place else ''}"


def waiver_lines(
    decision: Decision, waivers: Iterable[WaiverInput], annotations: Mapping[str, Explanation]
) -> tuple[str, ...]:
    """Say of each what it covers here, or why it does not count."""
    lines = []
    for item in waivers:
        said = item.statement
        notes = [r.code for r in decision.results if r.waiver == item.digest and r.check == "release.waivers"]
        covers = sum(r.waiver == item.digest and r.disposition == "waived" for r in decision.results)
        state = [f"covers {covers} {'result' if covers == 1 else 'results'}"] if covers else []
        state += [annotations[code].title.lower() if code in annotations else code for code in notes]
        over = "until" if said.until_us > decision.request.effective_time_us else "ended"
        lines.append(
            f"{title_text(said)} ({visible(said.ticket)}: {visible(said.reason)}), "
            f"{over} {moment(said.until_us)}: {'; '.join(state) or 'covers nothing'}"
        )
    return tuple(lines)


def note_text(waiver: Waiver) -> str:
    """What stands beside a result that it covers."""
    return f"{waiver.kind} until {moment(waiver.until_us)}: {visible(waiver.ticket)}, {visible(waiver.reason)}"
