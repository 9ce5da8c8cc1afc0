"""Maps of scores against scikit-learn and scipy, and the error that they are said to reach against fresh rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from sklearn.isotonic import IsotonicRegression
from worlds import Floats, cells_of, logistic, logits, outcomes, stretched

from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.recalibration import fit_intercept, fit_isotonic, fit_temperature, recalibrated


def micro(p: Floats, y: Floats) -> Cells:
    """Cells by (micro-bin, outcome)."""
    key = np.clip(np.ceil(p * 1000).astype(np.int64), 1, 1000) * 2 + y.astype(np.int64)
    distinct, cell = np.unique(key, return_inverse=True)
    n, s, ss = (np.bincount(cell, weights=v) for v in (np.ones_like(p), p, p * p))
    return Cells(distinct, n, s, ss, n * (distinct % 2), s * (distinct % 2))


@pytest.fixture(scope="module")
def rows() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(1)
    x = logits(rng, "bal", 5_000)
    return stretched(x, 1.6, "bal"), outcomes(rng, logistic(x))


def loss(p: Floats, y: Floats) -> float:
    return float(-np.mean(np.where(y > 0, np.log(p), np.log(1 - p))))


def test_isotonic_is_scikit_learns(rows: tuple[Floats, Floats]) -> None:
    p, y = rows
    weight = np.random.default_rng(2).integers(0, 4, p.size).astype(float)
    kept = weight > 0
    theirs = IsotonicRegression(out_of_bounds="clip").fit(p[kept], y[kept], sample_weight=weight[kept])
    some = np.linspace(0, 1, 500)
    assert fit_isotonic(p, weight, weight * y)(some) == pytest.approx(theirs.predict(some), abs=1e-9)
    pooled = optimize.isotonic_regression(y[np.argsort(p)]).x
    assert fit_isotonic(p, np.ones_like(p), y)(np.sort(p)) == pytest.approx(pooled, abs=1e-9)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 0.7])
def test_temperature_and_intercept_have_the_least_loss(rows: tuple[Floats, Floats], shift: float) -> None:
    p = logistic(np.log(rows[0] / (1 - rows[0])) + shift)
    y, logit = rows[1], np.log(p / (1 - p))
    n = np.ones_like(p)
    factor = optimize.minimize_scalar(lambda b: loss(logistic(b * logit), y), bounds=(-2, 5), method="bounded").x
    assert fit_temperature(p, n, y)(p) == pytest.approx(logistic(factor * logit), abs=1e-4)
    added = optimize.brentq(lambda a: np.mean(logistic(logit + a) - y), -9, 9)
    assert fit_intercept(p, n, y)(p) == pytest.approx(logistic(logit + added), abs=1e-9)


def fresh(p: Floats, y: Floats) -> float:
    found = ece(cells_of(p, y), minimum_clusters=2)
    assert isinstance(found, Figure)
    return float(found.debiased or 0)


def test_what_is_said_is_what_fresh_rows_show() -> None:
    rng = np.random.default_rng(3)
    x, new = logits(rng, "bal", 20_000), logits(rng, "bal", 200_000)
    p, y = stretched(x, 1.6, "bal"), outcomes(rng, logistic(x))
    q, z = stretched(new, 1.6, "bal"), outcomes(rng, logistic(new))
    said = recalibrated(micro(p, y))
    fits = {"temperature": fit_temperature, "intercept": fit_intercept, "isotonic": fit_isotonic}
    for name, fit in fits.items():
        assert said[name] == pytest.approx(fresh(fit(p, np.ones_like(p), y)(q), z), abs=0.006)
    assert said["temperature"] < 0.012
    # A score that is too sure at both ends is not mended by a shift.
    assert said["intercept"] > 0.04


def test_cross_fitting_does_not_praise_what_was_learned_by_heart() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(300)
    y = outcomes(rng, p)
    in_sample = fresh(fit_isotonic(p, np.ones_like(p), y)(p), y)
    assert in_sample < 1e-6
    said = [recalibrated(micro(p, outcomes(rng, p)))["isotonic"] for _ in range(20)]
    assert np.mean(said) > 0.02


def test_is_the_same_each_time_and_survives_the_ends() -> None:
    p = np.r_[np.zeros(50), np.ones(50), np.full(50, 0.5)]
    y = np.r_[np.zeros(49), 1, np.ones(49), 0, np.arange(50) % 2]
    cells = micro(p, y)
    first = recalibrated(cells)
    assert first == recalibrated(cells)
    assert all(0 <= value <= 1 for value in first.values())
