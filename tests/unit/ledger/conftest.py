"""A ledger that was just begun, and somebody who writes entries into it, right or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators.apply_world import World
from simulators.entries import Script


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.begin()
    return world


@pytest.fixture
def script(world: World) -> Script:
    return Script(world)
