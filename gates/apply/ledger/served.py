"""Who was champion of a slot of late: the versions that an anchor is chosen from. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.apply.ledger.shape import release_digest
from gates.records.base import DAY_US, Digest, Micros, ModelVersion
from gates.records.release import Entry, Release, Slot

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain

YEAR_US: Micros = 365 * DAY_US


def champions_since(chain: Chain, slot: Slot, since_us: Micros) -> tuple[ModelVersion, ...]:
    """Return the versions that were champion of a slot at any time from `since_us` on, the oldest first, each once.

    A release stands from the entry that closed its move, or adopted it, until the next such entry: one that came before
    `since_us` counts where it was still there. A share of the traffic that was not the largest makes no champion. A
    release that a rollback left does not count: it was found wanting, and is no standard.
    """
    stood = [
        (each.entry.time_us, release) for each in chain.entries if (release := _arrived(each.entry, slot)) is not None
    ]
    ends = [time_us for time_us, _ in stood[1:]]
    known = chain.slot(slot).known
    found: dict[Digest, ModelVersion] = {}
    for index, (_, release) in enumerate(stood):
        there = index == len(ends) or ends[index] > since_us
        if there and known[release_digest(release)].state == "done":
            found.setdefault(release.champion.digest, release.champion)
    return tuple(found.values())


def _arrived(entry: Entry, slot: Slot) -> Release | None:
    """The release that an entry brought to the slot."""
    if entry.slot != slot:
        return None
    if entry.kind == "adopt":
        return entry.after
    return entry.observed if entry.kind == "outcome" and entry.status == "done" else None
