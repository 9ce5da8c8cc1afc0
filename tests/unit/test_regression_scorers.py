"""Scorers of scikit-learn by name: their own value, a spread that is right where theory has one, and what they lack."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, mean_absolute_percentage_error, roc_auc_score
from test_regression_gate import limits, one, plan
from test_regression_tasks import binary, classes, measure, numbers

from gates.errors import UsageError
from gates.records import Plan, Reason, Requirement


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
def test_the_spread_is_that_of_delong(clustered: bool) -> None:
    frame = binary(1_500)
    given = frame.assign(cluster=[f"d{i % 75}" for i in range(1_500)]) if clustered else frame
    found = measure(given, asking("roc_auc", cluster="day" if clustered else None))
    theirs, ours = (one(found, f"{name}_vs_champion", "pair") for name in ("roc_auc", "auc"))
    assert theirs.estimate == pytest.approx(ours.estimate, abs=1e-12)
    widths = [np.diff(limits(each))[0] / 2 for each in (theirs, ours)]
    unseen = 1.666**2 / min(frame.y.sum(), (1 - frame.y).sum())
    # Three standard errors of a standard deviation of 200 replicates are .15; clusters that do nothing widen by chance.
    assert widths[0] == pytest.approx(math.sqrt(widths[1] ** 2 - unseen**2), rel=0.2)


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
    assert caught.value.code == "scorer.unknown"
    with pytest.raises(UsageError) as caught:
        measure(numbers(50), asking("neg_max_error", "numeric"))
    assert caught.value.code == "scorer.no_weights"


def test_one_class_is_a_reason() -> None:
    found = one(measure(binary(50).assign(y=1.0), asking("roc_auc")), "roc_auc_vs_champion", "pair")
    assert found.reason is Reason.ONE_CLASS


def test_without_a_champion_nothing_is_compared() -> None:
    found = one(measure(binary(50).drop(columns="q"), asking("roc_auc")), "roc_auc_vs_champion", "pair")
    assert found.reason is Reason.NO_CHAMPION
