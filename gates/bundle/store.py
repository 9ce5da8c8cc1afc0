"""The content-addressed store: bytes by digest, written once, checked when read; and links that list them.

A folder here; `store_remote` keeps the same names on any fsspec file system.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
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

    @property
    def name(self) -> str:
        """Path or address, for messages."""
        return str(self.root)

    def put(self, content: bytes) -> Digest:
        """Write once; the same bytes again change nothing.

        Raises
        ------
        EngineError: the disk or the service refused.
        """
        digest = digest_bytes(content)
        self._write_once(object_name(digest), content)
        return digest

    def get(self, digest: Digest) -> bytes:
        """Read and check.

        Raises
        ------
        EvidenceError: no such bytes (`store.missing`), or they are not what the digest says (`store.corrupt`).
        EngineError: the disk or the service refused.
        """
        content = self._read(object_name(digest))
        if content is None:
            raise EvidenceError("not in the store", code="store.missing", where=digest)
        if digest_bytes(content) != digest:
            raise EvidenceError(
                "the bytes are not what the digest says",
                code="store.corrupt",
                where=f"{self.name}/{object_name(digest)}",
            )
        return content

    def __contains__(self, digest: Digest) -> bool:
        return self._exists(object_name(digest))

    def link(self, kind: str, key: str, digest: Digest) -> None:
        """Note that `digest` belongs to `key`; idempotent. The link is a hint, never evidence."""
        self._write_once(f"{_links(kind, key)}/{_hex(digest)}", b"")

    def linked(self, kind: str, key: str) -> list[Digest]:
        """Digests linked to `key`, sorted."""
        return sorted(f"sha256:{name}" for name in self._names(_links(kind, key)) if len(name) == 64)

    def check_there(self) -> None:
        """Tell a store that is not mounted, or was lost, from one that lacks an object.

        Raises
        ------
        EngineError: `store.unavailable`.
        """
        if not self.root.is_dir():
            raise EngineError(
                "the store is not there",
                code="store.unavailable",
                where=self.name,
                remedy="mount it, or correct `store:`",
            )

    def objects(self) -> Iterator[tuple[str, bytes | OSError]]:
        """Every object's name under `sha256/`, with its bytes or why they cannot be read; for audits."""
        folder = self.root / "sha256"
        for path in sorted(folder.rglob("*")):
            if path.is_dir() or path.name.startswith(".partial-"):
                continue
            try:
                yield path.relative_to(folder).as_posix(), path.read_bytes()
            except OSError as error:
                yield path.relative_to(folder).as_posix(), error

    def _write_once(self, name: str, content: bytes) -> None:
        path = self.root / name
        try:
            if not path.exists():
                write_atomically(path, content, mode=0o444, replace=False)
        except OSError as error:
            raise unwritable(self.name, error) from error

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(f"{self.name}/{name}", error) from error

    def _exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def _names(self, folder: str) -> list[str]:
        """Names of the files in a folder; none where there is no such folder."""
        path = self.root / folder
        return [each.name for each in path.iterdir()] if path.is_dir() else []


def object_name(digest: Digest) -> str:
    """Where an object lies in a store.

    Raises
    ------
    EvidenceError: `store.digest`.
    """
    name = _hex(digest)
    return f"sha256/{name[:2]}/{name}"


def is_named(name: str, content: bytes) -> bool:
    """Whether bytes are what their name under `sha256/` says."""
    return f"sha256/{name}" == object_name(digest_bytes(content))


def unwritable(where: str, error: Exception) -> EngineError:
    return EngineError(f"cannot be written: {_said(error)}", code="store.unwritable", where=where)


def unreadable(where: str, error: Exception) -> EngineError:
    return EngineError(f"cannot be read: {_said(error)}", code="store.unreadable", where=where)


def _said(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(said).splitlines()[0]


def _links(kind: str, key: str) -> str:
    if not _KIND.fullmatch(kind):
        raise ValueError(kind)
    return f"links/{kind}/{hashlib.sha256(key.encode()).hexdigest()}"


def _hex(digest: Digest) -> str:
    if not is_digest(digest):
        raise EvidenceError(f"not a digest: {digest!r}", code="store.digest")
    return digest.removeprefix("sha256:")
