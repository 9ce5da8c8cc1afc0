"""The ledger's facts for a change of policies, and whether its decisions carry a `policy` entry. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.apply.ledger.acts import refused
from gates.bundle.acts import ON_CHANGE, OpenedChange
from gates.bundle.canonical import canonical_bytes
from gates.records.base import Environment
from gates.records.change import ChangeLedger
from gates.records.release import ActivePolicy, Entry

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain


def change_facts(chain: Chain, environment: Environment) -> ChangeLedger:
    """Return what is in force in an environment, at the chain's position.

    Raises
    ------
    EvidenceError: no policy is active in the environment.
    """
    active = chain.active(environment)
    return ChangeLedger(
        head=chain.head,
        sequence=chain.entries[-1].entry.sequence,
        policy_digest=active.policy_digest,
        trust_digest=active.trust_digest,
        owners=tuple(sorted(owner.key_id for owner in chain.owners)),
    )


def changes_of(entry: Entry) -> tuple[OpenedChange, ...]:
    """Open the decisions that a `policy` entry carries.

    Raises
    ------
    EvidenceError: one of them does not verify.
    """
    where = f"ledger entry {entry.sequence}"
    return tuple(ON_CHANGE.open(canonical_bytes(each), where=where) for each in entry.decisions or ())


def check_change(chain: Chain, entry: Entry, key_ids: tuple[str, ...]) -> None:
    """Refuse a `policy` entry with a decision that is not a valid yes for it, at this position.

    Parameters
    ----------
    key_ids: the keys that signed the entry.

    Raises
    ------
    Refused, EvidenceError: with the first reason.
    """
    wanted = {active.environment: active for active in entry.active or ()}
    found = changes_of(entry)
    if len({opened.decision.request.environment for opened in found}) != len(found):
        raise refused("subject", "is there twice")
    for opened in found:
        active = wanted.get(opened.decision.request.environment)
        if active is None:
            raise refused("subject", "is about another environment")
        _check(chain, entry, key_ids, opened, active)


def _check(chain: Chain, entry: Entry, key_ids: tuple[str, ...], opened: OpenedChange, wanted: ActivePolicy) -> None:
    decision, request, change = opened.decision, opened.decision.request, opened.document.change
    present = chain.active(request.environment)
    if not decision.allow:
        raise refused("denied", "denies")
    if (change.policy_digest, change.trust_digest) != (wanted.policy_digest, wanted.trust_digest) or set(
        change.named
    ) != set(wanted.loosened or ()):
        raise refused("subject", "is about other policies, or other things that they loosen")
    if chain.digest_at(decision.ledger.sequence) != decision.ledger.head:
        raise refused("position", "was made on another ledger")
    if (decision.policy_digest, decision.trust_digest) != (present.policy_digest, present.trust_digest):
        raise refused("inactive", "was made under policies or trust that are not in force")
    if request.actor_key_id not in opened.key_ids or request.actor_key_id not in key_ids:
        raise refused("actor", "is another's than the entry")
    if not request.effective_time_us <= entry.time_us < decision.valid_until_us:
        raise refused("expired", "does not hold at this time")
