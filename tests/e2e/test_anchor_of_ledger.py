"""The anchor from end to end: a candidate that is as good as the champion, and worse than what served before it."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from small_world import World, log_version, with_sets

from gates.apply.serving.file_serving import FileServing
from gates.inputs.mlflow_registry import MlflowRegistry
from gates.plan.spec import load_spec
from gates.records import Release, Route

pytestmark = pytest.mark.usefixtures("scored_here")


@pytest.fixture
def world(bare: World, tmp_path: Path) -> World:
    """Version 3 looks at the noisy column as version 1 does, and was fitted on other rows."""
    world = bare.copy(tmp_path)
    training = pd.read_parquet(world.folder / "training.parquet")
    rows = training[2000:4000]
    model = with_sets(LogisticRegression().fit(rows[["w"]], rows["y"]), "w")
    type(model).threshold = 0.2
    mlflow.set_tracking_uri(f"sqlite:///{world.folder / 'mlflow.db'}")
    mlflow.set_experiment("approval")
    log_version(world.client, model, training[["x", "w"]])
    return world


def serve(world: World, number: int) -> None:
    """Somebody moves the traffic by hand, and it is entered afterwards."""
    registry = MlflowRegistry(f"sqlite:///{world.folder / 'mlflow.db'}")
    version = registry.resolve(f"models:/approval/{number}").version
    routes = (Route(version=version, percent=100),)
    said = load_spec(world.folder / "gates.yaml").release
    assert said is not None
    parts = dict(said.parts())
    release = Release(model="approval", environment="staging", routes=routes, approved=version, **parts)
    FileServing(world.folder / "serving" / "staging.json").write(release)
    adopted = world.run("adopt", version.uri, "-e", "staging", "--reason", "r", "--key", "applier.pem")
    assert adopted.code == 0, adopted.err


def judged(world: World, environment: str = "staging") -> tuple[dict[str, str], set[str]]:
    """The verdicts against champion and anchor, and the codes that deny."""
    ran = world.run("check", "-e", environment, "--candidate", "models:/approval/3", "-o", "json")
    assert ran.code in {0, 1}, ran.err
    rows = {row["check"]: row["verdict"] for row in ran.json["rows"]}
    return {rival: rows[f"regression.brier_vs_{rival}"] for rival in ("champion", "anchor")}, ran.denying


def test_a_candidate_worse_than_an_older_release_is_denied(world: World) -> None:
    serve(world, 1)
    found, denying = judged(world)
    assert found == {"champion": "pass", "anchor": "pass"}
    assert "regression.brier_vs_anchor" not in denying
    serve(world, 2)
    serve(world, 1)
    found, denying = judged(world)
    assert found == {"champion": "pass", "anchor": "fail"}
    assert "regression.brier_vs_anchor" in denying


def test_development_has_no_ledger_and_asks_for_no_anchor(world: World) -> None:
    ran = world.run("check", "--candidate", "models:/approval/3", "-o", "json")
    checks = {row["check"] for row in ran.json["rows"]}
    assert "regression.brier_vs_champion" in checks
    assert "regression.brier_vs_anchor" not in checks
