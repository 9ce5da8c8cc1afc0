"""Activate policy and trust digests: the policy owners' entry, those of entry 0 or of the trust that is in force.

On an empty ledger it is entry 0, the root.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.interface import HeadMoved, Ledger
from gates.apply.ledger.opening import ROOT_VARIABLE
from gates.apply.ledger.shape import seal_entry
from gates.apply.writer import LedgerWriter, Position, witness
from gates.bundle.acts import ON_CHANGE
from gates.bundle.canonical import digest_bytes
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import UsageError
from gates.records.base import Digest, Micros
from gates.records.release import ActivePolicy, Entry, PublicKey

JudgeChange = Callable[[Chain, Micros], tuple[dict[str, Any], ...]]
"""Signed answers on a change, one for each environment whose policies in force have rules for it."""


def begin_ledger(
    ledger: Ledger,
    store: Store,
    signer: Signer,
    active: Sequence[ActivePolicy],
    *,
    reason: str,
    now_us: Micros,
    owners: Sequence[PublicKey] = (),
) -> Digest:
    """Write entry 0 of an empty ledger and return its digest, which every job must get as `GATES_LEDGER_ROOT`.

    Parameters
    ----------
    owners: the policy owners, the signer among them; default: the signer alone.

    Raises
    ------
    UsageError: the ledger has entries already. EvidenceError: a trust document is not in the store.
    """
    entry = Entry(
        sequence=0,
        kind="policy",
        time_us=now_us,
        actor=signer.public.identity,
        reason=reason,
        owners=tuple(owners) or (signer.public,),
        active=tuple(active),
    )
    raw = seal_entry(entry, signer)
    root = digest_bytes(raw)
    Chain.read([raw], root=root, trust=trust_in(store))
    try:
        ledger.append(raw, expects=None)
    except HeadMoved as error:
        raise UsageError(
            "the ledger was begun already",
            code="ledger.not_empty",
            where=ledger.name,
            remedy=f"set {ROOT_VARIABLE} to the digest of its entry 0",
        ) from error
    return witness(store, root, raw)


def activate_policy(
    writer: LedgerWriter, active: Sequence[ActivePolicy], *, reason: str, judge: JudgeChange | None = None
) -> Digest:
    """Put policy and trust digests in force from here on; environments that are not named keep theirs.

    Parameters
    ----------
    judge: asks the policies in force; without one the entry carries no decision.

    Raises
    ------
    Refused: `key.unlisted`: the signer is no policy owner, neither by entry 0 nor by the trust in force in every one of
    these environments; or the policies in force deny. EvidenceError: a trust document is not in the store.
    """
    chain = writer.read()

    def entry(position: Position, decisions: tuple[dict[str, Any], ...]) -> Entry:
        return writer.entry(
            position,
            "policy",
            reason=reason,
            active=tuple(active),
            decisions=decisions or None,
        )

    writer.require_authority(entry(Position(len(chain.entries), chain.head, chain.time_us), ()), chain)
    decisions = judge(chain, writer.moment(chain)) if judge else ()
    for decision in decisions:
        ON_CHANGE.keep(writer.store, decision)

    return writer.append(lambda _, position: entry(position, decisions), chain)[0]
