"""What counts as equal under rules of the policy and the spec, and tables that differ only in how they are written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from parity_world import by_place, measure

from gates.inputs.tables import Tables, arrow
from gates.measure.parity.compare import equal, pair, shared_features
from gates.records.plan import Alike, Served

NAN, INF = math.nan, math.inf


def alike(
    tables: Tables, folder: Path, left: Any, right: Any, rule: dict[str, Any], spec: dict[str, Any] | None = None
) -> list[bool]:
    """Say of each pair of values whether it is equal."""
    for role, values in (("offline", left), ("online", right)):
        column = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=False)
        pq.write_table(pa.table({"k": range(len(left)), "x": column}), folder / f"{role}.parquet")
    offline, online = (tables.read(folder / f"{role}.parquet") for role in ("offline", "online"))
    policy = (Alike(feature="x", **rule),) if rule else ()
    features = shared_features(["x"], offline, online, policy, (Served(feature="x", **spec),) if spec else ())
    pairs = pair(offline, online, ["k"], features, {"k": ("offline", "k")})
    seen = arrow(pairs.select("k", same=equal(pairs, features[0], 1e-6)).order_by("k"))
    same: list[bool] = seen.column("same").to_pylist()
    assert len(same) == len(left)
    return same


def test_units_in_the_last_place_are_numpys(tables: Tables, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    sizes = np.concatenate([2.0 ** np.arange(-1074, 1024, 23), 2.0 ** np.arange(-1020, 1020, 31) * (1 - 2.0**-53)])
    a = np.concatenate([sizes, rng.normal(size=150) * 10.0 ** rng.integers(-300, 300, 150), [0.0, 1.0, 1.5, 5e-324]])
    steps = rng.integers(0, 8, a.size)
    b, toward = a.copy(), np.where(rng.random(a.size) < 0.5, np.inf, -np.inf)
    for step in range(8):
        b = np.where(steps > step, np.nextafter(b, toward), b)
    b[:5] = a[:5] * 2
    with np.errstate(over="ignore"):
        place = np.spacing(np.maximum(np.abs(a), np.abs(b)))
        expected = np.abs(a - b) <= 3 * place
    assert 50 < expected.sum() < a.size - 50
    assert alike(tables, tmp_path, a, b, {"ulp": 3}) == expected.tolist()


def test_of_single_precision_the_last_place_is_its_own(tables: Tables, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    a = (rng.normal(size=60) * 10.0 ** rng.integers(-30, 30, 60)).astype("float32")
    b = np.nextafter(np.nextafter(a, np.float32(np.inf)), np.float32(np.inf))
    exact = a.astype("float64")
    close = np.abs(exact - b) <= np.spacing(np.maximum(np.abs(a), np.abs(b))).astype("float64")
    assert alike(tables, tmp_path, pa.array(exact), pa.array(b), {"ulp": 2}) == [True] * 60
    assert alike(tables, tmp_path, pa.array(exact), pa.array(b), {"ulp": 1}) == close.tolist()
    wide = rng.normal(size=60) * 10.0 ** rng.integers(-30, 30, 60)
    assert alike(tables, tmp_path, pa.array(wide), pa.array(wide.astype("float32")), {"ulp": 1}) == [True] * 60


def test_absolute_and_relative_add_up_and_a_unit_in_the_last_place_is_enough(tables: Tables, tmp_path: Path) -> None:
    left = [0.0, 0.0, 100.0, 100.0, -100.0, NAN, INF, INF, INF, None, 1e308, 7.0]
    right = [0.5, 0.6, 101.4, 101.6, -101.4, NAN, INF, -INF, 5.0, 0.0, -1e308, NAN]
    rule = {"absolute": 0.5, "relative": 0.01}
    expected = [True, False, True, False, True, True, True, False, False, False, False, False]
    assert alike(tables, tmp_path, left, right, rule) == expected
    assert alike(tables, tmp_path, right, left, rule) == expected
    assert alike(tables, tmp_path, left, right, {**rule, "ulp": 4}) == expected
    everything = {"absolute": 1e308, "ulp": 2**20}
    assert alike(tables, tmp_path, left, right, everything) == [*[True] * 7, False, False, False, False, False]


def test_whole_numbers_are_exact_unless_the_policy_says_how_near(tables: Tables, tmp_path: Path) -> None:
    left, right = [1, 10, 2**53, 2**62], [2, 12, 2**53 + 1, 2**62]
    assert alike(tables, tmp_path, left, right, {}) == [False, False, False, True]
    assert alike(tables, tmp_path, left, right, {"absolute": 1}) == [True, False, True, True]
    assert alike(tables, tmp_path, left, right, {"absolute": 2}, {"absolute": 1}) == [True, False, True, True]
    assert alike(tables, tmp_path, left, right, {}, {"absolute": 5}) == [False, False, False, True]


def test_a_spec_only_tightens(tables: Tables, tmp_path: Path) -> None:
    left, right = [1.0] * 4, [1.0, 1.0 + 1e-9, 1.0 + 1e-4, 1.1]
    assert alike(tables, tmp_path, left, right, {}) == [True, True, False, False]
    assert alike(tables, tmp_path, left, right, {}, {"relative": 0.5}) == [True, True, False, False]
    assert alike(tables, tmp_path, left, right, {}, {"relative": 0}) == [True, False, False, False]
    assert alike(tables, tmp_path, left, right, {"relative": 1e-3}) == [True, True, True, False]
    assert alike(tables, tmp_path, left, right, {"relative": 1e-3}, {"absolute": 1e-6}) == [True, True, False, False]


def test_texts_are_exact_unless_the_policy_names_a_normal_form(tables: Tables, tmp_path: Path) -> None:
    left, right = ["ü", "a", "A", None, "\u212b"], ["u\u0308", "a", "a", None, "\u00c5"]
    assert alike(tables, tmp_path, left, right, {}) == [False, True, False, True, False]
    assert alike(tables, tmp_path, left, right, {"text": "nfc"}) == [True, True, False, True, True]


def test_arrays_are_compared_element_by_element(tables: Tables, tmp_path: Path) -> None:
    left = [[1.0, 2.0], [1.0, 2.0], [1.0], [], None, None, [NAN, INF], [None], [1.0, 2.0], [1e-30]]
    right = [[1.0, 2.0 + 1e-9], [1.0, 2.1], [1.0, 2.0], [], None, [], [NAN, INF], [0.0], [2.0, 1.0], [1e-30]]
    expected = [True, False, False, True, True, False, True, False, False, True]
    assert alike(tables, tmp_path, left, right, {}) == expected
    single = pa.array(right, type=pa.list_(pa.float32()))
    assert alike(tables, tmp_path, left, single, {"ulp": 1}) == expected
    near = [True, True, *expected[2:7], expected[7], False, True]
    assert alike(tables, tmp_path, left, right, {"absolute": 0.2}) == near
    fixed = [pa.array([[1.0, 2.0], [3.0, 4.0]], type=pa.list_(pa.float32(), 2)), [[1.0, 2.0], [3.0, 5.0]]]
    assert alike(tables, tmp_path, *fixed, {}) == [True, False]
    whole = [[[1_000_000], [2**60]], [[1_000_001], [2**60]]]
    assert alike(tables, tmp_path, *whole, {}) == [False, True]


def test_arrays_of_small_numbers_are_compared_in_their_own_scale(tables: Tables, tmp_path: Path) -> None:
    assert alike(tables, tmp_path, [[1e-7, 2e-7]] * 2, [[1e-7, 2e-7], [1e-7, 4e-7]], {}) == [True, False]


def world(n: int = 500) -> dict[str, Any]:
    rng = np.random.default_rng(11)
    number = rng.normal(size=n)
    number[:60] = np.repeat([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308], 10)
    return {
        "k": np.arange(n),
        "number": pa.array(number, from_pandas=False),
        "single": rng.normal(size=n).astype("float32"),
        "whole": rng.integers(-100, 100, n),
        "text": pa.array([None if value == 0 else f"ü{value}" for value in rng.integers(0, 9, n)]),
        "flag": rng.random(n) < 0.5,
        "moment": pa.array(pd.Timestamp("2024-03-31 00:30") + pd.to_timedelta(rng.integers(0, 10**7, n), "s")),
        "many": pa.array([[float(value)] * 3 for value in rng.normal(size=n)]),
    }


FEATURES = ("number", "single", "whole", "text", "flag", "moment", "many")


def reordered(table: pa.Table) -> pa.Table:
    return table.take(np.random.default_rng(1).permutation(table.num_rows))


def repartitioned(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table.slice(at, 37) for at in range(0, table.num_rows, 37)][::-1])


def encoded(table: pa.Table) -> pa.Table:
    """The same values as other types: narrower, wider, as a dictionary, with a zone, in nanoseconds."""
    types = {
        "k": pa.int32(),
        "single": pa.float64(),
        "whole": pa.int16(),
        "text": pa.dictionary(pa.int32(), pa.string()),
        "many": pa.large_list(pa.float64()),
    }
    columns = {name: table[name].cast(types.get(name, table[name].type)) for name in table.column_names}
    zoned = table["moment"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    return pa.table({**columns, "moment": zoned.cast(pa.timestamp("ns", "Asia/Kolkata"))})


@pytest.mark.parametrize("change", [lambda table: table, reordered, repartitioned, encoded])
@pytest.mark.parametrize("scopes", [{}, {"online": "sample"}])
def test_what_is_only_written_otherwise_is_no_finding(
    tables: Tables, tmp_path: Path, change: Any, scopes: dict[str, str]
) -> None:
    table = pa.table(world())
    found = measure(
        tables, tmp_path, table, change(table), columns={"features": FEATURES}, scopes=scopes,
        parameters={"slices": ("text",)},
    )  # fmt: skip
    # Where the slice is of the rows without a text, there is no text to compare.
    apart = [(f.check, f.slice.value, f.item.name) for f in found.measurements if f.item and f.estimate != 0]
    assert apart == [("parity.null", "(null)", "text")]
    assert len(by_place(found, "parity.mismatch")) == len(FEATURES) * 10


def test_a_column_of_which_half_turned_nan_is_caught(tables: Tables, tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(size=1_000)
    half = np.where(np.arange(1_000) % 2 == 0, NAN, x)
    found = measure(tables, tmp_path, {"k": range(1_000), "x": x}, {"k": range(1_000), "x": half})
    assert by_place(found, "parity.mismatch")["x"].estimate == 0.5
    assert by_place(found, "parity.null")["x"].estimate == 0.5
