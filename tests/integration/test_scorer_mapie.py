"""MAPIE's own objects, logged with MLflow and registered as they are: scored in their process, joined to their labels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mapie.classification import CrossConformalClassifier, SplitConformalClassifier
from mapie.conformity_scores import ResidualNormalisedScore
from mapie.regression import ConformalizedQuantileRegressor, CrossConformalRegressor, SplitConformalRegressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from gates.inputs.mlflow_registry import MlflowRegistry, quiet_mlflow
from gates.inputs.scorer import Asked, score
from gates.inputs.tables import Tables
from gates.measure.interface import Scored
from gates.measure.scored import scored_by_scorer
from gates.measure.scored_features import write_features
from gates.records import Columns, Parameters, Plan, Table

DIGEST = "sha256:" + "0" * 64
CLASSES = ("mid", "high", "low")
ROWS = 1_000


def world(seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Numbers whose spread grows with `a`, and classes cut from them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.uniform(0, 4, rows), "b": rng.normal(size=rows)})
    frame["y"] = 50 + 20 * frame["a"] + 3 * (1 + frame["a"]) * rng.normal(size=rows)
    frame["k"] = np.select([frame["y"] < 80, frame["y"] < 100], ["low", "mid"], "high")
    return frame


def models() -> dict[str, Any]:
    fit, conform = world(1), world(2)
    X, new = fit[["a", "b"]], conform[["a", "b"]]
    linear = LinearRegression().fit(X, fit["y"])
    normalised = ResidualNormalisedScore(random_state=0)
    ends = [
        GradientBoostingRegressor(loss="quantile", alpha=q, n_estimators=40, random_state=0).fit(X, fit["y"])
        for q in (0.05, 0.95, 0.5)
    ]
    logistic = LogisticRegression().fit(X, fit["k"])
    return {
        "split": SplitConformalRegressor(linear, confidence_level=[0.8, 0.9]).conformalize(new, conform["y"]),
        "lacp": SplitConformalRegressor(linear, confidence_level=0.9, conformity_score=normalised).conformalize(
            new, conform["y"]
        ),
        "cqr": ConformalizedQuantileRegressor(ends, confidence_level=0.9, prefit=True).conformalize(new, conform["y"]),
        "cross": CrossConformalRegressor(LinearRegression(), confidence_level=0.9, cv=4).fit_conformalize(X, fit["y"]),
        "sets": SplitConformalClassifier(logistic, confidence_level=0.9).conformalize(new, conform["k"]),
        "cross_sets": CrossConformalClassifier(LogisticRegression(), confidence_level=0.9, cv=4).fit_conformalize(
            X, fit["k"]
        ),
    }


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[MlflowRegistry, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("mapie")
    quiet_mlflow()
    import mlflow

    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri, uri)
    experiment = client.create_experiment("e", artifact_location=(folder / "artifacts").as_uri())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = models()
        with mlflow.start_run(experiment_id=experiment):
            for name, model in found.items():
                info = mlflow.sklearn.log_model(
                    model, name=name, serialization_format="cloudpickle", pip_requirements=[]
                )
                mlflow.register_model(info.model_uri, name)
    return MlflowRegistry(uri), found


def through(
    registered: tuple[MlflowRegistry, dict[str, Any]], tables: Tables, folder: Path, name: str, task: Any
) -> tuple[Scored, pd.DataFrame]:
    """Score a registered model on fresh rows the whole way, and return them in the order of the holdout's `id`."""
    registry, _ = registered
    holdout = world(3).assign(id=range(ROWS))
    holdout.to_parquet(folder / "holdout.parquet")
    plan = Plan(
        model=name,
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(slices=("id",)),
        tables=(),
        columns=Columns(
            label="y" if task == "numeric" else "k",
            features=("a", "b"),
            classes=() if task == "numeric" else CLASSES,
        ),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    opened = tables.open(Table(role="holdout", uri="holdout.parquet"), base=folder)
    write_features(tables, opened, plan, folder / "features.parquet")
    model = registry.fetch(registry.resolve(f"models:/{name}/1").version, folder / "model")
    score(
        model,
        folder / "features.parquet",
        folder / "scores.parquet",
        asked=Asked(task, plan.columns.classes, plan.parameters.coverage_level),
        timeout_s=120,
    )
    scored = scored_by_scorer(tables, plan, opened, folder / "scores.parquet")
    assert isinstance(scored, Scored), scored
    found = scored.table.to_pandas().sort_values("slice_0", key=lambda text: text.astype(int))
    return scored, found.reset_index(drop=True)


@pytest.fixture
def room(request: pytest.FixtureRequest) -> None:
    """One model of each kind is loaded and asked in a process of its own, which takes 4 s to import MAPIE."""
    own = request.node.callspec.params["name"] in {"split", "cross_sets"}
    request.getfixturevalue("own_process" if own else "scored_here")


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize(
    ("name", "levels"), [("split", (0.9, 0.8)), ("lacp", (0.9,)), ("cqr", (0.9,)), ("cross", (0.9,))]
)
def test_intervals_of_mapie(registered: Any, tables: Tables, tmp_path: Path, name: str, levels: Any) -> None:
    scored, found = through(registered, tables, tmp_path, name, "numeric")
    assert scored.levels == levels
    model, rows = registered[1][name], world(3)
    point, ends = model.predict_interval(rows[["a", "b"]])
    np.testing.assert_allclose(found["p"] * scored.scale, point, rtol=1e-12)
    np.testing.assert_allclose(found["y"] * scored.scale, rows["y"], rtol=1e-15)
    for index, level in enumerate(levels):
        lower, upper = ends[:, 0, -1 - index], ends[:, 1, -1 - index]
        covered = (lower <= rows["y"]) & (rows["y"] <= upper)
        np.testing.assert_allclose(found[f"width_{index}"] * scored.scale, upper - lower, rtol=1e-9, atol=1e-9)
        assert found[f"covered_{index}"].tolist() == covered.tolist()
        # Of 1,000 conformal rows (750 where a quarter fits the spread) and 1,000 new ones: five standard errors of both.
        if name == "lacp":
            assert np.corrcoef(found["width_0"], rows["a"])[0, 1] > 0.5
        assert abs(covered.mean() - level) < 5 * (level * (1 - level) * (1 / 750 + 1 / ROWS)) ** 0.5


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("name", ["sets", "cross_sets"])
def test_sets_of_mapie(registered: Any, tables: Tables, tmp_path: Path, name: str) -> None:
    """The model's classes stand in the order of the alphabet; the spec's do not."""
    scored, found = through(registered, tables, tmp_path, name, "multiclass")
    model, rows = registered[1][name], world(3)
    assert (scored.levels, scored.classes) == ((0.9,), CLASSES)
    assert [CLASSES[place] for place in found["y"]] == rows["k"].tolist()
    _, sets = model.predict_set(rows[["a", "b"]])
    alphabet = sorted(CLASSES)
    covered = sets[np.arange(ROWS), [alphabet.index(k) for k in rows["k"]], 0]
    assert found["covered_0"].tolist() == covered.tolist()
    assert found["width_0"].tolist() == sets[:, :, 0].sum(axis=1).tolist()
    inside = model._mapie_classifier.estimator_.single_estimator_.predict_proba(rows[["a", "b"]])
    for place, name_ in enumerate(CLASSES):
        np.testing.assert_allclose(found[f"p_{place}"], inside[:, alphabet.index(name_)], rtol=1e-12)
