"""Whatever two people do to two slots, in whatever order, killed wherever: the ledger verifies after each move, and once
an operator has settled what is left, every surface shows one release that the ledger explains.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from simulators.apply_world import slot_in
from simulators.random_moves import ENVIRONMENTS, MOST_EFFECTS, PEOPLE, Moves

from gates.apply.reconcile import look
from gates.bundle.store import object_name

environments = st.sampled_from(ENVIRONMENTS)
people = st.sampled_from(PEOPLE)
numbers = st.integers(1, 4)
deaths = st.none() | st.integers(0, MOST_EFFECTS)


class Slots(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.moves = Moves.begin(self.root)
        self.moved = 0

    def teardown(self) -> None:
        try:
            self.moves.settle()
            self.moves.check()
        finally:
            shutil.rmtree(self.root)

    @rule(where=environments, number=numbers, percent=st.sampled_from((5, 50, 100)), who=people, dies=deaths)
    def promote(self, where: str, number: int, percent: int, who: str, dies: int | None) -> None:
        self.moves.promote(where, number, percent, who, dies)
        self.moved += 1

    @precondition(lambda self: self.moved)
    @rule(where=environments, who=people, dies=deaths, to=st.none() | st.integers(0, 4))
    def rollback(self, where: str, who: str, dies: int | None, to: int | None) -> None:
        self.moves.rollback(where, who, dies, to)

    @precondition(lambda self: self.moved)
    @rule(where=environments, who=people, dies=deaths)
    def rollback_without_the_ledger(self, where: str, who: str, dies: int | None) -> None:
        self.moves.rollback_without_the_ledger(where, who, dies)

    @precondition(lambda self: self.moved)
    @rule(where=environments, who=people, dies=deaths, undo=st.booleans())
    def reconcile(self, where: str, who: str, dies: int | None, undo: bool) -> None:
        self.moves.reconcile(where, who, dies, undo=undo)

    @precondition(lambda self: self.moves.counts["killed"])
    @rule(where=environments, who=people)
    def takeover(self, where: str, who: str) -> None:
        self.moves.takeover(where, who)

    @rule(where=environments, two=st.tuples(numbers, numbers), both=st.tuples(people, people), at=st.integers(0, 12))
    def race(self, where: str, two: tuple[int, int], both: tuple[str, str], at: int) -> None:
        self.moves.race(where, two, both, at)
        self.moved += 1

    @rule(where=environments, number=numbers)
    def meddle_with_an_alias(self, where: str, number: int) -> None:
        self.moves.meddle_alias(where, number)

    @rule(where=environments, number=numbers)
    def meddle_with_the_target(self, where: str, number: int) -> None:
        self.moves.meddle_target(where, number)

    @rule()
    def registry_goes_or_comes(self) -> None:
        self.moves.registry_down()

    @precondition(lambda self: self.moved)
    @rule()
    def settle(self) -> None:
        self.moves.settle()

    @invariant()
    def holds(self) -> None:
        self.moves.check()


def test_random_moves_leave_one_release_on_all_surfaces() -> None:
    run_state_machine_as_test(Slots, settings=settings(max_examples=4, stateful_step_count=10))


@pytest.mark.long
def test_many_random_moves_leave_one_release_on_all_surfaces() -> None:
    run_state_machine_as_test(Slots, settings=settings(max_examples=150, stateful_step_count=40))


def test_a_pack_that_a_killed_writer_did_not_leave_is_found_and_mended(tmp_path: Path) -> None:
    """Between the outcome and what is kept of it nothing is open, and yet something is missing."""
    found = set()
    for dies in range(7, MOST_EFFECTS):
        moves = Moves.begin(tmp_path / str(dies))
        moves.promote("staging", 2, 100, "applier", dies)
        found.add(_left(moves))
        moves.settle()
        if not moves.counts["killed"]:
            break
    assert {"nothing", "pack"} <= found


def test_an_entry_that_the_store_lacks_is_found_and_kept(tmp_path: Path) -> None:
    moves = Moves.begin(tmp_path)
    head = moves.read().head
    path = moves.world.store.root / object_name(head)
    path.unlink()
    assert _left(moves, "production") == "entry"
    moves.settle()
    assert (_left(moves, "production"), head in moves.world.store) == ("nothing", True)


def test_a_journal_whose_entering_was_killed_is_anothers_to_finish_until_it_is_taken_over(tmp_path: Path) -> None:
    moves = Moves.begin(tmp_path)
    moves.promote("staging", 2, 100, "applier", None)
    moves.rollback_without_the_ledger("staging", "applier", None)
    moves.reconcile("staging", "second", 3, undo=False)
    assert moves.counts["killed"] == 1
    assert _left(moves) == "foreign"
    moves.reconcile("staging", "applier", None, undo=False)
    assert _left(moves) == "foreign"
    moves.settle()
    assert _left(moves) == "nothing"


def _left(moves: Moves, environment: str = "staging") -> str:
    return look(moves.world.writer(), moves.world.surfaces(environment), slot_in(environment)).left
