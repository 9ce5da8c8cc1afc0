"""How entries move a slot: one open intent at most, each built upon the slot's last closing entry. Pure.

A slot is closed by an outcome that is done or failed, or by an adopt. `pending` (a change that waits for somebody)
leaves its intent open. Where an outcome left debts, another one for the same intent says that they are paid. The release that a rollback left is suspect; a `bad` entry marks one for good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from gates.apply.ledger.aliases import Standing
from gates.apply.ledger.shape import release_digest
from gates.errors import EvidenceError
from gates.records.base import Digest, Micros
from gates.records.release import Entry, EntryKind, Release

CameBy = Literal["adopt", "promote", "rollout", "rollback", "back", "retire", "undo"]
_BY: dict[EntryKind, CameBy] = {
    "intent": "promote",
    "rollout": "rollout",
    "rollback": "rollback",
    "monitor": "rollback",
    "retire": "retire",
}


@dataclass(frozen=True)
class Known:
    """A release that was done or adopted here.

    Attributes
    ----------
    time_us, sequence: when it came into its state.
    promoted_us: when the promotion that brought it was done, which no later rollback to it changes; None: it was
        adopted and never promoted.
    left_us: when another release, or none, took its place; None while it serves.
    """

    release: Release
    state: Literal["done", "suspect", "bad"]
    time_us: Micros
    sequence: int
    promoted_us: Micros | None
    left_us: Micros | None = None

    @property
    def adopted(self) -> bool:
        return self.promoted_us is None


@dataclass(frozen=True)
class OpenIntent:
    """A move that has begun: its entry, who may close it, and where the slot stands before and after."""

    digest: Digest
    entry: Entry
    owners: tuple[str, ...]
    before: Standing
    after: Standing

    @property
    def is_step_back(self) -> bool:
        """Whether a monitor asked for an earlier step of the same rollout."""
        before, after = self.before.release, self.after.release
        return self.entry.kind == "monitor" and bool(before and after and before.approved == after.approved)


@dataclass(frozen=True)
class SlotState:
    """A slot at one position of the ledger.

    Attributes
    ----------
    last_closing: what the next intent or adopt must name as `expects`.
    previous: where the slot stood before its last move, which explains aliases that are still a debt.
    came_by: the move that brought the present release; `undo`: an unfinished promotion was taken back to it; `back`: a
        monitor asked for an earlier step of the same rollout.
    time_us: when it came.
    unseen: the last move, where the target accepted it and nobody saw the traffic yet.
    known: by release digest, in the order in which they were first done.
    closed: the closing entry of each intent.
    alarms: entries of monitors that asked to go no further, since the present rollout began.
    """

    standing: Standing = field(default_factory=Standing)
    last_closing: Digest | None = None
    previous: Standing = field(default_factory=Standing)
    came_by: CameBy | None = None
    time_us: Micros = 0
    open: OpenIntent | None = None
    debts: tuple[str, ...] = ()
    unseen: OpenIntent | None = None
    known: dict[Digest, Known] = field(default_factory=dict)
    closed: dict[Digest, Digest] = field(default_factory=dict)
    alarms: tuple[Digest, ...] = ()

    @property
    def release_digest(self) -> Digest | None:
        return release_digest(self.standing.release) if self.standing.release else None

    @property
    def last_intent(self) -> Digest | None:
        """The intent that the last closing entry closed; None where that was an adopt."""
        return next((intent for intent, closing in self.closed.items() if closing == self.last_closing), None)

    @property
    def last_good(self) -> Release | None:
        """The release before the present that is still known as good, and is no earlier step of the same rollout.

        Where nothing serves any more it is what was retired.
        """
        retired = self.previous.release
        if self.came_by == "retire" and retired and self.known[release_digest(retired)].state == "done":
            return retired
        before: list[Release] = []
        for digest, known in self.known.items():
            if digest == self.release_digest:
                break
            if known.state == "done" and not self._is_step(known.release):
                before.append(known.release)
        return before[-1] if before else None

    def _is_step(self, release: Release) -> bool:
        """Whether a release gives the version that the present one brought a part of the traffic."""
        present = self.standing.release
        shares = [route.percent for route in release.routes if present and route.version == present.approved]
        return any(0 < share < 100 for share in shares)

    @property
    def last_good_by_itself(self) -> Release | None:
        """The same, where no name need be said: what came by a rollback is not left for an older one unasked."""
        return None if self.came_by in ("rollback", "undo") else self.last_good


def advance(state: SlotState, entry: Entry, digest: Digest, key_ids: tuple[str, ...], *, where: str) -> SlotState:
    """Apply a slot's entry to its state.

    Raises
    ------
    EvidenceError: `ledger.slot`: the entry does not follow from the state.
    """
    if entry.kind == "monitor" and entry.after is None:
        return replace(state, alarms=(*state.alarms, digest))
    if entry.kind in ("intent", "rollout", "rollback", "monitor", "retire", "adopt"):
        return _begin(state, entry, digest, key_ids, where)
    if entry.kind in _NOTED:
        return _NOTED[entry.kind](state, entry, where)
    if state.open is None and entry.kind == "outcome" and entry.intent == state.last_intent:
        if state.unseen is not None and entry.status == "done":
            return _seen(state, state.unseen, entry, digest, where)
        if state.debts:
            return _settle(state, entry, digest, where)
    if state.open is None or entry.intent != state.open.digest:
        raise _broken(f"{entry.kind} for an intent that is not open", where)
    if entry.kind == "takeover":
        return replace(state, open=replace(state.open, owners=key_ids))
    return _close(state, state.open, entry, digest, where)


def _begin(state: SlotState, entry: Entry, digest: Digest, key_ids: tuple[str, ...], where: str) -> SlotState:
    if state.open is not None:
        raise _broken(f"{entry.kind} while {state.open.digest} is open", where)
    if entry.expects != state.last_closing:
        raise _broken(f"{entry.kind} builds upon {entry.expects}, the slot is at {state.last_closing}", where)
    if entry.before != state.standing.release or (entry.after is None) != (entry.kind == "retire"):
        raise _broken(f"{entry.kind} starts from another release than the slot's", where)
    if entry.after is None:
        return replace(state, open=OpenIntent(digest, entry, key_ids, state.standing, Standing()))
    known = state.known.get(release_digest(entry.after))
    if entry.kind in ("rollback", "monitor") and (known is None or known.state != "done"):
        raise _broken("rollback to a release that is not known as done", where)
    if entry.kind == "rollout" and known is not None and known.state != "done":
        raise _broken("a step to a release that was rolled back from", where)
    after = state.standing.moved_to(entry.after)
    if entry.kind == "adopt":
        return _arrive(state, after, digest, entry, "adopt")
    return replace(state, open=OpenIntent(digest, entry, key_ids, state.standing, after))


def _reverted(state: SlotState, entry: Entry, where: str) -> SlotState:
    """What was put back is where the slot stands: it moves nowhere."""
    if state.open is not None or entry.after != state.standing.release:
        raise _broken("a revert to another release than the slot's, or while a move is open", where)
    return state


def _marked(state: SlotState, entry: Entry, where: str) -> SlotState:
    """A release that was done here is known as bad from now on."""
    known = state.known.get(release_digest(entry.after)) if entry.after else None
    if state.open is not None or known is None:
        raise _broken("marks a release that was never done here, or while a move is open", where)
    marked = replace(known, state="bad", time_us=entry.time_us, sequence=entry.sequence)
    return replace(state, known={**state.known, release_digest(known.release): marked})


_NOTED: dict[EntryKind, Callable[[SlotState, Entry, str], SlotState]] = {"revert": _reverted, "bad": _marked}
"""Entries that move nothing."""


def _close(state: SlotState, move: OpenIntent, entry: Entry, digest: Digest, where: str) -> SlotState:
    if entry.status == "pending":
        return state
    reached = move.before if entry.status == "failed" else move.after
    if entry.status == "accepted":
        reached = replace(reached, deployed=move.before.deployed)
    if entry.observed != (None if entry.status == "accepted" else reached.release):
        raise _broken(f"outcome {entry.status}, but something else was observed", where)
    closed = {**state.closed, move.digest: digest}
    by: CameBy = "back" if move.is_step_back else _BY[move.entry.kind]
    debts = entry.debts or ()
    if entry.status == "failed":
        return replace(
            state, open=None, last_closing=digest, previous=move.after, came_by="undo", debts=debts, closed=closed
        )
    arrived = _arrive(state, reached, digest, entry, by)
    known = dict(arrived.known)
    if by in ("rollback", "back") and state.release_digest in known:
        left = known[state.release_digest]
        worse: Literal["suspect", "bad"] = "bad" if left.state == "bad" else "suspect"
        known[state.release_digest] = replace(left, state=worse, time_us=entry.time_us, sequence=entry.sequence)
    unseen = move if entry.status == "accepted" else None
    return replace(arrived, open=None, debts=debts, known=known, closed=closed, unseen=unseen)


def _seen(state: SlotState, move: OpenIntent, entry: Entry, digest: Digest, where: str) -> SlotState:
    """The traffic of an accepted move was seen: only now is its version deployed."""
    if entry.status != "done" or entry.observed != state.standing.release:
        raise _broken("an accepted move is closed again only by what was observed", where)
    closed = {**state.closed, move.digest: digest}
    return replace(
        state,
        standing=move.after,
        last_closing=digest,
        unseen=None,
        debts=entry.debts or (),
        closed=closed,
        time_us=entry.time_us,
    )


def _settle(state: SlotState, entry: Entry, digest: Digest, where: str) -> SlotState:
    status = "failed" if state.came_by == "undo" else "accepted" if state.unseen else "done"
    observed = None if state.unseen else state.standing.release
    if entry.status != status or entry.observed != observed or entry.intent is None:
        raise _broken(f"debts of a move that was {status} are paid by something else", where)
    closed = {**state.closed, entry.intent: digest}
    return replace(state, last_closing=digest, debts=entry.debts or (), closed=closed)


def _arrive(state: SlotState, standing: Standing, digest: Digest, entry: Entry, by: CameBy) -> SlotState:
    known = dict(state.known)
    left = state.release_digest
    if left is not None and left in known and standing.release != state.standing.release:
        known[left] = replace(known[left], left_us=entry.time_us)
    if standing.release is not None:
        name = release_digest(standing.release)
        promoted_us = entry.time_us if by in ("promote", "rollout") else None
        if name in known:
            promoted_us = known[name].promoted_us
        known[name] = Known(standing.release, "done", entry.time_us, entry.sequence, promoted_us)
    return replace(
        state,
        standing=standing,
        previous=state.standing,
        last_closing=digest,
        came_by=by,
        time_us=entry.time_us,
        known=known,
        debts=(),
        unseen=None,
        alarms=state.alarms if by in ("rollout", "back") else (),
    )


def _broken(message: str, where: str) -> EvidenceError:
    return EvidenceError(message, code="ledger.slot", where=where)
