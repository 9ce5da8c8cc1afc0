"""The Ledger port: an append-only log of signed entries, moved by compare-and-swap on its head.

A ledger keeps bytes. What they say, and whether they may, is judged by `chain` from the exported envelopes alone:
most bytes of a database file can be flipped without its rows changing.
"""

from __future__ import annotations

from typing import Protocol

from gates.errors import Refused
from gates.records.base import Digest


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
