"""What every serving adapter promises, asked of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from simulators.apply_world import World, name_of, slot_in
from simulators.entries import release_of
from simulators.killer import Countdown, Mortal, run_and_kill
from simulators.serving_places import PLACES, Place

from gates.apply.ledger.shape import release_digest
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.serving.interface import Followed, Serves, ServesNothing, Unreadable
from gates.apply.surfaces import Surfaces
from gates.errors import EngineError, EvidenceError, Refused
from gates.plan.spec_release import ReleaseSpec
from gates.records import Release

MOST_EFFECTS = 12


@pytest.fixture(autouse=True)
def _variables_of_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a place sets as it is opened is gone afterwards."""
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.setenv(name, "")


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](tmp_path / "target")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def whole(versions: World) -> Release:
    return release_of("staging", (versions.version(1), 100)).model_copy(
        update=dict(
            ReleaseSpec.model_validate(
                {
                    "image": name_of("image"),
                    "decision_threshold": 1e-300,
                    "feature_views": {"é ☃ : #": " - ", "no": "yes", "airport": 2**52},
                    "flags": {"ranking": "new"},
                    "cache_namespace": "a '{b}' \"c\" # d",
                    "fallback": "none",
                }
            ).parts()
        )
    )


@pytest.fixture
def split(versions: World) -> Release:
    return release_of("staging", (versions.version(1), 95), (versions.version(2), 5), decision=name_of("decision"))


def test_what_is_written_is_read_back_whole_by_whoever_looks(place: Place, whole: Release, split: Release) -> None:
    assert place.open().read() == ServesNothing()
    for release in (whole, split, split, whole):
        place.open().check(release)
        assert place.open().write(release) == release
        assert place.open().read() == Serves(release, release_digest(release))
        place.follow()
        assert place.open().traffic() == Followed()
    place.open().clear()
    place.open().clear()
    assert place.open().read() == ServesNothing()
    place.open().write(whole)
    assert place.open().read() == Serves(whole, release_digest(whole))


def test_an_edit_by_hand_is_no_statement_of_the_release(place: Place, whole: Release, split: Release) -> None:
    for release in (whole, split):
        place.open().write(release)
        place.edit()
        found = place.open().read()
        assert not (isinstance(found, Serves) and release_digest(found.release) == found.stated)
        place.open().write(release)
        assert place.open().read() == Serves(release, release_digest(release))


def test_what_nobody_of_ours_wrote_is_unreadable(place: Place, whole: Release) -> None:
    place.open().write(whole)
    place.wreck()
    assert isinstance(place.open().read(), Unreadable)


def test_the_pack_and_the_journal_stay_beside_the_target(place: Place, whole: Release) -> None:
    target = place.open()
    assert (target.pack(), target.journal()) == (None, ())
    target.keep_pack(b"{}")
    target.keep_pack(b'{"a":1}')
    target.keep_journal((b'{"b":1}', b'{"b":2}'))
    target.write(whole)
    target.clear()
    assert (place.open().pack(), place.open().journal()) == (b'{"a":1}', (b'{"b":1}', b'{"b":2}'))
    target.keep_journal(())
    assert place.open().journal() == ()


@pytest.mark.parametrize("kind", PLACES)
def test_a_move_that_is_killed_anywhere_is_finished_and_taken_back(tmp_path: Path, kind: str) -> None:
    """The traffic follows whatever the target states, at any time."""
    for effects in range(MOST_EFFECTS):
        world = World(tmp_path / str(effects))
        place = PLACES[kind](tmp_path / str(effects) / "target")
        world.begin()
        serving = _Followed(place)
        surfaces = Surfaces(world.registry, serving)  # type: ignore[arg-type]
        promote(world.writer(), surfaces, world.allowed("staging", 1))
        before = place.open().read()
        decision = world.allowed("staging", 2, percent=5)
        countdown = Countdown(effects)
        killed = run_and_kill(
            lambda w=world, d=decision, c=countdown, s=serving: promote(  # type: ignore[misc]
                replace(w.writer(), ledger=Mortal(w.ledger, c)),
                Surfaces(Mortal(w.registry, c), Mortal(s, c)),  # type: ignore[arg-type]
                d,
            )
        )
        promote(world.writer(), surfaces, decision)
        release = world.writer().read().release(slot_in("staging"))
        observed = place.open().read()
        assert isinstance(observed, Serves)
        assert observed.release == release
        assert [route.percent for route in observed.release.routes] == [95, 5]
        rollback(world.writer(), surfaces, slot_in("staging"), reason="worse")
        assert place.open().read() == before
        assert world.registry.aliases("flights")["deployed-staging"] == "1"
        shutil.rmtree(world.root)
        if not killed:
            return
    pytest.fail("there are more effects than the test knows")


class _Followed:
    """The adapter, with traffic that follows each write before anybody looks."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name == "traffic":
            self._place.follow()
        return getattr(self._place.open(), name)  # type: ignore[no-any-return]


def test_an_edit_is_refused_before_anything_moves(place: Place, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.begin()
    surfaces = Surfaces(world.registry, _Followed(place))  # type: ignore[arg-type]
    promote(world.writer(), surfaces, world.allowed("staging", 1))
    decision, entries = world.allowed("staging", 2), world.ledger.entries()
    for spoil in (place.edit, place.wreck):
        spoil()
        with pytest.raises((Refused, EvidenceError, EngineError)) as caught:
            promote(world.writer(), surfaces, decision)
        assert caught.value.code == "serving.unexplained"
        assert world.ledger.entries()[: len(entries)] == entries
        assert world.writer().read().open_intent(slot_in("staging")) is None
