"""Rows that prove a rate of which nothing was seen: the exact interval of so many rows is within the limit, of one less not."""

from __future__ import annotations

import pytest
from scipy.stats import beta

from gates.decide.limits import Limit, Rungs
from gates.decide.rows_needed import rows_for_width
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import proportion
from gates.records import Family, Measurement


def figure(hits: int, n: int, clusters: int | None = None) -> Measurement:
    lower, upper = proportion(hits / n, n)
    return Measurement(
        check="parity.mismatch",
        subject="data",
        estimate=hits / n,
        bounds=Figure(hits / n, lower, upper, n).bounds(),
        family=Family(name="parity.mismatch", size=1),
        n=n,
        clusters=clusters,
        method="Clopper-Pearson",
    )


@pytest.mark.parametrize("limit", [0.001, 0.01, 0.2])
def test_so_many_rows_without_a_mismatch_prove_the_rate_and_one_less_does_not(limit: float) -> None:
    need = rows_for_width(figure(0, 10), Limit("at_most", limit, inclusive=True), Rungs())
    assert need is not None
    assert need.low == need.high
    assert need.toward == "pass"
    assert beta.ppf(0.95, 1, need.low) <= limit < beta.ppf(0.95, 1, need.low - 1)
    if limit == 0.001:
        assert need.low == 2_995


def test_where_something_was_seen_or_rows_hang_together_it_is_the_width_that_counts() -> None:
    limit = Limit("at_most", 0.01, inclusive=True)
    for found in (figure(1, 1_000), figure(0, 200, clusters=20)):
        need = rows_for_width(found, limit, Rungs())
        assert need is not None
        assert need.low < need.high
