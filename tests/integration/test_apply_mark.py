"""A release that is marked bad: no rollback goes there, with the ledger or by the pack, and its version needs new evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from move_checks import refused, served
from simulators.apply_world import MODEL, NOW, World, name_of, slot_in

from gates.apply.ledger.acts import action_facts
from gates.apply.mark import mark_bad
from gates.apply.offline import Offline, rollback_offline
from gates.apply.pack import has_pack
from gates.apply.promote import promote
from gates.apply.reconcile import look, reconcile
from gates.apply.rollback import rollback
from gates.errors import Refused, UsageError

STAGING = slot_in("staging")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Versions 1, 2 and 3 were done in staging, in this order."""
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    for number in (2, 3):
        promote(world.writer(), world.surfaces("staging"), world.allowed("staging", number))
    return world


def releases(world: World) -> list[str]:
    return list(world.writer().read().slot(STAGING).known)


def marked(world: World, at: int, reason: str = "its training data were wrong", person: str = "applier") -> str:
    writer = world.writer(person, NOW + 1)
    return mark_bad(writer, world.serving("staging"), STAGING, releases(world)[at], reason=reason)


def test_no_rollback_goes_to_it_with_or_without_the_ledger(world: World) -> None:
    before = served(world, "staging"), world.registry.aliases(MODEL)
    entry = marked(world, 1)
    assert marked(world, 1, "again") == entry
    assert (served(world, "staging"), world.registry.aliases(MODEL)) == before
    chain = world.writer().read()
    assert (chain.entries[-1].digest, chain.entries[-1].entry.kind) == (entry, "bad")
    assert [each.state for each in action_facts(chain, STAGING).served] == ["done", "bad", "done"]
    two = releases(world)[1]
    refused(
        world,
        "rollback.no_target",
        lambda: rollback(world.writer(), world.surfaces("staging"), STAGING, reason="x", to=two),
    )
    offline = Offline((world.root / "root").read_text(), world.key("applier"), NOW + 5, ("no route",))
    with pytest.raises(Refused) as caught:
        rollback_offline(offline, world.surfaces("staging"), STAGING, reason="x", to=two)
    assert caught.value.code == "rollback.no_target"
    rollback(world.writer(now_us=NOW + 6), world.surfaces("staging"), STAGING, reason="x")
    assert served(world, "staging") == [("1", 100)]


def test_what_serves_is_marked_and_stays_bad_once_it_is_left(world: World) -> None:
    marked(world, 2)
    assert served(world, "staging") == [("3", 100)]
    rollback(world.writer(now_us=NOW + 2), world.surfaces("staging"), STAGING, reason="x")
    assert served(world, "staging") == [("2", 100)]
    assert [known.state for known in world.writer().read().slot(STAGING).known.values()] == ["done", "done", "bad"]


def test_its_version_is_promoted_on_new_evidence_only(world: World) -> None:
    old = world.allowed("staging", 2, text="before")
    marked(world, 1)
    refused(world, "release.suspect", lambda: promote(world.writer(), world.surfaces("staging"), old))
    new = world.allowed("staging", 2, text="after", now_us=NOW + 10)
    promote(world.writer(now_us=NOW + 11), world.surfaces("staging"), new)
    assert served(world, "staging") == [("2", 100)]


def test_an_older_pack_beside_the_target_is_found_and_written_again(world: World) -> None:
    old = world.serving("staging").pack()
    assert old is not None
    marked(world, 1)
    world.serving("staging").keep_pack(old)
    assert not has_pack(world.serving("staging"), world.writer().read(), STAGING)
    writer, surfaces = world.writer(now_us=NOW + 2), world.surfaces("staging")
    assert look(writer, surfaces, STAGING).left == "pack"
    reconcile(writer, surfaces, STAGING, "finish")
    assert look(writer, surfaces, STAGING).left == "nothing"


def test_who_may_not_and_what_never_served_are_refused(world: World) -> None:
    refused(world, "reason.missing", lambda: marked(world, 1, " "), UsageError)
    refused(world, "key.unlisted", lambda: marked(world, 1, person="decider"))
    writer, serving = world.writer(), world.serving("staging")
    refused(world, "mark.unknown", lambda: mark_bad(writer, serving, STAGING, name_of("nothing"), reason="x"))
