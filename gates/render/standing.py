"""`gates status` as people and machines read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gates.render.numbers import moment
from gates.render.release import parts_text, traffic_text

if TYPE_CHECKING:
    from gates.flow.standing import Standing


def standings(found: Sequence[Standing], *, markdown: bool = False) -> str:
    """Return a block for each environment."""
    mark, bold = ("- ", "**") if markdown else ("  ", "")
    lines = []
    for item in found:
        approved = f"; approved: version {item.wanted.approved.version}" if item.wanted else ""
        lines.append(f"{bold}{item.environment}{bold}")
        lines.append(f"{mark}wanted    {traffic_text(item.wanted)}{approved}")
        if item.wanted:
            lines.append(f"{mark}with      {parts_text(item.wanted)}")
        lines.append(f"{mark}accepted  {traffic_text(item.accepted)}")
        lines.append(f"{mark}observed  {traffic_text(item.observed)}")
        if item.open_since_us is not None:
            lines.append(f"{mark}moving since {moment(item.open_since_us)}: run the same command again to finish it")
        lines += [f"{mark}differs: {difference}" for difference in item.differences]
    return "\n".join(lines)


def standing_document(item: Standing) -> dict[str, Any]:
    """Return the JSON document of one environment."""
    document: dict[str, Any] = {"environment": item.environment, "differences": list(item.differences)}
    if item.wanted:
        document["wanted"] = item.wanted.document()
    if item.accepted:
        document["accepted"] = item.accepted.document()
    if item.observed:
        document["observed"] = item.observed.document()
    if item.open_since_us is not None:
        document["open_since_us"] = item.open_since_us
    return document
