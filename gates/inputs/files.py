"""Files as they lie: whether they are there, and the digest of their bytes. Part of `tables`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO, TypeAlias

from gates.errors import UsageError
from gates.plan.nearest import nearest
from gates.records import Digest

State: TypeAlias = tuple[int, ...]
"""What of a file is another as soon as somebody writes or replaces it."""

_PIECE = 2**24  # between two pieces a thread waits for its turn in Python
_ONE_AT_A_TIME = Lock()


def state_of(stat: os.stat_result) -> State:
    """Return a file's state."""
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


class Hashing:
    """The digest of a file, computed in a thread of its own, since an engine takes as long to start and to open the file.

    Attributes
    ----------
    state: of the file before its first byte was read.

    Raises
    ------
    UsageError: the file cannot be opened.
    """

    def __init__(self, path: Path, where: str) -> None:
        self._where = where
        self._found: Digest | OSError | None = None
        try:
            file = path.open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(where, error) from error
        self.state = state_of(os.fstat(file.fileno()))
        self._thread = Thread(target=self._read, args=(file,), daemon=True)
        self._thread.start()

    def digest(self) -> Digest:
        """Wait for the digest.

        Raises
        ------
        UsageError: the file cannot be read.
        """
        self._thread.join()
        if isinstance(self._found, OSError):
            raise _unreadable(self._where, self._found) from self._found
        if self._found is None:
            raise RuntimeError("a thread ended without an answer")
        return self._found

    def _read(self, file: BinaryIO) -> None:
        found = hashlib.sha256()
        try:
            with file, _ONE_AT_A_TIME:
                piece = memoryview(bytearray(_PIECE))
                while count := file.readinto(piece):  # type: ignore[attr-defined]
                    found.update(piece[:count])
        except OSError as error:
            self._found = error
        else:
            self._found = f"sha256:{found.hexdigest()}"


def _unreadable(where: str, error: OSError) -> UsageError:
    return UsageError(f"cannot be read: {error.strerror}", code="table.unreadable", where=where)


def printable(name: str) -> str:
    """Return a name for records and errors: one line, and the end of one that is too long."""
    return "".join(char if char.isprintable() else "?" for char in name)[-256:]


def must_exist(path: Path, where: str) -> None:
    """Refuse what is no file.

    Raises
    ------
    UsageError: with the nearest that exists.
    """
    if path.is_file():
        return
    if path.is_dir():
        raise UsageError(
            "is a folder; a table is one file, or a Delta or Iceberg table", code="table.missing", where=where
        )
    near = _nearest_file(path)
    raise UsageError(
        "no such file", code="table.missing", where=where, remedy=f'did you mean "{near}"?' if near else None
    )


def _nearest_file(path: Path) -> Path | None:
    """Find the nearest existing file: the first part of the path that is wrong is replaced by its nearest neighbour."""
    known = path.parent
    while not known.is_dir() and known != known.parent:
        known = known.parent
    rest = path.relative_to(known).parts
    try:
        best = nearest(rest[0], sorted(entry.name for entry in known.iterdir()))
    except OSError:
        return None
    if best is None:
        return None
    mended = known.joinpath(best, *rest[1:])
    return mended if mended.exists() else known / best
