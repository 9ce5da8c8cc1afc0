"""One wheel in an empty virtual environment, used outside the checkout: help, and decisions of both kinds.

Where all tests must run (GATES_REQUIRE_ALL), pip installs the wheel with everything that it declares from the package
registry, as a user's would: about half a minute. Elsewhere, so that reruns need no network, the wheel alone is
installed, and this environment's libraries are put behind it on the path; an undeclared dependency goes unseen there.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIRE_ALL = bool(os.environ.get("GATES_REQUIRE_ALL"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install", "--quiet", "--no-compile"]
    if REQUIRE_ALL:
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    else:
        subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def _run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run outside the checkout, with nothing of this user's environment: no OPA, no key, no settings."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _predictions(path: Path, *, sharpened: bool) -> None:
    draw = random.Random(20131225)
    lines = ["y,p"]
    for _ in range(20_000):
        odds = draw.gauss(0, 1.5)
        true = 1 / (1 + 2.718281828**-odds)
        said = 1 / (1 + 2.718281828 ** (-odds * 2)) if sharpened else true
        lines.append(f"{int(draw.random() < true)},{said:.9f}")
    path.write_text("\n".join(lines) + "\n")


def test_the_wheel_carries_what_decides(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    policies = {
        f"gates/_shipped/policies/{path.relative_to(ROOT / 'policies').as_posix()}"
        for path in (ROOT / "policies").rglob("*")
        if path.is_file() and not path.name.endswith("_test.rego")
    }
    schemas = {f"gates/_shipped/schema/{path.name}" for path in (ROOT / "evidence/schema").glob("*.json")}
    assert len(policies) > 10
    assert len(schemas) > 5
    assert {name for name in names if name.startswith("gates/_shipped/")} == policies | schemas
    assert {
        f"gates/decide/module/{name}" for name in ("policy.wasm", "module.json", "annotations.json", "data.json")
    } <= names
    assert {"gates/py.typed", "gates/cli/main.py"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"gates"}


def test_the_installed_package_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import gates, gates.resources as r; print(gates.__file__, r.policies_folder(), r.schema_folder())"
    run = _run(tmp_path, [str(installed / "python"), "-c", code])
    assert run.returncode == 0, run.stderr
    places = run.stdout.split()
    assert [Path(place).is_relative_to(installed.parent) for place in places] == [True, True, True], places


def test_help(installed: Path, tmp_path: Path) -> None:
    run = _run(tmp_path, [str(installed / "gates"), "--help"])
    assert run.returncode == 0, run.stderr
    assert "check" in run.stdout


@pytest.mark.parametrize(("sharpened", "code", "answer"), [(False, 0, "allow"), (True, 1, "deny")])
def test_a_decision(installed: Path, tmp_path: Path, sharpened: bool, code: int, answer: str) -> None:
    _predictions(tmp_path / "preds.csv", sharpened=sharpened)
    run = _run(tmp_path, [str(installed / "gates"), "check", "preds.csv", "--output", "json"])
    assert run.returncode == code, run.stdout + run.stderr
    document = json.loads(run.stdout)
    assert document["answer"] == answer
    failed = {row["check"] for row in document["rows"] if row["verdict"] == "fail"}
    assert ("calibration.ece" in failed) is sharpened
    left = {path.name for path in tmp_path.iterdir()} - {".cache", ".config"}
    assert left == {"preds.csv"}, "a check of a file writes nothing but the user's cache"
