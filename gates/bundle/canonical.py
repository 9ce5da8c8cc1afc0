"""One byte form for every document: RFC 8785 (JCS); everything that has a name has a digest of exact bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import rfc8785

from gates.errors import EvidenceError, UsageError
from gates.records.base import Digest


def canonical_bytes(document: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON document.

    Raises
    ------
    EvidenceError: NaN, an infinity, an integer of 2^53 or more, or a value that JSON does not have.
    """
    try:
        return rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise EvidenceError(f"has no canonical form: {error}", code="record.not_canonical") from error


def parse_json(raw: bytes, *, where: str | None = None) -> Any:
    """Parse JSON strictly: UTF-8, no duplicate keys, no NaN or infinity.

    Raises
    ------
    EvidenceError: the bytes are not such a document.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) != len(pairs):
            raise ValueError("a key occurs twice")
        return document

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"not a JSON document: {error}", code="record.invalid", where=where) from error


def digest_bytes(raw: bytes) -> Digest:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def digest_document(document: Any) -> Digest:
    """Digest of the canonical bytes of a document."""
    return digest_bytes(canonical_bytes(document))


def digest_file(path: Path) -> Digest:
    """Digest of a file's bytes, read in pieces.

    Raises
    ------
    UsageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), code="file.unreadable") from error
