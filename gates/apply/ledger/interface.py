"""The Ledger port: an append-only log of signed entries, moved by compare-and-swap on its head.

A ledger keeps bytes. What they say, and whether they may, is judged by `chain` from the exported envelopes alone:
most bytes of a database file can be flipped without its rows changing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gates.errors import Refused, UsageError
from gates.records.base import Digest

ROOT_VARIABLE = "GATES_LEDGER_ROOT"


class HeadMoved(Refused):
    """Another writer appended first: read again, and try again if the slot is still as it was."""

    default_code = "ledger.head_moved"


class Ledger(Protocol):
    """Raw DSSE envelopes in order; the digest of the last one is the head."""

    @property
    def name(self) -> str:
        """URI or path, for messages."""
        ...

    def entries(self, start: int = 0) -> tuple[bytes, ...]:
        """Return the envelopes from sequence number `start` on: the canonical export.

        Raises
        ------
        EngineError: the ledger cannot be reached. EvidenceError: it cannot be read any more.
        """
        ...

    def append(self, raw: bytes, *, expects: Digest | None) -> None:
        """Append durably where the head still is `expects` (None: the ledger is empty).

        Raises
        ------
        HeadMoved: it is not. EngineError: the ledger cannot be reached.
        """
        ...


def open_ledger(uri: str) -> Ledger:
    """Open `sqlite:///relative/path` or `sqlite:////absolute/path`; nothing is created before the first entry.

    Raises
    ------
    UsageError: another scheme.
    """
    from pathlib import Path

    from gates.apply.ledger.sqlite_ledger import SqliteLedger

    scheme = "sqlite:///"
    if not uri.startswith(scheme) or uri == scheme:
        raise UsageError("not a ledger", where=uri, code="ledger.uri", remedy="write sqlite:///path/to/ledger.db")
    return SqliteLedger(Path(uri.removeprefix(scheme)))


def ledger_root(environ: Mapping[str, str]) -> Digest:
    """Return the digest of entry 0, which reaches every job from outside the branch.

    Raises
    ------
    UsageError: `GATES_LEDGER_ROOT` is missing or is not a digest.
    """
    import re

    root = environ.get(ROOT_VARIABLE, "").strip()
    if not root:
        raise UsageError(
            f"{ROOT_VARIABLE} is not set: above development nothing else says which ledger is the right one",
            code="ledger.root_missing",
            remedy=f"set {ROOT_VARIABLE} to the digest that `gates policy activate` printed for entry 0",
        )
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", root):
        raise UsageError(
            "not a digest", where=ROOT_VARIABLE, code="ledger.root_invalid", remedy="write sha256: and 64 hex digits"
        )
    return root
