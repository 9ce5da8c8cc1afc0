"""A move that is killed between any two of its effects: run again, every surface shows one release, which the ledger
explains. And moves that come at once: one wins.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import MODEL, NOW, World, slot_in
from simulators.killer import Countdown, Mortal, run_and_kill

from gates.apply.adopt import adopt
from gates.apply.ledger.shape import release_digest
from gates.apply.promote import finish as finish_promotion
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.serving.interface import Serves, ServesNothing
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.bundle.envelope import open_envelope
from gates.errors import GatesError, Refused
from gates.records import Slot

FORK = multiprocessing.get_context("fork")
MOST_EFFECTS = 12

Move = Callable[[LedgerWriter, Surfaces], object]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    world.adopt("production", 1)
    return world


def mortal(world: World, environment: str, effects: int) -> tuple[LedgerWriter, Surfaces]:
    countdown = Countdown(effects)
    writer = replace(world.writer(), ledger=Mortal(world.ledger, countdown))
    surfaces = Surfaces(Mortal(world.registry, countdown), Mortal(world.serving(environment), countdown))  # type: ignore[arg-type]
    return writer, surfaces


def one_release(world: World, slot: Slot, version: str | None) -> None:
    """Ledger, target, aliases and pack say the same, and nothing is open."""
    chain = world.writer().read()
    state = chain.slot(slot)
    assert state.open is None
    observed = world.serving(slot.environment).read()
    aliases = {
        alias: to for alias, to in world.registry.aliases(MODEL).items() if alias in chain_aliases(slot.environment)
    }
    if version is None:
        assert isinstance(observed, ServesNothing)
        assert aliases == {}
        return
    assert isinstance(observed, Serves)
    assert observed.release == state.standing.release
    assert observed.release.approved.version == version
    expected = chain.expected_aliases(MODEL)
    assert aliases == {alias: to for alias, to in expected.items() if alias in chain_aliases(slot.environment)}
    raw = world.serving(slot.environment).pack()
    assert raw is not None
    pack = open_envelope(raw, [world.key("applier").public]).predicate
    assert pack["closing"] == state.last_closing
    assert pack["release"] == observed.release.document()


def chain_aliases(environment: str) -> set[str]:
    names = {f"approved-{environment}", f"deployed-{environment}"}
    return names | {"champion"} if environment == "production" else names


def kill_everywhere(tmp_path: Path, prepare: Callable[[World], tuple[str, Move]], after: Callable[..., None]) -> int:
    """Run the move once for every number of effects that it is let live for; return how many there were."""
    for effects in range(MOST_EFFECTS):
        world = World(tmp_path / str(effects))
        world.begin()
        environment, move = prepare(world)
        killed = run_and_kill(lambda w=world, e=environment, m=move, n=effects: m(*mortal(w, e, n)))
        after(world, environment, move)
        if not killed:
            return effects
    pytest.fail("there are more effects than the test knows")


def finish(world: World, environment: str, move: Move) -> None:
    move(world.writer(now_us=NOW + 1), world.surfaces(environment))
    one_release(world, slot_in(environment), "2")


def test_a_killed_promotion_is_finished_by_running_it_again(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("staging", 1)
        decision = world.allowed("staging", 2)
        return "staging", lambda writer, surfaces: promote(writer, surfaces, decision)

    # intent, target, approved, deployed, outcome, pack, tag
    assert kill_everywhere(tmp_path, prepare, finish) == 7


def test_an_unfinished_promotion_carries_the_decision_that_finishes_it(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("staging", 1)
        decision = world.allowed("staging", 2)
        return "staging", lambda writer, surfaces: promote(writer, surfaces, decision)

    def by_itself(world: World, environment: str, _: Move) -> None:
        slot = slot_in(environment)
        begun = world.writer().read().open_intent(slot) is not None
        try:
            assert finish_promotion(world.writer(now_us=NOW + 1), world.surfaces(environment), slot).resumed
            one_release(world, slot, "2")
        except Refused as error:
            assert (error.code, begun) == ("slot.moved", False)  # noqa: PT017

    assert kill_everywhere(tmp_path, prepare, by_itself) == 7


def test_a_killed_canary_is_finished_by_running_it_again(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("production", 1)
        decision = world.allowed("production", 2, percent=5)
        return "production", lambda writer, surfaces: promote(writer, surfaces, decision)

    # intent, target, approved, outcome, pack, tag
    assert kill_everywhere(tmp_path, prepare, finish) == 6


def test_a_killed_first_release_is_finished_by_running_it_again(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        decision = world.allowed("production", 2)
        return "production", lambda writer, surfaces: promote(writer, surfaces, decision)

    # intent, target, approved, champion, deployed, outcome, pack, tag
    assert kill_everywhere(tmp_path, prepare, finish) == 8


@pytest.mark.parametrize("first", [True, False])
def test_a_killed_promotion_is_undone_by_a_rollback(tmp_path: Path, first: bool) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        if not first:
            world.adopt("staging", 1)
        decision = world.allowed("staging", 2)
        return "staging", lambda writer, surfaces: promote(writer, surfaces, decision)

    def undo(world: World, environment: str, _: Move) -> None:
        slot, writer, surfaces = slot_in(environment), world.writer(now_us=NOW + 1), world.surfaces(environment)
        chain = writer.read()
        if chain.open_intent(slot) is None:
            return
        undone = rollback(writer, surfaces, slot, reason="the job was killed")
        assert undone.status == "failed"
        one_release(world, slot, None if first else "1")
        assert "suspect" not in {known.state for known in writer.read().slot(slot).known.values()}

    assert kill_everywhere(tmp_path, prepare, undo) == 7


def test_a_killed_rollback_is_finished_by_running_it_again(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("staging", 1)
        promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
        return "staging", lambda writer, surfaces: rollback(writer, surfaces, slot_in("staging"), reason="worse")

    def again(world: World, environment: str, move: Move) -> None:
        entries = world.ledger.entries()
        try:
            move(world.writer(now_us=NOW + 1), world.surfaces(environment))
        except Refused as error:
            # It was finished, and whoever did not see that takes no second step back.
            assert error.code == "rollback.no_target"  # noqa: PT017
            assert world.ledger.entries() == entries
        one_release(world, slot_in(environment), "1")
        states = [known.state for known in world.writer().read().slot(slot_in(environment)).known.values()]
        assert states == ["done", "suspect"]

    # intent, target, approved, deployed, outcome, pack, tag
    assert kill_everywhere(tmp_path, prepare, again) == 7


def test_a_rollback_by_name_is_run_again_to_the_same_end(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("staging", 1)
        target = world.writer().read().slot(slot_in("staging")).release_digest
        promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
        return "staging", lambda writer, surfaces: rollback(
            writer, surfaces, slot_in("staging"), reason="worse", to=target
        )

    def again(world: World, environment: str, move: Move) -> None:
        move(world.writer(now_us=NOW + 1), world.surfaces(environment))
        one_release(world, slot_in(environment), "1")

    assert kill_everywhere(tmp_path, prepare, again) == 7


def test_a_killed_undo_is_finished_by_running_it_again(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("staging", 1)
        decision = world.allowed("staging", 2)
        assert run_and_kill(lambda: promote(*mortal(world, "staging", 4), decision))
        return "staging", lambda writer, surfaces: rollback(writer, surfaces, slot_in("staging"), reason="killed")

    def again(world: World, environment: str, move: Move) -> None:
        try:
            move(world.writer(now_us=NOW + 1), world.surfaces(environment))
        except Refused as error:
            assert error.code == "rollback.no_target"  # noqa: PT017
        one_release(world, slot_in(environment), "1")

    # target, approved, deployed, outcome, pack, tag
    assert kill_everywhere(tmp_path, prepare, again) == 6


def test_a_killed_adoption_is_finished_by_running_it_again(tmp_path: Path) -> None:
    def prepare(world: World) -> tuple[str, Move]:
        world.adopt("staging", 2)
        release = world.writer().read().release(slot_in("staging"))
        assert release is not None
        there = release.model_copy(update={"environment": "production"})
        return "production", lambda writer, surfaces: adopt(writer, surfaces, there, reason="it serves already")

    # entry, target, approved, champion, deployed, pack, tag
    assert kill_everywhere(tmp_path, prepare, finish) == 7


def _compete(world: World, person: str, decision: Any, ready: Any, answers: Any) -> None:
    writer, surfaces = world.writer(person), world.surfaces("staging")
    ready.wait()
    try:
        promote(writer, surfaces, decision)
        answers.put("done")
    except GatesError as error:
        answers.put(error.code)


@pytest.mark.parametrize("attempt", range(3))
def test_two_promotions_at_once_have_one_winner(world: World, attempt: int) -> None:
    decisions = [world.allowed("staging", number) for number in (2, 3)]
    ready, answers = FORK.Barrier(2), FORK.Queue()
    for decision in decisions:
        FORK.Process(target=_compete, args=(world, "applier", decision, ready, answers)).start()
    got = [answers.get(timeout=30) for _ in decisions]
    assert got.count("done") == 1, got
    got.remove("done")
    assert got[0] in ("champion.mismatch", "slot.open", "slot.moved")
    release = world.writer().read().release(slot_in("staging"))
    assert release is not None
    one_release(world, slot_in("staging"), release.approved.version)
    kinds = [item.entry.kind for item in world.writer().read().entries]
    assert kinds.count("intent") == kinds.count("outcome") == 1


def test_promotions_of_two_slots_at_once_both_win(world: World) -> None:
    """They race for the head of the ledger, not for a slot."""
    moves = {environment: world.allowed(environment, 2) for environment in ("staging", "production")}
    ready, answers = FORK.Barrier(2), FORK.Queue()

    def run(environment: str) -> None:
        ready.wait()
        answers.put(promote(world.writer(), world.surfaces(environment), moves[environment]).status)

    for environment in moves:
        FORK.Process(target=run, args=(environment,)).start()
    assert [answers.get(timeout=30) for _ in moves] == ["done", "done"]
    for environment in moves:
        one_release(world, slot_in(environment), "2")


def test_a_writer_that_slept_through_another_move_changes_nothing(world: World) -> None:
    """Between its look at the ledger and its entry the slot moved: that is a new question."""
    decision, other = world.allowed("staging", 2), world.allowed("staging", 3)

    class Sleeps:
        """The other promotion happens while this one hashes the model."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.registry, name)

        def digest(self, name: str, version: str) -> str:
            if version == "2":
                promote(world.writer(), world.surfaces("staging"), other)
            return world.registry.digest(name, version)

    surfaces = Surfaces(Sleeps(), world.serving("staging"))  # type: ignore[arg-type]
    with pytest.raises(Refused) as caught:
        promote(world.writer(), surfaces, decision)
    assert caught.value.code == "slot.moved"
    one_release(world, slot_in("staging"), "3")


def test_a_move_whose_intent_another_run_closed_stops_before_its_next_effect(world: World) -> None:
    decision = world.allowed("staging", 2)

    class Overtaken:
        """While the target is written, a rollback with the same key undoes the promotion."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.serving("staging"), name)

        def write(self, release: Any) -> Any:
            accepted = world.serving("staging").write(release)
            rollback(world.writer(), world.surfaces("staging"), slot_in("staging"), reason="stop")
            return accepted

    with pytest.raises(Refused) as caught:
        promote(world.writer(), Surfaces(world.registry, Overtaken()), decision)  # type: ignore[arg-type]
    assert caught.value.code == "slot.moved"
    one_release(world, slot_in("staging"), "1")


def test_an_unfinished_move_is_resumed_as_it_was_begun(world: World) -> None:
    """Another percentage, another target of the rollback, or an edit meanwhile is another question."""
    decision, slot = world.allowed("production", 2, percent=5), slot_in("production")
    other = world.allowed("production", 2, percent=6)
    assert run_and_kill(lambda: promote(*mortal(world, "production", 2), decision))
    writer, surfaces = world.writer(), world.surfaces("production")
    begun = writer.read().slot(slot)
    assert begun.open is not None
    assert begun.open.after.release is not None
    leads_to = release_digest(begun.open.after.release)

    def refused(code: str, call: Callable[[], object]) -> None:
        entries = world.ledger.entries()
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == code
        assert world.ledger.entries() == entries

    refused("slot.open", lambda: promote(writer, surfaces, other))
    refused("slot.open", lambda: rollback(writer, surfaces, slot, reason="x", to=leads_to))
    path = world.serving("production").path
    text = path.read_text()
    path.write_text(text.replace('"percent": 5', '"percent": 6'))
    refused("serving.unexplained", lambda: promote(writer, surfaces, decision))
    refused("serving.unexplained", lambda: rollback(writer, surfaces, slot, reason="x"))
    path.write_text(text)
    assert rollback(writer, surfaces, slot, reason="x", to=begun.release_digest).status == "failed"
    one_release(world, slot, "1")


def test_an_adoption_that_another_move_overtakes_stops(world: World) -> None:
    """Its entry stands; the effects belong to whoever came next."""
    release = world.writer().read().release(slot_in("staging"))
    assert release is not None

    class Overtaken:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.serving("staging"), name)

        def write(self, wanted: Any) -> Any:
            accepted = world.serving("staging").write(wanted)
            promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
            return accepted

    with pytest.raises(Refused) as caught:
        adopt(world.writer(), Surfaces(world.registry, Overtaken()), release, reason="again")  # type: ignore[arg-type]
    assert caught.value.code == "slot.moved"
    one_release(world, slot_in("staging"), "2")


def test_the_ledger_names_what_served_at_every_position(world: World) -> None:
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    rollback(world.writer(), world.surfaces("staging"), slot_in("staging"), reason="worse")
    chain = world.writer().read()
    moves = [item.entry for item in chain.entries if item.entry.slot == slot_in("staging")]
    assert [entry.kind for entry in moves] == ["adopt", "intent", "outcome", "rollback", "outcome"]
    for intent, outcome in ((moves[1], moves[2]), (moves[3], moves[4])):
        assert intent.after is not None
        assert outcome.observed is not None
        assert release_digest(outcome.observed) == release_digest(intent.after)
