"""Batch scores follow the version that is deployed: forward by a promotion, back by a rollback."""

from __future__ import annotations

import json
import shutil
import tempfile

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from small_world import World

PARTITIONS = ("2026-01", "2026-02")


@pytest.fixture
def scoring(world: World) -> World:
    world.edit("release:", 'batch: {input: "requests/{partition}.parquet", output: "scores/{environment}"}\nrelease:')
    rows = pd.read_parquet(world.folder / "holdout.parquet").drop(columns="y")
    (world.folder / "requests").mkdir()
    for place, name in enumerate(PARTITIONS):
        rows[place * 50 : place * 50 + 50].to_parquet(world.folder / "requests" / f"{name}.parquet", index=False)
    return world


def counted(world: World, name: str) -> pd.DataFrame:
    folder = world.folder / "scores" / "staging" / name
    found: pd.DataFrame = pq.read_table(
        folder / json.loads((folder / "current.json").read_text())["scores"]
    ).to_pandas()
    return found


def expected(world: World, name: str, version: int) -> pd.DataFrame:
    """By the model itself, without the product; from a copy, as MLflow writes into the folder that it loads from."""
    logged = world.client.get_model_version("approval", str(version)).source.removeprefix("models:/")
    source = world.client.get_logged_model(logged).artifact_location.removeprefix("file://")
    with tempfile.TemporaryDirectory() as folder:
        model = mlflow.sklearn.load_model(shutil.copytree(source, f"{folder}/model"))
    rows = pd.read_parquet(world.folder / "requests" / f"{name}.parquet")
    return rows[["id"]].assign(p=model.predict_proba(rows[["x", "w"]])[:, 1]).reset_index(drop=True)


def same(world: World, name: str, version: int) -> bool:
    found, wanted = counted(world, name), expected(world, name, version)
    return list(found["id"]) == list(wanted["id"]) and bool(np.allclose(found["p"], wanted["p"], rtol=0, atol=1e-12))


def batch(world: World, *arguments: str) -> tuple[int, str]:
    ran = world.run("batch", *arguments, "-e", "staging")
    return ran.code, ran.out + ran.err


@pytest.mark.usefixtures("scored_here")
def test_scores_follow_what_is_deployed_and_come_back_with_it(scoring: World) -> None:
    for name in PARTITIONS:
        code, said = batch(scoring, name)
        assert (code, "models:/approval/1 scored" in said) == (0, True), said
        assert same(scoring, name, 1)
    assert "models:/approval/1 had scored" in batch(scoring, PARTITIONS[0])[1]
    assert scoring.promote("--percent", "100").code == 0
    shutil.copy(scoring.folder / "requests" / "2026-02.parquet", scoring.folder / "requests" / "new.parquet")
    for name in (PARTITIONS[0], "new"):
        assert batch(scoring, name)[0] == 0
        assert same(scoring, name, 2)
        assert not same(scoring, name, 1)
    rolled = scoring.run("rollback", "-e", "staging", "--reason", "worse", "--key", "applier.pem")
    assert (rolled.code, "1 partition" in rolled.out, "gates batch new -e staging" in rolled.out) == (0, True, True)
    assert same(scoring, PARTITIONS[0], 1)
    assert same(scoring, "new", 2)
    assert batch(scoring, "--restore")[0] == 1
    assert batch(scoring, "new")[0] == 0
    assert same(scoring, "new", 1)
    assert batch(scoring, "--restore")[0] == 0


def test_what_cannot_be_scored_says_why(scoring: World) -> None:
    for arguments, code, said in (
        ((), 2, "--restore"),
        (("nothing",), 2, "batch.input"),
        (("../x",), 2, "spec.placeholder"),
    ):
        ran = batch(scoring, *arguments)
        assert (ran[0], said in ran[1]) == (code, True), ran
    (scoring.folder / "requests" / "without.parquet").write_bytes(b"")
    assert batch(scoring, "without")[0] == 2
    scoring.client.set_registered_model_alias("approval", "deployed-staging", "2")
    code, said = batch(scoring, PARTITIONS[0])
    assert (code, "alias.unexplained" in said) == (1, True), said
    assert not list((scoring.folder / "scores").rglob("*.json"))
    development = scoring.run("batch", PARTITIONS[0], "-e", "development")
    assert (development.code, "ledger.development" in development.err) == (2, True)
