"""Promotions in development, which has no ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from move_checks import refused, served
from simulators.apply_world import MODEL, NOW, World, slot_in

from gates.apply.promote import promote_in_development
from gates.apply.serving.interface import ServesNothing
from gates.errors import EvidenceError, Refused, UsageError

STAGING, PRODUCTION = slot_in("staging"), slot_in("production")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 adopted in both slots."""
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    world.adopt("production", 1)
    return world


def test_development_has_no_ledger(tmp_path: Path) -> None:
    world = World(tmp_path)
    decision = world.decision(world.version(1), "development", champion=None, by="stranger")
    surfaces = world.surfaces("development")
    applied = promote_in_development(world.store, surfaces, decision, now_us=NOW)
    assert (applied.intent, applied.outcome, applied.pack) == (None, None, None)
    assert served(world, "development") == [("1", 100)]
    assert world.registry.aliases(MODEL) == {"approved-development": "1", "deployed-development": "1"}
    assert not world.ledger.path.exists()


@pytest.mark.parametrize(
    ("environment", "changes", "code"),
    [
        ("staging", {}, "ledger.needed"),
        ("development", {"allow": False}, "decision.denied"),
        ("development", {"simulated": True}, "decision.simulated"),
        ("development", {"valid_until_us": NOW}, "decision.expired"),
    ],
)
def test_development_is_easy_and_not_blind(
    tmp_path: Path, environment: str, changes: dict[str, Any], code: str
) -> None:
    world = World(tmp_path)
    decision = world.decision(world.version(1), environment, champion=None, **changes)
    surfaces = world.surfaces(environment)
    refused(
        world,
        code,
        lambda: promote_in_development(world.store, surfaces, decision, now_us=NOW),
        UsageError if code == "ledger.needed" else Refused,
    )


def test_development_serves_the_bytes_that_were_measured(tmp_path: Path) -> None:
    world = World(tmp_path)
    decision = world.decision(world.version(1), "development", champion=None)
    world.registry.path(MODEL, "1").write_bytes(b"others")
    surfaces = world.surfaces("development")
    with pytest.raises(EvidenceError) as caught:
        promote_in_development(world.store, surfaces, decision, now_us=NOW)
    assert caught.value.code == "model.bytes_changed"
    assert surfaces.serving.read() == ServesNothing()
