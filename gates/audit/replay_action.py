"""Replay of an action: decide again from the ledger, or from the pack that was used while it was away, and compare bytes.

As replay.py. Taken from the stored input is only what was observed outside: hashed bytes, counted requests, the journal of
the same outage, the release that the traffic followed, what a monitor saw.
"""

from __future__ import annotations

from gates.apply.act import Asked, action_input, pack_facts
from gates.apply.ledger.acts import action_facts
from gates.apply.ledger.rollout import present_share, rollout_of
from gates.apply.pack import open_pack
from gates.apply.rollout import planned
from gates.audit.positions import Positions
from gates.audit.replay import EngineFor, Replayed, embedded, load_trust_of
from gates.bundle.acts import OpenedAction
from gates.bundle.pack import load_approval
from gates.bundle.store import Store
from gates.decide.acts import decide_action
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records.action import ActionInput, ActionLedger, PresentShare, Rollout
from gates.records.release import Slot


def replay_action(
    store: Store,
    opened: OpenedAction,
    *,
    positions: Positions,
    engine_for: EngineFor | None = None,
) -> Replayed:
    """Decide again.

    Raises
    ------
    EvidenceError: a source is missing, corrupt, or does not verify. EngineError: no answer.
    """
    decision, stored = opened.decision, opened.document
    request = decision.request
    slot = Slot(model=request.model, environment=request.environment)
    policies = PolicySet.from_store(store, decision.policy_digest, load_trust_of(store, decision.trust_digest))
    document = action_input(
        request,
        policies,
        _facts(store, opened, slot, positions),
        Asked(
            action=request.action,
            slot=slot,
            version=request.version,
            release=request.release,
            reason=request.reason or "",
            hashed=stored.bytes,
            approvals=[load_approval(store, item.digest) for item in stored.approvals],
            traffic=stored.traffic,
            journal=stored.journal,
            incident=request.incident,
            percent=request.percent,
            demand=request.demand,
            present=_present(stored, slot, positions),
            rollout=_rollout(store, stored, slot, positions),
            alarm=stored.alarm,
        ),
    )
    again, _ = decide_action((engine_for or embedded)(policies), document)
    return Replayed(opened, stored, document, again)


def _present(stored: ActionInput, slot: Slot, positions: Positions) -> PresentShare | None:
    if stored.present is None:
        return None
    return present_share(positions.at(stored.ledger.sequence), slot, stored.present.observed)


def _rollout(store: Store, stored: ActionInput, slot: Slot, positions: Positions) -> Rollout | None:
    if stored.rollout is None:
        return None
    chain = positions.at(stored.ledger.sequence)
    return rollout_of(chain, slot, planned(store, chain, slot))


def _facts(store: Store, opened: OpenedAction, slot: Slot, positions: Positions) -> ActionLedger:
    ledger = opened.document.ledger
    chain = positions.at(ledger.sequence)
    if chain.head != ledger.head:
        raise EvidenceError("decided on another ledger", code="replay.position", where=ledger.head)
    if ledger.pack is None:
        return action_facts(chain, slot)
    pack = open_pack(store.get(ledger.pack), root=chain.root, slot=slot, where=ledger.pack)
    return pack_facts(pack, opened.document.journal)
