"""The ledger as a reader may believe it: raw envelopes in, a verified chain or an error out. No IO but the look-ups of
trust documents by digest.

(0) Entry 0 is a policy entry that names the policy owners, is signed by one of them, and has the given root digest.
(1) Each entry has the next sequence number and the digest of the exact bytes before it.
(2) Time never goes back.
(3) Each is signed by an identity that the trust in force at that point allows for its kind.
(4) A sealed bundle occurs once; an action's entry carries a decision that allows it; a promote intent carries a decision that may be carried out at that point; intents,
    outcomes and adoptions follow from the slot's state (slots.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gates.apply.ledger.acts import ACTIONS, check_action
from gates.apply.ledger.aliases import AliasNames
from gates.apply.ledger.authority import may_sign
from gates.apply.ledger.changes import check_change
from gates.apply.ledger.promotion import check_promotion, decision_of, release_after
from gates.apply.ledger.shape import check_shape, subjects_of
from gates.apply.ledger.slots import OpenIntent, SlotState, advance
from gates.bundle.canonical import digest_bytes, digest_document, parse_json
from gates.bundle.envelope import Opened, open_envelope
from gates.bundle.store import Store
from gates.bundle.trust import Trust
from gates.errors import EvidenceError, GatesError
from gates.records.base import Digest, Environment, Micros
from gates.records.release import ENTRY_TYPE, ActivePolicy, Entry, PublicKey, Release, Slot

_DECIDED = ("routes", "approved", "decision_digest")

TrustByDigest = Callable[[Digest], Trust]


@dataclass(frozen=True)
class ChainEntry:
    """A verified entry: its digest is that of its exact envelope bytes."""

    digest: Digest
    entry: Entry
    key_ids: tuple[str, ...]


def trust_in(store: Store) -> TrustByDigest:
    """Look trust documents up in a store."""

    def trust(digest: Digest) -> Trust:
        return Trust.parse(parse_json(store.get(digest), where=digest), where=digest)

    return trust


class Chain:
    """A verified ledger at one position. Immutable: `extended` returns another one.

    Attributes
    ----------
    entries: all entries, in order. owners: the policy owners. sealed: `sealed` entries by bundle digest, in order.
    slots: the state of each slot that was ever moved. archived: `archive` entries by the version's digest. policies, trusts: in force, by environment.
    carried: digests of the envelopes of decisions on actions.
    activations: the envelopes of all `policy` entries, in order.
    """

    def __init__(
        self, envelopes: Iterable[bytes], *, root: Digest, trust: TrustByDigest, follows: Chain | None = None
    ) -> None:
        self.root = root
        self.owners: tuple[PublicKey, ...] = follows.owners if follows else ()
        self.sealed: dict[Digest, Entry] = dict(follows.sealed) if follows else {}
        self.slots: dict[Slot, SlotState] = dict(follows.slots) if follows else {}
        self.archived: dict[Digest, Entry] = dict(follows.archived) if follows else {}
        self.carried: set[Digest] = set(follows.carried) if follows else set()
        self.policies: dict[Environment, ActivePolicy] = dict(follows.policies) if follows else {}
        self.trusts: dict[Environment, Trust] = dict(follows.trusts) if follows else {}
        self.activations: tuple[bytes, ...] = follows.activations if follows else ()
        self._documents: dict[Digest, Trust] = dict(follows._documents) if follows else {}  # noqa: SLF001 (its own)
        self._trust = trust
        entries = self._read = list(follows.entries) if follows else []
        for raw in envelopes:
            entries.append(self._verify(raw, entries[-1] if entries else None))
        self.entries: tuple[ChainEntry, ...] = tuple(entries)

    @classmethod
    def read(cls, envelopes: Iterable[bytes], *, root: Digest, trust: TrustByDigest) -> Chain:
        """Verify a whole ledger.

        Raises
        ------
        EvidenceError: `ledger.*`, with the sequence number of the first entry that is wrong.
        """
        chain = cls(envelopes, root=root, trust=trust)
        if not chain.entries:
            raise EvidenceError(
                f"the ledger is empty, its root should be {root}",
                code="ledger.root",
                remedy="look at the ledger's address; a lost ledger is restored, never begun again",
            )
        return chain

    def extended(self, envelopes: Iterable[bytes]) -> Chain:
        """Verify the envelopes that follow, and return the longer chain.

        Raises
        ------
        EvidenceError: `ledger.*`.
        """
        return Chain(envelopes, root=self.root, trust=self._trust, follows=self)

    # What the ledger says.

    @property
    def head(self) -> Digest:
        return self.entries[-1].digest

    @property
    def time_us(self) -> Micros:
        return self.entries[-1].entry.time_us

    def active(self, environment: Environment) -> ActivePolicy:
        """Return the policy and trust digests in force.

        Raises
        ------
        EvidenceError: `ledger.policy`: none was ever activated there.
        """
        if environment not in self.policies:
            raise EvidenceError(
                f"no policy is active in {environment}",
                code="ledger.policy",
                remedy="a policy owner runs `gates policy activate`",
            )
        return self.policies[environment]

    def trust(self, environment: Environment) -> Trust:
        """Return the trust document in force."""
        self.active(environment)
        return self.trusts[environment]

    def trust_document(self, digest: Digest) -> Trust:
        """Return a trust document that was in force at any time."""
        return self._documents[digest]

    def digest_at(self, sequence: int) -> Digest | None:
        """Return the digest of an entry, also while those after it are being read; None where there is none."""
        return self._read[sequence].digest if 0 <= sequence < len(self._read) else None

    def intent_of(self, slot: Slot, decision_id: Digest) -> Entry | None:
        """Return the promotion that carried a decision out in a slot, also while the entries after it are being read."""
        for item in reversed(self._read):
            after = item.entry.after if item.entry.kind == "intent" and item.entry.slot == slot else None
            if after is not None and after.decision_digest == decision_id:
                return item.entry
        return None

    def slot(self, slot: Slot) -> SlotState:
        return self.slots.get(slot, SlotState())

    def release(self, slot: Slot) -> Release | None:
        return self.slot(slot).standing.release

    def last_closing(self, slot: Slot) -> Digest | None:
        return self.slot(slot).last_closing

    def open_intent(self, slot: Slot) -> OpenIntent | None:
        return self.slot(slot).open

    def attempts(self, candidate: Digest) -> int:
        """Number of sealed bundles of a candidate."""
        return sum(1 for entry in self.sealed.values() if entry.candidate and entry.candidate.digest == candidate)

    def expected_aliases(self, model: str, names: AliasNames | None = None) -> dict[str, str]:
        """Return the aliases that the ledger's releases of a model explain: alias -> version."""
        names = names or AliasNames()
        expected: dict[str, str] = {}
        for slot, state in self.slots.items():
            if slot.model == model:
                aliases = names.expected(slot.environment, state.standing)
                expected |= {alias: version for alias, version in aliases.items() if version is not None}
        return dict(sorted(expected.items()))

    # How an entry gets in.

    def _verify(self, raw: bytes, last: ChainEntry | None) -> ChainEntry:
        sequence = last.entry.sequence + 1 if last else 0
        where = f"ledger entry {sequence}"
        digest = digest_bytes(raw)
        if last is None and digest != self.root:
            raise EvidenceError(f"is {digest}, the root is {self.root}", code="ledger.root", where=where)
        opened, entry = _open(raw, where)
        if entry.sequence != sequence:
            raise EvidenceError(f"says that it is {entry.sequence}", code="ledger.sequence", where=where)
        if last and entry.previous != last.digest:
            raise EvidenceError(f"follows {entry.previous}, not {last.digest}", code="ledger.previous", where=where)
        if last and entry.time_us < last.entry.time_us:
            raise EvidenceError("is older than the entry before it", code="ledger.time", where=where)
        if entry.owners is not None:
            self.owners = entry.owners
        move = self.open_intent(entry.slot) if entry.slot is not None else None
        if not may_sign(entry, opened.key_ids, self.owners, self.trusts, closes=move.entry if move else None):
            raise EvidenceError(
                f"no key that may write {entry.kind} signed it", code="ledger.unlisted_key", where=where
            )
        self._take(entry, digest, opened.key_ids, where)
        if entry.kind == "policy":
            self.activations += (raw,)
        return ChainEntry(digest, entry, opened.key_ids)

    def _take(self, entry: Entry, digest: Digest, key_ids: tuple[str, ...], where: str) -> None:
        if entry.decisions is not None:
            with _carried(where):
                check_change(self, entry, key_ids)
        for active in entry.active or ():
            self.policies[active.environment] = active
            trust = self._documents.get(active.trust_digest) or self._look_up(active.trust_digest, where)
            self.trusts[active.environment] = self._documents[active.trust_digest] = trust
        if entry.bundle_digest is not None:
            if entry.bundle_digest in self.sealed:
                raise EvidenceError("seals a bundle again", code="ledger.sealed", where=where)
            self.sealed[entry.bundle_digest] = entry
        if entry.action in ACTIONS and entry.decision is not None:
            with _carried(where):
                check_action(self, entry, key_ids)
            self.carried.add(digest_document(entry.decision))
        if entry.kind == "archive" and entry.candidate is not None:
            if entry.candidate.digest in self.archived:
                raise EvidenceError("archives a version again", code="ledger.archived", where=where)
            self.archived[entry.candidate.digest] = entry
        elif entry.slot is not None:
            moved = advance(self.slot(entry.slot), entry, digest, key_ids, where=where)
            if entry.kind == "intent":
                self._check_promotion(entry, entry.slot, where)
            self.slots[entry.slot] = moved

    def _look_up(self, digest: Digest, where: str) -> Trust:
        try:
            trust = self._trust(digest)
        except EvidenceError as error:
            raise EvidenceError(
                f"the trust document {digest} cannot be had: {error.message}", code="ledger.trust", where=where
            ) from error
        if trust.digest != digest:
            raise EvidenceError(f"{digest} gives another trust document", code="ledger.trust", where=where)
        return trust

    def _check_promotion(self, entry: Entry, slot: Slot, where: str) -> None:
        with _carried(where):
            opened = decision_of(entry)
            check_promotion(self, slot, opened, time_us=entry.time_us)
            after, wanted = entry.after, release_after(self.release(slot), opened)
        if after is None or any(getattr(after, part) != getattr(wanted, part) for part in _DECIDED):
            raise EvidenceError("not the release that was decided on", code="ledger.decision", where=where)


@contextmanager
def _carried(where: str) -> Iterator[None]:
    try:
        yield
    except GatesError as error:
        raise EvidenceError(
            f"the decision does not carry it: {error.message}", code="ledger.decision", where=where
        ) from error


def _open(raw: bytes, where: str) -> tuple[Opened, Entry]:
    try:
        opened = open_envelope(raw, expect=ENTRY_TYPE, where=where)
        entry = Entry.parse(opened.predicate, where=where)
    except EvidenceError as error:
        unsigned = error.code in ("envelope.signature", "envelope.unsigned")
        code = "ledger.signature" if unsigned else "ledger.malformed"
        raise EvidenceError(error.message, code=code, where=where) from error
    check_shape(entry, where=where)
    if opened.subjects != subjects_of(entry) or opened.predicate != entry.document():
        raise EvidenceError(
            "a statement about another subject, or with empty fields", code="ledger.malformed", where=where
        )
    return opened, entry
