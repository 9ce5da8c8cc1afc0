"""The page's cost matrix, payoffs and gold table, in force for a model: each is measured and judged, and a wrong table told."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import yaml
from small_world import World

from gates.bundle.canonical import digest_bytes

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"
CHECKS = {"regression.cost_vs_champion", "regression.value_vs_champion", "regression.gold_auc"}


def said() -> dict[str, Any]:
    section = PAGE.read_text(encoding="utf-8").partition("## Cost, value")[2]
    document: dict[str, Any] = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)[0])
    return document


def results(world: World) -> dict[str, str]:
    """The code of each result that is of these checks or of the gold table."""
    answer = json.loads(world.run("check", "-o", "json").out)
    return {
        one["check"]: one["code"]
        for one in answer["decision"]["results"]
        if one["check"] in CHECKS or one["code"].startswith("gold.")
    }


def test_what_the_owners_say_is_measured_and_judged(world: World) -> None:
    gold = world.folder / "gold.parquet"
    shutil.copy(world.folder / "holdout.parquet", gold)
    world.edit("  offline: {uri", "  gold: {uri: gold.parquet}\n  offline: {uri")
    facts = said()
    facts["gold"]["digest"] = digest_bytes(gold.read_bytes())
    file = world.folder / "policies/models/approval/data.yaml"
    file.write_text(yaml.safe_dump(facts), encoding="utf-8")
    assert results(world) == {check: f"{check}.passed" for check in CHECKS}
    shutil.copy(world.folder / "training.parquet", gold)
    assert "gold.mismatch" in results(world).values()


def test_a_scorer_that_the_page_names_is_measured_and_judged(world: World) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Scorers of scikit-learn")[2]
    facts = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)[0])
    file = world.folder / "policies/models/approval/data.yaml"
    file.write_text(yaml.safe_dump(facts), encoding="utf-8")
    check = "regression.jaccard_vs_champion"
    assert check in world.run("plan").out
    answer = json.loads(world.run("check", "-o", "json").out)
    [found] = [one for one in answer["decision"]["results"] if one["check"] == check]
    assert found["limit"].startswith("models/approval/scorers/jaccard/limits/")
    assert found["verdict"] in {"pass", "inconclusive"}
