"""Causes that look alike in the rows that differ: what all pairs say of them, and what is then said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from parity_world import measure

from gates.inputs.tables import Tables

ROWS = 4_000
FORMS = {"slashes": "%d/%m/%Y", "dashes": "%Y-%m-%d", "month first": "%m.%d.%Y 10:00", "digits": "%Y%m%d"}


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


def test_values_without_their_sign_are_no_factor(tables: Tables, tmp_path: Path) -> None:
    """Of what differs -1 explains all: what is equal has the one sign, and what differs the other."""
    rng = np.random.default_rng(21)
    both, some = rng.normal(0, 9, ROWS), rng.random(ROWS) < 0.4
    above, gaps = np.abs(both), np.where(rng.random(ROWS) < 0.6, 0.0, np.abs(both))
    sides = {
        "lost online": (both, np.abs(both)),
        "lost offline": (np.abs(both), both),
        "below zero": (both, -np.abs(both)),
        "whole": (both.astype(int), np.abs(both.astype(int))),
        "turned or lost": (above, np.where(some, -above, above)),
        "turned": (both, np.where(some, -both, both)),
        "all turned": (above, -above),
        "all but nothing turned": (gaps, -gaps),
    }
    found = causes(tables, tmp_path, sides)
    turned = ("turned", "all turned", "all but nothing turned")
    assert {name: cause["code"] for name, cause in found.items()} == {
        name: "scale_or_unit" if name in turned else "unknown" for name in sides
    }
    for name in sides.keys() - set(turned):
        assert (found[name]["candidates"], found[name]["detail"]) == (["scale_or_unit"], {"as": "absolute value"})


def test_two_ways_of_rounding_are_no_offset(tables: Tables, tmp_path: Path) -> None:
    """A step of the grid in some rows may be either; of each value's own sign it is no offset, and at random it is nothing."""
    rng = np.random.default_rng(22)
    exact, some = rng.normal(0, 90, ROWS), rng.random(ROWS) < 0.4
    whole = np.round(exact)
    sides = {
        "down": (np.floor(exact), whole),
        "whole numbers": (np.floor(exact).astype(int), whole.astype(int)),
        "tenths": (np.floor(exact) / 10, np.round(np.round(exact) / 10, 1)),
        "of one sign": (np.trunc(np.abs(exact)), np.round(np.abs(exact))),
        "to zero": (np.trunc(exact), whole),
        "from zero": (whole, np.trunc(exact)),
        "noise": (whole, whole + some * rng.choice([-1, 1], ROWS)),
        "a step in all": (whole, whole + 1),
        "two steps": (whole, whole + 2.0 * some),
        "off the grid": (exact, exact + some),
    }
    found = causes(tables, tmp_path, sides)
    either = (["offset", "rounding_or_precision"], None)
    assert {name: cause.get("candidates", cause["code"]) for name, cause in found.items()} == {
        **dict.fromkeys(("down", "whole numbers", "tenths", "of one sign"), either[0]),
        **dict.fromkeys(("to zero", "from zero"), "rounding_or_precision"),
        "noise": "unknown",
        **dict.fromkeys(("a step in all", "two steps", "off the grid"), "offset"),
    }
    assert found["to zero"]["detail"] == {"step": 1.0}


def test_a_day_read_as_the_month_is_one_of_encoding(tables: Tables, tmp_path: Path) -> None:
    rng = np.random.default_rng(23)
    dates = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 360, ROWS), "D"))
    turned = dates.where(
        dates.dt.day > 12,
        pd.to_datetime(
            dates.where(dates.dt.day <= 12, pd.Timestamp("2024-01-01")).dt.strftime("%Y-%d-%m"), format="%Y-%m-%d"
        ),
    )
    words = {name: (dates.dt.strftime(form), turned.dt.strftime(form)) for name, form in FORMS.items()}
    at = pd.to_timedelta(rng.integers(0, 86_400, ROWS), "s")
    times = dates.dt.as_unit("us"), turned.dt.as_unit("us")
    sides = {
        "time": (times[0] + at, times[1] + at),
        "day": (times[0].dt.date, times[1].dt.date),
        **words,
        "number": tuple(side.astype(int) for side in words["digits"]),
        "day first": (times[0], words["slashes"][0]),
        "month first": (words["month first"][0], times[0]),
        "number for time": (times[0], words["digits"][0].astype(int)),
        "turned text": (times[0], words["dashes"][1]),
    }
    del sides["digits"]
    found = causes(tables, tmp_path, sides)
    assert {name: cause["code"] for name, cause in found.items()} == dict.fromkeys(sides, "type_or_encoding")
    assert {name: cause["detail"]["as"] for name, cause in found.items()} == {
        **dict.fromkeys(sides, "day and month exchanged"),
        "day first": "time, day first",
        "month first": "time, month first",
        "number for time": "year, month and day",
        "turned text": "time, day and month exchanged",
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
    assert (one["cause"]["code"], one["cause"]["candidates"]) == (
        "unknown",
        ["future_value", "offset", "rounding_or_precision"],
    )
    found = measure(tables, tmp_path, rows | {"x": count + 0.5}, rows | {"x": count * 1.0}, columns=columns)
    [one] = json.loads(found.notes[0].content)["features"]
    assert (one["cause"]["code"], one["cause"]["detail"]) == ("offset", {"offset": -0.5})
