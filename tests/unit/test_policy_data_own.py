"""Own checks in the policy owners' data: what a definition may say, and what is refused before any decision."""

from __future__ import annotations

import pytest
from simulators.policy_world import with_facts

from gates.errors import UsageError

LIMIT = "{limit: 0.05, inclusive: true}"


def test_a_definition_is_data_that_the_policies_see() -> None:
    facts = f"own: {{wait: {{sense: at_most, limits: {{staging: {LIMIT}}}}}}}"
    found = with_facts(facts).data["models"]["flights-delay"]["own"]["wait"]
    assert found["subject"] == "candidate"
    assert found["limits"] == {"staging": {"limit": 0.05, "inclusive": True, "point": False}}


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (f"wait: {{limits: {{staging: {LIMIT}}}}}", "sense"),
        (f"wait: {{sense: below, limits: {{staging: {LIMIT}}}}}", "at_most"),
        ("wait: {sense: at_most}", "limits"),
        ("wait: {sense: at_most, limits: {staging: {limit: 0.05}}}", "inclusive"),
        ("wait: {sense: at_most, limits: {staging: {limit: .inf, inclusive: true}}}", "finite"),
        (f"wait: {{sense: within, limits: {{staging: {LIMIT}}}}}", "mirror"),
        ("wait: {sense: at_most, limits: {staging: {limit: 1, inclusive: true, mirror: {limit: -1}}}}", "mirror"),
        (f"../wait: {{sense: at_most, limits: {{staging: {LIMIT}}}}}", "pattern"),
        (f"Wait: {{sense: at_most, limits: {{staging: {LIMIT}}}}}", "pattern"),
        (f"wait: {{sense: at_most, limits: {{Staging: {LIMIT}}}}}", "pattern"),
        (f"wait: {{sense: at_most, range: any, limits: {{staging: {LIMIT}}}}}", "none"),
        (f"wait: {{sense: at_most, verdict: pass, limits: {{staging: {LIMIT}}}}}", "verdict"),
    ],
)
def test_what_a_definition_cannot_say(own: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        with_facts(f"own: {{{own}}}" if not own.startswith("..") else f'own: {{"../wait"{own[7:]}}}')
    assert refused.value.code == "policy.data"


def test_an_override_has_no_word_for_accepting_a_bare_number() -> None:
    override = "limits: {own.wait: {high: {limit: 0.05, inclusive: true, point: true}}}"
    with pytest.raises(UsageError, match="point"):
        with_facts("tier: high", overrides={"staging": override})


def test_fewer_calls_than_show_a_pause_cannot_be_asked_for() -> None:
    assert with_facts("parameters: {latency_pairs: 300}")
    with pytest.raises(UsageError, match="300"):
        with_facts("parameters: {latency_pairs: 299}")
