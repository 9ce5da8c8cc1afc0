"""The post-incident record: what the ledger knows is filled in, what only people know is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.render.markdown import prose
from gates.render.numbers import moment
from gates.render.release import parts_text, traffic_text

if TYPE_CHECKING:
    from gates.apply.ledger.chain import ChainEntry


@dataclass(frozen=True)
class Record:
    """What the ledger and the store know of a rollback, for the record that people write afterwards."""

    entry: ChainEntry
    incident: str
    outcome: ChainEntry | None
    snapshot: dict[str, Any] | None
    confirmed: tuple[str, ...]
    due_us: int | None


ASKED = {
    "What people noticed": "Who saw it, when, and by what: an alert, a complaint, a figure.",
    "Harm": "Whom it reached, how many requests or decisions, for how long; what was done for them.",
    "Cause": "What was wrong, and why nothing before it stopped it. Which check should have?",
    "What went well, and what did not": "From the first sign to the traffic being back.",
    "What changes": "Each with an owner and a day; a check, a limit or a test where one was missing.",
}
"""Headings that people fill in, and what belongs below each."""


def incident_record(found: Record) -> str:
    """Return the record as Markdown."""
    entry = found.entry.entry
    environment = entry.slot.environment if entry.slot else ""
    model = entry.slot.model if entry.slot else ""
    lines = [f"# Incident in {prose(environment)}: {prose(model)}", "", "## What is on record", ""]
    lines += [f"- {word}: {text}" for word, text in _facts(found)]
    lines += ["", "## Kept of what served", "", *_kept(found)]
    for heading, asked in ASKED.items():
        lines += ["", f"## {heading}", "", f"<!-- {asked} -->"]
    return "\n".join(lines) + "\n"


def incident_document(found: Record) -> dict[str, Any]:
    """Return what is on record, as JSON."""
    return {
        "incident": found.incident,
        "rollback": found.entry.digest,
        "entry": found.entry.entry.document(),
        "status": found.outcome.entry.status if found.outcome else None,
        "debts": list(found.outcome.entry.debts or ()) if found.outcome else [],
        "snapshot": found.snapshot,
        "confirmed": list(found.confirmed),
        "confirm_until_us": found.due_us,
    }


def _facts(found: Record) -> list[tuple[str, str]]:
    entry = found.entry.entry
    facts = [
        ("type", found.incident),
        ("rolled back", f"{moment(entry.time_us)} by {prose(entry.actor)}, ledger entry {entry.sequence}"),
        ("reason", prose(entry.reason or "")),
        (
            "served before",
            f"{traffic_text(entry.before)}; {prose(parts_text(entry.before))}" if entry.before else "nothing",
        ),
        (
            "serves after",
            f"{traffic_text(entry.after)}; {prose(parts_text(entry.after))}" if entry.after else "nothing",
        ),
    ]
    if found.outcome is None:
        facts.append(("outcome", "none yet: the rollback is not finished"))
    else:
        outcome = found.outcome.entry
        facts.append(("outcome", f"{outcome.status}, {moment(outcome.time_us)}"))
        facts += [("debt", prose(debt)) for debt in outcome.debts or ()]
    due = f" until {moment(found.due_us)}" if found.due_us is not None else ""
    confirmed = ", ".join(prose(person) for person in found.confirmed)
    facts.append(("confirmed by", confirmed or f"nobody yet; a second person is asked to{due}"))
    return facts


def _kept(found: Record) -> list[str]:
    if found.snapshot is None:
        return ["- nothing: no snapshot is in the store"]
    kept = [f"- {prose(name)}: {digest}" for name, digest in sorted(found.snapshot.get("kept", {}).items())]
    return kept + [f"- absent: {prose(str(text))}" for text in found.snapshot.get("absent", [])]
