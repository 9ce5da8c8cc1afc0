"""The registry simulator answers as MLflow does, and a promotion and its rollback move MLflow's own aliases."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from simulators.apply_world import MODEL, World, slot_in

from gates.apply.adopt import adopt
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.sealed import append_sealed
from gates.apply.surfaces import Surfaces
from gates.errors import EvidenceError, Refused, UsageError
from gates.inputs.mlflow_registry import MlflowRegistry, quiet_mlflow
from gates.inputs.registry import NotRegistered, Registry, RegistryUnavailable
from gates.records import ModelVersion, Release, Route

VERSIONS = 2


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    quiet_mlflow()
    from mlflow import MlflowClient

    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(uri, uri)
    client.create_registered_model(MODEL)
    for number in range(1, VERSIONS + 1):
        (folder / str(number)).mkdir()
        (folder / str(number) / "weights").write_text(f"weights {number}")
        client.create_model_version(MODEL, source=(folder / str(number)).as_uri())
    return folder


@pytest.fixture(params=["simulator", "mlflow"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "simulator":
        world = World(tmp_path)
        for number in range(1, VERSIONS + 1):
            world.version(number)
        return world.registry
    return MlflowRegistry(f"sqlite:///{request.getfixturevalue('filled')}/mlflow.db")


def test_the_port(registry: Registry) -> None:
    assert registry.aliases(MODEL) == {}
    assert registry.digest(MODEL, "1") != registry.digest(MODEL, "2")
    registry.set_alias(MODEL, "approved-staging", "1")
    registry.set_alias(MODEL, "approved-staging", "2")
    assert registry.aliases(MODEL) == {"approved-staging": "2"}
    with pytest.raises(UsageError):
        registry.set_alias(MODEL, "Approved-Staging", "1")
    for call in (
        lambda: registry.set_alias(MODEL, "other", "9"),
        lambda: registry.delete_alias(MODEL, "other"),
        lambda: registry.digest(MODEL, "9"),
    ):
        with pytest.raises(NotRegistered):
            call()
    registry.delete_alias(MODEL, "approved-staging")
    assert registry.aliases(MODEL) == {}


def test_promote_and_roll_back_over_mlflow(tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    world.begin()
    registry = MlflowRegistry(f"sqlite:///{filled}/mlflow.db")
    one, two = (ModelVersion(name=MODEL, version=n, digest=registry.digest(MODEL, n)) for n in ("1", "2"))
    surfaces, slot = Surfaces(registry, world.serving("production")), slot_in("production")
    first = Release(model=MODEL, environment="production", routes=(Route(version=one, percent=100),), approved=one)
    adopt(world.writer(), surfaces, first, reason="it serves already")
    bundle = world.bundle(two)
    append_sealed(world.writer("decider"), bundle)
    decision = world.decision(two, "production", champion=one, bundle=bundle.digest, percent=5)

    registry.set_alias(MODEL, "champion", "2")
    with pytest.raises(Refused, match="champion points to version 2") as caught:
        promote(world.writer(), surfaces, decision)
    assert caught.value.code == "alias.unexplained"
    registry.set_alias(MODEL, "champion", "1")

    promote(world.writer(), surfaces, decision)
    canary = {"approved-production": "2", "deployed-production": "1", "champion": "1"}
    assert registry.aliases(MODEL) == canary == world.writer().read().expected_aliases(MODEL)

    weights = filled / "1" / "weights"
    weights.write_text("weights 1 and a little more")
    with pytest.raises(EvidenceError) as changed:
        rollback(world.writer(), surfaces, slot, reason="worse")
    assert changed.value.code == "model.bytes_changed"
    weights.write_text("weights 1")

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    down = Surfaces(MlflowRegistry(f"http://127.0.0.1:{port}"), world.serving("production"))
    applied = rollback(world.writer(), down, slot, reason="worse")
    assert applied.wanted == first
    assert applied.debts
    with pytest.raises(RegistryUnavailable):
        rollback(world.writer(), down, slot, reason="worse")
    assert registry.aliases(MODEL) == canary
    assert rollback(world.writer(), surfaces, slot, reason="worse").debts == ()
    assert registry.aliases(MODEL) == {**canary, "approved-production": "1"}
