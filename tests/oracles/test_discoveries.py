"""Benjamini and Hochberg against scipy and statsmodels, p values read off the ladder, and how many names are chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from decision_samples import carrier, ladder, measured, result
from scipy import stats
from statsmodels.stats.multitest import multipletests

from gates.decide.discoveries import RATE, p_value, rejected, stand_out
from gates.decide.limits import Limit, Rungs
from gates.records import LADDER, Family, Item

LEVELS = [round(1 - confidence, 12) for confidence in LADDER]
ECE = Limit("at_most", 0.02, inclusive=False)


@pytest.mark.parametrize("size", [1, 2, 7, 40, 500])
@pytest.mark.parametrize("bad", [0.0, 0.3, 1.0])
def test_it_is_scipys_and_statsmodels(size: int, bad: float) -> None:
    rng = np.random.default_rng(size)
    for _ in range(50):
        p = np.where(rng.random(size) < bad, rng.beta(0.2, 5, size), rng.random(size))
        ours = list(rejected(p.tolist(), size))
        assert ours == list(stats.false_discovery_control(p) <= RATE)
        assert ours == list(multipletests(p, alpha=RATE, method="fdr_bh")[0])
        # Claims that are not there have no p value under 1.
        padded = np.concatenate([p, np.ones(size)])
        assert (
            list(rejected(p.tolist(), 2 * size)) == list(multipletests(padded, alpha=RATE, method="fdr_bh")[0])[:size]
        )


@pytest.mark.parametrize("size", [2, 6, 10, 14, 20, 100])
def test_levels_of_the_ladder_on_a_step_are_rejected(size: int) -> None:
    """Exactly half of the claims at .05, which the rule allows, are not lost to doubles; one fewer are not enough."""
    enough = [0.05] * (size // 2) + [1.0] * (size - size // 2)
    assert list(rejected(enough, size)) == [p < 1 for p in enough]
    assert not any(rejected([1.0, *enough[1:]], size))


@pytest.mark.parametrize(
    ("limit", "estimate"),
    [
        (ECE, 0.02 + 0.01),
        (Limit("at_least", 0.9, inclusive=True), 0.9 - 0.01),
        (Limit("within", 0.05, inclusive=True, mirror=-0.05), 0.05 + 0.01),
        (Limit("within", 0.05, inclusive=True, mirror=-0.05), -0.05 - 0.01),
    ],
)
@pytest.mark.parametrize("error", [0.002, 0.0035, 0.005, 0.02])
def test_a_p_value_is_never_smaller_than_the_true_one(limit: Limit, estimate: float, error: float) -> None:
    figure = measured("calibration.ece", estimate, error).model_copy(update={"bounds": ladder(estimate, error)})
    exact = float(stats.norm.sf(0.01 / error))
    assert p_value(limit, figure) == min((level for level in LEVELS if level >= exact and level <= 0.05), default=1.0)


def test_at_the_limit_itself_nothing_is_beyond_it() -> None:
    figure = measured("calibration.ece", 0.02, 0.0)
    assert p_value(ECE, figure) == 1.0
    assert p_value(ECE, figure.model_copy(update={"bounds": None})) == 1.0


def claims(values: Any, error: float, **more: Any) -> list[Any]:
    """Slices with these estimates, each judged as policies judge it: at the rung of its family."""
    found = []
    for number, value in enumerate(values):
        family = Family(name="calibration.ece", size=len(values))
        figure = measured("calibration.ece", value, error, slice_=carrier(f"c{number}"), family=family, **more)
        at = Rungs().judged(figure, "fail", 1)
        assert at is not None
        failed = ECE.excess(ECE.best(at)) > 0
        found.append((result(figure, "fail" if failed else "inconclusive", "tolerated"), ECE, figure))
    return found


def names(some: list[Any]) -> set[str]:
    return {figure.slice.value or "" for found in stand_out(some) for figure in found.figures}


def test_it_names_the_undecided_and_counts_the_failed_among_the_found() -> None:
    # 3.8 standard errors beyond the limit fail in a family of ten, 2.4 do not.
    some = claims([0.02 + 3.8 * 0.01, 0.02 + 2.4 * 0.01, *[0.01] * 8], 0.01)
    assert [judged.verdict for judged, _, _ in some][:2] == ["fail", "inconclusive"]
    assert names(some) == {"c1"}
    # Alone it is at .01, and the first of ten steps is .01; beside it at .025 the second is .02.
    assert names(some[1:]) == {"c1"}
    assert names(claims([0.02 + 2.0 * 0.01, *[0.01] * 9], 0.01)) == set()
    assert not stand_out(claims([0.02 + 2.4 * 0.01], 0.01))


def test_the_whole_is_no_part_and_items_are() -> None:
    whole = measured("calibration.ece", 0.05, 0.01)
    part = measured("calibration.ece", 0.05, 0.01, slice_=carrier("A"), family=Family(name="f", size=2))
    assert not stand_out([(result(figure, "inconclusive"), ECE, figure) for figure in (whole, part)])
    bins = [
        measured("calibration.ece", 0.05, 0.01, item=Item(kind="bin", name=name), family=Family(name="f", size=2))
        for name in "12"
    ]
    [found] = stand_out([(result(figure, "inconclusive"), ECE, figure) for figure in bins])
    assert (found.check, found.among, len(found.figures)) == ("calibration.ece", 2, 2)
    assert found.document()["parts"][0]["item"] == {"kind": "bin", "name": "1"}


@pytest.mark.parametrize(("size", "bad"), [(10, 0), (40, 8), (100, 20), (100, 50)])
def test_a_tenth_of_the_names_are_chance_at_most(size: int, bad: int) -> None:
    """Good slices exactly at the limit, which is the worst that they may be; bad ones 2.5 standard errors beyond it."""
    rng, runs = np.random.default_rng(size + bad), 300
    false, found, failed = np.zeros(runs), 0, 0
    truth = np.r_[np.full(bad, 2.5), np.zeros(size - bad)]
    for run in range(runs):
        p = _levels(truth + rng.normal(0, 1, size))
        named = np.array(rejected(p.tolist(), size))
        false[run] = named[bad:].sum() / max(1, named.sum())
        found += int(named[:bad].sum())
        failed += int((p[:bad] <= LEVELS[_failing(size)]).sum())
    assert false.mean() <= RATE + 3 * false.std() / runs**0.5
    # What it is for: Bonferroni's rung alone finds fewer of the bad ones.
    assert found > 1.5 * failed or not bad


def _levels(z: np.ndarray) -> np.ndarray:
    levels = np.array([*LEVELS, 1.0])
    return np.where(levels >= stats.norm.sf(z)[:, None], levels, 1.0).min(axis=1)


def _failing(size: int) -> int:
    return next(rung for rung, largest in enumerate(Rungs().families) if size <= largest)
