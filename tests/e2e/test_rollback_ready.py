"""Before production lets a new version in, what serves there must be able to come back; each part is deleted in turn."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from small_world import World

from gates.flow.readiness import readiness
from gates.plan.spec import load_spec
from gates.project import Project

NEEDED = {"rollback.gone", "rollback.unsaid", "rollback.unread", "rollback.window"}


def ready(world: World) -> dict[str, str]:
    """What denies of `rollback.ready`, by part."""
    ran = world.promote("-e", "production")
    assert ran.code == 1, ran.out + ran.err
    rows = [row for row in ran.json["rows"] if row["check"] == "rollback.ready" and row["disposition"] == "denies"]
    assert {row["code"] for row in rows} <= NEEDED
    return {(row.get("item") or {}).get("name", ""): row["code"] for row in rows}


def _artifact(world: World) -> None:
    with closing(sqlite3.connect(world.folder / "mlflow.db")) as registry:
        [(place,)] = registry.execute("SELECT storage_location FROM model_versions WHERE version = 1").fetchall()
    shutil.rmtree(str(place).removeprefix("file://"))


def _remove(folder: str) -> Callable[[World], None]:
    return lambda world: shutil.rmtree(world.folder / folder)


def _golden(world: World) -> None:
    (world.folder / "golden.parquet").unlink()


PARTS: dict[str, Callable[[World], Any]] = {
    "image": _remove("images"),
    "feature_views": _remove("views"),
    "data_snapshot": _remove("snapshots"),
    "golden": _golden,
    "artifact": _artifact,
}


def test_each_part_deleted_in_turn_is_gone_and_denies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    project = Project(load_spec(world.folder))
    slot = project.chain().slot(project.slot("production"))
    gone: set[str] = set()
    for part, delete in PARTS.items():
        found = readiness(project, "production", slot.standing.release, slot.release_digest)
        assert found is not None
        assert {one.part for one in found.parts if one.state != "there"} == gone
        delete(world)
        gone.add(part)
    assert ready(world) == dict.fromkeys(PARTS, "rollback.gone")


def test_other_bytes_than_the_release_names_deny(world: World) -> None:
    for path in (world.folder / "images").iterdir():
        path.write_text("another image")
    assert ready(world) == {"image": "rollback.gone"}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  kept_hours: 24\n", "  kept_hours: 23\n", {"": "rollback.window"}),
        ('  image: "images/{hex}.json"\n', "", {"image": "rollback.unsaid"}),
    ],
)
def test_what_the_spec_does_not_say_denies(world: World, old: str, new: str, found: dict[str, str]) -> None:
    world.edit(old, new)
    assert ready(world) == found
