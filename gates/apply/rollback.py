"""Rollback: restore a whole earlier release that this ledger knows as done. Numbered as in saga.py.

(1) Verify authority and reason, never quality, here and by the policies in force (policies/actions/rollback); choose the release; hash its model bytes again where the registry
    answers, else that is a debt. An alias that no entry explains is left alone and listed as a debt: it must not keep
    bad traffic where it is. A target that no entry explains refuses.
(2) Append the `rollback` entry upon the slot's last closing entry.
(3)-(7) saga.py. The release that was left is suspect from the outcome on.

An unfinished promotion of the same key is undone instead: back to the release before it, with outcome `failed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gates.apply.act import Asked, Envelope, Judge, hashed
from gates.apply.begin import begin, require_reason
from gates.apply.incidents import About
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import release_digest
from gates.apply.ledger.slots import SlotState
from gates.apply.pack import keep_pack
from gates.apply.saga import (
    Allowance,
    Applied,
    already_done,
    carry_out,
    check_surfaces,
    explanations,
    goes_back,
    open_elsewhere,
    own_intent,
)
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.bundle.acts import ON_ACTION
from gates.errors import EngineError, EvidenceError, Refused
from gates.inputs.registry import RegistryUnavailable
from gates.records.action import JournalStep
from gates.records.base import Digest
from gates.records.release import Release, Slot


def rollback(
    writer: LedgerWriter,
    surfaces: Surfaces,
    slot: Slot,
    *,
    reason: str,
    to: Digest | None = None,
    judge: Judge | None = None,
    about: About | None = None,
) -> Applied:
    """Take a slot back to an earlier release, whole.

    Parameters
    ----------
    to: digest of a release that was done here; default: the last good one before the present, where that did not
        come by a rollback itself.
    judge: asks the policies in force; without one, the entry carries no decision. about: the incident.

    Raises
    ------
    Refused: no authority, the policies deny, no such release, the slot is busy. EvidenceError: the model bytes changed.
    UsageError: no reason. EngineError: ledger or target is out of reach.
    """
    require_reason(reason, "a rollback")
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        return _finish_or_undo(writer, surfaces, slot, chain, to)
    again = state.came_by in ("rollback", "undo")
    if again and (to == state.release_digest or (to is None and (state.debts or state.unseen))):
        return already_done(writer, surfaces, slot, chain)
    if again and to is None:
        # Perhaps run again after a kill between outcome and pack; never a step further back by that.
        keep_pack(writer, surfaces.serving, chain, slot)
        raise _no_target(
            f"what serves in {slot.environment} came by a rollback itself: going further back is said by name", state
        )
    target = target_of(state, slot, to)
    # (1)
    check_surfaces(writer, surfaces, slot, chain, aliases=False)
    surfaces.serving.check(target)
    allowance = allowance_of(surfaces, slot, target, state)
    about = about or About()
    reached = allowance.registry != "is down"
    asked = asked_of(slot, target, reason, reached=reached, incident=about.incident)
    decision, unasked = _ask(judge, writer, chain, asked)
    allowance = replace(allowance, debts=(*allowance.debts, *unasked))
    # (2)
    chain = begin_rollback(writer, chain, slot, target, reason, decision, about)
    return carry_out(writer, surfaces, slot, chain, allowance=allowance)


def _ask(
    judge: Judge | None, writer: LedgerWriter, chain: Chain, asked: Asked
) -> tuple[Envelope | None, tuple[str, ...]]:
    if judge is None:
        return None, ()
    return or_unasked(lambda: judge.on_chain(chain, asked, time_us=writer.moment(chain)))


def asked_of(
    slot: Slot,
    target: Release,
    reason: str,
    *,
    reached: bool,
    journal: tuple[JournalStep, ...] = (),
    incident: str | None = None,
) -> Asked:
    """Return what policies are asked about a rollback; `reached` where its model bytes were hashed again."""
    return Asked(
        action="rollback",
        slot=slot,
        version=target.approved,
        release=release_digest(target),
        reason=reason,
        hashed=hashed(target, reached=reached),
        journal=journal,
        incident=incident,
    )


def or_unasked(ask: Callable[[], Envelope]) -> tuple[Envelope | None, tuple[str, ...]]:
    """Ask; where the policies in force cannot be had that is a debt, for bad traffic does not wait for them.

    Raises
    ------
    Refused: the policies deny. EngineError: they gave no answer.
    """
    try:
        return ask(), ()
    except (EvidenceError, EngineError) as error:
        if not error.code.startswith(("store.", "pack.", "policy.", "module.")):
            raise
        return None, (f"no policies were asked: {error.message}",)


def begin_rollback(
    writer: LedgerWriter,
    chain: Chain,
    slot: Slot,
    after: Release | None,
    reason: str,
    decision: Envelope | None = None,
    about: About | None = None,
) -> Chain:
    """Append the `rollback` entry upon the slot's last closing entry; return the chain with it."""
    if decision is not None:
        ON_ACTION.keep(writer.store, decision)
    return begin(writer, chain, slot, "rollback", after, reason=reason, decision=decision, about=about)[1]


def _finish_or_undo(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain, to: Digest | None) -> Applied:
    move = own_intent(writer, chain.slot(slot), slot)
    finish = goes_back(move)
    reached = move.after.release if finish else move.before.release
    if to is not None and (reached is None or release_digest(reached) != to):
        raise open_elsewhere(move, slot)
    # (1)
    check_surfaces(writer, surfaces, slot, chain, aliases=False)
    allowance = allowance_of(surfaces, slot, reached, chain.slot(slot))
    return carry_out(
        writer, surfaces, slot, chain, status="done" if finish else "failed", allowance=allowance, resumed=True
    )


def target_of(state: SlotState, slot: Slot, to: Digest | None) -> Release:
    """Return the release to go back to: the one that is named, else the last good one.

    Raises
    ------
    Refused: `rollback.no_target`.
    """
    if to is None:
        if state.last_good is None:
            raise _no_target(f"{slot.environment} has no earlier release that is known as good", state)
        return state.last_good
    known = state.known.get(to)
    if known is None:
        raise _no_target(f"{slot.environment} never served release {to}", state)
    if known.state != "done" or to == state.release_digest:
        raise _no_target(f"release {to} is {known.state if known.state != 'done' else 'what serves now'}", state)
    return known.release


def _no_target(message: str, state: SlotState) -> Refused:
    others = [
        f"{digest} (version {known.release.approved.version})"
        for digest, known in state.known.items()
        if known.state == "done" and digest != state.release_digest
    ]
    return Refused(
        message,
        code="rollback.no_target",
        remedy=f"name one that was done: {', '.join(others)}" if others else "promote a version that has evidence",
    )


def allowance_of(surfaces: Surfaces, slot: Slot, target: Release | None, state: SlotState) -> Allowance:
    """Say what a rollback to `target` has to leave behind.

    Raises
    ------
    EvidenceError: the bytes of a model of the target release changed.
    """
    try:
        if target is not None:
            surfaces.check_bytes(target)
        found = surfaces.unexplained_aliases(slot, *explanations(state))
    except RegistryUnavailable as error:
        debt = f"model bytes were not hashed again: {error.message}"
        return Allowance("is down", debts=(debt,))
    debts = tuple(f"left alone, explained by no entry: {message}" for message in found.values())
    return Allowance("may be down", leave=frozenset(found), debts=debts)
