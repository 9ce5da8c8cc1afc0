"""The regression gate on several classes, on numbers, and on weighted rows, against scikit-learn on the same rows."""

from __future__ import annotations

import math
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from test_regression_gate import limits, one, plan
from weighing import heaviest_of

from gates.inputs.opened import OpenTable
from gates.measure.interface import Findings, Given, Scored
from gates.measure.regression import RegressionGate
from gates.records import Plan, Reason, Requirement, TableIdentity


def measure(
    frame: pd.DataFrame, asked: Plan, scale: float = 1.0, quantiles: tuple[float, ...] = (), **tables: pd.DataFrame
) -> Findings:
    columns = set(frame.columns)
    classes = tuple("abc") if asked.task == "multiclass" else ()
    scored = Scored(
        ibis.memtable(frame),
        len(frame),
        bool({"q", "q_0"} & columns),
        "cluster" in columns,
        "supplied",
        task=asked.task,
        heaviest=heaviest_of(frame),
        classes=classes,
        quantiles=quantiles,
        champion_quantiles="champion_quantile_0" in columns,
        scale=scale,
    )
    digest = "sha256:" + "1" * 64
    opened = {
        role: OpenTable(
            TableIdentity(role=role, uri=f"{role}.parquet", digest=digest, rows=len(table)), ibis.memtable(table)
        )
        for role, table in tables.items()
    }
    return RegressionGate().measure(Given(asked, opened, scored, None))


def classes(n: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * 1.5 + np.array([0.8, 0.0, -0.5])
    y = (x + rng.gumbel(size=(n, 3))).argmax(axis=1)
    frame = pd.DataFrame({"y": y})
    for name, noise in (("p", 0.3), ("q", 0.8)):
        z = np.exp(x + noise * rng.normal(size=(n, 3)))
        frame[[f"{name}_{k}" for k in range(3)]] = z / z.sum(axis=1, keepdims=True)
    return frame


def numbers(n: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truth = rng.normal(2, 3, n)
    y, p, q = (truth + noise * rng.normal(size=n) for noise in (1.0, 0.4, 0.9))
    return pd.DataFrame({"y": y, "p": p, "q": q})


class TestSeveralClasses:
    def test_figures_are_those_of_scikit_learn(self) -> None:
        frame = classes(2_000)
        found = measure(frame, plan(task="multiclass"))
        p, q = (frame[[f"{name}_{k}" for k in range(3)]].to_numpy() for name in "pq")
        share = np.bincount(frame.y, minlength=3) / len(frame)
        constant = np.tile(share, (len(frame), 1))
        hot = np.eye(3)[frame.y]

        def brier(said: np.ndarray) -> float:
            return float(((said - hot) ** 2).sum(axis=1).mean())

        assert one(found, "log_loss", "candidate").estimate == pytest.approx(log_loss(frame.y, p), rel=1e-9)
        assert one(found, "brier", "champion").estimate == pytest.approx(brier(q), rel=1e-9)
        for rival, said in (("champion", q), ("baseline", constant)):
            ratio = log_loss(frame.y, p) / log_loss(frame.y, said)
            assert one(found, f"log_loss_vs_{rival}", "pair").estimate == pytest.approx(ratio, rel=1e-9)
            assert one(found, f"brier_vs_{rival}", "pair").estimate == pytest.approx(brier(p) / brier(said), rel=1e-9)
            gain = accuracy_score(frame.y, p.argmax(axis=1)) - accuracy_score(frame.y, said.argmax(axis=1))
            assert one(found, f"accuracy_vs_{rival}", "pair").estimate == pytest.approx(gain, abs=1e-12)
        assert limits(one(found, "brier_vs_champion", "pair"))[1] < 1
        assert limits(one(found, "accuracy_vs_baseline", "pair"))[0] > 0

    def test_constant_at_the_shares_shows_no_skill(self) -> None:
        frame = classes(2_000)
        frame[["p_0", "p_1", "p_2"]] = np.bincount(frame.y, minlength=3) / len(frame)
        found = measure(frame, plan(task="multiclass"))
        for check in ("log_loss_vs_baseline", "brier_vs_baseline"):
            assert one(found, check, "pair").estimate == pytest.approx(1)
            assert limits(one(found, check, "pair"))[1] >= 1
        assert one(found, "accuracy_vs_baseline", "pair").estimate == 0

    def test_one_class_shows_no_skill_and_ties_go_to_the_first(self) -> None:
        frame = classes(100).assign(y=0, p_0=1 / 3, p_1=1 / 3, p_2=1 / 3)
        found = measure(frame, plan(task="multiclass"))
        assert one(found, "brier_vs_baseline", "pair").reason is Reason.ONE_CLASS
        assert one(found, "accuracy", "candidate").estimate == 1

    def test_slices_and_clusters(self) -> None:
        frame = classes(1_200).assign(slice_0=["a", "b", "b"] * 400, cluster=[f"d{i % 20}" for i in range(1_200)])
        found = measure(frame, plan(task="multiclass", slices=("s",), cluster="day"))
        own = frame[frame.slice_0 == "a"]
        expected = log_loss(own.y, own[["p_0", "p_1", "p_2"]], labels=[0, 1, 2])
        assert one(found, "log_loss", "candidate", "s=a").estimate == pytest.approx(expected, rel=1e-9)
        assert one(found, "log_loss_vs_champion", "pair", "s=a").clusters == 20


class TestNumbers:
    def test_figures_are_those_of_scikit_learn_in_the_labels_unit(self) -> None:
        frame = numbers(1_500)
        found = measure(frame / 16, plan(task="numeric"), scale=16.0)
        for subject, said in (("candidate", frame.p), ("champion", frame.q)):
            for name, theirs in (("mae", mean_absolute_error), ("rmse", root_mean_squared_error), ("r2", r2_score)):
                assert one(found, name, subject).estimate == pytest.approx(theirs(frame.y, said), rel=1e-9)
        for name, theirs in (("mae", mean_absolute_error), ("rmse", root_mean_squared_error)):
            constant = frame.y.median() if name == "mae" else frame.y.mean()
            for rival, said in (("champion", frame.q), ("baseline", np.full(1_500, constant))):
                ratio = theirs(frame.y, frame.p) / theirs(frame.y, said)
                assert one(found, f"{name}_vs_{rival}", "pair").estimate == pytest.approx(ratio, rel=1e-9)
        gain = r2_score(frame.y, frame.p) - r2_score(frame.y, frame.q)
        assert one(found, "r2_vs_champion", "pair").estimate == pytest.approx(gain, rel=1e-9)
        assert limits(one(found, "rmse_vs_champion", "pair"))[1] < 1

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
    def test_no_constant_is_skilful_however_far_the_label_drifted(self, shift: float, weighted: bool) -> None:
        """A skewed label, of which the mean is above the median; the training table is of before the drift."""
        rng = np.random.default_rng(5)
        y = shift + rng.exponential(size=6_000)
        weight = rng.gamma(2, 0.5, 6_000) * (1 + y) if weighted else np.ones(6_000)
        order = np.argsort(y)
        median = y[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)]
        training = pd.DataFrame({"y": rng.exponential(size=6_000)})
        for constant in (median, np.average(y, weights=weight), np.median(y), training.y.median(), np.log(2) + shift):
            frame = pd.DataFrame({"y": y, "p": constant} | ({"weight": weight / weight.mean()} if weighted else {}))
            found = measure(frame, plan(task="numeric"), training=training)
            for name, said in (("mae", "median of the whole"), ("rmse", "mean of the whole")):
                skill = one(found, f"{name}_vs_baseline", "pair")
                assert skill.estimate >= 1 - 1e-12
                assert limits(skill)[1] >= 1 - 1e-12
                assert {p.name: p.value for p in skill.params}["baseline"] == said

    def test_an_outlier_of_a_billion_hides_neither_rows_nor_slices(self) -> None:
        frame = numbers(2_000).assign(slice_0=["a", "b"] * 1_000)
        frame.loc[0, ["y", "p", "q"]] = [1e9, 1e9 + 0.5, 1e9 - 0.5]
        scaled = frame.assign(**{name: frame[name] / 2.0**30 for name in ("y", "p", "q")})
        found = measure(scaled, plan(task="numeric", slices=("s",)), scale=2.0**30)
        rest = frame[frame.slice_0 == "b"]
        ratio = root_mean_squared_error(rest.y, rest.p) / root_mean_squared_error(rest.y, rest.q)
        assert one(found, "rmse_vs_champion", "pair", "s=b").estimate == pytest.approx(ratio, rel=1e-6)
        # The constant misses the outlier by a billion, the model by one half: both keep their digits.
        skill = mean_absolute_error(frame.y, frame.p) / mean_absolute_error(frame.y, np.full(2_000, frame.y.median()))
        assert one(found, "mae_vs_baseline", "pair").estimate == pytest.approx(skill, rel=1e-6)

    def test_an_error_of_a_billion_keeps_the_slice_without_it(self) -> None:
        frame = numbers(2_000).assign(slice_0=["a", "b"] * 1_000)
        frame.loc[0, "p"] = 1e9
        scaled = frame.assign(**{name: frame[name] / 2.0**30 for name in ("y", "p", "q")})
        found = measure(scaled, plan(task="numeric", slices=("s",)), scale=2.0**30)
        rest = frame[frame.slice_0 == "b"]
        expected = root_mean_squared_error(rest.y, rest.p)
        assert one(found, "rmse", "candidate", "s=b").estimate == pytest.approx(expected, rel=1e-5)
        assert limits(one(found, "rmse_vs_champion", "pair"))[1] > 100

    def test_no_scale_changes_a_ratio(self) -> None:
        frame = numbers(400)
        ones = [
            one(measure(frame * factor, plan(task="numeric"), scale=1.0), "mae_vs_champion", "pair")
            for factor in (1.0, 2.0**-60)
        ]
        assert ones[0].bounds == ones[1].bounds

    def test_perfect_and_constant(self) -> None:
        frame = numbers(100)
        perfect = measure(frame.assign(p=frame.y), plan(task="numeric"))
        assert one(perfect, "mae", "candidate").estimate == 0
        assert limits(one(perfect, "mae_vs_champion", "pair"))[1] < 0.1
        same = measure(frame.assign(y=3.0), plan(task="numeric"))
        assert one(same, "r2", "candidate").reason is Reason.ONE_CLASS
        equal = measure(frame.assign(q=frame.p), plan(task="numeric"))
        # Of 100 rows none may be of a region where they differ.
        assert one(equal, "rmse_vs_champion", "pair").estimate == 1
        low, high = limits(one(equal, "rmse_vs_champion", "pair"))
        assert 0.9 < low < 1 < high < 1.1

    def test_a_worse_model_is_worse_in_every_direction(self) -> None:
        frame = numbers(2_000).rename(columns={"p": "q", "q": "p"})
        found = measure(frame, plan(task="numeric"))
        assert limits(one(found, "mae_vs_champion", "pair"))[0] > 1
        assert limits(one(found, "rmse_vs_champion", "pair"))[0] > 1
        assert limits(one(found, "r2_vs_champion", "pair"))[1] < 0

    def test_a_share_explained_below_zero_stays_so(self) -> None:
        frame = numbers(500)
        found = measure(frame.assign(p=100.0), plan(task="numeric"))
        assert one(found, "r2", "candidate").estimate == pytest.approx(r2_score(frame.y, np.full(500, 100.0)), rel=1e-9)
        assert limits(one(found, "mae_vs_baseline", "pair"))[0] > 1

    def test_one_row(self) -> None:
        found = measure(numbers(1), plan(task="numeric"))
        assert limits(one(found, "mae_vs_champion", "pair"))[1] == math.inf
        assert one(found, "r2", "candidate").reason is Reason.ONE_CLASS


def binary(n: int, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 1.5, n)
    p, q = (1 / (1 + np.exp(-(x + s * rng.normal(size=n)))) for s in (0.4, 0.6))
    return pd.DataFrame({"y": (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float), "p": p, "q": q})


class TestWeights:
    def test_estimates_are_those_of_scikit_learn(self) -> None:
        frame, weight = binary(1_500), np.random.default_rng(3).gamma(2, 0.5, 1_500)
        weight /= weight.mean()
        found = measure(frame.assign(weight=weight), plan())
        for name, theirs in (
            ("auc", roc_auc_score),
            ("log_loss", log_loss),
            ("average_precision", average_precision_score),
        ):
            expected = theirs(frame.y, frame.p, sample_weight=weight)
            assert one(found, name, "candidate").estimate == pytest.approx(expected, abs=1e-6)
        expected = accuracy_score(frame.y, frame.p >= 0.5, sample_weight=weight)
        assert one(found, "accuracy", "candidate").estimate == pytest.approx(expected, abs=1e-9)
        assert one(found, "auc", "candidate").n == 1_500

    @pytest.mark.parametrize("task", ["binary", "numeric", "multiclass"])
    def test_equal_weights_are_no_weights(self, task: Any) -> None:
        frame = {"binary": binary, "numeric": numbers, "multiclass": classes}[task](600)
        asked = plan(task=task)
        for bare, weighted in zip(
            measure(frame, asked).measurements, measure(frame.assign(weight=1.0), asked).measurements, strict=True
        ):
            assert (bare.check, bare.subject, bare.reason) == (weighted.check, weighted.subject, weighted.reason)
            if bare.reason is None:
                assert limits(weighted) == pytest.approx(limits(bare), rel=1e-6, abs=1e-7)

    @pytest.mark.parametrize("task", ["binary", "numeric", "multiclass"])
    def test_unequal_weights_widen_as_the_effective_rows_say(self, task: Any) -> None:
        frame = {"binary": binary, "numeric": numbers, "multiclass": classes}[task](2_000)
        weight = np.where(np.arange(2_000) % 10 == 0, 9.1, 0.1)
        asked = plan(task=task)
        bare, weighted = measure(frame, asked), measure(frame.assign(weight=weight), asked)
        metric = {"binary": "auc", "numeric": "mae", "multiclass": "log_loss"}[task]
        widths = [np.diff(limits(one(found, f"{metric}_vs_champion", "pair")))[0] for found in (bare, weighted)]
        if task == "binary":
            # What was not seen is held in quadrature: of the heaviest weight as many rows of the rarer class weigh as much.
            least = [min(np.bincount(frame.y, weights=w)) / w.max() for w in (np.ones(2_000), weight)]
            widths = [math.sqrt(w**2 - (2 * 1.645**2 / n) ** 2) for w, n in zip(widths, least, strict=True)]
        # 2,000 rows of these weights say as much as 241 of equal ones, and one of the heavy rows moves a mean farther.
        assert 0.7 <= widths[1] / widths[0] / math.sqrt(2_000 / 241) <= 1.5

    def test_rows_in_any_order(self) -> None:
        rng = np.random.default_rng(4)
        frame = binary(3_000).assign(
            weight=rng.gamma(2, 0.5, 3_000),
            cluster=rng.integers(0, 30, 3_000).astype(str),
            slice_0=["a", "b", "c"] * 1_000,
        )
        asked = plan(slices=("s",), cluster="day")
        assert measure(frame, asked) == measure(frame.sample(frac=1, random_state=5), asked)


class TestAsked:
    def test_what_the_plan_asks_is_the_family_and_is_sliced(self) -> None:
        asked = plan(slices=("s",)).model_copy(
            update={
                "requirements": tuple(
                    Requirement(environment="production", check=f"regression.{check}", role="prove", each=each)
                    for check, each in (("f1_vs_champion", "s"), ("auc_superiority", None))
                )
            }
        )
        found = measure(binary(600).assign(slice_0=["a", "b"] * 300), asked)
        assert one(found, "f1_vs_champion", "pair", "s=a").reason is None
        assert (
            one(found, "f1_vs_champion", "pair").family.size == one(found, "auc_superiority", "pair").family.size == 6
        )
        superior, compared = one(found, "auc_superiority", "pair"), one(found, "auc_vs_champion", "pair")
        assert (superior.estimate, superior.bounds) == (compared.estimate, compared.bounds)
        assert compared.family.name == "regression.auc_vs_champion"

    def test_an_anchor_is_a_rival_where_its_predictions_are(self) -> None:
        frame = binary(600)
        found = measure(frame.assign(anchor=frame.q), plan())
        same, other = one(found, "auc_vs_anchor", "pair"), one(found, "auc_vs_champion", "pair")
        assert (same.estimate, same.bounds) == (other.estimate, other.bounds)
        assert not [m for m in measure(frame, plan()).measurements if m.check.endswith("_vs_anchor")]
