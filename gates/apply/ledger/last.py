"""The last decision that was carried out in a slot, with what it rested on: what a new one may not ask less than."""

from __future__ import annotations

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.promotion import decision_of
from gates.bundle.decisions import OpenedDecision
from gates.bundle.pack import load_manifest, load_plan
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.decision import Decision, LastInput, PlanInput
from gates.records.measurement import Slice
from gates.records.release import Slot


def last_decision(chain: Chain, slot: Slot) -> OpenedDecision | None:
    """Return the decision of the newest promotion that was done in a slot, whatever was rolled back since."""
    here = [item for item in chain.entries if item.entry.slot == slot]
    intents = {item.digest: item.entry for item in here if item.entry.kind == "intent"}
    for item in reversed(here):
        begun = intents.get(item.entry.intent or "")
        if begun is not None and item.entry.status == "done":
            return decision_of(begun)
    return None


def hotfix_of(chain: Chain, slot: Slot) -> OpenedDecision | None:
    """Return the decision by which the present release came, where that was a hotfix."""
    state = chain.slot(slot)
    if state.came_by not in ("promote", "rollout", "back") or state.standing.release is None:
        return None
    opened = last_decision(chain, slot)
    wanted = state.standing.release.decision_digest
    return opened if opened and opened.decision_id == wanted and opened.decision.basis == "hotfix" else None


def last_input(chain: Chain, slot: Slot, store: Store) -> LastInput | None:
    """Return the last decision for the decision input; without its plan where the store holds it no more.

    Raises
    ------
    EvidenceError: bytes or signatures that changed.
    """
    opened = last_decision(chain, slot)
    if opened is None:
        return None
    decision = opened.decision
    try:
        plan = PlanInput(digest=decision.plan_digest, body=load_plan(store, decision.plan_digest))
        record = load_manifest(store, decision.bundle_digest).record
    except EvidenceError as error:
        if error.code != "store.missing":
            raise
        return LastInput(decision_id=opened.decision_id)
    return LastInput(decision_id=opened.decision_id, plan=plan, metadata=record.metadata, slices=_values(decision))


def _values(decision: Decision) -> tuple[Slice, ...] | None:
    found = {result.slice for result in decision.results if result.slice and result.slice.kind == "value"}
    return tuple(sorted(found, key=lambda one: (one.column or "", one.value or ""))) or None
