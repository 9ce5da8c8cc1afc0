"""Pinball loss of predicted quantiles against scikit-learn, and at the median against the absolute error, its double."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_pinball_loss
from test_regression_gate import limits, one, plan
from test_regression_tasks import measure, numbers

from gates.records import Reason, Requirement

LEVELS = (0.1, 0.5, 0.95)


def predicted(n: int, *, champion: bool = True) -> pd.DataFrame:
    """Numbers, and quantiles of two models: normal ones around the predictions, of spreads too small and too large."""
    frame = numbers(n)
    for i, z in enumerate((-1.28, 0.0, 1.64)):
        frame[f"quantile_{i}"] = frame.p + 0.9 * z
        if champion:
            frame[f"champion_quantile_{i}"] = frame.q + 2.5 * z
    return frame


def by_scikit_learn(frame: pd.DataFrame, said: Any, weight: Any = None) -> float:
    each = [
        mean_pinball_loss(frame.y, np.broadcast_to(of, len(frame)), alpha=level, sample_weight=weight)
        for level, of in zip(LEVELS, said, strict=True)
    ]
    return float(np.mean(each))


def columns(frame: pd.DataFrame, name: str) -> list[Any]:
    return [frame[f"{name}_{i}"] for i in range(len(LEVELS))]


@pytest.mark.parametrize("weighted", [False, True])
def test_figures_are_those_of_scikit_learn_in_the_labels_unit(weighted: bool) -> None:
    frame = predicted(1_500)
    weight = np.random.default_rng(3).gamma(2, 0.5, 1_500) if weighted else np.ones(1_500)
    weight /= weight.mean()
    sliced = np.array(["a", "b", "b"] * 500)
    given = (frame / 16).assign(slice_0=sliced, **({"weight": weight} if weighted else {}))
    found = measure(given, plan(task="numeric", slices=("s",)), scale=16.0, quantiles=LEVELS)
    order = np.argsort(frame.y.to_numpy())
    upto = np.cumsum(weight[order]) / weight.sum()
    trivial = [frame.y.to_numpy()[order][np.searchsorted(upto, level - 1e-12)] for level in LEVELS]
    for where, rows in (("whole", np.ones(1_500, dtype=bool)), ("s=a", sliced == "a"), ("s=b", sliced == "b")):
        part, its = frame[rows], weight[rows]
        own, rival, constant = (
            by_scikit_learn(part, said, its)
            for said in (columns(part, "quantile"), columns(part, "champion_quantile"), trivial)
        )
        assert one(found, "pinball", "candidate", where).estimate == pytest.approx(own, rel=1e-9)
        assert one(found, "pinball_vs_champion", "pair", where).estimate == pytest.approx(own / rival, rel=1e-9)
        assert one(found, "pinball_vs_baseline", "pair", where).estimate == pytest.approx(own / constant, rel=1e-9)
    whole = one(found, "pinball_vs_baseline", "pair")
    assert {p.name: p.value for p in whole.params}["baseline"] == "quantiles of the whole"
    assert whole.family == one(found, "mae_vs_baseline", "pair").family
    assert limits(one(found, "pinball_vs_champion", "pair"))[1] < 1


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_at_the_median_it_is_half_the_absolute_error_with_its_bounds(clustered: bool, weighted: bool) -> None:
    frame = numbers(600)
    frame = frame.assign(quantile_0=frame.p, champion_quantile_0=frame.q)
    if clustered:
        frame["cluster"] = [f"d{i % 20}" for i in range(600)]
    if weighted:
        weight = np.random.default_rng(4).gamma(2, 0.5, 600)
        frame["weight"] = weight / weight.mean()
    found = measure(frame, plan(task="numeric", cluster="day" if clustered else None), quantiles=(0.5,))
    for subject in ("candidate", "champion"):
        half, absolute = (one(found, name, subject) for name in ("pinball", "mae"))
        assert [half.estimate, *limits(half)] == pytest.approx(
            [0.5 * v for v in (absolute.estimate, *limits(absolute))]
        )
    for rival in ("champion", "baseline"):
        half, absolute = (one(found, f"{name}_vs_{rival}", "pair") for name in ("pinball", "mae"))
        assert [half.estimate, *limits(half)] == pytest.approx([absolute.estimate, *limits(absolute)])
        assert half.clusters == (20 if clustered else None)


def test_no_constants_are_skilful_however_far_the_label_drifted() -> None:
    frame, rng = predicted(500), np.random.default_rng(6)
    training = pd.DataFrame({"y": frame.y - 0.3})
    for constants in (frame.y.quantile(LEVELS), training.y.quantile(LEVELS), frame.y.quantile(LEVELS) + rng.normal()):
        frame = frame.assign(**{f"quantile_{i}": value for i, value in enumerate(constants)})
        found = one(
            measure(frame, plan(task="numeric"), quantiles=LEVELS, training=training), "pinball_vs_baseline", "pair"
        )
        assert found.estimate is not None
        assert found.estimate >= 1 - 1e-12
        assert limits(found)[1] >= 1 - 1e-12


def test_who_predicts_no_quantiles_has_no_figure() -> None:
    found = measure(predicted(100, champion=False), plan(task="numeric"), quantiles=LEVELS)
    assert one(found, "pinball_vs_champion", "pair").reason is Reason.NOT_PROVIDED
    assert one(found, "pinball", "champion").reason is Reason.NOT_PROVIDED
    assert one(found, "pinball_vs_baseline", "pair").status == "measured"
    found = measure(numbers(100).assign(slice_0="a"), plan(task="numeric", slices=("s",)))
    for name, subject in (("pinball", "candidate"), ("pinball_vs_champion", "pair"), ("pinball_vs_baseline", "pair")):
        [said] = [m for m in found.measurements if m.check == f"regression.{name}" and m.subject == subject]
        assert said.reason is Reason.NOT_PROVIDED
    # mae and rmse, against the champion and the baseline, of the whole and a slice: nobody looks at more.
    assert one(found, "mae_vs_champion", "pair").family.size == 8


def test_asked_for_it_is_a_check_of_each_slice_though_nothing_is_there() -> None:
    required = Requirement(environment="production", check="regression.pinball_vs_champion", role="no-harm", each="s")
    asked = plan(task="numeric", slices=("s",)).model_copy(update={"requirements": (required,)})
    found = measure(numbers(100).assign(slice_0="a"), asked)
    assert one(found, "pinball_vs_champion", "pair", "s=a").reason is Reason.NOT_PROVIDED


@pytest.mark.parametrize("far", [1.0, 1e-290])
def test_numbers_of_any_size_and_quantiles_that_cross(far: float) -> None:
    frame = predicted(50)
    frame.loc[0, "quantile_0"], frame.loc[1, "champion_quantile_2"] = 1e9, -1e9
    found = measure(frame * far, plan(task="numeric"), quantiles=LEVELS)
    expected = by_scikit_learn(frame, columns(frame, "quantile"))
    assert one(found, "pinball", "candidate").estimate / far == pytest.approx(expected, rel=1e-9)
    assert one(found, "pinball_vs_champion", "pair").status == "measured"


def test_constant_quantiles_without_an_error_are_no_rival() -> None:
    frame = predicted(50).assign(y=3.0)
    found = measure(frame, plan(task="numeric"), quantiles=LEVELS)
    assert one(found, "pinball_vs_baseline", "pair").reason == one(found, "mae_vs_baseline", "pair").reason
