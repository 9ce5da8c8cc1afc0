"""How a move of a slot begins, whichever it is: steps 1 and 2 of saga.py, as far as all of them have the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gates.apply.incidents import About
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.slots import OpenIntent
from gates.apply.saga import open_elsewhere, own_intent, require_unmoved
from gates.apply.writer import LedgerWriter, Position
from gates.bundle.acts import ON_ACTION
from gates.errors import UsageError
from gates.records.base import Digest
from gates.records.release import Entry, EntryKind, Release, Slot

if TYPE_CHECKING:
    from gates.apply.act import Asked, Envelope, Judge


def require_reason(reason: str, what: str) -> None:
    """Refuse words that say nothing.

    Raises
    ------
    UsageError: `reason.missing`: `what` needs a reason.
    """
    if not reason.strip():
        raise UsageError(f"{what} needs a reason", code="reason.missing", remedy="say why: --reason TEXT")


def own_move(writer: LedgerWriter, slot: Slot, kind: EntryKind) -> tuple[Chain, OpenIntent]:
    """Return the ledger, and the slot's unfinished move of a kind, which must be this key's.

    Raises
    ------
    Refused: nothing is open, or what is open is another move, or another key's.
    """
    chain = writer.read()
    writer.require_apply(chain, slot)
    move = own_intent(writer, chain.slot(slot), slot)
    if move.entry.kind != kind:
        raise open_elsewhere(move, slot)
    return chain, move


def decided(writer: LedgerWriter, judge: Judge, chain: Chain, asked: Asked) -> Envelope:
    """Ask the policies in force about an action; keep the signed answer, and return it.

    Raises
    ------
    Refused: they deny. EvidenceError, EngineError: they cannot be had, or gave no answer.
    """
    decision = judge.on_chain(chain, asked, time_us=writer.moment(chain))
    ON_ACTION.keep(writer.store, decision)
    return decision


def begin(
    writer: LedgerWriter,
    chain: Chain,
    slot: Slot,
    kind: EntryKind,
    after: Release | None,
    *,
    reason: str | None,
    decision: Envelope | None,
    about: About | None = None,
    check: Callable[[Chain, Position], None] | None = None,
) -> tuple[Digest, Chain]:
    """Append the entry that begins a move from where the slot stands; return its digest and the chain with it.

    Parameters
    ----------
    after: where it leads; None: to nothing. check: called with the chain that it is entered upon.

    Raises
    ------
    Refused: `slot.moved`: another move came first. From `check`.
    """
    state, about = chain.slot(slot), about or About()

    def build(newest: Chain, position: Position) -> Entry:
        require_unmoved(newest, slot, state)
        if check is not None:
            check(newest, position)
        return writer.entry(
            position,
            kind,
            reason=reason,
            slot=slot,
            action="promote" if kind == "intent" else kind,
            expects=state.last_closing,
            before=state.standing.release,
            after=after,
            decision=decision,
            incident=about.incident,
            snapshot=about.snapshot,
        )

    return writer.append(build, chain)
