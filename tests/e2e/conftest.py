"""The small world, made once for all files here; each test gets a copy of its own."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable, Iterator
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


def once(factory: pytest.TempPathFactory, name: str, making: Callable[[Path], World]) -> World:
    """A world that is only copied: the first of the processes that run the tests makes it, and all have it."""
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = root / f"{name}.pickle"
        if not kept.exists():
            (root / name).mkdir()
            kept.write_bytes(pickle.dumps(making(root / name)))
        made: World = pickle.loads(kept.read_bytes())
    return made


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Policies and trust are in force, and nothing serves."""
    return once(tmp_path_factory, "world", make)


@pytest.fixture(scope="session")
def measured(bare: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The champion serves in both environments; the candidate is measured, and its evidence is sealed."""

    def making(folder: Path) -> World:
        world = bare.copy(folder)
        for environment in ("staging", "production"):
            what = ("models:/approval/1", "-e", environment, "--reason", "r", "--key", "applier.pem")
            adopted = world.run("adopt", *what)
            assert adopted.code == 0, adopted.err
        checked = world.check()
        assert (checked.code, checked.json["basis"]) == (0, "proven"), checked.out + checked.err
        return world

    return once(tmp_path_factory, "measured", making)


@pytest.fixture
def world(measured: World, tmp_path: Path) -> World:
    return measured.copy(tmp_path)
