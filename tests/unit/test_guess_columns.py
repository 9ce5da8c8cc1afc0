"""What a bare predictions file is taken for, with the reasons; what is not certain is refused with the flag to give."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates.errors import UsageError
from gates.inputs.profile import normalise, profile
from gates.inputs.tables import Tables
from gates.plan.guess import ColumnProfile, Guess, guess, guess_champion_file
from gates.records import Table

N = 60
P = np.linspace(0.01, 0.99, N)
Y = np.tile([0, 1, 1], N // 3)


class Asker:
    def __init__(self, tables: Tables, folder: Path) -> None:
        self.tables, self.folder = tables, folder

    def open(self, frame: dict[str, Any], suffix: str = "csv") -> Any:
        path = self.folder / f"preds.{suffix}"
        data = pd.DataFrame(frame)
        data.to_csv(path, index=False) if suffix == "csv" else data.to_parquet(path)
        return self.tables.open(Table(role="predictions", uri=path.name), base=self.folder)

    def __call__(self, frame: dict[str, Any], suffix: str = "csv", **given: Any) -> Guess:
        return guess(profile(self.open(frame, suffix)), where="preds.csv", **given)

    def normal(self, frame: dict[str, Any], suffix: str = "csv", **given: Any) -> pd.DataFrame:
        opened = self.open(frame, suffix)
        found = guess(profile(opened), where="preds.csv", **given)
        table = normalise(opened, found.recipe).table
        names = [found.columns.label, found.columns.score, found.columns.champion_score]
        return table.select(*[name for name in names if name]).to_pandas()

    def refused(self, frame: dict[str, Any], suffix: str = "csv", **given: Any) -> UsageError:
        with pytest.raises(UsageError) as caught:
            self(frame, suffix, **given)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        return caught.value


@pytest.fixture
def ask(tables: Tables, tmp_path: Path) -> Asker:
    return Asker(tables, tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("label", "score"),
    [
        ("y", "p"),
        ("label", "score"),
        ("target", "proba"),
        ("y_true", "y_prob"),
        ("y_true", "y_score"),
        ("actual", "prediction"),
        ("Outcome", "Probability"),
        ("churn_label", "churnProbability"),
        ("is_late", "p_late_proba"),
        ("ground_truth", "y_hat"),
        ("eingetroffen", "wert"),
    ],
)
def test_names_of_label_and_score(ask: Asker, label: str, score: str, suffix: str) -> None:
    found = ask({"n": range(100, 100 + N), label: Y, score: P}, suffix)
    assert (found.columns.label, found.columns.score, found.columns.champion_score) == (label, score, None)
    assert found.reasons[0].startswith(f'label: column "{label}"')
    assert any(reason.startswith(f'scores: column "{score}"') for reason in found.reasons)


@pytest.mark.parametrize(
    "name", ["champion", "baseline", "old", "prod", "q", "champion_score", "p_old", "score_prod", "Baseline-Proba"]
)
def test_names_of_a_champion(ask: Asker, name: str) -> None:
    found = ask({"y": Y, "p": P, name: P[::-1]})
    assert (found.columns.score, found.columns.champion_score) == ("p", name)
    assert f'champion\'s scores: column "{name}", by its name' in found.reasons


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("old_price", P * 50),
        ("current", np.arange(N) * 1000),
        ("production", np.tile([0, 1], N // 2)),
        ("old", ["a"] * N),
        ("q", -P),
    ],
)
def test_a_feature_with_a_champions_name_is_none(ask: Asker, name: str, values: Any) -> None:
    assert ask({"y": Y, "p": P, name: values}).columns.champion_score is None


@pytest.mark.parametrize(
    ("values", "one"),
    [
        (["no", "yes"], "yes"),
        (["retained", "churned"], "churned"),
        (["False", "True"], "True"),
        (["0", "1"], "1"),
        (["on time", "late"], "late"),
        (["not late", "late"], "late"),
        (["legit", "FRAUD"], "FRAUD"),
        (["ham", "spam"], "spam"),
        (["gesund", "sick"], "sick"),
        (["-1", "1"], "1"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_text_labels_become_0_and_1(ask: Asker, values: list[str], one: str, suffix: str) -> None:
    labels = [values[int(value)] for value in Y]
    found = ask.normal({"label": labels, "p": P}, suffix)
    assert found["label"].tolist() == Y.tolist()
    if one not in {"1", "True"} and (one, suffix) != ("yes", "csv"):  # in CSV yes and no are read as bool
        assert f'"{one}" counts as 1' in " ".join(ask({"label": labels, "p": P}, suffix).reasons)


def test_a_text_label_is_found_by_its_words(ask: Asker) -> None:
    frame = {"segment": ["a", "b"] * (N // 2), "churn": np.where(Y == 1, "churned", "retained"), "p": P}
    found = ask(frame)
    assert (found.columns.label, found.recipe.positive) == ("churn", "churned")


def test_the_columns_name_settles_a_word(ask: Asker) -> None:
    labels = np.where(Y == 1, "approved", "denied")
    assert ask.normal({"approval_label": labels, "p": P})["approval_label"].tolist() == Y.tolist()
    error = ask.refused({"label": labels, "p": P})
    assert (error.code, error.remedy) == ("guess.positive", 'say which: --positive "denied"')
    assert ask.normal({"label": labels, "p": P}, positive="approved")["label"].tolist() == Y.tolist()
    assert "has no value" in str(ask.refused({"label": labels, "p": P}, positive="aproved"))


@pytest.mark.parametrize(
    ("zero", "one"),
    [
        ("p_0", "p_1"),
        ("proba_no", "proba_yes"),
        ("p0", "p1"),
        ("score_neg", "score_pos"),
        ("prob_stayed", "prob_churned"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_two_columns_one_for_each_class(ask: Asker, zero: str, one: str, turned: bool) -> None:
    frame = {one: P, zero: 1 - P} if turned else {zero: 1 - P, one: P}
    found = ask({"y": Y, **frame})
    assert found.columns.score == one
    assert f'scores: column "{one}"; "{zero}" is the other class' in found.reasons


def test_percents_are_divided_and_said(ask: Asker) -> None:
    frame = {"y": Y, "score": P * 100, "champion": P}
    assert np.allclose(ask.normal(frame)["score"], P)
    assert np.allclose(ask.normal(frame)["champion"], P)
    assert '"score" holds percents: divided by 100' in ask(frame).reasons
    low = {"y": Y, "score_pct": P * 4}
    assert np.allclose(ask.normal(low)["score_pct"], P * 0.04)


@pytest.mark.parametrize("scores", [P * 1.5, P - 0.5, P * 101.1, P * 4, np.where(P > 0.5, math.inf, P), P * 1e308])
def test_scores_outside_are_refused(ask: Asker, scores: Any) -> None:
    error = ask.refused({"y": Y, "p": scores}, "parquet")
    assert error.code == "score.outside"
    assert "goes from" in error.message


@pytest.mark.parametrize("scores", [Y, Y.astype(float), [0] * N])
@pytest.mark.parametrize("given", [{}, {"score": "prediction"}])
def test_a_predicted_class_is_no_score(ask: Asker, scores: Any, given: dict[str, str]) -> None:
    error = ask.refused({"y": Y, "prediction": scores}, **given)
    assert (error.code, error.exit_code) == ("score.classes", 2)
    assert "predict_proba" in str(error.remedy)


def test_a_predicted_class_beside_its_probability_is_passed_over(ask: Asker) -> None:
    assert ask({"y": Y, "prediction": Y[::-1], "probability": P}).columns.score == "probability"


@pytest.mark.parametrize("scores", [[True, False] * (N // 2), ["yes", "no"] * (N // 2)])
def test_text_and_bool_are_no_scores(ask: Asker, scores: Any) -> None:
    assert "give the probability, not the class" in str(ask.refused({"y": Y, "prediction": scores}))
    assert "give the probability, not the class" in str(ask.refused({"y": Y, "prediction": scores}, score="prediction"))


@pytest.mark.parametrize(
    ("frame", "code", "shown"),
    [
        ({"label": Y, "target": Y, "p": P}, "guess.label", '"label", "target"; say which: --label "label"'),
        ({"y": Y, "score": P, "probability": P}, "guess.score", '"score", "probability"; say which: --score "score"'),
        ({"y": Y, "p": P, "old": P, "baseline": P}, "guess.champion", 'say which: --champion "old"'),
        ({"y": Y, "a": P, "b": P}, "guess.score", '"a", "b"'),
        ({"a": Y, "b": Y, "p": P}, "guess.label", '"a", "b"'),
        ({"p": P, "n": range(2, 2 + N)}, "guess.label", "no column looks like one"),
        ({"y": Y, "n": range(2, 2 + N)}, "guess.score", "no column looks like one"),
        ({"y": range(N), "p": P}, "guess.label", f'"y" has {N} different numbers'),
        ({"y": ["a", "b", "c"] * (N // 3), "p": P}, "guess.label", '"y" has 3 different values'),
    ],
)
def test_what_is_not_certain_is_refused_with_the_flag(ask: Asker, frame: Any, code: str, shown: str) -> None:
    error = ask.refused(frame)
    assert error.code == code
    assert shown in str(error)


def test_what_is_given_is_not_guessed(ask: Asker) -> None:
    frame = {"label": Y, "target": 1 - Y, "score": P, "probability": P, "old": P, "baseline": P, "who": range(N)}
    found = ask(frame, label="target", score="score", champion="baseline", key=["who"], cluster="who")
    assert found.columns.model_dump(include={"label", "score", "champion_score", "key"}) == {
        "label": "target",
        "score": "score",
        "champion_score": "baseline",
        "key": ("who",),
    }
    assert found.cluster == "who"
    for flag in ("label", "score", "champion", "cluster"):
        assert 'did you mean "probability"?' in str(
            ask.refused(frame, **{"label": "target", "score": "score", flag: "probabilty"})
        )


def test_key_cluster_and_time(ask: Asker) -> None:
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(N), "D")
    frame = {"id": range(N), "user_id": np.arange(N) // 2, "at": days, "y": Y, "p": P}
    found = ask(frame)
    assert (found.columns.key, found.cluster, found.columns.time) == (("id",), "user_id", "at")
    assert 'clusters: rows with the same "user_id" hang together' in found.reasons
    few = ask({**frame, "user_id": np.arange(N) // 30})
    assert few.cluster is None
    assert ask({**frame, "customer": np.arange(N) // 2}).cluster is None


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_file_of_few_rows_is_guessed_by_its_names(ask: Asker, rows: int) -> None:
    found = ask({"y": Y[:rows], "p": P[:rows]}, "parquet")
    assert (found.columns.label, found.columns.score) == ("y", "p")
    csv = ask({"y": Y[:rows], "p": P[:rows]})
    assert (csv.columns.label, csv.columns.score) == ("y", "p")


def test_nan_scores_and_null_labels_are_left_for_the_measurement(ask: Asker) -> None:
    found = ask.normal({"y": [None, *Y[1:]], "p": [*P[:-1], math.nan]}, "parquet")
    assert math.isnan(found["y"][0])
    assert found["y"].tolist()[1:] == Y.tolist()[1:]
    assert math.isnan(found["p"].tolist()[-1])
    assert ask({"y": [math.nan] * N, "p": [math.nan] * N}, "parquet").columns.score == "p"


def test_one_class_alone(ask: Asker) -> None:
    assert set(ask.normal({"y": ["churned"] * N, "p": P})["y"]) == {1.0}
    assert set(ask.normal({"y": ["retained"] * N, "p": P})["y"]) == {0.0}
    assert set(ask.normal({"y": [0] * N, "p": P})["y"]) == {0.0}


def test_a_champions_own_file(ask: Asker) -> None:
    own = ask({"id": range(N), "churn": np.where(Y == 1, "yes", "no"), "p": P}, label="churn")
    other = ask.open({"id": range(N), "churn": np.where(Y == 1, "yes", "no"), "old_score": P * 100})
    column, recipe, reasons = guess_champion_file(profile(other), own, where="other.csv")
    assert (column, recipe.percents, recipe.label) == ("old_score", ("old_score",), "churn")
    assert reasons[0].startswith("champion's scores: column")
    table = normalise(other, recipe).table.to_pandas()
    assert np.allclose(table["old_score"], P)
    assert table["churn"].tolist() == Y.tolist()
    same, _, _ = guess_champion_file(profile(ask.open({"p": P, "score": P})), own, where="other.csv")
    assert same == "p"


def test_the_document_has_a_digest_and_says_all_that_was_applied(ask: Asker) -> None:
    from gates.bundle.canonical import digest_document

    first = ask({"y": np.where(Y == 1, "late", "punctual"), "p": P * 100})
    second = ask({"y": np.where(Y == 1, "late", "punctual"), "p": P})
    assert first.document()["recipe"] == {"label": "y", "negative": "punctual", "positive": "late", "percents": ("p",)}
    assert digest_document({**first.document(), "recipe": {**first.document()["recipe"], "percents": ["p"]}})
    assert first.document() != second.document()


def test_names_of_any_kind_are_safe(ask: Asker) -> None:
    found = ask.normal(
        {'y"; DROP TABLE x': ["no", "yes"] * (N // 2), "größe %": P, "": range(N)}, label='y"; DROP TABLE x'
    )
    assert found['y"; DROP TABLE x'].tolist() == [0, 1] * (N // 2)


def test_a_column_that_no_plan_can_name_plays_no_part(ask: Asker) -> None:
    found = ask({"y": Y, "p": P, "a\nb": P, "x" * 300: P, "": P}, "parquet")
    assert (found.columns.label, found.columns.score) == ("y", "p")
    assert "no column" in str(ask.refused({"y": Y, "p": P, "\x07": P}, "parquet", score="\x07"))


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (ColumnProfile("y", "number", 900, 0, 871, (), -3.0, 1e308), "task: numeric"),
        (ColumnProfile("y", "integer", 900, 0, 300, (), 0, 299), "task: numeric"),
        (ColumnProfile("y", "integer", 900, 0, 7, (), 0, 6), "task: multiclass"),
        (ColumnProfile("y", "text", 900, 0, 3, ("a", "b", "c")), "task: multiclass"),
        (ColumnProfile("amount", "number", 900, 0, 871, (), 5.0, 99.0), "task: numeric, multiclass"),
    ],
)
def test_a_label_of_numbers_or_several_classes_is_led_to_a_spec(column: ColumnProfile, said: str) -> None:
    score = ColumnProfile("score", "number", 900, 0, 900, (), 0.0, 1.0)
    with pytest.raises(UsageError) as refused:
        guess([column, score], where="t.csv")
    assert refused.value.code == "guess.label"
    assert said in str(refused.value.remedy)
    assert "gates init" in str(refused.value.remedy)
