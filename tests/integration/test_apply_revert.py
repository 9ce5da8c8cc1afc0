"""Changed beside the ledger: found, refused by a promotion, and put back by a reasoned entry that moves no slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from move_checks import refused
from simulators.apply_world import MODEL, NOW, World, slot_in
from simulators.entries import Script
from simulators.killer import Countdown, Mortal, run_and_kill

from gates.apply.promote import promote
from gates.apply.revert import revert, strange
from gates.apply.serving.interface import Serves, ServesNothing
from gates.apply.surfaces import Surfaces
from gates.errors import EvidenceError, UsageError

STAGING = slot_in("staging")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


def made(folder: Path) -> World:
    """Version 1 was adopted in staging, then version 2 promoted."""
    world = World(folder)
    world.begin()
    world.adopt("staging", 1)
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    return world


def edited(world: World) -> None:
    path = world.serving("staging").path
    path.write_text(path.read_text().replace('"percent": 100', '"percent": 99', 1))


def wrecked(world: World) -> None:
    world.serving("staging").path.write_bytes(b"\xff")


def lost(world: World) -> None:
    world.serving("staging").path.unlink()


def alias_moved(world: World) -> None:
    world.registry.set_alias(MODEL, "deployed-staging", "1")


def alias_gone(world: World) -> None:
    world.registry.delete_alias(MODEL, "approved-staging")


def both(world: World) -> None:
    edited(world)
    alias_moved(world)


BY_HAND = [edited, wrecked, lost, alias_moved, alias_gone, both]


def put_back(world: World, reason: str = "by hand, and not by anybody here", person: str = "applier") -> object:
    return revert(world.writer(person, NOW + 1), world.surfaces("staging"), STAGING, reason=reason)


def as_the_ledger_has_it(world: World) -> None:
    chain = world.writer().read()
    assert strange(world.surfaces("staging"), STAGING, chain) == ()
    observed = world.serving("staging").read()
    assert isinstance(observed, Serves)
    assert observed.release == chain.slot(STAGING).standing.release
    assert world.registry.aliases(MODEL) == chain.expected_aliases(MODEL)


@pytest.mark.parametrize("change", BY_HAND)
def test_a_promotion_refuses_it_and_a_revert_puts_it_back(world: World, change: Callable[[World], None]) -> None:
    decision, before = world.allowed("staging", 3), world.writer().read().slot(STAGING)
    change(world)
    code = "alias.unexplained" if change in (alias_moved, alias_gone, both) else "serving.unexplained"
    refused(world, code, lambda: promote(world.writer(), world.surfaces("staging"), decision))
    assert strange(world.surfaces("staging"), STAGING, world.writer().read())
    put_back(world)
    as_the_ledger_has_it(world)
    chain = world.writer().read()
    entry = chain.entries[-1].entry
    assert (entry.kind, entry.reason) == ("revert", "by hand, and not by anybody here")
    assert (entry.after, entry.before is None) == (before.standing.release, change in (wrecked, lost))
    assert chain.slot(STAGING) == before
    # Decided before it, and still carried out: nothing moved since.
    assert promote(world.writer(now_us=NOW + 2), world.surfaces("staging"), decision).status == "done"


def test_what_the_ledger_explains_and_who_may_not_are_refused(world: World) -> None:
    refused(world, "revert.nothing", lambda: put_back(world))
    edited(world)
    refused(world, "reason.missing", lambda: put_back(world, " "), UsageError)
    refused(world, "key.unlisted", lambda: put_back(world, person="decider"))
    decision = world.allowed("staging", 3)
    put_back(world)
    countdown = Countdown(2)
    writer = replace(world.writer(), ledger=Mortal(world.ledger, countdown))
    target = Mortal(world.serving("staging"), countdown)
    assert run_and_kill(lambda: promote(writer, Surfaces(world.registry, target), decision))  # type: ignore[arg-type]
    refused(world, "slot.open", lambda: put_back(world))


def test_where_nothing_serves_an_alias_and_a_target_by_hand_go(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.begin()
    world.adopt("production", 1)
    release = world.writer().read().release(slot_in("production"))
    assert release is not None
    world.serving("staging").write(release.model_copy(update={"environment": "staging"}))
    world.registry.set_alias(MODEL, "approved-staging", "1")
    put_back(world)
    assert isinstance(world.serving("staging").read(), ServesNothing)
    assert "approved-staging" not in world.registry.aliases(MODEL)
    assert world.writer().read().entries[-1].entry.kind == "revert"


def test_killed_anywhere_it_is_run_again(tmp_path: Path) -> None:
    for effects in range(12):
        world = made(tmp_path / str(effects))
        both(world)
        countdown = Countdown(effects)
        writer = replace(world.writer(now_us=NOW + 1), ledger=Mortal(world.ledger, countdown))
        surfaces = Surfaces(Mortal(world.registry, countdown), Mortal(world.serving("staging"), countdown))  # type: ignore[arg-type]
        killed = run_and_kill(lambda w=writer, s=surfaces: revert(w, s, STAGING, reason="by hand"))
        if strange(world.surfaces("staging"), STAGING, world.writer().read()):
            put_back(world)
        as_the_ledger_has_it(world)
        if not killed:
            break
    # entry, target, alias, pack, tag
    assert effects == 5


def test_a_revert_to_another_release_is_no_entry(world: World) -> None:
    script = Script(world)
    one = next(iter(world.writer().read().slot(STAGING).known.values())).release
    script.add("revert", by="applier", slot=STAGING, after=one, reason="to version 1")
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.code == "ledger.slot"
