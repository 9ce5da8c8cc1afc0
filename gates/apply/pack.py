"""The rollback pack: all that a rollback needs besides the target, signed, beside the target and in the store.

It carries why its signer may be believed, so that it is checked against nothing but the ledger's root: the policy
entries from entry 0 on, and the trust documents that they put in force. What it cannot show is that nothing came after
it: whoever uses it writes that down, and `gates reconcile` compares it with the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates.apply.ledger.acts import served
from gates.apply.ledger.authority import may_sign
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import check_release, release_digest
from gates.apply.serving.interface import Serving
from gates.apply.writer import LedgerWriter
from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.trust import Trust
from gates.decide.policies import PolicySet
from gates.decide.policy_archive import pack_policies
from gates.errors import EvidenceError
from gates.records.action import Served
from gates.records.base import Digest, Environment, Micros, is_digest
from gates.records.release import ENTRY_TYPE, PACK_TYPE, Entry, PublicKey, Release, Slot


@dataclass(frozen=True)
class Pack:
    """A pack that was verified.

    Attributes
    ----------
    closing: the slot's last closing entry. sequence, head: the ledger's last entry when the pack was written.
    release: what serves; None after a retirement.
    restorable: the releases that a rollback may go to, newest first. last_good: where it goes by itself.
    trust: in force in the slot's environment. policy_digest, policies: in force there; None where the pack holds none, or
        was written before packs held them. served, archived: what an action's rules ask of the ledger.
    """

    digest: Digest

    slot: Slot
    closing: Digest
    sequence: int
    head: Digest
    time_us: Micros
    release: Release | None
    restorable: tuple[Release, ...]
    last_good: Release | None
    trust: Trust
    policy_digest: Digest | None
    policies: str | None
    served: tuple[Served, ...]
    archived: tuple[Digest, ...]


def keep_pack(writer: LedgerWriter, serving: Serving, chain: Chain, slot: Slot) -> Digest | None:
    """Sign and keep the pack of a slot as it stands; None where nothing ever served there.

    The predicate: `{schema_version, slot, ledger_root, closing, head: {sequence, digest}, time_us, release?,
    restorable: [release, ...], last_good?, policies: [envelope, ...], trusts: [trust, ...], served: [...],
    archived: [digest, ...], policy_set?: the policies in force, as one text}`.
    """
    state = chain.slot(slot)
    release, present = state.standing.release, state.release_digest
    if state.last_closing is None:
        return None
    restorable = [
        known.release.document()
        for digest, known in reversed(state.known.items())
        if digest != present and known.state == "done"
    ]
    last_good = state.last_good_by_itself
    # As of the slot's own last move, so that packing the same again gives the same bytes.
    at = next(item for item in reversed(chain.entries) if item.digest == state.last_closing)
    predicate: dict[str, Any] = {
        "schema_version": "v1",
        "slot": slot.document(),
        "ledger_root": chain.root,
        "closing": state.last_closing,
        "head": {"sequence": at.entry.sequence, "digest": at.digest},
        "time_us": state.time_us,
        **({"release": release.document()} if release else {}),
        "restorable": restorable,
        "policies": [parse_json(raw) for raw in chain.activations],
        "trusts": _trusts(chain),
        "served": [item.document() for item in served(state.known)],
        "archived": sorted(chain.archived),
        **_policy_set(writer, chain, slot),
        **({"last_good": release_digest(last_good)} if last_good else {}),
    }
    pack = seal(PACK_TYPE, [_subject(release, state.last_closing)], predicate, writer.signer)
    digest = writer.store.put(pack)
    writer.store.link("rollback-pack", slot.key, digest)
    serving.keep_pack(pack)
    return digest


def _subject(release: Release | None, closing: Digest) -> tuple[str, Digest]:
    return ("release", release_digest(release)) if release else ("retired", closing)


def has_pack(serving: Serving, chain: Chain, slot: Slot) -> bool:
    """Whether the pack beside the target is that of the slot as it stands; where nothing ever served none is needed."""
    state = chain.slot(slot)
    if state.last_closing is None:
        return True
    raw = serving.pack()
    if raw is None:
        return False
    try:
        pack = open_pack(raw, root=chain.root, slot=slot, where=serving.name)
    except EvidenceError:
        return False
    # A release that was marked since is still restorable by an older pack.
    good = {digest for digest, known in state.known.items() if known.state == "done" and digest != state.release_digest}
    return pack.closing == state.last_closing and {release_digest(each) for each in pack.restorable} == good


def _policy_set(writer: LedgerWriter, chain: Chain, slot: Slot) -> dict[str, str]:
    """The policies in force, where the store holds them: a rollback does not wait for them."""
    try:
        policies = PolicySet.from_store(writer.store, chain.active(slot.environment).policy_digest)
    except EvidenceError:
        return {}
    return {"policy_set": pack_policies(policies)}


def _trusts(chain: Chain) -> list[dict[str, Any]]:
    named = (active.trust_digest for item in chain.entries for active in item.entry.active or ())
    return [chain.trust_document(digest).document() for digest in dict.fromkeys(named)]


def open_pack(raw: bytes, *, root: Digest, slot: Slot, where: str) -> Pack:
    """Verify a pack from its own contents and the ledger's root.

    Raises
    ------
    EvidenceError: `pack.*`, and as `open_envelope`.
    """
    opened = open_envelope(raw, expect=PACK_TYPE, where=where)
    predicate = opened.predicate
    if predicate.get("ledger_root") != root or predicate.get("slot") != slot.document():
        raise EvidenceError("the pack of another ledger or slot", code="pack.mixed", where=where)
    try:
        in_force = _in_force(predicate["policies"], predicate["trusts"], root, where)
        known = tuple(Served.parse(item, where=where) for item in predicate.get("served", ()))
        archived = tuple(str(item) for item in predicate.get("archived", ()))
        release = Release.parse(predicate["release"], where=where) if "release" in predicate else None
        restorable = tuple(Release.parse(item, where=where) for item in predicate["restorable"])
        closing, head, wanted = predicate["closing"], predicate["head"], predicate.get("last_good")
        sequence, time_us = int(head["sequence"]), int(predicate["time_us"])
        whole = is_digest(closing) and is_digest(head["digest"])
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError("the pack lacks a part", code="pack.malformed", where=where) from error
    if not whole or opened.subjects != (_subject(release, closing),):
        raise EvidenceError("the pack is about another release", code="pack.malformed", where=where)
    for each in (*((release,) if release else ()), *restorable):
        check_release(each, slot, where=where)
    policy_digest, trust = in_force.get(slot.environment, (None, None))
    if trust is None or not trust.allows_any(opened.key_ids, "apply", slot.environment):
        raise EvidenceError(
            f"signed by no key that may apply in {slot.environment}", code="pack.unlisted_key", where=where
        )
    named = {release_digest(each): each for each in restorable}
    return Pack(
        digest_bytes(raw),
        slot,
        closing,
        sequence,
        head["digest"],
        time_us,
        release,
        restorable,
        named.get(str(wanted)),
        trust,
        policy_digest,
        predicate.get("policy_set"),
        known,
        archived,
    )


def _in_force(
    policies: list[Any], documents: list[Any], root: Digest, where: str
) -> Mapping[Environment, tuple[Digest, Trust]]:
    """Follow the policy entries from entry 0 on, each signed by whom those before it allow."""
    known = {trust.digest: trust for trust in (Trust.parse(item, where=where) for item in documents)}
    trusts: dict[Environment, Trust] = {}
    digests: dict[Environment, Digest] = {}
    owners: tuple[PublicKey, ...] = ()
    last = -1
    for document in policies:
        raw = canonical_bytes(document)
        opened = open_envelope(raw, expect=ENTRY_TYPE, where=where)
        entry = Entry.parse(opened.predicate, where=where)
        if last < 0:
            owners = entry.owners or ()
        first = last < 0 and digest_bytes(raw) == root
        if not (first or last >= 0) or entry.sequence <= last or entry.kind != "policy":
            raise EvidenceError("its policies do not begin at the ledger's root", code="pack.root", where=where)
        if not may_sign(entry, opened.key_ids, owners, trusts):
            raise EvidenceError("policies that no owner signed", code="pack.unlisted_key", where=where)
        for active in entry.active or ():
            if active.trust_digest not in known:
                raise EvidenceError("a trust document is missing", code="pack.malformed", where=where)
            trusts[active.environment] = known[active.trust_digest]
            digests[active.environment] = active.policy_digest
        last = entry.sequence
    return {name: (digests[name], trust) for name, trust in trusts.items()}
