"""Rollback: a whole earlier release, by authority and with a reason; what cannot be reached is a debt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import MODEL, NOW, World, name_of, slot_in

from gates.apply.ledger.facts import facts
from gates.apply.ledger.shape import release_digest
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.saga import Applied
from gates.apply.sealed import append_sealed
from gates.apply.serving.interface import Serves
from gates.apply.surfaces import Surfaces
from gates.errors import EvidenceError, Refused
from gates.records import Digest, Release
from gates.records.release import Pin

STAGING, PRODUCTION = slot_in("staging"), slot_in("production")
FLAGS = (Pin(name="new-price", value=False), Pin(name="ratio", value=0.5))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 adopted in both slots, with flags and a threshold; then version 2 promoted to staging."""
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1, flags=FLAGS, decision_threshold=0.25, image_digest=name_of("image"))
    world.adopt("production", 1)
    go(world, 2)
    return world


def go(world: World, number: int, text: str = "") -> Digest:
    applied = promote(world.writer(), world.surfaces("staging"), world.allowed("staging", number, text=text))
    assert applied.wanted is not None
    return release_digest(applied.wanted)


def back(world: World, to: Digest | None = None) -> Applied:
    return rollback(world.writer(), world.surfaces("staging"), STAGING, reason="complaints", to=to)


def serving(world: World, environment: str = "staging") -> Release:
    observed = world.serving(environment).read()
    assert isinstance(observed, Serves)
    return observed.release


def known(world: World) -> dict[str, str]:
    releases = world.writer().read().slot(STAGING).known.values()
    return {item.release.approved.version: item.state for item in releases}


def refuses(world: World, code: str, to: Digest | None = None) -> Refused:
    entries, target = world.ledger.entries(), world.serving("staging").path.read_bytes()
    with pytest.raises(Refused) as caught:
        back(world, to)
    assert caught.value.code == code
    assert (world.ledger.entries(), world.serving("staging").path.read_bytes()) == (entries, target)
    return caught.value


def test_the_whole_release_comes_back(world: World) -> None:
    applied = back(world)
    restored = serving(world)
    assert (applied.status, applied.debts, applied.observed) == ("done", (), restored)
    assert (restored.flags, restored.decision_threshold) == (FLAGS, 0.25)
    assert restored.image_digest == name_of("image")
    aliases = world.registry.aliases(MODEL)
    assert (aliases["approved-staging"], aliases["deployed-staging"], aliases["champion"]) == ("1", "1", "1")
    assert known(world) == {"1": "done", "2": "suspect"}


def test_a_canary_is_taken_back(world: World) -> None:
    promote(world.writer(), world.surfaces("production"), world.allowed("production", 3, percent=5))
    rollback(world.writer(), world.surfaces("production"), PRODUCTION, reason="complaints")
    assert [(r.version.version, r.percent) for r in serving(world, "production").routes] == [("1", 100)]
    assert world.registry.aliases(MODEL)["approved-production"] == "1"


def test_a_rollout_is_taken_back_whole_and_an_earlier_step_by_name(world: World) -> None:
    for percent in (5, 25):
        promote(world.writer(), world.surfaces("production"), world.allowed("production", 3, percent=percent))
    state = world.writer().read().slot(PRODUCTION)
    step = next(
        digest for digest, known in state.known.items() if any(route.percent == 5 for route in known.release.routes)
    )
    rollback(world.writer(), world.surfaces("production"), PRODUCTION, reason="complaints")
    assert [(r.version.version, r.percent) for r in serving(world, "production").routes] == [("1", 100)]
    rollback(world.writer(), world.surfaces("production"), PRODUCTION, reason="it was the network", to=step)
    assert sorted(r.percent for r in serving(world, "production").routes) == [5, 95]


def test_the_default_is_the_last_good_one_before_the_present(world: World) -> None:
    two = go(world, 2, "again")
    back(world)
    assert serving(world).approved.version == "2"
    assert serving(world).decision_digest is not None
    go(world, 3)
    back(world)
    assert serving(world).approved.version == "2"
    assert release_digest(serving(world)) != two


def test_going_further_back_is_said_by_name(world: World) -> None:
    go(world, 3)
    first = world.writer().read().slot(STAGING).known
    back(world)
    error = refuses(world, "rollback.no_target")
    oldest = next(iter(first))
    assert oldest in str(error.remedy)
    back(world, oldest)
    assert serving(world).approved.version == "1"
    assert back(world, oldest).resumed


def test_a_suspect_is_no_target(world: World) -> None:
    two = release_digest(serving(world))
    back(world)
    assert "suspect" in refuses(world, "rollback.no_target", two).message


def test_a_release_of_another_slot_is_no_target(world: World) -> None:
    there = next(iter(world.writer().read().slot(PRODUCTION).known))
    refuses(world, "rollback.no_target", there)
    refuses(world, "rollback.no_target", name_of("anything"))
    refuses(world, "rollback.no_target", release_digest(serving(world)))


def test_without_an_earlier_release_there_is_no_target(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.begin()
    with pytest.raises(Refused) as caught:
        back(world)
    assert caught.value.code == "rollback.no_target"
    world.adopt("staging", 1)
    refuses(world, "rollback.no_target")


def test_quality_is_not_asked_but_bytes_are(world: World) -> None:
    world.registry.path(MODEL, "1").write_bytes(b"others")
    with pytest.raises(EvidenceError) as caught:
        back(world)
    assert caught.value.code == "model.bytes_changed"
    assert serving(world).approved.version == "2"


def test_a_target_that_somebody_edited_is_refused(world: World) -> None:
    path = world.serving("staging").path
    path.write_text(path.read_text().replace('"percent": 100', '"percent": 99'))
    refuses(world, "serving.unexplained")


def test_a_registry_that_is_down_is_a_debt(world: World) -> None:
    world.registry.down = True
    applied = back(world)
    assert serving(world).approved.version == "1"
    assert any("not hashed again" in debt for debt in applied.debts)
    assert any("neither moved" in debt for debt in applied.debts)
    chain = world.writer().read()
    assert chain.slot(STAGING).debts == applied.debts
    assert chain.entries[-1].entry.debts == applied.debts
    world.registry.down = False
    assert world.registry.aliases(MODEL)["deployed-staging"] == "2"
    settled = back(world)
    assert (settled.resumed, settled.debts, settled.intent) == (True, (), applied.intent)
    assert world.registry.aliases(MODEL) == chain.expected_aliases(MODEL)
    newest = world.writer().read()
    assert (newest.head, newest.slot(STAGING).debts) == (settled.outcome, ())
    assert newest.slot(STAGING).known == chain.slot(STAGING).known


def test_a_registry_that_goes_down_in_between_is_a_debt_too(world: World) -> None:
    class GoesDown:
        def __getattr__(self, name: str) -> Any:
            if name == "set_alias":
                world.registry.down = True
            return getattr(world.registry, name)

    surfaces = Surfaces(GoesDown(), world.serving("staging"))  # type: ignore[arg-type]
    applied = rollback(world.writer(), surfaces, STAGING, reason="complaints")
    assert serving(world).approved.version == "1"
    assert [debt for debt in applied.debts if "neither moved" in debt]


def test_the_next_promotion_settles_a_debt_too(world: World) -> None:
    world.registry.down = True
    back(world)
    world.registry.down = False
    go(world, 3)
    assert world.registry.aliases(MODEL) == world.writer().read().expected_aliases(MODEL)


def test_a_debt_explains_only_what_it_left_behind(world: World) -> None:
    world.registry.down = True
    back(world)
    world.registry.down = False
    world.version(3)
    world.registry.set_alias(MODEL, "deployed-staging", "3")
    decision = world.allowed("staging", 3)
    with pytest.raises(Refused) as caught:
        promote(world.writer(), world.surfaces("staging"), decision)
    assert caught.value.code == "alias.unexplained"


def test_an_alias_moved_by_hand_does_not_keep_bad_traffic_and_is_not_overwritten(world: World) -> None:
    world.version(3)
    world.registry.set_alias(MODEL, "approved-staging", "3")
    applied = back(world)
    assert serving(world).approved.version == "1"
    aliases = world.registry.aliases(MODEL)
    assert (aliases["approved-staging"], aliases["deployed-staging"]) == ("3", "1")
    assert [debt for debt in applied.debts if "approved-staging" in debt]
    with pytest.raises(Refused) as caught:
        go(world, 3)
    assert caught.value.code == "alias.unexplained"
    world.registry.set_alias(MODEL, "approved-staging", "1")
    go(world, 3, "after all")


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_promoting_a_suspect_again_needs_new_evidence(world: World, environment: str) -> None:
    """Left in staging, it is suspect in production too."""
    before = world.bundle(world.version(2), text="before")
    append_sealed(world.writer("decider"), before)
    back(world)
    stale = world.decision(world.version(2), environment, champion=world.version(1), bundle=before.digest)
    with pytest.raises(Refused) as caught:
        promote(world.writer(), world.surfaces(environment), stale)
    assert caught.value.code == "release.suspect"
    sealed_again = world.allowed(environment, 2, text="the same measurements")
    with pytest.raises(Refused) as caught:
        promote(world.writer(), world.surfaces(environment), sealed_again)
    assert caught.value.code == "release.suspect"
    fresh = world.allowed(environment, 2, text="measured again", now_us=NOW + 1)
    assert promote(world.writer(now_us=NOW + 1), world.surfaces(environment), fresh).status == "done"


def test_facts_after_a_rollback(world: World) -> None:
    back(world)
    chain = world.writer().read()
    for environment, below in (("staging", None), ("production", None)):
        told = facts(
            chain,
            model=MODEL,
            environment=environment,
            candidate=world.version(2),
            bundle=world.bundle(world.version(2)).record,
            bundle_digest=world.bundle(world.version(2)).digest,
            rungs=("development", "staging", "production"),
        )
        assert told.adopted
        # What serves on the rung below was adopted, and is therefore no step of the ladder.
        assert told.rung_below == below
    states = [(item.candidate_digest, item.state) for item in told.known_releases]
    assert states == [(world.version(1).digest, "done")]


def test_the_entry_says_who_why_from_what_and_to_what(world: World) -> None:
    left = serving(world)
    rollback(world.writer(now_us=NOW + 7), world.surfaces("staging"), STAGING, reason="incident 42")
    entry = world.writer(now_us=NOW + 7).read().entries[-2].entry
    assert (entry.kind, entry.action, entry.reason, entry.actor) == (
        "rollback",
        "rollback",
        "incident 42",
        "applier@example.com",
    )
    assert (entry.before, entry.after) == (left, serving(world))
    assert entry.time_us == NOW + 7


def test_yaml_targets_hold_the_same(tmp_path: Path) -> None:
    from gates.apply.serving.file_serving import FileServing

    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1, flags=(*FLAGS, Pin(name="é\u2028no", value="1e3")), decision_threshold=1.0)
    release = serving(world)
    for name in ("target.yaml", "target.yml", "target.json"):
        target = FileServing(tmp_path / name)
        assert target.write(release) == release
        assert target.read() == Serves(release, release_digest(release))
    assert json.loads((tmp_path / "target.json").read_text())["routes"][0]["percent"] == 100
