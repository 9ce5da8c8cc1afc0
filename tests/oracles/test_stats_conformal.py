"""Beta coverage, the curve of shares and weighted coverage: against scipy, uncertainty-toolbox, formulas and simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from uncertainty_toolbox.metrics_calibration import get_proportion_lists, mean_absolute_calibration_error

from gates.measure.stats.conformal import Curve, chance_beyond, coverage_spread, curve_gap, rank
from gates.measure.stats.figure import Figure, Floats
from gates.measure.stats.proportions import coverage
from gates.records import LADDER, Reason

DECILES = [float(level) for level in np.arange(1, 10) / 10]


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


def tolerance(rate: float, runs: int) -> float:
    return rate + 3 * float(np.sqrt(rate * (1 - rate) / runs))


def curve(u: Floats, levels: list[float], cluster: Any = None) -> Curve:
    """Shares of u at or under each level, one cell a row."""
    hits = [(u <= level).astype(float) for level in levels]
    return Curve(levels, hits, np.ones(u.size), cluster, u.size)


class TestBeta:
    @pytest.mark.parametrize(
        ("rows", "chance"), [(100, 0.50), (200, 0.34), (500, 0.13), (1_000, 0.034), (2_000, 0.003)]
    )
    def test_the_reference_has_these_chances(self, rows: int, chance: float) -> None:
        assert chance_beyond(rows, 0.9, 0.02) == pytest.approx(chance, abs=0.005)

    @pytest.mark.parametrize("rows", [1, 5, 9, 10, 137, 2_000, 10**9])
    @pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
    def test_the_spread_is_that_of_scipys_beta(self, rows: int, level: float) -> None:
        k = rank(rows, level)
        found = figure(coverage_spread(rows, level))
        if k > rows:
            assert found.upper == pytest.approx(1 - level)
            return
        beta = stats.beta(k, rows + 1 - k)

        def within(distance: float) -> float:
            return float(beta.cdf(level + distance) - beta.cdf(level - distance))

        assert within(found.estimate) == pytest.approx(0.5, abs=1e-9)
        for i, rung in enumerate(LADDER):
            assert within(found.upper[i]) == pytest.approx(rung, abs=1e-9)
            assert within(found.lower[i]) == pytest.approx(1 - rung, abs=1e-9)
            assert chance_beyond(rows, level, found.upper[i]) == pytest.approx(1 - rung, abs=1e-9)

    def test_split_conformal_covers_so(self) -> None:
        """The coverage of intervals cut at the k-th score, exactly known for standard normal residuals."""
        rng, runs, rows = np.random.default_rng(1), 4_000, 300
        scores = np.sort(np.abs(rng.normal(size=(runs, rows))), axis=1)
        true = 2 * stats.norm.cdf(scores[:, rank(rows, 0.9) - 1]) - 1
        share = float(np.mean(np.abs(true - 0.9) > 0.02))
        chance = chance_beyond(rows, 0.9, 0.02)
        assert share == pytest.approx(chance, abs=3 * math.sqrt(chance * (1 - chance) / runs))

    def test_a_whole_rank_is_not_rounded_up(self) -> None:
        for rows in range(1, 400):
            for percent in (50, 70, 80, 90, 95, 99):
                assert rank(rows, percent / 100) == -(-(rows + 1) * percent // 100)

    def test_no_rows(self) -> None:
        assert coverage_spread(0, 0.9) is Reason.EMPTY_TABLE


class TestCurve:
    def test_shares_are_those_of_uncertainty_toolbox(self) -> None:
        rng = np.random.default_rng(2)
        mean, deviation = rng.normal(size=800), rng.gamma(2, 1, 800)
        y = mean + 1.4 * deviation * rng.normal(size=800) + 0.2
        expected, observed = get_proportion_lists(mean, deviation, y, 21, prop_type="quantile")
        levels = [float(level) for level in expected[1:-1]]
        hits = [(y <= mean + deviation * stats.norm.ppf(level)).astype(float) for level in levels]
        found = figure(curve_gap(Curve(levels, hits, np.ones(800), None, 800), minimum_clusters=8))
        assert found.estimate == pytest.approx(np.abs(expected - observed).max(), abs=1e-12)
        # Its mean, over levels 0 and 1 too, where nothing can be off.
        theirs = mean_absolute_calibration_error(mean, deviation, y, 21, prop_type="quantile")
        assert sum(abs(hit.mean() - level) for hit, level in zip(hits, levels, strict=True)) / 21 == pytest.approx(
            theirs, abs=1e-12
        )

    def test_a_fine_curve_is_the_distance_of_kolmogorov(self) -> None:
        u = np.random.default_rng(3).beta(1.2, 1, 500)
        fine = [i / 1_000 for i in range(1, 1_000)]
        found = figure(curve_gap(curve(u, fine), minimum_clusters=8))
        assert found.estimate == pytest.approx(stats.kstest(u, "uniform").statistic, abs=1 / 500 + 1 / 1_000)

    def test_bounds_written_out(self) -> None:
        u = np.random.default_rng(4).beta(1.3, 1, 700)
        found = figure(curve_gap(curve(u, DECILES), minimum_clusters=8))
        shares = [int((u <= level).sum()) for level in DECILES]
        assert found.estimate == pytest.approx(
            max(abs(k / 700 - level) for k, level in zip(shares, DECILES, strict=True))
        )
        for i, rung in enumerate(LADDER):
            ends = [stats.binomtest(k, 700).proportion_ci(2 * rung - 1, method="exact") for k in shares]
            far = max(max(level - e.low, e.high - level) for e, level in zip(ends, DECILES, strict=True))
            assert found.upper[i] == pytest.approx(far, abs=1e-9)
            band = math.sqrt(math.log(2 / (1 - rung)) / 1_400)
            assert found.lower[i] == pytest.approx(max(0, found.estimate - band), abs=1e-9)

    @pytest.mark.parametrize("exponent", [1.0, 1.1, 1.3])
    @pytest.mark.parametrize("n", [50, 1_000])
    def test_bounds_keep_their_promise(self, exponent: float, n: int) -> None:
        rng, runs = np.random.default_rng(5), 600
        truth = max(abs(level**exponent - level) for level in DECILES)
        found = [
            figure(curve_gap(curve(rng.random(n) ** (1 / exponent), DECILES), minimum_clusters=8)) for _ in range(runs)
        ]
        assert np.mean([one.upper[0] < truth for one in found]) <= tolerance(0.05, runs)
        assert np.mean([one.lower[0] > truth for one in found]) <= tolerance(0.05, runs)

    def test_one_level_off_alone_is_the_hardest_and_still_kept(self) -> None:
        """All rows but those near the median are right: only one limit can be beyond."""
        rng, runs, n, shift = np.random.default_rng(6), 1_000, 20_000, 0.03
        passed = 0
        for _ in range(runs):
            u = rng.random(n)
            off = (u > 0.5) & (u <= 0.5 + shift)
            u[off] = 0.5
            passed += bool(figure(curve_gap(curve(u, DECILES), minimum_clusters=8)).upper[0] < shift)
        assert 0.02 <= passed / runs <= tolerance(0.05, runs)

    @pytest.mark.parametrize("shift", [0.0, 0.04])
    def test_the_worse_of_two_curves_keeps_the_promise(self, shift: float) -> None:
        """Quantiles that are right and central intervals of the same rows, all of which hold too much."""
        rng, runs, n = np.random.default_rng(11), 600, 1_000
        levels, truth, found = [0.3, 0.5, 0.8], shift, []
        for _ in range(runs):
            u = rng.random(n)
            central = np.abs(2 * u - 1)
            wide = curve(np.where(central > 0.2, np.maximum(0.2, central - shift), central), levels)
            found.append(figure(curve_gap(curve(u, DECILES), wide, minimum_clusters=8)))
        assert np.mean([one.upper[0] < truth for one in found]) <= tolerance(0.05, runs)
        assert np.mean([one.lower[0] > truth for one in found]) <= tolerance(0.05, runs)
        alone = figure(curve_gap(curve(u, DECILES), minimum_clusters=8))
        assert found[-1].estimate >= alone.estimate
        assert (found[-1].upper >= alone.upper).all()

    def test_exact_limits_pass_what_the_band_cannot(self) -> None:
        """Why not the band alone: a perfect model, 10,000 rows, limit .02."""
        rng, runs, n = np.random.default_rng(7), 200, 10_000
        band = math.sqrt(math.log(2 / 0.05) / (2 * n))
        exact = banded = 0
        for _ in range(runs):
            found = figure(curve_gap(curve(rng.random(n), DECILES), minimum_clusters=8))
            exact += bool(found.upper[0] <= 0.02)
            banded += bool(found.estimate + band <= 0.02)
        assert exact / runs > 0.9
        assert banded / runs < 0.65

    @pytest.mark.parametrize("clusters", [10, 40])
    def test_clusters_keep_the_promise_too(self, clusters: int) -> None:
        """Days that are shifted as one: a curve right on average must not be proven wrong, nor a wrong one right."""
        rng, runs, n = np.random.default_rng(8), 250, 1_000
        failed = passed = naive = 0
        for _ in range(runs):
            cluster = rng.integers(0, clusters, n)
            z = (rng.normal(size=n) + 0.7 * rng.normal(size=clusters)[cluster]) / math.hypot(1, 0.7)
            right = figure(curve_gap(curve(stats.norm.cdf(z), DECILES, cluster), minimum_clusters=8))
            failed += bool(right.lower[0] > 0)
            naive += bool(figure(curve_gap(curve(stats.norm.cdf(z), DECILES), minimum_clusters=8)).lower[0] > 0)
            wrong = stats.norm.cdf(z + 0.15)
            truth = max(abs(stats.norm.cdf(stats.norm.ppf(level) - 0.15) - level) for level in DECILES)
            passed += bool(figure(curve_gap(curve(wrong, DECILES, cluster), minimum_clusters=8)).upper[0] < truth)
        assert failed / runs <= tolerance(0.05, runs)
        assert passed / runs <= tolerance(0.05, runs)
        assert naive / runs > 0.3

    def test_reasons(self) -> None:
        u = np.random.default_rng(9).random(70)
        assert curve_gap(curve(u, []), minimum_clusters=8) is Reason.NOT_PROVIDED
        assert curve_gap(curve(u[:0], DECILES), minimum_clusters=8) is Reason.EMPTY_TABLE
        assert curve_gap(curve(u, DECILES, np.arange(70) % 7), minimum_clusters=8) is Reason.FEW_CLUSTERS
        one = figure(curve_gap(curve(u[:1], DECILES), minimum_clusters=8))
        assert one.lower[0] == 0
        assert one.upper[0] > 0.8


def covered_by(covered: np.ndarray, w: np.ndarray) -> Figure | Reason:
    squares = (w * w * covered, w * w)
    return coverage(w * covered, w, None, minimum_clusters=8, squares=squares, rows=w.size, heaviest=float(w.max()))


class TestWeights:
    def test_one_weight_for_all_changes_nothing(self) -> None:
        covered = (np.random.default_rng(10).random(400) < 0.9).astype(float)
        plain = figure(coverage(covered, np.ones(400), None, minimum_clusters=8))
        for weight in (0.25, 1.0, 7.0):
            w = np.full(400, weight)
            same = figure(covered_by(covered, w))
            assert same.estimate == pytest.approx(plain.estimate, abs=1e-12)
            assert same.lower == pytest.approx(plain.lower, abs=1e-9)
            assert (same.n, plain.n) == (400, 400)

    def test_written_out(self) -> None:
        rng = np.random.default_rng(11)
        w = rng.gamma(2, 1, 300)
        covered = (rng.random(300) < 0.8).astype(float)
        found = figure(covered_by(covered, w))
        rate = float(np.average(covered, weights=w))
        variance = float((w**2 * (covered - rate) ** 2).sum()) / w.sum() ** 2
        known = min(rate * (1 - rate) / variance, w.sum() ** 2 / (w**2).sum())
        for i, rung in enumerate(LADDER):
            x = rate * known
            low, high = stats.beta.ppf(1 - rung, x, known - x + 1), stats.beta.ppf(rung, x + 1, known - x)
            few = max(stats.norm.ppf(rung) ** 2, -math.log(1 - rung))
            further = few * math.sqrt((w.max() / w.sum()) ** 2 - 1 / known**2)
            assert found.lower[i] == pytest.approx(max(0, rate - math.hypot(rate - low, further)), rel=1e-9)
            assert found.upper[i] == pytest.approx(min(1, rate + math.hypot(high - rate, further)), rel=1e-9)

    @pytest.mark.parametrize("n", [60, 600])
    def test_the_promise_where_heavy_rows_are_covered_less(self, n: int) -> None:
        rng, runs = np.random.default_rng(12), 2_000
        size = rng.lognormal(0, 0.8, 1_000_000)
        chance = 0.95 - 0.15 * (size > 1.5)
        truth = float(np.average(chance, weights=size))
        above = below = 0
        for _ in range(runs):
            w = rng.lognormal(0, 0.8, n)
            covered = (rng.random(n) < 0.95 - 0.15 * (w > 1.5)).astype(float)
            found = figure(covered_by(covered, w))
            above += bool(found.lower[0] > truth)
            below += bool(found.upper[0] < truth)
        assert above / runs <= tolerance(0.05, runs)
        assert below / runs <= tolerance(0.05, runs)
