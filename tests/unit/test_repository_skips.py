"""Where all tests must run, one that is skipped is a failure; elsewhere it is a skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SKIPS = {
    "mark": "import pytest\n@pytest.mark.skip(reason='why')\ndef test_x(): pass\n",
    "call": "import pytest\ndef test_x(): pytest.skip('why')\n",
    "module": "import pytest\npytest.skip('why', allow_module_level=True)\n",
    "import": "import pytest\npytest.importorskip('no_such_module')\ndef test_x(): pass\n",
    "fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('why')\ndef test_x(f): pass\n",
}


def _run(folder: Path, kinds: list[str], *, require_all: bool, workers: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    for kind in kinds:
        (folder / f"test_{kind}.py").write_text(SKIPS[kind])
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GATES_", "PYTEST_"))}
    environment |= {"GATES_REQUIRE_ALL": "1"} if require_all else {}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    return subprocess.run(
        [*command, "-n", workers, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_skip_fails_where_all_must_run(tmp_path: Path) -> None:
    run = _run(tmp_path, list(SKIPS), require_all=True, workers="0")
    assert run.returncode == 1, run.stdout
    assert run.stdout.count("why (a skip is a failure") >= 4
    assert "no_such_module" in run.stdout
    assert "skipped" not in run.stdout.splitlines()[-1]
    assert "passed" not in run.stdout.splitlines()[-1]


def test_a_skip_in_a_worker_fails_too(tmp_path: Path) -> None:
    run = _run(tmp_path, ["mark"], require_all=True, workers="1")
    assert run.returncode == 1, run.stdout
    assert "1 error" in run.stdout.splitlines()[-1]


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    run = _run(tmp_path, list(SKIPS), require_all=False, workers="0")
    assert run.returncode == 0, run.stdout
    assert "5 skipped" in run.stdout.splitlines()[-1]
