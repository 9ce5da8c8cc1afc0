"""Limits of features and slices: what the owners may write, and which path wins in the compiled policies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from simulators.policy_world import MODEL, golden, plan_of, plan_request, with_facts

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.limits import limit_at
from gates.decide.policy_data import checked, without_check
from gates.errors import UsageError

WIND = f"overrides/production/models/{MODEL}/features/wind"
OF_WIND = f"""
limits: {{data.out_of_range: {{high: {{limit: 0.009, inclusive: true}}, any: {{limit: 0.008, inclusive: true}}}}}}
models:
  {MODEL}:
    features:
      wind: {{limits: {{data.out_of_range: {{limit: 0.0001, inclusive: true}}}}}}
"""


def decided(overrides: str) -> tuple[dict[str, Any], Any]:
    policies = with_facts("tier: high\ncluster: day\nslices: [carrier, origin]\n", overrides={"production": overrides})
    with EmbeddedEngine(policies) as engine:
        plan = plan_of(engine.evaluate(PLAN, plan_request()))
        return engine.evaluate(DECISION, golden("production", plan, policies)), policies


def test_the_limit_of_a_feature_goes_before_that_of_the_tier() -> None:
    answer, policies = decided(OF_WIND)
    paths = {r["item"]["name"]: r["limit"] for r in answer["results"] if r["check"] == "data.out_of_range"}
    assert paths == {
        "wind": f"{WIND}/limits/data.out_of_range",
        "temperature": "overrides/production/limits/data.out_of_range/high",
    }
    assert limit_at(policies.data, paths["wind"], "at_most").value == 0.0001
    assert {r["code"] for r in answer["results"] if r["disposition"] == "denies"} <= {"data.out_of_range"}


def test_a_feature_that_is_misspelt_denies() -> None:
    answer, _ = decided(OF_WIND.replace("wind:", "wnid:"))
    assert {r["code"] for r in answer["results"] if r["disposition"] == "denies"} == {"override.feature"}


@pytest.mark.parametrize(
    "said",
    [
        {"models": {"m": {"feature": {}}}},
        {"models": {"m": {"features": {"a/b": {"limits": {}}}}}},
        {"models": {"m": {"features": {"a": {"limits": {"data.rows": {"limit": 1}}}}}}},
        {"limits": {"data.rows": {"all": {"limit": 1, "inclusive": True}}}},
    ],
)
def test_what_means_nothing_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        checked("overrides", said, "overrides/production/data.yaml")
    assert refused.value.code == "policy.data"


def test_a_limit_is_taken_out_wherever_it_stands() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    [text] = [block for block in blocks if "features:" in block]
    overrides = with_facts("tier: high", overrides={"production": text}).data["overrides"]["production"]
    assert without_check(overrides, "data.nothing") == overrides
    left = without_check(overrides, "parity.mismatch")
    assert "parity.mismatch" not in str(left)
    assert left["limits"] == overrides["limits"]
