"""Calibration error against four libraries, written-out loops and Monte Carlo (statistics.md, section 6)."""

from __future__ import annotations

import math

import calibration
import calibration.utils
import numpy as np
import pytest
import relplot.metrics
from mapie.metrics.calibration import expected_calibration_error
from scipy import stats
from sklearn.calibration import calibration_curve
from worlds import cells_of, freedom_of, lifts_of, logistic, logits, outcomes, shocked, stretched, unseen_of

from gates.measure.stats.ece import ece, squared_error
from gates.measure.stats.figure import Figure
from gates.records import LADDER

TENTHS = np.arange(1, 10) / 10


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20261121)
    x = logits(rng, "bal", 4_000)
    return stretched(x, 1.4, "bal"), outcomes(rng, logistic(x))


class TestPlugIn:
    def test_scikit_learn_by_equal_width(self, sample: tuple[np.ndarray, np.ndarray]) -> None:
        p, y = sample
        observed, predicted = calibration_curve(y, p, n_bins=10, strategy="uniform")
        weight = np.bincount(np.searchsorted(TENTHS, p)) / p.size
        expected = float(weight @ np.abs(observed - predicted))
        assert figure(ece(cells_of(p, y, edges=TENTHS), minimum_clusters=8)).estimate == pytest.approx(
            expected, abs=1e-12
        )

    def test_relplot_and_mapie_by_equal_width(self, sample: tuple[np.ndarray, np.ndarray]) -> None:
        p, y = sample
        ours = figure(ece(cells_of(p, y, edges=TENTHS), minimum_clusters=8)).estimate
        assert ours == pytest.approx(relplot.metrics.binnedECE(p, y, nbins=10), abs=1e-9)
        # MAPIE's num_bins=N makes N - 1 bins.
        assert ours == pytest.approx(
            expected_calibration_error(y.astype(int), p, num_bins=11, split_strategy="uniform"), abs=1e-9
        )

    def test_uncertainty_calibration(self, sample: tuple[np.ndarray, np.ndarray]) -> None:
        p, y = sample
        ours = figure(ece(cells_of(p, y, edges=TENTHS), minimum_clusters=8)).estimate
        assert ours == pytest.approx(calibration.get_ece(p, y.astype(int), num_bins=10), abs=1e-9)


class TestDebiased:
    def test_squared_is_that_of_uncertainty_calibration(self) -> None:
        # One score in each bin, nearer to the ends than the rates: the data's variance is then the larger one.
        rng = np.random.default_rng(1)
        p = np.repeat([0.02, 0.15, 0.85, 0.98], 300)
        y = outcomes(rng, np.repeat([0.2, 0.3, 0.7, 0.8], 300))
        expected = calibration.utils.unbiased_square_ce([list(zip(p[p == v], y[p == v], strict=True)) for v in set(p)])
        assert squared_error(cells_of(p, y, edges=TENTHS), minimum_clusters=8) == pytest.approx(expected, abs=1e-12)

    def test_l1_takes_out_what_resampling_adds(self, sample: tuple[np.ndarray, np.ndarray]) -> None:
        p, y = sample
        cells = cells_of(p, y)
        bins = cells.by_bin()
        rate, share = bins.y / bins.n, bins.n / bins.n.sum()
        rng = np.random.default_rng(2)
        draws = rng.binomial(bins.n.astype(int), rate, size=(100_000, rate.size)) / bins.n
        bias = float((np.abs(draws - bins.p / bins.n) @ share).mean())
        found = figure(ece(cells, minimum_clusters=8))
        # The closed form takes gaps as normal, with the larger of two variances: near to the exact binomials.
        assert found.debiased == pytest.approx(2 * found.estimate - bias, abs=2e-4)

    def test_is_nearer_to_the_truth_than_the_plug_in(self) -> None:
        rng = np.random.default_rng(3)
        plug_in, debiased = [], []
        for _ in range(200):
            p = logistic(logits(rng, "bal", 1_000))
            found = figure(ece(cells_of(p, outcomes(rng, p)), minimum_clusters=8))
            plug_in.append(found.estimate)
            debiased.append(found.debiased)
        assert np.mean(debiased) < np.mean(plug_in) * 0.6


class TestBounds:
    @pytest.mark.parametrize("off", [0.0, 0.003, 0.015, 0.05])
    def test_are_the_published_formulas_row_by_row(self, sample: tuple[np.ndarray, np.ndarray], off: float) -> None:
        p, y = np.minimum(1.0, sample[0] + off), sample[1]
        found = figure(ece(cells_of(p, y, edges=TENTHS), minimum_clusters=8))
        code, n = np.searchsorted(TENTHS, p), p.size
        gap = np.array([(y - p)[code == b].mean() for b in range(10)])
        error = np.array(
            [
                math.sqrt(
                    max(np.var((y - p)[code == b], ddof=1), np.mean((p * (1 - p))[code == b])) / np.sum(code == b)
                )
                for b in range(10)
            ]
        )
        share = np.bincount(code) / n
        plug_in, brier = float(share @ np.abs(gap)), float(np.mean((y - p) ** 2))
        mean = math.sqrt(2 / math.pi) * float(share @ error)
        variance = (1 - 2 / math.pi) * float((share * error) @ (share * error))
        shift = float(np.mean(y - p))
        shift_error = math.sqrt(max(np.var(y - p), np.mean(p * (1 - p))) / n)
        for i, rung in enumerate(LADDER):
            z = stats.norm.ppf(rung)
            upper = plug_in + z * math.sqrt((brier - plug_in**2) / n + z**2 / n**2)
            noise = stats.gamma.isf((1 - rung) / 2, mean**2 / variance, scale=variance / mean)
            half = stats.norm.isf((1 - rung) / 2)
            other = min(stats.norm.sf(abs(shift) / shift_error), (1 - rung) / 4)
            centred = abs(shift) - math.hypot(stats.norm.isf((1 - rung) / 2 - other) * shift_error, half**2 / n)
            assert found.upper[i] == pytest.approx(upper, rel=1e-9)
            lower = max(0, plug_in - math.hypot(noise, half**2 / n), centred)
            assert found.lower[i] == pytest.approx(lower, rel=1e-9, abs=1e-12)

    @pytest.mark.parametrize("off", [0.0, 0.2])
    def test_clustered_are_double_loops_over_clusters_and_bins(self, off: float) -> None:
        p, y, cluster = shocked(np.random.default_rng(4), 12, 900, 0.8)
        p = np.minimum(1.0, p + off)
        found = figure(ece(cells_of(p, y, cluster, edges=TENTHS), minimum_clusters=8))
        code, n, residual = np.searchsorted(TENTHS, p), p.size, y - p
        bins = [b for b in range(10) if (code == b).any()]
        share = np.array([(code == b).mean() for b in bins])
        gap = np.array([residual[code == b].mean() for b in bins])
        plug_in = float(share @ np.abs(gap))
        sign = {b: -1 if d < 0 else 1 for b, d in zip(bins, gap, strict=True)}
        signed = unsigned = 0.0
        lifts, freedom = lifts_of(cluster), freedom_of(cluster)
        covariance = np.zeros((len(bins), len(bins)))
        for g in range(12):
            rows = np.flatnonzero(cluster == g)
            signed += (lifts[g] * sum(sign[code[r]] * residual[r] - plug_in for r in rows)) ** 2
            unsigned += (lifts[g] * sum(residual[r] - residual.mean() for r in rows)) ** 2
            total = [
                residual[rows][code[rows] == b].sum() - d * np.sum(code[rows] == b)
                for b, d in zip(bins, gap, strict=True)
            ]
            covariance += lifts[g] ** 2 * np.outer(total, total)
        covariance /= np.outer(share * n, share * n)
        shift = abs(float(residual.mean()))
        shift_error = math.sqrt(max(np.var(residual), unsigned / n, np.mean(p * (1 - p))) / n)
        by_rows = np.mean(residual**2) - plug_in**2
        largest = max(by_rows, signed / n, unsigned / n) / n
        rows = unseen_of(cluster, by_rows / largest, by_rows)
        independent = [
            max(np.var(residual[code == b], ddof=1), np.mean((p * (1 - p))[code == b])) / np.sum(code == b)
            for b in bins
        ]
        np.fill_diagonal(covariance, np.maximum(independent, np.diag(covariance)))
        error = np.sqrt(np.diag(covariance))
        mean = math.sqrt(2 / math.pi) * float(share @ error)
        variance = sum(
            share[i] * share[j] * error[i] * error[j] * _folded(covariance[i, j] / (error[i] * error[j]))
            for i in range(len(bins))
            for j in range(len(bins))
        )
        for i, rung in enumerate(LADDER):
            t, alpha = stats.t.ppf(rung, freedom), 1 - rung
            z_half, t_half = stats.norm.isf(alpha / 2), stats.t.isf(alpha / 2, freedom)
            upper = plug_in + t * math.sqrt(largest + t**2 / rows**2)
            noise = stats.gamma.isf(alpha / 2, mean**2 / variance, scale=variance / mean) * t_half / z_half
            other = min(stats.t.sf(shift / shift_error, freedom), alpha / 4)
            centred = shift - math.hypot(stats.t.isf(alpha / 2 - other, freedom) * shift_error, t_half**2 / rows)
            lower = max(0, plug_in - math.hypot(noise, t_half**2 / rows), centred)
            assert found.upper[i] == pytest.approx(min(1, upper), rel=1e-9)
            assert found.lower[i] == pytest.approx(lower, rel=1e-9, abs=1e-12)
        assert found.clusters == 12


def _folded(rho: float) -> float:
    rho = min(1.0, max(-1.0, rho))
    return 2 / math.pi * (rho * math.asin(rho) + math.sqrt(1 - rho**2) - 1)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.5, 0.95, 1.0])
def test_the_covariance_of_folded_normals_is_what_sampling_gives(rho: float) -> None:
    rng = np.random.default_rng(5)
    first = rng.normal(size=400_000)
    second = rho * first + math.sqrt(1 - rho**2) * rng.normal(size=400_000)
    assert np.cov(np.abs(first), np.abs(second))[0, 1] == pytest.approx(_folded(rho), abs=0.005)
