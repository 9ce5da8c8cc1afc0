"""Label quality: who agrees, by which guideline, when the label came, and how frequent events are."""

from __future__ import annotations

from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
from data_world import START, answer, given, table, times
from sklearn.metrics import cohen_kappa_score

from gates.errors import UsageError
from gates.measure.data.annotators import alpha, kappa
from gates.measure.data.balance import class_balance
from gates.measure.data.guideline import guideline_versions
from gates.measure.data.maturity import immature_rows, label_delay
from gates.measure.stats.figure import LADDER
from gates.measure.stats.proportions import share_difference
from gates.records import Measurement, Reason

COLUMNS = {"label": "y", "key": ("id",), "annotator": "who", "guideline": "rules", "time": "at", "labelled": "came"}


def long(matrix: np.ndarray, **replaced: Any) -> pd.DataFrame:
    """Annotations of items (rows) by people (columns), shuffled; a NaN is no row."""
    frame = pd.DataFrame(matrix, columns=[f"p{i}" for i in range(matrix.shape[1])])
    told = frame.rename_axis("id").reset_index().melt("id", var_name="who", value_name="y").dropna()
    return told.sample(frac=1, random_state=3).assign(**replaced)


def people(raters: int, gaps: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(raters)
    truth = rng.integers(0, 3, 120)
    seen = np.where(rng.random((120, raters)) < 0.8, truth[:, None], rng.integers(0, 3, (120, raters))).astype(float)
    return np.where(rng.random(seen.shape) < gaps, np.nan, seen)


def one(found: Any) -> Measurement:
    (only,) = found
    assert isinstance(only, Measurement)
    return only


def annotated(frame: pd.DataFrame, task: str = "multiclass", **columns: Any) -> Any:
    return given(table("annotations", **frame), columns=COLUMNS | columns, task=task)


class TestAnnotators:
    def test_two_are_cohens(self) -> None:
        seen = people(2)
        found = one(kappa(annotated(long(seen).assign(y=lambda t: t.y.map(str)))))
        assert found.method == "cohen"
        assert found.estimate == pytest.approx(cohen_kappa_score(seen[:, 0], seen[:, 1]), abs=1e-12)
        assert found.bounds is not None
        assert found.bounds[0].lower < found.estimate < found.bounds[0].upper
        assert (found.n, found.scope) == (120, "sample")

    @pytest.mark.parametrize("gaps", [0.0, 0.5])
    def test_alpha_of_names_and_of_numbers(self, gaps: float) -> None:
        seen = people(4, gaps)
        nominal = one(alpha(annotated(long(seen))))
        assert nominal.estimate == pytest.approx(krippendorff.alpha(seen.T, level_of_measurement="nominal"), abs=1e-12)
        # so far from 0 and so large that squares would be lost
        interval = one(alpha(annotated(long(seen * 1e150 + 1e153), "numeric")))
        theirs = krippendorff.alpha(seen.T, level_of_measurement="interval")
        assert interval.estimate == pytest.approx(theirs, abs=1e-6)
        assert one(kappa(annotated(long(seen)))).method == "fleiss"

    def test_nobody_is_named(self) -> None:
        frame = long(people(3)).assign(who=lambda t: t.who + "@secret.example")
        assert "secret" not in one(kappa(annotated(frame))).model_dump_json()

    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (long(people(1)), Reason.ONE_ANNOTATION),
            (long(np.array([[1.0, np.nan], [np.nan, 2.0]])), Reason.ONE_ANNOTATION),
            (long(people(2), y=1.0), Reason.ONE_CLASS),
            (pd.concat([long(people(2))] * 2), Reason.KEYS_NOT_UNIQUE),
            (long(people(2)).drop(columns="who"), Reason.COLUMN_MISSING),
            (long(people(2)).iloc[:0], Reason.EMPTY_TABLE),
            (long(people(2), y=np.nan), Reason.ONE_ANNOTATION),
        ],
    )
    def test_what_shows_no_agreement(self, frame: pd.DataFrame, reason: Reason) -> None:
        assert answer(one(kappa(annotated(frame)))) is reason
        assert answer(one(alpha(annotated(frame)))) is reason
        assert answer(one(alpha(annotated(frame, "numeric")))) is reason
        assert answer(one(kappa(annotated(frame, "numeric")))) is Reason.NOT_PROVIDED

    def test_numbers_are_no_classes(self) -> None:
        frame = long(people(2)).assign(y=lambda t: np.arange(len(t)) / 7)
        with pytest.raises(UsageError, match="more than 100 different labels"):
            one(kappa(annotated(frame)))
        frame = long(people(2)).assign(y=lambda t: np.where(t.id == 3, np.inf, t.y))
        assert answer(one(alpha(annotated(frame, "numeric")))) is Reason.NULL_LABELS
        assert answer(one(alpha(annotated(frame, annotator=None)))) is Reason.NOT_PROVIDED


def versions(**tables: Any) -> dict[str, Any]:
    opened = [table(role, **content) for role, content in tables.items()]
    return {m.item.name: answer(m) for m in guideline_versions(given(*opened, columns=COLUMNS)) if m.item}


def test_guidelines() -> None:
    assert versions(holdout={"rules": ["v1", "v1"]}) == {"holdout": 1}
    assert versions(holdout={"rules": ["v1", None]}) == {"holdout": 2}
    assert versions(holdout={"rules": [2, 2]}, champion_holdout={"rules": [1, 2]}) == {
        "holdout": 1,
        "champion_holdout": 2,
    }
    nothing: Any = pd.Series([None, None], dtype="object")
    assert versions(holdout={"rules": nothing}, champion_holdout={"rules": nothing}) == dict.fromkeys(
        ("holdout", "champion_holdout"), Reason.NOT_PROVIDED
    )
    assert versions(holdout={"rules": [" ", ""]}) == {"holdout": Reason.NOT_PROVIDED}
    told = versions(holdout={"y": [1]}, annotations={"rules": ["a"]}, champion_holdout={"rules": ["a"]})
    assert told == {"holdout": 1, "champion_holdout": 1}
    assert versions(holdout={"rules": ["a"]}, annotations={"rules": ["b"]}) == {"holdout": 1, "annotations": 2}
    assert versions(holdout={"rules": ["a"]}, annotations={"y": [1]}) == {"holdout": 1}
    missing = Reason.COLUMN_MISSING
    assert versions(holdout={"y": [1]}, champion_holdout={"rules": ["a"]}) == dict.fromkeys(
        ("holdout", "champion_holdout"), missing
    )
    assert versions(holdout={"rules": ["a"]}, champion_holdout={"y": [1]})["champion_holdout"] is missing


class TestMaturity:
    """Events at hours 0 to 5, a window of two hours, all known at hour 4: rows 0, 1 and 2 are mature."""

    def measured(self, came: Any, y: Any = (1, 0, 1, 0, 1, 0), **changes: Any) -> tuple[Any, Any]:
        as_of = START + pd.Timedelta(hours=4)
        rows = table("holdout", as_of=as_of, at=times(*range(6)), came=came, y=list(y))
        asked = given(rows, columns=COLUMNS | changes.pop("columns", {}), **{"maturation_seconds": 7200, **changes})
        return answer(one(immature_rows(asked))), answer(one(label_delay(asked)))

    def test_the_age_of_the_event_tells_what_is_mature(self) -> None:
        assert self.measured(times(1, 2, 3, 4, 5, 6)) == (0.5, 0)
        # the label of a young row is there, and the row is young
        assert self.measured(times(0, 1, 2, 3, 4, 5)) == (0.5, 0)

    @pytest.mark.parametrize("late", [2.001, None, -0.001])
    def test_late_never_and_before_the_event(self, late: float | None) -> None:
        assert self.measured(times(late, 1, 4, None, None, None)) == (0.5, pytest.approx(1 / 3))

    def test_a_time_without_a_label_is_no_label(self) -> None:
        assert self.measured(times(1, 2, 3, 4, 5, 6), y=(1, None, 1, 0, 1, 0))[1] == pytest.approx(1 / 3)

    def test_what_cannot_be_told(self) -> None:
        young = times(*range(6))
        assert self.measured(young, maturation_seconds=None) == (Reason.NOT_PROVIDED, Reason.NOT_PROVIDED)
        assert self.measured(young, columns={"labelled": None}) == (0.5, Reason.NOT_PROVIDED)
        assert self.measured(young, columns={"labelled": "y"}) == (0.5, Reason.COLUMN_MISSING)
        assert self.measured(young, columns={"time": "y"}) == (Reason.COLUMN_MISSING, Reason.COLUMN_MISSING)
        assert self.measured(young, maturation_seconds=86400) == (1, Reason.EMPTY_TABLE)


class TestBalance:
    def test_binary_and_classes(self) -> None:
        holdout, training = table("holdout", y=[1, 1, 0, None]), table("training", y=[1, 0, 0, 0])
        found = one(class_balance(given(holdout, training, columns={"label": "y"})))
        assert found.estimate == pytest.approx(2 / 3 - 1 / 4)
        assert found.n == 7
        colours = {"label": "y", "classes": ("red", "blue", "green")}
        ours, theirs = table("holdout", y=["red", "blue"]), table("training", y=["red", "green", "red", "red"])
        shares = list(class_balance(given(ours, theirs, columns=colours, task="multiclass")))
        assert [(m.item.name, m.estimate) for m in shares if m.item] == [
            ("red", -0.25),
            ("blue", 0.5),
            ("green", -0.25),
        ]

    def test_clusters_widen_it(self) -> None:
        rng = np.random.default_rng(1)
        day = np.repeat(np.arange(20), 50)
        y = (rng.random(1000) < np.repeat(rng.random(20), 50)).astype(int)
        both = [table(role, y=y, day=day) for role in ("holdout", "training")]
        plain, grouped = (
            one(class_balance(given(*both, columns={"label": "y"}, **c))) for c in ({}, {"cluster": "day"})
        )
        assert plain.bounds is not None
        assert grouped.bounds is not None
        assert grouped.clusters == 40
        assert grouped.bounds[0].upper > 3 * float(plain.bounds[0].upper) > 0

    def test_what_has_no_balance(self) -> None:
        ours = table("holdout", y=[1, 0])
        assert answer(one(class_balance(given(ours, columns={"label": "y"})))) is Reason.TABLE_MISSING
        other = table("training", x=[1])
        assert answer(one(class_balance(given(ours, other, columns={"label": "y"})))) is Reason.COLUMN_MISSING

    def test_the_limits_hold_as_often_as_they_say(self) -> None:
        rng, runs, rung = np.random.default_rng(8), 2000, LADDER.index(0.95)
        for n, m, a, b in ((60, 200, 0.1, 0.15), (40, 40, 0.02, 0.02)):
            missed = np.zeros(2)
            drawn = np.stack([rng.binomial(n, a, runs), rng.binomial(m, b, runs)], axis=1).astype(float)
            for (ours, theirs), times_drawn in zip(*np.unique(drawn, axis=0, return_counts=True), strict=True):
                sums = ((np.array([ours]), np.array([float(n)])), (np.array([theirs]), np.array([float(m)])))
                found = share_difference(*sums, clustered=False, minimum_clusters=8)
                assert not isinstance(found, Reason)
                missed += times_drawn * np.array([found.lower[rung] > a - b, found.upper[rung] < a - b])
            assert missed.max() / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
