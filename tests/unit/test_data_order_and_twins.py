"""Does the holdout begin after training, and are its rows near copies of training's? Against a loop over the rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from data_world import answer, table, times
from data_world import given as world

from gates.inputs.opened import OpenTable
from gates.measure.data.order import time_order
from gates.measure.data.twins import near_duplicates
from gates.measure.interface import Given, Learned
from gates.records import Reason


def given(*tables: OpenTable, features: tuple[str, ...] = ("x", "z"), **parameters: Any) -> Given:
    return world(*tables, columns={"time": "at", "features": features}, **parameters)


class TestOrder:
    def test_rows_at_or_after_the_first_of_the_holdout(self) -> None:
        holdout = table("holdout", at=times(10, 11, 30))
        training = table("training", at=times(1, 2, 9.99, 10, 12))
        calibration = table("calibration", at=times(8, 9))
        found = list(time_order(given(holdout, training, calibration)))
        assert [(one.item.name, one.estimate, one.n) for one in found if one.item] == [
            ("training", 2, 5),
            ("calibration", 0, 2),
        ]

    def test_every_table_that_the_run_names(self) -> None:
        stopping = Learned("eval", table("training", at=times(9, 10)), by_run=True)
        asked = replace(given(table("holdout", at=times(10, 11))), learned={"candidate": (stopping,)})
        assert [(one.item.name, answer(one)) for one in time_order(asked) if one.item] == [
            ("training", Reason.TABLE_MISSING),
            ("eval", 1),
        ]

    def test_a_row_without_a_time_is_not_shown_to_be_in_order(self) -> None:
        (found,) = time_order(given(table("holdout", at=times(5, None)), table("training", at=times(None, None, 1))))
        assert found.estimate == 3

    def test_zones_are_one_time(self) -> None:
        local = times(10).dt.tz_convert("Asia/Tokyo")
        (found,) = time_order(given(table("holdout", at=times(10)), table("training", at=local)))
        assert found.estimate == 1
        (found,) = time_order(given(table("holdout", at=times(10.5)), table("training", at=local)))
        assert found.estimate == 0

    @pytest.mark.parametrize(
        ("training", "reason"),
        [
            ({"at": ["yesterday"]}, Reason.COLUMN_MISSING),
            ({"when": times(1)}, Reason.COLUMN_MISSING),
            ({"at": []}, Reason.EMPTY_TABLE),
        ],
    )
    def test_what_cannot_be_ordered(self, training: Any, reason: Reason) -> None:
        (found,) = time_order(given(table("holdout", at=times(5)), table("training", **training)))
        assert found.reason is reason
        (found,) = time_order(given(table("holdout", at=times(5))))
        assert found.reason is Reason.TABLE_MISSING


def same(a: Any, b: Any, digits: int) -> bool:
    """Python's own rounding to significant digits, by the text of the number."""
    if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
        return bool(a == b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    a, b = (0.0 if abs(v) < 1e-280 else v for v in (a, b))  # there is no scale for them
    return f"{a:.{digits - 1}e}" == f"{b:.{digits - 1}e}"


@pytest.mark.parametrize("digits", [2, 4])
def test_twins_as_a_loop_finds_them(digits: int) -> None:
    rng = np.random.default_rng(digits)
    x = rng.lognormal(0, 8, 300) * rng.choice([-1, 1], 300)
    x[:8] = [np.nan, np.inf, -np.inf, 0.0, 1e308, 5e-324, 999.96, -1e-7]
    z = [None if i % 7 == 3 else f"r{i}" for i in range(300)]
    nudged = x[:150] * (1 + rng.choice([0, 1e-9, 10.0**-digits, 0.5], 150))
    holdout = table("holdout", x=x[:150], z=z[:150])
    training = table("training", x=np.concatenate([nudged, x[150:]]), z=z)
    rows = list(zip(np.concatenate([nudged, x[150:]]), z, strict=True))
    by_loop = sum(any(same(a, c, digits) and b == d for c, d in rows) for a, b in zip(x[:150], z, strict=False))
    (found,) = near_duplicates(given(holdout, training, near_digits=digits))
    assert 0.3 < by_loop / 150 < 0.9
    assert found.estimate == by_loop / 150
    assert [(p.name, p.value) for p in found.params] == [("digits", digits)]


def test_numbers_are_one_in_every_type_and_texts_are_themselves() -> None:
    holdout = table("holdout", x=np.array([12_341, 12_342, 7_000_000], dtype="int32"), z=list("abc"))
    training = table("training", x=np.array([12_339.0, 1.0, 7_000_400.0]), z=list("abc"))
    (found,) = near_duplicates(given(holdout, training))
    assert found.estimate == 2 / 3


def test_rows_that_are_twins_of_each_other_say_nothing() -> None:
    crowd = {"x": [1.0, 1.0, 2.0], "z": ["a", "a", "a"]}
    (found,) = near_duplicates(given(table("holdout", **crowd), table("training", **crowd)))
    assert found.reason is Reason.KEYS_NOT_UNIQUE
    (found,) = near_duplicates(given(table("holdout", x=["1"], z=["a"]), table("training", **crowd)))
    assert found.reason is Reason.COLUMN_MISSING
    (found,) = near_duplicates(given(table("holdout", **crowd), table("training", **crowd), features=()))
    assert found.reason is Reason.NOT_PROVIDED
