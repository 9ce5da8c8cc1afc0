"""`gates policy build|test|lint|diff`: what policy owners do before they put a change in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gates.bundle.keys import generate
from gates.bundle.trust import Trust, TrustedKey, load_trust, save_trust
from gates.cli.main import cli
from gates.errors import GatesError

SPEC = """model: m
task: binary
policies: policies
store: store
columns: {label: late, key: [id]}
tables: {holdout: {uri: holdout.parquet}}
"""
RULE = """package custom.bank

# METADATA
# title: No
# description: Never.
# custom:
#   code: custom.bank
#   owner: risk
#   remedy: None.
results contains {"check": "custom.bank", "rule": "release", "verdict": "fail", "disposition": "denies", "code": "custom.bank"} if {
	input.request.actor == "nobody"
}
"""
TEST = """package custom.bank_test

import data.custom.bank

test_nobody if {
	count(bank.results) == 1 with input.request.actor as "nobody"
	count(bank.results) == 0 with input.request.actor as "somebody"
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gates.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "policies").mkdir()
    return tmp_path


def _put(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")


def _run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", *arguments, "--spec", str(folder / "gates.yaml")])


def _json(folder: Path, *arguments: str) -> Any:
    return json.loads(_run(folder, *arguments, "-o", "json").output)


def test_lint_finds_what_nothing_reads_and_what_nothing_tests(folder: Path) -> None:
    assert _run(folder, "lint").exit_code == 0
    _put(
        folder,
        "policies/overrides/staging/data.yaml",
        "limits: {calibration.eec: {high: {limit: 0.1, inclusive: true}}}",
    )
    facts = "own: {wait: {sense: at_most, limits: {}}}\nrequired: [{check: calibration.nothing}]\n"
    facts += "inconclusive_share_ppm: {calibration.bni: 1}"
    _put(folder, "policies/models/m/data.yaml", facts)
    _put(folder, "policies/custom/bank/bank.rego", RULE.replace("# title: No\n", ""))
    found = _json(folder, "lint")["findings"]
    wanted = [
        "calibration.eec",
        "own.wait",
        "calibration.nothing",
        "calibration.bni",
        "lacks title",
        "no test beside",
    ]
    assert len(found) == len(wanted)
    assert all(any(word in line for line in found) for word in wanted)
    assert _run(folder, "lint").exit_code == 1
    _put(
        folder, "policies/overrides/moon/data.yaml", "limits: {calibration.ece: {high: {limit: 0.1, inclusive: true}}}"
    )
    refused = _run(folder, "lint").exception
    assert isinstance(refused, GatesError)
    assert refused.code == "policy.environment"


SUPPORTS = """#   owner: risk
#   supports:
#     nist-ai-rmf: [MANAGE 1.1]
#   evidence: [request.actor]
#   not_covered: Everybody else.
"""


def test_lint_finds_a_model_that_there_is_not(folder: Path) -> None:
    _put(folder, "policies/models/approval/data.yaml", "tier: high")
    said = "models: {aproval: {features: {income: {limits: {parity.mismatch: {limit: 0, inclusive: true}}}}}}"
    _put(folder, "policies/overrides/production/data.yaml", said)
    [found] = _json(folder, "lint")["findings"]
    assert "no model is called aproval in models/" in found
    assert 'did you mean "approval"?' in found
    _put(folder, "policies/overrides/production/data.yaml", said.replace("aproval", "approval"))
    assert _json(folder, "lint")["findings"] == []


def _enrol(folder: Path, *roles: str) -> None:
    key = generate(folder / "olga.pem", "olga@acme").public
    named = TrustedKey(key_id=key.key_id, pem=key.pem, identity=key.identity, person="Olga", roles=roles)  # type: ignore[arg-type]
    save_trust(folder / "trust.yaml", Trust(keys=(named,)))
    (folder / "gates.yaml").write_text(SPEC + "trust: trust.yaml\n", encoding="utf-8")


def test_lint_finds_a_business_owner_who_cannot_say_yes(folder: Path) -> None:
    _enrol(folder, "approve:risk")
    _put(folder, "policies/models/m/data.yaml", "business_owner: olag@acme")
    [found] = _json(folder, "lint")["findings"]
    assert (
        found
        == 'models/m/data.yaml: the business owner olag@acme is nobody in the trust data; did you mean "olga@acme"?'
    )
    for named in ("olga@acme", "Olga"):
        _put(folder, "policies/models/m/data.yaml", f"business_owner: {named}")
        [found] = _json(folder, "lint")["findings"]
        assert found.endswith("has no key with the role approve:business-owner in production")
    (folder / "olga.pem").unlink()
    _enrol(folder, "approve:business-owner")
    assert _json(folder, "lint")["findings"] == []


def test_lint_finds_a_person_who_is_written_in_two_ways(folder: Path) -> None:
    _enrol(folder, "approve:risk")
    [one] = load_trust(folder / "trust.yaml").keys
    other = generate(folder / "other.pem", "o@acme").public
    for person, wanted in (
        ("OLGA", ["the trust data write one person as 'OLGA' and 'Olga', who count as one"]),
        ("Ole", []),
    ):
        again = TrustedKey(key_id=other.key_id, pem=other.pem, identity="o@acme", person=person, roles=())
        save_trust(folder / "trust.yaml", Trust(keys=(one, again)))
        assert _json(folder, "lint")["findings"] == wanted


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("#   owner: risk\n", "", "METADATA lacks owner"),
        ("owner: risk", "owner: nobody", "owner 'nobody' is none of"),
        ("MANAGE 1.1", "MANAGE 9.9", "no control 'MANAGE 9.9' of 'nist-ai-rmf' is known"),
        ("nist-ai-rmf", "nist", "no control 'MANAGE 1.1' of 'nist' is known"),
        ("#   not_covered: Everybody else.\n", "", "METADATA lacks not_covered"),
        ("#   evidence: [request.actor]\n", "", "METADATA lacks evidence"),
    ],
)
def test_lint_holds_metadata_to_what_is_known(folder: Path, old: str, new: str, said: str) -> None:
    rule = RULE.replace("#   owner: risk\n", SUPPORTS)
    _put(folder, "policies/custom/bank/bank_test.rego", TEST)
    _put(folder, "policies/custom/bank/bank.rego", rule)
    assert _json(folder, "lint")["findings"] == []
    _put(folder, "policies/custom/bank/bank.rego", rule.replace(old, new))
    [found] = _json(folder, "lint")["findings"]
    assert said in found


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("deny contains 1 if input.request.actor", "nothing asks for deny"),
        ("_forgotten if _other\n\n_other if input.request.actor", "nothing asks for _forgotten"),
        ("_usd if {\n\tfalse\n}\n\nrequired contains 1 if _usd", "_usd has the condition `false`"),
        ('required contains 1 if input.request.environment == "prod"', "there is no environment prod"),
        ('required contains 1 if input.request.environment in {"staging", "moon"}', "there is no environment moon"),
        ('required contains {"disposition": "tolerated"} if data.x == "own.accuracy"', "lets pass on accuracy alone"),
        (
            'required contains {"disposition": "tolerated"} if data.x == "calibration.spiegelhalter"',
            "lets pass on calibration.spiegelhalter alone",
        ),
    ],
)
def test_lint_finds_what_can_never_hold_or_should_not(folder: Path, more: str, said: str) -> None:
    _put(folder, "policies/custom/bank/bank_test.rego", TEST)
    _put(folder, "policies/custom/bank/bank.rego", RULE + "\n_used := 1\n\nrequired contains x if x := _used\n")
    assert _json(folder, "lint")["findings"] == []
    _put(folder, "policies/custom/bank/bank.rego", f"{RULE}\n{more}\n")
    found = _json(folder, "lint")["findings"]
    assert said in found[0], found


def test_lint_finds_a_headline_figure_that_stands_alone(folder: Path) -> None:
    own = "own: {accuracy: {sense: at_least, limits: {production: {limit: 0.9, inclusive: true}}}}\n"
    _put(folder, "policies/models/m/data.yaml", own + "required: [{check: own.accuracy}]\n")
    [found] = _json(folder, "lint")["findings"]
    assert "own.accuracy is a headline figure" in found
    beside = "required: [{check: own.accuracy}, {check: regression.mcc_vs_champion}]\n"
    _put(folder, "policies/models/m/data.yaml", own + beside)
    assert _json(folder, "lint")["findings"] == []
    balanced = own.replace("accuracy", "balanced_accuracy") + "required: [{check: own.balanced_accuracy}]\n"
    _put(folder, "policies/models/m/data.yaml", balanced)
    assert _json(folder, "lint")["findings"] == []


@pytest.mark.parametrize("check", ["regression.accuracy", "calibration.spiegelhalter"])
def test_lint_finds_a_figure_that_is_told_and_decides_nothing(folder: Path, check: str) -> None:
    _put(folder, "policies/models/m/data.yaml", f"required: [{{check: {check}}}]\n")
    [found] = _json(folder, "lint")["findings"]
    assert f"no check is called {check}; what requires it is denied (check.unknown)" in found


def test_diff_names_each_datum(folder: Path) -> None:
    _put(folder, "other/models/m/data.yaml", "tier: low")
    _put(
        folder, "other/overrides/staging/data.yaml", "limits: {calibration.ece: {high: {limit: 0.01, inclusive: true}}}"
    )
    changes = {
        c["path"]: (c["before"], c["after"])
        for c in _json(folder, "diff", str(folder / "policies"), str(folder / "other"))["changes"]
    }
    assert changes["models/m/tier"] == (None, '"low"')
    assert changes["overrides/staging/limits/calibration.ece/high/limit"] == (None, "0.01")
    assert _json(folder, "diff", str(folder / "other"), str(folder / "other"))["changes"] == []


@pytest.mark.opa
def test_build_and_test_of_sources_of_ones_own(folder: Path) -> None:
    assert "nothing to do" in _run(folder, "build").output
    _put(folder, "policies/custom/bank/bank.rego", RULE)
    none = _run(folder, "test")
    assert isinstance(none.exception, GatesError)
    assert none.exception.code == "policy.no_tests"
    _put(folder, "policies/custom/bank/bank_test.rego", TEST)
    assert _json(folder, "test") == {"ran": 1, "failed": [], "lost": [], "uncovered": []}
    assert _json(folder, "build") == {"written": [str(folder / "policies/module/policy.wasm")]}
    assert "nothing to do" in _run(folder, "build").output
    _put(folder, "policies/models/m/data.yaml", "tier: low")
    assert "nothing to do" in _run(folder, "build").output
    _put(folder, "policies/custom/bank/bank_test.rego", TEST.replace("== 1", "== 2"))
    assert _run(folder, "test").exit_code == 1
    written = _json(folder, "build", "--out", str(folder / "out"))["written"]
    assert [Path(path).name for path in written] == ["bundle", "bundle.tar.gz"]
    assert (folder / "out/bundle/custom/bank/bank.rego").is_file()
