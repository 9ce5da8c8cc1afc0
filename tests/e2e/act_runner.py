"""act, which runs a workflow's files whole on this machine: no container, no network, an empty disk for each job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest

from gates.decide.go_install import go_install
from gates.errors import EngineError

VERSION = "0.2.89"
MODULE = f"github.com/nektos/act@v{VERSION}"
ROOT = Path(__file__).parents[2]
SETUP_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97"

# What a runner gets of setup-python: a Python. Its new environments hold the `gates` that is tested, and a pip that
# notes what it was asked for.
STAND_IN = """\
name: setup-python
inputs: {python-version: {required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      run: echo "PYTHON_BIN" >>"$GITHUB_PATH"
"""
PYTHON = """\
#!/bin/bash
[ "$1 $2" = "-m venv" ] || exit 64
mkdir -p "$3/bin"
ln -s "GATES" "$3/bin/gates"
printf '#!/bin/bash\\nprintf "%%s\\\\n" "$@" >>"ASKED"\\n' >"$3/bin/pip"
chmod 755 "$3/bin/pip"
"""


def find_act() -> Path:
    """Find act, or build it once into the user's cache; without a Go the test is skipped."""
    built = platformdirs.user_cache_path("model-gates") / f"act-{VERSION}"
    on_path = shutil.which("act", path=f"{os.environ['PATH']}:{Path.home() / 'go/bin'}")
    if found := next((path for path in (Path(on_path or ""), built) if path.is_file()), None):
        return found
    try:
        go_install(MODULE, built)
    except EngineError as error:
        pytest.skip(f"act is not here and could not be built: {error}")
    return built


@dataclass(frozen=True)
class Job:
    """A run of one workflow.

    Attributes
    ----------
    jobs: result by job, of those that ran at all. summary: what the steps wrote for people. log: all lines.
    """

    code: int
    jobs: dict[str, str]
    summary: str
    log: str


@dataclass
class Act:
    """A checked-out repository, and the runner of its workflows."""

    binary: Path
    repository: Path
    scratch: Path
    runs: int = 0

    @classmethod
    def of(cls, repository: Path, scratch: Path) -> Act:
        """Make the folder a commit, as act asks for one, and put the stand-ins in place."""
        git = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(repository))
        for arguments in (("init", "--quiet", "-b", "main"), ("add", "."), ("commit", "--quiet", "-m", "as it is")):
            subprocess.run([*git, *arguments], check=True)
        scratch.mkdir()
        python = scratch / "setup-python"
        (python / "bin").mkdir(parents=True)
        (python / "action.yml").write_text(STAND_IN.replace("PYTHON_BIN", str(python / "bin")))
        gates = Path(sys.executable).parent / "gates"
        text = PYTHON.replace("GATES", str(gates)).replace("ASKED", str(scratch / "pip.txt"))
        (python / "bin" / "python").write_text(text)
        (python / "bin" / "python").chmod(0o755)
        return cls(find_act(), repository, scratch)

    @property
    def pip_was_asked(self) -> list[str]:
        return (self.scratch / "pip.txt").read_text().splitlines()

    def dispatch(self, workflow: Path, variables: Mapping[str, str], key: Path, **inputs: str) -> Job:
        """Dispatch a workflow by hand, on a runner whose disk is empty."""
        self.runs += 1
        disk = self.scratch / f"run-{self.runs}"
        disk.mkdir()
        command = [str(self.binary), "workflow_dispatch", "-W", str(workflow), "-P", "ubuntu-24.04=-self-hosted"]
        command += ["--no-cache-server", "--rm", "--json", "--action-cache-path", str(disk / "cache")]
        command += ["--env", "GITHUB_REPOSITORY=acme/models"]
        command += ["--local-repository", f"{SETUP_PYTHON}={self.scratch / 'setup-python'}"]
        command += [part for name, value in variables.items() for part in ("--var", f"{name}={value}")]
        command += [part for name, value in inputs.items() for part in ("--input", f"{name}={value}")]
        command += ["-s", f"GATES_KEY_PEM={key.read_text()}"]
        kept = {name: os.environ[name] for name in ("PYTHONPATH", "GATES_MODULE_CACHE") if name in os.environ}
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin"
        ran = subprocess.run(
            command,
            cwd=self.repository,
            env={"PATH": path, "HOME": str(disk), "ACT_DISABLE_VERSION_CHECK": "1", **kept},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        return _job(ran.returncode, ran.stdout + ran.stderr)


def _job(code: int, log: str) -> Job:
    found = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    jobs = {line["jobID"]: line["jobResult"] for line in found if "jobResult" in line}
    summary = "".join(line.get("content", "") for line in found if line.get("command") == "summary")
    return Job(code, jobs, summary, "\n".join(str(line.get("msg", "")) for line in found))
