"""What a reader of the ledger believes, and every way in which a forger, a crash or a mistake is found."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import HOUR, NOW, POLICY, World, name_of, position_in, slot_in
from simulators.entries import Script, release_of

from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.facts import facts
from gates.apply.ledger.opening import ledger_root
from gates.apply.ledger.shape import release_digest, subjects_of
from gates.apply.policy import activate_policy, begin_ledger
from gates.apply.sealed import append_sealed
from gates.apply.writer import read_ledger
from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.decisions import load_decision
from gates.bundle.envelope import seal
from gates.errors import EngineError, EvidenceError, Refused, UsageError
from gates.records import ActivePolicy, Entry
from gates.records.release import ENTRY_TYPE, PACK_TYPE

RUNGS = ("development", "staging", "production")
STAGING, PRODUCTION = slot_in("staging"), slot_in("production")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.begin()
    return world


@pytest.fixture
def script(world: World) -> Script:
    return Script(world)


def told(script: Script) -> Script:
    """Version 1 adopted in both slots, version 2 promoted to staging."""
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one)
    script.adopt("production", one)
    bundle = script.seal(two)
    script.intend("staging", two, bundle=bundle)
    script.close("staging")
    return script


def broken(script: Script) -> str:
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.exit_code == 3
    return caught.value.code


def test_a_told_story_is_read(script: Script) -> None:
    chain = told(script).chain()
    one, two = script.world.version(1), script.world.version(2)
    assert chain.active("staging").policy_digest == POLICY
    staging, production = chain.release(STAGING), chain.release(PRODUCTION)
    assert staging is not None
    assert production is not None
    assert (staging.approved, production.approved) == (two, one)
    assert chain.open_intent(STAGING) is None
    assert chain.last_closing(STAGING) == chain.head
    assert [known.state for known in chain.slot(STAGING).known.values()] == ["done", "done"]
    assert chain.expected_aliases("flights") == {
        "approved-production": "1",
        "approved-staging": "2",
        "champion": "1",
        "deployed-production": "1",
        "deployed-staging": "2",
    }
    assert chain.expected_aliases("another") == {}
    assert chain.release(slot_in("elsewhere")) is None


def test_extending_says_the_same_as_reading_anew(script: Script) -> None:
    told(script)
    trust = trust_in(script.world.store)
    step = Chain.read(script.raws[:2], root=script.root, trust=trust)
    longer = step.extended(script.raws[2:])
    assert (longer.head, longer.slots, longer.sealed) == (
        (chain := script.chain()).head,
        chain.slots,
        chain.sealed,
    )
    assert len(step.entries) == 2
    assert step.slot(PRODUCTION).last_closing is None


# (0) root


def test_another_root_is_another_ledger(script: Script) -> None:
    with pytest.raises(EvidenceError) as caught:
        Chain.read(script.raws, root=name_of("another"), trust=trust_in(script.world.store))
    assert caught.value.code == "ledger.root"


def test_an_empty_ledger_is_not_the_one_that_was_begun(script: Script) -> None:
    script.raws.clear()
    assert broken(script) == "ledger.root"


def test_entry_0_is_signed_by_an_owner_that_it_names(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(EvidenceError) as caught:
        begin_ledger(
            world.ledger,
            world.store,
            world.key("stranger"),
            world.active(),
            reason="mine",
            now_us=NOW,
            owners=[world.key("owner").public],
        )
    assert caught.value.code == "ledger.unlisted_key"
    assert world.ledger.entries() == ()


def test_a_ledger_is_begun_once(world: World) -> None:
    with pytest.raises(UsageError) as caught:
        begin_ledger(world.ledger, world.store, world.key("owner"), world.active(), reason="again", now_us=NOW)
    assert caught.value.code == "ledger.not_empty"


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, "ledger.root_missing"),
        ({"GATES_LEDGER_ROOT": " "}, "ledger.root_missing"),
        ({"GATES_LEDGER_ROOT": "abc"}, "ledger.root_invalid"),
    ],
)
def test_a_missing_root_is_a_usage_error(environ: dict[str, str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        ledger_root(environ)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert ledger_root({"GATES_LEDGER_ROOT": POLICY + "\n"}) == POLICY


# (1) order, (2) time


def test_a_cut_out_entry_is_found(script: Script) -> None:
    del told(script).raws[2]
    assert broken(script) == "ledger.sequence"


def test_two_entries_in_the_other_order_are_found(script: Script) -> None:
    told(script)
    script.raws[1], script.raws[2] = script.raws[2], script.raws[1]
    assert broken(script) == "ledger.sequence"


def test_an_entry_that_follows_another_ledger_is_found(script: Script) -> None:
    script.add(
        "sealed",
        by="decider",
        bundle_digest=POLICY,
        candidate=script.world.version(1),
        measured_us=NOW,
        previous=POLICY,
    )
    assert broken(script) == "ledger.previous"


def test_time_never_goes_back(script: Script) -> None:
    script.add(
        "sealed",
        by="decider",
        bundle_digest=POLICY,
        candidate=script.world.version(1),
        measured_us=NOW,
        time_us=NOW - 1,
    )
    assert broken(script) == "ledger.time"


def test_a_cut_tail_is_missed_by_the_store(world: World) -> None:
    two = world.version(2)
    append_sealed(world.writer("decider"), world.bundle(two))
    kept = world.ledger.entries()[:1]
    world.ledger.path.unlink()
    world.ledger.append(kept[0], expects=None)
    with pytest.raises(EvidenceError) as caught:
        world.writer().read()
    assert caught.value.code == "ledger.truncated"


def test_a_tail_cut_while_a_writer_runs_is_found(world: World) -> None:
    chain = world.writer().read()
    world.ledger.path.unlink()
    with pytest.raises(EvidenceError) as caught:
        world.writer().newest(chain)
    assert caught.value.code == "ledger.truncated"


# (3) signatures


@pytest.mark.parametrize("entry", [0, 3, 4])
def test_every_flipped_byte_is_found(script: Script, entry: int) -> None:
    raw = told(script).raws[entry]
    for place in range(0, len(raw), 23):
        for bit in (0x01, 0x20):
            script.raws[entry] = raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :]
            assert broken(script).startswith("ledger.")


def test_a_forged_last_entry_is_found(script: Script) -> None:
    """No digest after it vouches for it: only its signature does."""
    envelope = json.loads(told(script).raws[-1])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"]["actor"] = "somebody else"
    envelope["payload"] = base64.b64encode(canonical_bytes(statement)).decode()
    script.raws[-1] = canonical_bytes(envelope)
    assert broken(script) == "ledger.signature"


@pytest.mark.parametrize("kind", ["policy", "sealed", "adopt", "intent", "outcome", "rollback", "takeover"])
@pytest.mark.parametrize("by", ["owner", "decider", "applier", "stranger"])
def test_each_kind_has_its_writers(script: Script, kind: str, by: str) -> None:
    world = script.world
    one, two = world.version(1), world.version(2)
    script.adopt("staging", one)
    bundle = script.seal(two)
    if kind in ("outcome", "takeover", "rollback"):
        intent = script.intend("staging", two, bundle=bundle)
    if kind == "rollback":
        script.close("staging")
    write: dict[str, Any] = {
        "policy": lambda: script.add("policy", by=by, active=world.active(), reason="new"),
        "sealed": lambda: script.seal(two, "again", by=by),
        "adopt": lambda: script.adopt("production", one, by=by),
        "intent": lambda: script.intend("staging", two, bundle=bundle, by=by),
        "outcome": lambda: script.close("staging", by=by),
        "takeover": lambda: script.add("takeover", by=by, slot=STAGING, intent=intent, reason="left"),
        "rollback": lambda: script.roll_back("staging", release_of("staging", (one, 100)), by=by),
    }
    write[kind]()
    allowed = {"policy": {"owner"}, "sealed": {"decider", "applier"}}.get(kind, {"applier"})
    if by in allowed:
        script.chain()
    else:
        assert broken(script) == "ledger.unlisted_key"


def test_trust_counts_from_its_entry_on(script: Script) -> None:
    world = script.world
    script.adopt("staging", world.version(1))
    trust = world.trust(applier=(), stranger=("apply",))
    script.add("policy", by="owner", active=world.active(trust=trust), reason="another applier")
    script.adopt("production", world.version(1), by="stranger")
    script.chain()
    script.adopt("production", world.version(1), by="applier")
    assert broken(script) == "ledger.unlisted_key"


def test_a_key_of_one_environment_writes_there_only(script: Script) -> None:
    world = script.world
    document = world.trust().document()
    for key in document["keys"]:
        key["environments"] = ["staging"]
    trust = type(world.trust()).model_validate(document)
    world.store.put(canonical_bytes(trust.document()))
    script.add("policy", by="owner", active=world.active(trust=trust), reason="staging only")
    script.adopt("staging", world.version(1))
    script.seal(world.version(1))
    script.chain()
    script.adopt("production", world.version(1))
    assert broken(script) == "ledger.unlisted_key"


def test_a_trust_document_that_cannot_be_had_is_found(script: Script) -> None:
    name = script.world.trust().digest.removeprefix("sha256:")
    path = script.world.root / "store" / "sha256" / name[:2] / name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"apply", b"APPLY"))
    assert broken(script) == "ledger.trust"


def test_look_up_that_answers_another_trust_is_found(script: Script) -> None:
    other = script.world.trust(stranger=("apply",))
    with pytest.raises(EvidenceError) as caught:
        Chain.read(script.raws, root=script.root, trust=lambda _: other)
    assert caught.value.code == "ledger.trust"


# (4) slots


def test_one_open_intent_at_most(script: Script) -> None:
    two = script.world.version(2)
    bundle = script.seal(two)
    script.intend("staging", two, bundle=bundle)
    script.intend("staging", two, bundle=bundle)
    assert broken(script) == "ledger.slot"


def test_an_intent_in_another_slot_is_no_obstacle(script: Script) -> None:
    two = script.world.version(2)
    bundle = script.seal(two)
    script.intend("staging", two, bundle=bundle)
    script.intend("production", two, bundle=bundle)
    assert script.chain().open_intent(PRODUCTION) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"expects": name_of("stale")},
        {"expects": None},
        {"before": None},
    ],
)
def test_an_intent_builds_upon_the_last_closing_entry(script: Script, fields: dict[str, Any]) -> None:
    told(script)
    script.intend(
        "staging", script.world.version(2), bundle=script.world.bundle(script.world.version(2)).digest, **fields
    )
    assert broken(script) == "ledger.slot"


def test_an_adopt_during_a_move_is_found(script: Script) -> None:
    two = script.world.version(2)
    script.intend("staging", two, bundle=script.seal(two))
    script.adopt("staging", two)
    assert broken(script) == "ledger.slot"


def test_an_outcome_closes_the_open_intent_once(script: Script) -> None:
    two = script.world.version(2)
    intent = script.intend("staging", two, bundle=script.seal(two))
    outcome = script.close("staging")
    assert script.chain().slot(STAGING).closed == {intent: outcome}
    script.add("outcome", slot=STAGING, intent=intent, status="done", observed=script.chain().release(STAGING))
    assert broken(script) == "ledger.slot"


def test_an_outcome_is_done_only_where_the_wanted_was_observed(script: Script) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.intend("staging", two, bundle=script.seal(two))
    script.close("staging", observed=release_of("staging", (one, 100)))
    assert broken(script) == "ledger.slot"


def test_a_failed_outcome_leaves_the_release_before(script: Script) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one)
    script.intend("staging", two, bundle=script.seal(two))
    script.close("staging", status="failed", observed=release_of("staging", (one, 100)))
    chain = script.chain()
    assert chain.release(STAGING) == release_of("staging", (one, 100))
    assert len(chain.slot(STAGING).known) == 1


def test_a_pending_outcome_leaves_the_intent_open(script: Script) -> None:
    two = script.world.version(2)
    script.intend("staging", two, bundle=script.seal(two))
    script.close("staging", status="pending", observed=None)
    assert script.chain().open_intent(STAGING) is not None


def test_a_takeover_moves_the_ownership(script: Script) -> None:
    two = script.world.version(2)
    intent = script.intend("staging", two, bundle=script.seal(two))
    trust = script.world.trust(stranger=("apply",))
    script.add("policy", by="owner", active=script.world.active(trust=trust), reason="another applier")
    script.add("takeover", by="stranger", slot=STAGING, intent=intent, reason="the first one left")
    move = script.chain().open_intent(STAGING)
    assert move is not None
    assert move.owners == (script.world.key("stranger").public.key_id,)


def test_a_rollback_leaves_a_suspect_and_goes_to_what_is_known_as_done(script: Script) -> None:
    one, two = script.world.version(1), script.world.version(2)
    told(script)
    left = script.chain().release(STAGING)
    assert left is not None
    script.roll_back("staging", release_of("staging", (one, 100)))
    script.close("staging")
    known = script.chain().slot(STAGING).known
    assert [(item.release.approved, item.state, item.adopted) for item in known.values()] == [
        (one, "done", True),
        (two, "suspect", False),
    ]
    script.roll_back("staging", left)
    assert broken(script) == "ledger.slot"


def test_a_reader_refuses_old_measurements_of_what_was_rolled_back(script: Script) -> None:
    two = script.world.version(2)
    told(script)
    ahead = script.seal(two, "by a clock that is ahead", measured_us=NOW + HOUR)
    script.roll_back("staging", release_of("staging", (script.world.version(1), 100)))
    script.close("staging")
    rolled_back = script.chain().time_us
    good = list(script.raws)
    script.intend("staging", two, bundle=ahead)
    assert broken(script) == "ledger.decision"
    for measured_us, code in ((NOW, "ledger.decision"), (rolled_back, "ledger.decision"), (rolled_back + 1, None)):
        script.raws = list(good)
        script.intend("staging", two, bundle=script.seal(two, "again", measured_us=measured_us))
        if code is None:
            assert script.chain().open_intent(STAGING) is not None
        else:
            assert broken(script) == code


def test_a_rollback_to_a_release_that_never_served_is_found(script: Script) -> None:
    told(script)
    script.roll_back("staging", release_of("staging", (script.world.version(9), 100)))
    assert broken(script) == "ledger.slot"


def test_a_bundle_is_sealed_once(script: Script) -> None:
    script.seal(script.world.version(2))
    script.seal(script.world.version(2))
    assert broken(script) == "ledger.sealed"


@pytest.mark.parametrize(
    "changes",
    [
        {"allow": False},
        {"simulated": True},
        {"policy_digest": name_of("loosened")},
        {"trust_digest": name_of("mine")},
        {"valid_until_us": NOW},
        {"now_us": NOW + 10**9},
        {"by": "applier"},
        {"bundle": name_of("not sealed")},
    ],
)
def test_an_intent_carries_a_decision_that_holds(script: Script, changes: dict[str, Any]) -> None:
    world, two = script.world, script.world.version(2)
    bundle = script.seal(two)
    decision = world.decision(
        two, "staging", champion=None, **{"bundle": bundle, "ledger": position_in(script.raws), **changes}
    )
    script.intend("staging", two, bundle=bundle, decision=json.loads(world.store.get(decision)))
    assert broken(script) == "ledger.decision"


def test_an_intent_approves_what_was_decided(script: Script) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.intend("staging", two, bundle=script.seal(two), after=release_of("staging", (one, 100)))
    assert broken(script) == "ledger.decision"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": None}, "ledger.malformed"),
        ({"status": "done"}, "ledger.malformed"),
        ({"owners": ()}, "ledger.malformed"),
        ({"action": "promote"}, "ledger.malformed"),
        ({"slot": PRODUCTION}, "ledger.release"),
        ({"sequence": 7}, "ledger.sequence"),
    ],
)
def test_an_entry_of_another_form_is_found(script: Script, fields: dict[str, Any], code: str) -> None:
    script.adopt("staging", script.world.version(1), **fields)
    assert broken(script) == code


@pytest.mark.parametrize("change", ["subject", "null", "type"])
def test_a_statement_says_what_its_entry_says(script: Script, change: str) -> None:
    """Signed by the right key, and still not an entry."""
    script.adopt("staging", script.world.version(1))
    envelope = json.loads(script.raws[-1])
    predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    subject = [("something else", POLICY)] if change == "subject" else subjects_of(Entry.model_validate(predicate))
    if change == "null":
        predicate["owners"] = None
    kind = PACK_TYPE if change == "type" else ENTRY_TYPE
    script.raws[-1] = seal(kind, subject, predicate, script.world.key("applier"))
    assert broken(script) == "ledger.malformed"


def test_a_bundle_was_sealed_for_its_candidate(script: Script) -> None:
    two, three = script.world.version(2), script.world.version(3)
    script.intend("staging", three, bundle=script.seal(two))
    assert broken(script) == "ledger.decision"


@pytest.mark.parametrize(("decided", "given"), [(5, 100), (5, 6), (100, 5), (None, 100)])
def test_the_share_of_the_traffic_is_the_decisions(script: Script, decided: int | None, given: int) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one)
    bundle = script.seal(two)
    seen = position_in(script.raws)
    decision = script.world.decision(two, "staging", champion=one, bundle=bundle, percent=decided, ledger=seen)
    opened = load_decision(script.world.store, decision)
    shares = ((one, 100 - given), (two, given)) if given < 100 else ((two, 100),)
    after = release_of("staging", *shares, decision=opened.decision_id)
    envelope = parse_json(script.world.store.get(decision))
    script.intend("staging", two, bundle=bundle, after=after, decision=envelope)
    assert broken(script) == "ledger.decision"


@pytest.mark.parametrize("shares", [(95, 4), (100, 100), (0, 0)])
def test_a_release_is_whole(script: Script, shares: tuple[int, int]) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one, after=release_of("staging", (one, shares[0]), (two, shares[1])))
    assert broken(script) == "ledger.release"


# Facts


def facts_for(script: Script, environment: str, number: int, text: str = "", holdout: str | None = "holdout") -> Any:
    world = script.world
    candidate = world.version(number)
    bundle = world.bundle(candidate, text=text, holdout=holdout)
    return facts(
        script.chain(),
        model="flights",
        environment=environment,
        candidate=candidate,
        holdout_digest=bundle.record.holdout_digest,
        bundle_digest=bundle.digest,
        rungs=RUNGS,
    )


def test_facts_of_a_slot(script: Script) -> None:
    told(script)
    staging, production = facts_for(script, "staging", 2), facts_for(script, "production", 2)
    assert not staging.adopted
    assert production.adopted
    assert staging.rung_below is None
    assert production.rung_below.candidate_digest == script.world.version(2).digest
    assert production.release_digest == release_digest(production.release)
    assert [known.state for known in staging.known_releases] == ["done", "done"]
    assert (staging.head, staging.sequence) == (script.head, len(script.raws) - 1)


def test_an_adopted_release_is_no_step_of_the_ladder(script: Script) -> None:
    script.adopt("staging", script.world.version(1))
    assert facts_for(script, "production", 1).rung_below is None


@pytest.mark.parametrize("percent", [1, 99])
def test_a_share_of_the_rung_below_is_no_step_of_the_ladder(script: Script, percent: int) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one)
    script.intend("staging", two, bundle=script.seal(two), percent=percent)
    script.close("staging")
    assert facts_for(script, "production", 2).rung_below is None
    assert facts_for(script, "production", 1).rung_below is None


def test_a_rollback_makes_the_rung_below_no_younger(script: Script) -> None:
    told(script)
    first, left = facts_for(script, "production", 2).rung_below, script.chain().release(STAGING)
    assert first is not None
    assert left is not None
    three = script.world.version(3)
    script.intend("staging", three, bundle=script.seal(three))
    script.close("staging")
    assert facts_for(script, "production", 3).rung_below.time_us > first.time_us
    script.roll_back("staging", left)
    script.close("staging")
    assert facts_for(script, "production", 2).rung_below == first


def test_facts_where_nothing_serves(script: Script) -> None:
    answer = facts_for(script, "staging", 1)
    assert (answer.release, answer.release_digest, answer.adopted, answer.looks) == (None, None, False, 1)


def test_no_policy_no_facts(script: Script) -> None:
    with pytest.raises(EvidenceError) as caught:
        facts_for(script, "elsewhere", 1)
    assert caught.value.code == "ledger.policy"


def test_looks_count_bundles_over_all_candidates(script: Script) -> None:
    two, three = script.world.version(2), script.world.version(3)
    assert facts_for(script, "staging", 2).looks == 1
    script.seal(two)
    script.seal(two, "again")
    script.seal(three)
    script.seal(three, "elsewhere", holdout="another holdout")
    script.seal(three, "none", holdout=None)
    first, second, third = (
        facts_for(script, "staging", 2),
        facts_for(script, "staging", 2, "again"),
        facts_for(script, "staging", 3),
    )
    assert (first.looks, second.looks, third.looks) == (1, 2, 3)
    assert facts_for(script, "production", 2).looks == 1
    assert facts_for(script, "staging", 4).looks == 4
    assert (first.attempts, third.attempts, facts_for(script, "staging", 4).attempts) == (2, 3, 0)
    assert first.candidates_judged == 2
    assert facts_for(script, "staging", 3, "elsewhere", "another holdout").looks == 1
    without = facts_for(script, "staging", 3, "none", None)
    assert (without.looks, without.candidates_judged) == (1, 0)


# Writing


def test_a_sealed_bundle_is_entered_once(world: World) -> None:
    bundle = world.bundle(world.version(2))
    first = append_sealed(world.writer("decider"), bundle)
    assert append_sealed(world.writer("applier", NOW + 5), bundle) == first
    assert len(world.ledger.entries()) == 2


@pytest.mark.parametrize("person", ["owner", "stranger"])
def test_who_may_neither_decide_nor_apply_seals_nothing(world: World, person: str) -> None:
    with pytest.raises(Refused) as caught:
        append_sealed(world.writer(person), world.bundle(world.version(2)))
    assert caught.value.code == "key.unlisted"
    assert "gates trust add" in str(caught.value)


def test_policy_is_activated_by_its_owners_only(world: World) -> None:
    with pytest.raises(Refused) as caught:
        activate_policy(world.writer("applier"), world.active(policy=name_of("loosened")), reason="mine")
    assert caught.value.code == "key.unlisted"
    activate_policy(world.writer("owner"), world.active(policy=name_of("new")), reason="a new policy")
    assert world.writer().read().active("staging").policy_digest == name_of("new")


def test_a_trust_document_that_the_store_lacks_is_never_activated(world: World) -> None:
    active = (ActivePolicy(environment="staging", policy_digest=POLICY, trust_digest=name_of("nowhere")),)
    with pytest.raises(EvidenceError) as caught:
        activate_policy(world.writer("owner"), active, reason="a mistake")
    assert caught.value.code == "ledger.trust"
    assert len(world.ledger.entries()) == 1


def test_a_lost_head_is_tried_again_and_time_does_not_go_back(world: World) -> None:
    one, two = world.bundle(world.version(1)), world.bundle(world.version(2))
    early = world.writer("decider", NOW)
    append_sealed(world.writer("decider", NOW + 1_000_000), one)
    append_sealed(early, two)
    chain = early.read()
    assert chain.entries[-1].entry.time_us == NOW + 1_000_000


def test_a_clock_that_is_far_behind_is_said(world: World) -> None:
    with pytest.raises(EngineError) as caught:
        append_sealed(world.writer("decider", NOW - 10**9), world.bundle(world.version(1)))
    assert caught.value.code == "ledger.clock"


def test_only_the_rows_are_judged_and_not_the_database_file(world: World) -> None:
    """Flip each byte of the file: the ledger is refused, or its rows are the same."""
    append_sealed(world.writer("decider"), world.bundle(world.version(1)))
    path = world.ledger.path
    content, rows = path.read_bytes(), world.ledger.entries()
    for place in range(0, len(content), 131):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        try:
            read_ledger(world.ledger, world.store, world.writer().root)
        except (EvidenceError, EngineError):
            continue
        assert world.ledger.entries() == rows
    path.write_bytes(content)
    assert digest_bytes(world.ledger.entries()[0]) == world.writer().root
