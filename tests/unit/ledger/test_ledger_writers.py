"""Who writes into the ledger, and what a writer refuses before it does."""

from __future__ import annotations

import pytest
from simulators.apply_world import NOW, POLICY, World, name_of

from gates.apply.policy import activate_policy
from gates.apply.sealed import append_sealed
from gates.apply.writer import read_ledger
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError, Refused
from gates.records import ActivePolicy


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
