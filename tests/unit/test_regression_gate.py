"""The regression gate on real tables in the engine: paired figures, slices, reasons, and rows in any order."""

from __future__ import annotations

import math
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from gates.measure.interface import Findings, Given, Scored
from gates.measure.regression import RegressionGate
from gates.records import Measurement, ModelVersion, Parameters, Plan, Reason

DIGEST = "sha256:" + "0" * 64
CHAMPION = ModelVersion(name="m", version="1", digest=DIGEST)
METRICS = (
    *("auc", "log_loss", "brier", "average_precision", "accuracy", "precision", "recall", "f1", "mcc"),
    *("cost", "value"),
)
AGAINST_CHAMPION = tuple(f"regression.{metric}_vs_champion" for metric in METRICS)
CHECKS = {*(f"regression.{metric}" for metric in METRICS), "regression.brier_vs_baseline", *AGAINST_CHAMPION}
WORTH = ("per_1000_decisions", "payoff")
CORE = ("regression.auc_vs_champion", "regression.log_loss_vs_champion", "regression.brier_vs_champion")


def plan(*, task: Any = "binary", **parameters: Any) -> Plan:
    return Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def measure(frame: pd.DataFrame, asked: Plan | None = None, champion: ModelVersion | None = None) -> Findings:
    scored = Scored(ibis.memtable(frame), len(frame), "q" in frame, "cluster" in frame, "supplied")
    return RegressionGate().measure(Given(asked or plan(), {}, scored, champion))


def sample(n: int, seed: int = 1, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float)
    p, q = (1 / (1 + np.exp(-(x + s * rng.normal(size=n)))) for s in (0.4, 0.6))
    return pd.DataFrame({"y": y, "p": p, "q": q, **columns})


def one(findings: Findings, check: str, subject: str, where: str = "whole") -> Measurement:
    [found] = [
        m
        for m in findings.measurements
        if (m.check, m.subject, str(m.slice)) == (f"regression.{check}", subject, where)
    ]
    return found


def limits(measurement: Measurement, rung: int = 0) -> tuple[float, float]:
    assert measurement.bounds is not None
    bound = measurement.bounds[rung]
    return tuple(math.inf if side == "unbounded" else side for side in (bound.lower, bound.upper))  # type: ignore[return-value]


class TestFigures:
    def test_absolute_figures_are_those_of_scikit_learn(self) -> None:
        frame = sample(3_000)
        findings = measure(frame)
        for subject, score in (("candidate", frame.p), ("champion", frame.q)):
            assert one(findings, "auc", subject).estimate == pytest.approx(roc_auc_score(frame.y, score), abs=1e-12)
            assert one(findings, "log_loss", subject).estimate == pytest.approx(log_loss(frame.y, score), abs=1e-9)
            assert one(findings, "brier", subject).estimate == pytest.approx(brier_score_loss(frame.y, score), abs=1e-9)

    def test_paired_figures_are_differences_and_ratios_of_them(self) -> None:
        frame = sample(3_000)
        findings = measure(frame)
        figure = {(m.check, m.subject): m.estimate for m in findings.measurements}
        auc = figure["regression.auc", "candidate"] - figure["regression.auc", "champion"]  # type: ignore[operator]
        assert one(findings, "auc_vs_champion", "pair").estimate == pytest.approx(auc, abs=1e-12)
        for loss in ("log_loss", "brier"):
            ratio = figure[f"regression.{loss}", "candidate"] / figure[f"regression.{loss}", "champion"]  # type: ignore[operator]
            assert one(findings, f"{loss}_vs_champion", "pair").estimate == pytest.approx(ratio, rel=1e-9)
        constant = np.full(3_000, frame.y.mean())
        skill = brier_score_loss(frame.y, frame.p) / brier_score_loss(frame.y, constant)
        assert one(findings, "brier_vs_baseline", "pair").estimate == pytest.approx(skill, rel=1e-9)
        assert {m.n for m in findings.measurements} == {3_000}
        assert {m.predictions for m in findings.measurements} == {"supplied"}

    def test_pairing_is_worth_its_rows(self) -> None:
        findings = measure(sample(3_000))
        low, high = limits(one(findings, "auc_vs_champion", "pair"))
        alone = [limits(one(findings, "auc", subject)) for subject in ("candidate", "champion")]
        assert high - low < 0.7 * math.hypot(*(upper - lower for lower, upper in alone))

    def test_slices_are_measured_on_their_own_rows_against_the_same_constant(self) -> None:
        frame = sample(3_000, slice_0=["a", "b", "b"] * 1_000, slice_1=["Ω"] * 3_000)
        findings = measure(frame, plan(slices=("tier", "all")))
        own = frame[frame.slice_0 == "a"]
        found = one(findings, "auc_vs_champion", "pair", "tier=a")
        assert found.estimate == pytest.approx(roc_auc_score(own.y, own.p) - roc_auc_score(own.y, own.q), abs=1e-12)
        assert (found.n, found.share_ppm, found.family.name, found.family.size) == (1_000, 333_333, "regression", 16)
        skill = brier_score_loss(own.y, own.p) / np.mean((own.y - frame.y.mean()) ** 2)
        assert one(findings, "brier_vs_baseline", "pair", "tier=a").estimate == pytest.approx(skill, rel=1e-9)
        whole, same = (one(findings, "brier_vs_champion", "pair", where) for where in ("whole", "all=Ω"))
        assert whole.estimate == same.estimate
        assert whole.bounds == same.bounds

    def test_the_champion_alone_is_measured_on_the_whole_only(self) -> None:
        findings = measure(sample(300, slice_0=["a", "b"] * 150), plan(slices=("s",)))
        champion = [m for m in findings.measurements if m.subject == "champion"]
        assert [m.check for m in champion] == [f"regression.{metric}" for metric in METRICS]
        assert {m.family.size for m in champion} == {1}
        judged = {m.check: m.family for m in findings.measurements if m.subject == "pair"}
        compared = {(judged[check].name, judged[check].size) for check in (*CORE, "regression.brier_vs_baseline")}
        assert compared == {("regression", 4 * 3)}
        assert judged["regression.f1_vs_champion"].size == 1

    def test_the_candidates_own_figures_are_a_family_by_metric_beside_a_champions(self) -> None:
        findings = measure(sample(300, slice_0=["a", "b"] * 150), plan(slices=("s",)))
        assert one(findings, "auc", "candidate").family.size == 3
        assert one(findings, "auc", "candidate", "s=a").family.size == 3
        assert one(findings, "accuracy", "candidate").family.size == 1

    def test_without_a_champion_the_constant_alone_makes_the_family(self) -> None:
        frame = sample(300).drop(columns="q")
        findings = measure(frame)
        assert one(findings, "brier_vs_baseline", "pair").family.size == 1

    def test_figures_say_what_they_depend_on(self) -> None:
        findings = measure(sample(800, cluster=[f"d{i % 20}" for i in range(800)]), plan(cluster="day"))
        found = one(findings, "log_loss_vs_champion", "pair")
        assert {p.name: p.value for p in found.params} == {"eps": 1e-15, "cluster": "day", "rows": "clustered"}
        assert one(findings, "auc_vs_champion", "pair").method == "obuchowski"
        assert {m.clusters for m in findings.measurements} == {20}

    def test_clusters_widen(self) -> None:
        rng = np.random.default_rng(3)
        day = rng.integers(0, 20, 2_000)
        frame = sample(2_000)
        # Each row of the candidate is as wrong as its day.
        frame.p = 1 / (1 + np.exp(-np.log(frame.p / (1 - frame.p)) * rng.normal(0.7, 0.6, 20)[day]))
        clustered, independent = measure(frame.assign(cluster=day.astype(str))), measure(frame)
        for check in ("auc_vs_champion", "log_loss_vs_champion", "brier_vs_champion", "brier_vs_baseline"):
            wide, narrow = limits(one(clustered, check, "pair")), limits(one(independent, check, "pair"))
            assert wide[0] < narrow[0]
            assert wide[1] > narrow[1]


class TestDirections:
    def test_a_worse_candidate_is_lower_in_area_and_higher_in_loss(self) -> None:
        frame = sample(5_000).rename(columns={"p": "q", "q": "p"})
        findings = measure(frame)
        assert limits(one(findings, "auc_vs_champion", "pair"))[1] < 0
        assert limits(one(findings, "log_loss_vs_champion", "pair"))[0] > 1
        assert limits(one(findings, "brier_vs_champion", "pair"))[0] > 1

    def test_the_same_model_is_equal_as_far_as_rows_can_tell(self) -> None:
        frame = sample(1_000)
        findings = measure(frame.assign(q=frame.p))
        for check in ("log_loss_vs_champion", "brier_vs_champion"):
            low, high = limits(one(findings, check, "pair"))
            assert one(findings, check, "pair").estimate == 1
            assert 0.95 < low < 1 < high < 1.05
        low, high = limits(one(findings, "auc_vs_champion", "pair"))
        assert one(findings, "auc_vs_champion", "pair").estimate == 0
        assert -0.01 < low < 0 < high < 0.01

    @pytest.mark.parametrize("n", [1_000, 20_000])
    def test_a_constant_shows_no_skill(self, n: int) -> None:
        frame = sample(n)
        found = one(measure(frame.assign(p=frame.y.mean())), "brier_vs_baseline", "pair")
        assert found.estimate == pytest.approx(1)
        assert limits(found)[1] >= 1

    def test_a_segment_can_be_worse_while_the_whole_is_better(self) -> None:
        frame = sample(20_000, slice_0=["enterprise"] + ["other"] * 19_999)
        frame.loc[:1_500, "slice_0"] = "enterprise"
        rng = np.random.default_rng(5)
        frame.loc[:1_500, "p"] = rng.permutation(frame.loc[:1_500, "p"].to_numpy())
        frame.loc[1_501:, "q"] = 0.5 * frame.loc[1_501:, "q"] + 0.5 * rng.random(18_499)
        findings = measure(frame, plan(slices=("segment",)))
        assert limits(one(findings, "auc_vs_champion", "pair"))[0] > 0
        assert limits(one(findings, "auc_vs_champion", "pair", "segment=enterprise"), 3)[1] < -0.1


class TestTooLittle:
    @pytest.mark.parametrize("reason", [Reason.NAN_SCORES, Reason.ROWS_UNPAIRED])
    def test_without_scores_every_check_says_why(self, reason: Reason) -> None:
        findings = RegressionGate().measure(Given(plan(), {}, reason, None))
        assert {m.check for m in findings.measurements} == CHECKS
        assert {m.reason for m in findings.measurements} == {reason}

    def test_scores_of_another_task_and_no_rows_are_unmeasured(self) -> None:
        assert {m.reason for m in measure(sample(5), plan(task="numeric")).measurements} == {Reason.NOT_PROVIDED}
        assert {m.reason for m in measure(sample(0)).measurements} == {Reason.EMPTY_TABLE}

    @pytest.mark.parametrize(("known", "reason"), [(None, Reason.NO_CHAMPION), (CHAMPION, Reason.NOT_PROVIDED)])
    def test_without_a_champions_scores(self, known: ModelVersion | None, reason: Reason) -> None:
        frame = sample(200, slice_0=["a", "b"] * 100).drop(columns="q")
        findings = measure(frame, plan(slices=("s",)), known)
        for check in AGAINST_CHAMPION:
            found = [m for m in findings.measurements if m.check == check]
            assert [m.reason for m in found] == [reason] * (3 if check in CORE else 1)
        assert one(findings, "auc", "champion").reason is reason
        assert one(findings, "auc", "candidate").reason is None
        assert one(findings, "brier_vs_baseline", "pair", "s=a").reason is None

    @pytest.mark.parametrize("y", [0.0, 1.0])
    def test_one_class_has_losses_but_no_area_and_no_skill(self, y: float) -> None:
        findings = measure(sample(100).assign(y=y))
        for check, subject in (("auc", "candidate"), ("auc_vs_champion", "pair"), ("brier_vs_baseline", "pair")):
            assert one(findings, check, subject).reason is Reason.ONE_CLASS
        assert one(findings, "brier_vs_champion", "pair").reason is None

    def test_a_slice_of_one_class_keeps_its_place(self) -> None:
        frame = sample(400, slice_0=["a", "b"] * 200)
        frame.loc[frame.slice_0 == "a", "y"] = 0.0
        findings = measure(frame, plan(slices=("s",)))
        found = one(findings, "auc_vs_champion", "pair", "s=a")
        assert (found.reason, found.n, found.share_ppm) == (Reason.ONE_CLASS, 200, 500_000)
        assert one(findings, "brier_vs_baseline", "pair", "s=a").reason is None

    def test_one_row(self) -> None:
        findings = measure(pd.DataFrame({"y": [0.0], "p": [0.2], "q": [0.3]}))
        assert one(findings, "auc_vs_champion", "pair").reason is Reason.ONE_CLASS
        assert limits(one(findings, "brier_vs_champion", "pair"))[1] == math.inf

    def test_two_rows_prove_nothing(self) -> None:
        findings = measure(pd.DataFrame({"y": [0.0, 1.0], "p": [0.2, 0.7], "q": [0.3, 0.6]}))
        assert limits(one(findings, "auc_vs_champion", "pair")) == (-1, 1)
        assert limits(one(findings, "log_loss_vs_champion", "pair"))[1] == math.inf

    def test_scores_of_exactly_zero_and_one_have_a_finite_log_loss(self) -> None:
        frame = pd.DataFrame({"y": [0.0, 1.0, 0.0, 1.0], "p": [0.0, 1.0, 1.0, 0.0], "q": [0.5] * 4})
        found = one(measure(frame), "log_loss", "candidate")
        assert found.estimate == pytest.approx(-math.log(1e-15) / 2, rel=1e-3)
        perfect = one(measure(frame.assign(p=frame.y, q=frame.y)), "brier_vs_champion", "pair")
        assert perfect.estimate == 1

    @pytest.mark.parametrize(("clusters", "reason"), [(7, Reason.FEW_CLUSTERS), (8, None)])
    def test_seven_clusters_are_few_and_eight_are_not(self, clusters: int, reason: Reason | None) -> None:
        findings = measure(sample(800, cluster=[f"d{i % clusters}" for i in range(800)]))
        assert {m.reason for m in findings.measurements if m.unit not in WORTH} == {reason}

    def test_slice_values_may_be_any_text_and_many(self) -> None:
        names = [f"価格 {i} '\"; drop table t; --" for i in range(997)] + ["", "(null)", "\u0000x"]
        findings = measure(sample(5_000, slice_0=[names[i % 1_000] for i in range(5_000)]), plan(slices=("s",)))
        found = [m for m in findings.measurements if m.check == "regression.log_loss_vs_champion"]
        assert {m.slice.value for m in found} == {None, *names}
        assert {m.n for m in found if m.slice.kind == "value"} == {5}


def test_order_files_and_threads_change_no_bit(tmp_path: Any) -> None:
    rng = np.random.default_rng(3)
    frame = sample(10_000).assign(
        cluster=rng.integers(0, 40, 10_000).astype(str), slice_0=rng.choice(["a", "b", "c"], 10_000)
    )
    frame.p = frame.p.round(2)
    asked = plan(slices=("s",), cluster="day")
    shuffled = frame.sample(frac=1, random_state=4)
    for i, part in enumerate(np.array_split(np.arange(10_000), [3, 700, 5_000])):
        shuffled.iloc[part].to_parquet(tmp_path / f"{i}.parquet", row_group_size=2_048)
    answers = []
    for threads in (1, 4):
        table = ibis.duckdb.connect(threads=threads).read_parquet(tmp_path / "*.parquet")
        answers.append(RegressionGate().measure(Given(asked, {}, Scored(table, 10_000, True, True, "supplied"), None)))
    assert answers[0] == answers[1] == measure(frame, asked)
