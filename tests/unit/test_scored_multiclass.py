"""Labels and probabilities of several classes: matched by name, checked row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan

from gates.errors import UsageError
from gates.measure.interface import Scored
from gates.records import Reason

CLASSES = ("red", "grün", "../blue")
ROWS = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.8, 0.1]]


def several(**columns: Any) -> Any:
    given = {"classes": CLASSES, "class_scores": ("a", "b", "c"), "score": None, **columns}
    return plan(task="multiclass", **given)


def frame(y: Any, rows: Any = ROWS, **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"y": y, **dict(zip("abc", np.array(rows, dtype=float).T, strict=True)), **more})


def test_labels_are_places_and_scores_are_in_the_order_of_the_classes(world: World) -> None:
    world.add("predictions", frame(["../blue", "red", "grün"]))
    scored = world.scored(several())
    assert isinstance(scored, Scored)
    assert (scored.task, scored.classes, scored.rows, scored.champion) == ("multiclass", CLASSES, 3, False)
    assert (scored.levels, scored.scale, scored.quantiles) == ((), 1.0, ())
    assert scored.table.schema()["y"].is_int64()
    found = scored.table.to_pandas()
    assert found["y"].tolist() == [2, 0, 1]
    assert found[["p_0", "p_1", "p_2"]].to_numpy().tolist() == ROWS


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([7, -1, 0], ("-1", "0", "7")),
        ([7.0, -1.0, 0.0], ("-1", "0", "7")),
        (np.array([7, 0, 1], dtype="uint8"), ("0", "1.0", "7")),
        ([2**60 + 1, 2**60, 5], (str(2**60), str(2**60 + 2), str(2**60 + 1))),
        ([0.5, 0.25, 1.5], ("0.25", "1.5", "0.5")),
    ],
)
def test_labels_that_are_numbers_are_matched_as_numbers(world: World, labels: Any, classes: tuple[str, ...]) -> None:
    values = [float(each) if "." in each else int(each) for each in classes]
    if set(labels) - set(values):  # near 2^60 two whole numbers are one double
        with pytest.raises(UsageError, match="are no class, such as"):
            world.add("predictions", frame(labels)).scored(several(classes=classes))
        return
    world.add("predictions", frame(labels))
    assert world.frame(several(classes=classes))["y"].tolist() == [values.index(each) for each in labels]


def test_truth_values_are_classes_too(world: World) -> None:
    scores = pd.DataFrame({"y": [True, False], "a": [0.5, 0.5], "b": [0.5, 0.5]})
    world.add("predictions", scores)
    found = world.frame(several(classes=("False", "true"), class_scores=("a", "b")))
    assert found["y"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "rows", "reason"),
    [
        (["red", None, "red"], ROWS, Reason.NULL_LABELS),
        ([None, None, None], ROWS, Reason.NULL_LABELS),
        (["red"] * 3, [*ROWS[:2], [math.nan, 0.5, 0.5]], Reason.NAN_SCORES),
        (["red"] * 3, [[math.nan] * 3] * 3, Reason.NAN_SCORES),
        (["red"] * 3, [*ROWS[:2], [math.inf, -math.inf, 1]], Reason.NAN_SCORES),
    ],
)
def test_what_the_data_lack_is_a_reason(world: World, labels: Any, rows: Any, reason: Reason) -> None:
    world.add("predictions", frame(pd.array(labels, dtype="string"), rows))
    assert world.scored(several()) is reason


def test_an_empty_table_is_a_reason(world: World) -> None:
    world.add("predictions", frame(["red"] * 3).iloc[:0])
    assert world.scored(several()) is Reason.EMPTY_TABLE


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ([0.5, 0.5, 0.1], "score.sum"),
        ([0.5, 0.5 - 2e-6, 0.0], "score.sum"),
        ([0.0, 0.0, 0.0], "score.sum"),
        ([1.5, -0.5, 0.0], "score.outside"),
        ([1 + 1e-9, 0.0, 0.0], "score.outside"),
        ([math.inf, 0.0, 0.0], "score.outside"),
        ([1e308, 0.0, 0.0], "score.outside"),
    ],
)
@pytest.mark.parametrize("whose", ["candidate's", "champion's"])
def test_rows_that_are_no_distribution_are_refused(world: World, row: list[float], code: str, whose: str) -> None:
    good, bad = np.array(ROWS), np.array([*ROWS[:2], row])
    mine, theirs = (bad, good) if whose == "candidate's" else (good, bad)
    more = dict(zip(("qa", "qb", "qc"), theirs.T, strict=True))
    world.add("predictions", frame(["red"] * 3, mine, **more))
    with pytest.raises(UsageError, match=whose) as caught:
        world.scored(several(champion_class_scores=("qa", "qb", "qc")))
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_a_sum_within_the_tolerance_is_one(world: World) -> None:
    rows = [*ROWS[:2], [0.5, 0.3, 0.2 - 9e-7]]
    assert world.add("predictions", frame(["red"] * 3, rows)).frame(several())["p_2"].tolist()[2] == 0.2 - 9e-7


def test_predicted_classes_are_no_probabilities(world: World) -> None:
    world.add("predictions", frame(["red"] * 3, np.eye(3)))
    with pytest.raises(UsageError, match="all 0 or 1") as caught:
        world.scored(several())
    assert caught.value.code == "score.classes"


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (["red", "grun", "x"], CLASSES, r'no class, such as "aaaa", "a".*did you mean "grün"'),
        (["red", "RED", "red"], CLASSES, 'such as "AAA"'),
        ([0, 1, 5], ("0", "1", "2"), 'no class, such as "9"'),
        ([0, 1, 2], CLASSES, "is of type int64, and the classes are red, grün"),
        ([0, 1, 2], ("1", "1.0", "2"), "two classes are the same number"),
        ([0.5, 1, 2], ("0", "1", "2"), 'such as "9.9"'),
        (pd.to_datetime(["2020-01-01"] * 3), CLASSES, "is of type timestamp"),
        (["red"] * 3, (), "no classes are named"),
        (["red"] * 3, ("red", "grün"), "3 score columns for 2 classes"),
    ],
)
def test_labels_that_are_no_class_are_refused(world: World, labels: Any, classes: Any, message: str) -> None:
    world.add("predictions", frame(labels))
    with pytest.raises(UsageError, match=message) as caught:
        world.scored(several(classes=classes, class_scores=("a", "b", "c")))
    assert caught.value.exit_code == 2


def test_sets_become_coverage_and_size_for_both(world: World) -> None:
    sets = {"s0": [1, 1, 0], "s1": [0, 1, 0], "s2": [0.0, 1.0, math.nan]}
    theirs = {"t0": [True] * 3, "t1": [True, False, True], "t2": [False] * 3}
    world.add("predictions", frame(["red", "grün", "../blue"], **sets, **theirs, qa=0.5, qb=0.25, qc=0.25))
    named = {"champion_class_scores": ("qa", "qb", "qc"), "champion_set_columns": ("t0", "t1", "t2")}
    scored = world.scored(several(set_columns=("s0", "s1", "s2"), **named))
    assert isinstance(scored, Scored)
    assert (scored.levels, scored.champion_levels, scored.champion) == ((0.9,), True, True)
    found = scored.table.to_pandas()
    assert found["covered_0"].tolist() == [True, True, False]
    assert found["width_0"].tolist() == [1.0, 3.0, 0.0]
    assert found["champion_width_0"].tolist() == [2.0, 1.0, 2.0]
    assert sorted(found.columns) == sorted(
        ["y", "p_0", "p_1", "p_2", "q_0", "q_1", "q_2", "covered_0", "width_0", "champion_width_0"]
    )


def test_holdout_predictions_and_champion_meet_by_key(world: World) -> None:
    rng = np.random.default_rng(11)
    n = 300
    labels = rng.choice(CLASSES, n)
    mine, theirs = rng.dirichlet(np.ones(3), n), rng.dirichlet(np.ones(3), n)
    key = pd.DataFrame({"k": np.arange(n)})
    world.add("holdout", key.assign(y=labels))
    world.add("predictions", pd.concat([key, frame(labels, mine).drop(columns="y")], axis=1).sample(frac=1))
    world.add("champion_predictions", pd.concat([key, frame(labels, theirs)], axis=1).sample(frac=1, random_state=2))
    found = world.frame(several(key=("k",), slices=("k",)))
    found = found.sort_values("slice_0", key=lambda values: values.astype(int))
    assert [CLASSES[place] for place in found["y"]] == labels.tolist()
    assert np.array_equal(found[["p_0", "p_1", "p_2"]], mine)
    assert np.array_equal(found[["q_0", "q_1", "q_2"]], theirs)


def test_a_champion_by_position_says_the_same_labels(world: World) -> None:
    world.add("predictions", frame(["red", "red", "grün"]))
    world.add("champion_predictions", frame(["red", "grün", "red"]))
    assert world.scored(several()) is Reason.ROWS_UNPAIRED
    world.add("champion_predictions", frame(pd.array(["red", None, "grün"], dtype="string")))
    assert world.scored(several()) is Reason.ROWS_UNPAIRED
    world.add("champion_predictions", frame(["red", "red", "grün"], ROWS[::-1]))
    assert world.frame(several())["q_0"].tolist() == [0.1, 1.0, 0.2]


def test_three_hundred_classes(world: World) -> None:
    k, n = 300, 50
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(k), n)
    names = tuple(f"c{i}" for i in range(k))
    world.add("predictions", pd.DataFrame(p, columns=list(names)).assign(y=[names[i] for i in range(n)]))
    scored = world.scored(several(classes=names, class_scores=names))
    assert isinstance(scored, Scored)
    assert scored.table.y.to_pyarrow().to_pylist() == list(range(n))
