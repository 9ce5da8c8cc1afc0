"""Documents beside tables: a file of the spec's folder, or bytes of the store that a plan names by their digest."""

from __future__ import annotations

from pathlib import Path

from gates.bundle.store import Store
from gates.errors import UsageError
from gates.plan.placeholders import resolve_path

DIGEST = "sha256:"


def document_bytes(text: str, base: Path, store: Store | None, *, code: str) -> bytes:
    """Return the bytes of a path from `base`, or of a digest.

    Raises
    ------
    UsageError: `code`: a file that cannot be read. EvidenceError: the store lacks the bytes, or they were changed.
    """
    if store is not None and text.startswith(DIGEST):
        return store.get(text)
    try:
        return resolve_path(text, base).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", code=code, where=text) from error
