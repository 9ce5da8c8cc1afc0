"""`gates init` from a registry: the first spec says what the version says, and the limits written are those shipped."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from small_world import World

from gates.decide.policies import PolicySet
from gates.flow.start import _label, _tables, _task
from gates.inputs.registry import RunInput
from gates.plan.spec import load_spec


@pytest.fixture
def project(bare: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = bare.copy(tmp_path_factory.mktemp("init"))
    (world.folder / "gates.yaml").unlink()
    return world


def test_a_version_fills_in_its_spec(project: World) -> None:
    registry = f"sqlite:///{project.folder}/mlflow.db"
    ran = project.run("init", "--model", "models:/approval", "--registry", registry, "-o", "json")
    assert ran.code == 0, ran.err
    assert len(ran.json["written"]) == 4
    spec = load_spec(project.folder / "gates.yaml")
    assert (spec.model, spec.candidate, spec.champion) == (
        "approval",
        "models:/approval@challenger",
        "models:/approval@champion",
    )
    assert spec.columns.features == ("x", "w")
    again = project.run("init", "--model", "models:/approval", "--registry", registry)
    assert (again.code, "spec.exists" in again.err) == (2, True)


def test_every_limit_written_is_the_shipped_one(project: World) -> None:
    """Uncommented as they are, they change nothing and mean what they say."""
    registry = f"sqlite:///{project.folder}/mlflow.db"
    assert project.run("init", "--model", "models:/approval/2", "--registry", registry).code == 0
    shipped = PolicySet.load().data["thresholds"]
    for environment, thresholds in shipped.items():
        path = project.folder / "policies" / "overrides" / environment / "data.yaml"
        text = path.read_text()
        assert PolicySet.load(project.folder / "policies").data["overrides"][environment]["limits"] == {}
        head, _, rest = text.partition("limits:\n")
        lines = [line.replace("#", "", 1) for line in rest.splitlines(keepends=True)]
        path.write_text(f"{head}limits:\n{''.join(lines[:2])}{rest[rest.index(lines[2].lstrip()) :]}")
        assert len(YAML(typ="safe").load(path.read_text())["limits"]) == 1
        path.write_text(f"{head}limits:\n{''.join(lines)}")
        assert YAML(typ="safe").load(path.read_text())["limits"] == thresholds["limits"]
    (project.folder / "policies/models/approval/data.yaml").unlink()
    assert PolicySet.load(project.folder / "policies").data["overrides"].keys() == shipped.keys()
    kept = (project.folder / "policies/overrides/staging/data.yaml").read_text()
    assert project.run("init", "--model", "models:/approval/2", "--registry", registry, "--force").code == 0
    assert (project.folder / "policies/overrides/staging/data.yaml").read_text() == kept


def test_a_model_that_is_not_there_writes_nothing(project: World) -> None:
    registry = f"sqlite:///{project.folder}/mlflow.db"
    ran = project.run("init", "--model", "models:/approvel", "--registry", registry)
    assert ran.code == 2
    assert "approval" in ran.err
    assert not (project.folder / "gates.yaml").exists()


@pytest.mark.parametrize(
    ("metrics", "task"),
    [
        (("training_roc_auc", "loss"), "binary"),
        (("val_rmse",), "numeric"),
        (("mean_absolute_error", "roc_auc"), "numeric"),
        (("f1_macro", "accuracy"), "multiclass"),
        (("normalised_embrace",), "binary"),
        ((), "binary"),
    ],
)
def test_the_task_is_told_by_metrics(metrics: tuple[str, ...], task: str) -> None:
    found, whence = _task(metrics)
    assert found == task
    assert whence.startswith("guess") == (not any(name in whence for name in metrics))


def test_label_and_tables_are_told_by_logged_datasets() -> None:
    train = RunInput("training", "s3://b/train.parquet", 9, columns=("x", "w", "day", "target"))
    test = RunInput("Test", "s3://b/test.parquet", 9, columns=("x", "w", "y"))
    memory = RunInput("validation", "", 9)
    assert _tables([memory, test, train]) == {"holdout": "s3://b/test.parquet", "training": "s3://b/train.parquet"}
    assert _tables([RunInput("eval", "s3://b/stopping.parquet", 9)]) == {}, "a model was stopped by these rows"
    assert _label([train], ("x", "w"))[0] == "target"
    assert _label([memory, test], ("x", "w"))[0] == "y"
    assert _label([test], ())[0] == "label"
    assert _label([], ("x",))[0] == "label"
