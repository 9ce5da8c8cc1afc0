"""What serves after a move, and that one that was refused moved nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulators.apply_world import MODEL, World

from gates.apply.ledger.shape import release_digest
from gates.apply.serving.interface import Serves
from gates.errors import GatesError, Refused
from gates.records import Release


def state(world: World) -> tuple[Any, ...]:
    """Everything that a move may change."""
    serving = {e: world.serving(e).read() for e in ("staging", "production")}
    return world.ledger.entries(), world.registry.aliases(MODEL), serving


def shares(release: Release | None) -> list[tuple[str, int]]:
    assert release is not None
    return [(route.version.version, route.percent) for route in release.routes]


def served(world: World, environment: str) -> list[tuple[str, int]]:
    observed = world.serving(environment).read()
    assert isinstance(observed, Serves)
    assert observed.stated == release_digest(observed.release)
    return shares(observed.release)


def refused(world: World, code: str, call: Callable[[], object], kind: type[GatesError] = Refused) -> GatesError:
    """The call is refused with the code, and nothing anywhere changed."""
    before = state(world)
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.remedy
    assert state(world) == before
    return caught.value
