"""Ten small losses in a row, each within the champion's margin: the shipped policies stop them by the anchor."""

from __future__ import annotations

import pytest
from simulators.policy_world import bounds, codes, find, golden, plan_request, with_facts

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN

FACTS = "tier: {tier}\ncluster: day\nslices: [carrier, origin]\n"
MARGINS = {"high": 0.01, "medium": 0.02}
STEP, WIDTH = 0.4, 0.3
"""What each release truly loses, and half the interval of each difference, in margins."""


@pytest.mark.parametrize(
    ("environment", "tier", "lost"),
    [("production", "high", 4), ("staging", "high", 5), ("production", "medium", 5), ("staging", "medium", 5)],
)
def test_no_more_than_two_margins_are_lost(environment: str, tier: str, lost: int) -> None:
    """One that is denied does not serve, so that the anchor is no farther away from the next.

    Proven to be within two margins are four; the fifth is at them by its point, which is enough for a provisional allow.
    """
    policies = with_facts(FACTS.format(tier=tier))
    served, width = 0, WIDTH * MARGINS[tier]
    with EmbeddedEngine(policies) as engine:
        document = golden(environment, engine.evaluate(PLAN, plan_request()), policies)
        for _ in range(10):
            for check, steps in (("regression.auc_vs_champion", 1), ("regression.auc_vs_anchor", served + 1)):
                true = -STEP * MARGINS[tier] * steps
                find(document, check).update({"estimate": true, "bounds": bounds(true - width, true + width)})
            denying = codes(engine.evaluate(DECISION, document))
            assert "regression.auc_vs_champion" not in denying
            served += not any(code.startswith("regression.") for code in denying)
    assert served == lost


def test_nobody_takes_the_anchor_out() -> None:
    policies = with_facts(FACTS.format(tier="high"))
    with EmbeddedEngine(policies) as engine:
        plan = engine.evaluate(PLAN, plan_request())
        left = [wish for wish in plan["requirements"] if not wish["check"].endswith("_vs_anchor")]
        assert {wish["environment"] for wish in plan["requirements"] if wish not in left} == {"staging", "production"}
        document = golden("staging", {**plan, "requirements": left}, policies)
        assert "plan.mismatch" in codes(engine.evaluate(DECISION, document))


def test_a_first_release_has_none() -> None:
    policies = with_facts(FACTS.format(tier="high") + "first_release: true\n")
    with EmbeddedEngine(policies) as engine:
        plan = engine.evaluate(PLAN, plan_request(has_champion=False))
    assert not {wish["check"] for wish in plan["requirements"] if wish["check"].endswith("_vs_anchor")}
    assert {"regression.auc_vs_anchor", "regression.auc_vs_champion"} <= {
        one["check"] for one in plan["not_applicable"]
    }
