"""The rules by which a cause is named, by hand; and each cause planted in one small table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gates.measure.parity.causes.decide import BEYOND_CHANCE, EXPLAINED, FEWEST, decide, fits, lower_limit
from gates.measure.parity.causes.hypotheses import MAPPING, VALUE, Hypothesis, Tally
from gates.measure.parity.causes.levels import _overlap


def tally(code: str, explained: int, rows: int = 500, level: float = VALUE, hits: int = 0, dealt: int = 499) -> Tally:
    return Tally(Hypothesis(code, level), rows, explained, hits, dealt)  # type: ignore[arg-type]


def name(*tallies: Tally, discordant: tuple[int, int] = (0, 0)) -> tuple[str, str | None]:
    cause = decide(tallies, tallies[0].rows, lambda _a, _b: discordant)
    return cause.code, cause.why


@pytest.mark.parametrize(("explained", "rows"), [(500, 500), (460, 500), (0, 50), (49, 50), (9_997, 10_000)])
def test_the_lower_limit_is_clopper_and_pearsons(explained: int, rows: int) -> None:
    expected = stats.binomtest(explained, rows, alternative="greater").proportion_ci(0.99, "exact").low
    assert lower_limit(explained, rows) == pytest.approx(expected, abs=1e-12)


def test_a_share_is_needed_that_is_surely_over_nine_in_ten() -> None:
    enough = next(k for k in range(500) if lower_limit(k, 500) > EXPLAINED)
    assert name(tally("offset", enough)) == ("offset", None)
    assert name(tally("offset", enough - 1)) == ("unknown", "nothing")


def test_few_rows_name_nothing() -> None:
    assert name(tally("offset", FEWEST - 1, rows=FEWEST - 1)) == ("unknown", "few")
    assert name(tally("offset", FEWEST, rows=FEWEST)) == ("offset", None)


def test_what_chance_explains_counts_for_nothing() -> None:
    assert name(tally("stale", 500, hits=300)) == ("stale", None)
    assert name(tally("stale", 500, hits=480)) == ("unknown", "nothing")
    assert name(tally("stale", 500, hits=499)) == ("unknown", "nothing")
    limit = next(hits for hits in range(499) if not fits(tally("stale", 500, hits=hits)))
    chance = stats.binomtest(limit, 499, alternative="less").proportion_ci(0.99, "exact").high
    assert (lower_limit(500, 500) - chance) / (1 - chance) <= BEYOND_CHANCE


def test_two_that_explain_the_same_rows_are_ambiguous() -> None:
    rivals = tally("scale_or_unit", 500), tally("offset", 500)
    assert name(*rivals) == ("unknown", "ambiguous")
    assert name(*rivals, discordant=(6, 0)) == ("unknown", "ambiguous")
    assert name(*rivals, discordant=(7, 0)) == ("scale_or_unit", None)


def test_what_no_code_is_of_is_unknown_alone_and_beside_another() -> None:
    uncoded = Tally(Hypothesis("unknown", VALUE, {"as": "absolute value"}), 500, 500)
    assert name(uncoded) == ("unknown", "uncoded")
    assert name(uncoded, tally("scale_or_unit", 500)) == ("unknown", "ambiguous")
    beside = decide([tally("scale_or_unit", 500), uncoded], 500, lambda _a, _b: (0, 0))
    assert (beside.candidates, beside.detail) == (("scale_or_unit",), {"as": "absolute value"})
    assert name(tally("scale_or_unit", 500), uncoded, discordant=(99, 0)) == ("scale_or_unit", None)


def test_the_special_comes_before_the_general() -> None:
    assert name(tally("category_mapping", 500, level=MAPPING), tally("offset", 490)) == ("offset", None)
    assert name(tally("category_mapping", 500, level=MAPPING), tally("offset", 300)) == ("category_mapping", None)


@pytest.mark.parametrize("levels", [3, 40, 1_000, 10**9])
def test_shared_values_by_chance_are_what_two_draws_share(levels: int) -> None:
    """The formula against draws: 3 standard errors of 60 runs."""
    rng = np.random.default_rng(levels)
    shares, formula = [], []
    for _ in range(60):
        a, b = rng.integers(0, levels, (2, 600))
        values = np.unique(np.concatenate([a, b]))
        x, y = (
            np.searchsorted(np.sort(side), values, "right") - np.searchsorted(np.sort(side), values) for side in (a, b)
        )
        found = _overlap(x, y, np.ones(len(values)))
        shares.append(found.explained / found.rows)
        formula.append(found.share_by_chance)
    error = np.std(np.array(shares) - np.array(formula), ddof=1) / np.sqrt(60)
    assert abs(np.mean(shares) - np.mean(formula)) <= 3 * error + 1e-3  # the root is of variances, not of deviations
