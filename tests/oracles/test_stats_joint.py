"""Threshold metrics of joint counts against scikit-learn, resampled rows, and worlds with a known truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics

from gates.measure.stats.figure import Figure
from gates.measure.stats.joint import (
    ACCURACY,
    F1,
    MCC,
    PRECISION,
    RECALL,
    DecisionMetric,
    Joint,
    candidate,
    decision_difference,
    decision_metric,
    other,
)
from gates.records import Reason

Score = Callable[..., float]
PAIRS: list[tuple[DecisionMetric, Score]] = [
    (ACCURACY, metrics.accuracy_score),
    (PRECISION, metrics.precision_score),
    (RECALL, metrics.recall_score),
    (F1, metrics.f1_score),
    (MCC, metrics.matthews_corrcoef),
]


def rows(rng: np.random.Generator, n: int, clusters: int = 0) -> tuple[np.ndarray, ...]:
    x = rng.normal(-1, 1.5, n)
    cluster = rng.integers(0, clusters or 1, n)
    shock = rng.normal(0, 0.8 if clusters else 0, clusters or 1)[cluster]
    a, b = x + 0.6 * rng.normal(size=n) + shock > 0, x + 0.8 * rng.normal(size=n) > 0
    return (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int), a.astype(int), b.astype(int), cluster


def joint(y: np.ndarray, a: np.ndarray, b: np.ndarray, cluster: np.ndarray | None = None, seed: int = 1) -> Joint:
    code = np.zeros_like(y) if cluster is None else cluster
    size = int(code.max()) + 1 if y.size else 0
    counts = np.bincount(code * 8 + 4 * y + 2 * a + b, minlength=8 * size).reshape(size, 8).astype(float)
    return Joint(counts, cluster is not None, float(y.size), seed)


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


@pytest.mark.parametrize(("metric", "theirs"), PAIRS)
def test_values_are_those_of_scikit_learn(metric: DecisionMetric, theirs: Score) -> None:
    y, a, b, _ = rows(np.random.default_rng(1), 2_000)
    found = joint(y, a, b)
    assert figure(decision_metric(found, metric, minimum_clusters=8)).estimate == pytest.approx(theirs(y, a), abs=1e-12)
    swapped = figure(decision_metric(found.swapped(), metric, minimum_clusters=8))
    assert swapped.estimate == pytest.approx(theirs(y, b), abs=1e-12)
    difference = figure(decision_difference(found, metric, minimum_clusters=8))
    assert difference.estimate == pytest.approx(theirs(y, a) - theirs(y, b), abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "theirs"), [PAIRS[1], *(pytest.param(*pair, marks=pytest.mark.long) for pair in PAIRS[2:])]
)
def test_spread_is_that_of_resampled_rows(metric: DecisionMetric, theirs: Score) -> None:
    rng = np.random.default_rng(2)
    y, a, b, _ = rows(rng, 2_000)
    # The same rows drawn again, each kind once with its number as weight: scikit-learn takes as long for 8 as for one.
    kinds, kind = np.unique(np.stack([y, a, b]), axis=1, return_inverse=True)
    resampled = []
    for _ in range(400):
        often = np.bincount(kind.ravel()[rng.integers(0, 2_000, 2_000)], minlength=kinds.shape[1])
        one, two = (theirs(kinds[0], said, sample_weight=often) for said in kinds[1:])
        resampled.append(one - two)
    [drawn] = joint(y, a, b).draws
    spread = np.std(metric.value(candidate(drawn)) - metric.value(other(drawn)))
    # Three standard errors of a standard deviation of 400 are .106.
    assert spread == pytest.approx(np.std(resampled), rel=0.11)


@pytest.mark.long
@pytest.mark.parametrize("n", [30, 1_000])
@pytest.mark.parametrize("metric", [PRECISION, MCC])
def test_a_true_difference_is_rarely_outside(metric: DecisionMetric, n: int) -> None:
    rng, runs, wrong = np.random.default_rng(n), 100, np.zeros(2)
    y, a, b, _ = rows(rng, 2_000_000)
    truth = figure(decision_difference(joint(y, a, b), metric, minimum_clusters=8)).estimate
    for run in range(runs):
        found = decision_difference(joint(*rows(rng, n)[:3], seed=run), metric, minimum_clusters=8)
        if isinstance(found, Figure):
            wrong += [found.lower[0] > truth, found.upper[0] < truth]
    # .05 is promised for each side; three Monte Carlo standard errors of 100 runs are .065.
    assert max(wrong / runs) <= 0.05 + 0.065


@pytest.mark.long
@pytest.mark.parametrize("clusters", [12, 40])
def test_clusters_rarely_hide_a_true_difference(clusters: int) -> None:
    rng, runs, wrong = np.random.default_rng(clusters), 60, np.zeros(2)
    y, a, b, _ = rows(rng, 2_000_000, 20_000)
    truth = figure(decision_difference(joint(y, a, b), PRECISION, minimum_clusters=8)).estimate
    for run in range(runs):
        found = figure(
            decision_difference(joint(*rows(rng, 50 * clusters, clusters), seed=run), PRECISION, minimum_clusters=8)
        )
        wrong += [found.lower[0] > truth, found.upper[0] < truth]
    # Shocks hurt the candidate only: as for areas, .07 is allowed with few clusters.
    assert max(wrong / runs) <= 0.07 + 0.099


def test_clusters_never_make_bounds_narrower() -> None:
    y, a, b, cluster = rows(np.random.default_rng(3), 1_000, 20)
    independent, clustered = (
        figure(decision_difference(one, F1, minimum_clusters=8)) for one in (joint(y, a, b), joint(y, a, b, cluster))
    )
    assert np.all(clustered.lower <= independent.lower)
    assert np.all(clustered.upper >= independent.upper)


def test_the_same_seed_draws_the_same_and_another_nearly() -> None:
    y, a, b, _ = rows(np.random.default_rng(4), 1_000)
    first, again, apart = (
        figure(decision_difference(joint(y, a, b, seed=seed), F1, minimum_clusters=8)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.lower, again.lower)
    assert first.lower[0] == pytest.approx(apart.lower[0], abs=0.001)
    assert np.all(np.diff(first.lower) < 0)


class TestTooLittle:
    def test_what_divides_by_nothing_is_a_reason(self) -> None:
        y = np.array([0, 1] * 10)
        never = joint(y, np.zeros_like(y), y)
        assert decision_metric(never, PRECISION, minimum_clusters=8) is Reason.ONE_CLASS
        assert decision_difference(never, MCC, minimum_clusters=8) is Reason.ONE_CLASS
        assert figure(decision_metric(never, RECALL, minimum_clusters=8)).estimate == 0
        assert figure(decision_metric(never, F1, minimum_clusters=8)).estimate == 0
        quiet = joint(np.zeros_like(y), np.zeros_like(y), y)
        assert decision_metric(quiet, RECALL, minimum_clusters=8) is Reason.ONE_CLASS
        assert decision_metric(quiet, F1, minimum_clusters=8) is Reason.ONE_CLASS

    def test_no_rows_and_few_clusters(self) -> None:
        none = np.zeros(0, dtype=int)
        assert decision_metric(joint(none, none, none), ACCURACY, minimum_clusters=8) is Reason.EMPTY_TABLE
        y = np.array([0, 1] * 7)
        assert decision_metric(joint(y, y, y, np.arange(14) % 7), F1, minimum_clusters=8) is Reason.FEW_CLUSTERS

    def test_agreement_on_thirty_rows_proves_little(self) -> None:
        y = np.array([0, 1] * 15)
        found = figure(decision_difference(joint(y, y, y), RECALL, minimum_clusters=8))
        # Nothing lost among 15 events: the rule of three.
        assert found.lower[0] == pytest.approx(-2.7055 / 15, abs=1e-3)
