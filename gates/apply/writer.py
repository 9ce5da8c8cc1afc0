"""Writing to the ledger: read and verify, build an entry upon what was read, sign, compare-and-swap, read again.

A lost race for the head is no new question: the entry is built again upon the new head. A slot that moved meanwhile
is one, and refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gates.apply.ledger.authority import may_move, may_sign, movers
from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.interface import HeadMoved, Ledger
from gates.apply.ledger.shape import seal_entry
from gates.bundle.canonical import digest_bytes
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EngineError, EvidenceError, Refused
from gates.records.base import Digest, Micros
from gates.records.release import Entry, EntryKind, Slot

_CLOCKS_DIFFER = timedelta(minutes=5)
_ROUNDS = 1_000
_ENROL = "a policy owner enrols the key with `gates trust add`, then `gates policy activate`"
_WITNESS = "ledger-entry"


@dataclass(frozen=True)
class Position:
    """What a new entry stands on: sequence number, digest before it and time, which never goes back."""

    sequence: int
    previous: Digest
    time_us: Micros


@dataclass(frozen=True)
class Present:
    """There is nothing to write: the entry with this digest says it already."""

    digest: Digest


Build = Callable[[Chain, Position], Entry | Present]


@dataclass(frozen=True)
class LedgerWriter:
    """Who writes, where, and when.

    Attributes
    ----------
    root: digest of entry 0, from outside the branch.
    store: keeps every entry too; a ledger that lacks one of them has lost its tail.
    actor: on whose behalf. now_us: the clock, read once by the caller.
    """

    ledger: Ledger
    root: Digest
    store: Store
    signer: Signer
    actor: str
    now_us: Micros

    def read(self) -> Chain:
        """Read and verify the ledger, down to every entry that this store has seen.

        Raises
        ------
        EvidenceError: `ledger.*`. EngineError: the ledger cannot be reached.
        """
        return read_ledger(self.ledger, self.store, self.root)

    def append(self, build: Build, read: Chain | None = None) -> tuple[Digest, Chain]:
        """Append what `build` makes of the newest chain; return its digest and the chain that holds it.

        Nothing is written that a reader would refuse.

        Parameters
        ----------
        read: a chain that was read before, so that only what came since is verified.

        Raises
        ------
        Refused: this key may not write that; from `build`: the slot moved. EvidenceError: the entry would break the
        chain. EngineError: the clock is wrong, or other writers always came first.
        """
        chain = self.newest(read) if read else self.read()
        self.witness_head(chain)
        for _ in range(_ROUNDS):
            entry = build(chain, self._position(chain))
            if isinstance(entry, Present):
                return entry.digest, chain
            self.require_authority(entry, chain)
            raw = seal_entry(entry, self.signer)
            longer = chain.extended([raw])
            try:
                self.ledger.append(raw, expects=chain.head)
            except HeadMoved:
                chain = self.newest(chain)
            else:
                return witness(self.store, self.root, raw), longer
        raise EngineError("other writers always came first", code="ledger.busy", where=self.ledger.name)

    def moment(self, chain: Chain) -> Micros:
        """Return this writer's time, which is never before the ledger's last entry."""
        return max(self.now_us, chain.time_us)

    def entry(self, position: Position, kind: EntryKind, **said: Any) -> Entry:
        """Return an entry of this writer's; `said`: the fields that its kind has besides."""
        return Entry(
            sequence=position.sequence,
            previous=position.previous,
            kind=kind,
            time_us=position.time_us,
            actor=self.actor,
            **said,
        )

    def newest(self, chain: Chain) -> Chain:
        """Return the chain with what was appended since.

        Raises
        ------
        EvidenceError: `ledger.truncated`: the entries that were there are not any more.
        """
        at = len(chain.entries) - 1
        raws = self.ledger.entries(at)
        if not raws or digest_bytes(raws[0]) != chain.head:
            raise EvidenceError(
                f"entry {at} is not what it was a moment ago", code="ledger.truncated", where=self.ledger.name
            )
        return chain.extended(raws[1:])

    def witness_head(self, chain: Chain) -> None:
        """Keep the newest entry in the store, where its writer was killed before he did: each older one has a newer."""
        if not self.is_witnessed(chain):
            witness(self.store, self.root, self.ledger.entries(len(chain.entries) - 1)[0])

    def is_witnessed(self, chain: Chain) -> bool:
        """Whether the store holds the newest entry."""
        return chain.head in self.store

    def require_apply(self, chain: Chain, slot: Slot, kind: EntryKind = "intent") -> None:
        """Refuse whoever may not move the slot by such an entry, before anything else is looked at.

        Raises
        ------
        Refused: `key.unlisted`. EvidenceError: no policy is active there.
        """
        if not may_move(chain.trust(slot.environment), (self.signer.public.key_id,), kind, slot):
            raise self._unlisted(f"may not {' or '.join(movers(kind))} in {slot.environment}")

    def may_pack(self, chain: Chain, slot: Slot) -> bool:
        """Whether a rollback pack by this key would be believed: it says what may serve again, which no monitor does."""
        return chain.trust(slot.environment).allows(self.signer.public.key_id, "apply", slot.environment)

    def require_authority(self, entry: Entry, chain: Chain) -> None:
        """Refuse whoever may not sign an entry, before anybody is asked about it.

        Raises
        ------
        Refused: `key.unlisted`.
        """
        move = chain.open_intent(entry.slot) if entry.slot is not None else None
        closes = move.entry if move else None
        if may_sign(entry, (self.signer.public.key_id,), chain.owners, chain.trusts, closes=closes):
            return
        if entry.kind == "policy":
            owners = ", ".join(owner.identity for owner in chain.owners)
            raise self._unlisted(
                "may not change the policies of these environments",
                f"sign with a key of {owners}, or with one that the trust in force there lists for `policy`",
            )
        raise self._unlisted(f"may not write {entry.kind}")

    def _unlisted(self, what: str, remedy: str = _ENROL) -> Refused:
        key = self.signer.public
        return Refused(f"{key.identity} {what}", code="key.unlisted", where=f"key {key.key_id}", remedy=remedy)

    def _position(self, chain: Chain) -> Position:
        ahead = timedelta(microseconds=chain.time_us - self.now_us)
        if ahead > _CLOCKS_DIFFER:
            raise EngineError(
                f"the ledger's last entry is {ahead} in the future of this machine's clock",
                code="ledger.clock",
                where=self.ledger.name,
                remedy="set the clock right",
            )
        return Position(len(chain.entries), chain.head, self.moment(chain))


def read_ledger(ledger: Ledger, store: Store, root: Digest) -> Chain:
    """Read and verify a ledger against its root and against the entries that the store has seen.

    Raises
    ------
    EvidenceError: `ledger.*`. EngineError: the ledger cannot be reached.
    """
    # The store first: an entry that is appended in between is then one too many in the ledger, never one too few.
    seen = store.linked(_WITNESS, root)
    chain = Chain.read(ledger.entries(), root=root, trust=trust_in(store))
    lost = set(seen) - {item.digest for item in chain.entries}
    if lost:
        raise EvidenceError(
            f"the store has seen {len(lost)} entries that the ledger does not hold, {min(lost)} among them",
            code="ledger.truncated",
            where=ledger.name,
            remedy="restore the ledger: the store holds the bytes of every entry",
        )
    return chain


def witness(store: Store, root: Digest, raw: bytes) -> Digest:
    """Keep an appended entry in the store too, so that a cut tail is missed."""
    # The link first, so that whoever finds the bytes need not look for it.
    store.link(_WITNESS, root, digest_bytes(raw))
    return store.put(raw)
