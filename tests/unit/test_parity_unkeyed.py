"""Without keys: shifts, spreads and gaps of each feature with bounds, against a table or an earlier run's fingerprint."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from parity_world import by_place, measure

from gates.inputs.tables import Tables
from gates.measure.interface import Note
from gates.records import Measurement, Reason
from gates.records.plan import Parity

N = 800
FEATURES = ("same", "moved", "wide", "half", "text", "other", "flag", "at", "huge", "constant", "gone")


def world(seed: int, *, online: bool) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(50, 3, (4, N))
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, N), "s")
    frame = {
        "same": x[0],
        "moved": x[1] + 2.0 * online,
        "wide": 50 + (x[2] - 50) * (2.0 if online else 1.0),
        "half": np.where((np.arange(N) % 2 == 0) & online, math.nan, x[3]),
        "text": rng.choice(["a", "b", "c"], N),
        "other": rng.choice(["a", "b"], N) if not online else rng.choice(["a", "z"], N),
        "flag": rng.random(N) < 0.5,
        "at": pa.array(start),
        "huge": np.where(rng.random(N) < 0.5, 1e308, -1e308),
        "constant": np.full(N, 7.0),
        "user": np.arange(N) // 4,
    }
    return {name: pa.array(values, from_pandas=False) for name, values in frame.items()}


def unkeyed(tables: Tables, folder: Path, offline: Any, online: Any, **words: Any) -> dict[str, dict[str, Measurement]]:
    columns = {"key": (), "features": words.pop("features", FEATURES)}
    found = measure(tables, folder, offline, online, columns=columns, **words)
    checks = ("parity.smd", "parity.variance_ratio", "parity.missing_rate_difference")
    return {check.partition(".")[2]: by_place(found, check) for check in checks}


def bounds(figure: Measurement) -> tuple[float, float]:
    assert figure.bounds is not None
    return float(figure.bounds[0].lower), float(figure.bounds[0].upper)


def assert_world_is_seen(found: dict[str, dict[str, Measurement]]) -> None:
    smd, ratio, gaps = found["smd"], found["variance_ratio"], found["missing_rate_difference"]
    proven = {
        name for name, figure in smd.items() if figure.bounds and (bounds(figure)[0] > 0.5 or bounds(figure)[1] < -0.5)
    }
    assert proven == {"moved", "other"}
    assert {name for name, figure in ratio.items() if figure.bounds and bounds(figure)[0] > 2} == {"wide"}
    assert {name for name, figure in gaps.items() if figure.bounds and bounds(figure)[0] > 0.02} == {"half"}
    for name in ("same", "text", "flag", "at", "huge", "constant", "half"):
        low, high = bounds(smd[name])
        assert -0.5 < low <= high < 0.5, name
    assert bounds(smd["constant"]) == (0.0, 0.0)
    assert {found[check]["gone"].reason for check in found} == {Reason.COLUMN_MISSING}


def test_what_moved_is_seen_and_nothing_else(tables: Tables, tmp_path: Path) -> None:
    offline, online = world(1, online=False), world(2, online=True)
    found = unkeyed(tables, tmp_path, offline, online)
    assert_world_is_seen(found)
    smd = found["smd"]["moved"]
    a, b = (np.asarray(frame["moved"]) for frame in (offline, online))
    assert smd.estimate == pytest.approx((b.mean() - a.mean()) / np.sqrt((a.var() + b.var()) / 2), rel=1e-9)
    a, b = (np.asarray(frame["wide"]) for frame in (offline, online))
    assert found["variance_ratio"]["wide"].estimate == pytest.approx(b.var() / a.var(), rel=1e-9)
    assert found["missing_rate_difference"]["half"].estimate == 0.5
    huge = [np.asarray(frame["huge"]) / 1e300 for frame in (offline, online)]
    expected = (huge[1].mean() - huge[0].mean()) / np.sqrt((huge[0].var() + huge[1].var()) / 2)
    assert found["smd"]["huge"].estimate == pytest.approx(expected, rel=1e-9)


def test_equal_tables_in_any_order_and_encoding_report_nothing(tables: Tables, tmp_path: Path) -> None:
    frame = pa.table(world(3, online=False))
    other = frame.take(np.random.default_rng(1).permutation(N))
    other = other.set_column(other.column_names.index("text"), "text", other["text"].dictionary_encode())
    found = unkeyed(tables, tmp_path, frame, other, features=FEATURES[:-1])
    for check, value in (("smd", 0.0), ("variance_ratio", 1.0), ("missing_rate_difference", 0.0)):
        assert {figure.estimate for figure in found[check].values()} == {value}


def test_a_list_has_no_mean_and_says_so(tables: Tables, tmp_path: Path) -> None:
    sides = [pa.table({"k": range(100), "x": [[value]] * 100}) for value in (1.0, 100.0)]
    found = unkeyed(tables, tmp_path, *sides, features=("x",))
    assert found["smd"]["x"].reason is Reason.COLUMN_MISSING


@pytest.fixture(scope="module")
def note(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Note:
    """The fingerprint of the first world."""
    offline = world(1, online=False)
    columns, parity = {"key": (), "features": FEATURES}, Parity(fingerprint=True)
    (found,) = measure(tables, tmp_path_factory.mktemp("first"), offline, offline, columns=columns, parity=parity).notes
    return found


def test_a_fingerprint_stands_in_for_the_table(tables: Tables, tmp_path: Path, note: Note) -> None:
    offline, online = world(1, online=False), world(2, online=True)
    assert (note.name, note.media_type) == ("parity-fingerprint.csv", "text/csv")
    (tmp_path / note.name).write_bytes(note.content)
    now = unkeyed(tables, tmp_path, None, online, fingerprint=note.name)
    assert_world_is_seen(now)
    then = unkeyed(tables, tmp_path, offline, online)
    for check, figures in then.items():
        for name, figure in figures.items():
            if figure.estimate is not None:
                assert now[check][name].estimate == pytest.approx(figure.estimate, rel=1e-6, abs=1e-9), (check, name)
    assert {p.value for p in now["smd"]["same"].params if p.name == "reference"} == {"fingerprint"}


def test_a_fingerprint_does_not_say_how_its_rows_hang_together(tables: Tables, tmp_path: Path, note: Note) -> None:
    """Its rows were taken for independent ones beside clustered ones of now: false alarms five times as often as said."""
    online = world(2, online=True)
    (tmp_path / note.name).write_bytes(note.content)
    now = unkeyed(tables, tmp_path, None, online, fingerprint=note.name, parameters={"cluster": "user"})
    assert {figure.reason for figures in now.values() for figure in figures.values()} == {Reason.FEW_CLUSTERS}


def test_a_fingerprint_holds_nobodys_value(tables: Tables, tmp_path: Path) -> None:
    frame = {"x": [12345.678] * 9, "s": ["secret"] * 9, 'n"ame,': [1.0] * 9}
    columns = {"key": (), "features": tuple(frame)}
    (note,) = measure(tables, tmp_path, frame, frame, columns=columns, parity=Parity(fingerprint=True)).notes
    assert b"secret" not in note.content
    assert b"12345" not in note.content
    assert all(line.endswith(b"," * 5) or b",9," in line for line in note.content.splitlines()[1:])


def test_users_with_many_rows_widen_the_bounds(tables: Tables, tmp_path: Path) -> None:
    frames = [world(seed, online=False) for seed in (5, 6)]
    for frame, seed in zip(frames, (7, 8), strict=True):
        by_user = np.random.default_rng(seed).normal(50, 3, N // 4)
        frame["same"] = pa.array(by_user[np.asarray(frame["user"])])
    widths = []
    for cluster in (None, "user"):
        smd = unkeyed(tables, tmp_path, *frames, features=("same",), parameters={"cluster": cluster})["smd"]["same"]
        widths.append(bounds(smd)[1] - bounds(smd)[0])
        assert smd.clusters == (None if cluster is None else N // 4)
    # four equal rows a user are one row
    assert widths[1] / widths[0] == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("n", [0, 1, 49])
def test_too_few_rows_are_a_reason(tables: Tables, tmp_path: Path, n: int) -> None:
    frame = {"x": pa.array(np.arange(n, dtype=float))}
    found = unkeyed(tables, tmp_path, frame, frame, features=("x",))
    reason = Reason.EMPTY_TABLE if n == 0 else Reason.FEW_EVENTS
    assert {found[check]["x"].reason for check in ("smd", "variance_ratio")} == {reason}


@pytest.mark.parametrize("values", [[math.nan] * 60, [math.inf] * 60, [None] * 60])
def test_a_feature_without_a_finite_value(tables: Tables, tmp_path: Path, values: list[float | None]) -> None:
    gone = {"x": pa.array(values, type=pa.float64(), from_pandas=False)}
    there = {"x": pa.array(np.arange(60.0))}
    found = unkeyed(tables, tmp_path, there, gone, features=("x",))
    assert found["smd"]["x"].reason is Reason.FEW_EVENTS
    assert found["missing_rate_difference"]["x"].estimate == 1.0
