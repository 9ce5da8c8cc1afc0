"""Figures keep few digits, and never seem to stand on the other side of a limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gates.render.names import visible
from gates.render.numbers import figure, figures, literal, moment

finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


def parsed(text: str) -> float:
    return float(text.replace(",", ""))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.031249, "0.0312"),
        (0.9534, "0.953"),
        (1.01963, "1.02"),
        (84210.0, "84,210"),
        (1234.5678, "1,235"),
        (5e-324, "4.94e-324"),
        (1.7976931348623157e308, "1.798e+308"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "NaN"),
    ],
)
def test_a_figure_has_few_digits(value: float, text: str) -> None:
    assert figure(value) == text


@given(finite, finite)
def test_a_written_figure_stands_on_its_side_of_the_limit(value: float, limit: float) -> None:
    written = parsed(figure(value, against=(limit,)))

    assert (written > limit, written < limit) == (value > limit, value < limit)


@pytest.mark.parametrize("limit", [0.02, 0.05, 1.02, -0.01])
def test_one_ulp_beside_the_limit_is_seen(limit: float) -> None:
    above, below = math.nextafter(limit, math.inf), math.nextafter(limit, -math.inf)

    assert parsed(figure(above, against=(limit,))) > limit > parsed(figure(below, against=(limit,)))


@given(finite, st.floats(0, 1e6), st.floats(0, 1e6), finite)
def test_an_interval_keeps_its_sides_and_is_no_wider_written(
    estimate: float, down: float, up: float, limit: float
) -> None:
    lower, upper = estimate - down, estimate + up
    assume(math.isfinite(lower) and math.isfinite(upper))

    texts = figures(estimate, lower, upper, against=(limit,))

    for text, value in zip(texts, (estimate, lower, upper), strict=True):
        written = parsed(text)
        assert (written > limit, written < limit) == (value > limit, value < limit)
        assert abs(written - value) <= max(abs(value) * 1e-2, (upper - lower) * 0.1, 1e-300)


def test_an_interval_has_the_decimals_that_its_width_deserves() -> None:
    assert figures(0.01724, 0.01342, 0.02098) == ("0.0172", "0.0134", "0.0210")
    assert figures(0.9534, 0.948, 0.9585) == ("0.953", "0.948", "0.959")
    assert figures(0.3, -math.inf, 0.5) == ("0.30", "-∞", "0.50")


def test_a_limit_is_written_in_full() -> None:
    assert [literal(value) for value in (0.02, 0.0000001, 1000.0, -0.01)] == ["0.02", "1e-07", "1,000", "-0.01"]


def test_a_time_that_no_calendar_has_is_still_written() -> None:
    assert moment(0) == "1970-01-01 00:00 UTC"
    assert moment(2**53 - 1) == "2255-06-05 23:47 UTC"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("UA\x1b[31m\n", "UA\\x1b[31m\\x0a"),
        ("\u202elave", "\\u202elave"),
        ("a\u200bb", "a\\u200bb"),
        ("\U000e0041", "\\U000e0041"),
        ("Zürich 東京", "Zürich 東京"),
        ("", ""),
    ],
)
def test_unseen_characters_become_seen(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_a_long_name_is_cut_in_the_middle() -> None:
    shown = visible("a" * 500 + "z" * 500, longest=41)

    assert (len(shown), shown[0], shown[20], shown[-1]) == (41, "a", "…", "z")


@given(st.text(max_size=300))
def test_a_visible_name_is_one_printable_line(name: str) -> None:
    assert visible(name).isprintable()
    assert len(visible(name).splitlines()) <= 1
