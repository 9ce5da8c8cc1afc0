"""Drift from end to end, as docs/drift.md shows it: a column of which half became NaN denies, where peers see no drift."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_world import World

pytestmark = pytest.mark.usefixtures("scored_here")

PAGE = (Path(__file__).parents[2] / "docs" / "drift.md").read_text(encoding="utf-8")
CHECKS = {"drift.psi", "drift.ks"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def page(world: World) -> World:
    """The owners' facts are the page's."""
    (facts,) = blocks("yaml")
    (world.folder / "policies" / "models" / "approval" / "data.yaml").write_text(facts)
    return world


def verdicts(world: World) -> dict[tuple[str, str], str]:
    ran = world.run("check", "-e", "development", "-o", "json")
    assert ran.code in {0, 1}, ran.err
    return {(r["check"], r["item"]["name"]): r["verdict"] for r in ran.json["rows"] if r["check"].startswith("drift.")}


def test_the_page_s_commands_judge_every_feature(page: World) -> None:
    (said,) = blocks("sh")
    for line in said.splitlines():
        program, *words = line.split()
        ran = page.run(*words)
        assert (program, ran.code) == ("gates", 0), ran.out + ran.err
    assert verdicts(page) == {(check, name): "pass" for check in CHECKS for name in ("x", "w")}


def test_half_of_a_column_that_is_nan_denies(page: World) -> None:
    path = page.folder / "holdout.parquet"
    table = pd.read_parquet(path)
    gone = np.random.default_rng(1).random(len(table)) < 0.5
    table.assign(w=table["w"].mask(gone, np.nan)).to_parquet(path, index=False)
    found = verdicts(page)
    assert {where for where, verdict in found.items() if verdict == "fail"} == {(check, "w") for check in CHECKS}
    assert {found[check, "x"] for check in CHECKS} == {"pass"}
    ran = page.run("check", "-e", "development")
    assert ran.code == 1
    assert "drift.psi" in ran.out


def test_nothing_is_measured_that_nobody_asks_for(world: World) -> None:
    assert verdicts(world) == {}
