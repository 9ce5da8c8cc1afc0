"""Real ledgers for tests: each place says how another machine reaches it, how a forger rewrites it, how its disk fills."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gates.apply.ledger.git_ledger import entry_path
from gates.apply.ledger.interface import Ledger
from gates.apply.ledger.opening import open_ledger

BRANCH = "gates-ledger"


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Until the end no file of this process, or of those that it starts, grows over `size` bytes: a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Place:
    """A ledger that does not exist yet."""

    rounds = 6
    """How often sixteen writers race: as many as a second of this adapter allows."""
    kill_step = 1
    """Every how many statements a writer is killed in `make test`."""

    uri: str

    def open(self, machine: object = 0) -> Ledger:
        """Open it as a process of that machine does."""
        return open_ledger(self.uri, self.environ(machine))

    def environ(self, machine: object) -> dict[str, str]:
        return dict(os.environ)

    def rewrite(self, raws: Sequence[bytes]) -> None:
        """Be somebody who owns the ledger's disk: these, and no others, are its entries from now on."""
        raise NotImplementedError

    def full_disk(self) -> contextmanager[None]:  # type: ignore[valid-type]
        """Leave too little room for an entry of two megabytes."""
        raise NotImplementedError


class SqlitePlace(Place):
    """A file in a folder that is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sub" / "ledger.db"
        self.uri = f"sqlite:///{self.path}"

    def rewrite(self, raws: Sequence[bytes]) -> None:
        with sqlite3.connect(self.path) as file:
            file.execute("DROP TRIGGER entries_stay")
            file.execute("DROP TRIGGER entries_hold")
            file.execute("DELETE FROM entries")
            file.executemany("INSERT INTO entries VALUES (?, ?)", enumerate(raws))

    def full_disk(self) -> contextmanager[None]:  # type: ignore[valid-type]
        return files_up_to(200_000)


class GitPlace(Place):
    """A bare repository, and a cache for each machine."""

    rounds = 2
    kill_step = 6

    def __init__(self, folder: Path) -> None:
        self.folder, self.remote = folder, folder / "remote.git"
        subprocess.run(["git", "init", "--quiet", "--bare", self.remote], check=True)
        self.uri = f"git+file://{self.remote}#{BRANCH}"

    def environ(self, machine: object) -> dict[str, str]:
        return {**os.environ, "GATES_CACHE": str(self.folder / f"cache-{machine}")}

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", "-C", self.remote, *arguments], input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def rewrite(self, raws: Sequence[bytes]) -> None:
        """A forced push of another history."""
        self.git("fast-import", "--quiet", "--force", "--done", stdin=history(raws, BRANCH))

    def full_disk(self) -> contextmanager[None]:  # type: ignore[valid-type]
        return files_up_to(200_000)


def history(raws: Sequence[bytes], branch: str) -> bytes:
    """A fast-import stream that makes the branch anew, a commit an entry."""
    stream = [f"reset refs/heads/{branch}\n\n".encode()]
    for number, raw in enumerate(raws):
        head = f"commit refs/heads/{branch}\ncommitter a <a@b> {number} +0000\ndata 0\n"
        stream.append(f"{head}M 100644 inline {entry_path(number)}\ndata {len(raw)}\n".encode() + raw + b"\n")
    return b"".join((*stream, b"done\n"))


class PostgresPlace(Place):
    """A schema of its own on a server."""

    rounds = 4

    def __init__(self, server: PostgresServer, name: str) -> None:
        import psycopg

        self.server = server
        with psycopg.connect(server.uri, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        self.uri = f"{server.uri}&options=-csearch_path%3D{name}"

    def rewrite(self, raws: Sequence[bytes]) -> None:
        import psycopg

        with psycopg.connect(self.uri) as connection:
            connection.execute("ALTER TABLE gates_ledger DISABLE TRIGGER ALL")
            connection.execute("TRUNCATE gates_ledger")
            connection.cursor().executemany("INSERT INTO gates_ledger VALUES (%s, %s)", list(enumerate(raws)))

    @contextmanager
    def full_disk(self) -> Iterator[None]:  # type: ignore[override]
        """Backends inherit the server's limits."""
        self.server.files_up_to("1200000")
        try:
            yield
        finally:
            self.server.files_up_to("unlimited")


class PostgresServer:
    """A real server on a unix socket in a folder of its own; run by nobody in particular where the tests run as root.

    Parameters
    ----------
    fsync: whether a commit waits for the disk, as it does where nobody asks otherwise.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        found = shutil.which("initdb") or str(next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), ""))
        if not found:
            raise FileNotFoundError("no Postgres here; .ci/run installs it: apt-get install postgresql")
        self.folder = Path(tempfile.mkdtemp(prefix="gates-pg-", dir="/tmp"))
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        bin_folder, data = Path(found).resolve().parent, str(self.folder / "data")
        self._start(
            bin_folder / "initdb", "--no-sync", "--auth=trust", "--wal-segsize=1", "--username=gates", "-D", data
        ).wait()
        settings = (
            f"fsync={'on' if fsync else 'off'}",
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "max_connections=60",
        )
        self.process = self._start(
            bin_folder / "postgres", "-D", data, *(part for setting in settings for part in ("-c", setting))
        )
        self._wait()

    @property
    def uri(self) -> str:
        return f"postgresql://gates@/postgres?host={self.folder}"

    def files_up_to(self, size: str) -> None:
        """Limit the files that new connections write; a segment of the write-ahead log must fit."""
        self._start("prlimit", "--pid", self.process.pid, f"--fsize={size}:").wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, *command: object) -> subprocess.Popen[bytes]:
        who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(part) for part in command],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdout=log,
                stderr=log,
                **who,  # type: ignore[arg-type]
            )

    def _wait(self) -> None:
        import psycopg

        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.uri).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return
