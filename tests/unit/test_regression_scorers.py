"""Scorers of scikit-learn by name: their own value, a spread that is right where theory has one, and what they lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import f1_score, get_scorer_names, mean_absolute_percentage_error, roc_auc_score
from test_regression_gate import limits, one, plan
from test_regression_tasks import binary, classes, measure, numbers

from gates.errors import UsageError
from gates.measure.regression import scorers
from gates.measure.regression.losses import CANDIDATE
from gates.measure.regression.ranks import Rows
from gates.measure.stats.average_precision import Precision, average_precision_difference
from gates.measure.stats.figure import Figure
from gates.records import Plan, Reason, Requirement
from gates.resources import policies_folder


def asking(scorer: str, task: str = "binary", **parameters: Any) -> Plan:
    required = Requirement(environment="production", check=f"regression.{scorer}_vs_champion", role="prove")
    return plan(task=task, **parameters).model_copy(update={"requirements": (required,)})


def test_several_classes() -> None:
    frame = classes(600)
    p, q = (frame[[f"{name}_{k}" for k in range(3)]].to_numpy() for name in "pq")
    found = one(measure(frame, asking("f1_macro", "multiclass")), "f1_macro_vs_champion", "pair")
    expected = f1_score(frame.y, p.argmax(axis=1), average="macro") - f1_score(
        frame.y, q.argmax(axis=1), average="macro"
    )
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    assert found.method == "poisson_bootstrap"
    found = one(measure(frame, asking("roc_auc_ovr", "multiclass")), "roc_auc_ovr_vs_champion", "pair")
    assert found.estimate == pytest.approx(
        roc_auc_score(frame.y, p, multi_class="ovr") - roc_auc_score(frame.y, q, multi_class="ovr"), abs=1e-12
    )


def test_losses_come_negated_and_in_the_labels_unit() -> None:
    frame = numbers(500).abs() + 1
    scorer = "neg_mean_absolute_percentage_error"
    found = one(measure(frame / 8, asking(scorer, "numeric"), scale=8.0), f"{scorer}_vs_champion", "pair")
    worse, better = (mean_absolute_percentage_error(frame.y, said) for said in (frame.q, frame.p))
    assert found.estimate == pytest.approx(worse - better, rel=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("clustered", [False, True])
def test_the_spread_is_that_of_delong(clustered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without what no row shows, which either of them has in its own way.
    monkeypatch.setattr(scorers, "rare", lambda z, error, _: z * error)
    frame = binary(1_500)
    given = frame.assign(cluster=[f"d{i % 75}" for i in range(1_500)]) if clustered else frame
    found = measure(given, asking("roc_auc", cluster="day" if clustered else None))
    theirs, ours = (one(found, f"{name}_vs_champion", "pair") for name in ("roc_auc", "auc"))
    assert theirs.estimate == pytest.approx(ours.estimate, abs=1e-12)
    widths = [np.diff(limits(each))[0] / 2 for each in (theirs, ours)]
    # Three standard errors of a standard deviation of 200 replicates are .15; clusters that do nothing widen by chance.
    assert widths[0] == pytest.approx(widths[1], rel=0.2)


@pytest.mark.parametrize("scorer", ["balanced_accuracy", "f1_macro", "roc_auc", "matthews_corrcoef"])
@pytest.mark.parametrize("clustered", [False, True])
def test_rows_that_both_models_score_alike_prove_nothing_while_they_are_few(scorer: str, clustered: bool) -> None:
    def found(n: int) -> Any:
        y = np.arange(n) % 2
        frame = pd.DataFrame({"y": y.astype(float), "p": 0.1 + 0.8 * y, "q": 0.1 + 0.8 * y})
        given = frame.assign(cluster=[f"d{i // 2 % 30}" for i in range(n)]) if clustered else frame
        asked = asking(scorer, cluster="day" if clustered else None)
        return one(measure(given, asked), f"{scorer}_vs_champion", "pair")

    assert found(8).reason is (Reason.FEW_CLUSTERS if clustered else Reason.FEW_EVENTS)
    few, many = found(60), found(2_000)
    for each, lowest in ((few, 0.03), (many, 0.0)):
        low, high = limits(each)
        assert each.estimate == 0
        assert low == -high < -lowest
        assert limits(each, 8)[0] >= (-2 if scorer == "matthews_corrcoef" else -1)
    # 30 clusters alike say no more however many rows they have.
    assert (limits(many)[0] > -0.01) is not clustered


def test_a_rare_class_counts_as_the_share_of_the_mean_that_it_is() -> None:
    """Of three classes the rarest has 20 rows of 2,000: a region missed in it is a third of the mean."""
    y = np.r_[np.full(20, 2), np.arange(1_980) % 2]
    said = {f"{name}_{k}": np.where(y == k, 0.8, 0.1) for name in "pq" for k in range(3)}
    found = one(
        measure(pd.DataFrame({"y": y, **said}), asking("f1_macro", "multiclass")), "f1_macro_vs_champion", "pair"
    )
    # Three more rows of it, of which the candidate says that they are another's: 40/43 of F1 in it, and 3 more wrong there.
    lost = 1 - f1_score(np.r_[y, 2, 2, 2], np.r_[y, 0, 0, 0], average="macro")
    assert limits(found)[0] == pytest.approx(-lost, rel=0.01)


def test_precision_stands_on_the_class_that_is_rarely_said() -> None:
    """Both models say "yes" to five of 2,000 rows, all right: three more rows wrong would halve it."""
    y = np.r_[np.ones(400), np.zeros(1_600)]
    said = np.where(np.arange(2_000) < 5, 0.9, 0.1)
    found = one(
        measure(pd.DataFrame({"y": y, "p": said, "q": said}), asking("precision_macro")),
        "precision_macro_vs_champion",
        "pair",
    )
    assert limits(found)[0] < -0.18


def test_average_precision_of_several_rows_on_top_is_its_own() -> None:
    """One non-event above all of 30 events costs more than 1/30."""
    y = np.r_[np.ones(30), np.zeros(300)]
    said = (1 + y + np.arange(330) / 1_000) / 3
    rows = Rows(y, {CANDIDATE: said, "q": said}, None, None)
    scorer = scorers.Scorer("average_precision", "binary", 2, 0.5, 1.0)
    found = scorer.difference(rows, "q", minimum_clusters=8, seed=1)
    assert isinstance(found, Figure)
    own = average_precision_difference(Precision.of(y, said), Precision.of(y, said), minimum_clusters=8)
    assert isinstance(own, Figure)
    assert found.lower[0] == pytest.approx(own.lower[0], rel=0.01)
    assert found.lower[0] < -0.2


def test_numbers_alike_leave_room_for_what_no_row_shows() -> None:
    frame, scorer = (numbers(200).abs() + 1).assign(q=lambda f: f.p), "neg_mean_absolute_percentage_error"
    found = one(measure(frame, asking(scorer, "numeric")), f"{scorer}_vs_champion", "pair")
    assert found.estimate == 0
    low, high = limits(found)
    assert -0.1 < low == -high < 0


@pytest.mark.parametrize("beside", [(), ("cluster", "weight")])
def test_rows_in_any_order_and_the_same_plan_give_the_same(beside: tuple[str, ...]) -> None:
    frame, asked = binary(400), asking("balanced_accuracy", cluster="day" if "cluster" in beside else None)
    weight = np.random.default_rng(6).gamma(2, 0.5, 400)
    others = {"cluster": [f"d{i % 20}" for i in range(400)], "weight": weight / weight.mean()}
    frame = frame.assign(**{name: others[name] for name in beside})
    name = "balanced_accuracy_vs_champion"
    first, again = (one(measure(each, asked), name, "pair") for each in (frame, frame.sample(frac=1, random_state=1)))
    assert first == again


def test_what_scikit_learn_does_not_know_or_weigh_is_said() -> None:
    with pytest.raises(UsageError) as caught:
        measure(binary(50), asking("charm"))
    assert (caught.value.code, caught.value.remedy is not None) == ("scorer.unknown", True)
    for scorer, said in {"neg_max_error": "maximum", "neg_median_absolute_error": "order statistic"}.items():
        with pytest.raises(UsageError, match=said) as caught:
            measure(numbers(50), asking(scorer, "numeric"))
        assert caught.value.code == "scorer.refused"


def test_what_owners_may_require_scikit_learn_knows_and_nothing_refuses() -> None:
    named = yaml.safe_load((policies_folder() / "release/data.yaml").read_text())["scorers"]
    assert {name for names in named.values() for name in names} <= set(get_scorer_names()) - scorers.REFUSED.keys()
    tried = (Path(__file__).parents[2] / "docs/study/scorers.md").read_text()
    assert [name for task, names in named.items() for name in names if f"{name}, {task}" not in tried] == []
    assert scorers.REFUSED.keys() <= set(get_scorer_names())


def test_one_class_is_a_reason() -> None:
    found = one(measure(binary(50).assign(y=1.0), asking("roc_auc")), "roc_auc_vs_champion", "pair")
    assert found.reason is Reason.ONE_CLASS


def test_without_a_champion_nothing_is_compared() -> None:
    found = one(measure(binary(50).drop(columns="q"), asking("roc_auc")), "roc_auc_vs_champion", "pair")
    assert found.reason is Reason.NO_CHAMPION
