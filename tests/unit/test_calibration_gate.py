"""The calibration gate on real tables in the engine: figures, slices, reasons, attachment, and rows in any order."""

from __future__ import annotations

import json
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from mapie.metrics.calibration import spiegelhalter_statistic
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from weighing import heaviest_of

from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Findings, Given, Scored
from gates.records import LADDER, Measurement, Parameters, Plan, Reason

DIGEST = "sha256:" + "0" * 64
LEVEL = 0.9
CHECKS = (
    "calibration.ece",
    "calibration.bin",
    "calibration.ece_equal_width",
    "calibration.slope",
    "calibration.fitted_share",
    "calibration.spiegelhalter",
    "calibration.under_coverage",
    "calibration.over_coverage",
)
COVERAGE = CHECKS[-2:]


def plan(*, task: Any = "binary", independent: bool = False, **parameters: Any) -> Plan:
    return Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        independent_rows=independent,
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def scored(frame: pd.DataFrame, predictions: str = "scored") -> Scored:
    levels = (LEVEL,) if "covered_0" in frame else ()
    table = ibis.memtable(frame.assign(width_0=1.0) if levels else frame)
    return Scored(table, len(frame), "q" in frame, "cluster" in frame, predictions, levels=levels)


def measure(frame: pd.DataFrame, asked: Plan | None = None) -> Findings:
    return CalibrationGate().measure(Given(asked or plan(), {}, scored(frame), None))


def sample(n: int, seed: int = 1, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, n)
    return pd.DataFrame({"y": (rng.random(n) < p).astype(float), "p": p, **columns})


def of(findings: Findings, check: str) -> list[Measurement]:
    return [m for m in findings.measurements if m.check == check]


def main_checks(findings: Findings) -> list[Measurement]:
    return [m for m in findings.measurements if m.check in CHECKS]


def params(measurement: Measurement) -> dict[str, Any]:
    return {param.name: param.value for param in measurement.params}


class TestFigures:
    def test_equal_mass_ece_is_that_of_a_sort(self) -> None:
        frame = sample(5_000)
        [whole] = of(measure(frame), "calibration.ece")
        edges = np.unique([np.ceil(v * 1000) / 1000 for v in np.sort(frame.p)[np.arange(1, 10) * 500 - 1]])
        code = np.searchsorted(edges, frame.p, side="left")
        gaps = [abs((frame.y - frame.p)[code == b].sum()) for b in range(10)]
        assert whole.estimate == pytest.approx(sum(gaps) / 5_000, abs=1e-9)
        assert whole.debiased is not None
        assert whole.debiased < whole.estimate
        assert (whole.subject, whole.n, whole.clusters, whole.share_ppm) == ("candidate", 5_000, None, 1_000_000)
        assert (whole.family.name, whole.family.size, whole.predictions) == ("calibration.ece", 1, "scored")
        assert params(whole) == {
            "binning": "equal_mass",
            "bins": 10,
            "achieved_bins": 10,
            "micro_bins": 1000,
            "rows": "assumed independent",
        }

    def test_bins_are_exact_and_the_decision_region_is_one(self) -> None:
        frame = sample(5_000)
        bins = of(measure(frame, plan(operating_threshold=0.7)), "calibration.bin")
        assert [m.item.name for m in bins if m.item] == [*map(str, range(1, 11)), "decision"]
        assert sum(m.n for m in bins[:-1]) == 5_000
        region = frame[frame.p >= 0.7]
        assert bins[-1].n == len(region)
        assert bins[-1].estimate == pytest.approx((region.y - region.p).mean(), abs=1e-9)
        assert {m.family.size for m in bins} == {22}
        assert params(bins[0])["operating_threshold"] == 0.7
        assert {m.method for m in bins} == {"clopper_pearson"}

    def test_coverage_is_two_claims_with_one_width(self) -> None:
        covered = np.r_[np.ones(870, dtype=bool), np.zeros(130, dtype=bool)]
        findings = measure(sample(1_000, covered_0=covered))
        [under], [over] = (of(findings, f"calibration.{side}_coverage") for side in ("under", "over"))
        assert under.estimate == pytest.approx(0.03)
        assert over.estimate == pytest.approx(-0.03)
        assert under.item is not None
        assert under.item.name == "0.9"
        assert under.bounds is not None
        assert over.bounds is not None
        for one, other in zip(under.bounds, over.bounds, strict=True):
            assert one.lower == pytest.approx(-other.upper)  # type: ignore[operator]
        assert under.family.size == 2

    def test_slices_have_the_bins_of_the_whole_and_their_own_rows(self) -> None:
        frame = sample(4_000, slice_0=["a", "b", "b", "b"] * 1_000)
        findings = measure(frame, plan(slices=("tier",), independent=True))
        whole, first, second = of(findings, "calibration.ece")
        assert str(first.slice) == "tier=a"
        assert (first.n, first.share_ppm, second.n, second.share_ppm) == (1_000, 250_000, 3_000, 750_000)
        assert {m.family.size for m in (whole, first, second)} == {3}
        assert params(first)["rows"] == "independent"
        edges = [b["to"] for b in json.loads(findings.notes[0].content)["bins"]][:-1]
        own = frame[frame.slice_0 == "a"]
        code = np.searchsorted(edges, own.p, side="left")
        expected = sum(abs((own.y - own.p)[code == b].sum()) for b in range(10)) / 1_000
        assert first.estimate == pytest.approx(expected, abs=1e-9)

    def test_clusters_widen_and_are_counted(self) -> None:
        rng = np.random.default_rng(2)
        day = rng.integers(0, 30, 3_000)
        p = rng.beta(2, 4, 3_000)
        y = (rng.random(3_000) < np.clip(p + rng.normal(0, 0.1, 30)[day], 0, 1)).astype(float)
        frame = pd.DataFrame({"y": y, "p": p, "covered_0": rng.random(3_000) < 0.9})
        clustered = measure(frame.assign(cluster=day.astype(str)), plan(cluster="day"))
        for check in CHECKS:
            wide, narrow = of(clustered, check)[0], of(measure(frame), check)[0]
            assert wide.clusters == 30
            assert narrow.clusters is None
            if check != "calibration.spiegelhalter":
                assert wide.estimate == pytest.approx(narrow.estimate, abs=1e-12)
            assert width(wide) > width(narrow) or wide.scope == "census"
            assert params(wide)["cluster"] == "day"
            assert params(wide)["rows"] == "clustered"


class TestSpiegelhalter:
    """Told beside the errors, of the whole alone."""

    @pytest.mark.parametrize("micro_bins", [10, 1000])
    @pytest.mark.parametrize("columns", [{}, {"slice_0": ["a", "b"] * 2_000}])
    def test_it_is_mapies_on_any_grid(self, micro_bins: int, columns: dict[str, Any]) -> None:
        frame = sample(4_000, **columns)
        [found] = of(
            measure(frame, plan(micro_bins=micro_bins, slices=("s",) * len(columns))), "calibration.spiegelhalter"
        )
        expected = spiegelhalter_statistic(frame.y.to_numpy(), frame.p.to_numpy())
        assert found.estimate == pytest.approx(expected, abs=1e-9)
        assert (found.unit, found.method, found.n) == ("standard_errors", "spiegelhalter", 4_000)

    def test_weights_and_clusters_are_those_of_the_rows(self) -> None:
        rng, frame = np.random.default_rng(5), sample(3_000)
        w, day = rng.gamma(2.0, 1.0, 3_000), rng.integers(0, 25, 3_000)
        terms = w * (frame.y - frame.p) * (1 - 2 * frame.p)
        own = (w**2 * (1 - 2 * frame.p) ** 2 * frame.p * (1 - frame.p)).sum()
        [plain] = of(weigh(frame.assign(weight=w)), "calibration.spiegelhalter")
        assert plain.estimate == pytest.approx(terms.sum() / own**0.5, abs=1e-9)
        [clustered] = of(weigh(frame.assign(weight=w, cluster=day.astype(str))), "calibration.spiegelhalter")
        sums = (terms - terms.sum() / w.sum() * w).groupby(day).sum()
        share = pd.Series(w).groupby(day).sum() / w.sum()
        by_day = 24 / 25 * ((sums / (1 - share)) ** 2).sum()
        assert clustered.estimate == pytest.approx(terms.sum() / max(own, by_day) ** 0.5, abs=1e-9)
        assert clustered.clusters == 25

    def test_scores_without_a_variance_have_none(self) -> None:
        frame = sample(100)
        [found] = of(measure(frame.assign(p=0.5)), "calibration.spiegelhalter")
        assert found.reason is Reason.NO_SPREAD


def weigh(frame: pd.DataFrame) -> Findings:
    table = Scored(ibis.memtable(frame), len(frame), False, "cluster" in frame, "scored", heaviest=heaviest_of(frame))
    return CalibrationGate().measure(Given(plan(), {}, table, None))


def width(measurement: Measurement) -> float:
    assert measurement.bounds is not None
    bound = measurement.bounds[0]
    assert isinstance(bound.upper, float)
    assert isinstance(bound.lower, float)
    return bound.upper - bound.lower


class TestAttachment:
    def test_holds_what_the_diagram_needs(self) -> None:
        frame = sample(3_000)
        findings = measure(frame)
        [note] = [note for note in findings.notes if note.name == "reliability.json"]
        assert (note.name, note.media_type) == ("reliability.json", "application/json")
        document = json.loads(note.content)
        observed, predicted = calibration_curve(frame.y, frame.p, n_bins=10, strategy="uniform")
        assert [b["mean_y"] for b in document["equal_width"]] == pytest.approx(list(observed), abs=1e-9)
        assert [b["mean_p"] for b in document["equal_width"]] == pytest.approx(list(predicted), abs=1e-9)
        assert sum(column["n"] for column in document["histogram"]) == 3_000
        assert document["confidence"] == LADDER[0]
        assert len(document["bins"]) == 10
        for one in [*document["bins"], document["decision"]]:
            assert 0 <= one["lower"] <= one["mean_y"] <= one["upper"] <= 1
            assert one["from"] <= one["mean_p"] <= one["to"]

    @pytest.mark.parametrize("micro_bins", [10, 33, 1000])
    def test_columns_hold_their_scores(self, micro_bins: int) -> None:
        frame = sample(500)
        document = json.loads(measure(frame, plan(micro_bins=micro_bins)).notes[0].content)
        total = 0
        for column in document["histogram"]:
            total += column["n"]
            if micro_bins == 1000:
                assert total == (frame.p <= column["to"]).sum()
        assert total == 500


class TestFittedOnTheHoldout:
    """Bins that agree to 1e-9 are no luck."""

    def share(self, frame: pd.DataFrame) -> float:
        [found] = of(measure(frame), "calibration.fitted_share")
        assert found.scope == "census"
        assert found.estimate is not None
        return found.estimate

    def test_an_isotonic_fit_on_the_same_rows_agrees_everywhere(self) -> None:
        frame = sample(3_000)
        fitted = IsotonicRegression(out_of_bounds="clip").fit(frame.p, frame.y)
        assert self.share(frame.assign(p=fitted.predict(frame.p))) == 1
        fresh = sample(3_000, seed=2)
        assert self.share(fresh.assign(p=fitted.predict(fresh.p))) < 0.5

    def test_a_constant_at_the_rate_of_these_rows_agrees_and_any_other_does_not(self) -> None:
        frame = sample(3_000)
        assert self.share(frame.assign(p=frame.y.mean())) == 1
        assert self.share(frame.assign(p=frame.y.mean() + 1e-6)) == 0

    def test_chance_leaves_it_to_a_bin_or_two(self) -> None:
        for seed in range(20):
            frame = sample(2_000, seed=seed)
            frame.p = frame.p.round(1)
            assert self.share(frame) < 0.5


class TestTooLittle:
    @pytest.mark.parametrize("reason", [Reason.NAN_SCORES, Reason.EMPTY_TABLE, Reason.SCORER_FAILED])
    def test_without_scores_every_check_says_why(self, reason: Reason) -> None:
        findings = CalibrationGate().measure(Given(plan(), {}, reason, None))
        assert {m.check for m in findings.measurements} >= set(CHECKS)
        assert {m.reason for m in main_checks(findings)} == {reason}
        assert findings.notes == ()

    def test_a_number_has_no_probability(self) -> None:
        findings = CalibrationGate().measure(Given(plan(task="numeric"), {}, scored(sample(10)), None))
        assert not {m.check for m in findings.measurements} & {"calibration.ece", "calibration.bin"}

    def test_no_rows(self) -> None:
        findings = measure(sample(0))
        assert {m.reason for m in main_checks(findings)} == {Reason.EMPTY_TABLE}

    def test_one_row(self) -> None:
        findings = measure(pd.DataFrame({"y": [1.0], "p": [0.7], "slice_0": ["x"]}), plan(slices=("s",)))
        for one in of(findings, "calibration.ece"):
            assert one.estimate == pytest.approx(0.3)
            assert one.bounds is not None
            assert one.bounds[0].lower == 0
            assert one.bounds[0].upper == 1
        assert params(findings.measurements[0])["achieved_bins"] == 1

    def test_without_sets_coverage_says_so_for_each_slice(self) -> None:
        findings = measure(sample(100, slice_0=["a", "b"] * 50), plan(slices=("s",)))
        for check in COVERAGE:
            assert [m.reason for m in of(findings, check)] == [Reason.NO_SETS] * 3
            assert [m.n for m in of(findings, check)] == [100, 50, 50]

    def test_a_model_that_never_says_yes_has_no_decision_region(self) -> None:
        frame = sample(200)
        frame.p = frame.p / 10
        region = of(measure(frame), "calibration.bin")[-1]
        assert region.reason is Reason.NO_DECISIONS
        assert region.item is not None
        assert region.item.name == "decision"

    @pytest.mark.parametrize(("clusters", "reason"), [(7, Reason.FEW_CLUSTERS), (8, None)])
    def test_seven_clusters_are_few_and_eight_are_not(self, clusters: int, reason: Reason | None) -> None:
        findings = measure(sample(4_000, cluster=[f"d{i % clusters}" for i in range(4_000)], covered_0=[True] * 4_000))
        assert {m.reason for m in main_checks(findings) if m.scope == "sample"} == {reason}
        assert {m.clusters for m in main_checks(findings)} == {clusters}

    def test_a_bin_that_few_clusters_reach_is_unmeasured_alone(self) -> None:
        frame = sample(4_000, cluster=[f"d{i % 20}" for i in range(4_000)])
        frame.loc[frame.p > 0.5, "cluster"] = "d1"
        bins = of(measure(frame, plan(operating_threshold=0.5)), "calibration.bin")
        assert bins[-1].reason is Reason.FEW_CLUSTERS
        assert (bins[-1].clusters, bins[-1].n) == (1, int((frame.p >= 0.5).sum()))
        assert bins[0].reason is None

    def test_one_cluster_and_a_cluster_for_each_row(self) -> None:
        alone = measure(sample(50, cluster=["x"] * 50, covered_0=[True] * 50))
        assert {m.reason for m in main_checks(alone) if m.scope == "sample"} == {Reason.FEW_CLUSTERS}
        each = of(measure(sample(500, cluster=[str(i) for i in range(500)])), "calibration.ece")[0]
        [independent] = of(measure(sample(500)), "calibration.ece")
        assert each.clusters == 500
        assert width(each) == pytest.approx(width(independent), rel=0.05)

    @pytest.mark.parametrize("y", [0.0, 1.0])
    def test_one_class_is_measured(self, y: float) -> None:
        frame = pd.DataFrame({"y": [y] * 300, "p": np.linspace(0, 1, 300)})
        [whole] = of(measure(frame), "calibration.ece")
        assert whole.estimate == pytest.approx(0.5, abs=1e-6)
        assert whole.bounds is not None
        assert float(whole.bounds[0].lower) > 0.4

    def test_all_scores_equal_make_one_bin(self) -> None:
        findings = measure(pd.DataFrame({"y": [0.0, 0.0, 1.0] * 100, "p": [0.3] * 300}))
        assert params(findings.measurements[0])["achieved_bins"] == 1
        assert findings.measurements[0].estimate == pytest.approx(1 / 3 - 0.3, abs=1e-9)
        assert len(of(findings, "calibration.bin")) == 2

    def test_certain_scores_that_are_wrong_are_measured(self) -> None:
        y = np.array([0.0, 1.0] * 100)
        right = measure(pd.DataFrame({"y": y, "p": y})).measurements[0]
        wrong = measure(pd.DataFrame({"y": y, "p": 1 - y})).measurements[0]
        assert (right.estimate, wrong.estimate) == (0, 1)
        assert right.bounds is not None
        assert float(right.bounds[0].upper) > 0

    def test_slice_values_may_be_any_text_and_very_many(self) -> None:
        names = [f"Größe 価格 {i} '\"; drop table scored; -- 🛫 ../" for i in range(996)] + [
            "",
            " ",
            "(null)",
            "\u0000x",
        ]
        frame = sample(2_000, slice_0=[names[i % 1_000] for i in range(2_000)], covered_0=[True] * 2_000)
        findings = measure(frame, plan(slices=("s",)))
        for check in ("calibration.ece", "calibration.over_coverage"):
            found = of(findings, check)
            assert {m.slice.value for m in found} == {None, *names}
            assert {m.family.size for m in found} == {1_001 * (2 if "cover" in check else 1)}
        assert {m.share_ppm for m in findings.measurements if m.slice.kind == "value"} == {1_000}


class TestSameRowsSameBits:
    def test_order_files_and_threads_change_no_bit(self, tmp_path: Any) -> None:
        rng = np.random.default_rng(3)
        frame = sample(20_000, covered_0=rng.random(20_000) < 0.9, width_0=1.0)
        frame = frame.assign(
            cluster=rng.integers(0, 40, 20_000).astype(str), slice_0=rng.choice(["a", "b", "c"], 20_000)
        )
        asked = plan(slices=("s",), cluster="day")
        shuffled = frame.sample(frac=1, random_state=4)
        for i, part in enumerate(np.array_split(np.arange(20_000), [3, 700, 15_000])):
            shuffled.iloc[part].to_parquet(tmp_path / f"{i}.parquet", row_group_size=2_048)
        answers = []
        for threads in (1, 4):
            engine = ibis.duckdb.connect(threads=threads)
            table = engine.read_parquet(tmp_path / "*.parquet")
            answers.append(
                CalibrationGate().measure(
                    Given(asked, {}, Scored(table, 20_000, False, True, "scored", levels=(LEVEL,)), None)
                )
            )
        assert answers[0] == answers[1] == measure(frame, asked)
