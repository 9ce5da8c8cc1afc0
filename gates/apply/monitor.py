"""What a monitor demands of a slot: no further step, an earlier step, or what served before. Numbered as in saga.py.

(1) Verify authority here (a key that may `monitor`, or `apply`); that there is a figure of this hour, and that the demand
    leaves less traffic to what is rolled out, by the policies in force (policies/actions/monitor). What it saw is recorded
    and no limit is held against it here: less traffic needs no proof.
(2) Append the `monitor` entry, which holds the answer. A pause moves nothing, and stands beside a move that is under way:
    from then on no step is taken until a new decision is carried out.
(3)-(7) saga.py, as a rollback. A monitor writes no rollback pack: `gates reconcile` does, by a key that may apply.
"""

from __future__ import annotations

from dataclasses import dataclass

from gates.apply.act import Asked, Judge, hashed
from gates.apply.begin import begin, decided, require_reason
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.rollout import known_steps, present_share, share_of
from gates.apply.ledger.shape import release_digest
from gates.apply.ledger.slots import SlotState
from gates.apply.rollback import allowance_of
from gates.apply.rollout import followed
from gates.apply.saga import Applied, carry_out, check_surfaces, open_elsewhere, own_intent
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter, Position
from gates.errors import Refused
from gates.records.action import Alarm, Demand
from gates.records.base import Digest
from gates.records.release import Entry, Release, Slot


@dataclass(frozen=True)
class Acted:
    """What a demand led to: its entry, and what was moved; nothing is by a pause."""

    demand: Demand
    entry: Digest
    applied: Applied | None


def act(
    writer: LedgerWriter, surfaces: Surfaces, slot: Slot, judge: Judge, *, demand: Demand, alarm: Alarm, reason: str
) -> Acted:
    """Do what a monitor demands.

    Raises
    ------
    Refused: no authority, nothing to go back to, or the policies deny. UsageError: no reason. EvidenceError, EngineError:
    the policies in force cannot be had, or a surface is out of reach.
    """
    require_reason(reason, "a demand")
    chain = writer.read()
    writer.require_apply(chain, slot, "monitor")
    state = chain.slot(slot)
    release = state.standing.release
    if release is None:
        raise Refused(f"nothing serves in {slot.environment}", code="monitor.nothing", remedy="gates status")
    if demand == "pause":
        return _pause(writer, surfaces, slot, chain, release, judge, alarm, reason)
    if state.open is not None:
        return _resume(writer, surfaces, slot, chain)
    after = _target(chain, slot, state, demand)
    # (1)
    check_surfaces(writer, surfaces, slot, chain, aliases=False)
    surfaces.serving.check(after)
    allowance = allowance_of(surfaces, slot, after, state)
    asked = Asked(
        action="monitor",
        slot=slot,
        version=release.approved,
        release=release_digest(after),
        reason=reason,
        hashed=hashed(after, reached=allowance.registry != "is down"),
        percent=share_of(after, release.approved),
        demand=demand,
        present=present_share(chain, slot, followed(surfaces)),
        alarm=alarm,
    )
    decision = decided(writer, judge, chain, asked)
    # (2)
    entry, chain = begin(writer, chain, slot, "monitor", after, reason=reason, decision=decision)
    return Acted(demand, entry, carry_out(writer, surfaces, slot, chain, allowance=allowance))


def _pause(
    writer: LedgerWriter,
    surfaces: Surfaces,
    slot: Slot,
    chain: Chain,
    release: Release,
    judge: Judge,
    alarm: Alarm,
    reason: str,
) -> Acted:
    asked = Asked(
        action="monitor",
        slot=slot,
        version=release.approved,
        release=None,
        reason=reason,
        percent=share_of(release, release.approved),
        demand="pause",
        present=present_share(chain, slot, followed(surfaces)),
        alarm=alarm,
    )
    decision = decided(writer, judge, chain, asked)

    def build(newest: Chain, position: Position) -> Entry:
        if newest.release(slot) != release:
            raise Refused("another release came first", code="slot.moved", remedy="gates status")
        return writer.entry(
            position,
            "monitor",
            reason=reason,
            slot=slot,
            action="monitor",
            candidate=release.approved,
            decision=decision,
        )

    return Acted("pause", writer.append(build, chain)[0], None)


def _resume(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain) -> Acted:
    """Finish this monitor's own unfinished move; another's blocks the slot, and a pause stands beside it."""
    move = own_intent(writer, chain.slot(slot), slot)
    if move.entry.kind != "monitor":
        raise open_elsewhere(move, slot)
    demand: Demand = "back" if move.is_step_back else "rollback"
    allowance = allowance_of(surfaces, slot, move.after.release, chain.slot(slot))
    check_surfaces(writer, surfaces, slot, chain, aliases=False)
    return Acted(demand, move.digest, carry_out(writer, surfaces, slot, chain, allowance=allowance, resumed=True))


def _target(chain: Chain, slot: Slot, state: SlotState, demand: Demand) -> Release:
    if demand == "back":
        found = known_steps(chain, slot)
        if not found:
            raise Refused(
                f"{slot.environment} knows no earlier step of this rollout as good",
                code="monitor.no_step",
                remedy="--demand rollback goes back to what served before it",
            )
        return found[0]
    if state.last_good_by_itself is None:
        raise Refused(
            f"{slot.environment} has no earlier release to which a monitor goes back by itself",
            code="rollback.no_target",
            remedy="`gates rollback --to DIGEST` names one",
        )
    return state.last_good_by_itself
