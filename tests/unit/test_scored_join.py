"""Labels beside scores: every row has exactly one partner, and what cannot be judged is a Reason or a usage error."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_world import World, plan

from gates.errors import UsageError
from gates.inputs.tables import Tables
from gates.measure.interface import Scored
from gates.measure.scored import scored_by_tables
from gates.records import Reason, Table


def test_predictions_alone(world: World) -> None:
    world.add("predictions", {"y": [0, 1, 1], "p": [0.1, 0.5, 1.0], "old": [0.2, 0.2, 0.2], "c": ["a", None, "ü"]})
    scored = world.scored(plan(champion_score="old", cluster="c", slices=("c", "y")))
    assert isinstance(scored, Scored)
    assert (scored.rows, scored.champion, bool(scored.levels), scored.clustered, scored.predictions) == (
        3,
        True,
        False,
        True,
        "supplied",
    )
    assert scored.table.to_pyarrow().to_pylist() == [
        {"y": 0.0, "p": 0.1, "q": 0.2, "cluster": "a", "slice_0": "a", "slice_1": "0"},
        {"y": 1.0, "p": 0.5, "q": 0.2, "cluster": "(null)", "slice_0": "(null)", "slice_1": "1"},
        {"y": 1.0, "p": 1.0, "q": 0.2, "cluster": "ü", "slice_0": "ü", "slice_1": "1"},
    ]


def test_groups_stand_beside_slices(world: World) -> None:
    world.add("predictions", {"y": [0, 1], "p": [0.1, 0.5], "sex": ["f", None], "age": [40, 50]})
    scored = world.scored(plan(groups=("sex", "age"), slices=("age",)))
    assert isinstance(scored, Scored)
    assert scored.table.to_pyarrow().to_pylist() == [
        {"y": 0.0, "p": 0.1, "slice_0": "40", "group_0": "f", "group_1": "40"},
        {"y": 1.0, "p": 0.5, "slice_0": "50", "group_0": "(null)", "group_1": "50"},
    ]
    with pytest.raises(UsageError, match="seks"):
        world.scored(plan(groups=("seks",)))


def test_holdout_predictions_and_champion_meet_by_a_key_of_two_columns(world: World) -> None:
    rng = np.random.default_rng(5)
    n = 500
    holdout = pd.DataFrame({"day": np.arange(n) // 10, "id": np.arange(n) % 10, "y": rng.integers(0, 2, n)})
    scores = holdout[["day", "id"]].assign(p=rng.random(n), y=1)
    old = holdout[["day", "id"]].assign(p=rng.random(n))
    world.add("holdout", holdout).add("predictions", scores.sample(frac=1, random_state=1))
    world.add("champion_predictions", old.sample(frac=1, random_state=2))
    found = world.frame(plan(key=("day", "id"), slices=("day", "id")))
    found = found.sort_values(["slice_0", "slice_1"], key=lambda column: column.astype(int))
    assert found["y"].tolist() == holdout["y"].tolist()
    assert found["p"].tolist() == scores["p"].tolist()
    assert found["q"].tolist() == old["p"].tolist()


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        ([1, 2, 2], [1, 2, 3], Reason.KEYS_NOT_UNIQUE),
        ([1, 2, 3], [1, 2, 2], Reason.KEYS_NOT_UNIQUE),
        ([1, 2, 3], [1, 2, 4], Reason.ROWS_UNPAIRED),
        ([1, 2, 3], [1, 2], Reason.ROWS_UNPAIRED),
        ([1, 2], [1, 2, 3], Reason.ROWS_UNPAIRED),
        ([1, 2, None], [1, 2, None], Reason.ROWS_UNPAIRED),
        ([1, None, None], [1, 2, 3], Reason.KEYS_NOT_UNIQUE),
        ([1, 2, 3], [], Reason.ROWS_UNPAIRED),
    ],
)
def test_rows_without_exactly_one_partner_are_a_reason(
    world: World, left: list[Any], right: list[Any], reason: Reason
) -> None:
    world.add("holdout", {"k": pd.array(left, dtype="Int64"), "y": [0, 1, 0][: len(left)]})
    world.add("predictions", {"k": pd.array(right, dtype="Int64"), "p": [0.1, 0.2, 0.3][: len(right)]})
    assert world.scored(plan(key=("k",))) is reason


def test_keys_of_another_type_are_told(world: World) -> None:
    world.add("holdout", {"k": ["1", "2"], "y": [0, 1]}).add("predictions", {"k": [1, 2], "p": [0.1, 0.2]})
    with pytest.raises(UsageError, match="a key is of type int64 here and string in") as caught:
        world.scored(plan(key=("k",)))
    assert caught.value.code == "key.kind"


@pytest.mark.parametrize(
    ("labels", "scores", "reason"),
    [
        ([], [], Reason.EMPTY_TABLE),
        ([0, 1, None], [0.1, 0.2, 0.3], Reason.NULL_LABELS),
        ([0, 1, math.nan], [0.1, 0.2, 0.3], Reason.NULL_LABELS),
        ([None, None], [0.1, 0.2], Reason.NULL_LABELS),
        ([0, 1, 1], [0.1, math.nan, 0.3], Reason.NAN_SCORES),
        ([0, 1, 1], [0.1, None, 0.3], Reason.NAN_SCORES),
        ([0, 1, 1], [math.nan] * 3, Reason.NAN_SCORES),
        ([0, 1, None], [0.1, None, 0.3], Reason.NULL_LABELS),
    ],
)
def test_what_the_data_lack_is_a_reason(world: World, labels: list[Any], scores: list[Any], reason: Reason) -> None:
    world.add("predictions", {"y": pd.Series(labels, dtype=float), "p": pd.Series(scores, dtype=float)})
    assert world.scored(plan()) is reason


@pytest.mark.parametrize("role", ["predictions", "champion_predictions"])
def test_one_nan_in_parquet_is_seen(tables: Tables, tmp_path: Path, role: str) -> None:
    """The file's own statistics say that there is none."""
    opened = {}
    for name in ("predictions", "champion_predictions"):
        scores = [0.1, math.nan if name == role else 0.3, 0.2, 0.9]
        columns = {"k": range(4), "y": [0, 1, 1, 0], "p": pa.array(scores, from_pandas=False)}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
        opened[name] = tables.open(Table(role=name, uri=f"{name}.parquet"), base=tmp_path)
    assert scored_by_tables(tables, plan(key=("k",)), opened) is Reason.NAN_SCORES


def test_an_empty_csv_has_no_types_and_is_empty(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,p\n", encoding="utf-8")
    opened = {"predictions": tables.open(Table(role="predictions", uri="a.csv"), base=tmp_path)}
    assert scored_by_tables(tables, plan(), opened) is Reason.EMPTY_TABLE


def test_a_real_nan_in_the_file_is_seen_as_one(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,p\n0,0.1\n1,NaN\n", encoding="utf-8")
    opened = {"predictions": tables.open(Table(role="predictions", uri="a.csv"), base=tmp_path)}
    assert scored_by_tables(tables, plan(), opened) is Reason.NAN_SCORES


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([True, False], [1, 0]),
        ([1.0, 0.0], [1, 0]),
        (["yes", "no"], [1, 0]),
        (["True", "False"], [1, 0]),
        (["1", "0"], [1, 0]),
        (["NEG", "POS"], [0, 1]),
        (["yes", "yes"], [1, 1]),
        ([0, 0], [0, 0]),
        (np.array([1, 0], dtype="uint8"), [1, 0]),
    ],
)
def test_labels_become_0_and_1_and_one_class_is_a_table_still(world: World, labels: Any, expected: list[int]) -> None:
    world.add("predictions", {"y": labels, "p": [0.5, 0.25]})
    assert world.frame(plan())["y"].tolist() == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 2], "neither 0 nor 1 in 1 of 2 rows"),
        ([0.5, 1], "neither 0 nor 1 in 1 of 2 rows"),
        ([-1, 1], "neither 0 nor 1 in 1 of 2 rows"),
        ([math.inf, 1], "neither 0 nor 1 in 1 of 2 rows"),
        (["churned", "retained"], 'values such as "churned", "retained"'),
        (["yes", "maybe"], "values such as"),
        (["yes", "YES"], "neither 0 nor 1"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "is of type timestamp"),
    ],
)
def test_other_labels_are_refused(world: World, labels: Any, message: str) -> None:
    world.add("predictions", {"y": labels, "p": [0.5, 0.25]})
    with pytest.raises(UsageError, match=message) as caught:
        world.scored(plan())
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("scores", "code"),
    [
        ([0.5, 1.0000001], "score.outside"),
        ([-1e-300, 0.5], "score.outside"),
        ([math.inf, 0.5], "score.outside"),
        ([math.nan, 7], "score.outside"),
        ([0.5, -math.inf], "score.outside"),
        ([1e308, 0.5], "score.outside"),
        ([0.0, 1.0], "score.classes"),
        ([0, 1], "score.classes"),
        ([True, False], "score.invalid"),
        (["0.5", "x"], "score.invalid"),
    ],
)
@pytest.mark.parametrize("whose", ["p", "old"])
def test_scores_that_are_no_probabilities_are_refused(world: World, scores: Any, code: str, whose: str) -> None:
    world.add("predictions", {"y": [0, 1], "p": [0.5, 0.25], "old": [0.5, 0.25], whose: scores})
    with pytest.raises(UsageError) as caught:
        world.scored(plan(champion_score="old"))
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert caught.value.remedy


def test_the_ends_and_small_floats_are_probabilities(world: World) -> None:
    world.add("predictions", {"y": [0, 1, 1], "p": np.array([0, 1, 0.5], dtype="float32")})
    assert world.frame(plan())["p"].tolist() == [0.0, 1.0, 0.5]


@pytest.mark.parametrize("field", ["label", "score", "champion_score", "cluster", "slices", "key"])
def test_an_unknown_column_names_the_nearest(world: World, field: str) -> None:
    world.add("holdout", {"kunde": [1, 2], "y": [0, 1]}).add("predictions", {"kunde": [1, 2], "p": [0.5, 0.25]})
    wrong: Any = ("kude",) if field in {"slices", "key"} else "kude"
    with pytest.raises(UsageError, match='no column "kude"; did you mean "kunde"'):
        world.scored(plan(**{"key": ("kunde",), field: wrong}))


def test_sets_become_coverage_and_an_unknown_member_is_none(world: World) -> None:
    world.add(
        "predictions",
        {
            "y": [0, 1, 0, 1, 1],
            "p": [0.5] * 5,
            "a": pd.array([True, True, False, False, True], dtype="boolean"),
            "b": pd.array([False, False, True, True, None], dtype="boolean"),
        },
    )
    found = world.frame(plan(set_columns=("a", "b")))
    assert found["covered_0"].tolist() == [True, False, False, True, False]
    assert found["width_0"].tolist() == [1, 1, 1, 1, 1]


def test_a_champion_without_a_key_is_paired_by_position_only_with_equal_labels(world: World) -> None:
    world.add("predictions", {"y": [0, 1, 1], "p": [0.1, 0.2, 0.3]})
    world.add("champion_predictions", {"y": [0, 1, 1], "p": [0.4, 0.5, 0.6]})
    found = world.frame(plan())
    assert found[["y", "p", "q"]].values.tolist() == [[0, 0.1, 0.4], [1, 0.2, 0.5], [1, 0.3, 0.6]]
    assert list(found.columns) == ["y", "p", "q"]
    world.add("champion_predictions", {"y": [1, 0, 1], "p": [0.4, 0.5, 0.6]})
    assert world.scored(plan()) is Reason.ROWS_UNPAIRED
    world.add("champion_predictions", {"y": [0, 1], "p": [0.4, 0.5]})
    assert world.scored(plan()) is Reason.ROWS_UNPAIRED
    world.add("champion_predictions", {"p": [0.4, 0.5, 0.6]})
    with pytest.raises(UsageError, match="no key"):
        world.scored(plan())


def test_a_holdout_is_never_paired_by_position(world: World) -> None:
    world.add("holdout", {"y": [0, 1]}).add("predictions", {"p": [0.1, 0.2]})
    with pytest.raises(UsageError, match="no key says which rows belong together"):
        world.scored(plan())


def test_nothing_to_score_is_a_reason(world: World) -> None:
    world.add("holdout", {"y": [0, 1]})
    assert world.scored(plan()) is Reason.NOT_PROVIDED
    world.add("predictions", {"y": [0, 1], "p": [0.5, 0.25]})
    assert world.scored(plan(score=None)) is Reason.NOT_PROVIDED
    assert world.scored(plan(task="multiclass")) is Reason.NOT_PROVIDED


def test_column_names_are_never_sql(world: World) -> None:
    label, score, key = 'y"; DROP TABLE x; --', "p'ü", "k0"
    world.add("holdout", {key: [1, 2], label: [0, 1], "q": ["s", "t"]}).add(
        "predictions", {key: [2, 1], score: [0.5, 0.25]}
    )
    found = world.frame(plan(label=label, score=score, key=(key,), slices=("q",)))
    assert sorted(found[["y", "p", "slice_0"]].values.tolist()) == [[0, 0.25, "s"], [1, 0.5, "t"]]
