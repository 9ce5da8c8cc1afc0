"""What a holdout can show, by formula: perfect models are drawn in the named worlds and counted where they pass.

The limits of statistics.md, section 1 ("What a real holdout can show") and its rows for coverage (section 2) are pinned.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from worlds import Floats, Ints, cells_of, edges_of, logistic, logits, outcomes, shocked

from gates.measure.stats.auc import Placements, auc_difference
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import bin_gap, coverage
from gates.measure.stats.resolution import (
    POWER,
    Scores,
    auc_limit,
    bins_limit,
    design_effect,
    ece_limit,
    hardest_scores,
    levels_limit,
    levels_power,
    rows_needed,
)

REPORTED = {
    ("bal", 1_000): (0.059, 0.18),
    ("bal", 3_000): (0.035, 0.10),
    ("bal", 10_000): (0.019, 0.057),
    ("bal", 30_000): (0.011, 0.034),
    ("rare", 1_000): (0.034, 0.14),
    ("rare", 3_000): (0.019, 0.073),
    ("rare", 10_000): (0.011, 0.041),
    ("rare", 30_000): (0.006, 0.023),
}
RATES = {"bal": 0.5, "rare": 0.070}


@cache
def spread(world: str) -> Scores:
    """The world's own scores, in ten bins of equal mass."""
    p = np.sort(logistic(logits(np.random.default_rng(0), world, 200_000))).reshape(10, -1)
    return Scores(np.full(10, 0.1), p.mean(axis=1), (p * (1 - p)).mean(axis=1))


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


def perfect(world: str, n: int, runs: int, seed: int) -> list[tuple[Floats, Floats]]:
    rng = np.random.default_rng(seed)
    scores = [logistic(logits(rng, world, n)) for _ in range(runs)]
    return [(p, outcomes(rng, p)) for p in scores]


def errors(drawn: list[tuple[Floats, Floats]]) -> Floats:
    """The limit that each perfect model would just pass."""
    return np.array([figure(ece(cells_of(p, y), minimum_clusters=8)).upper[0] for p, y in drawn])


def widest_bins(drawn: list[tuple[Floats, Floats]]) -> Floats:
    found = []
    for p, y in drawn:
        cells = cells_of(p, y, edges=edges_of(p))
        gaps = [figure(bin_gap(cells.select(cells.bin == b), minimum_clusters=8)) for b in np.unique(cells.bin)]
        found.append(max(max(gap.upper[0], -gap.lower[0]) for gap in gaps))
    return np.array(found)


def near(share: float, runs: int, model_error: float = 0.05) -> bool:
    """Within three Monte Carlo errors of .8, and what a closed formula may be off besides."""
    return abs(share - POWER) <= 3 * np.sqrt(POWER * (1 - POWER) / runs) + model_error


@pytest.mark.parametrize(("world", "n"), REPORTED)
def test_the_reported_limits_follow_from_the_formulas(world: str, n: int) -> None:
    error, gap = REPORTED[world, n]
    assert ece_limit(spread(world), n) == pytest.approx(error, rel=0.06)
    assert bins_limit(spread(world), n) == pytest.approx(gap, rel=0.06)


@pytest.mark.parametrize(("world", "n"), [("bal", 1_000), ("bal", 10_000), ("rare", 1_000), ("rare", 10_000)])
def test_a_perfect_model_passes_the_limit_in_8_of_10_runs(world: str, n: int) -> None:
    runs = 300
    drawn = perfect(world, n, runs, seed=n)
    for passes, limit in (
        (errors(drawn), ece_limit(spread(world), n)),
        (widest_bins(drawn), bins_limit(spread(world), n)),
    ):
        assert near(float(np.mean(passes <= limit)), runs)


@pytest.mark.parametrize(("world", "n"), [("bal", 3_000), ("rare", 3_000)])
def test_without_scores_the_limit_is_on_the_safe_side_and_not_far_off(world: str, n: int) -> None:
    runs = 200
    drawn = perfect(world, n, runs, seed=n)
    smooth, hard = hardest_scores(RATES[world], 10)
    for passes, limit, known in (
        (errors(drawn), ece_limit(smooth, n), ece_limit(spread(world), n)),
        (widest_bins(drawn), bins_limit(hard, n), bins_limit(spread(world), n)),
    ):
        assert np.mean(passes <= limit) >= POWER - 3 * np.sqrt(POWER * (1 - POWER) / runs)
        assert known <= limit <= 1.3 * known


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.07, 0.3, 0.5, 0.83, 1.0])
def test_no_scores_of_that_base_rate_are_harder(rate: float) -> None:
    smooth, hard = hardest_scores(rate, 10)
    assert smooth.mean.mean() == pytest.approx(rate)
    assert hard.mean.mean() == pytest.approx(rate)
    rng = np.random.default_rng(1)
    for _ in range(30):
        means = np.clip(rng.beta(0.5, 0.5, 10), 1e-9, 1 - 1e-9)
        means = _with_mean(means, rate)
        other = Scores(np.full(10, 0.1), means, means * (1 - means))
        assert ece_limit(other, 2_000) <= ece_limit(smooth, 2_000) + 1e-9


def _with_mean(means: Floats, rate: float) -> Floats:
    """Shift on the logit until the mean is the rate; by bisection."""
    low, high = -60.0, 60.0
    x = np.log(means / (1 - means))
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if logistic(x + middle).mean() > rate else (middle, high)
    return np.asarray(logistic(x + low))


def test_clustered_rows_show_less_and_the_labels_tell_how_much() -> None:
    """60 days that share a shock: the limit that days allow is passed in 8 of 10 runs or more, that of rows is not."""
    rng, runs, n = np.random.default_rng(4), 200, 6_000
    needed, allowed, as_rows = [], [], []
    for _ in range(runs):
        p, y, cluster = shocked(rng, 60, n, 0.5)
        effect = design_effect(np.bincount(cluster, weights=y), np.bincount(cluster).astype(float))
        smooth = hardest_scores(float(y.mean()), 10)[0]
        needed.append(figure(ece(cells_of(p, y, cluster), minimum_clusters=8)).upper[0])
        allowed.append(ece_limit(smooth, n, effect=effect, freedom=59))
        as_rows.append(ece_limit(smooth, n))
    share = float(np.mean(np.array(needed) <= np.array(allowed)))
    assert POWER - 3 * np.sqrt(POWER * (1 - POWER) / runs) <= share <= 0.99
    assert np.mean(np.array(needed) <= np.array(as_rows)) < 0.5


def scores_of(p: Floats) -> Scores:
    parts = np.sort(p).reshape(10, -1)
    return Scores(np.full(10, 0.1), parts.mean(axis=1), (parts * (1 - parts)).mean(axis=1))


@pytest.mark.parametrize("deviation", [0.0, 0.5, 1.0])
def test_a_perfect_model_of_clustered_rows_passes_its_end_in_8_of_10_runs(deviation: float) -> None:
    """60 days: after a model of which they share nothing the best end holds, after one that knows nothing of them the worst.

    Neither holds for the other: the range is as wide as it is because what days share is not known before.
    """
    rng, runs, n, days = np.random.default_rng(8), 200, 6_000, 60
    passed = []
    for _ in range(runs):
        p, y, cluster = shocked(rng, days, n, deviation)
        effect = (
            design_effect(np.bincount(cluster, weights=y), np.bincount(cluster).astype(float)) if deviation else 1.0
        )
        error = figure(ece(cells_of(p, y, cluster), minimum_clusters=8)).upper[0]
        cells = cells_of(p, y, cluster, edges=edges_of(p))
        gaps = [figure(bin_gap(cells.select(cells.bin == b), minimum_clusters=8)) for b in np.unique(cells.bin)]
        gap = max(max(found.upper[0], -found.lower[0]) for found in gaps)
        passed.append(
            [
                limit <= method(scores_of(p), n, effect=end, freedom=days - 1, number=days)
                for limit, method in ((error, ece_limit), (gap, bins_limit))
                for end in (effect, 1.0)
            ]
        )
    of_error, of_error_at_best, of_gap, of_gap_at_best = np.mean(passed, axis=0).tolist()
    assert near(of_error, runs)
    assert near(of_gap, runs)
    if deviation:
        assert of_error_at_best < 0.5
        assert of_gap_at_best < 0.5


def known_days(rng: np.random.Generator, days: int, n: int) -> tuple[Floats, Floats, Ints]:
    """Rows of days with a shock that the model knows: (score, outcome, day), the score equal to the true rate."""
    x, day = logits(rng, "bal", n), rng.integers(0, days, n)
    p = logistic(x + rng.normal(0, 1.0, days)[day])
    return p, outcomes(rng, p), day


def test_a_model_that_knows_its_days_passes_the_best_end_though_the_labels_share_much() -> None:
    rng, runs, n, days = np.random.default_rng(9), 200, 6_000, 60
    passed = []
    for _ in range(runs):
        p, y, day = known_days(rng, days, n)
        assert design_effect(np.bincount(day, weights=y), np.bincount(day).astype(float)) > 4
        found = figure(ece(cells_of(p, y, day), minimum_clusters=8)).upper[0]
        passed.append(found <= ece_limit(scores_of(p), n, freedom=days - 1, number=days))
    assert near(float(np.mean(passed)), runs)


@pytest.mark.parametrize("shared", [0.0, 0.02, 0.1])
def test_coverage_passes_its_end_in_8_of_10_runs(shared: float) -> None:
    """Days whose rows are covered together (beta-binomial), with what they share as the effect."""
    rng, runs, days, each = np.random.default_rng(10), 600, 60, 100
    effect = 1 + (each - 1) * shared
    limit = levels_limit([0.9], days * each, effect=effect, freedom=days - 1, number=days)
    passed = 0
    for _ in range(runs):
        rate = rng.beta(0.9 * (1 / shared - 1), 0.1 * (1 / shared - 1), days) if shared else np.full(days, 0.9)
        covered = rng.binomial(each, rate).astype(float)
        found = figure(coverage(covered, np.full(days, float(each)), np.arange(days), minimum_clusters=8))
        passed += bool(found.lower[0] >= 0.9 - limit and found.upper[0] <= 0.9 + limit)
    assert near(passed / runs, runs)


def test_equal_models_pass_the_best_end_of_the_margin_though_neither_knows_the_days() -> None:
    """What a day does to its rows it does under both models: the labels share much, the difference next to nothing."""
    rng, runs, n, days = np.random.default_rng(6), 200, 3_000, 60
    limit = auc_limit(0.5, n, freedom=days - 1, number=days)
    passed, effects = 0, []
    for _ in range(runs):
        x, day = logits(rng, "bal", n), rng.integers(0, days, n)
        y = outcomes(rng, logistic(x + rng.normal(0, 0.5, days)[day]))
        effects.append(design_effect(np.bincount(day, weights=y), np.bincount(day).astype(float)))
        p, q = (logistic(x + 0.7 * rng.normal(size=n)) for _ in range(2))
        found = auc_difference(Placements.of(y, p), Placements.of(y, q), day, minimum_clusters=8)
        passed += bool(figure(found).lower[0] > -limit)
    assert passed / runs == pytest.approx(POWER, abs=0.1)
    assert auc_limit(0.5, n, effect=float(np.mean(effects)), freedom=days - 1, number=days) > 1.4 * limit


@pytest.mark.parametrize(("n", "reported"), [(1_000, 0.325), (2_000, 0.804), (5_000, 0.997)])
def test_coverage_is_exact(n: int, reported: float) -> None:
    assert levels_power([0.9], n, 0.02) == pytest.approx(reported, abs=5e-4)


@pytest.mark.parametrize(("level", "reported"), [(0.9, 1_980), (0.95, 1_040), (0.8, 3_480)])
def test_rows_for_coverage_are_those_reported(level: float, reported: int) -> None:
    """Exact power is a saw of the rows: the report has its first tooth, this is where it stays above."""
    found = rows_needed(lambda rows: levels_limit([level], rows), 0.02)
    assert found is not None
    assert reported <= found <= 1.2 * reported
    assert levels_power([level], reported, 0.02) >= POWER - 0.005


def test_one_side_is_easier_than_both_and_several_levels_are_harder() -> None:
    one, both = levels_limit([0.9], 2_000, over=False), levels_limit([0.9], 2_000)
    assert one < both < levels_limit([0.5, 0.8, 0.9], 2_000)
    rng, runs = np.random.default_rng(5), 2_000
    found = [figure(_covered(k, 2_000)) for k in rng.binomial(2_000, 0.9, runs)]
    assert near(float(np.mean([one_.lower[0] >= 0.9 - one for one_ in found])), runs, 0.02)


def _covered(k: int, n: int) -> object:
    return coverage(np.array([float(k)]), np.array([float(n)]), None, minimum_clusters=8)


def test_equal_models_pass_the_margin_of_areas_about_as_often_as_assumed() -> None:
    rng, runs, n = np.random.default_rng(6), 200, 3_000
    passed, limit = 0, auc_limit(0.5, n)
    for _ in range(runs):
        x = logits(rng, "bal", n)
        y = outcomes(rng, logistic(x))
        p, q = (logistic(x + 0.7 * rng.normal(size=n)) for _ in range(2))
        passed += figure(auc_difference(Placements.of(y, p), Placements.of(y, q), minimum_clusters=8)).lower[0] > -limit
    assert passed / runs == pytest.approx(POWER, abs=0.1)


FALLING: list[Callable[[float], float]] = [
    lambda rows: ece_limit(spread("bal"), rows),
    lambda rows: bins_limit(spread("rare"), rows),
    lambda rows: levels_limit([0.9], rows),
    lambda rows: auc_limit(0.1, rows),
]


@pytest.mark.parametrize("limit", FALLING)
def test_more_rows_show_more_and_the_rows_needed_are_enough(limit: Callable[[float], float]) -> None:
    shown = [limit(float(rows)) for rows in (100, 1_000, 10_000, 100_000)]
    assert shown == sorted(shown, reverse=True)
    needed = rows_needed(limit, 0.03)
    assert needed is not None
    assert limit(needed) <= 0.03 * 1.02
    assert limit(needed / 1.5) > 0.03


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_hardly_any_rows_show_hardly_anything(rate: float, rows: int) -> None:
    smooth, hard = hardest_scores(rate, 10)
    assert ece_limit(smooth, rows) > 0.2
    assert 0 < bins_limit(hard, rows) <= 1
    assert auc_limit(rate, rows) > 0.5
    assert rows_needed(lambda n: ece_limit(smooth, n), 0.0) is None
    assert rows_needed(lambda n: auc_limit(0.0, n), 0.01) is None
    assert design_effect(np.array([float(rows)]), np.array([float(rows)])) == 1


@pytest.mark.parametrize(("n", "reported"), [(3_000, 0.0), (10_000, 0.34), (20_000, 0.94)])
def test_five_strata_pass_as_often_as_reported(n: int, reported: float) -> None:
    """Five strata within 2 points, exact coverage of .90 (statistics.md, section 1): independent rows, so the product."""
    assert levels_power([0.9] * 5, n / 5, 0.02) == pytest.approx(reported, abs=0.02)
