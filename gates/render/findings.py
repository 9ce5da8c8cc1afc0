"""What `gates verify` found, as people read it: the answer, a count by part, and every failure with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.render.markdown import code, prose
from gates.render.names import visible

if TYPE_CHECKING:
    from gates.audit.findings import Finding, Findings

_LONGEST = 400
_STATUSES = ("ok", "failed", "skipped")


def findings_text(found: Findings, *, verbose: bool = False, markdown: bool = False) -> str:
    """Return the findings as lines; those that are good only where `verbose`."""
    shown = [item for item in found.items if verbose or item.status != "ok"]
    if markdown:
        counts = [f"- {part}: {told}" for part, told in _counts(found)]
        covered = [f"- the ledger's witnesses: {prose(found.witnessed)}"] if found.witnessed else []
        return "\n".join([f"**{_answer(found)}**", "", *counts, *covered, "", *map(_marked, shown)])
    counts = [f"  {part:<11}{told}" for part, told in _counts(found)]
    covered = [f"  the ledger's witnesses: {visible(found.witnessed, longest=_LONGEST)}"] if found.witnessed else []
    return "\n".join([_answer(found), *counts, *covered, *map(_line, shown)])


def _answer(found: Findings) -> str:
    failed, skipped = len(found.failures), sum(item.status == "skipped" for item in found.items)
    if failed:
        return f"FAILED: {failed} of {len(found.items)} things do not hold"
    if not found.good and found.complete:
        return "NOTHING VERIFIED: there was nothing to look at"
    if not found.complete:
        return f"INCOMPLETE: {len(found.unreached)} things could not be reached; the {len(found.items) - skipped} others hold"
    holds = f"VERIFIED: {len(found.items) - skipped} things hold"
    return f"{holds}, {skipped} could not be looked at" if skipped else holds


def _counts(found: Findings) -> list[tuple[str, str]]:
    parts = dict.fromkeys(item.part for item in found.items)
    return [
        (part, ", ".join(f"{n} {status}" for status in _STATUSES if (n := found.counts[part, status])))
        for part in parts
    ]


def _line(item: Finding) -> str:
    said = f": {visible(item.message, longest=_LONGEST)} [{item.code}]" if item.message else ""
    line = f"  {item.status}: {item.part} {visible(item.where)} ({item.what}){said}"
    return f"{line}\n    {visible(item.remedy, longest=_LONGEST)}" if item.remedy else line


def _marked(item: Finding) -> str:
    said = f": {code(visible(item.message, longest=_LONGEST))}" if item.message else ""
    line = f"- **{item.status}**: {item.part} {code(item.where)} ({prose(item.what)}){said}"
    return f"{line}; {prose(item.remedy)}" if item.remedy else line
