"""Areas and their difference against pauc, MLstatkit, scikit-learn, all pairs written out, and the jackknife."""

from __future__ import annotations

import math

import numpy as np
import pauc
import pytest
from MLstatkit import Delong_test
from scipy import stats
from sklearn.metrics import roc_auc_score
from worlds import freedom_of, lifts_of, logistic, logits, outcomes, unseen_of

from gates.measure.stats.auc import Placements, auc, auc_difference
from gates.measure.stats.figure import Figure
from gates.records import LADDER, Reason

Z = float(stats.norm.ppf(0.95))


def sample(n: int, seed: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = logits(rng, "bal", n)
    p, q = (logistic(x + s * rng.normal(size=n)) for s in (0.5, 0.9))
    return outcomes(rng, logistic(x)), *((np.round(p, 1), np.round(q, 1)) if ties else (p, q))


def difference(y: np.ndarray, p: np.ndarray, q: np.ndarray, cluster: np.ndarray | None = None) -> Figure:
    found = auc_difference(Placements.of(y, p), Placements.of(y, q), cluster, minimum_clusters=8)
    assert isinstance(found, Figure)
    return found


def error(found: Figure, y: np.ndarray, z: float = Z, rows: float | None = None) -> float:
    """The standard error under the bound at the first rung, without the rule of three, which stands on the rows."""
    half = found.upper[0] - found.estimate
    return math.sqrt(half**2 - (z**2 / (rows or min(y.sum(), y.size - y.sum()))) ** 2) / z


def unseen(y: np.ndarray, pairs: np.ndarray, cluster: np.ndarray, variance: float) -> float:
    """The rows of the class that says less of what was never seen."""
    sides = [pairs.mean(axis=axis) - pairs.mean() for axis in (1, 0)]
    by_rows = sum(off.var(ddof=1) / off.size for off in sides)
    codes = (cluster[y > 0], cluster[y == 0])
    return min(
        unseen_of(code, off.size * min(1, by_rows / variance), (off**2).sum() ** 2 / (off.size * (off**4).sum()))
        for off, code in zip(sides, codes, strict=True)
    )


@pytest.mark.parametrize("ties", [False, True])
def test_delong_is_that_of_pauc_and_mlstatkit(ties: bool) -> None:
    y, p, q = sample(3_000, 7, ties=ties)
    found = difference(y, p, q)
    theirs = pauc.compare(pauc.ROC(y, p, direction="<"), pauc.ROC(y, q, direction="<"))
    z, _, auc_p, auc_q = Delong_test(y, p, q, return_ci=False)
    assert found.estimate == pytest.approx(auc_p - auc_q, abs=1e-12)
    assert found.estimate / error(found, y) == pytest.approx(-z, rel=1e-9)
    assert found.estimate / error(found, y) == pytest.approx(theirs.stat, rel=1e-9)


@pytest.mark.parametrize("ties", [False, True])
def test_area_is_that_of_scikit_learn(ties: bool) -> None:
    y, p, _ = sample(2_000, 8, ties=ties)
    found = auc(Placements.of(y, p), minimum_clusters=8)
    assert isinstance(found, Figure)
    assert found.estimate == pytest.approx(roc_auc_score(y, p), abs=1e-12)


def kernel(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """1 for each pair in the right order, one half for a tie; shape (positives, negatives)."""
    above, below = p[y > 0][:, None], p[y == 0][None, :]
    return (above > below) + (above == below) / 2


@pytest.mark.parametrize("ties", [False, True])
def test_delong_is_all_pairs_written_out(ties: bool) -> None:
    y, p, q = sample(200, 9, ties=ties)
    pairs = kernel(y, p) - kernel(y, q)
    m, n = pairs.shape
    variance = pairs.mean(axis=1).var(ddof=1) / m + pairs.mean(axis=0).var(ddof=1) / n
    found = difference(y, p, q)
    assert found.estimate == pytest.approx(pairs.mean(), abs=1e-14)
    for i, rung in enumerate(LADDER):
        z = stats.norm.ppf(rung)
        half = math.hypot(z * math.sqrt(variance), z**2 / min(m, n))
        assert found.upper[i] == pytest.approx(min(1, pairs.mean() + half), rel=1e-12)
        assert found.lower[i] == pytest.approx(max(-1, pairs.mean() - half), rel=1e-12)


def clustered_sample(clusters: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The candidate ranks well in some clusters and backwards in others."""
    rng = np.random.default_rng(seed)
    x, cluster = logits(rng, "bal", n), rng.integers(0, clusters, n)
    p = logistic(x * rng.normal(0.5, 1, clusters)[cluster])
    return outcomes(rng, logistic(x)), p, logistic(x + 0.5 * rng.normal(size=n)), cluster


def test_obuchowski_is_her_formula_with_the_jackknifes_weights_in_loops() -> None:
    y, p, q, cluster = clustered_sample(20, 400, 10)
    pairs = kernel(y, p) - kernel(y, q)
    m, n = pairs.shape
    area = pairs.mean()
    own, other = cluster[y > 0], cluster[y == 0]
    ten = [(pairs.mean(axis=1)[own == g] - area).sum() for g in range(20)]
    one = [(pairs.mean(axis=0)[other == g] - area).sum() for g in range(20)]
    # Where all clusters are of one size, the weights are Obuchowski's corrections i / (i - 1).
    k10, k01 = lifts_of(own), lifts_of(other)
    variance = sum((k10[g] * ten[g] / m + k01[g] * one[g] / n) ** 2 for g in range(20))
    found = difference(y, p, q, cluster)
    t = float(stats.t.ppf(0.95, min(freedom_of(own), freedom_of(other))))
    rows = unseen(y, pairs, cluster, variance)
    assert rows < 0.5 * min(m, n)
    assert error(found, y, t, rows) == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert error(found, y, t, rows) > 1.2 * error(difference(y, p, q), y)


def test_clusters_never_make_bounds_narrower() -> None:
    # A shock that moves all scores of a cluster lifts its positives and its negatives: by cluster it cancels.
    rng = np.random.default_rng(12)
    x, cluster = logits(rng, "bal", 2_000), rng.integers(0, 20, 2_000)
    y, q = outcomes(rng, logistic(x)), logistic(x + 0.5 * rng.normal(size=2_000))
    p = logistic(x + rng.normal(0, 1, 20)[cluster])
    independent, clustered = difference(y, p, q), difference(y, p, q, cluster)
    assert np.all(clustered.lower <= independent.lower)
    assert np.all(clustered.upper >= independent.upper)


def test_obuchowski_is_near_the_jackknife_over_clusters() -> None:
    y, p, q, cluster = clustered_sample(60, 3_000, 11)
    left_out = [difference(y[cluster != g], p[cluster != g], q[cluster != g]).estimate for g in range(60)]
    jackknife = math.sqrt(59 / 60 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    t = float(stats.t.ppf(0.95, 59))
    rows = unseen(y, kernel(y, p) - kernel(y, q), cluster, jackknife**2)
    assert error(difference(y, p, q, cluster), y, t, rows) == pytest.approx(jackknife, rel=0.05)


class TestTooLittle:
    def test_one_class_and_no_rows_are_reasons(self) -> None:
        assert Placements.of(np.ones(5), np.arange(5.0)) is Reason.ONE_CLASS
        assert Placements.of(np.zeros(1), np.zeros(1)) is Reason.ONE_CLASS
        assert Placements.of(np.zeros(0), np.zeros(0)) is Reason.EMPTY_TABLE
        assert auc(Reason.ONE_CLASS, minimum_clusters=8) is Reason.ONE_CLASS

    def test_positives_in_few_clusters_are_too_few(self) -> None:
        y, cluster = np.r_[np.ones(7), np.zeros(40)], np.r_[np.arange(7), np.arange(40)]
        assert auc(Placements.of(y, np.arange(47.0)), cluster, minimum_clusters=8) is Reason.FEW_CLUSTERS

    def test_agreement_on_three_rows_proves_nothing(self) -> None:
        y, p = np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.7])
        found = difference(y, p, np.array([0.2, 0.3, 0.9]))
        assert found.estimate == 0
        assert found.lower[0] == -1

    def test_perfect_ranking_of_few_rows_is_no_certainty(self) -> None:
        found = auc(Placements.of(np.r_[np.zeros(20), np.ones(20)], np.arange(40.0)), minimum_clusters=8)
        assert isinstance(found, Figure)
        assert found.estimate == found.upper[0] == 1
        assert found.lower[0] < 0.9

    def test_all_scores_equal_is_one_half(self) -> None:
        found = auc(Placements.of(np.r_[np.zeros(20), np.ones(20)], np.full(40, 0.3)), minimum_clusters=8)
        assert isinstance(found, Figure)
        assert found.estimate == 0.5
