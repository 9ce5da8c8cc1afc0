"""What models of several classes and of numbers may answer, and an answer that lies about its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scorer_models import write_features, write_model

from gates.inputs import sandbox, scorer
from gates.inputs.scorer import Asked, ScorerFailed, ScoreRun, score

pytestmark = pytest.mark.usefixtures("scored_here")

A = (np.arange(50) + 0.5) / 50
THREE = """
class Model:
    def predict_proba(self, X):
        a = np.asarray(X['a'])
        return np.column_stack([a / 2, (1 - a) / 2, np.full(len(a), .5)])
"""
NUMBER = """
class Model:
    def predict(self, X):
        return 100 * np.asarray(X['a'])
"""


def scored(tmp_path: Path, source: str, task: Any, **asked: Any) -> tuple[ScoreRun, pa.Table]:
    features = write_features(tmp_path / "features.parquet", asked.pop("rows", 50))
    out = tmp_path / "out.parquet"
    run = score(write_model(tmp_path / "model", source), features, out, asked=Asked(task, **asked), timeout_s=30)
    return run, pq.read_table(out)


def several(tmp_path: Path, source: str, **asked: Any) -> tuple[ScoreRun, pa.Table]:
    return scored(tmp_path, source, "multiclass", **{"classes": ("x", "y", "z"), **asked})


def test_classes_that_the_model_does_not_name_stand_in_the_plans_order(tmp_path: Path) -> None:
    run, table = several(tmp_path, THREE)
    assert run.columns == ("p_0", "p_1", "p_2")
    np.testing.assert_array_equal(table.column("p_0").to_numpy(), A / 2)
    np.testing.assert_array_equal(table.column("p_1").to_numpy(), (1 - A) / 2)


@pytest.mark.parametrize(
    ("named", "asked", "order"),
    [
        ("['z', 'x', 'y']", ("x", "y", "z"), (1, 2, 0)),
        ("np.array([2, 0, 1])", ("0", "1", "2"), (1, 2, 0)),
        ("[2.0, 0.0, 1.5]", ("0", "1.50", "2"), (1, 2, 0)),
        ("[0, 1, 2]", ("x", "y", "z"), (0, 1, 2)),  # codes of an encoder: the order is all there is
        ("['x', 'x', 'y']", ("x", "y", "z"), (0, 1, 2)),
    ],
)
def test_classes_that_the_model_names_are_believed(
    tmp_path: Path, named: str, asked: tuple[str, ...], order: tuple[int, ...]
) -> None:
    sets = """
    def predict_set(self, X):
        a = np.asarray(X['a'])
        return None, np.stack([a < .2, a < .4, a < .6], axis=1)[:, :, None]
"""
    _, table = several(tmp_path, THREE + sets + f"    classes_ = {named}\n", classes=asked)
    scores, cuts = (A / 2, (1 - A) / 2, np.full(50, 0.5)), (0.2, 0.4, 0.6)
    for place, column in enumerate(order):
        np.testing.assert_array_equal(table.column(f"p_{place}").to_numpy(), scores[column])
        np.testing.assert_array_equal(table.column(f"set_{place}").to_numpy(), cuts[column] > A)


@pytest.mark.parametrize(("declared", "there"), [("[.8, .9]", True), ("[.8, .95]", False), (".9", None)])
def test_sets_of_several_levels(tmp_path: Path, declared: str, there: bool | None) -> None:
    source = f"""{THREE}
    confidence_level = {declared}
    def predict_set(self, X):
        a = np.asarray(X['a'])
        return None, np.stack([np.stack([a < cut] * 3, axis=1) for cut in (.3, .7)], axis=2)
"""
    if there is None:
        with pytest.raises(ScorerFailed, match="2 levels were answered, and 1 are declared"):
            several(tmp_path, source)
        return
    run, table = several(tmp_path, source)
    assert ("set_0" in run.columns) == there
    if there:
        np.testing.assert_array_equal(table.column("set_2").to_numpy(), A < 0.7)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "    def predict_proba(self, X): return np.full((len(X), 2), .5)",
            r"3 probabilities a row are wanted.*\(50, 2\)",
        ),
        ("    def predict_proba(self, X): return np.full(len(X), .5)", r"3 probabilities a row are wanted.*\(50,\)"),
        ("    def predict(self, X): return np.full((len(X), 3), .3)", "Model has no predict_proba"),
        (
            f"{THREE.partition('Model:')[2]}\n    def predict_set(self, X): return np.ones((len(X), 2), bool)",
            r"shape \(50, 2\), not \(50, 3\)",
        ),
    ],
)
def test_several_classes_of_another_shape_fail(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(ScorerFailed, match=said):
        several(tmp_path, f"class Model:\n{source}\n")


def test_a_number_a_row_and_nothing_more(tmp_path: Path) -> None:
    run, table = scored(tmp_path, NUMBER, "numeric")
    assert run.columns == ("p",)
    np.testing.assert_array_equal(table.column("p").to_numpy(), 100 * A)


def test_numbers_may_be_anything(tmp_path: Path) -> None:
    source = "class Model:\n    def predict(self, X): return np.where(X['a'] < .5, np.nan, -np.inf)\n"
    _, table = scored(tmp_path, source, "numeric")
    p = table.column("p").to_numpy()
    assert (int(np.isnan(p).sum()), int(np.isinf(p).sum()), table.column("p").null_count) == (25, 25, 0)


@pytest.mark.parametrize(
    ("body", "declared", "columns"),
    [
        ("return p, np.stack([p - 1, p + 2], axis=1)[:, :, None]", "", ("0.9",)),
        ("return np.stack([p - 1, p + 2], axis=1)", "", ("0.9",)),
        ("return p, np.stack([p - 1, p + 2], axis=1)", "confidence_level = .8", ("0.8",)),
        (
            "return p, np.stack([[p - 1, p + 2], [p - 3, p + 4]]).transpose(2, 1, 0)",
            "_alphas = [.1, .2]",
            ("0.9", "0.8"),
        ),
    ],
)
def test_intervals_are_of_the_levels_that_the_model_declares(
    tmp_path: Path, body: str, declared: str, columns: tuple[str, ...]
) -> None:
    source = (
        f"{NUMBER}\n    {declared}\n    def predict_interval(self, X):\n        p = self.predict(X)\n        {body}\n"
    )
    run, table = scored(tmp_path, source, "numeric")
    assert run.columns == ("p", *(f"{end}_{level}" for level in columns for end in ("lower", "upper")))
    for level, (below, above) in zip(columns, ((1, 2), (3, 4)), strict=False):
        np.testing.assert_allclose(table.column(f"lower_{level}").to_numpy(), 100 * A - below)
        np.testing.assert_allclose(table.column(f"upper_{level}").to_numpy(), 100 * A + above)


def test_quantiles_are_asked_at_the_specs_levels(tmp_path: Path) -> None:
    source = NUMBER + "\n    def predict_quantiles(self, X, levels): return np.outer(np.ones(len(X)), levels)\n"
    run, table = scored(tmp_path, source, "numeric", quantiles=(0.25, 0.5))
    assert run.columns == ("p", "quantile_0.25", "quantile_0.5")
    assert set(table.column("quantile_0.25").to_pylist()) == {0.25}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def predict_interval(self, X): return np.zeros((len(X), 3))", r"shape \(50, 3, 1\), not \(50, 2, levels\)"),
        ("def predict_interval(self, X): return np.zeros((len(X) - 1, 2))", "not .50, 2, levels"),
        (
            "def predict_interval(self, X): return np.zeros((len(X), 2, 2))",
            "2 levels were answered, and 0 are declared",
        ),
        ("def predict_interval(self, X): return np.zeros((len(X), 2))\n    confidence_level = 1.5", "no levels"),
        ("def predict_interval(self, X): return np.zeros((len(X), 2, 2))\n    confidence_level = [.9, .9]", "twice"),
        (
            "def predict_interval(self, X): return np.zeros((len(X), 2, 40))\n    confidence_level = np.arange(40) / 41",
            "bytes",
        ),
        ("def predict_quantiles(self, X, levels): return np.zeros(len(X))", r"shape \(50,\), not \(50, 1\)"),
    ],
)
def test_intervals_of_another_form_fail(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(ScorerFailed, match=said):
        scored(tmp_path, f"{NUMBER}\n    {body}\n", "numeric", quantiles=(0.5,))


@pytest.mark.parametrize(
    "header",
    [
        [50, 1, 0, 0, 3],
        [50, 1, -1, 0, 0],
        [50, 1, 2**60, 0, 0],
        [50, 2, 0, 0, 0],
        [49, 1, 0, 0, 0],
        [50, 0, 0, 0, 0],
        [-1, 1, 0, 0, 0],
        [50, 1, 0, 1, 0],
        [50],
    ],
)
def test_a_header_is_not_believed(header: list[int]) -> None:
    """Whatever stands in it, the answer has the size of what was asked, or it is none."""
    with pytest.raises(ScorerFailed, match=r"wrote \d+ bytes, not the scores of 50 rows"):
        scorer._read(np.array(header).tobytes() + bytes(800), np.arange(50), Asked("numeric"))


@pytest.mark.usefixtures("own_process")
def test_a_header_that_the_model_writes_itself(tmp_path: Path) -> None:
    body = "import os, sys; os.write(int(sys.argv[2]), np.array([50, 2, 0, 0, 0]).tobytes() + bytes(800)); os._exit(0)"
    with pytest.raises(ScorerFailed, match=r"wrote 840 bytes, not the scores of 50 rows"):
        scored(tmp_path, f"class Model:\n    def predict(self, X): {body}\n", "numeric")


def test_a_process_gives_what_this_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores, intervals of two levels and quantiles; and sets."""
    number = f"""{NUMBER}
    confidence_level = [.8, .9]
    def predict_interval(self, X): return np.stack([[X['a'], X['a'] + 1], [X['a'] - 1, X['a'] + 2]]).transpose(2, 1, 0)
    def predict_quantiles(self, X, levels): return np.outer(np.asarray(X['a']), levels)
"""
    several_sets = f"{THREE}\n    def predict_set(self, X): return self.predict_proba(X) > .3\n"

    def both(where: str) -> list[pa.Table]:
        for name in ("number", "classes"):
            (tmp_path / where / name).mkdir(parents=True)
        asked = {"classes": ("x", "y", "z")}
        return [
            scored(tmp_path / where / "number", number, "numeric", quantiles=(0.25, 0.5))[1],
            scored(tmp_path / where / "classes", several_sets, "multiclass", **asked)[1],
        ]

    ours = both("here")
    monkeypatch.setattr(scorer, "run", sandbox.run)
    assert both("there") == ours
    assert [len(table.column_names) for table in ours] == [8, 7]
