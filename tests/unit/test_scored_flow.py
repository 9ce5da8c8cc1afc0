"""From versions and tables to what gates read: holdout, gold table, supplied champion, times."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan
from scorer_models import probabilities, write_model

from gates.flow.scoring import Scores, score_tables
from gates.inputs import packages
from gates.inputs.opened import Latency
from gates.inputs.sandbox import isolation
from gates.inputs.tables import Tables
from gates.measure.interface import Scored
from gates.records import ModelVersion, Reason
from gates.records.plan import Requirement

pytestmark = pytest.mark.usefixtures("scored_here")

CANDIDATE = ModelVersion(name="m", version="2", digest="sha256:" + "2" * 64)
CHAMPION = ModelVersion(name="m", version="1", digest="sha256:" + "1" * 64)
N = 40


class Registry:
    """Folders of models, handed out as the registry does."""

    def __init__(self, folder: Path) -> None:
        self.fetched: list[str] = []
        self.folders = {
            "2": write_model(folder / "candidate", probabilities("X['a']")),
            "1": write_model(folder / "champion", probabilities("1 - X['a']")),
        }

    def fetch(self, version: ModelVersion, folder: Path) -> Path:
        self.fetched.append(version.version)
        return Path(shutil.copytree(self.folders[version.version], folder))


@pytest.fixture
def world(tables: Tables, tmp_path: Path) -> World:
    (tmp_path / "tables").mkdir()
    return World(tables, tmp_path / "tables").add("holdout", frame(0.0))


def frame(shift: float) -> pd.DataFrame:
    return pd.DataFrame({"id": range(N), "a": (np.arange(N) + 0.5 + shift) / (N + 1), "y": np.arange(N) % 2})


def run(
    world: World,
    folder: Path,
    champion: ModelVersion | None = CHAMPION,
    checks: tuple[str, ...] = (),
    broken: str = "",
    packages: str = "ours",
    **columns: Any,
) -> tuple[Scores, SimpleNamespace]:
    asked = plan(**{"score": None, "features": ("a",), "key": ("id",), **columns})
    wanted = tuple(Requirement(environment="development", check=check, role="prove") for check in checks)
    spec = SimpleNamespace(packages=packages)
    project = SimpleNamespace(registry=Registry(folder / "registry"), failures=[], spec=spec)
    if broken:
        project.registry.folders["1"] = write_model(folder / "broken", broken)
    room = folder / "room"
    room.mkdir()
    found = score_tables(
        project,  # type: ignore[arg-type]
        asked.model_copy(update={"requirements": wanted}),
        (CANDIDATE, champion),
        world.tables,
        world.opened,
        room,
    )
    return found, project


def shown(scored: Scored | Reason) -> pd.DataFrame:
    assert isinstance(scored, Scored), scored
    return scored.table.to_pandas().sort_values("p").reset_index(drop=True)


@pytest.mark.usefixtures("own_process")
def test_holdout_and_gold_are_scored_by_both(world: World, tmp_path: Path) -> None:
    world.add("gold", frame(0.25))
    found, project = run(world, tmp_path)
    for scored, shift in ((found.scored, 0.0), (found.gold, 0.25)):
        rows = shown(scored)
        assert rows["p"].tolist() == frame(shift)["a"].tolist()
        assert np.allclose(rows["p"] + rows["q"], 1)
        assert rows["y"].tolist() == frame(shift)["y"].tolist()
    assert isinstance(found.gold, Scored)
    assert (found.gold.predictions, found.isolation) == ("scored", isolation()[0])
    assert found.latency is Reason.NOT_PROVIDED
    assert sorted(project.registry.fetched) == ["1", "2"]


def test_without_a_gold_table_there_is_none(world: World, tmp_path: Path) -> None:
    found, _ = run(world, tmp_path, None)
    assert found.gold is Reason.NOT_PROVIDED
    assert list(shown(found.scored).columns) == ["y", "p"]


def test_a_champion_that_brings_a_table_is_not_run(world: World, tmp_path: Path) -> None:
    world.add("champion_predictions", pd.DataFrame({"id": range(N), "old": np.linspace(0.1, 0.2, N)}))
    world.add("gold", frame(0.25))
    found, project = run(world, tmp_path, champion_score="old")
    assert project.registry.fetched == ["2"]
    assert isinstance(found.scored, Scored)
    assert (found.scored.predictions, found.scored.champion_supplied) == ("scored", True)
    assert np.allclose(shown(found.scored)["q"], np.linspace(0.1, 0.2, N))
    assert isinstance(found.gold, Scored)
    assert not found.gold.champion


def test_a_supplied_candidate_is_not_run(world: World, tmp_path: Path) -> None:
    world.add("predictions", frame(0.0).assign(p=0.3)).add("gold", frame(0.25))
    found, project = run(world, tmp_path, score="p")
    assert isinstance(found.scored, Scored)
    assert (found.scored.predictions, found.isolation, found.gold) == ("supplied", "none", Reason.NOT_PROVIDED)
    assert project.registry.fetched == []


def test_a_model_that_fails_is_a_reason_and_a_word(world: World, tmp_path: Path) -> None:
    broken = "class Model:\n    def predict_proba(self, X): raise RuntimeError('gone')\n"
    found, project = run(world, tmp_path, broken=broken)
    assert found.scored is Reason.SCORER_FAILED
    (said,) = project.failures
    assert said.startswith("models:/m/1: the model's process ended with code 3: RuntimeError: gone")


@pytest.mark.parametrize("check", ["regression.latency_vs_champion", "regression.latency"])
def test_calls_are_timed_where_the_plan_asks(world: World, tmp_path: Path, check: str) -> None:
    found, project = run(world, tmp_path, checks=(check,))
    assert isinstance(found.latency, Latency)
    assert found.latency.candidate.shape == found.latency.champion.shape == (300,)
    assert sorted(project.registry.fetched) == ["1", "2"]


def test_an_empty_holdout_is_a_reason(world: World, tmp_path: Path) -> None:
    world.add("holdout", frame(0.0).iloc[:0])
    found, _ = run(world, tmp_path, checks=("regression.latency",))
    assert (found.scored, found.latency, found.isolation) == (Reason.EMPTY_TABLE, Reason.TABLE_MISSING, "none")


def test_a_model_in_its_own_environment(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def own_python(model: Path) -> Path:
        asked.append(model)
        return Path(sys.executable)

    monkeypatch.setattr(packages, "own_python", own_python)
    run(world, tmp_path, packages="ours")
    assert asked == []
    (tmp_path / "second").mkdir()
    found, _ = run(world, tmp_path / "second", packages="own", checks=("regression.latency",))
    assert isinstance(found.latency, Latency)
    assert len(set(asked)) == 2
    assert shown(found.scored)["p"].tolist() == frame(0.0)["a"].tolist()


def test_an_environment_that_cannot_be_made_is_a_reason(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own_python(_: Path) -> Path:
        raise packages.PackagesFailed("no such package")

    monkeypatch.setattr(packages, "own_python", own_python)
    found, project = run(world, tmp_path, packages="own", checks=("regression.latency",))
    assert (found.scored, found.latency) == (Reason.SCORER_FAILED, Reason.SCORER_FAILED)
    assert "no such package" in project.failures[0]


def test_models_of_two_environments_do_not_share_a_process(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    paths = iter([Path(sys.executable), Path(sys.executable), Path(sys.executable), other])
    monkeypatch.setattr(packages, "own_python", lambda _: next(paths))
    found, _ = run(world, tmp_path, packages="own", checks=("regression.latency",))
    assert found.latency is Reason.NOT_PROVIDED
