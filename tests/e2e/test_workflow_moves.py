"""The dispatch workflows through the action's own script: one job promotes with an empty disk, another rolls back.

test_workflow_act.py runs the same files whole, where act is to be had.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from shared_world import Shared, share
from small_world import World

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = YAML(typ="safe").load(ROOT / "action.yml")
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


def evaluated(expression: str, context: dict[str, str]) -> str:
    """The few words of the expression language that these files use."""
    for part in expression.split(" || "):
        if found := re.fullmatch(r"format\('(.*?)', (.*)\)", part):
            value = found[1].format(*(evaluated(each, context) for each in found[2].split(", ")))
        else:
            value = part[1:-1] if part.startswith("'") else context.get(part, "")
        if value:
            return value
    return ""


def filled(words: dict[str, Any], context: dict[str, str]) -> dict[str, str]:
    return {name: EXPRESSION.sub(lambda at: evaluated(at[1], context), str(word)) for name, word in words.items()}


@dataclass
class Runner:
    """What is the same for every job: repository variables and the keys of environments."""

    shared: Shared
    jobs: int = 0

    @property
    def world(self) -> World:
        return self.shared.world

    def dispatch(self, workflow: str, key: str, **inputs: str) -> tuple[int, dict[str, str], str]:
        """Run a workflow as dispatched; return the step's code, its outputs and its log."""
        document = YAML(typ="safe").load(ROOT / f".github/workflows/{workflow}.yml")
        (job,) = document["jobs"].values()
        asked = document["on"]["workflow_dispatch"]["inputs"]
        assert set(inputs) <= set(asked)
        assert {name for name, each in asked.items() if each.get("required")} <= set(inputs)
        given = {name: inputs.get(name, each.get("default", "")) for name, each in asked.items()}
        context = (
            {f"inputs.{name}": value for name, value in given.items()}
            | {f"vars.{name}": value for name, value in self.shared.variables.items()}
            | {"secrets.GATES_KEY_PEM": (self.world.folder / key).read_text()}
        )
        with_ = filled(job["steps"][-1]["with"], context)
        assert set(with_) <= set(ACTION["inputs"])
        for name, each in ACTION["inputs"].items():
            with_.setdefault(name, each.get("default", ""))
        return self._job(filled(job["env"], context), with_)

    def _job(self, environ: dict[str, str], with_: dict[str, str]) -> tuple[int, dict[str, str], str]:
        self.jobs += 1
        disk = self.shared.folder / f"job {self.jobs}"
        temp, checkout = disk / "temp", disk / "checkout"
        (temp / "model-gates/bin").mkdir(parents=True)
        (temp / "model-gates/bin/gates").symlink_to(Path(sys.executable).parent / "gates")
        checkout.mkdir()
        for name in ("gates.yaml", "trust.yaml"):
            shutil.copy(self.world.folder / name, checkout)
        shutil.copytree(self.world.folder / "policies", checkout / "policies")
        (step,) = [each for each in ACTION["runs"]["steps"] if each.get("id") == "gates"]
        context = {f"inputs.{name}": value for name, value in with_.items()}
        files = {name: temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.touch()
        (temp / "step.sh").write_text(step["run"])
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "XDG_CONFIG_HOME") if name in os.environ}
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", temp / "step.sh"],
            cwd=checkout,
            env={
                **{name: value for name, value in environ.items() if value},
                **filled(step["env"], context),
                **{name: str(path) for name, path in files.items()},
                **kept,
                "CI": "true",
                "HOME": str(temp),
                "RUNNER_TEMP": str(temp),
                "GITHUB_WORKSPACE": str(checkout),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert not list(temp.glob("*.pem"))
        text = files["GITHUB_OUTPUT"].read_text()
        outputs = dict(re.findall(r"^(code)=(.*)$", text, re.MULTILINE))
        if answer := re.search(r"^answer<<(end-[0-9a-f]{32})\n(.*?)\n\1$", text, re.MULTILINE | re.DOTALL):
            outputs["answer"] = answer[2]
        return ran.returncode, outputs, ran.stdout + ran.stderr


@pytest.fixture
def runner(bare: World, tmp_path: Path) -> Runner:
    return Runner(share(bare, tmp_path))


def test_one_job_promotes_and_another_rolls_back(runner: Runner) -> None:
    candidate = "models:/approval/2"
    # The measuring job differs from this command in where it runs, not in what it does.
    checked = runner.world.check()
    assert checked.code == 0, checked.err
    code, outputs, log = runner.dispatch(
        "promote", "applier.pem", environment="staging", candidate=candidate, reason="`touch hacked` $(touch hacked)"
    )
    assert (code, outputs["code"]) == (0, "0"), log
    assert "allow" in outputs["answer"].lower()
    assert runner.shared.serves() == {"2": 100}
    code, outputs, log = runner.dispatch(
        "rollback", "applier.pem", environment="staging", incident="model", reason="worse than it looked"
    )
    assert code == 0, log
    assert runner.shared.serves() == {"1": 100}
    assert "[model] worse than it looked" in runner.world.run("log").out
    assert not list(runner.shared.folder.rglob("hacked"))


def test_no_key_and_a_misspelt_command_move_nothing(runner: Runner) -> None:
    (runner.world.folder / "none.pem").touch()
    code, outputs, log = runner.dispatch("rollback", "none.pem", environment="staging", incident="other", reason="r")
    assert code == 2, log
    assert outputs["answer"].startswith("No answer (exit 2).")
    code, outputs, log = runner._job({}, {**dict.fromkeys(ACTION["inputs"], ""), "command": "rolback"})
    assert (code, outputs) == (2, {})
    assert "no such command" in log
    assert runner.shared.serves() == {"1": 100}
