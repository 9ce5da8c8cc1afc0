"""The official release of OPA: one program a platform, taken only where its bytes have the digest that is pinned here.

`opa_release.json` holds the version and a SHA-256 a platform; `tools/pin_opa.py` writes it, and its change is reviewed like
code. A digest that is not known stands as null, and then nothing is fetched: what a server says of its own file proves
nothing. 1.20.2 and 1.21.1, whose digests are widely published, are not pinned in its place: until 1.21.3 OPA's check of
bundle signatures could be side-stepped (GHSA-g2pf-6v5v-qcc8).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

from gates.errors import EngineError

RELEASES = "https://github.com/open-policy-agent/opa/releases/download"
PINS: dict[str, Any] = json.loads(files("gates.decide").joinpath("opa_release.json").read_text(encoding="utf-8"))

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "arm64": "arm64", "aarch64": "arm64"}
_SILENCE_SECONDS = 30.0
MOST_BYTES = 500_000_000
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Asset:
    """A file of a release. `sha256`: of its bytes, in hex."""

    url: str
    sha256: str


def here() -> str:
    """Return this platform as the pins name it: `linux-amd64`; of one that is not known, what Python calls it."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_MACHINES.get(machine, machine)}"


def asset(place: str, *, pins: dict[str, Any] = PINS, releases: str = RELEASES) -> Asset:
    """Return what is pinned for a platform.

    Raises
    ------
    EngineError: `opa.release`: the release has no file for it, or no digest of it is pinned.
    """
    version, found = pins["version"], pins["assets"].get(place)
    if found is None:
        raise EngineError(f"there is no release of OPA {version} for {place}", code="opa.release")
    if found["sha256"] is None:
        raise EngineError(f"no digest of the release {version} is pinned for {place}", code="opa.release")
    return Asset(f"{releases}/v{version}/{found['name']}", found["sha256"])


def install(wanted: Asset, target: Path) -> None:
    """Fetch a file of the release into `target`, executable; nothing stands there before its digest was compared.

    Raises
    ------
    EngineError: `opa.release`: not to be had, cut short, longer than any release, or other bytes than those pinned.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that it gets there in one step; mkstemp makes a file of the owner's that nobody can run.
    number, name = tempfile.mkstemp(prefix=".release-", dir=target.parent)
    held = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            digest = fetch(wanted.url, file)
        if digest != wanted.sha256:
            raise EngineError(
                f"is not the release: its sha256 is {digest}, and {wanted.sha256} is pinned",
                code="opa.release",
                where=wanted.url,
            )
        held.chmod(0o755)
        held.replace(target)
    finally:
        held.unlink(missing_ok=True)


def fetch(url: str, file: IO[bytes]) -> str:
    """Write what an address answers into a file; return its SHA-256 in hex.

    Raises
    ------
    EngineError: `opa.release`: not to be had, cut short, or longer than any release.
    """
    digest = hashlib.sha256()
    try:
        for chunk in _chunks(url):
            digest.update(chunk)
            file.write(chunk)
    except (OSError, HTTPException, ValueError) as error:
        raise EngineError(f"could not be fetched: {error}", code="opa.release", where=url) from error
    return digest.hexdigest()


def _chunks(url: str) -> Iterator[bytes]:
    read = 0
    with urllib.request.urlopen(url, timeout=_SILENCE_SECONDS) as answer:  # noqa: S310 - the pinned address
        while chunk := answer.read(_CHUNK):
            read += len(chunk)
            if read > MOST_BYTES:
                raise EngineError(f"is longer than {MOST_BYTES:,} bytes", code="opa.release", where=url)
            yield chunk
        said = answer.headers.get("Content-Length")
        # A read of a given size does not notice by itself that the server hung up.
        if said is not None and read != int(said):
            raise EngineError(f"was cut short: {read:,} of {said} bytes", code="opa.release", where=url)
