"""Kappa and alpha against scikit-learn, statsmodels and the package krippendorff, their bounds in worlds with a truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from gates.measure.stats.agreement import alpha_interval, alpha_nominal, cohen, fleiss
from gates.measure.stats.figure import LADDER, Figure, quantiles
from gates.records import Reason

Labels = Any


def labels(seed: int, items: int, raters: int, kinds: int, right: float, gaps: float = 0.0) -> Labels:
    """Each rater sees the item's own kind with probability `right`, else any; NaN where he did not look."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(kinds, size=items, p=(weights := np.arange(1, kinds + 1)) / weights.sum())
    seen = np.where(rng.random((items, raters)) < right, truth[:, None], rng.integers(0, kinds, (items, raters)))
    return np.where(rng.random((items, raters)) < gaps, np.nan, seen)


def counted(seen: Labels) -> tuple[Labels, Labels]:
    kinds = np.unique(seen[~np.isnan(seen)])
    patterns = (seen[:, :, None] == kinds).sum(axis=1).astype(float)
    distinct, times = np.unique(patterns, axis=0, return_counts=True)
    return distinct, times.astype(float)


def moments(seen: Labels) -> tuple[Labels, Labels, Labels]:
    there = ~np.isnan(seen)
    value = np.where(there, seen, 0.0)
    return there.sum(axis=1).astype(float), value.sum(axis=1), (value**2).sum(axis=1)


def interval(seen: Labels) -> Figure | Reason:
    spread = np.nanmax(seen) - np.nanmin(seen) if seen.size else 0.0
    return alpha_interval(*moments(seen), spread=float(spread))


def joint(seen: Labels) -> Labels:
    kinds = int(seen.max()) + 1
    table = np.zeros((kinds, kinds))
    np.add.at(table, (seen[:, 0].astype(int), seen[:, 1].astype(int)), 1)
    return table


def figure(found: Figure | Reason) -> Figure:
    assert isinstance(found, Figure)
    return found


def half(found: Figure) -> float:
    """The half-width at .95, less what the rule of three adds; NaN where the bound is the end of the range."""
    return found.estimate - float(found.lower[0])


@pytest.mark.parametrize(("seed", "kinds", "right"), [(1, 2, 0.8), (2, 3, 0.6), (3, 5, 0.1), (4, 4, 0.95)])
class TestExact:
    def test_cohen(self, seed: int, kinds: int, right: float) -> None:
        seen = labels(seed, 400, 2, kinds, right)
        found = figure(cohen(joint(seen)))
        assert found.estimate == pytest.approx(cohen_kappa_score(seen[:, 0], seen[:, 1]), abs=1e-12)
        theirs = cohens_kappa(joint(seen))
        chance = 1 - float((joint(seen).sum(0) / 400) @ (joint(seen).sum(1) / 400))
        t = quantiles(399)[0]
        # Fleiss, Cohen and Everitt's standard error, and the rule of three
        expected = np.hypot(t * theirs.std_kappa * np.sqrt(400 / 399), t**2 / (400 * chance))
        assert half(found) == pytest.approx(expected, rel=1e-9)

    def test_fleiss(self, seed: int, kinds: int, right: float) -> None:
        seen = labels(seed, 300, 4, kinds, right)
        assert figure(fleiss(*counted(seen))).estimate == pytest.approx(
            fleiss_kappa(aggregate_raters(seen.astype(int))[0], method="fleiss"), abs=1e-12
        )

    @pytest.mark.parametrize("gaps", [0.0, 0.4])
    def test_alpha(self, seed: int, kinds: int, right: float, gaps: float) -> None:
        seen = labels(seed, 200, 4, kinds, right, gaps)
        for found, level in ((alpha_nominal(*counted(seen)), "nominal"), (interval(seen), "interval")):
            theirs = krippendorff.alpha(seen.T, level_of_measurement=level)
            assert figure(found).estimate == pytest.approx(theirs, abs=1e-12), level

    def test_the_variance_is_that_of_leaving_items_out(self, seed: int, kinds: int, right: float) -> None:
        seen = labels(seed, 250, 3, kinds, right, 0.2)
        forms: list[tuple[Callable[[Labels], Figure | Reason], float]] = [
            (lambda part: fleiss(*counted(part)), 0.03),
            (lambda part: alpha_nominal(*counted(part)), 0.03),
            (interval, 0.03),
        ]
        twice = seen[(~np.isnan(seen)).sum(axis=1) >= 2]
        n = len(twice)
        for form, tolerance in forms:
            found = figure(form(twice))
            out = np.array([figure(form(np.delete(twice, i, axis=0))).estimate for i in range(n)])
            jackknife = np.sqrt((n - 1) / n * ((out - out.mean()) ** 2).sum())
            far = (found.estimate - found.lower[-1]) / quantiles(n - 1)[-1]
            near = half(found) / quantiles(n - 1)[0]
            # half^2 = t^2 v + t^4 r: two rungs give both
            t1, t2 = quantiles(n - 1)[0], quantiles(n - 1)[-1]
            variance = (near**2 * t2**2 - far**2 * t1**2) / (t2**2 - t1**2)
            assert np.sqrt(variance) == pytest.approx(jackknife, rel=tolerance)


def test_interval_alpha_knows_no_unit_and_no_origin() -> None:
    seen = labels(5, 80, 3, 6, 0.7, 0.2)
    plain = figure(interval(seen))
    moved = figure(interval(seen * 4 + 3))
    assert moved.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert moved.lower == pytest.approx(plain.lower, abs=1e-9)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (np.full((9, 3), 1.0), Reason.ONE_CLASS),
        (np.array([[1.0, np.nan], [np.nan, 0.0]]), Reason.EMPTY_TABLE),
        (np.empty((0, 2)), Reason.EMPTY_TABLE),
    ],
)
def test_what_has_no_agreement(seen: Labels, reason: Reason) -> None:
    assert fleiss(*counted(seen)) is reason
    assert alpha_nominal(*counted(seen)) is reason
    assert interval(seen) is reason


def test_full_agreement_on_few_items_is_no_proof() -> None:
    seen = np.repeat(np.array([0.0, 1.0] * 10)[:, None], 3, axis=1)
    for found in (fleiss(*counted(seen)), alpha_nominal(*counted(seen)), cohen(joint(seen[:, :2]))):
        assert figure(found).estimate == 1
        assert 0.5 < figure(found).lower[0] < 0.75
        assert figure(found).upper[0] == 1
    assert np.isneginf(figure(fleiss(np.array([[1.0, 1.0]]), np.array([1.0]))).lower).all()


@pytest.mark.parametrize(
    ("items", "right", "gaps"), [(30, 0.9, 0.0), (30, 0.5, 0.3), (200, 0.95, 0.0), (200, 0.3, 0.3)]
)
def test_bounds_hold_as_often_as_they_say(items: int, right: float, gaps: float) -> None:
    runs, rung = 300, LADDER.index(0.95)
    misses = {name: np.zeros(2) for name in ("fleiss", "nominal", "interval")}
    big = labels(99, 100_000, 3, 3, right, gaps)
    forms: dict[str, Callable[[Labels], Figure | Reason]] = {
        "fleiss": lambda seen: fleiss(*counted(seen)),
        "nominal": lambda seen: alpha_nominal(*counted(seen)),
        "interval": interval,
    }
    truth = {name: figure(form(big)).estimate for name, form in forms.items()}
    for run in range(runs):
        seen = labels(1000 + run, items, 3, 3, right, gaps)
        for name, form in forms.items():
            found = figure(form(seen))
            misses[name] += [found.lower[rung] > truth[name], found.upper[rung] < truth[name]]
    # 3 Monte-Carlo standard errors above .05
    assert {
        name: seen.tolist()
        for name, seen in misses.items()
        if seen.max() / runs > 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    } == {}
