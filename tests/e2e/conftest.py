"""The small world, made once for all files here; each test gets a copy of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from model_runs import scored_once
from small_world import World, make

from gates.decide import opa_binary

FIND_OPA = opa_binary.find_opa


@pytest.fixture(scope="session", autouse=True)
def _scored_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The worlds are copies of one: their models are asked for the same rows again and again."""
    with scored_once(tmp_path_factory.mktemp("scores")):
        yield


@pytest.fixture(scope="session", autouse=True)
def _without_opa() -> Iterator[None]:
    """Commands decide as on a machine without OPA, in two thirds of the time; what both engines say, others compare."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opa_binary, "find_opa", lambda: None)
        yield


@pytest.fixture(autouse=True)
def _with_opa(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("opa"):
        monkeypatch.setattr(opa_binary, "find_opa", FIND_OPA)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Policies and trust are in force, and nothing serves."""
    return make(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def measured(bare: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The champion serves in both environments; the candidate is measured, and its evidence is sealed."""
    world = bare.copy(tmp_path_factory.mktemp("measured"))
    for environment in ("staging", "production"):
        adopted = world.run("adopt", "models:/approval/1", "-e", environment, "--reason", "r", "--key", "applier.pem")
        assert adopted.code == 0, adopted.err
    checked = world.check()
    assert (checked.code, checked.json["basis"]) == (0, "proven"), checked.out + checked.err
    return world


@pytest.fixture
def world(measured: World, tmp_path: Path) -> World:
    return measured.copy(tmp_path)
