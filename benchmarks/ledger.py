"""The ledgers at size: opening, appending and reading, and verifying a chain of signed entries.

Entries of 2 KB, as `sealed` entries are, written in bulk; then opened anew and appended to through the adapter. ENTRIES
sets how many in sqlite and Postgres (where one is installed), GIT_ENTRIES how many on a branch, which is read from a
clone of depth 1, CHAINS the sizes of the chains to verify; FSYNC=off lets Postgres not wait for its disk. BENCH_OUT=docs/bench keeps the table.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from simulators.apply_world import NOW, POLICY, World
from simulators.entries import Script
from simulators.ledger_places import BRANCH, GitPlace, PostgresPlace, PostgresServer, SqlitePlace, history

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.interface import Ledger
from gates.bundle.canonical import digest_bytes

ENTRIES = int(os.environ.get("ENTRIES", "100000"))
GIT_ENTRIES = int(os.environ.get("GIT_ENTRIES", "2000"))
CHAINS = [int(size) for size in os.environ.get("CHAINS", "500,1000,2000").split(",")]
FSYNC = os.environ.get("FSYNC", "on") == "on"
ROUNDS = int(os.environ.get("ROUNDS", "9"))


def raws(count: int) -> Iterator[bytes]:
    """Bytes of an entry's size that do not compress."""
    chance = os.urandom(2_000)
    for number in range(count):
        yield number.to_bytes(8, "big") + chance[8:]


def timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000


def spread(figures: list[float]) -> str:
    return f"{min(figures):.1f} / {statistics.median(figures):.1f} / {max(figures):.1f}"


def appends(open_it: Callable[[], Ledger], count: int) -> tuple[str, str]:
    """Open anew and read the last entry; append one more. Milliseconds: fastest, median, slowest."""
    opening, appending = [], []
    for number in range(count, count + ROUNDS):
        last: list[bytes] = []
        opening.append(timed(lambda n=number, last=last: last.extend(open_it().entries(n - 1))))
        head = digest_bytes(last[0])
        appending.append(timed(lambda n=number, h=head: open_it().append(b"entry %d" % n * 200, expects=h)))
    return spread(opening), spread(appending)


def sqlite_row(folder: Path) -> str:
    place = SqlitePlace(folder)
    place.open().append(next(raws(1)), expects=None)
    with sqlite3.connect(place.path) as file:
        file.executemany("INSERT INTO entries VALUES (?, ?)", islice(enumerate(raws(ENTRIES)), 1, None))
    return row("sqlite", ENTRIES, appends(place.open, ENTRIES))


def postgres_row() -> str:
    import psycopg

    try:
        server = PostgresServer(fsync=FSYNC)
    except FileNotFoundError:
        return "| Postgres | not installed | | |"
    try:
        place = PostgresPlace(server, "bench")
        place.open().append(next(raws(1)), expects=None)
        with (
            psycopg.connect(place.uri) as connection,
            connection.cursor() as cursor,
            cursor.copy("COPY gates_ledger FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(["int8", "bytea"])
            for row_of in islice(enumerate(raws(ENTRIES)), 1, None):
                copy.write_row(row_of)
        return row(f"Postgres, fsync {'on' if FSYNC else 'off'}, unix socket", ENTRIES, appends(place.open, ENTRIES))
    finally:
        server.stop()


def git_row(folder: Path) -> list[str]:
    place = GitPlace(folder)
    stream = history(list(raws(GIT_ENTRIES)), BRANCH)
    place.git("fast-import", "--quiet", "--done", stdin=stream)
    first = timed(lambda: place.open("fresh").entries())
    said = row("Git branch on this disk", GIT_ENTRIES, appends(lambda: place.open("fresh"), GIT_ENTRIES))
    return [said, f"\nThe first read of the branch, with its clone of depth 1: {first / 1000:.2f} s."]


def row(name: str, entries: int, figures: tuple[str, str]) -> str:
    return f"| {name} | {entries:,} | {figures[0]} | {figures[1]} |"


def verified(folder: Path) -> list[str]:
    """A chain of `sealed` entries, from raw bytes to a verified chain."""
    world = World(folder)
    world.begin()
    script, version = Script(world), world.version(1)
    rows = []
    for size in CHAINS:
        while len(script.raws) < size:
            digest = digest_bytes(len(script.raws).to_bytes(8, "big"))
            script.add("sealed", by="decider", bundle_digest=digest, candidate=version, measured_us=NOW)
        chains: list[Chain] = []
        whole = timed(lambda kept=chains: kept.append(script.chain()))
        extended = timed(lambda kept=chains: kept[0].extended([]))
        if (chains[0].head, chains[0].active("staging").policy_digest) != (script.head, POLICY):
            sys.exit("the chain is not the one that was written")
        rows.append(f"| {size:,} | {whole / 1000:.2f} | {whole / size:.2f} | {extended:.1f} |")
    return rows


def main() -> None:
    git_version = subprocess.run(
        [shutil.which("git") or "git", "--version"], capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("sqlite", "git", "chain"):
            (root / name).mkdir()
        git, *rest = git_row(root / "git")
        lines = [
            "# The ledgers at size",
            "",
            (
                f"`ENTRIES={ENTRIES} GIT_ENTRIES={GIT_ENTRIES} python benchmarks/ledger.py`: Python "
                f"{platform.python_version()}, {git_version.stdout.strip()}, {os.cpu_count()} cores, load "
                f"{os.getloadavg()[0]:.0f}. Milliseconds on the clock: fastest / median / slowest of {ROUNDS}."
            ),
            "",
            "| ledger | entries of 2 KB | open anew and read the last | append |",
            "|---|---|---|---|",
            sqlite_row(root / "sqlite"),
            postgres_row(),
            git,
            *rest,
            "",
            "Verifying a chain of `sealed` entries, each signature, digest and rule, on one core:",
            "",
            "| entries | s | ms an entry | ms to copy for one more |",
            "|---|---|---|---|",
            *verified(root / "chain"),
        ]
    text = "\n".join(lines) + "\n"
    print(text)
    if out := os.environ.get("BENCH_OUT"):
        (Path(out) / "ledger.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
