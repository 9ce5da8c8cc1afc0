"""The ledger in a table of Postgres: an advisory lock makes one writer at a time, a snapshot is what readers see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from gates.apply.ledger.interface import HeadMoved
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError, UsageError
from gates.records.base import Digest

if TYPE_CHECKING:
    import psycopg

_LOCK = 0x6761746573  # "gates"; any number that every writer takes
_SCHEMA = (
    "CREATE TABLE gates_ledger (sequence bigint PRIMARY KEY CHECK (sequence >= 0), raw bytea NOT NULL)",
    # A write-once table: this stops accidents and honest tools. A forger is found by the chain.
    """CREATE FUNCTION gates_ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
       DECLARE following bigint;
       BEGIN
         IF TG_OP <> 'INSERT' THEN RAISE EXCEPTION 'entries are never changed or deleted'; END IF;
         EXECUTE format('SELECT coalesce(max(sequence), -1) + 1 FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)
           INTO following;
         IF NEW.sequence <> following THEN RAISE EXCEPTION 'entries are appended in order'; END IF;
         RETURN NEW;
       END $$""",
    """CREATE TRIGGER entries_follow BEFORE INSERT OR UPDATE OR DELETE ON gates_ledger
       FOR EACH ROW EXECUTE FUNCTION gates_ledger_guard()""",
    """CREATE TRIGGER entries_stay BEFORE TRUNCATE ON gates_ledger
       FOR EACH STATEMENT EXECUTE FUNCTION gates_ledger_guard()""",
)


class PostgresLedger:
    """The table `gates_ledger` in the first schema of the connection's search path; made with the first entry.

    Parameters
    ----------
    uri: as libpq reads it; a password is better kept in `PGPASSWORD` or a password file.
    patience_s: how long to wait for another writer, in seconds.
    """

    def __init__(self, uri: str, *, patience_s: float = 60.0) -> None:
        self._uri = uri
        self._patience_s = patience_s

    @property
    def name(self) -> str:
        """The address without a password."""
        parts = urlsplit(self._uri)
        user = f"{parts.username}@" if parts.username else ""
        query = "&".join(word for word in parts.query.split("&") if not word.startswith("password="))
        return urlunsplit((parts.scheme, user + parts.netloc.rpartition("@")[2], parts.path, query, ""))

    def entries(self, start: int = 0) -> tuple[bytes, ...]:
        with self._connection() as connection:
            if not self._made(connection):
                return ()
            query = "SELECT sequence, raw FROM gates_ledger WHERE sequence >= %s ORDER BY sequence"
            rows = connection.execute(query, (start,), binary=True).fetchall()
        if [sequence for sequence, _ in rows] != list(range(start, start + len(rows))):
            raise EvidenceError("rows are missing", code="ledger.sequence", where=self.name)
        return tuple(raw for _, raw in rows)

    def append(self, raw: bytes, *, expects: Digest | None) -> None:
        import psycopg

        with self._connection() as connection:
            # A server that is set to answer before the disk has it would lose an entry in a power cut.
            connection.execute("SET LOCAL synchronous_commit = on")
            connection.execute(f"SET LOCAL lock_timeout = {int(self._patience_s * 1000)}")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            if not self._made(connection):
                for statement in _SCHEMA:
                    connection.execute(statement)
            query = "SELECT sequence, raw FROM gates_ledger ORDER BY sequence DESC LIMIT 1"
            last = connection.execute(query, binary=True).fetchone()
            head = digest_bytes(last[1]) if last else None
            if head != expects:
                raise HeadMoved(f"the head is {head or 'empty'}, not {expects or 'empty'}", where=self.name)
            sequence = last[0] + 1 if last else 0
            try:
                connection.execute("INSERT INTO gates_ledger VALUES (%s, %s)", (sequence, raw))
            except psycopg.errors.UniqueViolation as error:
                raise HeadMoved("another writer was first", where=self.name) from error
            connection.commit()

    def _made(self, connection: psycopg.Connection[tuple[object, ...]]) -> bool:
        found = connection.execute("SELECT to_regclass('gates_ledger') IS NOT NULL").fetchone()
        return bool(found and found[0])

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        """Open a connection for one transaction, which is undone unless it was committed."""
        try:
            import psycopg
        except ImportError as error:
            raise UsageError(
                "Postgres needs the package psycopg",
                code="ledger.extra_missing",
                where=self.name,
                remedy="pip install 'model-gates[postgres]'",
            ) from error
        try:
            with psycopg.connect(self._uri, connect_timeout=10, application_name="model-gates") as connection:
                connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
                try:
                    yield connection
                finally:
                    connection.rollback()
        except psycopg.Error as error:
            line = next(iter(str(error).strip().splitlines()), type(error).__name__)
            if error.sqlstate in ("XX001", "XX002"):
                raise EvidenceError(
                    f"cannot be read any more: {line}", code="ledger.corrupt", where=self.name
                ) from error
            raise EngineError(
                f"cannot be reached: {line}",
                code="ledger.unavailable",
                where=self.name,
                remedy="look at its address, rights, free space and other writers",
            ) from error
