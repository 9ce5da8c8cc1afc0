"""What a model may answer, and what is said about what it may not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scorer_models import probabilities, write_features, write_model

from gates.errors import GatesError, UsageError
from gates.inputs.scorer import Asked, NotAProbability, ScorerFailed, ScoreRun, score

pytestmark = pytest.mark.usefixtures("scored_here")


def scored(tmp_path: Path, source: str, **given: object) -> tuple[ScoreRun, pa.Table]:
    rows = given.pop("rows", 50)
    assert isinstance(rows, int)
    features = write_features(tmp_path / "features.parquet", rows, **given)
    out = tmp_path / "out.parquet"
    run = score(write_model(tmp_path / "model", source), features, out, asked=Asked("binary"), timeout_s=30)
    return run, pq.read_table(out)


@pytest.mark.usefixtures("own_process")
def test_scores_come_back_in_the_order_of_the_rows(tmp_path: Path) -> None:
    run, table = scored(tmp_path, probabilities("X['a']"))
    assert (run.rows, run.columns) == (50, ("p",))
    assert table.schema.names == ["row_id", "p"]
    assert table.column("row_id").to_pylist() == [7 * row for row in range(50)]
    np.testing.assert_array_equal(table.column("p").to_numpy(), (np.arange(50) + 0.5) / 50)


@pytest.mark.usefixtures("own_process")
def test_an_interpreter_named_by_a_roundabout_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The folder that the path goes through is not in the model's room.
    for name in ("executable", "prefix"):
        path = Path(getattr(sys, name))
        monkeypatch.setattr(sys, name, str(tmp_path / Path(*[".."] * (len(tmp_path.parts) - 1)) / str(path)[1:]))
    run, _ = scored(tmp_path, probabilities("X['a']"))
    assert run.rows == 50


def test_the_model_sees_the_columns_of_its_signature_in_their_order(tmp_path: Path) -> None:
    inputs = [{"name": "zebra", "type": "double"}, {"name": "a", "type": "double"}]
    source = probabilities("(list(X.columns) == ['zebra', 'a']) * .5 + X['zebra'] * .25")
    model = write_model(tmp_path / "model", source)
    with (model / "MLmodel").open("a") as file:
        file.write(f"signature: {{inputs: '{json.dumps(inputs)}'}}\n")
    features = write_features(tmp_path / "f.parquet", 4, zebra=np.full(4, 0.5), other=["x", "y", "é", None])
    score(model, features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=30)
    assert pq.read_table(tmp_path / "out.parquet").column("p").to_pylist() == [0.625] * 4


def test_a_feature_that_the_signature_names_and_the_table_lacks_is_named(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", probabilities("X['a']"))
    with (model / "MLmodel").open("a") as file:
        file.write("""signature: {inputs: '[{"name": "windspeed", "type": "double"}]'}\n""")
    features = write_features(tmp_path / "f.parquet")
    with pytest.raises(ScorerFailed, match="the features lack windspeed"):
        score(model, features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=30)


@pytest.mark.parametrize("shape", ["(None, sets[:, :, None])", "sets"])
def test_prediction_sets_become_two_columns(tmp_path: Path, shape: str) -> None:
    source = (
        probabilities("X['a']")
        + f"""
    def predict_set(self, X):
        sets = np.column_stack([X['a'] < .6, X['a'] > .4])
        return {shape}
"""
    )
    run, table = scored(tmp_path, source)
    assert run.columns == ("p", "set_0", "set_1")
    a = (np.arange(50) + 0.5) / 50
    assert table.column("set_0").to_pylist() == (a < 0.6).tolist()
    assert table.column("set_1").to_pylist() == (a > 0.4).tolist()


def test_nan_is_passed_on(tmp_path: Path) -> None:
    _, table = scored(tmp_path, probabilities("np.where(X['a'] < .5, np.nan, X['a'])"))
    p = table.column("p")
    assert p.null_count == 0
    assert int(np.isnan(p.to_numpy()).sum()) == 25


@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_and_one_row(tmp_path: Path, rows: int) -> None:
    run, table = scored(tmp_path, probabilities("X['a']"), rows=rows)
    assert (run.rows, table.num_rows) == (rows, rows)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("X['a'] > .5", "only 0 and 1"),
        ("X['a'] * 0", "only 0 and 1"),
        ("X['a'] * 2", "outside"),
        ("X['a'] - 1", "outside"),
        ("X['a'] * 1e308 * 10", "outside"),
        ("X['a'] - np.inf", "outside"),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path, expression: str, said: str) -> None:
    with pytest.raises(NotAProbability, match=said) as caught:
        scored(tmp_path, probabilities(expression))
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def predict_proba(self, X): return np.full((len(X) - 1, 2), .5)", "answered 49 rows to 50"),
        ("def predict_proba(self, X): return np.full((len(X) + 1, 2), .5)", "answered 51 rows to 50"),
        ("def predict_proba(self, X): return np.full((len(X), 3), .3)", "3 classes"),
        ("def predict_proba(self, X): return np.full((len(X), 2, 2), .3)", "one score a row"),
        ("def predict_proba(self, X): return .5", "one score a row"),
        ("def predict_proba(self, X): return ['high'] * len(X)", "ValueError"),
        ("def predict_proba(self, X): return None", "Error"),
        ("def predict(self, X): return np.full(len(X), .5)", "Model has no predict_proba"),
        ("def predict_proba(self, X): raise RuntimeError('no such\\nthing')", "RuntimeError: no such thing"),
        ("def predict_proba(self, X): import no_such_module", "No module named 'no_such_module'"),
        ("def __init__(self): raise RuntimeError('at load')", "at load"),
    ],
)
def test_a_model_that_does_not_answer_its_rows_fails(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(ScorerFailed, match=said) as caught:
        scored(tmp_path, f"class Model:\n    {body}\n")
    assert (caught.value.exit_code, caught.value.code) == (4, "scorer.failed")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.usefixtures("own_process")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no such\\nthing')", "ended with code 3: RuntimeError: no such thing"),
        ("raise SystemExit(0)", "wrote 0 bytes"),
        ("import os; os._exit(0)", "wrote 0 bytes"),
        ("import ctypes; ctypes.string_at(0)", "code 139"),
        ("return np.empty(10**14)", "MemoryError"),
    ],
)
def test_a_model_that_ends_its_process_fails(tmp_path: Path, body: str, said: str) -> None:
    test_a_model_that_does_not_answer_its_rows_fails(tmp_path, f"def predict_proba(self, X): {body}", said)


def test_sets_of_another_shape_fail(tmp_path: Path) -> None:
    with pytest.raises(ScorerFailed, match=r"predict_set answered an array of shape \(50,\)"):
        scored(tmp_path, probabilities("X['a']") + "    def predict_set(self, X): return X['a'] > .5\n")


def test_an_error_does_not_repeat_the_rows(tmp_path: Path) -> None:
    names = ["Ann Smith-Jones"] * 50
    body = "raise ValueError(f'could not convert string to float: {X.name[0]!r} with {X.a[3]} at 3.25 from 7')"
    with pytest.raises(ScorerFailed) as caught:
        scored(tmp_path, f"class Model:\n    def predict_proba(self, X): {body}\n", name=names)
    assert "could not convert string to float: '***' with *** at 3.25 from 7" in str(caught.value)
    assert "Smith" not in str(caught.value)


@pytest.mark.usefixtures("own_process")
def test_a_process_that_writes_scores_of_its_own_is_cut_off(tmp_path: Path) -> None:
    body = "import os, sys; os.write(int(sys.argv[2]), b'x' * 10**6); os._exit(0)"
    with pytest.raises(ScorerFailed, match="not the scores of 50 rows"):
        scored(tmp_path, f"class Model:\n    def predict_proba(self, X): {body}\n")


@pytest.mark.usefixtures("own_process")
def test_row_ids_that_do_not_come_back_fail(tmp_path: Path) -> None:
    header = "np.array([50, 1, 0, 0, 0]).tobytes()"
    body = f"import os, sys; os.write(int(sys.argv[2]), {header} + np.full(100, .5).tobytes()); os._exit(0)"
    with pytest.raises(ScorerFailed, match="row ids"):
        scored(tmp_path, f"class Model:\n    def predict_proba(self, X): {body}\n")


@pytest.mark.parametrize("damage", ["vanished", "no column", "null", "text", "not parquet"])
def test_a_table_without_row_ids_is_a_usage_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "f.parquet"
    columns = {"no column": {"a": [1.0]}, "null": {"row_id": [1, None]}, "text": {"row_id": ["x"]}}
    if damage in columns:
        pq.write_table(pa.table(columns[damage]), path)
    elif damage == "not parquet":
        path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(UsageError) as caught:
        score(tmp_path, path, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=5)
    assert caught.value.code == "scorer.features"


def test_several_classes_without_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GatesError) as caught:
        score(tmp_path, tmp_path, tmp_path / "out.parquet", asked=Asked("multiclass"), timeout_s=5)
    assert (caught.value.exit_code, caught.value.code) == (2, "classes.none")


@pytest.mark.parametrize("mlmodel", [None, "", "- a list", "{", "flavors: {sklearn: {serialization_format: pickle}}"])
def test_a_folder_that_is_no_model_fails(tmp_path: Path, mlmodel: str | None) -> None:
    model = tmp_path / "model"
    model.mkdir()
    if mlmodel is not None:
        (model / "MLmodel").write_text(mlmodel)
    features = write_features(tmp_path / "f.parquet")
    with pytest.raises(ScorerFailed):
        score(model, features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=30)


def test_a_model_folder_that_is_not_there(tmp_path: Path) -> None:
    features = write_features(tmp_path / "f.parquet")
    with pytest.raises(UsageError, match="no such model folder"):
        score(tmp_path / "no", features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=30)
