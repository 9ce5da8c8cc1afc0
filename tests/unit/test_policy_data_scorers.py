"""Scorers in the policy owners' data: what a definition may say, what is refused, and what lint finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators.policy_world import MODEL, with_facts

from gates.decide.explain import explain, load_annotations
from gates.decide.policy_lint import lint
from gates.errors import UsageError

LIMITS = "{limits: {staging: {limit: -0.02, inclusive: true}}}"
WISH = "required: [{{check: regression.{}_vs_champion}}]\n"


def test_a_definition_is_data_that_the_policies_see() -> None:
    found = with_facts(f"scorers: {{jaccard: {LIMITS}}}").data["models"][MODEL]["scorers"]
    assert found == {"jaccard": {"limits": {"staging": {"limit": -0.02, "inclusive": True}}}}


@pytest.mark.parametrize(
    ("scorers", "code"),
    [
        ("{jaccard: {}}", "policy.data"),
        ("{jaccard: {sense: at_most, limits: {}}}", "policy.data"),
        ("{jaccard: {limits: {staging: {limit: 0, inclusive: true, point: true}}}}", "policy.data"),
        ("{jaccard: {limits: {staging: {limit: 0, inclusive: true, mirror: {limit: 0}}}}}", "policy.data"),
        ("{jaccard: {limits: {stagin: {limit: 0, inclusive: true}}}}", "policy.environment"),
        (f"{{f1_macro: {LIMITS}}}", "policy.scorer"),
    ],
)
def test_what_would_not_be_read_is_refused(scorers: str, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        with_facts(f"scorers: {scorers}")
    assert refused.value.code == code


def test_lint_says_the_nearest_scorer_and_what_nobody_requires(tmp_path: Path) -> None:
    def said(text: str) -> list[str]:
        return lint(with_facts(text), tmp_path)

    assert said(WISH.format("jaccard") + f"scorers: {{jaccard: {LIMITS}}}") == []
    [undefined] = said(WISH.format("jaccard"))
    assert "no check is called regression.jaccard_vs_champion" in undefined
    [unasked] = said(f"scorers: {{jaccard: {LIMITS}}}")
    assert "regression.jaccard_vs_champion has limits, and nothing requires it" in unasked
    lines = said(WISH.format("jacard") + f"scorers: {{jacard: {LIMITS}}}")
    assert any('no scorer jacard; did you mean "jaccard"?' in line for line in lines)
    assert any("no check is called regression.jacard_vs_champion" in line for line in lines)


def test_its_codes_are_explained() -> None:
    annotations = load_annotations()
    for code in ("regression.jaccard_vs_champion", "regression.jaccard_vs_champion.inconclusive"):
        assert explain(code, annotations).title.startswith("Scorer of scikit-learn")
    with pytest.raises(UsageError):
        explain("regression.jacard_vs_champion", annotations)
