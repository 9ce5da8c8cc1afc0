"""Delta tables: a version is read as it was, names itself, and notices when its files change."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from gates.errors import EvidenceError, UsageError
from gates.inputs.tables import Tables, arrow, row
from gates.records import Table, TableIdentity

FIRST = pd.DataFrame({"id": range(6), "x": [1.0, np.nan, 3.0, 2.0, np.nan, 0.5], "day": list("aabbbc")})
SECOND = pd.DataFrame({"id": [6, 7], "x": [9.0, 8.0], "day": ["ü x", "a"]})


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Version 0 holds six rows by day, version 1 two more."""
    # of a pandas table every NaN would become a null
    first = pa.table({name: FIRST[name].to_numpy() for name in FIRST})
    write_deltalake(tmp_path / "lake", first, partition_by=["day"])
    write_deltalake(tmp_path / "lake", SECOND, mode="append")
    return tmp_path / "lake"


def rows(lake: Path, snapshot: int | None = None) -> tuple[TableIdentity, pd.DataFrame]:
    with Tables(threads=1) as tables:
        opened = tables.open(Table(role="holdout", uri=lake.name, snapshot=snapshot), base=lake.parent)
        frame = arrow(opened.table.order_by("id")).to_pandas()
        tables.unchanged()
        return opened.identity, frame


def test_a_version_holds_the_rows_that_it_held(lake: Path) -> None:
    before, frame = rows(lake, 0)
    assert (before.snapshot, before.rows, before.uri) == ("delta:0", 6, "lake")
    pd.testing.assert_frame_equal(frame[["id", "x", "day"]], FIRST, check_dtype=False)
    newest, frame = rows(lake)
    assert (newest.snapshot, newest.rows) == ("delta:1", 8)
    assert frame["day"].tolist()[-2:] == ["ü x", "a"]
    assert newest.digest != before.digest
    assert rows(lake, 0)[0] == before


def test_the_digest_is_of_bytes_and_of_partition_values(lake: Path, tmp_path: Path) -> None:
    shutil.copytree(lake, tmp_path / "copy")
    ours, copied = rows(lake)[0], rows(tmp_path / "copy")[0]
    assert copied.digest == ours.digest
    log = tmp_path / "copy" / "_delta_log" / "00000000000000000001.json"
    log.write_text(log.read_text().replace('"partitionValues":{"day":"a"}', '"partitionValues":{"day":"z"}'))
    moved, frame = rows(tmp_path / "copy")
    assert "z" in frame["day"].tolist()
    assert moved.digest != ours.digest


def test_a_commit_without_rows_is_another_version_of_the_same_bytes(lake: Path) -> None:
    before = rows(lake)[0]
    DeltaTable(lake).alter.set_table_properties({"delta.appendOnly": "false"})
    after = rows(lake)[0]
    assert (before.snapshot, after.snapshot) == ("delta:1", "delta:2")
    assert after.digest == before.digest


def test_no_row_is_left_out_by_what_a_file_states_of_itself(lake: Path) -> None:
    # NaN is above every number, and no file's maximum says that it is there
    with Tables(threads=1) as tables:
        table = tables.open(Table(role="holdout", uri="lake", snapshot=0), base=lake.parent).table
        seen = row(table.filter(table.x > 5).aggregate(n=table.x.isnan().sum()))
    assert seen["n"] == 2


def test_a_file_that_changes_is_found(lake: Path) -> None:
    file = next(lake.rglob("*.parquet"))
    with Tables(threads=1) as tables:
        tables.open(Table(role="holdout", uri="lake"), base=lake.parent)
        file.write_bytes(file.read_bytes())
        with pytest.raises(EvidenceError, match="changed while it was measured"):
            tables.unchanged()


@pytest.mark.parametrize(
    ("spoil", "snapshot", "message"),
    [
        (lambda lake: None, 7, "cannot be read as Delta"),
        (lambda lake: next(lake.rglob("*.parquet")).unlink(), None, "a file of the version cannot be read"),
        (lambda lake: [log.write_text("{") for log in lake.rglob("*.json")], None, "cannot be read as Delta"),
        (lambda lake: [log.unlink() for log in lake.rglob("*.json")], None, "cannot be read as Delta"),
        (lambda lake: shutil.rmtree(lake / "_delta_log"), None, "is a folder"),
    ],
)
def test_what_is_no_table_is_said_in_one_line(lake: Path, spoil: Any, snapshot: int | None, message: str) -> None:
    spoil(lake)
    with pytest.raises(UsageError, match=message) as caught:
        rows(lake, snapshot)
    assert "\n" not in str(caught.value)


def test_a_file_has_no_versions(tmp_path: Path) -> None:
    FIRST.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="has no versions"):
        rows(tmp_path / "t.parquet", 3)


def test_files_outside_of_the_table_are_refused(lake: Path, tmp_path: Path) -> None:
    log = lake / "_delta_log" / "00000000000000000001.json"
    FIRST.to_parquet(tmp_path / "other.parquet")
    name = next(part for part in log.read_text().split('"') if part.endswith(".parquet"))
    log.write_text(log.read_text().replace(name, "../other.parquet"))
    with pytest.raises(UsageError):
        rows(lake)


def test_without_the_extra_it_is_said_which(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(UsageError, match=r"model-gates\[delta\]"):
        rows(lake)
