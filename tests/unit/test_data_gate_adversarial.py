"""The data gate on tables that are empty, torn, or full of what is not a number."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables
from gates.measure.data import DataGate
from gates.measure.interface import Given
from gates.records import Columns, Measurement, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
CHECKS = {
    "data.schema",
    "data.rows",
    "data.null_rate_difference",
    "data.duplicate_keys",
    "data.holdout_overlap",
    "data.champion_overlap",
    "data.out_of_range",
    "data.staleness",
    "data.label_nulls",
}


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


class Bench:
    def __init__(self, tables: Tables, folder: Path) -> None:
        self.tables, self.folder = tables, folder

    def measure(
        self, *, as_of: str | None = "2024-01-02", text: dict[str, str] | None = None, **frames: Any
    ) -> dict[tuple[str, str | None], Measurement]:
        columns = frames.pop("columns", {})
        opened: dict[str, OpenTable] = {}
        for role, frame in frames.items():
            content = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(pd.DataFrame(frame))
            pq.write_table(content, self.folder / f"{role}.parquet")
            table = Table(role=role, uri=f"{role}.parquet", as_of_us=micros(as_of) if as_of else None)  # type: ignore[arg-type]
            opened[role] = self.tables.open(table, base=self.folder)
        for role, content in (text or {}).items():
            (self.folder / f"{role}.csv").write_text(content, encoding="utf-8")
            opened[role] = self.tables.open(Table(role=role, uri=f"{role}.csv", as_of_us=1), base=self.folder)  # type: ignore[arg-type]
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            tables=(),
            columns=Columns(**{"label": "y", "key": ("k",), "time": "at", "features": ("x",), **columns}),
            policy_digest=DIGEST,
            spec_digest=DIGEST,
        )
        found = DataGate().measure(Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
        assert not found.notes
        assert {figure.check for figure in found.measurements} == CHECKS, "no check is left out in silence"
        by = {(figure.check, figure.item.name if figure.item else None): figure for figure in found.measurements}
        assert len(by) == len(found.measurements)
        for figure in found.measurements:
            assert figure.subject == "data"
            assert figure.scope == "census"
            Measurement.parse(figure.document())
        return by


@pytest.fixture
def bench(tables: Tables, tmp_path: Path) -> Bench:
    return Bench(tables, tmp_path)


def good(n: int = 10, **changes: Any) -> dict[str, Any]:
    at = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(n), "h")
    return {"k": range(n), "y": [0, 1] * (n // 2), "at": at, "x": np.arange(n, dtype=float), **changes}


def test_a_good_table(bench: Bench) -> None:
    found = bench.measure(holdout=good(), training=good(20, k=range(100, 120), x=np.linspace(-1, 10, 20)))
    assert found.pop(("data.champion_overlap", None)).reason is Reason.NO_CHAMPION
    assert {key: figure.estimate for key, figure in found.items()} == {
        ("data.rows", None): 10,
        ("data.schema", "holdout"): 0,
        ("data.null_rate_difference", "x"): 0,
        ("data.out_of_range", "x"): 0,
        ("data.duplicate_keys", None): 0,
        ("data.holdout_overlap", "training"): 0,
        ("data.staleness", "holdout"): 15 * 3600,
        ("data.label_nulls", None): 0,
    }
    assert {figure.n for key, figure in found.items() if key[0] != "data.schema"} == {10}


def test_an_empty_holdout_has_no_rows_and_no_other_figure(bench: Bench) -> None:
    for found in (
        bench.measure(holdout={name: [] for name in good()}, training=good()),
        bench.measure(training=good(), text={"holdout": "k,y,at,x\n"}),
    ):
        assert found.pop(("data.rows", None)).estimate == 0
        assert {figure.reason for figure in found.values()} == {Reason.EMPTY_TABLE}


def test_no_holdout_no_training_and_an_empty_training(bench: Bench) -> None:
    assert {figure.reason for figure in bench.measure(training=good()).values()} == {Reason.TABLE_MISSING}
    compared = {("data.schema", "holdout"), ("data.null_rate_difference", "x"), ("data.out_of_range", "x")}
    compared |= {("data.holdout_overlap", "training")}
    for frames, reason in (({}, Reason.TABLE_MISSING), ({"training": {n: [] for n in good()}}, Reason.EMPTY_TABLE)):
        found = bench.measure(holdout=good(), **frames)
        del found["data.champion_overlap", None]
        assert {key for key, figure in found.items() if figure.status == "unmeasured"} == compared
        assert {found[key].reason for key in compared} == {reason}


def test_a_vanished_column_is_counted_and_its_figures_are_unmeasured(bench: Bench) -> None:
    holdout = good()
    del holdout["x"]
    found = bench.measure(holdout=holdout, training=good())
    assert found["data.schema", "holdout"].estimate == 1
    for check in ("data.null_rate_difference", "data.out_of_range"):
        assert found[check, "x"].reason is Reason.COLUMN_MISSING
    for name, check in (("y", "data.label_nulls"), ("k", "data.duplicate_keys")):
        frame = good()
        del frame[name]
        assert bench.measure(holdout=frame, training=good())[check, None].reason is Reason.COLUMN_MISSING


def test_another_kind_is_counted_and_whole_numbers_are_numbers(bench: Bench) -> None:
    for values, wrong in ((list("abcdefghij"), 1), (range(10), 0), ([True, False] * 5, 1), (np.float32(range(10)), 0)):
        found = bench.measure(holdout=good(x=values), training=good())
        assert found["data.schema", "holdout"].estimate == wrong
        assert (found["data.out_of_range", "x"].reason is Reason.COLUMN_MISSING) == bool(wrong)
        assert found["data.null_rate_difference", "x"].estimate == 0


def test_nothing_named_is_unmeasured(bench: Bench) -> None:
    found = bench.measure(
        holdout=good(), training=good(), columns={"label": None, "key": (), "time": None, "features": ()}
    )
    assert found.pop(("data.rows", None)).estimate == 10
    assert found.pop(("data.champion_overlap", None)).reason is Reason.NO_CHAMPION
    assert {figure.reason for figure in found.values()} == {Reason.NOT_PROVIDED}


NAN, INF = math.nan, math.inf


def real(values: list[Any]) -> pa.Table:
    """A table in which NaN stays NaN; pandas would write it as null."""
    frame = good(len(values) + len(values) % 2)
    columns = {name: pa.array(list(column)[: len(values)]) for name, column in frame.items() if name != "x"}
    return pa.table({**columns, "x": pa.array(values, type=pa.float64(), from_pandas=False)})


@pytest.mark.parametrize(
    ("training", "holdout", "nulls", "outside"),
    [
        ([0.0, 1.0], [NAN, 0.5, 0.5, 0.5], 0.25, 0.25),
        ([0.0, 1.0], [None, 0.5, 0.5, 0.5], 0.25, 0.25),
        ([0.0, 1.0, NAN, 1.0], [NAN, 0.5, 0.5, 0.5], 0.0, 0.0),
        ([0.0, 1.0, None, 1.0], [NAN, 0.5, 0.5, 0.5], 0.0, 0.0),
        ([0.0, 1.0, NAN, 1.0], [0.0, 2.0, -1e-9, 1.0], -0.25, 0.5),
        ([0.0, 1.0], [INF, -INF, 0.5, 1.5], 0.0, 0.75),
        ([0.0, 1.0, INF], [INF, -INF, 0.5, 1e308], 0.0, 0.25),
        ([NAN, NAN], [0.5, NAN, 0.5, 0.5], -0.75, 0.75),
        ([-1e308, 1e308], [1e308, -1e308, 1.7e308, 0.0], 0.0, 0.25),
        ([1.0], [1.0, 1.0, 1.0, 1.0], 0.0, 0.0),
    ],
)
def test_what_is_not_a_number(
    bench: Bench, training: list[Any], holdout: list[Any], nulls: float, outside: float
) -> None:
    found = bench.measure(training=real(training), holdout=real(holdout))
    assert found["data.null_rate_difference", "x"].estimate == nulls
    assert found["data.out_of_range", "x"].estimate == outside


@pytest.mark.parametrize(
    ("training", "holdout", "outside"),
    [
        (["a", "b"], ["a", "b", "c", "a"], 0.25),
        (["a", None], ["a", None, "c", "ü"], 0.5),
        (["a", "b"], ["a", None, "A", "b "], 0.75),
        ([True, True], [True, False, None, True], 0.5),
        ([None, None], ["a", "b", None, ""], 0.75),
        (
            pd.to_datetime(["2020-01-01", "2020-12-31"]),
            pd.to_datetime(["2019-12-31", "2020-06-01", "2021-01-01", None]),
            0.75,
        ),
    ],
)
def test_values_that_training_never_saw(bench: Bench, training: Any, holdout: Any, outside: float) -> None:
    if training[0] is None:
        training = pd.array(training, dtype="str")
    found = bench.measure(holdout=good(4, x=holdout), training=good(2, x=training))
    assert found["data.out_of_range", "x"].estimate == outside


def test_whole_numbers_beyond_a_double_are_compared_exactly(bench: Bench) -> None:
    big = 2**53
    found = bench.measure(holdout=good(2, x=[big, big + 1]), training=good(2, x=[0, big]))
    assert found["data.out_of_range", "x"].estimate == 0.5


@pytest.mark.parametrize(
    ("labels", "nulls"),
    [([0, 1, None, 1], 1), ([NAN] * 4, 4), (["a", None, None, "b"], 2), ([True, False, True, True], 0)],
)
def test_labels_that_are_missing(bench: Bench, labels: list[Any], nulls: int) -> None:
    found = bench.measure(holdout=good(4, y=labels), training=good(4))
    assert found["data.label_nulls", None].estimate == nulls


@pytest.mark.parametrize(
    ("keys", "repeated"), [([1, 1, 1, 2], 2), ([1, 2, 3, 4], 0), ([None, None, 1, 2], 1), (["a", "A", "ä", "a"], 1)]
)
def test_rows_beyond_the_first_of_their_key(bench: Bench, keys: list[Any], repeated: int) -> None:
    assert bench.measure(holdout=good(4, k=keys), training=good(4))["data.duplicate_keys", None].estimate == repeated


def test_a_key_of_two_columns(bench: Bench) -> None:
    found = bench.measure(
        holdout=good(4, k=[1, 1, 2, 2], j=["a", "b", "a", "a"]), training=good(4), columns={"key": ("k", "j")}
    )
    assert found["data.duplicate_keys", None].estimate == 1


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        (["2024-01-01", None], 86_400),
        (["2023-12-31 23:59:59.5", "2020-01-01"], 86_400.5),
        (["2024-01-03", "2020-01-01"], 86_400),
        (["9999-12-31 00:00:00", "2024-01-01"], 86_400),
    ],
)
def test_age_is_the_distance_to_the_as_of_time_on_either_side(bench: Bench, times: Any, seconds: float) -> None:
    moments = pd.Series(pd.to_datetime(times, format="ISO8601")).astype("datetime64[us]")
    found = bench.measure(holdout=good(2, at=moments), training=good(2))
    assert found["data.staleness", "holdout"].estimate == seconds


def test_an_age_needs_times_and_an_as_of_time(bench: Bench) -> None:
    assert bench.measure(as_of=None, holdout=good(2), training=good(2))["data.staleness", "holdout"].reason is (
        Reason.NOT_PROVIDED
    )
    for values in (["then", "now"], [1, 2], pd.to_datetime([None, None])):
        found = bench.measure(holdout=good(2, at=values), training=good(2))
        assert found["data.staleness", "holdout"].reason is Reason.COLUMN_MISSING


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_times_with_a_zone_are_the_same_instant(bench: Bench, zone: str) -> None:
    at = pd.to_datetime(["2024-01-01", "2023-01-01"]).tz_localize("UTC").tz_convert(zone)
    found = bench.measure(holdout=good(2, at=at), training=good(2))
    assert found["data.staleness", "holdout"].estimate == 86_400


def test_names_of_columns_are_names_only(bench: Bench) -> None:
    name = 'x"; DROP TABLE y; -- ü{0}'
    frame = good()
    frame[name] = frame.pop("x")
    found = bench.measure(holdout=frame, training=frame, columns={"features": (name,)})
    assert found["data.out_of_range", name].estimate == 0
