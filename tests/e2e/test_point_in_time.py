"""Point in time from end to end: the words of docs/point-in-time.md in gates.yaml, and a leak in lines of `gates check`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from small_world import World

PAGE = Path(__file__).parents[2] / "docs" / "point-in-time.md"


def page(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def define(world: World) -> None:
    """The words of docs/feature-definitions.md; serving computes w by other code."""
    page = (PAGE.parent / "feature-definitions.md").read_text(encoding="utf-8")
    line, document = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    world.edit("training: {uri: training.parquet}\n", line)
    for name, digit in (("features.yaml", "a"), ("serving.yaml", "b"), ("champion.json", "a")):
        (world.folder / name).write_text(document.replace("a" * 64, digit * 64), encoding="utf-8")
    (world.folder / "x.sql").write_text("select 1", encoding="utf-8")


def test_the_page_shows_what_is_said_of_a_leak(world: World) -> None:
    columns, tables = page("yaml")[0].split("tables:\n")
    world.edit("columns: {label: y, key: [id], time: at}\n", columns)
    world.edit("tables:\n", "tables:\n" + tables)
    training = pd.read_parquet(world.folder / "training.parquet")
    rng = np.random.default_rng(2)
    log = training[["id", "at", "x", "w"]].assign(seen_at=training["at"])
    after = log["at"] + pd.Timedelta("1D")
    later = log.assign(at=after, seen_at=after, x=rng.normal(0, 1.5, len(log)), w=rng.normal(0, 2, len(log)))
    pd.concat([log, later]).to_parquet(world.folder / "events.parquet", index=False)
    ran = world.run("check", "-e", "development", "-v")
    assert ran.code == 0, ran.out + ran.err
    assert len(re.findall(r"^pass +parity\.(?:asof_mismatch|known_later)", ran.out, flags=re.MULTILINE)) == 4

    define(world)
    training.loc[:29, "w"] = later["w"][:30]
    training.to_parquet(world.folder / "training.parquet", index=False)
    ran = world.run("check", "-e", "development", "-v")
    assert ran.code == 1
    command, *shown = page("console")[0].splitlines()
    assert command == "$ gates check -e development"
    assert shown
    failed = re.findall(r"^fail +(parity\.definition_\w+) .*\n +feature (\w)", ran.out, flags=re.MULTILINE)
    assert failed == [("parity.definition_differs", "w")]
    lines = ran.out.splitlines()
    for line in shown:
        assert line in lines, (line, ran.out)
    said = " ".join(ran.out.replace("•", "").split())
    hint = re.findall(r"`(w: of .*?)`", PAGE.read_text(encoding="utf-8"))[0]
    assert hint in said
