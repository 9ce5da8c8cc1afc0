"""What the policy owners wrote is asked for somewhere, or refused: environments by their name, rules by theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators.policy_world import with_facts

from gates.decide.policies import PolicySet
from gates.errors import UsageError

WISH = "required: [{{check: data.rows, environments: {named}}}]"


@pytest.mark.parametrize("named", ["[stagin]", "[staging, moon]", "[]"])
def test_a_requirement_of_no_environment_is_refused(named: str) -> None:
    with pytest.raises(UsageError) as refused:
        with_facts(WISH.format(named=named))
    assert refused.value.code == "policy.environment"
    assert with_facts(WISH.format(named="[staging, production]")).data["models"]


def test_overrides_of_no_environment_are_refused() -> None:
    limits = "limits: {data.rows: {high: {limit: 5, inclusive: true}}}"
    assert with_facts("tier: high", overrides={"production": limits}).data["overrides"]
    with pytest.raises(UsageError) as refused:
        with_facts("tier: high", overrides={"prodution": limits})
    assert (refused.value.code, "production" in str(refused.value.remedy)) == ("policy.environment", True)


def _custom(folder: Path, **packages: str) -> PolicySet:
    for name, rules in packages.items():
        path = folder / "custom" / name / f"{name}.rego"
        path.parent.mkdir(parents=True)
        path.write_text(f"package custom.{name}\n\n{rules}\n")
    return PolicySet.load(folder)


def test_rules_that_nothing_asks_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        _custom(tmp_path, cost='deny contains {"check": "custom.cost"}')
    assert refused.value.code == "policy.unasked"


@pytest.mark.parametrize("rule", ['results contains {"check": "a"}', "required := set()", "default results := set()"])
def test_rules_that_are_asked_for_are_taken(tmp_path: Path, rule: str) -> None:
    assert "custom/cost/cost.rego" in _custom(tmp_path, cost=rule).files


def test_a_package_that_another_one_uses_is_taken(tmp_path: Path) -> None:
    found = _custom(tmp_path, words="known := {1}", cost="results := data.custom.words.known")
    assert "custom/words/words.rego" in found.files
