"""Fairness from end to end: groups named in gates.yaml, asked for by the policy owners, judged pair by pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_world import World

pytestmark = pytest.mark.usefixtures("scored_here")

FACTS = """tier: medium
required:
  - {check: fairness.selection_rate_difference}
  - {check: fairness.selection_rate_ratio}
"""


@pytest.fixture
def grouped(world: World) -> World:
    world.edit("label: y,", "label: y, groups: [region],")
    (world.folder / "policies" / "models" / "approval" / "data.yaml").write_text(FACTS)
    return world


def with_regions(world: World, unfair: float) -> None:
    """Regions that have nothing to do with the score; with `unfair` the south is drawn from the low ones."""
    path = world.folder / "holdout.parquet"
    table = pd.read_parquet(path)
    rng = np.random.default_rng(1)
    south = rng.random(len(table)) < np.where(table.x < 0, 0.3 + unfair, 0.3 - unfair)
    region = np.where(south, "south", "north")
    region[:3] = "isle"
    table.assign(region=region).to_parquet(path, index=False)


def judged(world: World, role: str) -> dict[tuple[str, str], str]:
    facts = FACTS.replace("}", f", role: {role}}}")
    (world.folder / "policies" / "models" / "approval" / "data.yaml").write_text(facts)
    ran = world.run("check", "-e", "development", "-o", "json")
    assert ran.code in {0, 1}, ran.err
    rows = [row for row in ran.json["rows"] if row["check"].startswith("fairness.")]
    return {(row["check"].removeprefix("fairness."), row["item"]["name"]): row["verdict"] for row in rows}


@pytest.mark.parametrize(("unfair", "verdict"), [(0.0, "pass"), (0.2, "fail")])
def test_an_unfair_model_is_denied_and_a_tiny_group_is_undecided(grouped: World, unfair: float, verdict: str) -> None:
    with_regions(grouped, unfair)
    found = judged(grouped, "prove")
    assert found["selection_rate_difference", "region=south"] == verdict
    assert found["selection_rate_ratio", "region=south"] == verdict
    assert found["selection_rate_difference", "region=isle"] == "inconclusive"
    assert len(found) == 4


def test_a_group_column_that_vanished_is_said(grouped: World) -> None:
    ran = grouped.run("check", "-e", "development")
    assert ran.code == 2
    assert "region" in ran.err
