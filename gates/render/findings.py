"""What `gates verify` found, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.render.names import visible

if TYPE_CHECKING:
    from gates.audit.findings import Findings


def findings_text(found: Findings, *, verbose: bool = False, markdown: bool = False) -> str:
    """Return the answer, a count by part, and every failure with what to do."""
    mark, bold = ("- ", "**") if markdown else ("  ", "")
    answer = "VERIFIED" if found.good else "FAILED" if found.failures else "NOTHING VERIFIED"
    lines = [f"{bold}{answer}{bold}"]
    parts = list(dict.fromkeys(item.part for item in found.items))
    for part in parts:
        told = [
            f"{found.counts[part, status]} {status}"
            for status in ("ok", "failed", "skipped")
            if found.counts[part, status]
        ]
        lines.append(f"{mark}{part:<11} {', '.join(told)}")
    for item in found.items:
        if item.status == "ok" and not verbose:
            continue
        said = f": {visible(item.message, longest=400)} [{item.code}]" if item.message else ""
        lines.append(f"{mark}{item.status}: {item.part} {visible(item.where)}: {item.what}{said}")
        if item.remedy and item.status == "failed":
            lines.append(f"{mark}  {item.remedy}")
    return "\n".join(lines)
