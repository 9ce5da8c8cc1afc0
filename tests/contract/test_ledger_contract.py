"""What every ledger adapter must do: append-only, compare-and-swap, readable while written, safe from crashes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from gates.apply.ledger.interface import HeadMoved, Ledger
from gates.apply.ledger.opening import open_ledger
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError, UsageError

FORK = multiprocessing.get_context("fork")
WRITERS = 16


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(f"sqlite:///{tmp_path / 'sub' / 'ledger.db'}")


def head_of(ledger: Ledger) -> str | None:
    entries = ledger.entries()
    return digest_bytes(entries[-1]) if entries else None


def test_reading_a_ledger_that_is_not_there_makes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.entries() == ()
    assert not (tmp_path / "sub").exists()


def test_entries_come_back_in_order_and_byte_for_byte(ledger: Ledger) -> None:
    raws = [b"first", bytes(range(256)), "третий".encode(), b"", b"x" * 300_000]
    for raw in raws:
        ledger.append(raw, expects=head_of(ledger))
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


def _race(uri: str, number: int, ready: object, rounds: int) -> None:
    ledger, won = open_ledger(uri), 0
    ready.wait()  # type: ignore[attr-defined]
    for round_number in range(rounds):
        while len(entries := ledger.entries()) <= round_number:
            try:
                ledger.append(
                    f"{round_number} by {number}".encode(), expects=digest_bytes(entries[-1]) if entries else None
                )
                won += 1
            except HeadMoved:
                continue
    os._exit(won)


def test_sixteen_writers_have_one_winner_for_each_place(ledger: Ledger) -> None:
    rounds, ready = 6, FORK.Barrier(WRITERS)
    writers = [FORK.Process(target=_race, args=(ledger.name, n, ready, rounds)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(50)
    wins = [writer.exitcode for writer in writers]
    entries = [raw.decode().split(" by ") for raw in ledger.entries()]
    assert [int(place) for place, _ in entries] == list(range(rounds))
    assert wins == [sum(1 for _, winner in entries if int(winner) == n) for n in range(WRITERS)]


def _append_until_killed(uri: str, report: object) -> None:
    ledger, number = open_ledger(uri), 0
    while True:
        ledger.append(f"{number}".encode() * 2_000, expects=head_of(ledger))
        report.send(number)  # type: ignore[attr-defined]
        number += 1


@pytest.mark.parametrize("delay_s", [0.03, 0.08, 0.15])
def test_a_writer_killed_at_any_moment_loses_nothing_that_was_committed(ledger: Ledger, delay_s: float) -> None:
    here, there = FORK.Pipe(duplex=False)
    writer = FORK.Process(target=_append_until_killed, args=(ledger.name, there))
    writer.start()
    committed = here.recv()
    time.sleep(delay_s)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    while here.poll():
        committed = here.recv()
    entries = ledger.entries()
    assert committed + 1 <= len(entries) <= committed + 2
    assert entries == tuple(f"{n}".encode() * 2_000 for n in range(len(entries)))
    ledger.append(b"the next one", expects=digest_bytes(entries[-1]))


def test_it_is_readable_while_somebody_writes(ledger: Ledger) -> None:
    ledger.append(b"first", expects=None)
    with sqlite3.connect(ledger.name.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO entries VALUES (1, x'00')")
        assert ledger.entries() == (b"first",)
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET raw = x'00'",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries VALUES (0, x'00')",
        "INSERT INTO entries VALUES (5, x'00')",
        "INSERT INTO entries VALUES (NULL, NULL)",
    ],
)
def test_rows_are_written_once_and_in_order(ledger: Ledger, statement: str) -> None:
    ledger.append(b"first", expects=None)
    with sqlite3.connect(ledger.name.removeprefix("sqlite:///")) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    assert ledger.entries() == (b"first",)


def test_a_missing_row_is_found(ledger: Ledger) -> None:
    for raw in (b"a", b"b", b"c"):
        ledger.append(raw, expects=head_of(ledger))
    with sqlite3.connect(ledger.name.removeprefix("sqlite:///")) as other:
        other.execute("DROP TRIGGER entries_stay")
        other.execute("DELETE FROM entries WHERE sequence = 1")
    with pytest.raises(EvidenceError, match="rows are missing"):
        ledger.entries()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 50)
    with pytest.raises(EvidenceError) as caught:
        open_ledger(f"sqlite:///{path}").entries()
    assert caught.value.code == "ledger.corrupt"


def test_an_unreachable_ledger_is_exit_4(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        open_ledger(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}").append(b"first", expects=None)
    assert (caught.value.code, caught.value.exit_code) == ("ledger.unavailable", 4)


@pytest.mark.parametrize("uri", ["", "ledger.db", "postgres://host/db", "sqlite:///", "sqlite:ledger.db"])
def test_another_address_is_a_usage_error(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_ledger(uri)
    assert caught.value.code == "ledger.uri"
