"""What a function or a person may hand over: shares with exact limits, refusals in words, bare numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gates.measure.own import Bare, Successes, Sums, Unusable, Values, own_measurement
from gates.records import LADDER, Measurement, Reason


def params(found: Measurement) -> dict[str, Any]:
    return {param.name: param.value for param in found.params}


@pytest.mark.parametrize(("k", "n"), [(0, 30), (17, 30), (30, 30), (0, 1), (9_001, 10_000)])
def test_a_share_is_clopper_pearson_from_counts_and_from_rows(k: int, n: int) -> None:
    counts = own_measurement("hits", Successes(k, n))
    rows = own_measurement("hits", Values([True] * k + [False] * (n - k)))
    for found in (counts, rows):
        assert (found.check, found.subject, found.n, found.estimate) == ("own.hits", "candidate", n, k / n)
        assert found.method == "clopper_pearson"
        assert found.bounds is not None
        for rung, bound in zip(LADDER, found.bounds, strict=True):
            theirs = stats.binomtest(k, n).proportion_ci(2 * rung - 1, method="exact")
            assert bound.lower == pytest.approx(theirs.low, abs=1e-9)
            assert bound.upper == pytest.approx(theirs.high, abs=1e-9)


def test_clusters_are_said_and_counted() -> None:
    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 20, 500)
    hit = rng.random(500) < rng.beta(2, 2, 20)[cluster]
    wide, narrow = own_measurement("hits", Values(hit, cluster)), own_measurement("hits", Values(hit))
    assert (wide.clusters, wide.method, params(wide)) == (20, "korn_graubard", {"rows": "clustered"})
    assert params(narrow) == {"rows": "assumed independent"}
    assert wide.bounds is not None
    assert narrow.bounds is not None
    assert float(wide.bounds[0].upper) > float(narrow.bounds[0].upper)
    assert own_measurement("hits", Values(hit, cluster % 7)).reason == Reason.FEW_CLUSTERS


def test_calls_of_an_agent_that_all_end_alike_are_one_call() -> None:
    found = own_measurement("escalated", Values([0] * 3_000, [i % 30 for i in range(3_000)]))
    assert found.bounds is not None
    assert float(found.bounds[0].upper) > 0.095


def test_zeros_and_ones_are_a_mean_where_a_range_says_so() -> None:
    assert own_measurement("cost", Values([0.0, 1.0, 0.0], range=(0, 50))).method == "student"


@pytest.mark.parametrize("limits", [None, (0.0, 9.0)])
def test_a_mean_says_whether_the_range_of_its_values_was_declared(limits: tuple[float, float] | None) -> None:
    expected = {"rows": "assumed independent", "range": "declared" if limits else "none"}
    for result in (Sums(10, 30, 9, range=limits), Values([0.5, 1.5, 2.5], range=limits)):
        found = own_measurement("cost", result)
        assert (found.method, params(found)) == ("student", expected)
    assert params(own_measurement("hits", Successes(3, 9))) == {"rows": "assumed independent"}


def test_a_stream_says_its_plan_and_is_another_figure_than_one_look() -> None:
    once, stream = (own_measurement("errors", Successes(61, 6_400, planned)) for planned in (None, 10_000))
    assert (stream.method, params(stream)) == (
        "confidence_sequence",
        {"rows": "assumed independent", "planned": 10_000},
    )
    assert stream.identity != once.identity
    assert own_measurement("errors", Successes(61, 6_400, np.int64(10_000))) == stream  # type: ignore[arg-type]
    assert once.bounds is not None
    assert stream.bounds is not None
    for wide, narrow in zip(stream.bounds, once.bounds, strict=True):
        assert float(wide.lower) < float(narrow.lower)
        assert float(wide.upper) > float(narrow.upper)


@pytest.mark.parametrize("limits", [None, (0.0, 50.0)])
def test_a_mean_of_a_stream_says_its_range_too_and_waits_for_rows(limits: tuple[float, float] | None) -> None:
    found = own_measurement("cost", Sums(3_000, 9_100, 1_200, limits, planned=10_000))
    said = {"rows": "assumed independent", "range": "declared" if limits else "none", "planned": 10_000}
    assert (found.method, params(found)) == ("asymptotic_confidence_sequence", said)
    few = own_measurement("cost", Sums(2_000, 6_100, 999, limits, planned=10_000))
    assert (few.reason, params(few)) == (Reason.FEW_EVENTS, said)


def test_a_bare_number_has_no_bounds() -> None:
    found = own_measurement("f1", Bare(0.9), source="mlflow")
    assert found.bounds is not None
    assert {(bound.lower, bound.upper) for bound in found.bounds} == {("unbounded", "unbounded")}
    assert (found.estimate, found.method, found.n, params(found)) == (0.9, "bare", 0, {"source": "mlflow"})


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Successes(3, 2), "3 of 2 is no share"),
        (Successes(-1, 2), "-1 is not a whole number"),
        (Successes(1, 2, planned=0), "a stream of no rows"),
        (Successes(1, 2, planned=-5), "-5 is not a whole number"),
        (Successes(3, 2, planned=10), "3 of 2 is no share"),
        (Sums(10, 100, 5, planned=1.5), "1.5 is not a whole number"),  # type: ignore[arg-type]
        (Sums(10, 1, 5, planned=9), "sum of squares is less"),
        (Successes(1.5, 2), "1.5 is not a whole number"),  # type: ignore[arg-type]
        (Successes(True, 2), "True is not a whole number"),
        (Successes(1, 2**60), "is not a whole number"),
        (Sums(10, 1, 5), "sum of squares is less"),
        (Sums(math.nan, 1, 5), "nan is not a finite number"),
        (Sums(1, math.inf, 5), "inf is not a finite number"),
        (Sums(10, 100, 5, range=(5, 9)), "the mean 2 lies outside the range 5 to 9"),
        (Sums(10, 100, 5, range=(9, 5)), "a range goes from the least"),
        (Values([0.1, math.nan, math.inf]), "2 of 3 values are missing, NaN or infinite"),
        (Values([[0.1, 0.2]]), "one a row"),  # type: ignore[list-item]
        (Values(["a", "b"]), "values are numbers"),  # type: ignore[list-item]
        (Values([None, 1.0]), "values are numbers"),  # type: ignore[list-item]
        (Values([0.1, 0.2], ["a"]), "1 clusters for 2 values"),
        (Values([0.1, 7.0], range=(0, 1)), "values lie outside the range 0 to 1"),
        (Values([1e308, -1e308]), "too far apart"),
        (Bare(math.nan), "nan is not a finite number"),
        (Bare("0.9"), "'0.9' is not a finite number"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_measurement_is_refused_in_words(result: Any, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        own_measurement("x", result)
