"""What a reader believes of a slot: moves that begin, end and are taken over, and what their entries must say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ledger_story import PRODUCTION, STAGING, broken, told
from simulators.apply_world import HOUR, NOW, POLICY, name_of, position_in
from simulators.entries import Script, release_of

from gates.apply.ledger.shape import subjects_of
from gates.bundle.canonical import parse_json
from gates.bundle.decisions import load_decision
from gates.bundle.envelope import seal
from gates.records import Entry
from gates.records.release import ENTRY_TYPE, PACK_TYPE


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
