"""The content-addressed store: bytes by digest, written once, checked when read; and links that list them.

A folder for now; any fsspec file system fits the same four methods.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from gates.bundle.canonical import digest_bytes
from gates.bundle.files import write_atomically
from gates.errors import EngineError, EvidenceError
from gates.records.base import Digest, is_digest

_KIND = re.compile(r"[a-z][a-z-]*")


class Store:
    """Bytes by digest under `root/sha256/ab/...`; links under `root/links/<kind>/<key digest>/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, content: bytes) -> Digest:
        """Write once; the same bytes again change nothing.

        Raises
        ------
        EngineError: the disk refused.
        """
        digest = digest_bytes(content)
        path = self._path(digest)
        try:
            if not path.exists():
                write_atomically(path, content, mode=0o444, replace=False)
        except OSError as error:
            raise EngineError(
                f"cannot be written: {error.strerror}", code="store.unwritable", where=str(self.root)
            ) from error
        return digest

    def get(self, digest: Digest) -> bytes:
        """Read and check.

        Raises
        ------
        EvidenceError: no such bytes (`store.missing`), or they are not what the digest says (`store.corrupt`).
        """
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise EvidenceError("not in the store", code="store.missing", where=digest) from error
        except OSError as error:
            raise EngineError(f"cannot be read: {error.strerror}", code="store.unreadable", where=str(path)) from error
        if digest_bytes(content) != digest:
            raise EvidenceError("the bytes are not what the digest says", code="store.corrupt", where=str(path))
        return content

    def __contains__(self, digest: Digest) -> bool:
        return self._path(digest).exists()

    def link(self, kind: str, key: str, digest: Digest) -> None:
        """Note that `digest` belongs to `key`; idempotent. The link is a hint, never evidence."""
        path = self._links(kind, key) / self._hex(digest)
        try:
            write_atomically(path, b"", replace=False)
        except OSError as error:
            raise EngineError(
                f"cannot be written: {error.strerror}", code="store.unwritable", where=str(self.root)
            ) from error

    def linked(self, kind: str, key: str) -> list[Digest]:
        """Digests linked to `key`, sorted."""
        folder = self._links(kind, key)
        if not folder.is_dir():
            return []
        return sorted(f"sha256:{path.name}" for path in folder.iterdir() if len(path.name) == 64)

    def _links(self, kind: str, key: str) -> Path:
        if not _KIND.fullmatch(kind):
            raise ValueError(kind)
        return self.root / "links" / kind / hashlib.sha256(key.encode()).hexdigest()

    def _hex(self, digest: Digest) -> str:
        if not is_digest(digest):
            raise EvidenceError(f"not a digest: {digest!r}", code="store.digest")
        return digest.removeprefix("sha256:")

    def _path(self, digest: Digest) -> Path:
        name = self._hex(digest)
        return self.root / "sha256" / name[:2] / name
