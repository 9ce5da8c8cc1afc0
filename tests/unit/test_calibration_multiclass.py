"""Calibration of more than two classes: the top label, the worst class and the sum; a mean that cannot fail is no part."""

from __future__ import annotations

import json
from typing import Any

import calibration
import ibis
import numpy as np
import pandas as pd
import pytest
from mapie.metrics.calibration import spiegelhalter_statistic
from sklearn.isotonic import IsotonicRegression
from weighing import heaviest_of

from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Findings, Given, Scored
from gates.records import Measurement, Parameters, Plan, Reason

DIGEST = "sha256:" + "0" * 64
SHIPPED = 0.05
LIMIT = 0.02


def measure(
    probabilities: np.ndarray, y: np.ndarray, *, columns: dict[str, Any] | None = None, **parameters: Any
) -> Findings:
    classes = tuple(f"c{k} ../é" for k in range(probabilities.shape[1]))
    frame = pd.DataFrame(probabilities, columns=[f"p_{k}" for k in range(len(classes))]).assign(y=y, **(columns or {}))
    plan = Plan(
        model="m",
        task="multiclass",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    scored = Scored(
        ibis.memtable(frame),
        len(frame),
        False,
        "cluster" in frame,
        "scored",
        task="multiclass",
        heaviest=heaviest_of(frame),
        classes=classes,
    )
    return CalibrationGate().measure(Given(plan, {}, scored, None))


def of(findings: Findings, check: str) -> list[Measurement]:
    return [m for m in findings.measurements if m.check == f"calibration.{check}"]


def bound(measurement: Measurement, side: str) -> float:
    assert measurement.bounds is not None
    return float(getattr(measurement.bounds[0], side))


def drawn(k: int, n: int, *, sure: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """True rates and labels; `sure` raises the rates to a power, which makes a score too sure of itself."""
    rng = np.random.default_rng(seed)
    rates = rng.dirichlet(np.full(k, 0.5), n)
    y = (rng.random(n)[:, None] > rates.cumsum(axis=1)).sum(axis=1).clip(max=k - 1)
    powered = np.maximum(rates, 1e-12) ** sure
    return powered / powered.sum(axis=1, keepdims=True), y


def by_hand(p: np.ndarray, y: np.ndarray) -> float:
    edges = np.unique(np.ceil(np.sort(p)[-(-p.size * np.arange(1, 10) // 10) - 1] * 1000 - 1e-9) / 1000)
    code = np.searchsorted(edges, p, side="left")
    return sum(abs((y - p)[code == b].sum()) for b in np.unique(code)) / p.size


def test_the_top_label_is_one_binary_score() -> None:
    p, y = drawn(4, 3_000, sure=2.0)
    findings = measure(p, y)
    best, right = p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
    [whole] = of(findings, "ece")
    assert whole.estimate == pytest.approx(by_hand(best, right), abs=1e-9)
    [width] = of(findings, "ece_equal_width")
    assert width.estimate == pytest.approx(calibration.get_ece(best, right.astype(int), num_bins=10), abs=1e-9)
    [exact] = of(findings, "spiegelhalter")
    assert exact.estimate == pytest.approx(spiegelhalter_statistic(right, best), abs=1e-9)
    assert sum(m.n for m in of(findings, "bin")[:-1]) == 3_000


def test_what_a_map_of_the_largest_probability_would_reach_is_what_fresh_rows_show() -> None:
    p, y = drawn(4, 30_000, sure=2.0)
    [content] = [note.content for note in measure(p, y).notes if note.name == "recalibration.json"]
    found = json.loads(content)
    best, right = p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(best, right)
    q, z = drawn(4, 60_000, sure=2.0, seed=2)
    fresh = by_hand(np.asarray(fitted.predict(q.max(axis=1))), (q.argmax(axis=1) == z).astype(float))
    assert set(found["reaches"]) == {"intercept", "isotonic"}
    assert found["error"] == pytest.approx(by_hand(best, right), abs=0.01)
    assert found["reaches"]["isotonic"] == pytest.approx(fresh, abs=0.01)
    assert fresh < found["error"] / 5


def test_each_class_is_measured_where_it_may_be_chosen_and_summed() -> None:
    p, y = drawn(5, 4_000, sure=1.7)
    findings = measure(p, y)
    worst, [added] = of(findings, "classwise_worst"), of(findings, "classwise_sum")
    assert [m.item.name for m in worst if m.item] == [f"c{k} ../é" for k in range(5)]
    total = 0.0
    for k, one in enumerate(worst):
        rows = p[:, k] >= 1 / 5
        expected = by_hand(p[rows, k], (y[rows] == k).astype(float))
        assert one.n == rows.sum()
        assert one.estimate == pytest.approx(expected, abs=1e-9)
        total += expected * rows.mean()
    assert added.estimate == pytest.approx(total, abs=1e-9)
    assert bound(added, "lower") < total < bound(added, "upper")
    assert {m.family.size for m in worst} == {5}
    assert added.family.size == 1


def test_a_hundred_classes_too_sure_of_themselves_do_not_hide_in_a_mean() -> None:
    """The mean over classes of the classwise error would be 0.006; the top label is off by 0.29."""
    rng = np.random.default_rng(2)
    n, k = 3_000, 100
    top, confidence = rng.integers(0, k, n), 0.9
    right = rng.random(n) < confidence - 0.29
    y = np.where(right, top, (top + rng.integers(1, k, n)) % k)
    p = np.full((n, k), (1 - confidence) / (k - 1))
    p[np.arange(n), top] = confidence
    mean = np.mean([abs((p[:, c] - (y == c)).mean()) for c in range(k)])
    assert mean < 0.01
    findings = measure(p, y, minimum_events=10)
    [whole] = of(findings, "ece")
    assert whole.estimate == pytest.approx(0.29, abs=0.02)
    assert bound(whole, "lower") > 10 * LIMIT
    assert max(bound(m, "lower") for m in of(findings, "classwise_worst")) > LIMIT
    assert bound(of(findings, "classwise_sum")[0], "lower") > 4 * LIMIT


@pytest.mark.parametrize(("k", "few", "enough"), [(3, 1_000, 4_000), (10, 8_000, 50_000)])
def test_what_a_perfect_model_needs_to_prove_the_sum_is_what_the_check_says(k: int, few: int, enough: int) -> None:
    """About 4,000 rows of 3 classes, and 5,000 for each of 10 (calibration.rego); the worst class needs far fewer."""
    found = []
    for n in (few, enough):
        rng = np.random.default_rng(0)
        p = rng.dirichlet(np.full(k, 0.3), n)
        y = (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(max=k - 1)
        findings = measure(p, y)
        found.append(bound(of(findings, "classwise_sum")[0], "upper"))
        if k > 3:
            assert max(bound(m, "upper") for m in of(findings, "classwise_worst")) <= SHIPPED
    assert found[0] > SHIPPED >= found[1]


def test_a_class_with_few_events_is_counted_and_not_judged() -> None:
    p, y = drawn(3, 2_000, sure=1.0)
    p = np.c_[p * 0.999, np.full(2_000, 0.001)]
    y[:3] = 3
    found = of(measure(p, y), "classwise_worst")
    assert [m.item.name for m in found if m.item] == [f"c{k} ../é" for k in range(3)]
    named = {param.name: param.value for param in found[0].params}
    assert (named["classes"], named["classes_with_enough_events"], named["minimum_events"]) == (4, 3, 50)
    [none] = of(measure(p, y, minimum_events=5_000), "classwise_worst")
    assert none.reason is Reason.FEW_EVENTS


def test_clusters_weights_and_slices_reach_every_figure() -> None:
    p, y = drawn(3, 3_000, sure=1.5)
    rng = np.random.default_rng(4)
    day = rng.integers(0, 12, 3_000).astype(str)
    clustered = measure(
        p, y, columns={"cluster": day, "slice_0": ["a", "b", "b"] * 1_000}, slices=("s",), cluster="day"
    )
    plain = measure(p, y)
    for check in ("ece", "classwise_worst", "classwise_sum", "slope"):
        one, other = of(clustered, check)[0], of(plain, check)[0]
        assert one.clusters == 12
        assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
        assert bound(one, "upper") > bound(other, "upper")
    assert [str(m.slice) for m in of(clustered, "ece")] == ["whole", "s=a", "s=b"]
    weight = rng.integers(1, 5, 3_000).astype(float)
    heavy = measure(p, y, columns={"weight": weight / weight.mean()})
    edges = {m.check: m for m in heavy.measurements}
    assert edges["calibration.ece"].n == 3_000
    repeated = measure(np.repeat(p, weight.astype(int), axis=0), np.repeat(y, weight.astype(int)))
    for check in ("ece", "ece_equal_width", "classwise_worst", "classwise_sum", "slope"):
        for one, other in zip(of(heavy, check), of(repeated, check), strict=True):
            assert one.estimate == pytest.approx(other.estimate, abs=1e-9)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_and_one(rows: int) -> None:
    findings = measure(np.array([[0.2, 0.5, 0.3]])[:rows], np.array([1])[:rows])
    assert {m.reason for m in findings.measurements if m.check == "calibration.ece"} == {
        None if rows else Reason.EMPTY_TABLE
    }
    assert of(findings, "classwise_worst")[0].reason is (Reason.FEW_EVENTS if rows else Reason.EMPTY_TABLE)
    assert of(findings, "classwise_sum")


def test_ties_of_probabilities_go_to_the_first_class() -> None:
    p = np.tile([0.4, 0.4, 0.2], (300, 1))
    [whole] = of(measure(p, np.r_[np.zeros(120), np.full(180, 1)].astype(int)), "ece")
    assert whole.estimate == pytest.approx(0, abs=1e-9)
