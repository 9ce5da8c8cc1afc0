"""Entries that carry no decision although somebody had to be asked. A reader of the chain has no policies; the audit has."""

from __future__ import annotations

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.changes import changes_of
from gates.bundle.store import Store
from gates.decide.acts import knows_action, knows_changes
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records.release import Entry


def require_decided(store: Store, before: Chain, entry: Entry) -> None:
    """Refuse an entry without a decision, where the policies in force had rules for what it does.

    Parameters
    ----------
    before: the ledger as it stood before the entry.

    Raises
    ------
    EvidenceError: `decision.missing`; or the store lacks those policies.
    """
    decided = {change.decision.request.environment for change in changes_of(entry)}
    names = [each.environment for each in entry.active or ()] + ([entry.slot.environment] if entry.slot else [])
    for name in names:
        if name in decided or name not in before.policies:
            continue
        policies = PolicySet.from_store(store, before.policies[name].policy_digest)
        if knows_changes(policies) if entry.action is None else knows_action(policies, entry.action):
            raise EvidenceError(
                f"the policies in force in {name} had rules for it, and nobody asked them",
                code="decision.missing",
                remedy="look at its reason and its debts, and at who wrote it",
            )
