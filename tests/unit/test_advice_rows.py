"""Rows that would settle an open figure: the direction is right, and so many rows do settle it, in simulated worlds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from decision_samples import (
    LIMITS,
    Sample,
    carrier,
    decision,
    good,
    ladder,
    measured,
    overconfident,
    reliability,
    result,
    uncalibrated,
)

from gates.audit.site.page import page
from gates.decide.advice import is_worse
from gates.decide.attachments import Bin, Reliability
from gates.decide.limits import Limit, Rungs
from gates.decide.rows_needed import CAP, Need, rows_for_ece, rows_for_width
from gates.measure.regression.metrics import METRICS, Metric
from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.records import LADDER, Bound, Family, Item, Measurement
from gates.render.document import document
from gates.render.markdown import markdown, prose
from gates.render.screen import Screen
from gates.render.text import text
from gates.render.words import worse_text

ECE = LIMITS["calibration.ece"]
FAILING = 3  # the rung of a family of ten


def cells(rng: np.random.Generator, rows: int, shift: float, centre: float, spread: float) -> Cells:
    """Ten equal-mass bins of a model that is off by a constant on the log-odds."""
    odds = rng.normal(centre, spread, rows)
    p = np.sort(1 / (1 + np.exp(-odds - shift)))
    true = 1 / (1 + np.exp(-(np.log(p / (1 - p)) - shift)))
    y = (rng.random(rows) < true).astype(float)
    code = np.arange(rows) * 10 // rows

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(code, weights=values, minlength=10)

    return Cells(np.arange(10), total(np.ones(rows)), total(p), total(p * p), total(y), total(p * y))


def figure_of(some: Cells) -> Figure:
    figure = ece(some, minimum_clusters=8)
    assert isinstance(figure, Figure)
    return figure


def open_figure(figure: Figure) -> bool:
    return not figure.upper[0] < ECE.value and not figure.lower[FAILING] >= ECE.value


def advice(some: Cells, figure: Figure) -> Need:
    measurement = Measurement(
        check="calibration.ece",
        subject="candidate",
        estimate=figure.estimate,
        debiased=figure.debiased,
        bounds=figure.bounds(),
        family=Family(name="calibration.ece", size=10),
        n=figure.n,
        method="test",
    )
    bins = [
        Bin(n=int(n), mean_p=float(p / n), mean_y=float(y / n)) for n, p, y in zip(some.n, some.p, some.y, strict=True)
    ]
    need = rows_for_ece(measurement, ECE, bins, Rungs())
    assert need is not None
    return need


@pytest.mark.parametrize(
    ("shift", "centre", "spread", "rows", "toward"),
    [
        (0.0, 0.0, 1.5, 3_000, "pass"),
        (0.05, 0.0, 1.5, 3_000, "pass"),
        (0.28, 0.0, 1.5, 2_000, "fail"),
        (0.0, -3.0, 1.0, 1_000, "pass"),
        (0.5, -3.0, 1.0, 2_000, "fail"),
    ],
)
def test_in_simulated_worlds_the_advice_points_the_right_way_and_suffices(
    shift: float, centre: float, spread: float, rows: int, toward: str
) -> None:
    """Statistics of 80 runs: the direction errs in under a third (8-29 % from 2k rows), the upper end settles 3 of 4."""
    rng = np.random.default_rng(20_261_121)
    right, settled, runs = 0, [], 0
    for _ in range(80):
        some = cells(rng, rows, shift, centre, spread)
        figure = figure_of(some)
        if not open_figure(figure):
            continue
        runs += 1
        need = advice(some, figure)
        right += need.toward == toward
        assert need.now == rows
        assert 0 < need.low <= need.high <= 1.1 * CAP * rows
        if need.toward == toward and len(settled) < 20:
            settled.append(not open_figure(figure_of(cells(rng, need.high, shift, centre, spread))))
    assert runs >= 30
    assert right / runs >= 0.7
    assert np.mean(settled) >= 0.75


def normal(estimate: float, error: float, n: int = 1_000, **more: object) -> Measurement:
    return measured("regression.auc_vs_champion", estimate, error, n=n, clusters=None, **more)  # type: ignore[arg-type]


AUC = LIMITS["regression.auc_vs_champion"]


def test_by_the_root_law_a_difference_of_one_error_needs_six_times_the_rows() -> None:
    need = rows_for_width(normal(0.0, 0.01), AUC, Rungs())

    assert need is not None
    assert need.toward == "pass"
    point = 1_000 * (1.6449 + 0.8416) ** 2
    assert need.low < point < need.high


@pytest.mark.parametrize(
    ("estimate", "error", "truth_passes"), [(0.0, 0.006, True), (-0.005, 0.004, True), (-0.03, 0.009, False)]
)
def test_so_many_rows_of_a_difference_do_settle_it(estimate: float, error: float, truth_passes: bool) -> None:
    rng = np.random.default_rng(7)
    need = rows_for_width(normal(estimate, error), AUC, Rungs())
    assert need is not None
    assert (need.toward == "pass") is truth_passes
    shrunk = error * math.sqrt(1_000 / need.high)
    repeats = rng.normal(estimate, shrunk, 2_000)
    z = 1.6449 if truth_passes else 3.0902
    settled = repeats - z * shrunk >= -0.01 if truth_passes else repeats + z * shrunk < -0.01
    assert settled.mean() >= 0.8


def test_more_distance_or_less_noise_needs_fewer_rows() -> None:
    needs = [rows_for_width(normal(estimate, 0.01), AUC, Rungs()) for estimate in (-0.009, -0.005, 0.0, 0.005)]
    lows = [need.low for need in needs if need is not None]

    assert lows == sorted(lows, reverse=True)
    assert len(lows) == 4


def test_a_figure_on_its_limit_is_capped_and_open() -> None:
    need = rows_for_width(normal(-0.01, 0.01), AUC, Rungs())

    assert need is not None
    assert need.capped
    assert not need.sure
    assert need.high == CAP * 1_000


def test_two_sided_limits_use_the_nearer_side() -> None:
    limit = LIMITS["calibration.bin"]
    up = rows_for_width(measured("calibration.bin", 0.04, 0.02), limit, Rungs())
    down = rows_for_width(measured("calibration.bin", -0.04, 0.02), limit, Rungs())

    assert up == down
    assert up is not None
    assert up.toward == "pass"


@pytest.mark.parametrize("side", ["lower", "upper"])
def test_without_a_width_there_is_no_advice(side: str) -> None:
    open_bounds = tuple(
        Bound(**({"confidence": rung, "lower": -0.1, "upper": 0.1} | {side: "unbounded"})) for rung in LADDER
    )
    figure = normal(0.0 if side == "lower" else -0.05, 0.01, bounds=open_bounds)
    limit = AUC if side == "lower" else Limit("at_least", -0.01, inclusive=True)

    assert rows_for_width(figure, limit, Rungs()) is None
    assert rows_for_width(replace_bounds(figure, 0.0), AUC, Rungs()) is None


def replace_bounds(figure: Measurement, error: float) -> Measurement:
    return figure.model_copy(update={"bounds": ladder(figure.estimate or 0.0, error)})


def test_clusters_cost_rows() -> None:
    """An interval twice as wide as independent rows give needs four times the rows, where the bins show no gap."""
    bins = [Bin(n=300, mean_p=share, mean_y=share) for share in np.linspace(0.05, 0.95, 10)]
    independent = math.sqrt(sum(300 * part.mean_p * (1 - part.mean_p) for part in bins if part.mean_p)) / 3_000
    needs = [
        rows_for_ece(measured("calibration.ece", 0.019, error, n=3_000, debiased=0.0), ECE, bins, Rungs())
        for error in (independent, 2 * independent)
    ]

    assert needs[0] is not None
    assert needs[1] is not None
    assert needs[1].low == pytest.approx(4 * needs[0].low, rel=0.05)
    assert needs[0].toward == needs[1].toward == "pass"


def test_bins_of_another_figure_are_not_used() -> None:
    reliable = Reliability.read(reliability(1.0))
    assert reliable is not None

    assert rows_for_ece(measured("calibration.ece", 0.017, 0.01, n=5), ECE, reliable.bins, Rungs()) is None
    assert rows_for_ece(measured("calibration.ece", 0.017, 0.01, n=5), ECE, (), Rungs()) is None


@pytest.mark.parametrize("raw", [None, b"", b"{", b"[1]", b'{"bins": [{"n": -1}]}', b'{"bins": [{"n": 1e400}]}'])
def test_an_unreadable_attachment_is_as_good_as_none(raw: bytes | None) -> None:
    assert Reliability.read(raw) is None
    attached = {"reliability.json": raw} if raw is not None else {}
    assert uncalibrated().advice(attached) == uncalibrated().advice()


def test_advice_is_for_what_is_open_and_has_a_figure() -> None:
    assert uncalibrated().advice().settle[0].place[0] == "calibration.ece"
    assert len(good().advice().settle) == 5
    assert {item.place[0] for item in overconfident().advice().settle} == {"calibration.bin"}
    empty = Sample(decision((), allow=False), ())
    assert empty.advice().document() == {
        name: [] for name in ("settle", "worst_slices", "stand_out", "causes", "hints", "worse_than_champion")
    }


def test_the_bins_sharpen_the_advice_for_the_whole() -> None:
    with_bins = uncalibrated().advice({"reliability.json": reliability(2.2)})

    assert with_bins.settle[0].need != uncalibrated().advice().settle[0].need


def test_the_worst_slice_is_the_surest_not_the_noisiest() -> None:
    tiny = measured("calibration.ece", 0.4, 0.3, slice_=carrier("OO"), n=9)
    large = measured("calibration.ece", 0.06, 0.004, slice_=carrier("UA"), n=14_500)
    fine = measured("calibration.ece", 0.005, 0.003, slice_=carrier("DL"), n=12_000)
    rows = (
        result(tiny, "inconclusive", "tolerated"),
        result(large, "fail"),
        result(fine, "pass"),
    )
    worst = Sample(decision(rows, allow=False), (tiny, large, fine)).advice().worst

    assert [item.place[1].value for item in worst] == ["UA"]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric.name}-{min(metric.tasks)}")
def test_the_unit_of_a_comparison_says_which_side_is_worse(metric: Metric) -> None:
    equal = 1.0 if metric.compared == "ratio" else 0.0
    low, same, high = (
        is_worse(measured(f"regression.{metric.name}_vs_champion", equal + by, 0.1, unit=metric.paired_unit))
        for by in (-0.01, 0.0, 0.01)
    )
    assert not same
    assert (low, high) == ((True, False) if metric.better == "higher" else (False, True))


def test_what_no_result_judges_and_is_worse_than_the_champion_is_told_of_the_whole() -> None:
    def against(metric: str, estimate: float, unit: str = "difference", **more: object) -> Measurement:
        return measured(f"regression.{metric}_vs_champion", estimate, 0.005, unit=unit, **more)  # type: ignore[arg-type]

    judged = against("auc", -0.001, "area")
    f1, recall, latency = (
        against("f1", -0.012),
        against("recall", -0.030),
        against("latency", 1.3, "ratio", item=Item(kind="metric", name="p95")),
    )
    silent = (
        against("precision", 0.02),
        against("accuracy", 0.0),
        against("brier", 0.99, "ratio"),
        against("mcc", -0.2, slice_=carrier("HA")),
        measured("regression.brier_vs_baseline", 1.2, 0.1, unit="ratio"),
        against("value", -1.0, "payoff").model_copy(update={"estimate": None}),
    )
    sample = Sample(decision((result(judged, "pass"),), allow=True), (judged, f1, *silent, recall, latency))
    advice = sample.advice()

    assert advice.worse == (f1, recall, latency)
    assert worse_text(advice.worse) == (
        "by their point, and not judged here: f1 -0.012 [-0.020, -0.004], recall -0.030 [-0.038, -0.022], "
        "latency p95 1.300 [1.292, 1.308] times"
    )
    written = advice.document()["worse_than_champion"]
    assert [(row["check"], row["estimate"]) for row in written] == [(m.check, m.estimate) for m in advice.worse]
    assert written[2]["item"] == {"kind": "metric", "name": "p95"}
    assert written[0]["interval"]["confidence"] == 0.95


def test_every_view_tells_it() -> None:
    lower = measured("regression.f1_vs_champion", -0.012, 0.005, unit="difference")
    sample = good()
    view = replace(sample, measurements=(*sample.measurements, lower)).view()

    line = "by their point, and not judged here: f1 -0.012 [-0.020, -0.004]"
    assert f"worse than the champion {line}" in text(view, screen=Screen(200))
    assert f"Worse than the champion {prose(line)}." in markdown(view)
    assert line in page(view)
    assert document(view)["advice"]["worse_than_champion"][0]["check"] == "regression.f1_vs_champion"
    assert "worse than the champion" not in text(sample.view(), screen=Screen(200))
