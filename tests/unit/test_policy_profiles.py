"""The strict profile: it tightens every margin to zero, loosens nothing, and a good model within a margin waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators.policy_world import bounds, codes, find, golden, plan_request, with_facts

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN

STRICT = Path(__file__).parents[2] / "examples" / "profiles" / "strict" / "overrides"
FACTS = "tier: high\ncluster: day\nslices: [carrier, origin]\n"


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_no_metric_may_be_below_the_champions_at_all(environment: str) -> None:
    overrides = {folder.name: (folder / "data.yaml").read_text(encoding="utf-8") for folder in STRICT.iterdir()}
    answers = {}
    for name, policies in (("default", with_facts(FACTS)), ("strict", with_facts(FACTS, overrides=overrides))):
        with EmbeddedEngine(policies) as engine:
            document = golden(environment, engine.evaluate(PLAN, plan_request()), policies)
            for check, low, high, point in (
                ("regression.auc_vs_champion", -0.001, 0.002, 0.001),
                ("regression.log_loss_vs_champion", 0.99, 1.001, 0.995),
            ):
                find(document, check).update({"bounds": bounds(low, high), "estimate": point})
            answers[name] = codes(engine.evaluate(DECISION, document), "denies", "accepted")
            find(document, "regression.auc_vs_champion").update({"bounds": bounds(0, 0.01), "estimate": 0.005})
            answers[f"{name}, proven"] = codes(engine.evaluate(DECISION, document), "denies", "accepted")
    compared = "regression.auc_vs_champion"
    assert not {code for code in answers["default"] if code.startswith("regression.")}
    assert {code.rpartition(".")[0] for code in answers["strict"] if compared in code} == {compared}
    assert not {code for code in answers["strict, proven"] if compared in code}
    assert "override.loosened" not in answers["strict"]
