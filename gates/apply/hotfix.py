"""A hotfix holds for hours: then it is rolled back, unless a full decision brought its candidate again. Pure."""

from __future__ import annotations

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.last import hotfix_of
from gates.records.base import Micros, instant
from gates.records.release import Slot


def overdue(chain: Chain, slot: Slot, now_us: Micros) -> str:
    """Say that the hotfix by which the present release came is over; empty where it is not, or where there is none."""
    opened = hotfix_of(chain, slot)
    if opened is None or now_us < opened.decision.valid_until_us:
        return ""
    ended = instant(opened.decision.valid_until_us).isoformat(timespec="seconds")
    return f"the hotfix for {opened.decision.request.incident} ended at {ended}, and no full decision followed"
