"""Ratios of quantiles of times against numpy, and their bounds where calls share the machine's weather."""

from __future__ import annotations

import numpy as np
import pytest

from gates.measure.stats.figure import Figure
from gates.measure.stats.latency import quantile_of, quantile_ratio
from gates.records import Reason


def figure(found: object) -> Figure:
    assert isinstance(found, Figure)
    return found


def pairs(rng: np.random.Generator, n: int, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Log-normal times with a shared weather of correlation .9 from call to call, and a tail of slow calls."""
    weather = np.zeros(n)
    noise = rng.normal(0, 0.1, n)
    for i in range(1, n):
        weather[i] = 0.9 * weather[i - 1] + noise[i]
    base = [np.exp(0.15 * rng.normal(size=n) + weather + 0.5 * rng.exponential(size=n) ** 2 * 0.3) for _ in range(2)]
    return ratio * 0.01 * base[0], 0.01 * base[1]


def test_estimates_are_those_of_numpy() -> None:
    a, b = pairs(np.random.default_rng(1), 401, 1.2)
    for level in (0.5, 0.95):
        # 401 calls have these quantiles at calls of their own: no logarithm of a mean of two.
        expected = np.quantile(a, level, method="linear"), np.quantile(b, level, method="linear")
        assert figure(quantile_of(a, level, seed=1)).estimate == pytest.approx(expected[0], rel=1e-9)
        assert figure(quantile_ratio(a, b, level, seed=1)).estimate == pytest.approx(
            expected[0] / expected[1], rel=1e-9
        )


@pytest.mark.parametrize(("n", "level"), [(200, 0.5), (400, 0.95)])
def test_a_true_ratio_is_rarely_outside(n: int, level: float) -> None:
    rng, runs, wrong = np.random.default_rng(n), 60, np.zeros(2)
    for run in range(runs):
        found = figure(quantile_ratio(*pairs(rng, n, 1.1), level, seed=run))
        # Both models' times have the same law but for the factor.
        wrong += [found.lower[0] > 1.1, found.upper[0] < 1.1]
    # Both sides reach as far as the farther one: at most .05; three Monte Carlo standard errors of 60 runs are .085.
    assert max(wrong / runs) <= 0.05 + 0.085


def test_the_same_seed_gives_the_same_and_models_swap() -> None:
    a, b = pairs(np.random.default_rng(2), 300, 1.0)
    first, again = (figure(quantile_ratio(a, b, 0.95, seed=3)) for _ in range(2))
    assert np.array_equal(first.upper, again.upper)
    swapped = figure(quantile_ratio(b, a, 0.95, seed=3))
    assert swapped.estimate == pytest.approx(1 / first.estimate)
    assert swapped.lower[0] == pytest.approx(1 / first.upper[0], rel=1e-9)


def test_few_calls_and_instant_ones() -> None:
    assert quantile_of(np.ones(19), 0.5, seed=1) is Reason.EMPTY_TABLE
    found = figure(quantile_ratio(np.zeros(50), np.zeros(50), 0.5, seed=1))
    assert (found.estimate, found.lower[8], found.upper[8]) == (1, 1, 1)
