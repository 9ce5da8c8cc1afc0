"""Retirement: nothing follows, and it is finished or taken back wherever it was interrupted, also without the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import MODEL, NOW, Agrees, World, slot_in
from simulators.killer import Countdown, Mortal, run_and_kill

from gates.apply.ledger.shape import release_digest
from gates.apply.offline import Offline, rollback_offline
from gates.apply.pack import open_pack
from gates.apply.promote import promote
from gates.apply.reconcile import look, reconcile
from gates.apply.retire import retire
from gates.apply.rollback import rollback
from gates.apply.saga import Applied
from gates.apply.serving.interface import Serves, ServesNothing
from gates.apply.surfaces import Surfaces
from gates.errors import Refused

STAGING = slot_in("staging")
EFFECTS = 6
"""Intent, target, approved, deployed, outcome, pack."""


def made(folder: Path) -> World:
    """Version 1 was adopted in staging, then version 2 promoted."""
    world = World(folder)
    world.begin()
    world.adopt("staging", 1)
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


def retired(world: World, effects: int = 99) -> Applied:
    """Retire what serves in staging; dies before an effect where there are more than `effects`."""
    countdown = Countdown(effects)
    writer = replace(world.writer(), ledger=Mortal(world.ledger, countdown))
    surfaces = Surfaces(Mortal(world.registry, countdown), Mortal(world.serving("staging"), countdown))  # type: ignore[arg-type]
    judge: Any = Agrees(world)
    return retire(writer, surfaces, STAGING, judge, reason="nobody asks it", traffic=None, approvals=())


def finished(world: World) -> None:
    state = world.writer().read().slot(STAGING)
    assert (state.open, state.standing.release, state.came_by) == (None, None, "retire")
    assert isinstance(world.serving("staging").read(), ServesNothing)
    assert world.registry.aliases(MODEL) == {}
    raw = world.serving("staging").pack()
    assert raw is not None
    pack = open_pack(raw, root=(world.root / "root").read_text(), slot=STAGING, where="pack")
    assert (pack.closing, pack.release) == (state.last_closing, None)
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"


def serves(world: World) -> str:
    observed = world.serving("staging").read()
    assert isinstance(observed, Serves)
    return observed.release.approved.version


def again(world: World) -> None:
    retired(world)
    finished(world)


def forward(world: World) -> None:
    begun = look(world.writer(), world.surfaces("staging"), STAGING)
    if begun.left == "nothing":
        return
    if begun.left == "open":
        assert begun.said.startswith("a retirement to nothing")
    reconcile(world.writer(now_us=NOW + 1), world.surfaces("staging"), STAGING, "finish")
    finished(world)


def back(world: World) -> None:
    begun = look(world.writer(), world.surfaces("staging"), STAGING)
    if not begun.undo:
        return
    done = reconcile(world.writer(now_us=NOW + 1), world.surfaces("staging"), STAGING, "undo")
    assert (done.status, serves(world)) == ("failed", "2")
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"
    assert world.registry.aliases(MODEL) == world.writer().read().expected_aliases(MODEL)


@pytest.mark.parametrize("after", [again, forward, back])
def test_killed_at_any_effect_it_is_finished_or_taken_back(tmp_path: Path, after: Callable[[World], None]) -> None:
    for effects in range(EFFECTS + 1):
        world = made(tmp_path / str(effects))
        killed = run_and_kill(lambda w=world, n=effects: retired(w, n))
        assert killed == (effects < EFFECTS)
        after(world)


def test_without_the_ledger_what_was_retired_comes_back_from_the_pack(world: World) -> None:
    left = world.writer().read().slot(STAGING).release_digest
    retired(world)
    world.ledger.path.rename(world.root / "ledger.away")
    offline = Offline(
        (world.root / "root").read_text(), world.key("applier"), NOW + 5, ("ledger.unavailable: no route",)
    )
    done = rollback_offline(offline, world.surfaces("staging"), STAGING, reason="somebody asks it after all")
    assert (done.status, done.journalled, serves(world)) == ("done", True, "2")
    with pytest.raises(Refused) as caught:
        rollback_offline(offline, world.surfaces("staging"), STAGING, reason="again")
    assert caught.value.code == "rollback.no_target"
    (world.root / "ledger.away").rename(world.ledger.path)
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "journal"
    entered = reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish")
    chain = world.writer().read()
    assert (entered.status, chain.slot(STAGING).release_digest) == ("done", left)
    assert {known.state for known in chain.slot(STAGING).known.values()} == {"done"}
    assert world.registry.aliases(MODEL) == chain.expected_aliases(MODEL)
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"


def test_a_target_that_was_cleared_by_hand_is_not_a_retirement(world: World) -> None:
    world.serving("staging").clear()
    offline = Offline((world.root / "root").read_text(), world.key("applier"), NOW + 5, ("no route",))
    with pytest.raises(Refused) as caught:
        rollback_offline(offline, world.surfaces("staging"), STAGING, reason="x")
    assert caught.value.code == "serving.unexplained"


def test_a_rollback_brings_back_what_was_retired_and_not_what_was_new_last(world: World) -> None:
    """Version 2 was done later than version 1, and yet version 1 is what was retired."""
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 1, text="again"))
    one = world.writer().read().slot(STAGING).standing.release
    assert one is not None
    retired(world)
    rollback(world.writer(), world.surfaces("staging"), STAGING, reason="somebody asks it after all")
    assert serves(world) == "1"
    assert world.writer().read().slot(STAGING).release_digest == release_digest(one)
