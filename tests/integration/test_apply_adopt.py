"""What serves is entered into the ledger: over a real ledger, a real serving file and a registry simulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from move_checks import refused, served
from simulators.apply_world import MODEL, World, slot_in

from gates.apply.adopt import adopt
from gates.apply.rollback import rollback
from gates.errors import EvidenceError, UsageError
from gates.records.release import Pin

STAGING, PRODUCTION = slot_in("staging"), slot_in("production")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 adopted in both slots."""
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    world.adopt("production", 1)
    return world


def test_adopt_enters_what_serves_and_moves_no_traffic(world: World) -> None:
    chain = world.writer().read()
    assert chain.release(PRODUCTION) is not None
    assert (
        world.registry.aliases(MODEL)
        == chain.expected_aliases(MODEL)
        == {
            "approved-production": "1",
            "approved-staging": "1",
            "champion": "1",
            "deployed-production": "1",
            "deployed-staging": "1",
        }
    )
    assert served(world, "production") == [("1", 100)]


def test_adopt_of_another_release_than_the_target_states_is_refused(world: World) -> None:
    world.version(2)
    refused(world, "adopt.not_serving", lambda: world.adopt("staging", 2))
    refused(world, "adopt.not_serving", lambda: world.adopt("staging", 1, flags=(Pin(name="f", value=True),)))


def test_adopt_takes_over_an_edit_by_hand(world: World) -> None:
    two = world.version(2)
    path = world.serving("staging").path
    document = json.loads(path.read_text())
    document["routes"] = [{"version": "2", "digest": two.digest, "percent": 100}]
    path.write_text(json.dumps(document))
    world.adopt("staging", 2)
    assert served(world, "staging") == [("2", 100)]
    assert world.registry.aliases(MODEL)["deployed-staging"] == "2"
    assert [known.state for known in world.writer().read().slot(STAGING).known.values()] == ["done", "done"]


def test_a_lost_target_is_written_again_by_adopting_what_the_ledger_names(world: World) -> None:
    world.serving("staging").path.unlink()
    error = refused(world, "adopt.not_serving", lambda: world.adopt("staging", 2))
    assert world.version(1).uri in str(error.remedy)
    refused(world, "adopt.not_serving", lambda: world.adopt("staging", 1, decision_threshold=0.5))
    world.adopt("staging", 1)
    assert served(world, "staging") == [("1", 100)]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_adopt_and_rollback_need_a_reason(world: World, reason: str) -> None:
    release = world.writer().read().release(STAGING)
    assert release is not None
    surfaces = world.surfaces("staging")
    refused(world, "reason.missing", lambda: adopt(world.writer(), surfaces, release, reason=reason), UsageError)
    refused(world, "reason.missing", lambda: rollback(world.writer(), surfaces, STAGING, reason=reason), UsageError)


def test_adopt_of_bytes_that_are_not_registered_is_refused(world: World) -> None:
    world.registry.path(MODEL, "1").write_bytes(b"others")
    release = world.writer().read().release(STAGING)
    assert release is not None
    surfaces = world.surfaces("staging")
    refused(world, "model.bytes_changed", lambda: adopt(world.writer(), surfaces, release, reason="x"), EvidenceError)
