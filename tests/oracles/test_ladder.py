"""The ladder's tables of integers against their formulas and against statsmodels: what families and looks may spend."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from study.rules import LARGEST_FAMILY, LARGEST_LOOK, rung

from gates.records import LADDER

ALPHA = Fraction(5, 100)
LEFT = [1 - Fraction(str(confidence)) for confidence in LADDER]


def test_the_largest_family_of_a_rung_is_bonferronis() -> None:
    assert [ALPHA // left for left in LEFT] == LARGEST_FAMILY


def test_the_largest_look_of_a_rung_is_the_last_that_it_is_strict_enough_for() -> None:
    def level(look: int) -> Fraction:
        return ALPHA / (look * (look - 1)) if look > 1 else ALPHA

    assert [max(k for k in range(1, 1_000) if level(k) >= left) for left in LEFT] == LARGEST_LOOK


def test_all_looks_together_spend_at_most_a_tenth() -> None:
    spent = sum(LEFT[rung(LARGEST_LOOK, look)] for look in range(1, LARGEST_LOOK[-1] + 1))
    assert spent <= 2 * ALPHA


@pytest.mark.parametrize("size", [1, 7, 50, 900])
def test_what_fails_on_the_ladder_fails_by_bonferroni_and_holm(size: int) -> None:
    rng = np.random.default_rng(size)
    left = float(LEFT[rung(LARGEST_FAMILY, size)])
    for _ in range(5):
        p = rng.beta(0.2, 5, size)
        ours = p < left
        for method in ("bonferroni", "holm"):
            rejected = multipletests(p, alpha=float(ALPHA), method=method)[0]
            assert not (ours & ~rejected).any()
        # At sizes on the table the rung is Bonferroni's level itself.
        if size in LARGEST_FAMILY:
            assert (ours == multipletests(p, alpha=float(ALPHA), method="bonferroni")[0]).all()
