"""`backfill.json`: what a person needs to know of a rewrite beside its figures. Names and counts, no values of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates.inputs.opened import OpenTable
from gates.measure.backfill.tally import Tally
from gates.measure.backfill.training import Mixture
from gates.measure.backfill.versions import Versions
from gates.measure.interface import Note
from gates.records import Backfill, Reason

ATTACHMENT = "backfill.json"


@dataclass(frozen=True)
class Seen:
    """What the gate saw.

    Attributes
    ----------
    partitions: how many there are, how many `differ`, and of those with rows in the window how many were `rewritten`
    and how many are `untouched`.
    found: by check. mixture: None where there is none.
    """

    backfill: Backfill
    live: OpenTable
    shadow: OpenTable
    both: Versions
    partitions: Mapping[str, int]
    found: Mapping[str, Tally | Reason]
    mixture: Mixture | None

    @property
    def rows(self) -> int:
        """Rows of both tables."""
        return self.live.identity.rows + self.shadow.identity.rows


def note(seen: Seen) -> Note:
    """Return the attachment."""
    document: dict[str, Any] = {
        "schema_version": "v1",
        "declared": seen.backfill.document(),
        "rows": {"live": seen.live.identity.rows, "shadow": seen.shadow.identity.rows},
        "partitions": dict(seen.partitions),
        "columns": _columns(seen),
        "worst": {
            name: [{"partition": part, "n": n} for part, n in tally.worst]
            for name, tally in seen.found.items()
            if isinstance(tally, Tally) and tally.worst
        },
    }
    if seen.mixture is not None:
        document["training"] = {"old": seen.mixture.old, "new": seen.mixture.new, "other": seen.mixture.other}
    return Note.of(ATTACHMENT, document)


def _columns(seen: Seen) -> dict[str, Any]:
    live, shadow = seen.live.table, seen.shadow.table
    both = [name for name in live.columns if name in shadow.columns]
    return {
        "compared": [column.name for column in seen.both.columns],
        "added": sorted(set(shadow.columns) - set(live.columns)),
        "dropped": sorted(set(live.columns) - set(shadow.columns)),
        "retyped": [
            {"name": name, "live": str(live[name].type()), "shadow": str(shadow[name].type())}
            for name in sorted(both)
            if live[name].type() != shadow[name].type()
        ],
    }
