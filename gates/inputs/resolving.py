"""Whether a thing that is named by its digest is still where it should be, and is still itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gates.bundle.canonical import digest_bytes, digest_file
from gates.records.base import Digest

_SECONDS = 5
_MOST_BYTES = 4_000_000
_ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, "
    "*/*"
)


@dataclass(frozen=True)
class Resolved:
    """What was found.

    Attributes
    ----------
    state: `changed`: other bytes than the digest's. why: in words; empty where it is there.
    """

    state: Literal["there", "gone", "changed"]
    why: str = ""


def resolve(place: str, digest: Digest | None = None, *, base: Path) -> Resolved:
    """Look whether a file or an http(s) address is there and, where its digest is known, is itself.

    Of an address at most 4 MB are read: an image's manifest is hashed, a larger thing is only there.
    """
    if place.startswith(("http://", "https://")):
        return _at_address(place, digest)
    path = base / place
    if not path.exists():
        return Resolved("gone", f"{place}: no such file")
    if digest is None or path.is_dir():
        return Resolved("there")
    try:
        return _same(place, digest_file(path), digest)
    except OSError as error:
        return Resolved("gone", f"{place}: {error.strerror}")


def _at_address(place: str, digest: Digest | None) -> Resolved:
    import urllib.request
    from urllib.error import HTTPError

    asked = urllib.request.Request(place, headers={"Accept": _ACCEPT})  # noqa: S310 (http and https only)
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read(_MOST_BYTES + 1)
    except HTTPError as error:
        return Resolved("gone", f"{place}: answers {error.code}")
    except (OSError, ValueError) as error:
        return Resolved("gone", f"{place}: {error}")
    if digest is None or len(content) > _MOST_BYTES:
        return Resolved("there")
    return _same(place, digest_bytes(content), digest)


def _same(place: str, found: Digest, digest: Digest) -> Resolved:
    return Resolved("there") if found == digest else Resolved("changed", f"{place}: the bytes are {found[7:19]}")
