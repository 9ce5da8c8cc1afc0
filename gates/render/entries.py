"""`gates log`: ledger entries, one a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gates.records import Entry
from gates.render.names import visible
from gates.render.numbers import moment
from gates.render.release import traffic_text

if TYPE_CHECKING:
    from gates.apply.ledger.chain import ChainEntry


def entries_text(entries: Sequence[ChainEntry], *, markdown: bool = False) -> str:
    """Return a line for each entry: number, time, kind, where, who, what."""
    rows = [_row(item.entry, item.digest) for item in entries]
    head = ("#", "time", "kind", "where", "who", "what", "digest")
    if markdown:
        table = [head, ("---",) * len(head), *rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table)
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in [head, *rows]
    )


def _row(entry: Entry, digest: str) -> tuple[str, ...]:
    where = entry.slot.environment if entry.slot else ",".join(item.environment for item in entry.active or ())
    return (
        str(entry.sequence),
        moment(entry.time_us),
        entry.kind,
        where or "-",
        visible(entry.actor),
        _what(entry),
        digest.removeprefix("sha256:")[:12],
    )


def _what(entry: Entry) -> str:
    kind = f"[{visible(entry.incident)}] " if entry.incident else ""
    said = f": {kind}{visible(entry.reason)}" if entry.reason else ""
    if entry.kind == "sealed" and entry.candidate and entry.bundle_digest:
        return f"version {visible(entry.candidate.version)}, bundle {entry.bundle_digest[7:19]}"
    if entry.kind == "outcome":
        return f"{entry.status}; {traffic_text(entry.observed)}"
    if entry.kind == "monitor" and entry.candidate:
        return f"version {visible(entry.candidate.version)} goes no further{said}"
    if entry.kind == "archive" and entry.candidate:
        return f"version {visible(entry.candidate.version)}{said}"
    if entry.after:
        return f"{traffic_text(entry.after)}{said}"
    return said.removeprefix(": ") or "-"
