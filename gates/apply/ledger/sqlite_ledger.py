"""The ledger in an sqlite file: one writer at a time, many readers, every commit on the disk."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gates.apply.ledger.interface import HeadMoved
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError
from gates.records.base import Digest

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS entries (sequence INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT",
    # A write-once table: these stop accidents and honest tools. A forger is found by the chain.
    """CREATE TRIGGER IF NOT EXISTS entries_follow BEFORE INSERT ON entries
       WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), -1) + 1 FROM entries)
       BEGIN SELECT raise(ABORT, 'entries are appended in order'); END""",
    """CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
       BEGIN SELECT raise(ABORT, 'entries are never deleted'); END""",
    """CREATE TRIGGER IF NOT EXISTS entries_hold BEFORE UPDATE ON entries
       BEGIN SELECT raise(ABORT, 'entries are never changed'); END""",
)


class SqliteLedger:
    """A file with one table. A rollback journal rather than a write-ahead log: the file alone is the ledger, so that
    a copy of it has no missing tail, and it can be read from a medium that cannot be written.

    Parameters
    ----------
    patience_s: how long to wait for another writer, in seconds.
    """

    def __init__(self, path: Path, *, patience_s: float = 60.0) -> None:
        self.path = path
        self._patience_s = patience_s

    @property
    def name(self) -> str:
        return f"sqlite:///{self.path}"

    def entries(self, start: int = 0) -> tuple[bytes, ...]:
        if not self.path.exists():
            return ()
        # Write permission is needed to undo what a killed writer left half-done.
        mode = "rw" if os.access(self.path, os.W_OK) else "ro"
        with self._connection(mode) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchone():
                return ()
            query = "SELECT sequence, raw FROM entries WHERE sequence >= ? ORDER BY sequence"
            rows = connection.execute(query, (start,)).fetchall()
        if [sequence for sequence, _ in rows] != list(range(start, start + len(rows))):
            raise EvidenceError("rows are missing", code="ledger.sequence", where=self.name)
        if not all(isinstance(raw, bytes) for _, raw in rows):
            raise EvidenceError("a row holds no bytes", code="ledger.corrupt", where=self.name)
        return tuple(raw for _, raw in rows)

    def append(self, raw: bytes, *, expects: Digest | None) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(
                f"cannot be made: {error.strerror}", code="ledger.unavailable", where=self.name
            ) from error
        with self._connection("rwc") as connection:
            # In journal mode DELETE, FULL leaves a window in which a power cut brings the journal back and takes a
            # committed entry away; EXTRA is FULL and flushes the folder too.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            last = connection.execute("SELECT sequence, raw FROM entries ORDER BY sequence DESC LIMIT 1").fetchone()
            head = digest_bytes(last[1]) if last else None
            if head != expects:
                connection.execute("ROLLBACK")
                raise HeadMoved(f"the head is {head or 'empty'}, not {expects or 'empty'}", where=self.name)
            sequence = last[0] + 1 if last else 0
            connection.execute("INSERT INTO entries (sequence, raw) VALUES (?, ?)", (sequence, raw))
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self, mode: str) -> Iterator[sqlite3.Connection]:
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=self._patience_s, isolation_level=None)) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise EngineError(
                f"cannot be reached: {error}",
                code="ledger.unavailable",
                where=self.name,
                remedy="look at its path, permissions, free space and other writers",
            ) from error
        except sqlite3.DatabaseError as error:
            raise EvidenceError(f"cannot be read any more: {error}", code="ledger.corrupt", where=self.name) from error
