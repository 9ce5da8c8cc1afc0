"""How strictly checks are held, as the policy owners write it: times with a zone, words that mean something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from simulators.policy_world import with_facts

from gates.errors import UsageError


def enforcement(text: str) -> object:
    policies = with_facts("tier: high", overrides={"staging": f"enforcement:\n  {text}\n"})
    return policies.data["overrides"]["staging"]["enforcement"]


def test_a_time_is_integer_microseconds_in_utc() -> None:
    for written in ("2026-03-01T00:00:00Z", '"2026-03-01T00:00:00Z"', "2026-03-01T02:00:00+02:00"):
        found = enforcement(f"all: {{level: deny, before: warn, enforce_from: {written}}}")
        assert found == {
            "all": {"level": "deny", "before": "warn", "enforce_from_us": 1_772_323_200_000_000},
            "rules": {},
        }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all: {level: off}", "level"),
        ("all: {level: deny, enforce_from: 2026-03-01T00:00:00Z}", "belong together"),
        ("all: {level: deny, before: warn}", "belong together"),
        ("all: {level: warn, before: warn, enforce_from: 2026-03-01T00:00:00Z}", "milder"),
        ("all: {level: observe, before: warn, enforce_from: 2026-03-01T00:00:00Z}", "milder"),
        ("all: {level: deny, before: warn, enforce_from: 2026-03-01T00:00:00}", "zone"),
        ("all: {level: deny, before: warn, enforce_from: 2026-03-01}", "zone"),
        ("all: {level: deny, before: warn, enforce_from: soon}", "isoformat"),
        ("all: {level: deny, before: warn, enforce_from: 17}", "zone"),
        ("all: {level: deny, before: warn, enforce_from: 1960-01-01T00:00:00Z}", "greater than"),
        ("rule: {calibration.ece: {level: warn}}", 'did you mean "rules"'),
    ],
)
def test_what_means_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        enforcement(text)
    assert said in f"{refused.value.message} {refused.value.remedy}"


def test_the_page_shows_data_that_mean_something() -> None:
    page = (Path(__file__).parents[2] / "docs" / "waivers.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    found = with_facts("tier: high", overrides={"staging": text}).data["overrides"]["staging"]["enforcement"]
    assert {*found["rules"]} == {"calibration", "regression.brier_vs_baseline"}
