"""Replay rebuilds what a decision saw from its sources, and the same bytes come out, years and entries later."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit_world import MINUTE, NOW, Promoted
from simulators.policy_world import MODEL

from gates.apply.ledger.chain import trust_in
from gates.apply.ledger.last import last_input
from gates.apply.policy import activate_policy
from gates.apply.rollback import rollback
from gates.audit.positions import Positions
from gates.audit.replay import find_decision, load_trust_of, replay
from gates.bundle.canonical import canonical_bytes, digest_bytes
from gates.bundle.decisions import load_decision
from gates.bundle.store import Store
from gates.bundle.trust import Trust
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.opa_server import started
from gates.decide.explain import load_annotations
from gates.decide.opa_binary import find_opa
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records import ActivePolicy, Slot
from gates.records.decision import DecisionInput, LastInput
from gates.render.join import build_view


def positions(made: Promoted) -> Positions:
    world = made.world
    return Positions(world.ledger.entries(), root=made.root, trust=trust_in(world.store))


def test_a_replay_gives_the_same_bytes(made: Promoted) -> None:
    store = made.world.store
    again = replay(store, load_decision(store, made.decision), positions=positions(made))

    assert again.same
    assert canonical_bytes(again.again.document()) == canonical_bytes(again.opened.decision.document())


def test_what_happens_later_changes_no_replay(own: Promoted) -> None:
    """Another approval, other policies and trust in force, a rollback, and a moved alias."""
    world = own.world
    world.approve(own.bundle, "stranger", NOW + MINUTE)
    nobody = Trust(keys=tuple(key for key in world.trust.keys if key.person in ("owner", "applier")))
    world.store.put(canonical_bytes(nobody.document()))
    active = [
        ActivePolicy(environment="staging", policy_digest=digest_bytes(b"later policy"), trust_digest=nobody.digest)
    ]
    activate_policy(world.writer(own.root, "owner", NOW + 2 * MINUTE), active, reason="next year's")
    rollback(
        world.writer(own.root, now_us=NOW + 3 * MINUTE),
        world.surfaces(),
        Slot(model=MODEL, environment="staging"),
        reason="errors in the log",
    )
    store = world.store

    assert replay(store, load_decision(store, own.decision), positions=positions(own)).same


def test_a_denial_replays_too(own: Promoted) -> None:
    world = own.world
    worse = world.registry.register(MODEL, "8", b"weights 8")
    denied = world.decide(own.root, world.bundle(worse, own.candidate, ece=0.06), now_us=NOW + 2 * MINUTE)
    opened = load_decision(world.store, denied)

    assert not opened.decision.allow
    again = replay(world.store, opened, positions=positions(own))
    assert again.same
    assert isinstance(again.document, DecisionInput)
    assert again.document.last is not None
    assert [str(one) for one in again.document.last.slices or ()] == ["carrier=OO", "carrier=UA", "origin=JFK"]


def test_what_policies_of_before_did_not_read_is_not_in_their_inputs(
    own: Promoted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = own.world
    worse = world.registry.register(MODEL, "8", b"weights 8")
    bundle = world.bundle(worse, own.candidate, ece=0.06)

    def without(document: DecisionInput) -> DecisionInput:
        assert document.last is not None
        return document.model_copy(update={"last": document.last.model_copy(update={"slices": None})})

    denied = world.decide(own.root, bundle, now_us=NOW + 2 * MINUTE, bend=without)
    opened = load_decision(world.store, denied)
    assert "last" in replay(world.store, opened, positions=positions(own)).input_differs[0]
    before = {path: rego.replace(b"input.last.slices", b"[]") for path, rego in world.policies.rego.items()}
    with EmbeddedEngine(world.policies) as engine:
        monkeypatch.setattr(PolicySet, "rego", property(lambda _: before))
        assert replay(world.store, opened, positions=positions(own), engine_for=lambda _: engine).same


@pytest.mark.opa
def test_opa_itself_replays_the_same_bytes(made: Promoted) -> None:
    opa = find_opa()
    assert opa is not None
    store = made.world.store
    with started(made.world.policies, opa) as engine:
        again = replay(
            store, load_decision(store, made.decision), positions=positions(made), engine_for=lambda _: engine
        )

    assert again.same


def test_without_the_ledger_it_cannot_be_rebuilt(made: Promoted) -> None:
    store = made.world.store
    with pytest.raises(EvidenceError) as caught:
        replay(store, load_decision(store, made.decision), positions=None)
    assert caught.value.code == "ledger.missing"


def test_a_ledger_that_ends_before_the_decision_cannot_replay_it(made: Promoted) -> None:
    world = made.world
    short = Positions(world.ledger.entries()[:2], root=made.root, trust=trust_in(world.store))
    with pytest.raises(EvidenceError) as caught:
        replay(world.store, load_decision(world.store, made.decision), positions=short)
    assert caught.value.code == "ledger.truncated"


def test_positions_agree_with_reading_from_the_start(made: Promoted) -> None:
    one, other = positions(made), positions(made)
    ahead = [one.at(number).head for number in (0, 2, 4, 3, 1)]

    assert ahead == [other.at(number).head for number in (0, 2, 4, 3, 1)]
    assert one.at(2) is one.at(2)
    for outside in (-1, 5):
        with pytest.raises(EvidenceError):
            one.at(outside)


def test_a_decision_is_found_by_its_id_too(made: Promoted) -> None:
    store = made.world.store
    opened = find_decision(store, made.decision)

    assert find_decision(store, opened.decision_id) == opened
    with pytest.raises(EvidenceError):
        find_decision(store, digest_bytes(b"none"))


def test_a_link_to_another_decision_leads_nowhere(own: Promoted) -> None:
    store, wanted = own.world.store, digest_bytes(b"another decision")
    store.link("decision", wanted, own.decision)
    with pytest.raises(EvidenceError) as caught:
        find_decision(store, wanted)
    assert caught.value.code == "decision.mixed"


def test_trust_that_names_nobody_needs_no_bytes(tmp_path: Path) -> None:
    store = Store(tmp_path)

    assert load_trust_of(store, Trust().digest) == Trust()
    with pytest.raises(EvidenceError):
        load_trust_of(store, store.put(b'{ "keys": [] }'))


def test_less_than_the_last_decision_asked_for_is_denied_said_first_and_replayed(own: Promoted) -> None:
    world = own.world
    newer = world.registry.register(MODEL, "8", b"weights 8")
    columns = {"label": "delayed", "key": ["flight_id"], "set_columns": [], "features": ["temperature", "wind"]}
    bundle = world.bundle(newer, own.candidate, columns=columns)
    decided = load_decision(world.store, world.decide(own.root, bundle, now_us=NOW + 2 * MINUTE))
    less = [result for result in decided.decision.results if result.code.startswith("narrowed.")]
    assert [(result.code, str(result.item and result.item.name)) for result in less] == [("narrowed.key", "label")]
    assert not decided.decision.allow
    view = build_view(decided.decision, (), limit_of=lambda _: None, annotations=load_annotations())
    assert view.rows[0].code == view.deciding[0].code == "narrowed.key"
    assert view.why.startswith("Narrowed in 1 way since the last decision here. Another key, column label")
    assert replay(world.store, decided, positions=positions(own)).same


def test_a_last_decision_whose_plan_is_lost_is_no_reason_to_allow(own: Promoted) -> None:
    world = own.world
    chain = positions(own).at(len(world.ledger.entries()) - 1)
    slot = Slot(model=MODEL, environment="staging")
    last = last_input(chain, slot, world.store)
    assert last is not None
    assert last.plan is not None
    assert last.plan.digest == load_decision(world.store, own.decision).decision.plan_digest
    assert last_input(chain, slot, Store(own.world.root / "another")) == LastInput(decision_id=last.decision_id)
    assert last_input(chain, Slot(model=MODEL, environment="production"), world.store) is None
