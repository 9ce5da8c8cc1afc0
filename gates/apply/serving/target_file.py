"""A file that a target is told by, and the rollback pack beside it: read whole, replaced at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gates.bundle.canonical import canonical_bytes, parse_json
from gates.bundle.files import write_atomically
from gates.errors import EngineError, EvidenceError


class TargetFile:
    """What targets with a file share: one file for one slot; beside it `<file>.rollback-pack.json` and `<file>.journal.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return str(self.path)

    def bytes_now(self) -> bytes | None:
        """Return the bytes; None where there is no file."""
        return self._read(self.path)

    def put(self, content: bytes) -> None:
        """Replace the file at once."""
        self._put(self.path, content)

    def remove(self) -> None:
        """Leave no file."""
        self._remove(self.path)

    def keep_pack(self, pack: bytes) -> None:
        self._put(self._pack_path, pack)

    def pack(self) -> bytes | None:
        return self._read(self._pack_path)

    def keep_journal(self, journal: Sequence[bytes]) -> None:
        if journal:
            self._put(self._journal_path, b"[" + b",".join(journal) + b"]")
            return
        self._remove(self._journal_path)

    def journal(self) -> tuple[bytes, ...]:
        content = self._read(self._journal_path)
        if content is None:
            return ()
        where = str(self._journal_path)
        try:
            found = parse_json(content, where=where)
            raws = tuple(canonical_bytes(item) for item in found) if isinstance(found, list) else ()
        except EvidenceError as error:
            raise EvidenceError(error.message, code="journal.malformed", where=where) from error
        if not raws:
            raise EvidenceError("not a journal", code="journal.malformed", where=where)
        return raws

    @property
    def _journal_path(self) -> Path:
        return self.path.with_name(self.path.name + ".journal.json")

    def unavailable(self, error: OSError) -> EngineError:
        return unavailable(self.name, str(error.strerror), "look at the path, its permissions and the free space")

    @property
    def _pack_path(self) -> Path:
        return self.path.with_name(self.path.name + ".rollback-pack.json")

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.unavailable(error) from error

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self.unavailable(error) from error

    def _put(self, path: Path, content: bytes) -> None:
        try:
            write_atomically(path, content)
        except OSError as error:
            raise self.unavailable(error) from error


def unavailable(name: str, reason: str, remedy: str) -> EngineError:
    """Say that a target is out of reach."""
    return EngineError(f"cannot be reached: {reason}", code="serving.unavailable", where=name, remedy=remedy)
