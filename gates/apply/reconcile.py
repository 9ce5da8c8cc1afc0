"""Reconcile: what a slot's last move left open is finished or undone, and said before it is done.

In this order, as each hides the next: a journal of rollbacks beside the ledger, an open intent, debts, what a writer
that was killed after his outcome did not leave any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gates.apply.act import Judge
from gates.apply.begin import require_reason
from gates.apply.hotfix import overdue
from gates.apply.incidents import About
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import release_digest
from gates.apply.ledger.slots import OpenIntent
from gates.apply.offline import journal_keys, read_journal
from gates.apply.pack import has_pack
from gates.apply.promote import finish as finish_promotion
from gates.apply.retire import finish as finish_retirement
from gates.apply.rollback import allowance_of, begin_rollback, rollback
from gates.apply.rollout import finish as finish_step
from gates.apply.saga import Applied, already_done, carry_out, goes_back, move_word
from gates.apply.serving.interface import Serves
from gates.apply.surfaces import Surfaces, describe, describe_release
from gates.apply.writer import LedgerWriter, Position
from gates.bundle.canonical import digest_bytes
from gates.errors import Refused
from gates.records.base import Digest
from gates.records.release import Entry, Journalled, Slot

Left = Literal[
    "nothing", "journal", "told", "conflict", "open", "foreign", "debts", "unseen", "pack", "entry", "overdue"
]


@dataclass(frozen=True)
class Todo:
    """What is left to do in a slot.

    Attributes
    ----------
    left: `journal` is not in the ledger yet; `told`: it is, and can go; `conflict`: the ledger went on without it;
        `open`: an unfinished move of this key; `foreign`: of another's; `debts`: of a move that is done; `unseen`: the traffic
        of a move that was accepted; `pack`: the rollback pack is an older one; `entry`: the store lacks the newest entry.
    said: in words. finish, undo: what each would do; empty where it can not.
    """

    left: Left
    said: str
    finish: str = ""
    undo: str = ""


def look(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain | None = None) -> Todo:
    """Say what is left to do, and change nothing.

    Raises
    ------
    EvidenceError: ledger or journal do not verify. EngineError: ledger or target is out of reach.
    """
    chain = chain or writer.read()
    state = chain.slot(slot)
    raws = surfaces.serving.journal()
    if raws:
        return _journal(surfaces, chain, slot, raws, writer.signer.public.key_id)
    if state.open is not None:
        move = state.open
        what = move_word(move)
        said = f"a {what} to {describe_release(move.after.release)}, begun by {move.entry.actor}, is not finished"
        if writer.signer.public.key_id not in move.owners:
            return Todo("foreign", f"{said}; it is another key's: `gates takeover` makes it this one's")
        undo = "" if goes_back(move) else f"go back to {describe_release(move.before.release)}"
        return Todo("open", said, f"go on to {describe_release(move.after.release)}", undo)
    if state.debts:
        said = f"the last move left debts: {'; '.join(state.debts)}"
        return Todo("debts", said, "hash the model bytes, set the aliases to what the ledger says, and record it")
    if state.unseen is not None:
        said = f"{describe_release(state.standing.release)} was accepted, and nobody saw the traffic"
        return Todo("unseen", said, "look at the traffic, and where all of it is there move what is deployed")
    if not has_pack(surfaces.serving, chain, slot):
        said = f"the rollback pack beside the target is not that of {describe_release(state.standing.release)}"
        return Todo("pack", said, "look at every surface, and write the pack")
    if not writer.is_witnessed(chain):
        return Todo("entry", "the store lacks the ledger's newest entry", "look at every surface, and keep the entry")
    if ended := overdue(chain, slot, writer.now_us):
        return Todo("overdue", ended, "roll it back")
    return Todo("nothing", "nothing is left to do")


def _journal(surfaces: Surfaces, chain: Chain, slot: Slot, raws: tuple[bytes, ...], key_id: str) -> Todo:
    records = read_journal(raws, root=chain.root, slot=slot)
    first, last, state = records[0], records[-1], chain.slot(slot)
    trust = chain.trust(slot.environment)
    told = f"{last.actor} rolled back to {describe_release(last.after)} beside the ledger: {last.reason}"
    observed = surfaces.serving.read()
    explained = isinstance(observed, Serves) and observed.release == state.standing.release
    if state.open is None and explained and (last.observed is not None or state.standing.release == last.after):
        return Todo("told", f"{told}; the ledger explains what the target states by now", "put the journal away")
    unlisted = [keys for keys in journal_keys(raws) if not trust.allows_any(keys, "apply", slot.environment)]
    if unlisted:
        return _conflict(told, "a key that may not apply signed it")
    if state.open is not None:
        ours = goes_back(state.open) and state.open.after.release == last.after
        undone = state.open.entry.kind in ("intent", "rollout") and state.open.before.release == last.after
        if (ours or undone) and key_id not in state.open.owners:
            return Todo("foreign", f"{told}; to enter it an open move must be closed, and that is another key's")
        if ours or undone:
            return Todo("journal", told, "close the open move as the journal says")
        return _conflict(told, f"a move to {describe_release(state.open.after.release)} is open")
    if state.last_closing != first.expects:
        return _conflict(told, f"the ledger went on to {describe_release(state.standing.release)}")
    known = state.known.get(release_digest(last.after))
    if known is None or known.state != "done":
        return _conflict(told, "the ledger does not know that release as good")
    return Todo("journal", told, "enter that rollback into the ledger, pay its debts, and put the journal away")


def _conflict(told: str, against: str) -> Todo:
    return Todo("conflict", f"{told}; but {against}")


def reconcile(
    writer: LedgerWriter,
    surfaces: Surfaces,
    slot: Slot,
    how: Literal["finish", "undo"],
    *,
    judge: Judge | None = None,
) -> Applied:
    """Do what `look` said.

    Parameters
    ----------
    judge: asks the policies in force about a rollback.

    Raises
    ------
    Refused: nothing is left, it is another's, or the journal and the ledger contradict each other.
    EngineError: something is still out of reach.
    """
    chain = writer.read()
    writer.require_apply(chain, slot)
    todo = look(writer, surfaces, slot, chain)
    if how == "undo":
        if not todo.undo:
            raise Refused(f"{todo.said}; there is nothing to undo", code="reconcile.undo", remedy="look without --undo")
        return rollback(writer, surfaces, slot, reason="undone by `gates reconcile`")
    if todo.left == "journal":
        return _enter(writer, surfaces, slot, chain)
    if todo.left == "told":
        applied = already_done(writer, surfaces, slot, chain)
        _put_away(writer, surfaces, slot)
        return applied
    if todo.left in ("debts", "unseen", "pack", "entry"):
        return already_done(writer, surfaces, slot, chain)
    if todo.left == "overdue":
        return rollback(writer, surfaces, slot, reason=todo.said, judge=judge)
    move = chain.open_intent(slot)
    if todo.left == "open" and move is not None:
        return _finish(writer, surfaces, slot, move)
    raise _cannot(todo, surfaces)


def _finish(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, move: OpenIntent) -> Applied:
    finish = {"intent": finish_promotion, "retire": finish_retirement, "rollout": finish_step}.get(move.entry.kind)
    if finish is not None:
        return finish(writer, surfaces, slot)
    return rollback(writer, surfaces, slot, reason="finished by `gates reconcile`")


def _cannot(todo: Todo, surfaces: Surfaces) -> Refused:
    if todo.left == "conflict":
        return Refused(
            f"{todo.said}; the target states {describe(surfaces.serving.read())}",
            code="journal.conflict",
            where=surfaces.serving.name,
            remedy="decide what should serve: `gates adopt` enters what the target states, or put the target back "
            "as the ledger has it; then reconcile puts the journal away",
        )
    if todo.left == "foreign":
        return Refused(todo.said, code="slot.open", remedy="gates takeover -e ENV --reason TEXT")
    return Refused(todo.said, code="reconcile.nothing", remedy="`gates status` shows what serves")


def _enter(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain) -> Applied:
    """Make of the journal one rollback in the ledger, from where it stands to where the target was brought."""
    raws = surfaces.serving.journal()
    last = read_journal(raws, root=chain.root, slot=slot)[-1]
    state = chain.slot(slot)
    status: Literal["done", "failed"] = "done"
    if state.open is None:
        reason, about = _reason(last, digest_bytes(raws[-1])), About(last.incident, last.snapshot)
        chain = begin_rollback(writer, chain, slot, last.after, reason, last.decision, about)
    elif not goes_back(state.open):
        status = "failed"
    allowance = allowance_of(surfaces, slot, last.after, chain.slot(slot))
    applied = carry_out(writer, surfaces, slot, chain, status=status, allowance=allowance, resumed=True)
    _put_away(writer, surfaces, slot)
    return applied


def _reason(record: Journalled, digest: Digest) -> str:
    return f"{record.reason} (by {record.actor}, journal {digest[7:19]}: the ledger was out of reach)"


def _put_away(writer: LedgerWriter, surfaces: Surfaces, slot: Slot) -> None:
    """Keep the journal's records in the store, and take them from the target."""
    for raw in surfaces.serving.journal():
        writer.store.link("journal", slot.key, writer.store.put(raw))
    surfaces.serving.keep_journal(())


def takeover(writer: LedgerWriter, slot: Slot, *, reason: str) -> Digest:
    """Make the slot's open intent this key's, so that it can be finished or undone; return the entry's digest.

    Raises
    ------
    Refused: `key.unlisted`, `slot.moved`: nothing is open. UsageError: no reason.
    """
    require_reason(reason, "a takeover")
    chain = writer.read()
    writer.require_apply(chain, slot)
    begun = chain.open_intent(slot)
    if begun is None:
        raise Refused("nothing is open, so there is nothing to take over", code="slot.moved", remedy="gates status")

    def build(newest: Chain, position: Position) -> Entry:
        present = newest.open_intent(slot)
        if present is None or present.digest != begun.digest:
            raise Refused("the move was closed meanwhile", code="slot.moved", where=begun.digest, remedy="gates log")
        return writer.entry(
            position,
            "takeover",
            reason=reason,
            slot=slot,
            intent=begun.digest,
        )

    return writer.append(build, chain)[0]
