"""What a reader of the ledger believes, and every way in which a forger, a crash or a mistake is found."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from ledger_story import PRODUCTION, STAGING, broken, told
from simulators.apply_world import NOW, POLICY, World, name_of, slot_in
from simulators.entries import Script

from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.opening import ledger_root
from gates.apply.policy import begin_ledger
from gates.apply.sealed import append_sealed
from gates.bundle.canonical import canonical_bytes
from gates.errors import EvidenceError, UsageError


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
