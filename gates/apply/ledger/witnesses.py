"""What saw the ledger's head from outside: a tag in the registry and the rollback pack beside each target. Pure.

Whoever owns the ledger's disk can cut its tail off, and sign nothing to do so. He is found by whatever he does not own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.errors import EvidenceError
from gates.records.base import Digest, Environment

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain

_TEXT = re.compile(r"(\d{1,15}) (sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Witness:
    """An entry that was the head once, by somebody else than the ledger.

    Attributes
    ----------
    by: who says so, in words.
    """

    sequence: int
    digest: Digest
    by: str


def witness_tag(environment: Environment) -> str:
    """The key of the tag on the approved version."""
    return f"gates.ledger.{environment}"


def witness_text(sequence: int, digest: Digest) -> str:
    """The tag's value."""
    return f"{sequence} {digest}"


def parse_witness(text: str, *, by: str) -> Witness:
    """Read a tag's value.

    Raises
    ------
    EvidenceError: `witness.malformed`.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise EvidenceError("no witness writes that", code="witness.malformed", where=by)
    return Witness(int(found[1]), found[2], by)


def check_witness(chain: Chain, witness: Witness) -> None:
    """Refuse a ledger that does not hold what a witness saw.

    Raises
    ------
    EvidenceError: `witness.mismatch`.
    """
    held = chain.digest_at(witness.sequence)
    if held != witness.digest:
        raise EvidenceError(
            f"saw entry {witness.sequence} as {witness.digest}, the ledger has {held or 'no such entry'}",
            code="witness.mismatch",
            where=witness.by,
            remedy="the ledger lost or changed entries: restore it; the store holds the bytes of every entry",
        )


def coverage(chain: Chain, witnesses: Iterable[Witness]) -> str:
    """Say which witness is the newest, and which entries came after all of them."""
    last = len(chain.entries) - 1
    newest = max(witnesses, key=lambda each: each.sequence, default=None)
    if newest is None:
        return f"none outside the ledger: entries 0 to {last} rest on the ledger and the store alone"
    if newest.sequence >= last:
        return f"the newest is {newest.by}: it saw the head, entry {newest.sequence}"
    tail = f"entry {last}" if newest.sequence + 1 == last else f"entries {newest.sequence + 1} to {last}"
    return f"the newest is {newest.by}: it saw entry {newest.sequence}; no witness covers {tail}"
