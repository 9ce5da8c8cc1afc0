"""Two bundles, one policy: whose roots are whose, and docs/policies.md step by step."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from cli_runner import gates
from simulators.policy_world import policy_set

from gates.decide.opa_binary import find_opa

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
OWNERS = ["custom", "models", "overrides"]

pytestmark = pytest.mark.opa


def test_we_own_none_of_the_owners_roots() -> None:
    ours = json.loads((ROOT / "policies" / ".manifest").read_text())["roots"]
    assert not {*ours, *(path.name for path in (ROOT / "policies").iterdir() if path.is_dir())} & {*OWNERS, "trust"}
    assert {*json.loads(policy_set().roots)["roots"]} == {*ours, *OWNERS, "trust"}


@pytest.mark.parametrize(("roots", "code"), [(OWNERS, 0), ([*OWNERS, "gates"], 2), ([*OWNERS, "thresholds"], 2)])
def test_opa_loads_both_bundles_and_no_owner_of_what_is_ours(tmp_path: Path, roots: list[str], code: int) -> None:
    opa = find_opa()
    assert opa is not None
    (tmp_path / ".manifest").write_text(json.dumps({"rego_version": 1, "roots": roots}))
    overrides = {"overrides": {"staging": {"enforcement": {"all": {"level": "observe"}}}}}
    (tmp_path / "data.json").write_text(json.dumps(overrides))
    asked = [str(opa.path), "eval", "--stdin-input", "-b", str(ROOT / "policies"), "-b", str(tmp_path)]
    ran = subprocess.run(
        [*asked, "--format", "raw", "data.gates.main.activation.loosened"],
        input='{"environment": "staging"}',
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    assert ("overrides/staging/enforcement/all" in ran.stdout) == (code == 0)


def test_a_new_rule_in_the_three_steps_of_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "policies" / "custom" / "cost"
    folder.mkdir(parents=True)
    for name, text in zip(
        ("cost", "cost_test"), re.findall(r"^```rego\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE), strict=True
    ):
        (folder / f"{name}.rego").write_text(text)
    (tmp_path / "gates.yaml").write_text(
        "model: m\ntask: binary\npolicies: policies\ntrust: trust.yaml\nstore: store\nledger: sqlite:///ledger.db\n"
        "columns: {label: y}\nrows: independent\ntables: {holdout: {uri: holdout.parquet}}\n"
    )
    assert gates("keys", "new", "owner.pem", "--identity", "owner", cwd=tmp_path).code == 0
    listed = gates("trust", "add", "owner.pem.pub", "--person", "owner", "--role", "policy", cwd=tmp_path)
    assert listed.code == 0, listed.err
    blocks = "".join(re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
    for command in re.split(r"^\$ ", blocks, flags=re.MULTILINE)[1:]:
        line, *shown = command.rstrip().splitlines()
        ran = gates(*shlex.split(line)[1:], cwd=tmp_path)
        assert ran.code == 0, (line, ran.out + ran.err)
        for text in shown:
            assert text in ran.out, (line, ran.out)
