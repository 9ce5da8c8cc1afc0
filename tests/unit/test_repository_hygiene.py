"""What must hold of the committed files themselves."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

# In pieces, so that this file is not a finding of its own.
REGISTRY_HOST = re.compile("//[a-z0-9.-]*(pypi|pythonhosted|npmjs|crates|golang|maven|debian)" + r"\.(org|io)")
MACHINE_PATH = re.compile("(^|[^A-Za-z0-9_./}]|file://)/" + "(work|farm|home|Users)/[A-Za-z0-9_.-]")
PINNED_ACTION = re.compile(r"^\s*(-\s+)?uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def _findings(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in _tracked():
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" in content:
            continue
        lines = content.decode("utf-8", errors="replace").splitlines()
        found += [f"{path.relative_to(ROOT)}:{n}: {line}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


@pytest.mark.parametrize("pattern", [REGISTRY_HOST, MACHINE_PATH], ids=["registry-host", "machine-path"])
def test_no_committed_line_names(pattern: re.Pattern[str]) -> None:
    assert len(_tracked()) > 30
    assert _findings(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY_HOST, "url = https://files.python" + "hosted.org/packages/x.whl"),
        (MACHINE_PATH, "open('/ho" + "me/someone/x')"),
        (MACHINE_PATH, "/wo" + "rk/main"),
        (MACHINE_PATH, "uri: file:///ho" + "me/someone/x"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize("line", ["examples/flights/work/mlflow.db", "sqlite:///work/mlflow.db"])
def test_relative_folders_are_no_finding(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def _workflow(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(path)
    return document


def test_there_are_workflows() -> None:
    assert {"ci.yml", "pr-gate.yml"} <= {path.name for path in WORKFLOWS}


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_named_by_version(path: Path) -> None:
    uses = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    # The repository's own action is of the commit that the job checked out.
    foreign = [line for line in uses if line.strip() != "- uses: ./"]
    assert foreign
    assert [line for line in foreign if not PINNED_ACTION.match(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_starts_from_no_permission_and_ends_in_time(path: Path) -> None:
    workflow = _workflow(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "permissions" in job, name
        # Whoever may open a pull request spends the runner's time; a dispatch is a person's of the repository.
        assert job["timeout-minutes"] <= (120 if set(workflow["on"]) == {"workflow_dispatch"} else 30), name


def test_one_action_has_one_commit_everywhere() -> None:
    text = "\n".join(path.read_text() for path in [*WORKFLOWS, ROOT / "action.yml"])
    pins = set(re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", text))
    assert len(pins) == len({name for name, _ in pins})


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_declared_distribution_is_pinned_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = _pins()
    declared = list(project["project"]["dependencies"])
    for group in project["dependency-groups"].values():
        declared += group
    for text in declared:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def test_every_hook_runs_what_make_installed() -> None:
    config = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["entry"].startswith(".venv/bin/"), hook["id"]


def test_the_index_of_decisions_lists_every_page() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text()
    pages = sorted(path.name for path in folder.glob("0*.md"))
    assert re.findall(r"\((0[^)]*\.md)\)", index) == pages
