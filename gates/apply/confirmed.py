"""A rollback takes one person; a second one looks at it afterwards and signs that. Who did not is said, never assumed."""

from __future__ import annotations

from dataclasses import dataclass

from gates.apply.ledger.chain import Chain, ChainEntry
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.bundle.trust import Trust
from gates.errors import EvidenceError, Refused
from gates.records.base import Digest, Micros
from gates.records.release import CONFIRMATION_TYPE, Confirmation, Slot

_LINK = "confirmation"
_SECOND = 1_000_000


@dataclass(frozen=True)
class Awaiting:
    """A rollback that no second person confirmed yet; `due_us` is when it should have been."""

    digest: Digest
    actor: str
    time_us: Micros
    due_us: Micros

    def said(self, environment: str) -> str:
        """What `status` and `verify` say of it, once it is late."""
        hours = (self.due_us - self.time_us) / (3600 * _SECOND)
        return (
            f"the rollback {self.digest[7:19]} in {environment} by {self.actor} was not confirmed by a second person "
            f"within {hours:g} hours [rollback.unconfirmed]"
        )


def awaiting(chain: Chain, store: Store, slot: Slot, within_s: int) -> tuple[Awaiting, ...]:
    """Return the slot's rollbacks that nobody but their own person has confirmed, the oldest first."""
    found = []
    for item in chain.entries:
        if item.entry.kind == "rollback" and item.entry.slot == slot and not _confirmed(chain, store, slot, item):
            due_us = item.entry.time_us + within_s * _SECOND
            found.append(Awaiting(item.digest, item.entry.actor, item.entry.time_us, due_us))
    return tuple(found)


def confirm(
    chain: Chain, store: Store, slot: Slot, signer: Signer, *, rollback: Digest | None, comment: str, time_us: Micros
) -> Digest:
    """Sign that a rollback was right to do; return the digest of the rollback.

    Parameters
    ----------
    rollback: the entry; default: the newest that waits.

    Raises
    ------
    Refused: `confirm.nothing`: no such rollback waits. `confirm.same_person`, `key.unlisted`: this key does not count.
    """
    waiting = {item.digest: item for item in awaiting(chain, store, slot, 0)}
    digest = rollback or next(reversed(waiting), None)
    if digest is None or digest not in waiting:
        raise Refused("no such rollback waits to be confirmed", code="confirm.nothing", remedy="`gates log` shows them")
    begun = next(item for item in chain.entries if item.digest == digest)
    trust, key = chain.trust(slot.environment), signer.public
    if not _may(trust, key.key_id, slot):
        raise Refused(
            f"{key.identity} may neither apply nor approve in {slot.environment}",
            code="key.unlisted",
            where=f"key {key.key_id}",
            remedy="let somebody confirm whom the trust policy lists",
        )
    if not _others(trust, (key.key_id,), begun):
        raise Refused(
            f"{key.identity} is the person who rolled back",
            code="confirm.same_person",
            where=digest,
            remedy="let a second person confirm",
        )
    statement = Confirmation(slot=slot, rollback=digest, time_us=time_us, comment=comment)
    kept = store.put(seal(CONFIRMATION_TYPE, [("rollback", digest)], statement.document(), signer))
    store.link(_LINK, digest, kept)
    return digest


def confirmations(store: Store, digest: Digest) -> tuple[tuple[Confirmation, tuple[str, ...]], ...]:
    """Return what was signed about a rollback, with the keys; what does not verify is left out."""
    found = []
    for kept in store.linked(_LINK, digest):
        try:
            opened = open_envelope(store.get(kept), expect=CONFIRMATION_TYPE, where=kept)
            statement = Confirmation.parse(opened.predicate, where=kept)
        except EvidenceError:
            continue
        if opened.subjects == (("rollback", digest),) and statement.rollback == digest:
            found.append((statement, opened.key_ids))
    return tuple(found)


def _confirmed(chain: Chain, store: Store, slot: Slot, item: ChainEntry) -> bool:
    trust = chain.trust(slot.environment)
    return any(
        statement.slot == slot
        and statement.time_us >= item.entry.time_us
        and _others(trust, tuple(key_id for key_id in key_ids if _may(trust, key_id, slot)), item)
        for statement, key_ids in confirmations(store, item.digest)
    )


def _may(trust: Trust, key_id: str, slot: Slot) -> bool:
    key = trust.find(key_id)
    roles = [role for role in key.roles if role == "apply" or role.startswith("approve:")] if key else []
    return any(trust.allows(key_id, role, slot.environment) for role in roles)


def _others(trust: Trust, key_ids: tuple[str, ...], item: ChainEntry) -> set[str]:
    """Persons behind these keys who did not sign the rollback."""
    return trust.persons(key_ids) - trust.persons(item.key_ids)
