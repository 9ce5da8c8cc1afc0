"""What every ledger adapter must do: append-only, compare-and-swap, readable while written, safe from crashes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import HOUR, NOW, World, slot_in
from simulators.entries import Script
from simulators.ledger_places import GitPlace, Place

from gates.apply.ledger.interface import HeadMoved, Ledger
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.sealed import append_sealed
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError, Refused

FORK = multiprocessing.get_context("fork")
WRITERS = 16


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return place.open()


@pytest.fixture
def world(place: Place, tmp_path: Path) -> World:
    world = World(tmp_path / "world", place.open())
    world.begin()
    return world


def head_of(ledger: Ledger) -> str | None:
    entries = ledger.entries()
    return digest_bytes(entries[-1]) if entries else None


def fill(ledger: Ledger, *raws: bytes) -> None:
    head = head_of(ledger)
    for raw in raws:
        ledger.append(raw, expects=head)
        head = digest_bytes(raw)


def test_reading_a_ledger_that_is_not_there_finds_none(place: Place) -> None:
    assert place.open().entries() == ()
    assert place.open("another").entries(3) == ()


def test_entries_come_back_in_order_and_byte_for_byte(place: Place) -> None:
    raws = [b"first", bytes(range(256)), "третий".encode(), b"", b"\n\0" * 150_000]
    fill(place.open(), *raws)
    for machine in (0, "another"):
        ledger = place.open(machine)
        assert list(ledger.entries()) == raws
        assert list(ledger.entries(3)) == raws[3:]
        assert ledger.entries(99) == ()


@pytest.mark.parametrize("expects", [None, digest_bytes(b"another")])
def test_a_stale_head_is_refused_and_changes_nothing(ledger: Ledger, expects: str | None) -> None:
    ledger.append(b"first", expects=None)
    with pytest.raises(HeadMoved) as caught:
        ledger.append(b"second", expects=expects)
    assert caught.value.exit_code == 1
    assert ledger.entries() == (b"first",)


def _race(place: Place, number: int, ready: Any) -> None:
    ledger, won, head = place.open(number), 0, None
    ready.wait()
    for round_number in range(place.rounds):
        try:
            raw = f"{round_number} by {number}".encode()
            ledger.append(raw, expects=head)
            won += 1
        except HeadMoved:
            raw = ledger.entries(round_number)[0]
        head = digest_bytes(raw)
    os._exit(won)


def test_sixteen_writers_have_one_winner_for_each_place(place: Place) -> None:
    ready = FORK.Barrier(WRITERS)
    writers = [FORK.Process(target=_race, args=(place, n, ready)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    wins = [writer.exitcode for writer in writers]
    entries = [raw.decode().split(" by ") for raw in place.open().entries()]
    assert [int(turn) for turn, _ in entries] == list(range(place.rounds))
    assert wins == [sum(1 for _, winner in entries if int(winner) == n) for n in range(WRITERS)]


def _die_at(statement: int, module: str) -> None:
    """SIGKILL this process before the adapter runs that many different statements; a loop's count once."""
    run: set[int] = set()

    def trace(frame: Any, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.endswith(module):
            return None
        if event == "line":
            run.add(frame.f_lineno)
            if len(run) > statement:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def _killed_at_every_statement(place: Place, step: int) -> int:
    """Append again and again, killed one statement later each time; return how often it was killed."""
    ledger = place.open()
    fill(ledger, b"first")
    module = type(ledger).__module__.rpartition(".")[2] + ".py"
    expected = [b"first"]
    for kills, statement in enumerate(range(0, 500, step)):
        raw = f"entry {statement}".encode() * 50
        child = os.fork()
        if child == 0:
            try:
                writer = place.open()
                _die_at(statement, module)
                writer.append(raw, expects=digest_bytes(expected[-1]))
            finally:
                os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        entries = list(ledger.entries())
        assert entries in ([*expected, raw], expected if killed else None)
        expected = entries
        if not killed:
            return kills
    pytest.fail("the adapter has more statements than the test knows")


def test_a_writer_killed_between_two_statements_leaves_the_entry_whole_or_not_at_all(place: Place) -> None:
    assert _killed_at_every_statement(place, place.kill_step) >= 10


@pytest.mark.long
def test_a_writer_killed_between_any_two_statements_leaves_the_entry_whole_or_not_at_all(tmp_path: Path) -> None:
    assert _killed_at_every_statement(GitPlace(tmp_path), 1) >= 60


def _append_until_killed(place: Place, report: Any) -> None:
    os.setpgid(0, 0)
    ledger, number, head = place.open(), 0, None
    while True:
        raw = f"{number}".encode() * 2_000
        ledger.append(raw, expects=head)
        head = digest_bytes(raw)
        report.send(number)
        number += 1


@pytest.mark.parametrize("delay_s", [0.04, 0.13])
def test_a_writer_killed_at_any_moment_loses_nothing_that_was_committed(place: Place, delay_s: float) -> None:
    """With all that it started; and somebody reads all the while."""
    here, there = FORK.Pipe(duplex=False)
    writer = FORK.Process(target=_append_until_killed, args=(place, there))
    writer.start()
    committed, reader, seen = here.recv(), place.open("reader"), 0
    until = time.monotonic() + delay_s
    while time.monotonic() < until:
        entries = reader.entries()
        assert len(entries) >= seen
        assert entries == tuple(f"{n}".encode() * 2_000 for n in range(len(entries)))
        seen = len(entries)
    assert writer.pid is not None
    os.killpg(writer.pid, signal.SIGKILL)
    writer.join()
    while here.poll():
        committed = here.recv()
    ledger = place.open()
    entries = ledger.entries()
    assert committed + 1 <= len(entries) <= committed + 2
    assert entries == tuple(f"{n}".encode() * 2_000 for n in range(len(entries)))
    ledger.append(b"the next one", expects=digest_bytes(entries[-1]))


def test_a_full_disk_takes_nothing_and_leaves_what_there_is(place: Place) -> None:
    ledger = place.open()
    fill(ledger, b"first")
    large = os.urandom(2_000_000)
    with place.full_disk(), pytest.raises(EngineError) as caught:  # type: ignore[attr-defined]
        ledger.append(large, expects=digest_bytes(b"first"))
    assert (caught.value.code, caught.value.exit_code) == ("ledger.unavailable", 4)
    assert ledger.entries() == (b"first",)
    ledger.append(large, expects=digest_bytes(b"first"))
    assert place.open("another").entries() == (b"first", large)


# What a chain of signed entries makes of it.


def refused(world: World) -> str:
    with pytest.raises(EvidenceError) as caught:
        world.writer().read()
    assert caught.value.exit_code == 3
    return caught.value.code


def test_a_cut_tail_is_found(place: Place, world: World) -> None:
    world.adopt("staging", 1)
    place.rewrite(world.ledger.entries()[:-1])
    assert refused(world).startswith("ledger.")
    world.ledger = place.open("a machine that never saw it")
    assert refused(world) == "ledger.truncated"


def test_a_forged_tail_is_found(place: Place, world: World) -> None:
    """By a key that may not write it, after an entry of its own was taken away."""
    kept = world.ledger.entries()
    world.adopt("staging", 1)
    forged = Script(world, kept)
    forged.adopt("staging", world.version(2), by="stranger")
    place.rewrite(forged.raws)
    assert refused(world).startswith("ledger.")
    world.ledger = place.open("a machine that never saw it")
    assert refused(world) == "ledger.unlisted_key"


def test_a_clock_that_was_set_back_writes_nothing(place: Place, world: World) -> None:
    append_sealed(world.writer("decider"), world.bundle(world.version(1), text="a"))
    behind = NOW - 60_000_000
    append_sealed(world.writer("decider", behind), world.bundle(world.version(1), text="b"))
    with pytest.raises(EngineError) as caught:
        append_sealed(world.writer("decider", NOW - HOUR), world.bundle(world.version(1), text="c"))
    assert caught.value.code == "ledger.clock"
    assert [item.entry.time_us for item in world.writer().read().entries] == [NOW] * 3


def _promote(world: World, place: Place, number: int, decision: str, ready: Any, answers: Any) -> None:
    world.ledger = place.open(number)
    ready.wait()
    try:
        promote(world.writer(), world.surfaces("staging"), decision)
        answers.put("done")
    except Refused as error:
        answers.put(error.code)


def test_a_slot_that_is_fought_for_has_one_winner_and_a_way_back(place: Place, world: World) -> None:
    world.adopt("staging", 1)
    decisions = [world.allowed("staging", number) for number in (2, 3)]
    ready, answers = FORK.Barrier(2), FORK.Queue()
    for number, decision in enumerate(decisions):
        FORK.Process(target=_promote, args=(world, place, number, decision, ready, answers)).start()
    got = sorted(answers.get(timeout=60) for _ in decisions)
    assert got.count("done") == 1
    assert (set(got) - {"done"}) <= {"champion.mismatch", "slot.open", "slot.moved"}
    back = rollback(world.writer(), world.surfaces("staging"), slot_in("staging"), reason="worse")
    assert back.observed is not None
    assert back.observed.approved.version == "1"
