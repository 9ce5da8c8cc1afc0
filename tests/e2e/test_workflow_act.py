"""The dispatch workflows as they stand, run whole by act: measure, approve, promote, and a rollback in another job.

Each job begins with an empty disk; what they share is the ledger's branch, the store, the registry and the target.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from act_runner import ROOT, Act, Job
from shared_world import Shared, share
from small_world import World

pytestmark = pytest.mark.long

PROTECTED = "    if: ${{ github.ref_protected }}\n"
"""The one line that act cannot answer: it knows no protected refs, so that none of the jobs runs there."""
CANDIDATE = "models:/approval/2"


@dataclass
class Repository:
    """The model's repository, with the workflows and the action in it."""

    shared: Shared
    act: Act
    protected: Path

    def dispatch(self, workflow: str, key: str, **inputs: str) -> Job:
        """Run a workflow on a ref that counts as protected."""
        path = self.protected / f"{workflow}.yml"
        return self.act.dispatch(path, self.shared.variables, self.shared.world.folder / key, **inputs)


@pytest.fixture(scope="module")
def repository(bare: World, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("act")
    shared = share(bare, folder)
    checkout = folder / "checkout"
    shutil.copytree(shared.world.folder / "policies", checkout / "policies")
    shutil.copytree(ROOT / ".github/workflows", checkout / ".github/workflows")
    for name in ("gates.yaml", "trust.yaml", "serving-staging.yaml", "serving-production.yaml", "golden.parquet"):
        shutil.copy(shared.world.folder / name, checkout)
    for table in ("training", "holdout", "offline", "online"):
        shutil.copy(shared.world.folder / f"{table}.parquet", checkout)
    shutil.copytree(shared.world.folder / ".git", checkout / ".git")
    for name in ("action.yml", "constraints.txt"):
        shutil.copy(ROOT / name, checkout)
    protected = folder / "protected"
    protected.mkdir()
    for name in ("measure", "approve", "promote", "rollback"):
        text = (ROOT / f".github/workflows/{name}.yml").read_text()
        assert text.count(PROTECTED) == 1
        (protected / f"{name}.yml").write_text(text.replace(PROTECTED, ""))
    return Repository(shared, Act.of(checkout, folder / "scratch"), protected)


def test_no_job_runs_on_a_ref_that_is_not_protected(repository: Repository) -> None:
    key = repository.shared.world.folder / "applier.pem"
    for name in ("measure", "approve", "promote", "rollback"):
        workflow = repository.act.repository / f".github/workflows/{name}.yml"
        ran = repository.act.dispatch(workflow, repository.shared.variables, key, environment="staging")
        assert (ran.code, ran.jobs) == (0, {}), ran.log
    assert repository.shared.serves() == {"1": 100}


def test_one_job_promotes_with_an_empty_disk_and_another_rolls_back(repository: Repository) -> None:
    given = {"environment": "staging", "candidate": CANDIDATE}
    measured = repository.dispatch("measure", "measurer.pem", **given)
    assert (measured.code, measured.jobs) == (0, {"measure": "success"}), measured.log
    approved = repository.dispatch("approve", "risk.pem", **given, role="risk", comment="looked at it")
    assert (approved.code, approved.jobs) == (0, {"approve": "success"}), approved.log

    reason = "`touch hacked` $(touch hacked) \" ' ; exit 7"
    promoted = repository.dispatch("promote", "applier.pem", **given, reason=reason)
    assert (promoted.code, promoted.jobs) == (0, {"promote": "success"}), promoted.log
    assert "allow" in promoted.summary.lower()
    assert repository.shared.serves() == {"2": 100}

    back = repository.dispatch(
        "rollback", "applier.pem", environment="staging", incident="model", reason="worse than it looked"
    )
    assert (back.code, back.jobs) == (0, {"rollback": "success"}), back.log
    assert repository.shared.serves() == {"1": 100}

    said = repository.shared.world.run("log").out
    assert "[model] worse than it looked" in said
    assert reason in said
    verified = repository.shared.world.run("verify")
    assert verified.code == 0, verified.out
    ledger = repository.shared.variables["GATES_LEDGER"].removeprefix("git+file://").partition("#")[0]
    listed = subprocess.run(
        ["git", "-C", ledger, "ls-tree", "-r", "--name-only", "gates"], check=True, capture_output=True, text=True
    )
    # policy, two adoptions, the sealed bundle, intent and outcome of the promotion, then those of the rollback.
    assert len(listed.stdout.split()) == 8
    assert not list(repository.shared.folder.rglob("hacked"))
    assert not list(repository.act.scratch.rglob("gates-key.pem"))
    assert "--constraint" in repository.act.pip_was_asked


def test_what_act_lets_through_the_command_refuses(repository: Repository) -> None:
    """Choices and required inputs are not checked by act, nor by whoever calls the API of a runner that is not GitHub's."""
    before = repository.shared.serves()
    ran = repository.dispatch("rollback", "applier.pem", environment="nowhere", incident="other", reason="r")
    assert (ran.code, ran.jobs) == (1, {"rollback": "failure"})
    assert "environment.unknown" in ran.log
    ran = repository.dispatch("rollback", "applier.pem", environment="staging", incident="bad luck", reason="r")
    assert ran.jobs == {"rollback": "failure"}
    assert "bad luck" in ran.log
    ran = repository.dispatch("rollback", "measurer.pem", environment="staging", incident="other", reason="r")
    assert ran.jobs == {"rollback": "failure"}
    assert "key.unlisted" in ran.log
    ran = repository.dispatch(
        "rollback", "applier.pem", environment="staging", incident="other", reason="r", target="sha256:" + "0" * 64
    )
    assert ran.jobs == {"rollback": "failure"}
    assert "rollback.no_target" in ran.log or "rollback.unknown" in ran.log
    assert repository.shared.serves() == before
