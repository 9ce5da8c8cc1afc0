"""Replay of a change of policies: decide again by the policies that were in force, and compare bytes.

As replay.py. What the new policies loosen is asked of them again. Taken from the stored input is only how their simulation
came out, whose whole answer is in the store by its digest, or why there was none.
"""

from __future__ import annotations

from gates.apply.change import change_input, change_of, loosened_by
from gates.apply.ledger.changes import change_facts
from gates.audit.positions import Positions
from gates.audit.replay import EngineFor, Replayed, embedded, load_trust_of
from gates.bundle.acts import OpenedChange
from gates.bundle.changes import load_change_approval
from gates.bundle.store import Store
from gates.decide.acts import decide_change
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records.release import ActivePolicy


def replay_change(
    store: Store, opened: OpenedChange, *, positions: Positions, engine_for: EngineFor | None = None
) -> Replayed:
    """Decide again.

    Raises
    ------
    EvidenceError: a source is missing, corrupt, or does not verify. EngineError: no answer.
    """
    decision, stored = opened.decision, opened.document
    engine_for = engine_for or embedded
    chain = positions.at(stored.ledger.sequence)
    if chain.head != stored.ledger.head:
        raise EvidenceError("decided on another ledger", code="replay.position", where=stored.ledger.head)
    if stored.simulation is not None:
        store.get(stored.simulation.digest)
    said = stored.change
    wanted = ActivePolicy(
        environment=decision.request.environment,
        policy_digest=said.policy_digest,
        trust_digest=said.trust_digest,
        loosened=said.named,
    )
    new = PolicySet.from_store(store, said.policy_digest, load_trust_of(store, said.trust_digest))
    judging = PolicySet.from_store(store, decision.policy_digest, load_trust_of(store, decision.trust_digest))
    document = change_input(
        decision.request,
        change_facts(chain, decision.request.environment),
        change_of(wanted, loosened_by(engine_for(new), wanted.environment, new, judging)),
        [load_change_approval(store, item.digest) for item in stored.approvals],
        simulation=stored.simulation,
        unsimulated=stored.unsimulated,
    )
    again, _ = decide_change(engine_for(judging), document)
    return Replayed(opened, stored, document, again)
