"""docs/approvals.md says the numbers of the policy, and views say what a decision risks and who approved alone."""

from __future__ import annotations

import re
from pathlib import Path

from decision_samples import good

from gates.decide.policies import PolicySet
from gates.records.decision import Risk
from gates.render.markdown import markdown
from gates.render.text import text
from gates.render.view import View

PAGE = (Path(__file__).parents[2] / "docs" / "approvals.md").read_text(encoding="utf-8")


def row(part: str) -> str:
    found = re.search(rf"^\| {part} \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert found
    return found[1]


def test_the_page_says_the_policys_points_and_roles() -> None:
    release = PolicySet.load().data["release"]
    risk = release["risk"]
    for part in ("tier", "change"):
        assert row(part) == ", ".join(f"{name} {points}" for name, points in risk[part].items())
    steps = [(each["most"], each["points"]) for each in risk["traffic"]]
    assert steps == [(10, 1), (50, 2), (100, 3)]
    assert row("traffic") == "up to 10 % 1, up to 50 % 2, more 3"
    assert (row("provisional"), row("waived")) == (str(risk["provisional"]), str(risk["waived"]))
    assert f"its risk has {risk['one_more_from']} points or more" in PAGE
    assert release["approval_longest_us"] == 30 * 86_400_000_000
    assert release["approvals"] == {
        "staging": {"high": [], "medium": [], "low": []},
        "production": {"high": ["ml-owner", "risk"], "medium": ["ml-owner"], "low": []},
    }
    assert release["environments"]["production"]["one_more"] == ["provisional", "first_release", "risk"]


def test_every_view_says_self_approved_and_the_points() -> None:
    parts = ({"part": "traffic", "what": "a tenth at most", "points": 1}, {"part": "tier", "what": "high", "points": 3})
    risk = Risk.model_validate({"points": 4, "parts": parts})
    plain = good().view()
    alone = View(plain.decision.model_copy(update={"bypasses": ("self-approved",), "risk": risk}), plain.rows, ())
    assert (plain.answer, alone.answer) == ("ALLOW", "ALLOW (self-approved)")
    for shown in (text(alone), markdown(alone)):
        assert "ALLOW (self-approved)" in shown
        assert "risk 4 points: tier 3 (high), traffic 1 (a tenth at most)" in " ".join(shown.split()).replace(
            "&#", "&#"
        )
