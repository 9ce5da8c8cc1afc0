"""Retire: a model leaves an environment, and nothing follows it there. Numbered as in saga.py.

(1) Verify authority here; reason, approvals and that no traffic comes, by the policies in force
    (policies/actions/retire). No alias and no target says what the ledger does not explain.
(2) Append the `retire` entry, which holds the decision, upon the slot's last closing entry.
(3)-(7) saga.py: the target is cleared, and the slot's aliases go. A rollback brings back what was retired.
"""

from __future__ import annotations

from collections.abc import Sequence

from gates.apply.act import Asked, Judge
from gates.apply.begin import begin, decided, own_move
from gates.apply.ledger.shape import release_digest
from gates.apply.saga import (
    Applied,
    already_done,
    carry_out,
    check_surfaces,
)
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.errors import Refused
from gates.records.action import TrafficSeen
from gates.records.decision import ApprovalInput
from gates.records.release import Slot


def retire(
    writer: LedgerWriter,
    surfaces: Surfaces,
    slot: Slot,
    judge: Judge,
    *,
    reason: str,
    traffic: TrafficSeen | None,
    approvals: Sequence[ApprovalInput],
) -> Applied:
    """Take away what serves in a slot; one that was interrupted is finished, and one that is done is found so.

    Raises
    ------
    Refused: no authority, nothing serves, the policies deny, or a surface says what the ledger does not explain.
    EvidenceError, EngineError: the policies in force cannot be had, or a surface is out of reach.
    """
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        return finish(writer, surfaces, slot)
    release = state.standing.release
    if release is None and state.came_by == "retire":
        return already_done(writer, surfaces, slot, chain)
    if release is None:
        raise Refused(f"nothing serves in {slot.environment}", code="retire.nothing", remedy="gates status")
    # (1)
    check_surfaces(writer, surfaces, slot, chain)
    asked = Asked(
        action="retire",
        slot=slot,
        version=release.approved,
        release=release_digest(release),
        reason=reason,
        approvals=approvals,
        traffic=traffic,
    )
    decision = decided(writer, judge, chain, asked)
    # (2)
    _, chain = begin(writer, chain, slot, "retire", None, reason=reason, decision=decision)
    return carry_out(writer, surfaces, slot, chain)


def finish(writer: LedgerWriter, surfaces: Surfaces, slot: Slot) -> Applied:
    """Finish the slot's unfinished retirement: it is not decided again.

    Raises
    ------
    Refused: what is open is another move, or another key's.
    """
    chain, _ = own_move(writer, slot, "retire")
    check_surfaces(writer, surfaces, slot, chain)
    return carry_out(writer, surfaces, slot, chain, resumed=True)
