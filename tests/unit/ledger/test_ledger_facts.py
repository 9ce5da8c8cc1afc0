"""What the ledger knows of a slot, as policies are told it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ledger_story import RUNGS, STAGING, told
from simulators.entries import Script

from gates.apply.ledger.facts import facts
from gates.apply.ledger.shape import release_digest
from gates.errors import EvidenceError
from gates.records import ModelVersion


def facts_for(
    script: Script,
    environment: str,
    number: int,
    text: str = "",
    holdout: str | None = "holdout",
    rows: Sequence[int] | None = None,
) -> Any:
    world = script.world
    candidate = world.version(number)
    bundle = world.bundle(candidate, text=text, holdout=holdout, rows=rows)
    return facts(
        script.chain(),
        model="flights",
        environment=environment,
        candidate=candidate,
        bundle=bundle.record,
        bundle_digest=bundle.digest,
        rungs=RUNGS,
    )


def test_facts_of_a_slot(script: Script) -> None:
    told(script)
    staging, production = facts_for(script, "staging", 2), facts_for(script, "production", 2)
    assert not staging.adopted
    assert production.adopted
    assert staging.rung_below is None
    assert production.rung_below.candidate_digest == script.world.version(2).digest
    assert production.release_digest == release_digest(production.release)
    assert [known.state for known in staging.known_releases] == ["done", "done"]
    assert (staging.head, staging.sequence) == (script.head, len(script.raws) - 1)


def test_an_adopted_release_is_no_step_of_the_ladder(script: Script) -> None:
    script.adopt("staging", script.world.version(1))
    assert facts_for(script, "production", 1).rung_below is None


@pytest.mark.parametrize("percent", [1, 99])
def test_a_share_of_the_rung_below_is_no_step_of_the_ladder(script: Script, percent: int) -> None:
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one)
    script.intend("staging", two, bundle=script.seal(two), percent=percent)
    script.close("staging")
    assert facts_for(script, "production", 2).rung_below is None
    assert facts_for(script, "production", 1).rung_below is None


def test_a_rollback_makes_the_rung_below_no_younger(script: Script) -> None:
    told(script)
    first, left = facts_for(script, "production", 2).rung_below, script.chain().release(STAGING)
    assert first is not None
    assert left is not None
    three = script.world.version(3)
    script.intend("staging", three, bundle=script.seal(three))
    script.close("staging")
    assert facts_for(script, "production", 3).rung_below.time_us > first.time_us
    script.roll_back("staging", left)
    script.close("staging")
    assert facts_for(script, "production", 2).rung_below == first


def test_facts_where_nothing_serves(script: Script) -> None:
    answer = facts_for(script, "staging", 1)
    assert (answer.release, answer.release_digest, answer.adopted, answer.looks) == (None, None, False, 1)


def test_no_policy_no_facts(script: Script) -> None:
    with pytest.raises(EvidenceError) as caught:
        facts_for(script, "elsewhere", 1)
    assert caught.value.code == "ledger.policy"


def test_looks_count_bundles_over_all_candidates(script: Script) -> None:
    two, three = script.world.version(2), script.world.version(3)
    assert facts_for(script, "staging", 2).looks == 1
    script.seal(two)
    script.seal(two, "again")
    script.seal(three)
    script.seal(three, "elsewhere", holdout="another holdout")
    script.seal(three, "none", holdout=None)
    first, second, third = (
        facts_for(script, "staging", 2),
        facts_for(script, "staging", 2, "again"),
        facts_for(script, "staging", 3),
    )
    assert (first.looks, second.looks, third.looks) == (1, 2, 3)
    assert facts_for(script, "production", 2).looks == 1
    assert facts_for(script, "staging", 4).looks == 4
    assert first.sealed
    assert not facts_for(script, "staging", 4).sealed
    assert (first.attempts, third.attempts, facts_for(script, "staging", 4).attempts) == (2, 3, 0)
    assert first.candidates_judged == 2
    assert facts_for(script, "staging", 3, "elsewhere", "another holdout").looks == 1
    without = facts_for(script, "staging", 3, "none", None)
    assert (without.looks, without.candidates_judged) == (1, 0)


def test_rows_cut_off_a_holdout_begin_no_new_count(script: Script) -> None:
    """Sixty candidates, each on the rows of the one before without the last: the file is another every time."""
    for cut in range(60):
        script.seal(script.world.version(10 + cut), "", f"holdout {cut}", range(100 - cut))
    last = facts_for(script, "staging", 69, "", "holdout 59", range(41))
    assert (last.looks, last.candidates_judged) == (60, 60)
    fresh = facts_for(script, "staging", 69, "", "fresh", range(100, 200))
    assert (fresh.looks, fresh.candidates_judged) == (1, 0)
    partly = facts_for(script, "staging", 69, "", "partly fresh", range(99, 200))
    assert (partly.looks, partly.candidates_judged) == (2, 1)


def test_another_model_may_count_its_rows_the_same_way(script: Script) -> None:
    other = ModelVersion(name="another", version="1", digest="sha256:" + "a" * 64)
    script.seal(other, "", "theirs", range(100))
    assert facts_for(script, "staging", 2, "", "ours", range(100)).looks == 1
    assert facts_for(script, "staging", 2, "", "theirs", range(100)).looks == 2


def test_an_entry_without_a_sketch_is_known_by_its_digest(script: Script) -> None:
    script.seal(script.world.version(2))
    assert facts_for(script, "staging", 3, "", "holdout", range(100)).looks == 2
    assert facts_for(script, "staging", 3, "", "another", range(100)).looks == 1
    script.seal(script.world.version(3), "", "another", range(100))
    assert facts_for(script, "staging", 4, "", "another").looks == 2
    assert facts_for(script, "staging", 4, "", None).looks == 1
