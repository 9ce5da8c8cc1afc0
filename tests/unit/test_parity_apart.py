"""Where two tables differ: the same figures and causes whether the pairs that differ are few enough to be copied or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from parity_world import measure

from gates.inputs.tables import Tables
from gates.measure.parity import apart
from gates.measure.parity.causes import find
from gates.measure.parity.match import match

NAMES = ("scaled", "filled", "noise", "whole", "mapped", "moved", "same", "mixed")


def world(rows: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Features of several kinds that differ in a tenth of the rows; 50 rows of each side have no partner."""
    rng = np.random.default_rng(5)
    wrong = rng.random(rows) < 0.1
    x = rng.normal(size=rows) * 7
    words = np.array(["red", "green", "blue", "grey"])[rng.integers(0, 4, rows)]
    times = np.datetime64("2024-01-01") + rng.integers(0, 10**6, rows).astype("timedelta64[s]")
    offline = {
        "k": np.arange(rows),
        "scaled": x,
        "filled": np.where(rng.random(rows) < 0.1, np.nan, x),
        "noise": x,
        "whole": np.arange(rows) % 91,
        "mapped": words,
        "moved": times,
        "same": np.where(rng.random(rows) < 0.3, np.inf, x),
        "mixed": (x * 100).astype("int64"),
    }
    online = offline | {
        "k": np.arange(rows) + 50,
        "scaled": np.where(wrong, x * 100, x),
        "filled": np.nan_to_num(offline["filled"], nan=-1.0),
        "noise": x * (1 + 1e-9),
        "whole": np.where(wrong, offline["whole"] + 3, offline["whole"]),
        "mapped": np.where(wrong, np.char.add(words, "ish"), words),
        "moved": np.where(wrong, times + np.timedelta64(2, "h"), times),
        "mixed": offline["mixed"] * 1.0,
    }
    shifted = {name: np.roll(values, -50) if name != "k" else values for name, values in online.items()}
    shuffled = rng.permutation(rows)
    return offline, {name: values[shuffled] for name, values in shifted.items()}


def test_few_or_many_pairs_that_differ_say_the_same(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline, online = world(2_000)
    columns = {"features": NAMES}
    copied = measure(tables, tmp_path, offline, online, columns=columns)
    monkeypatch.setattr(apart, "LEAST", 0)
    many = measure(tables, tmp_path, offline, online, columns=columns)
    assert copied.measurements == many.measurements
    assert copied.notes == many.notes
    found = json.loads(copied.notes[0].content)
    codes = {one["name"]: one["cause"]["code"] for one in found["features"] if "cause" in one}
    assert codes == {
        "scaled": "scale_or_unit",
        "filled": "default_instead_of_null",
        "whole": "offset",
        "mapped": "category_mapping",
        "moved": "time_zone",
    }
    assert (found["paired"], found["offline_only"], found["online_only"]) == (1_950, 50, 50)


def test_an_engine_that_reads_no_histories_says_so(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    entities, days = 60, 20
    x = rng.normal(size=(entities, days))
    late = rng.random(x.shape) < 0.6
    late[:, 0] = False
    offline = {
        "k": np.repeat(np.arange(entities), days),
        "t": np.tile(np.datetime64("2024-01-01", "us") + np.arange(days).astype("timedelta64[D]"), entities),
        "x": x.ravel(),
    }
    online = offline | {"x": np.where(late, np.roll(x, 1, axis=1), x).ravel()}

    def cause() -> dict[str, Any]:
        found = measure(tables, tmp_path, offline, online, columns={"key": ("k", "t"), "time": "t"})
        said: dict[str, Any] = json.loads(found.notes[0].content)["features"][0]["cause"]
        return said

    assert cause()["code"] == "stale"
    monkeypatch.setattr(find, "ENGINES", frozenset())
    assert (cause()["code"], cause()["why"]) == ("unknown", "engine")


@pytest.mark.parametrize(
    ("left", "right", "paired", "repeat"),
    [
        ([1, 2, 3], [3, 2, 7], 2, False),
        ([1, 2, 2], [3, 4, 5], 0, True),
        ([1, 2, None, None], [2, None], 1, False),
        ([1, 2, 3], [1.0, 2.5, 3.0], 2, False),
        (["a", "A", "á"], ["a", "b"], 1, False),
        ([], [1], 0, False),
        ([datetime(2024, 1, 1, tzinfo=UTC)], [datetime(2024, 1, 1)], 1, False),  # noqa: DTZ001
    ],
)
def test_keys_are_matched_before_they_are_joined(
    tables: Tables, tmp_path: Path, left: list[Any], right: list[Any], paired: int, repeat: bool
) -> None:
    import pyarrow.parquet as pq

    for name, values in (("left", left), ("right", right)):
        pq.write_table(pa.table({"k": pa.array(values, None if values else pa.int64())}), tmp_path / f"{name}.parquet")
    found = match(tables.read(tmp_path / "left.parquet"), tables.read(tmp_path / "right.parquet"), ["k"])
    assert (found.paired, found.repeat) == (paired, repeat)
