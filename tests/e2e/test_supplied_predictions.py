"""A table of predictions on its way into production: what was supplied is scored again, and must be the model's."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from small_world import World

COLUMNS = "columns: {label: y, key: [id], time: at"
NAMED = f"{COLUMNS}, score: p, champion_score: q, set_columns: [p0, p1], champion_set_columns: [q0, q1]"
DENIED = {"package.mismatch", "predictions.supplied"}


def supply(world: World, altered: int = 0) -> None:
    """Write what both versions say of the holdout, but for some rows; the registry's own models say it."""
    mlflow.set_tracking_uri(f"sqlite:///{world.folder / 'mlflow.db'}")
    holdout = pd.read_parquet(world.folder / "holdout.parquet")
    table = holdout[["id"]].copy()
    for letter, number in (("p", 2), ("q", 1)):
        # A copy: loading writes beside the model.
        copy = world.folder.parent / f"copy-{number}"
        copy.mkdir()
        model = mlflow.sklearn.load_model(
            mlflow.artifacts.download_artifacts(f"models:/approval/{number}", dst_path=copy)
        )
        probability = model.predict_proba(holdout)
        table[letter] = probability[:, 1]
        for place in range(2):
            table[f"{letter}{place}"] = probability[:, place] >= model.threshold
    table.loc[: holdout.index[0] + altered - 1, "p"] = np.clip(holdout["y"].iloc[:altered], 0.05, 0.95)
    table.to_parquet(world.folder / "predictions.parquet", index=False)
    if NAMED not in (world.folder / "gates.yaml").read_text():
        world.edit(COLUMNS, NAMED)
        world.edit("tables:\n", "tables:\n  predictions: {uri: predictions.parquet}\n")


def into_production(world: World, *, by_staging: bool = True) -> tuple[set[str], dict[str, dict]]:
    """What denies, and the results on supplied predictions by item."""
    measured = world.run("measure", "-e", "staging", "--out", "m")
    assert measured.code == 0, measured.err
    sealed = world.run("seal", "m", "-e", "staging", "--key", "measurer.pem")
    assert sealed.code == 0, sealed.err
    bundle = sealed.out.strip()
    if by_staging:
        staged = world.promote("--bundle", bundle)
        assert staged.code == 0, staged.out + staged.err
    asked = world.promote("-e", "production", "--percent", "5", "--bundle", bundle)
    results = asked.json["decision"]["results"]
    return asked.denying, {r["item"]["name"]: r for r in results if r["check"] == "package.mismatch"}


@pytest.mark.namespaces
def test_a_sample_that_agrees_takes_the_table_into_production(world):
    scored, none = into_production(world.copy(world.folder.parent / "scored"))
    assert none == {}
    assert not DENIED & scored
    supply(world)
    denying, figures = into_production(world)
    assert denying == scored
    assert {name: figure["verdict"] for name, figure in figures.items()} == {
        "predictions": "pass",
        "champion_predictions": "pass",
    }


@pytest.mark.namespaces
def test_a_table_that_is_not_the_models_is_denied(world):
    supply(world, altered=2_400)
    denying, figures = into_production(world)
    assert denying >= DENIED
    assert {name: figure["verdict"] for name, figure in figures.items()} == {
        "predictions": "fail",
        "champion_predictions": "pass",
    }


def test_a_model_that_cannot_score_the_rows_leaves_the_table_unproven(world):
    supply(world)
    world.edit(NAMED, f"{NAMED}, features: [at]")
    denying, figures = into_production(world, by_staging=False)
    assert denying >= {"predictions.supplied", "unmeasured.scorer_failed"}
    assert {figure["verdict"] for figure in figures.values()} == {"error"}
