"""Backfills from end to end: the words of docs/backfills.md in gates.yaml, and each plant in a line of `gates check`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_runner import Ran
from small_world import World

PAGE = Path(__file__).parents[2] / "docs" / "backfills.md"


def page(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def rewritten(world: World) -> World:
    """The features of 30 days, and a rewrite of three of them that is as the page declares it."""
    columns, rest = page("yaml")[0].split("tables:\n")
    tables, backfill = rest.split("backfill:\n")
    world.edit("columns: {label: y, key: [id], time: at}\n", columns)
    world.edit("tables:\n", "tables:\n" + tables)
    with (world.folder / "gates.yaml").open("a", encoding="utf-8") as spec:
        spec.write("backfill:\n" + backfill)
    parts = [pd.read_parquet(world.folder / f"{name}.parquet") for name in ("training", "holdout")]
    live = pd.concat(parts)[["id", "at", "x", "w"]].sort_values("at", ignore_index=True)
    live["day"] = live["at"].dt.strftime("%Y-%m-%d")
    live["received_at"] = live["at"] + pd.Timedelta("90min")
    live["inputs_until"] = live["at"] - pd.Timedelta("2h")
    live["run_at"] = pd.Timestamp("2025-12-31", tz="UTC")
    shadow = live.assign(run_at=pd.Timestamp("2026-01-02", tz="UTC"))
    shadow.loc[shadow.day.between("2025-12-08", "2025-12-10"), "w"] *= 1.5
    write(world, "features", live)
    write(world, "rewrite", shadow)
    write(world, "rewrite-again", shadow.assign(run_at=pd.Timestamp("2026-01-03", tz="UTC"))[::-1])
    return world


def write(world: World, name: str, table: pd.DataFrame) -> None:
    table.to_parquet(world.folder / f"{name}.parquet", index=False, row_group_size=5_000)


def read(world: World, name: str = "rewrite") -> pd.DataFrame:
    return pd.read_parquet(world.folder / f"{name}.parquet")


def check(world: World) -> Ran:
    ran = world.run("check", "-e", "development", "--json", "answer.json", "-v")
    assert ran.code in {0, 1}, ran.err
    return ran


def failed(world: World) -> dict[str, set[str]]:
    """The checks that deny, with their partitions."""
    rows = json.loads((world.folder / "answer.json").read_text())["rows"]
    found: dict[str, set[str]] = {}
    for row in rows:
        if row["verdict"] not in {"pass", "inconclusive"}:
            found.setdefault(row["check"], set()).update({row["item"]["name"]} if row.get("item") else set())
    return found


def test_a_rewrite_that_is_as_declared_is_allowed(rewritten: World) -> None:
    ran = check(rewritten)
    assert failed(rewritten) == {}
    assert ran.code == 0
    passed = re.findall(r"^pass +backfill\.(\w+)", ran.out, flags=re.MULTILINE)
    assert len(passed) == len(set(passed)) == 11


def test_a_run_that_stopped_in_place_is_told_by_a_second_one_and_guessed_without(rewritten: World) -> None:
    table = read(rewritten)
    tenth = table.day == "2025-12-10"
    table.loc[tenth, "w"] = read(rewritten, "features").loc[tenth, "w"]
    write(rewritten, "rewrite", table)
    assert check(rewritten).code == 1
    assert failed(rewritten) == {"backfill.rerun_difference": {"2025-12-10"}}
    rewritten.edit("  rerun: {uri: rewrite-again.parquet}", "")
    ran = check(rewritten)
    assert ran.code == 0
    assert "1 of 3 partitions in the window are as they were" in " ".join(ran.out.split())


def test_the_page_shows_what_is_said_of_a_bad_one(rewritten: World) -> None:
    table = read(rewritten)
    ninth, tenth = (np.flatnonzero(table.day == f"2025-12-{day}") for day in ("09", "10"))
    table.loc[ninth[40:47], "inputs_until"] += pd.Timedelta("24h")
    twice = table.iloc[ninth[:40]]
    write(rewritten, "rewrite", pd.concat([table.drop(index=tenth[-25:]), twice]))
    ran = check(rewritten)
    assert ran.code == 1
    assert failed(rewritten) == {
        "backfill.row_difference": {"2025-12-09", "2025-12-10"},
        "backfill.keys_repeated": {"2025-12-09"},
        "backfill.keys_missing": {"2025-12-10"},
        "backfill.known_later": {"2025-12-09"},
        "backfill.rerun_difference": {"2025-12-09", "2025-12-10"},
    }
    command, *shown = page("console")[0].splitlines()
    assert command == "$ gates check -e development"
    lines = ran.out.splitlines()
    for line in shown:
        assert line in lines, (line, ran.out)
