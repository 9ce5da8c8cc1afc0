"""Rows are found again however they are stored, and rows that are others are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from gates.inputs.tables import Tables
from gates.measure.row_sketch import SIZE, row_sketch
from gates.records import Columns, Plan, Table

ROWS = 20_000


def plan(**columns: Any) -> Plan:
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("staging",),
        requirements=(),
        tables=(),
        columns=Columns(**columns),
        policy_digest="sha256:" + "0" * 64,
        spec_digest="sha256:" + "0" * 64,
    )


def rows(first: int = 0, count: int = ROWS) -> pa.Table:
    """Rows of all kinds; a row is the same wherever the table begins."""
    place = np.arange(first, first + count)
    return pa.table(
        {
            "id": place,
            "late": pa.array(place % 3 == 0),
            "carrier": [("UA", "OO", None)[i % 3] for i in place],
            "wind": (place * 7919 % 1000 / 7).astype("float32"),
            "rain": pa.array([None if i % 11 == 0 else float(i % 13) for i in place]),
            "at": pa.array((1_700_000_000 + 60 * place) * 1_000_000, pa.timestamp("us", "UTC")),
            "day": pa.array((19_000 + place % 300).astype("int32"), pa.date32()),
            "score": pa.array(np.random.default_rng(first).random(count)),
        }
    )


def sketch(folder: Path, table: pa.Table, asked: Plan, ending: str = "parquet", role: Any = "holdout") -> Sequence[str]:
    path = folder / f"rows.{ending}"
    csv.write_csv(table, path) if ending == "csv" else pq.write_table(table, path)
    with Tables() as tables:
        opened = tables.open(Table(role=role, uri=str(path)), base=folder)
        return row_sketch(asked, {role: opened}) or ()


KEY, CONTENT = plan(key=("id",), score="score"), plan(score="score")


@pytest.mark.parametrize("asked", [KEY, CONTENT], ids=["key", "content"])
class TestOneSetOfRows:
    def test_format_and_order_change_nothing(self, tmp_path: Path, asked: Plan) -> None:
        table = rows()
        first = sketch(tmp_path, table, asked)
        assert len(first) == SIZE
        assert list(first) == sorted(set(first))
        assert sketch(tmp_path, table, asked, "csv") == first
        assert sketch(tmp_path, table.take(np.random.default_rng(1).permutation(ROWS)), asked) == first

    def test_types_that_hold_the_same_change_nothing(self, tmp_path: Path, asked: Plan) -> None:
        table = rows()
        other = table
        for name, kind in {"id": pa.int32(), "wind": pa.float64(), "rain": pa.int64(), "late": pa.int8()}.items():
            other = other.set_column(other.column_names.index(name), name, other[name].cast(kind))
        assert sketch(tmp_path, other, asked) == sketch(tmp_path, table, asked)

    def test_other_predictions_change_nothing(self, tmp_path: Path, asked: Plan) -> None:
        table = rows()
        other = table.set_column(table.column_names.index("score"), "score", pa.array(np.zeros(ROWS)))
        assert sketch(tmp_path, other, asked, role="predictions") == sketch(tmp_path, table, asked, role="predictions")

    @pytest.mark.parametrize("cut", [1, 1_000, 18_000])
    def test_rows_cut_off_are_still_shared(self, tmp_path: Path, asked: Plan, cut: int) -> None:
        whole, part = sketch(tmp_path, rows(), asked), sketch(tmp_path, rows(count=ROWS - cut), asked)
        assert set(whole) & set(part)

    def test_other_rows_share_nothing(self, tmp_path: Path, asked: Plan) -> None:
        assert not set(sketch(tmp_path, rows(), asked)) & set(sketch(tmp_path, rows(first=ROWS), asked))

    def test_few_rows_are_all_kept(self, tmp_path: Path, asked: Plan) -> None:
        assert len(sketch(tmp_path, rows(count=40), asked)) == 40
        assert sketch(tmp_path, rows(count=0), asked) == ()


def test_a_key_is_known_in_any_company(tmp_path: Path) -> None:
    """A column more, and all other values changed: the rows are those that the key says."""
    table = rows()
    more = table.append_column("new", pa.array(np.arange(ROWS) * 0.1)).drop_columns(["wind", "rain"])
    assert sketch(tmp_path, more, KEY) == sketch(tmp_path, table, KEY)
    assert not set(sketch(tmp_path, more, CONTENT)) & set(sketch(tmp_path, table, CONTENT))


def test_nulls_are_no_keys(tmp_path: Path) -> None:
    """Else any two tables with a null would share a row."""
    table = rows(count=300)
    half = pa.array([None if i % 2 else i for i in range(300)], pa.int64())
    named = table.set_column(0, "id", half)
    assert len(sketch(tmp_path, named, KEY)) == 150
    nobody = table.set_column(0, "id", pa.nulls(300, pa.int64()))
    assert sketch(tmp_path, nobody, KEY) == sketch(tmp_path, nobody, CONTENT)
    assert sketch(tmp_path, table.drop_columns(["id"]), KEY) == sketch(tmp_path, table.drop_columns(["id"]), CONTENT)


def test_rows_that_repeat_are_one(tmp_path: Path) -> None:
    table = rows().set_column(0, "id", pa.array(np.arange(ROWS) // 40))
    assert len(sketch(tmp_path, table, KEY)) == SIZE
    assert len(sketch(tmp_path, table.set_column(0, "id", pa.array(np.arange(ROWS) % 7)), KEY)) == 7


def test_values_do_not_run_together(tmp_path: Path) -> None:
    one, other = (pa.table({"a": [a], "b": [b]}) for a, b in (("x", "1:y"), ("x|1:1", "y")))
    asked = plan(key=("a", "b"))
    assert sketch(tmp_path, one, asked) != sketch(tmp_path, other, asked)


def test_no_table_that_is_judged() -> None:
    assert row_sketch(KEY, {}) is None
