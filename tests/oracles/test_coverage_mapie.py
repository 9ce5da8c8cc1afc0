"""Coverage, widths and strata of real tables against MAPIE and pandas, and what strata see that marginal coverage cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from mapie.conformity_scores import ResidualNormalisedScore
from mapie.metrics.classification import classification_coverage_score, classification_mean_width_score
from mapie.metrics.regression import regression_coverage_score, regression_mean_width_score, regression_ssc
from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
from scipy import stats
from sklearn.linear_model import LinearRegression, QuantileRegressor
from weighing import heaviest_of

from gates.inputs.opened import OpenTable
from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Findings, Given, Scored
from gates.records import Measurement, Parameters, Plan, Reason, TableIdentity
from gates.records.plan import Columns, Task

DIGEST = "sha256:" + "0" * 64


def plan(task: Task = "numeric", **parameters: Any) -> Plan:
    return Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        columns=Columns(label="y"),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def opened(frame: pd.DataFrame) -> OpenTable:
    identity = TableIdentity(role="training", uri="t.parquet", digest=DIGEST, rows=len(frame))
    return OpenTable(identity, ibis.memtable(frame))


def measure(frame: pd.DataFrame, asked: Plan, tables: Mapping[str, OpenTable] | None = None, **scored: Any) -> Findings:
    names = list(frame.columns)
    told = Scored(
        ibis.memtable(frame),
        len(frame),
        "q" in names,
        "cluster" in names,
        "scored",
        task=asked.task,
        heaviest=heaviest_of(frame),
        **scored,
    )
    return CalibrationGate().measure(Given(asked, tables or {}, told, None))


def of(findings: Findings, check: str) -> list[Measurement]:
    return [m for m in findings.measurements if m.check == f"calibration.{check}"]


def number(value: object) -> float:
    assert isinstance(value, float)
    return value


def bound(measurement: Measurement) -> tuple[float, float]:
    assert measurement.bounds is not None
    return number(measurement.bounds[0].lower), number(measurement.bounds[0].upper)


def name(measurement: Measurement) -> str:
    assert measurement.item is not None
    return measurement.item.name


def intervals(y: Any, p: Any, lower: Any, upper: Any, scale: float = 8.0, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "y": y / scale,
            "p": p / scale,
            "covered_0": (lower <= y) & (y <= upper),
            "width_0": (upper - lower) / scale,
            **columns,
        }
    )


class World:
    """y = 2 x + s(x) e with s rising sevenfold: what an interval of one length cannot follow."""

    def __init__(self, rows: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.x = rng.random(rows)
        self.y = 2 * self.x + self.deviation(self.x) * rng.normal(size=rows)
        self.features = self.x[:, None]

    @staticmethod
    def deviation(x: Any) -> Any:
        return 0.2 + 1.2 * x


def conformal(kind: str, calibration: World, test: World) -> tuple[Any, Any]:
    """Points and intervals at .90 of MAPIE's methods, as they come; models are fitted on rows of their own."""
    training = World(1_000, 3)
    if kind == "quantile":
        models = [
            QuantileRegressor(quantile=level, alpha=0).fit(training.features, training.y) for level in (0.05, 0.95, 0.5)
        ]
        quantiles = ConformalizedQuantileRegressor(models, confidence_level=0.9, prefit=True)
        quantiles.conformalize(calibration.features, calibration.y)
        points, found = quantiles.predict_interval(test.features, symmetric_correction=True)
    else:
        mean = LinearRegression().fit(training.features, training.y)
        score: Any = "absolute" if kind == "absolute" else ResidualNormalisedScore(random_state=0)
        split = SplitConformalRegressor(mean, confidence_level=0.9, conformity_score=score, prefit=True)
        split.conformalize(calibration.features, calibration.y)
        points, found = split.predict_interval(test.features)
    return points, found[:, :, 0]


class TestMapie:
    def test_numeric_coverage_width_and_strata(self) -> None:
        rng = np.random.default_rng(1)
        test = World(4_000, 2)
        half = rng.gamma(4, 0.3, 4_000)
        lower, upper = 2 * test.x - half, 2 * test.x + half
        carrier = rng.choice(["a", "b", "c"], 4_000)
        frame = intervals(test.y, 2 * test.x, lower, upper, slice_0=carrier)
        findings = measure(frame, plan(slices=("carrier",), strata=4), levels=(0.9,), scale=8.0)
        ends = np.stack([lower, upper], axis=1)
        for one, width in zip(of(findings, "over_coverage"), of(findings, "width"), strict=True):
            rows = np.full(4_000, True) if one.slice.value is None else carrier == one.slice.value
            theirs = regression_coverage_score(test.y[rows], ends[rows]).item()
            assert one.estimate == pytest.approx(theirs - 0.9, abs=1e-12)
            assert width.estimate == pytest.approx(regression_mean_width_score(ends[rows][:, :, None]).item(), rel=1e-9)
            assert width.unit == "label"
            spread = (upper - lower)[rows]
            half_width = stats.norm.ppf(0.95) * spread.std(ddof=1) / np.sqrt(rows.sum())
            widest = -np.log(0.05) * spread.max() / rows.sum() / 2
            half_width = widest + np.hypot(half_width, widest)
            assert bound(width)[1] == pytest.approx(spread.mean() + half_width, rel=1e-3)
        by_width = [m for m in of(findings, "stratum_under_coverage") if name(m).startswith("width")]
        theirs = regression_ssc(test.y, ends, num_bins=4)[0]
        assert [0.9 - number(m.estimate) for m in by_width] == pytest.approx(list(theirs), abs=1e-12)
        assert {m.n for m in by_width} == {1_000}

    def test_prediction_sets(self) -> None:
        rng = np.random.default_rng(3)
        chance = rng.dirichlet(np.full(5, 0.4), 3_000)
        y = np.array([rng.choice(5, p=row) for row in chance])
        order = np.argsort(-chance, axis=1)
        kept = np.cumsum(np.take_along_axis(chance, order, axis=1), axis=1) < 0.8
        sets = np.zeros_like(kept)
        np.put_along_axis(sets, order, kept, axis=1)
        sets[sets.sum(axis=1) > 3] = False
        sizes = sets.sum(axis=1)
        assert set(sizes) == {0, 1, 2, 3}
        frame = pd.DataFrame({"y": y, "covered_0": sets[np.arange(3_000), y], "width_0": sizes.astype(float)})
        frame = frame.assign(**{f"p_{k}": chance[:, k] for k in range(5)})
        findings = measure(frame, plan("multiclass"), classes=tuple("abcde"), levels=(0.9,))
        [over], [width] = of(findings, "over_coverage"), of(findings, "width")
        assert over.estimate == pytest.approx(classification_coverage_score(y, sets).item() - 0.9, abs=1e-12)
        assert width.estimate == pytest.approx(classification_mean_width_score(sets).item(), rel=1e-9)
        assert width.unit == "classes"
        strata = {name(m): m for m in of(findings, "stratum_under_coverage")}
        for stratum, wanted in (("size 1", sizes <= 1), ("size 2", sizes == 2), ("size 3", sizes == 3)):
            theirs = classification_coverage_score(y[wanted], sets[wanted]).item()
            assert strata[stratum].estimate == pytest.approx(0.9 - theirs, abs=1e-12)
            assert strata[stratum].n == wanted.sum()
        [ratio] = of(findings, "width_vs_baseline")
        rates = np.sort(np.bincount(y) / 3_000)[::-1]
        # The sets hold fewer than nine of ten, and so do the commonest classes that they are compared with.
        commonest = 1 + np.searchsorted(np.cumsum(rates), number(over.estimate) + 0.9)
        assert ratio.estimate == pytest.approx(sizes.mean() / commonest, rel=1e-9)


class TestUnevenNoise:
    @pytest.mark.parametrize(
        ("kind", "least", "most"), [("absolute", 0.70, 1.0), ("normalised", 0.85, 0.97), ("quantile", 0.85, 0.96)]
    )
    def test_strata_see_what_marginal_coverage_cannot(self, kind: str, least: float, most: float) -> None:
        """Of fifths of the rows, low predictions to high: marginal coverage is .90 for all three (statistics.md, 2)."""
        test = World(10_000, 5)
        points, ends = conformal(kind, World(5_000, 4), test)
        frame = intervals(test.y, points, ends[:, 0], ends[:, 1], scale=16.0)
        findings = measure(frame, plan(), levels=(0.9,), scale=16.0)
        [under] = of(findings, "under_coverage")
        assert bound(under)[1] < 0.02
        strata = of(findings, "stratum_under_coverage")
        by_prediction = [0.9 - number(m.estimate) for m in strata if name(m).startswith("prediction")]
        assert len(by_prediction) == 5
        assert least <= min(by_prediction) <= max(by_prediction) <= most
        proven_bad = [name(m) for m in strata if bound(m)[0] > 0.05]
        by_width = [m for m in strata if name(m).startswith("width")]
        if kind == "absolute":
            assert by_prediction == sorted(by_prediction, reverse=True)
            assert by_prediction[0] > 0.99
            assert by_prediction[-1] < 0.77
            assert "prediction 5" in proven_bad
            assert len(by_width) == 1
        else:
            assert proven_bad == []
            assert len(by_width) == 5
        [narrower] = of(findings, "width_vs_baseline")
        assert bound(narrower)[1] < 1

    def test_adapting_intervals_are_narrower_where_the_model_is_sure(self) -> None:
        test = World(6_000, 7)
        points, fixed = conformal("absolute", World(5_000, 6), test)
        _, adapting = conformal("normalised", World(5_000, 6), test)
        third = np.where(test.x < 1 / 3, "low", np.where(test.x < 2 / 3, "mid", "top"))
        frame = intervals(test.y, points, adapting[:, 0], adapting[:, 1], slice_0=third)
        frame = frame.assign(champion_width_0=(fixed[:, 1] - fixed[:, 0]) / 8)
        findings = measure(frame, plan(slices=("third",)), levels=(0.9,), scale=8.0, champion_levels=True)
        ratios = {m.slice.value: m for m in of(findings, "width_vs_champion")}
        for value, rows in ((None, third != ""), *((v, third == v) for v in ("low", "mid", "top"))):
            a, b = (ends[rows, 1] - ends[rows, 0] for ends in (adapting, fixed))
            assert ratios[value].estimate == pytest.approx(a.mean() / b.mean(), rel=1e-9)
        assert bound(ratios["low"])[1] < 0.6
        assert bound(ratios["top"])[0] > 1.2


def narrowest(y: Any, share: float, weight: Any = None) -> float:
    """The narrowest interval that holds a share of rows, by trying all of them."""
    order = np.argsort(y)
    label, upto = y[order], np.cumsum(np.ones(y.size) if weight is None else weight[order])
    before = np.r_[0.0, upto[:-1]]
    wide = [
        label[np.searchsorted(upto, low + share * upto[-1] - 1e-9) :][:1] - at
        for at, low in zip(label, before, strict=True)
    ]
    return min(float(found[0]) for found in wide if found.size)


class TestBaseline:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("half", [1.0, 3.0])
    def test_the_narrowest_interval_that_holds_as_many(self, half: float, weighted: bool) -> None:
        """The level's share where the candidate holds more, else its own."""
        test = World(2_000, 8)
        weight = np.random.default_rng(1).gamma(2, 0.5, 2_000) if weighted else np.ones(2_000)
        frame = intervals(test.y, 2 * test.x, 2 * test.x - half, 2 * test.x + half)
        given = frame.assign(weight=weight / weight.mean()) if weighted else frame
        tables = {"training": opened(pd.DataFrame({"y": test.y / 9}))}
        [ratio] = of(measure(given, plan(), tables, levels=(0.9,), scale=8.0), "width_vs_baseline")
        held = float(np.average(frame.covered_0, weights=weight))
        assert (held < 0.9) == (half == 1)
        width = narrowest(test.y, min(0.9, held), weight)
        assert ratio.estimate == pytest.approx(2 * half / width, rel=1e-9)
        assert {p.name: p.value for p in ratio.params}["baseline_width"] == pytest.approx(width, rel=1e-9)

    def test_many_rows_are_cut_into_runs_that_never_favour_the_candidate(self) -> None:
        y = np.random.default_rng(2).exponential(size=50_000)
        width = narrowest(y, 0.9)
        frame = intervals(y, np.ones(50_000), np.zeros(50_000), np.full(50_000, width))
        [ratio] = of(measure(frame, plan(), levels=(0.9,), scale=8.0), "width_vs_baseline")
        assert 1 <= number(ratio.estimate) <= 1.002

    def test_labels_that_are_all_one_number_have_none(self) -> None:
        frame = intervals(np.ones(50), np.ones(50), np.zeros(50), np.full(50, 2.0))
        [ratio] = of(measure(frame, plan(), levels=(0.9,), scale=8.0), "width_vs_baseline")
        assert ratio.reason is Reason.ONE_CLASS

    @pytest.mark.parametrize("drift", [(0.0, 1.0), (0.5, 1.0), (0.0, 0.7), (0.0, 1.5)])
    def test_no_constant_interval_is_a_gain(self, drift: tuple[float, float]) -> None:
        """Equal tails and the narrowest, of the judged rows and of training; also of one that holds a point less."""
        rng = np.random.default_rng(10)
        y, before = drift[0] + drift[1] * rng.exponential(size=6_000), rng.exponential(size=6_000)
        tables = {"training": opened(pd.DataFrame({"y": before}))}
        for low, high in (
            *(np.quantile(rows, [0.05, 0.95]) for rows in (y, before)),
            *((rows.min(), rows.min() + narrowest(rows, share)) for rows in (y, before) for share in (0.9, 0.89)),
        ):
            frame = intervals(y, np.ones(6_000), np.full(6_000, low), np.full(6_000, high))
            [ratio] = of(measure(frame, plan(), tables, levels=(0.9,), scale=8.0), "width_vs_baseline")
            assert number(ratio.estimate) >= 1 - 1e-9
            assert bound(ratio)[1] >= 1 - 1e-9


def test_the_attachment_holds_the_figures() -> None:
    test = World(3_000, 11)
    points, ends = conformal("normalised", World(2_000, 12), test)
    frame = intervals(test.y, points, ends[:, 0], ends[:, 1])
    frame = frame.assign(below_0=test.y <= points - 1, below_1=test.y <= points)
    tables = {"calibration": opened(pd.DataFrame({"y": np.zeros(2_000)}))}
    findings = measure(frame, plan(), tables, levels=(0.9,), quantiles=(0.2, 0.5), scale=8.0)
    document = json.loads(next(n.content for n in findings.notes if n.name == "coverage.json"))
    strata = {name(m): m for m in of(findings, "stratum_under_coverage")}
    assert [s["name"] for s in document["strata"]] == list(strata)
    for stratum in document["strata"]:
        own = strata[stratum["name"]]
        assert stratum["coverage"] == pytest.approx(0.9 - number(own.estimate))
        assert stratum["lower"] == pytest.approx(0.9 - bound(own)[1])
        assert stratum["upper"] == pytest.approx(0.9 - bound(own)[0])
        assert stratum["n"] == own.n
        values = points if stratum["by"] == "prediction" else ends[:, 1] - ends[:, 0]
        inside = (values > stratum["from"]) & (values <= stratum["to"])
        # The first holds its left end too.
        assert own.n - inside.sum() in (0, 1)
        assert stratum["mean_width"] == pytest.approx((ends[:, 1] - ends[:, 0])[inside].mean(), rel=1e-2)
    [level] = document["levels"]
    assert (level["level"], level["n"], document["calibration_rows"]) == (0.9, 3_000, 2_000)
    assert level["mean_width"] == pytest.approx((ends[:, 1] - ends[:, 0]).mean())
    assert [q["level"] for q in document["quantiles"]] == [0.2, 0.5]
    assert document["quantiles"][1]["share"] == pytest.approx(float((test.y <= points).mean()))
