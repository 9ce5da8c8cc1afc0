"""What only a Databricks endpoint does: slow and single updates, refusals, failures, a version kept at 0 percent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import World, slot_in
from simulators.databricks_workspace import OTHER, OWNER, Workspace, served
from simulators.entries import release_of

from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.serving import databricks_volume
from gates.apply.serving.databricks import DatabricksServing, DatabricksWords
from gates.apply.serving.interface import Followed, Following, Serves, ServesNothing
from gates.apply.surfaces import Surfaces
from gates.errors import EngineError, GatesError, Refused
from gates.records import Release

WORDS = DatabricksWords("flights-delay", "/Volumes/main/ml/gates/staging", wait_s=10, poll_s=0.01)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    found = Workspace()
    found.make_endpoint("flights-delay", "flights", "0", workload_size="Small", environment_vars={"A": "b"})
    monkeypatch.setattr(databricks_volume, "_SECONDS", 1)
    with served(found) as address:
        monkeypatch.setenv("DATABRICKS_HOST", address)
        monkeypatch.setenv("DATABRICKS_TOKEN", OWNER)
        yield found


def sole(world: World, number: int) -> Release:
    return release_of("staging", (world.version(number), 100))


def split(world: World) -> Release:
    return release_of("staging", (world.version(1), 95), (world.version(2), 5))


def entities(workspace: Workspace) -> dict[str, Any]:
    """Version -> (name, percent, size, variables)."""
    config = workspace.endpoint["config"]
    percents = {each["served_model_name"]: each["traffic_percentage"] for each in config["traffic_config"]["routes"]}
    return {
        each["entity_version"]: (each["name"], percents[each["name"]], each["workload_size"], each["environment_vars"])
        for each in config["served_entities"]
    }


def refused(call: Any) -> GatesError:
    with pytest.raises((EngineError, Refused)) as caught:
        call()
    return caught.value


def test_a_new_version_is_sized_like_the_one_that_serves_and_the_one_before_stays_at_0(
    workspace: Workspace, world: World
) -> None:
    target = DatabricksServing(WORDS)
    for release in (sole(world, 1), split(world), sole(world, 2)):
        target.write(release)
    size = ("Small", {"A": "b"})
    assert entities(workspace) == {"1": ("flights-1", 0, *size), "2": ("flights-2", 100, *size)}
    updates = workspace.updates
    target.write(sole(world, 2))
    assert workspace.updates == updates
    target.write(split(world))
    assert entities(workspace) == {"1": ("flights-1", 95, *size), "2": ("flights-2", 5, *size)}
    target.clear()
    assert entities(workspace) == {"0": ("first", 100, *size)}
    assert (target.read(), workspace.files) == (ServesNothing(), {})


def test_a_version_that_takes_half_an_hour_leaves_the_move_open_and_the_same_command_goes_on(
    workspace: Workspace, tmp_path: Path
) -> None:
    world = World(tmp_path / "world")
    world.begin()
    surfaces = Surfaces(world.registry, DatabricksServing(replace(WORDS, wait_s=0.05)))
    promote(world.writer(), surfaces, world.allowed("staging", 1))
    workspace.polls = None
    decision = world.allowed("staging", 2, percent=5)
    for _ in range(2):
        error = refused(lambda: promote(world.writer(), surfaces, decision))
        assert (error.code, "Creating container" in str(error)) == ("serving.converging", True)
        assert world.writer().read().open_intent(slot_in("staging")) is not None
        assert [version for version, (_, percent, *_) in entities(workspace).items() if percent] == ["1"]
    updates = workspace.updates
    workspace.finish()
    promote(world.writer(), surfaces, decision)
    assert workspace.updates == updates
    assert surfaces.serving.traffic() == Followed()
    assert {version: percent for version, (_, percent, *_) in entities(workspace).items()} == {"1": 95, "2": 5}
    workspace.polls = 2
    rollback(world.writer(), surfaces, slot_in("staging"), reason="worse")
    assert {version: percent for version, (_, percent, *_) in entities(workspace).items()} == {"1": 100, "2": 0}
    assert world.registry.aliases("flights")["deployed-staging"] == "1"


def test_an_update_of_somebody_else_is_waited_for_and_not_for_ever(workspace: Workspace, world: World) -> None:
    target = DatabricksServing(WORDS)
    target.write(sole(world, 1))
    other = workspace.endpoint["config"] | {"served_entities": [], "traffic_config": {"routes": []}}
    workspace.endpoint |= {"pending": other, "state": "IN_PROGRESS", "left": None}
    impatient = DatabricksServing(replace(WORDS, wait_s=0.03))
    assert refused(lambda: impatient.write(split(world))).code == "serving.busy"
    assert isinstance(impatient.traffic(), Following)
    workspace.endpoint["left"] = 3
    target.write(split(world))
    assert target.read() == Serves(split(world), target.read().stated)  # type: ignore[union-attr]


def test_an_update_that_comes_in_between_is_refused_by_the_workspace(
    workspace: Workspace, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = DatabricksServing(replace(WORDS, wait_s=0))
    target.write(sole(world, 1))
    real = workspace.update
    monkeypatch.setattr(
        workspace, "update", lambda config: workspace.endpoint.update(state="IN_PROGRESS") or real(config)
    )
    assert refused(lambda: target.write(split(world))).code == "serving.busy"


def test_an_update_that_fails_leaves_what_served_and_says_so(workspace: Workspace, world: World) -> None:
    target = DatabricksServing(WORDS)
    target.write(sole(world, 1))
    workspace.fails = True
    error = refused(lambda: target.write(split(world)))
    assert (error.code, "UPDATE_FAILED" in str(error)) == ("serving.update_failed", True)
    found = target.read()
    assert isinstance(found, Serves)
    assert found.release == sole(world, 1)
    assert isinstance(target.traffic(), Following)
    target.write(sole(world, 1))
    assert target.traffic() == Followed()
    workspace.fails = False
    target.write(split(world))
    assert target.traffic() == Followed()


def test_a_writer_that_dies_between_statement_and_endpoint_leaves_what_serves_readable(
    workspace: Workspace, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = DatabricksServing(WORDS)
    target.write(sole(world, 1))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DatabricksServing, "_update", die)
        with pytest.raises(KeyboardInterrupt):
            target.write(split(world))
    found = DatabricksServing(WORDS).read()
    assert isinstance(found, Serves)
    assert found.release == sole(world, 1)
    DatabricksServing(WORDS).write(split(world))
    found = target.read()
    assert isinstance(found, Serves)
    assert found.release == split(world)
    with monkeypatch.context() as patch:
        patch.setattr(DatabricksServing, "_update", die)
        with pytest.raises(KeyboardInterrupt):
            target.clear()
    assert target.read() == ServesNothing()
    target.clear()
    assert list(entities(workspace)) == ["0"]


def test_percentages_that_do_not_add_up_are_refused_and_nothing_moved(workspace: Workspace, world: World) -> None:
    target = DatabricksServing(WORDS)
    target.write(sole(world, 1))
    wrong = split(world).model_copy(update={"routes": release_of("staging", (world.version(2), 60)).routes})
    error = refused(lambda: target.write(wrong))
    assert (error.code, "must be 100" in str(error)) == ("serving.refused", True)
    assert {version for version, (_, percent, *_) in entities(workspace).items() if percent} == {"1"}


def test_no_endpoint_no_right_and_no_workspace_are_three_errors(
    workspace: Workspace, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = DatabricksServing(replace(WORDS, endpoint="other"))
    assert refused(lambda: elsewhere.check(sole(world, 1))).code == "databricks.endpoint"
    monkeypatch.setenv("DATABRICKS_TOKEN", OTHER)
    assert refused(lambda: DatabricksServing(WORDS).write(sole(world, 1))).code == "serving.forbidden"
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    assert refused(lambda: DatabricksServing(WORDS).read()).code == "serving.unavailable"
    for name in [name for name in os.environ if name.startswith("DATABRICKS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(GatesError) as caught:
        DatabricksServing(WORDS).read()
    assert caught.value.code == "databricks.workspace"
