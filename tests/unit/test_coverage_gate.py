"""Coverage, widths, strata and the curve of quantiles on tables of every kind: slices, weights, clusters, ties, nothing."""

from __future__ import annotations

import json
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from weighing import heaviest_of

from gates.inputs.opened import OpenTable
from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Findings, Given, Scored
from gates.records import LADDER, Measurement, ModelVersion, Parameters, Plan, Reason, TableIdentity
from gates.records.measurement import Slice
from gates.records.plan import Columns, Requirement

DIGEST = "sha256:" + "0" * 64
ABSENT = {"calibration.calibration_rows", "calibration.coverage_spread"}


def plan(task: Any = "numeric", requirements: tuple[Requirement, ...] = (), **parameters: Any) -> Plan:
    return Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=requirements,
        parameters=Parameters(**parameters),
        tables=(),
        columns=Columns(label="y"),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def measure(frame: pd.DataFrame, asked: Plan | None = None, *, rows: int | None = None, **scored: Any) -> Findings:
    asked = asked or plan()
    told = {"levels": (0.9,)} if "covered_0" in frame and "levels" not in scored else {}
    calibrated = {} if rows is None else {"calibration": OpenTable(_identity(rows), ibis.memtable(frame))}
    champion = ModelVersion(name="m", version="1", digest=DIGEST) if "champion_width_0" in frame else None
    table = Scored(
        ibis.memtable(frame),
        len(frame),
        False,
        "cluster" in frame,
        "scored",
        task=asked.task,
        heaviest=heaviest_of(frame),
        champion_levels="champion_width_0" in frame,
        **told,
        **scored,
    )
    return CalibrationGate().measure(Given(asked, calibrated, table, champion))


def _identity(rows: int) -> TableIdentity:
    return TableIdentity(role="calibration", uri="c.parquet", digest=DIGEST, rows=rows)


def sample(n: int, seed: int = 1, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    p = rng.normal(size=n) / 8
    y = p + rng.normal(size=n) / 8
    half = rng.uniform(0.15, 0.25, n)
    return pd.DataFrame({"y": y, "p": p, "covered_0": abs(y - p) <= half, "width_0": 2 * half, **columns})


def of(findings: Findings, check: str) -> list[Measurement]:
    return [m for m in findings.measurements if m.check == f"calibration.{check}"]


def names(found: list[Measurement]) -> list[str]:
    return [m.item.name for m in found if m.item]


def params(measurement: Measurement) -> dict[str, Any]:
    return {param.name: param.value for param in measurement.params}


def bound(measurement: Measurement, rung: int = 0) -> tuple[float, float]:
    assert measurement.bounds is not None
    low, high = measurement.bounds[rung].lower, measurement.bounds[rung].upper
    assert isinstance(low, float)
    assert isinstance(high, float)
    return low, high


class TestLevels:
    def test_each_level_has_an_item_and_the_plans_own_has_the_main_checks(self) -> None:
        frame = sample(1_000)
        frame = frame.assign(covered_1=frame.covered_0 & (frame.y > frame.p - 0.1), width_1=frame.width_0 / 2)
        findings = measure(frame, levels=(0.9, 0.5))
        assert names(of(findings, "level_coverage")) == ["0.9", "0.5"]
        for m, share in zip(of(findings, "level_coverage"), (frame.covered_0, frame.covered_1), strict=True):
            assert m.family.size == 4
            assert m.estimate == pytest.approx(share.mean() - float(m.item.name if m.item else 0))
        assert names(of(findings, "under_coverage")) == ["0.9"]
        [pit] = of(findings, "pit")
        assert pit.estimate == pytest.approx(max(abs(frame.covered_0.mean() - 0.9), abs(frame.covered_1.mean() - 0.5)))
        assert params(pit)["of"] == "intervals"

    def test_a_level_that_the_model_does_not_give_is_not_provided(self) -> None:
        findings = measure(sample(200), plan(coverage_level=0.8))
        for check in ("under_coverage", "over_coverage", "stratum_under_coverage", "width", "width_vs_baseline"):
            assert {m.reason for m in of(findings, check)} == {Reason.NOT_PROVIDED}
        [level] = of(findings, "level_coverage")
        assert level.reason is None

    def test_two_levels_that_look_alike_are_two_items(self) -> None:
        frame = sample(200)
        findings = measure(frame.assign(covered_1=frame.covered_0, width_1=frame.width_0), levels=(0.9, 0.9000001))
        assert len({m.identity for m in findings.measurements}) == len(findings.measurements)

    def test_one_level_alone_is_no_curve(self) -> None:
        [pit] = of(measure(sample(200)), "pit")
        assert pit.reason is Reason.FEW_LEVELS

    @pytest.mark.parametrize(
        ("levels", "reason"),
        [
            ((0.9, 0.5), None),
            ((0.9, 0.4, 0.7), None),
            ((0.95, 0.5), Reason.FEW_LEVELS),
            ((0.9, 0.8), Reason.FEW_LEVELS),
        ],
    )
    def test_intervals_have_the_levels_between_the_wanted_quantiles(
        self, levels: tuple[float, ...], reason: Reason | None
    ) -> None:
        frame = sample(200)
        shares = {f"{word}_{i}": frame[f"{word}_0"] for i in range(len(levels)) for word in ("covered", "width")}
        [pit] = of(measure(frame.assign(**shares), levels=levels), "pit")
        assert pit.reason is reason


class TestStrata:
    def test_of_equal_numbers_of_rows(self) -> None:
        findings = measure(sample(1_003), plan(strata=4))
        strata = of(findings, "stratum_under_coverage")
        assert names(strata) == [f"{by} {i}" for by in ("width", "prediction") for i in (1, 2, 3, 4)]
        assert {m.n for m in strata} <= {250, 251}
        assert {m.family.size for m in strata} == {8}
        assert params(strata[0]) == {
            "level": 0.9,
            "strata": 4,
            "by": "width",
            "achieved_strata": 4,
            "rows": "assumed independent",
        }

    def test_ties_are_never_split(self) -> None:
        frame = sample(1_000)
        frame["width_0"] = np.repeat([0.1, 0.2, 0.3], [700, 200, 100])
        strata = [m for m in of(measure(frame), "stratum_under_coverage") if m.item and "width" in m.item.name]
        assert [m.n for m in strata] == [700, 200, 100]
        for m, rows in zip(strata, (slice(0, 700), slice(700, 900), slice(900, None)), strict=True):
            assert m.estimate == pytest.approx(0.9 - frame.covered_0[rows].mean(), abs=1e-12)

    def test_one_enormous_interval_does_not_hide_the_others(self) -> None:
        frame = sample(1_000)
        frame.loc[0, "width_0"] = 1.0
        frame["width_0"] *= np.r_[1.0, np.full(999, 1e-7)]
        strata = [m for m in of(measure(frame), "stratum_under_coverage") if m.item and "width" in m.item.name]
        assert [m.n for m in strata] == [200] * 5

    def test_many_sizes_are_grouped_and_few_are_not(self) -> None:
        from gates.measure.calibration.coverage import coverage

        rng = np.random.default_rng(2)
        for top, wanted in ((3, 3), (40, 5)):
            size = rng.integers(0, top + 1, 2_000).astype(float)
            frame = pd.DataFrame({"y": rng.integers(0, 50, 2_000), "covered_0": size > 1, "width_0": size})
            asked = plan("multiclass")
            told = Scored(
                ibis.memtable(frame),
                2_000,
                False,
                False,
                "scored",
                task="multiclass",
                levels=(0.9,),
                classes=tuple(map(str, range(50))),
            )
            found = coverage(Given(asked, {}, told, None), told)
            strata = of(found, "stratum_under_coverage")
            assert len(strata) == wanted
            assert sum(m.n for m in strata) == 2_000
            if top == 3:
                assert strata[0].n == (size <= 1).sum()
            assert max(m.n for m in strata) < 2 * min(m.n for m in strata) + 600

    def test_a_stratum_that_few_clusters_reach_is_unmeasured_alone(self) -> None:
        frame = sample(2_000, cluster=[f"d{i % 20}" for i in range(2_000)])
        widest = frame.width_0 > frame.width_0.quantile(0.8)
        frame.loc[widest, "cluster"] = "d1"
        strata = of(measure(frame), "stratum_under_coverage")
        assert strata[4].reason is Reason.FEW_CLUSTERS
        assert strata[4].clusters == 1
        assert strata[0].reason is None


class TestWidths:
    def test_units_are_those_of_the_label(self) -> None:
        frame = sample(500)
        for scale in (1.0, 2.0**20, 2.0**-900):
            [width] = of(measure(frame, scale=scale), "width")
            assert width.estimate == pytest.approx(frame.width_0.mean() * scale, rel=1e-9)
            assert bound(width)[0] < float(width.estimate or 0) < bound(width)[1]

    def test_beyond_the_doubles_it_is_the_largest(self) -> None:
        frame = sample(500)
        frame["width_0"] = 2.0
        findings = measure(frame, scale=2.0**1023)
        [width] = of(findings, "width")
        assert width.estimate == np.finfo(float).max
        note = next(note for note in findings.notes if note.name == "coverage.json")
        assert json.loads(note.content)["levels"][0]["mean_width"] == np.finfo(float).max

    def test_a_champion_without_intervals_is_not_none(self) -> None:
        [ratio] = of(measure(sample(100)), "width_vs_champion")
        assert ratio.reason is Reason.NO_CHAMPION
        frame = sample(100, champion_width_0=0.4)
        [ratio] = of(measure(frame), "width_vs_champion")
        assert ratio.estimate == pytest.approx(frame.width_0.mean() / 0.4, rel=1e-9)
        assert ratio.subject == "pair"

    def test_a_champion_whose_intervals_are_points_has_no_bound(self) -> None:
        frame = sample(100, champion_width_0=0.0)
        [ratio] = of(measure(frame), "width_vs_champion")
        assert ratio.bounds is not None
        assert ratio.estimate is not None
        assert ratio.estimate > 1e6


class TestQuantiles:
    def test_shares_by_level_and_their_farthest(self) -> None:
        frame = sample(2_000)
        u = np.random.default_rng(3).random(2_000) ** 1.2
        levels = (0.1, 0.3, 0.5, 0.7, 0.9)
        frame = frame.assign(**{f"below_{i}": u <= level for i, level in enumerate(levels)})
        findings = measure(frame, quantiles=levels)
        gaps = [(u <= level).mean() - level for level in levels]
        assert [m.estimate for m in of(findings, "quantile")] == pytest.approx(gaps)
        assert names(of(findings, "quantile")) == ["0.1", "0.3", "0.5", "0.7", "0.9"]
        [pit] = of(findings, "pit")
        assert pit.estimate == pytest.approx(max(map(abs, gaps)))
        assert params(pit)["of"] == "quantiles"

    def test_quantiles_without_intervals(self) -> None:
        frame = sample(300).drop(columns=["covered_0", "width_0"]).assign(below_0=True)
        findings = measure(frame, quantiles=(0.5,))
        assert {m.reason for m in of(findings, "under_coverage")} == {Reason.NO_SETS}
        [pit] = of(findings, "pit")
        assert pit.reason is Reason.FEW_LEVELS
        [pit] = of(measure(frame, plan(curve_levels=(0.5,)), quantiles=(0.5,)), "pit")
        assert pit.estimate == pytest.approx(0.5)
        document = json.loads(findings.notes[0].content)
        assert "levels" not in document
        assert document["quantiles"][0]["share"] == 1

    @pytest.mark.parametrize(
        ("levels", "reason"),
        [
            ((0.1, 0.25, 0.5, 0.75, 0.9), None),
            (tuple(k / 10 for k in range(1, 10)), None),
            ((0.05, 0.3, 0.5, 0.7, 0.95), None),
            ((0.1, 0.5, 0.9), Reason.FEW_LEVELS),
            ((0.1, 0.25, 0.5, 0.75), Reason.FEW_LEVELS),
        ],
    )
    def test_a_curve_has_the_levels_that_policy_wants(self, levels: tuple[float, ...], reason: Reason | None) -> None:
        frame = sample(100).assign(**{f"below_{i}": True for i in range(len(levels))})
        findings = measure(frame, quantiles=levels)
        assert [m.reason for m in of(findings, "pit")] == [reason]
        assert {m.reason for m in of(findings, "quantile")} == {None}

    def test_a_level_that_is_easily_right_does_not_stand_for_intervals_that_are_wrong(self) -> None:
        """Intervals of nine in ten are right, those of one in two hold four in five; a quantile far below all is right."""
        frame = sample(6_000)
        often = np.random.default_rng(5).random(6_000) < 0.8
        frame = frame.assign(covered_1=often, width_1=frame.width_0, below_0=False)
        [pit] = of(measure(frame, levels=(0.9, 0.5), quantiles=(0.01,)), "pit")
        assert bound(pit)[0] > 0.25
        assert params(pit)["of"] == "quantiles and intervals"
        [pit] = of(measure(frame, levels=(0.9,), quantiles=(0.01,)), "pit")
        assert pit.reason is Reason.FEW_LEVELS


class TestCalibrationRows:
    def test_of_the_table_that_the_plan_names(self) -> None:
        [count], [spread] = (
            of(measure(sample(100), rows=500), check) for check in ("calibration_rows", "coverage_spread")
        )
        assert (count.estimate, count.scope, count.n) == (500, "census", 500)
        # statistics.md, section 2: off by more than 2 points with probability .13.
        assert bound(spread)[1] > 0.02
        assert params(spread)["rank"] == 451
        assert params(spread)["calibration_rows"] == 500

    @pytest.mark.parametrize(("rows", "reason"), [(None, Reason.NOT_PROVIDED), (0, Reason.EMPTY_TABLE)])
    def test_none_and_empty(self, rows: int | None, reason: Reason) -> None:
        findings = measure(sample(100), rows=rows)
        [spread] = of(findings, "coverage_spread")
        assert spread.reason is reason


class TestWeights:
    def test_an_integer_weight_is_as_many_rows_in_the_estimate_and_fewer_in_the_proof(self) -> None:
        rng = np.random.default_rng(4)
        frame = sample(1_500)
        times = rng.integers(1, 4, 1_500)
        heavy = measure(frame.assign(weight=times / times.mean()))
        repeated = measure(frame.loc[np.repeat(frame.index, times)].reset_index(drop=True))
        for check in ("under_coverage", "width", "width_vs_baseline"):
            [one], [other] = of(heavy, check), of(repeated, check)
            if check != "width_vs_baseline":
                assert one.estimate == pytest.approx(other.estimate, abs=1e-9)
            assert bound(one)[1] - bound(one)[0] > bound(other)[1] - bound(other)[0]
            assert (one.n, other.n) == (1_500, times.sum())
        assert sum(m.n for m in of(heavy, "stratum_under_coverage")) == 3_000

    def test_weights_of_one_change_nothing(self) -> None:
        frame = sample(700, slice_0=["a", "b"] * 350, champion_width_0=0.4, below_0=True)
        asked = plan(slices=("s",))
        plain, weighted = (measure(f, asked, quantiles=(0.5,)) for f in (frame, frame.assign(weight=1.0)))
        for one, other in zip(plain.measurements, weighted.measurements, strict=True):
            assert (one.check, one.slice, one.item, one.n, one.reason) == (
                other.check,
                other.slice,
                other.item,
                other.n,
                other.reason,
            )
            if one.estimate is not None:
                assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
                for rung in range(len(LADDER)):
                    assert bound(one, rung) == pytest.approx(bound(other, rung), rel=1e-6, abs=1e-9)


class TestTooLittle:
    def test_a_rest_without_rows_is_nothing_to_prove(self) -> None:
        slice_ = Slice(kind="value", column="s", value="a")
        named = Requirement(environment="development", check="calibration.under_coverage", role="prove", slice=slice_)
        findings = measure(sample(200, slice_0="a"), plan(requirements=(named,), slices=("s",)))
        for check in ("under_coverage", "over_coverage", "width", "width_vs_baseline"):
            reasons = {m.slice.kind: m.reason for m in of(findings, check)}
            assert reasons == {"whole": None, "rest": Reason.NO_REST, "value": None}

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_a_row_or_two(self, n: int) -> None:
        findings = measure(sample(n))
        [under] = of(findings, "under_coverage")
        assert bound(under)[0] < 0 < bound(under)[1] + 1
        assert sum(m.n for m in of(findings, "stratum_under_coverage")) == 2 * n

    def test_no_rows(self) -> None:
        findings = measure(sample(0))
        assert {m.reason for m in findings.measurements if m.check not in ABSENT} == {Reason.EMPTY_TABLE}

    def test_seven_clusters_are_few(self) -> None:
        frame = sample(700, cluster=[f"d{i % 7}" for i in range(700)], below_0=True)
        findings = measure(frame, plan(curve_levels=(0.5,)), quantiles=(0.5,))
        assert {m.reason for m in findings.measurements if m.check not in ABSENT} == {
            Reason.FEW_CLUSTERS,
            Reason.NO_CHAMPION,
        }
        document = json.loads(findings.notes[0].content)
        assert "lower" not in document["levels"][0]

    def test_all_is_one_and_the_same(self) -> None:
        frame = pd.DataFrame({"y": [0.0] * 50, "p": [0.0] * 50, "covered_0": [True] * 50, "width_0": [0.0] * 50})
        findings = measure(frame)
        assert [m.n for m in of(findings, "stratum_under_coverage")] == [50, 50]
        [width] = of(findings, "width")
        assert width.estimate == 0
        [skill] = of(findings, "width_vs_baseline")
        assert skill.reason is Reason.ONE_CLASS

    def test_every_identity_is_its_own_and_rows_in_any_order_give_the_same(self) -> None:
        frame = sample(3_000, slice_0=["a", "../b", "ü"] * 1_000, cluster=[str(i % 30) for i in range(3_000)])
        asked = plan(slices=("s",), cluster="day")
        first, second = measure(frame, asked), measure(frame.sample(frac=1, random_state=5), asked)
        assert first == second
        assert len({m.identity for m in first.measurements}) == len(first.measurements)
