"""Ratios of mean widths in worlds with a known ratio: how often a model that is as wide is called narrower or wider."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from gates.measure.calibration.widths import against_champion, against_constant
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import PairSums, loss_ratio
from gates.measure.sums import Part, Where
from gates.records import WHOLE


def part(width: Any, rival: Any, cluster: Any = None, weight: Any = None) -> Part:
    """What the engine would sum, by cluster where there are any."""
    w = np.ones_like(width) if weight is None else weight
    code = np.zeros(width.size, dtype=np.int64) if cluster is None else cluster

    def sums(factor: Any) -> dict[str, Any]:
        terms = {
            "n": np.ones_like(width),
            "width_0": width,
            "champion_width_0": rival,
            "width_width_0": width**2,
            "width_rival_0": width * rival,
            "rival_rival_0": rival**2,
        }
        return {name: np.bincount(code, weights=factor * term) for name, term in terms.items()}

    once = sums(w)
    keys = {} if cluster is None else {"cluster": np.arange(once["n"].size)}
    where = Where(WHOLE, 1_000_000, width.size, None if cluster is None else once["n"].size)
    far = {"width_0": width, "champion_width_0": rival, "apart_0": np.abs(width - rival)}
    largest = {name: float((w * value).max()) for name, value in far.items()}
    squares, heaviest = (once, None) if weight is None else (sums(w * w), float(w.max()))
    return Part(where, once, squares, keys, np.bincount(code).astype(float), heaviest, largest)


def ratio(pair: PairSums) -> Figure:
    found = loss_ratio(pair, minimum_clusters=8)
    assert isinstance(found, Figure)
    return found


def tolerance(rate: float, runs: int) -> float:
    return rate + 3 * float(np.sqrt(rate * (1 - rate) / runs))


@pytest.mark.parametrize("n", [10, 30, 300])
def test_as_wide_as_the_champion_is_seldom_called_narrower(n: int) -> None:
    """Champion's widths log-normal, the candidate's the same times noise: the true ratio is exp(.045)."""
    rng, runs, truth = np.random.default_rng(1), 2_000, float(np.exp(0.3**2 / 2))
    narrower = wider = normal = 0
    for _ in range(runs):
        rival = rng.lognormal(0, 0.5, n)
        width = rival * rng.lognormal(0, 0.3, n)
        found = ratio(against_champion(part(width, rival), 0))
        narrower += bool(found.upper[0] < truth)
        wider += bool(found.lower[0] > truth)
        d = width - truth * rival
        normal += bool(d.mean() < -stats.norm.ppf(0.95) * d.std(ddof=1) / np.sqrt(n))
    assert narrower / runs <= tolerance(0.055, runs)
    assert wider / runs <= tolerance(0.05, runs)
    if n == 10:
        assert normal / runs > 0.08


@pytest.mark.parametrize(("n", "spread"), [(30, 0.3), (1_000, 0.5), (30, 1.0)])
def test_against_a_constant_uneven_widths_are_seldom_called_narrower(n: int, spread: float) -> None:
    rng, runs, truth = np.random.default_rng(2), 2_000, float(np.exp(spread**2 / 2))
    narrower = sum(
        bool(ratio(against_constant(part(rng.lognormal(0, spread, n), np.ones(n)), 0, 1.0)).upper[0] < truth)
        for _ in range(runs)
    )
    assert narrower / runs <= tolerance(0.05, runs)


def test_days_of_wide_intervals_count_as_days() -> None:
    rng, runs, n, days = np.random.default_rng(3), 1_000, 600, 20
    clustered = naive = 0
    for _ in range(runs):
        day = np.r_[np.arange(days), rng.integers(0, days, n - days)]
        rival = np.ones(n)
        width = np.exp(0.2 * rng.normal(size=days)[day] + 0.1 * rng.normal(size=n))
        truth = float(np.exp((0.2**2 + 0.1**2) / 2))
        clustered += bool(ratio(against_champion(part(width, rival, day), 0)).upper[0] < truth)
        naive += bool(ratio(against_champion(part(width, rival), 0)).upper[0] < truth)
    assert clustered / runs <= tolerance(0.06, runs)
    assert naive / runs > 0.2


def test_weights_are_inverse_chances_of_being_drawn() -> None:
    """Rows with wide intervals are drawn more often and weigh less: the ratio of all rows is found."""
    rng, runs, n = np.random.default_rng(4), 2_000, 400
    truth = (0.5 * 0.8 + 0.5 * 3.0) / (0.5 * 1.0 + 0.5 * 2.0)
    above = below = 0
    for _ in range(runs):
        wide = rng.random(n) < 0.8
        weight = np.where(wide, 0.5 / 0.8, 0.5 / 0.2)
        rival = np.where(wide, 2.0, 1.0) * rng.lognormal(-0.02, 0.2, n)
        width = np.where(wide, 3.0, 0.8) * rng.lognormal(-0.02, 0.2, n)
        found = ratio(against_champion(part(width, rival, weight=weight), 0))
        above += bool(found.lower[0] > truth)
        below += bool(found.upper[0] < truth)
    assert above / runs <= tolerance(0.05, runs)
    assert below / runs <= tolerance(0.05, runs)
