"""A move that was not made, as text and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gates.render.names import visible
from gates.render.release import traffic_text

if TYPE_CHECKING:
    from gates.flow.preview import Preview


def preview_lines(found: Preview) -> list[str]:
    """Return what would change, a line each; the first one says that nothing did."""
    lines = [f"plan for {visible(found.slot.environment)}; nothing was changed"]
    lines += [f"serves: {traffic_text(found.before)} -> {traffic_text(found.after)}"]
    lines += [f"{visible(line, longest=400)}" for line in found.changes]
    lines += [f"alias {visible(line)}" for line in found.aliases]
    lines += [f"written: {visible(found.target, longest=400)}, the ledger, the rollback pack"]
    if found.stands_against:
        lines.append(f"refused as things are: {visible(found.stands_against, longest=400)}")
    return lines


def preview_document(found: Preview) -> dict[str, Any]:
    """Return the same as a document."""
    releases = {"before": found.before, "after": found.after}
    return {
        "plan": True,
        "environment": found.slot.environment,
        "model": found.slot.model,
        "changes": list(found.changes),
        "aliases": list(found.aliases),
        "target": found.target,
        "refused": found.stands_against or None,
        **{name: release.document() if release else None for name, release in releases.items()},
    }
