"""Pairs that are a sample of traffic have exact bounds; slices, clusters, times in the key, and the four absences."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from parity_world import by_place, measure
from scipy.stats import beta

from gates.inputs.tables import Tables
from gates.records import LADDER, Measurement, Reason
from gates.records.plan import Alike, Parity, Served

SAMPLE = {"online": "sample"}


def limits(figure: Measurement) -> list[float]:
    """Upper bounds at the rungs, then lower ones."""
    assert figure.bounds is not None
    return [float(b.upper) for b in figure.bounds] + [float(b.lower) for b in figure.bounds]


def exact(hits: int, n: int) -> list[float]:
    """Clopper-Pearson by quantiles of the beta distribution."""
    lower = [0.0 if hits == 0 else float(beta.ppf(1 - rung, hits, n - hits + 1)) for rung in LADDER]
    upper = [1.0 if hits == n else float(beta.ppf(rung, hits + 1, n - hits)) for rung in LADDER]
    return upper + lower


@pytest.mark.parametrize(("n", "within"), [(2_995, True), (2_994, False)])
def test_zero_mismatches_prove_a_rate_from_2995_pairs_on(tables: Tables, tmp_path: Path, n: int, within: bool) -> None:
    frame = {"k": range(n), "x": np.arange(n) / 7}
    found = measure(tables, tmp_path, frame, frame, scopes=SAMPLE)
    figure = by_place(found, "parity.mismatch")["x"]
    assert (figure.scope, figure.estimate, figure.n) == ("sample", 0.0, n)
    assert (limits(figure)[0] <= 0.001) is within


def test_bounds_of_a_sample_are_clopper_pearsons_in_the_whole_and_in_each_slice(tables: Tables, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 400
    site = rng.choice(["a", "b'; --", "ü"], n)
    wrong = rng.random(n) < np.where(site == "a", 0.2, 0.01)
    offline = {"k": range(n), "x": np.arange(n) / 3, "site": site}
    online = {"k": range(n), "x": np.arange(n) / 3 + wrong}
    found = measure(tables, tmp_path, offline, online, scopes=SAMPLE, parameters={"slices": ("site", "nowhere")})
    figures = by_place(found, "parity.mismatch")
    assert set(figures) == {"x", "x@site=a", "x@site=b'; --", "x@site=ü"}
    for name, figure in figures.items():
        inside = np.full(n, fill_value=True) if name == "x" else site == name.partition("=")[2]
        hits, rows = int(wrong[inside].sum()), int(inside.sum())
        assert (figure.estimate, figure.n, figure.family.size) == (hits / rows, rows, 4)
        assert figure.share_ppm == rows * 1_000_000 // n
        assert limits(figure) == pytest.approx(exact(hits, rows), rel=1e-9)
        assert {p.name: p.value for p in figure.params}["rows"] == "assumed independent"
    census = by_place(measure(tables, tmp_path, offline, online, parameters={"slices": ("site",)}), "parity.mismatch")
    assert {name: figure.estimate for name, figure in census.items()} == {
        name: f.estimate for name, f in figures.items()
    }
    assert {figure.scope for figure in census.values()} == {"census"}


def test_pairs_in_clusters_tell_less(tables: Tables, tmp_path: Path) -> None:
    n = 2_000
    user = np.arange(n) // 50
    wrong = user == 3
    offline = {"k": range(n), "x": np.zeros(n), "user": user}
    online = {"k": range(n), "x": wrong.astype(float), "user": user.astype("int32")}
    figures = {
        cluster: by_place(
            measure(tables, tmp_path, offline, online, scopes=SAMPLE, parameters={"cluster": cluster}),
            "parity.mismatch",
        )["x"]
        for cluster in (None, "user")
    }
    assert figures[None].estimate == figures["user"].estimate == 0.025
    assert figures["user"].clusters == 40
    assert limits(figures["user"])[0] > 2 * limits(figures[None])[0]
    missing = by_place(
        measure(tables, tmp_path, offline, online, scopes=SAMPLE, parameters={"cluster": "user"}), "parity.missing"
    )
    assert set(missing) == {"online"}, "keys that a sample of the online rows lacks are no finding"
    assert (missing["online"].estimate, missing["online"].clusters) == (0.0, 40)
    lost = measure(tables, tmp_path, offline, online, scopes=SAMPLE, parameters={"cluster": "session"})
    assert {figure.reason for figure in lost.measurements if figure.check != "parity.one_table"} == {
        Reason.COLUMN_MISSING
    }


def test_both_tables_of_the_same_keys_tell_of_both_sides(tables: Tables, tmp_path: Path) -> None:
    found = measure(
        tables,
        tmp_path,
        {"k": range(100), "x": np.zeros(100)},
        {"k": range(10, 110), "x": np.zeros(100)},
        scopes={"online": "sample", "offline": "sample"},
    )
    missing = by_place(found, "parity.missing")
    assert {side: limits(figure) for side, figure in missing.items()} == {
        side: pytest.approx(exact(10, 100), rel=1e-9) for side in ("offline", "online")
    }


def test_a_key_that_repeats_in_time_is_paired_by_key_and_time(tables: Tables, tmp_path: Path) -> None:
    days = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.repeat(np.arange(3), 2), "D")
    offline = pa.table({"k": [1, 2] * 3, "t": pa.array(days), "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    zoned = pa.array(days.tz_localize("UTC").tz_convert("Asia/Tokyo"))
    online = pa.table({"k": [1, 2] * 3, "t": zoned, "x": [1.0, 2.0, 3.0, 4.0, 9.0, 6.0]})
    found = measure(tables, tmp_path, offline, online, columns={"time": "t"})
    figure = by_place(found, "parity.mismatch")["x"]
    assert (figure.estimate, figure.n) == (1 / 6, 6)
    assert json.loads(found.notes[0].content)["key"] == ["k", "t"]
    alone = measure(tables, tmp_path, offline, online)
    assert {figure.reason for figure in alone.measurements if figure.check != "parity.one_table"} == {
        Reason.KEYS_NOT_UNIQUE
    }


def test_a_time_that_is_off_does_not_unpair_what_the_key_pairs(tables: Tables, tmp_path: Path) -> None:
    day = pd.Timestamp("2024-03-01")
    offline = pa.table({"k": [1, 2], "t": pa.array([day, day]), "x": [1.0, 2.0]})
    online = pa.table({"k": [1, 2], "t": pa.array([day + pd.Timedelta("1h")] * 2), "x": [1.0, 2.0]})
    found = measure(tables, tmp_path, offline, online, columns={"time": "t"})
    assert by_place(found, "parity.mismatch")["x"].estimate == 0.0


def absences(found: object, feature: str) -> dict[str, int]:
    (note,) = found.notes  # type: ignore[attr-defined]
    online: dict[str, int] = next(f["online"] for f in json.loads(note.content)["features"] if f["name"] == feature)
    return online


def test_the_four_absences_are_kept_apart(tables: Tables, tmp_path: Path) -> None:
    now = pd.Timestamp("2024-03-01 12:00")
    minutes = [5, 5, 61, 60, None, 5, 5]
    offline = pa.table(
        {
            "k": range(9),
            "x": pa.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, None, 8.0, math.nan], from_pandas=False),
            "event": pa.array([now] * 9),
        }
    )
    online = pa.table(
        {
            "k": range(7),
            "x": pa.array([1.0, None, 3.0, 4.0, 5.0, math.nan, 7.0], from_pandas=False),
            "at": pa.array([None if m is None else now - pd.Timedelta(minutes=m) for m in minutes]),
        }
    )
    parity = Parity(written="at", features=(Served(feature="x", max_age_s=3600.0),))
    found = measure(tables, tmp_path, offline, online, columns={"time": "event"}, parity=parity)
    # 0, 3 are there; 1, 5 are null or NaN; 2 is an hour and a minute old, 4 of no known age; 7 has no row; 6, 8 have none
    # offline to begin with
    assert absences(found, "x") == {"present": 2, "null": 2, "too_old": 2, "not_found": 1}
    null, old = by_place(found, "parity.null")["x"], by_place(found, "parity.too_old")["x"]
    assert (null.estimate, null.n, old.estimate, old.n) == (2 / 6, 6, 2 / 6, 6)
    assert [(p.name, p.value) for p in old.params] == [("lag_s", 3600.0)]
    sliced = measure(
        tables, tmp_path, offline, online, columns={"time": "event"}, parity=parity, parameters={"slices": ("event",)}
    )
    assert absences(sliced, "x") == absences(found, "x")


def test_the_stricter_of_two_lags_counts_and_the_tables_time_stands_in_for_the_events(
    tables: Tables, tmp_path: Path
) -> None:
    now = pd.Timestamp("2024-03-01 12:00", tz="UTC")
    offline = {"k": [1, 2, 3], "x": [1.0, 2.0, 3.0]}
    ages = [10, 100, 1000]
    online = pa.table({**offline, "w": pa.array([now - pd.Timedelta(seconds=age) for age in ages])})

    def share(policy: float, spec: float, as_of_us: int | None) -> object:
        found = measure(
            tables,
            tmp_path,
            offline,
            online,
            parameters={"parity_features": (Alike(feature="x", max_age_s=policy),)},
            parity=Parity(features=(Served(feature="x", max_age_s=spec, written="w"),)),
            as_of_us=as_of_us,
        )
        figure = by_place(found, "parity.too_old").get("x") or by_place(found, "parity.mismatch")["x"]
        return figure.estimate if figure.reason is None else figure.reason

    us = int(now.value // 1000)
    assert share(50, 500, us) == share(500, 50, us) == 2 / 3
    assert share(500, 500, us) == 1 / 3
    assert share(500, 500, None) is Reason.NOT_PROVIDED


@pytest.mark.parametrize("n", [0, 1])
def test_next_to_nothing_is_measured_or_has_a_reason(tables: Tables, tmp_path: Path, n: int) -> None:
    empty = pa.table({"k": pa.array(range(n), pa.int64()), "x": pa.array([1.0] * n), "s": pa.array(["a"] * n)})
    for scopes in ({}, SAMPLE):
        found = measure(tables, tmp_path, empty, empty, scopes=scopes, parameters={"slices": ("s",)})
        assert {f.reason for f in found.measurements if f.check != "parity.one_table"} == (
            {Reason.EMPTY_TABLE} if n == 0 else {None}
        )
    other = empty.set_column(0, "k", pa.array([7] * n, pa.int64()))
    unpaired = measure(tables, tmp_path, empty, other, parameters={"slices": ("s",)})
    if n:
        assert by_place(unpaired, "parity.mismatch")["x"].reason is Reason.ROWS_UNPAIRED
        assert by_place(unpaired, "parity.null")["x"].reason is Reason.EMPTY_TABLE
