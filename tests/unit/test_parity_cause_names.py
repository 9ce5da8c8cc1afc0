"""Causes that look alike in the rows that differ: what all pairs say of them, and what is then said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity_world import measure

from gates.inputs.tables import Tables

ROWS = 4_000


def causes(tables: Tables, folder: Path, sides: dict[str, tuple[Any, Any]]) -> dict[str, dict[str, Any]]:
    offline, online = ({"k": np.arange(ROWS)} | {name: pair[side] for name, pair in sides.items()} for side in (0, 1))
    found = measure(tables, folder, offline, online, columns={"features": tuple(sides)})
    return {one["name"]: one["cause"] for one in json.loads(found.notes[0].content)["features"]}


def test_wrong_values_of_two_are_no_mapping(tables: Tables, tmp_path: Path) -> None:
    """Where one of two values is wrong it is the other one: that says nothing."""
    rng = np.random.default_rng(16)
    flag, few = rng.random(ROWS) < 0.3, rng.random(ROWS) < 0.2
    text = np.where(flag, "F", "M")
    rare = rng.choice(3, ROWS, p=[0.95, 0.045, 0.005])
    level = np.array(["usual", "rare", "rarest"])
    sides = {
        "other in some": (flag, flag ^ few),
        "other in most": (flag, flag ^ (rng.random(ROWS) < 0.6)),
        "numbers": (flag.astype(int), (flag ^ few).astype(int)),
        "texts": (text, np.where(few, np.where(flag, "M", "F"), text)),
        "drawn": (flag, rng.random(ROWS) < 0.3),
        "dealt": (flag, rng.permutation(flag)),
        "drawn of three": (level[rare], level[rng.choice(3, ROWS, p=[0.95, 0.045, 0.005])]),
    }
    found = causes(tables, tmp_path, sides)
    assert {name: (cause["code"], cause["why"]) for name, cause in found.items()} == dict.fromkeys(
        sides, ("unknown", "nothing")
    )


def test_a_flag_turned_round_in_all_pairs_is_a_mapping(tables: Tables, tmp_path: Path) -> None:
    rng = np.random.default_rng(17)
    flag, noise = rng.random(ROWS) < 0.3, rng.random(ROWS) < 0.03
    word = rng.choice(list("abcdefgh"), ROWS)
    third = rng.integers(0, 3, ROWS)
    names = np.array(["red", "green", "blue"])
    sides = {
        "turned": (flag, ~flag),
        "nearly": (flag, np.where(noise, flag, ~flag)),
        "renamed": (np.where(flag, "F", "M"), np.where(flag, "w", "m")),
        "two of eight": (word, np.where(word == "a", "b", np.where(word == "b", "a", word))),
        "three in some": (names[third], names[(third + (rng.random(ROWS) < 0.3)) % 3]),
    }
    found = causes(tables, tmp_path, sides)
    assert {name: cause["code"] for name, cause in found.items()} == dict.fromkeys(sides, "category_mapping")
    assert found["turned"]["chance"] == pytest.approx(np.mean(flag) ** 2 + np.mean(~flag) ** 2)


def test_a_constant_below_the_grid_of_the_values_is_an_offset(tables: Tables, tmp_path: Path) -> None:
    """It puts one side off a grid that the other is on, as rounding does; but rounding leaves more than one amount."""
    rng = np.random.default_rng(23)
    tens, some = rng.integers(0, 36, ROWS) * 10, rng.random(ROWS) < 0.4
    days = np.datetime64("2024-01-01", "us") + rng.integers(0, 300, ROWS).astype("timedelta64[D]")
    exact = rng.gamma(2, 50, ROWS)
    sides = {
        "tens + 1": (tens, tens + 1),
        "tens - 7, some": (tens, np.where(some, tens - 7, tens)),
        "cents + 19": (tens * 10, tens * 10 + 19),
        "whole + .5": (tens / 10, tens / 10 + 0.5),
        "hundreds x 1.01": (tens * 10, tens * 10.1),
        "days + 3 s": (days, days + np.timedelta64(3, "s")),
        "days + 5 h": (days, days + np.timedelta64(5, "h")),
        "rounded": (exact, exact.round(0)),
        "to days": (days + (exact * 1e8).astype("timedelta64[us]"), days),
    }
    found = causes(tables, tmp_path, sides)
    assert {name: cause["code"] for name, cause in found.items()} == {
        "tens + 1": "offset",
        "tens - 7, some": "offset",
        "cents + 19": "offset",
        "whole + .5": "offset",
        "hundreds x 1.01": "scale_or_unit",
        "days + 3 s": "offset",
        "days + 5 h": "time_zone",
        "rounded": "rounding_or_precision",
        "to days": "rounding_or_precision",
    }


def test_half_a_step_in_some_rows_may_be_rounding(tables: Tables, tmp_path: Path) -> None:
    """Halves that are cut: every second one stays as it is, the others are off by one amount."""
    rng = np.random.default_rng(5)
    halves = rng.integers(0, 60, ROWS) / 2
    hours = np.datetime64("2024-01-01", "us") + rng.integers(0, 9_000, ROWS) * np.timedelta64(30, "m")
    found = causes(
        tables,
        tmp_path,
        {
            "cut": (halves, np.trunc(halves)),
            "to hours": (hours, hours.astype("datetime64[h]").astype("datetime64[us]")),
        },
    )
    assert {name: cause["candidates"] for name, cause in found.items()} == {
        "cut": ["offset", "rounding_or_precision"],
        "to hours": ["rounding_or_precision", "time_zone"],
    }


@pytest.mark.parametrize(("rows", "code"), [(2_000, "unknown"), (20_000, "sort_order")])
def test_two_values_at_other_rows_are_named_where_they_are_many(
    tables: Tables, tmp_path: Path, rows: int, code: str
) -> None:
    rng = np.random.default_rng(2)
    flag = rng.random(rows) < 0.5
    side = {"k": np.arange(rows), "x": flag}
    found = measure(tables, tmp_path, side, side | {"x": rng.permutation(flag)}, columns={"features": ("x",)})
    assert json.loads(found.notes[0].content)["features"][0]["cause"]["code"] == code


def test_a_count_that_is_an_event_off_may_be_a_leak(tables: Tables, tmp_path: Path) -> None:
    """The same constant in all rows, and the value of the next event: which of the two it is no figure says."""
    users, events = 50, 40
    count, rng = np.tile(np.arange(events), users), np.random.default_rng(18)
    hours = np.cumsum(rng.integers(1, 50, (users, events)), axis=1).ravel()
    rows = {
        "user": np.repeat(np.arange(users), events),
        "at": np.datetime64("2024-01-01", "us") + hours * 3_600_000_000,
    }
    off = (rng.random(count.size) < 0.3) & (count < events - 1)
    columns = {"key": ("user", "at"), "time": "at", "features": ("x",)}
    found = measure(tables, tmp_path, rows | {"x": count + off}, rows | {"x": count}, columns=columns)
    [one] = json.loads(found.notes[0].content)["features"]
    assert (one["cause"]["code"], one["cause"]["candidates"]) == ("unknown", ["future_value", "offset"])
    found = measure(tables, tmp_path, rows | {"x": count + 0.5}, rows | {"x": count * 1.0}, columns=columns)
    [one] = json.loads(found.notes[0].content)["features"]
    assert (one["cause"]["code"], one["cause"]["detail"]) == ("offset", {"offset": -0.5})
