"""What a baseline accepts: a simulation with a known truth, and the sides of each sense."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from gates.decide.accept import level_of
from gates.decide.limits import Limit
from gates.records import LADDER, Bound, Family, Measurement

Z = {rung: float(norm.ppf(rung)) for rung in LADDER}


def measured(point: float, error: float = 1.0, **changes: object) -> Measurement:
    bounds = tuple(Bound(confidence=r, lower=point - Z[r] * error, upper=point + Z[r] * error) for r in LADDER)
    said = {"check": "calibration.ece", "subject": "candidate", "method": "normal", "family": Family(name="f", size=1)}
    return Measurement.model_validate({**said, "estimate": point, "bounds": bounds, **changes})


@pytest.mark.parametrize("sense", ["at_most", "at_least"])
@pytest.mark.parametrize(("worse", "refused"), [(0.0, None), (6.0, 0.99)])
def test_how_often_an_equally_bad_and_a_worse_model_are_refused(
    sense: str, worse: float, refused: float | None
) -> None:
    draws, sign = 20_000, 1 if sense == "at_most" else -1
    rng = np.random.default_rng(5)
    today, later = rng.normal(size=draws), rng.normal(loc=worse, size=draws)
    limit = Limit(sense, -100.0 * sign, inclusive=True)  # type: ignore[arg-type]
    # A level moves with its figure, so one of them says what is accepted above or below any.
    level = level_of(limit, [measured(0.0)], lasting=True)
    assert level is not None
    beyond = later - today > sign * level.limit
    wide = later - today + Z[0.95] > sign * level.ceiling
    found = float(np.mean(beyond | wide))
    expected = float(norm.sf((Z[0.995] - worse) / math.sqrt(2)))
    assert found == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / draws))
    assert found > refused if refused else found < 0.04


def test_a_waiver_accepts_what_was_measured() -> None:
    figure = measured(3.0, debiased=2.5)
    high = level_of(Limit("at_most", 1.0, inclusive=True), [figure], lasting=False)
    low = level_of(Limit("at_least", 5.0, inclusive=True), [figure], lasting=False)
    assert high is not None
    assert (high.limit, high.ceiling) == (2.5, pytest.approx(3 + Z[0.95]))
    assert low is not None
    assert (low.limit, low.ceiling) == (2.5, pytest.approx(3 - Z[0.95]))


def test_the_policys_own_limit_is_never_tightened_and_the_worst_of_several_counts() -> None:
    open_ = level_of(Limit("at_most", 3.5, inclusive=True), [measured(3.0)], lasting=False)
    assert open_ is not None
    assert open_.limit == 3.5
    both = level_of(Limit("at_most", 1.0, inclusive=True), [measured(3.0), measured(2.0, 4.0)], lasting=False)
    assert both is not None
    assert (both.limit, both.ceiling) == (3.0, pytest.approx(2 + 4 * Z[0.95]))


def test_two_sides() -> None:
    limit = Limit("within", 1.0, inclusive=True, mirror=-1.0)
    low = level_of(limit, [measured(-4.0, 0.1)], lasting=False)
    assert low is not None
    assert low.mirror is not None
    assert (low.limit, low.ceiling) == (1.0, 1.0)
    assert (low.mirror.limit, low.mirror.ceiling) == (-4.0, pytest.approx(-4 - 0.1 * Z[0.95]))


@pytest.mark.parametrize("lasting", [False, True])
def test_a_figure_without_a_bound_cannot_be_accepted(lasting: bool) -> None:
    def unbounded(beyond: float) -> Measurement:
        bounds = [b.model_copy(update={"upper": "unbounded"} if b.confidence >= beyond else {}) for b in bounded]
        return measured(3.0, bounds=tuple(bounds))

    bounded = measured(3.0).bounds or ()
    limit = Limit("at_most", 1.0, inclusive=True)
    assert level_of(limit, [unbounded(0.95)], lasting=lasting) is None
    # Beyond some confidence few rows set no bound: the widest that they set is taken.
    partly = level_of(limit, [unbounded(0.999)], lasting=True)
    assert partly is not None
    assert partly.ceiling == pytest.approx(3 + Z[0.995])
