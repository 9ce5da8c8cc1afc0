"""A file that a target is told by, and the rollback pack beside it: read whole, replaced at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from gates.bundle.canonical import canonical_bytes, parse_json
from gates.bundle.files import write_atomically
from gates.errors import EngineError, EvidenceError

PACK, JOURNAL = ".rollback-pack.json", ".journal.json"


class Beside(ABC):
    """What lies beside a statement under its name and a suffix: the rollback pack and the journal."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the statement, for messages."""

    @abstractmethod
    def _read(self, suffix: str) -> bytes | None:
        """Return the bytes; None where there are none. The suffix of the statement itself is empty."""

    @abstractmethod
    def _put(self, suffix: str, content: bytes) -> None:
        """Replace it at once."""

    @abstractmethod
    def _remove(self, suffix: str) -> None:
        """Leave none."""

    def bytes_now(self) -> bytes | None:
        """Return the statement's bytes; None where there is none."""
        return self._read("")

    def put(self, content: bytes) -> None:
        """Replace the statement at once."""
        self._put("", content)

    def remove(self) -> None:
        """Leave no statement."""
        self._remove("")

    def keep_pack(self, pack: bytes) -> None:
        self._put(PACK, pack)

    def pack(self) -> bytes | None:
        return self._read(PACK)

    def heads(self) -> tuple[str, ...]:
        """See Serving.heads: a place without a history has none."""
        return ()

    def keep_journal(self, journal: Sequence[bytes]) -> None:
        if journal:
            self._put(JOURNAL, b"[" + b",".join(journal) + b"]")
            return
        self._remove(JOURNAL)

    def journal(self) -> tuple[bytes, ...]:
        content = self._read(JOURNAL)
        if content is None:
            return ()
        where = self.name + JOURNAL
        try:
            found = parse_json(content, where=where)
            raws = tuple(canonical_bytes(item) for item in found) if isinstance(found, list) else ()
        except EvidenceError as error:
            raise EvidenceError(error.message, code="journal.malformed", where=where) from error
        if not raws:
            raise EvidenceError("not a journal", code="journal.malformed", where=where)
        return raws


class TargetFile(Beside):
    """What targets with a file share: one file for one slot; beside it `<file>.rollback-pack.json` and `<file>.journal.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return str(self.path)

    def unavailable(self, error: OSError) -> EngineError:
        return unavailable(self.name, str(error.strerror), "look at the path, its permissions and the free space")

    def _at(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _read(self, suffix: str) -> bytes | None:
        try:
            return self._at(suffix).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.unavailable(error) from error

    def _remove(self, suffix: str) -> None:
        try:
            self._at(suffix).unlink(missing_ok=True)
        except OSError as error:
            raise self.unavailable(error) from error

    def _put(self, suffix: str, content: bytes) -> None:
        try:
            write_atomically(self._at(suffix), content)
        except OSError as error:
            raise self.unavailable(error) from error


def unavailable(name: str, reason: str, remedy: str) -> EngineError:
    """Say that a target is out of reach."""
    return EngineError(f"cannot be reached: {reason}", code="serving.unavailable", where=name, remedy=remedy)
