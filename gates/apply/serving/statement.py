"""A whole release as a text that a target carries beside what it is told: what was meant, and by which name."""

from __future__ import annotations

from gates.bundle.canonical import canonical_bytes, digest_document, parse_json
from gates.errors import EvidenceError
from gates.records.base import Digest
from gates.records.release import Release


def statement_of(release: Release) -> tuple[str, Digest]:
    """Return a release's canonical JSON on one line, and its digest."""
    document = release.document()
    return canonical_bytes(document).decode(), digest_document(document)


def release_in(text: object) -> Release:
    """Return the release that a statement is of.

    Raises
    ------
    EvidenceError: it is of none.
    """
    if not isinstance(text, str):
        raise EvidenceError("a statement that is no text")
    release = Release.parse(parse_json(text.encode()))
    canonical_bytes(release.document())
    return release
