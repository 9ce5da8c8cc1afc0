"""A move of one slot, from its open intent to its outcome. It never tears: each step is idempotent, each effect is
preceded by a look at the ledger, and until the outcome stands the intent blocks the slot.

(1) verify                                          promote.py, rollback.py
(2) append the intent, compare-and-swap on the slot promote.py, rollback.py
(3) serving target, with the model digests in it
(4) flags and pins: parts of the same document, so they move with the traffic in one atomic replacement
(5) registry aliases
(6) read everything back: wanted, accepted, observed
(7) outcome, and a signed rollback pack beside the target

A failure after (2) leaves the intent open: the same command resumes it, a rollback undoes an unfinished promotion.
Debts of a rollback (a registry that was down) are settled by the same rollback again, or by `gates reconcile`: an
outcome once more, without them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from gates.apply.ledger.aliases import Standing
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.slots import OpenIntent, SlotState
from gates.apply.ledger.witnesses import witness_tag, witness_text
from gates.apply.pack import keep_pack
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter, Position
from gates.errors import GatesError, Refused, UsageError
from gates.inputs.registry import RegistryUnavailable
from gates.records.base import Digest
from gates.records.release import Entry, Release, Slot

Closing = Literal["done", "failed", "accepted"]


@dataclass(frozen=True)
class Applied:
    """What a move did.

    Attributes
    ----------
    status: `done`; `failed`: an unfinished promotion was undone; `accepted`: the target took it, and nobody sees the
        traffic: `approved` was moved, `deployed` was not.
    wanted, accepted, observed: None is nothing serving.
    intent, outcome: ledger entries; None in development, which has no ledger. For an adoption both are its entry.
    pack: the rollback pack in the store. debts: what could not be reached, in words.
    unwitnessed: why the registry did not take the ledger's new head as a tag; empty where it did.
    journalled: intent and outcome are in the journal beside the target: the ledger was out of reach.
    resumed: the intent was found open, or the move was found done.
    """

    slot: Slot
    status: Closing
    wanted: Release | None
    accepted: Release | None
    observed: Release | None
    intent: Digest | None = None
    outcome: Digest | None = None
    pack: Digest | None = None
    debts: tuple[str, ...] = ()
    unwitnessed: str = ""
    resumed: bool = False
    journalled: bool = False


@dataclass(frozen=True)
class Allowance:
    """What a rollback may leave behind.

    Attributes
    ----------
    registry: `needed` by a promotion; a rollback goes on where it `may be down`, and where it `is down` does not wait
        for it again.
    leave: aliases that somebody else moved. debts: what is known to be left behind.
    """

    registry: Literal["needed", "may be down", "is down"] = "needed"
    leave: Collection[str] = ()
    debts: tuple[str, ...] = ()


def own_intent(writer: LedgerWriter, state: SlotState, slot: Slot) -> OpenIntent:
    """Return the slot's open intent, which must be this key's.

    Raises
    ------
    Refused: `slot.open`: it is another's. `slot.moved`: there is none.
    """
    if state.open is None:
        raise Refused("nothing is open", code="slot.moved", where=state.last_closing)
    if writer.signer.public.key_id not in state.open.owners:
        raise open_elsewhere(state.open, slot)
    return state.open


def require_unmoved(chain: Chain, slot: Slot, state: SlotState) -> None:
    """Refuse to write where another move came first: that is a new question, not a lost race.

    Raises
    ------
    Refused: `slot.moved`.
    """
    present = chain.slot(slot)
    if present.open is not None or present.last_closing != state.last_closing:
        raise _moved(slot, present)


def check_surfaces(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain, *, aliases: bool = True) -> None:
    """Refuse a target, and aliases, that the ledger does not explain.

    Raises
    ------
    Refused: `alias.unexplained`, `serving.unexplained`; `slot.moved` where another move is what explains them.
    """
    state = chain.slot(slot)
    try:
        if aliases:
            surfaces.check_aliases(slot, *explanations(state))
        surfaces.check_serving(slot, state.standing, *((state.open.after,) if state.open else ()))
    except Refused:
        newest = writer.newest(chain).slot(slot)
        if (newest.open, newest.last_closing) != (state.open, state.last_closing):
            raise _moved(slot, newest) from None
        raise


def explanations(state: SlotState) -> tuple[Standing, ...]:
    """Standings that explain a slot's aliases.

    Where it stands; where an open move leads; and, where a move left debts, where it stood before that.
    """
    return (
        state.standing,
        *((state.open.after,) if state.open else ()),
        *((state.previous,) if state.debts else ()),
        *((state.unseen.after,) if state.unseen else ()),
    )


def move_word(move: OpenIntent) -> str:
    """What a move is called."""
    words = {"rollback": "rollback", "retire": "retirement", "rollout": "step", "monitor": "demand of a monitor"}
    return words.get(move.entry.kind, "promotion")


def goes_back(move: OpenIntent) -> bool:
    """Whether a move leads back already, so that it is finished and not undone."""
    return move.entry.kind in ("rollback", "monitor")


def open_elsewhere(move: OpenIntent, slot: Slot) -> Refused:
    """Say whose intent blocks the slot."""
    what = move_word(move)
    version = move.after.release.approved.uri if move.after.release else "nothing"
    return Refused(
        f"a {what} to {version}, begun by {move.entry.actor}, is not finished in {slot.environment}",
        code="slot.open",
        where=f"ledger entry {move.entry.sequence}",
        remedy=f"run that {what} again with the same key to finish it"
        + ("" if goes_back(move) else ", or `gates rollback` with that key to undo it"),
    )


def carry_out(
    writer: LedgerWriter,
    surfaces: Surfaces,
    slot: Slot,
    chain: Chain,
    *,
    status: Literal["done", "failed"] = "done",
    allowance: Allowance | None = None,
    resumed: bool = False,
) -> Applied:
    """Steps 3 to 7 of the slot's open intent: forward to its release, or back (`failed`) to the one before.

    Raises
    ------
    Refused: `slot.moved`: the intent is not ours any more; `readback.mismatch`. EngineError: a surface is out of reach.
    In both cases the intent stays as it is.
    """
    allowance = allowance or Allowance()
    move = own_intent(writer, chain.slot(slot), slot)
    standing = move.after if status == "done" else move.before
    try:
        # (3) (4)
        chain = _still_open(writer, writer.newest(chain), slot, move)
        accepted = surfaces.serve(standing.release)
        # (5)
        chain = _still_open(writer, writer.newest(chain), slot, move)
        unseen = surfaces.unseen(slot) if status == "done" else frozenset()
        allowance = replace(allowance, leave=frozenset(allowance.leave) | unseen)
        debts = _move_aliases(surfaces, slot, standing, allowance).debts
        # (6)
        observed = surfaces.observe(standing.release)
        # (7)
        reached: Closing = "accepted" if unseen else status
        outcome, chain = _close(writer, chain, slot, move, reached, None if unseen else observed, debts)
    except GatesError as error:
        raise _interrupted(error, slot, move) from error
    pack = keep_pack(writer, surfaces.serving, chain, slot) if writer.may_pack(chain, slot) else None
    unwitnessed = tag_head(surfaces, slot, chain)
    return Applied(
        slot,
        reached,
        standing.release,
        accepted,
        None if unseen else observed,
        move.digest,
        outcome,
        pack,
        debts,
        unwitnessed,
        resumed,
    )


def already_done(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain) -> Applied:
    """Report a move whose outcome stands, and settle what it could not reach then.

    Raises
    ------
    Refused: `alias.unexplained`, `serving.unexplained`: since then somebody else moved something.
    """
    check_surfaces(writer, surfaces, slot, chain)
    state = chain.slot(slot)
    if state.standing.release is not None:
        surfaces.check_bytes(state.standing.release)
    if state.debts:
        require_unmoved(writer.newest(chain), slot, state)
        leave = surfaces.unseen(slot) if state.unseen else ()
        surfaces.move_aliases(slot, state.standing, leave=leave)
        surfaces.observe_aliases(slot, state.standing, leave=leave)
    observed = surfaces.observe(state.standing.release)
    if state.unseen is not None and not surfaces.unseen(slot):
        chain = _seen(writer, surfaces, slot, chain, state.unseen)
    elif state.debts:
        chain = _settle(writer, chain, slot, state)
    state = chain.slot(slot)
    # A run that was killed after its outcome may have left these behind.
    writer.witness_head(chain)
    pack = keep_pack(writer, surfaces.serving, chain, slot)
    unwitnessed = tag_head(surfaces, slot, chain)
    wanted, intent, outcome = state.standing.release, state.last_intent, state.last_closing
    status: Closing = "accepted" if state.unseen else "done"
    seen = None if state.unseen else observed
    return Applied(slot, status, wanted, observed, seen, intent, outcome, pack, (), unwitnessed, resumed=True)


def tag_head(surfaces: Surfaces, slot: Slot, chain: Chain) -> str:
    """Let the registry witness the ledger's head, on the version that is approved; return why it did not.

    The outcome stands in the ledger by now: a registry that is down does not undo it.
    """
    release = chain.slot(slot).standing.release
    if release is None:
        return ""
    value = witness_text(chain.entries[-1].entry.sequence, chain.head)
    try:
        surfaces.registry.set_tag(release.model, release.approved.version, witness_tag(slot.environment), value)
    except (RegistryUnavailable, UsageError) as error:
        return error.message
    return ""


def _settle(writer: LedgerWriter, chain: Chain, slot: Slot, state: SlotState) -> Chain:
    """Say in the ledger that what the slot's last outcome could not reach is as it should be."""

    def build(newest: Chain, position: Position) -> Entry:
        require_unmoved(newest, slot, state)
        status: Closing = "failed" if state.came_by == "undo" else "accepted" if state.unseen else "done"
        observed = None if state.unseen else state.standing.release
        entry = _outcome(writer, position, slot, state.last_intent, status, observed, ())
        return entry.model_copy(update={"reason": "debts paid"})

    return writer.append(build, chain)[1]


def _seen(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain, move: OpenIntent) -> Chain:
    """Close an accepted move again, as done: the traffic was seen, and what it moved is deployed from now on."""
    state = chain.slot(slot)
    require_unmoved(writer.newest(chain), slot, state)
    surfaces.move_aliases(slot, move.after)
    surfaces.observe_aliases(slot, move.after)

    def build(newest: Chain, position: Position) -> Entry:
        require_unmoved(newest, slot, state)
        return _outcome(writer, position, slot, move.digest, "done", state.standing.release, ())

    return writer.append(build, chain)[1]


def _still_open(writer: LedgerWriter, newest: Chain, slot: Slot, move: OpenIntent) -> Chain:
    present = newest.open_intent(slot)
    if present is None or present.digest != move.digest or writer.signer.public.key_id not in present.owners:
        raise Refused(
            "the intent was closed or taken over by another run",
            code="slot.moved",
            where=move.digest,
            remedy="`gates log` says by whom",
        )
    # Trust may have changed since the intent: whoever may not apply any more moves nothing more.
    writer.require_apply(newest, slot, move.entry.kind)
    return newest


def _moved(slot: Slot, present: SlotState) -> Refused:
    return Refused(
        f"another move of {slot.model} in {slot.environment} came first",
        code="slot.moved",
        where=present.open.digest if present.open else present.last_closing,
        remedy="look at `gates status`, and decide again if it is still wanted",
    )


def _move_aliases(surfaces: Surfaces, slot: Slot, standing: Standing, allowance: Allowance) -> Allowance:
    """Steps 5 and 6 of the registry; what could not be reached joins the debts."""
    debt = f"aliases of {slot.environment} were neither moved nor read back"
    if allowance.registry == "is down":
        return replace(allowance, debts=(*allowance.debts, debt))
    try:
        surfaces.move_aliases(slot, standing, leave=allowance.leave)
        surfaces.observe_aliases(slot, standing, leave=allowance.leave)
    except RegistryUnavailable as error:
        if allowance.registry == "needed":
            raise
        return replace(allowance, debts=(*allowance.debts, f"{debt}: {error.message}"))
    return allowance


def _close(
    writer: LedgerWriter,
    chain: Chain,
    slot: Slot,
    move: OpenIntent,
    status: Closing,
    observed: Release | None,
    debts: tuple[str, ...],
) -> tuple[Digest, Chain]:
    def build(newest: Chain, position: Position) -> Entry:
        _still_open(writer, newest, slot, move)
        return _outcome(writer, position, slot, move.digest, status, observed, debts)

    return writer.append(build, chain)


def _outcome(
    writer: LedgerWriter,
    position: Position,
    slot: Slot,
    intent: Digest | None,
    status: Closing,
    observed: Release | None,
    debts: tuple[str, ...],
) -> Entry:
    return writer.entry(
        position,
        "outcome",
        slot=slot,
        intent=intent,
        status=status,
        observed=observed,
        debts=debts or None,
    )


def _interrupted(error: GatesError, slot: Slot, move: OpenIntent) -> GatesError:
    if error.code == "slot.moved":
        return error
    what = move_word(move)
    return type(error)(
        f"{error.message}; the {what} in {slot.environment} is not finished and blocks its slot",
        code=error.code,
        where=error.where,
        remedy=f"{error.remedy or 'mend that'}; then run the same command again",
    )
