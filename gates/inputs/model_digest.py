"""The digest of a model: of the bytes of its artifact files, and nothing else.

Place in the flow: what `ModelVersion.digest` holds. Plans, evidence, decisions, releases and serving targets name a
model by it, and APPLY computes it again before anything moves.

Every file is hashed by SHA-256 under its POSIX path relative to the model's folder, as the OpenSSF model-signing
specification hashes files; the digest of the model is that of the RFC 8785 form of
`{"files": [{"digest", "path"}, ...]}`, sorted by the path's UTF-8 bytes. The `model_signing` package itself does not
serve: it passes over folders that it may not read, and leaves `.git*` out, where a model can keep code.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import rfc8785

from gates.errors import EvidenceError
from gates.records import Digest


class UnhashableModel(EvidenceError):
    """An artifact whose bytes cannot be named once and for all (exit 3)."""

    default_code = "model.unhashable"


def digest_model(folder: Path) -> Digest:
    """Hash all files under `folder`.

    Modes, times and empty folders do not count. A single file is not a model.

    Raises
    ------
    UnhashableModel: no such folder, no files, or anything in it that is a symbolic link, neither file nor folder,
    unreadable, or has a name that is not UTF-8.
    """
    document = {"files": [{"digest": _digest_file(path), "path": name} for name, path in _files(folder)]}
    if not document["files"]:
        raise UnhashableModel("the model has no files", where=str(folder))
    return f"sha256:{hashlib.sha256(rfc8785.dumps(document)).hexdigest()}"


def _files(folder: Path) -> list[tuple[str, Path]]:
    if folder.is_symlink() or not folder.is_dir():
        raise UnhashableModel("not a folder", where=str(folder))
    found: list[tuple[bytes, str, Path]] = []
    for parent, names, files in os.walk(folder, onerror=_unreadable):
        for name in [*names, *files]:
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
                raise UnhashableModel("neither a file nor a folder (symbolic links are refused)", where=str(path))
            if stat.S_ISREG(mode):
                relative = path.relative_to(folder).as_posix()
                found.append((_utf8(relative), relative, path))
    return [(relative, path) for _, relative, path in sorted(found)]


def _utf8(relative: str) -> bytes:
    try:
        return relative.encode()
    except UnicodeEncodeError as error:
        raise UnhashableModel(f"a file name is not UTF-8: {relative!a}") from error


def _digest_file(path: Path) -> Digest:
    try:
        # Not following links here too: the entry may have been swapped since it was listed.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise UnhashableModel(f"cannot be read: {error.strerror}", where=str(path)) from error


def _unreadable(error: OSError) -> None:
    raise UnhashableModel(f"cannot be read: {error.strerror}", where=str(error.filename)) from error
