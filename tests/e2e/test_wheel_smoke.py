"""One wheel in an empty virtual environment, used outside the checkout: help, and decisions of both kinds.

Beside it lies what it declares, and what that declares, linked from this environment, whose constraints are the same: a
dependency that is undeclared, or installed in a version that the wheel does not admit, is missing there. That pip finds
all of it in the registry too is a test of half a minute, for `make study`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def _environment(folder: Path, *install: str) -> Path:
    """Make an environment without pip, install into it, and return its bin folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [*PIP, "--python", str(folder / "bin/python"), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, *install], check=True)
    return folder / "bin"


def declared(by: Iterable[str], installed: dict[str, Distribution]) -> set[str]:
    """Names of what requirements ask for, and of what that asks for in turn, as far as this environment has it."""
    taken = defaultdict[str, set[str]](set)
    open_ones = [(one, {""}) for one in map(Requirement, by)]
    while open_ones:
        asked, extras = open_ones.pop()
        if asked.marker is not None and not any(asked.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name, wanted = canonicalize_name(asked.name), {"", *asked.extras}
        found = installed.get(name)
        if found is None or not asked.specifier.contains(found.version, prereleases=True) or wanted <= taken[name]:
            continue
        taken[name] |= wanted
        open_ones += [(one, taken[name]) for one in map(Requirement, found.requires or [])]
    return {name for name, extras in taken.items() if extras}


def link(names: set[str], installed: dict[str, Distribution], site: Path) -> None:
    """Show the files of distributions in another environment: a folder as one where nobody else has a part of it."""
    parts = {
        name: [
            (path, Path(str(path.locate()))) for path in found.files or [] if path.parts[0] not in {"..", "__pycache__"}
        ]
        for name, found in installed.items()
    }
    owners = defaultdict[str, set[str]](set)
    for name, files in parts.items():
        for path, _ in files:
            owners[path.parts[0]].add(name)
    for name in names:
        for path, real in parts[name]:
            top = path.parts[0]
            whole = owners[top] <= names
            target = site / top if whole else site / path
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(real.parents[len(path.parts) - 2] if whole and len(path.parts) > 1 else real)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel and what it declares."""
    folder = tmp_path_factory.mktemp("venv")
    found = _environment(folder, "--no-deps", "--no-index", str(wheel))
    (site,) = folder.glob("lib/python*/site-packages")
    (own,) = distributions(path=[str(site)])
    here: dict[str, Distribution] = {canonicalize_name(one.name): one for one in distributions()}
    link(declared(own.requires or [], here), here, site)
    return found


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


def test_what_is_not_declared_is_not_there(installed: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print([n for n in ('duckdb', 'pytest', 'pyspark', 'statsmodels') if u.find_spec(n)])"
    run = _run(tmp_path, [str(installed / "python"), "-c", code])
    assert (run.stdout.strip(), run.stderr) == ("['duckdb']", "")


@pytest.mark.long
def test_pip_finds_all_that_it_declares(wheel: Path, tmp_path: Path) -> None:
    bin_folder = _environment(tmp_path / "venv", "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    (tmp_path / "work").mkdir()
    test_a_decision(bin_folder, tmp_path / "work", sharpened=False, code=0, answer="allow")
