"""Iceberg tables, made by pyiceberg in a catalog on SQLite: a snapshot is read as it was, names itself, and is held to
its files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from gates.errors import EvidenceError, UsageError
from gates.inputs.tables import Tables, arrow, row
from gates.plan.spec import load_spec
from gates.records import Table, TableIdentity

FIRST = pa.table({"id": [0, 1, 2], "x": pa.array([1.0, np.nan, None], from_pandas=False), "day": ["a", "a", "b"]})
SECOND = pa.table({"id": [3, 4], "x": [9.0, 8.0], "day": ["ü x", "a"]})


@pytest.fixture
def lake(tmp_path: Path) -> tuple[Path, list[int]]:
    """Three rows, two more, and then one deleted; and the ids of the three snapshots."""
    (tmp_path / "warehouse").mkdir()
    catalog = SqlCatalog("c", uri="sqlite:///:memory:", warehouse=(tmp_path / "warehouse").as_uri())
    catalog.create_namespace("n")
    table = catalog.create_table("n.lake", schema=FIRST.schema)
    ids = []
    for step in (lambda: table.append(FIRST), lambda: table.append(SECOND), lambda: table.delete("id = 1")):
        step()
        ids.append(table.current_snapshot().snapshot_id)
    folder = Path(table.location().removeprefix("file://"))
    catalog.close()
    return folder, ids


def rows(folder: Path, snapshot: Any = None) -> tuple[TableIdentity, pa.Table]:
    with Tables(threads=1) as tables:
        opened = tables.open(Table(role="holdout", uri=folder.name, snapshot=snapshot), base=folder.parent)
        found = arrow(opened.table.order_by("id"))
        tables.unchanged()
        return opened.identity, found


def test_a_snapshot_holds_the_rows_that_it_held(lake: tuple[Path, list[int]]) -> None:
    folder, ids = lake
    before, found = rows(folder, str(ids[0]))
    assert (before.snapshot, before.rows, before.uri) == (f"iceberg:{ids[0]}", 3, folder.name)
    assert found.column("day").to_pylist() == ["a", "a", "b"]
    # NaN stays NaN and null null
    assert found.column("x").is_null().to_pylist() == [False, False, True]
    assert np.isnan(found.column("x")[1].as_py())
    newest, found = rows(folder)
    assert (newest.snapshot, found.column("id").to_pylist()) == (f"iceberg:{ids[2]}", [0, 2, 3, 4])
    digests = {rows(folder, str(each))[0].digest for each in ids}
    assert len(digests) == 3
    assert rows(folder, str(ids[0]))[0] == before


def test_no_row_is_left_out_by_what_a_file_states_of_itself(lake: tuple[Path, list[int]]) -> None:
    with Tables(threads=1) as tables:
        opened = tables.open(Table(role="holdout", uri=lake[0].name, snapshot=str(lake[1][0])), base=lake[0].parent)
        assert row(opened.table.filter(opened.table.x > 5).aggregate(n=opened.table.x.isnan().sum()))["n"] == 1


def test_a_file_that_changes_is_found(lake: tuple[Path, list[int]]) -> None:
    file = next(lake[0].rglob("*.parquet"))
    with Tables(threads=1) as tables:
        tables.open(Table(role="holdout", uri=lake[0].name, snapshot=str(lake[1][0])), base=lake[0].parent)
        for each in lake[0].rglob("*.parquet"):
            each.write_bytes(each.read_bytes())
        assert file.exists()
        with pytest.raises(EvidenceError, match="changed while it was measured"):
            tables.unchanged()


def unfile(lake: Path) -> None:
    for file in lake.rglob("*.parquet"):
        file.unlink()


def elsewhere(lake: Path) -> None:
    """A copy of the metadata alone: what it names lies in the folder that it was copied from."""
    (lake.parent / "copy").mkdir()
    shutil.copytree(lake / "metadata", lake.parent / "copy" / "metadata")
    shutil.move(lake, lake.parent / "moved")
    shutil.move(lake.parent / "copy", lake)
    (lake.parent / "moved").rename(lake.parent / "kept")
    for file in (lake / "metadata").glob("*.metadata.json"):
        file.write_text(file.read_text().replace(f"{lake}/metadata", f"{lake.parent}/kept/metadata"))


def twice(lake: Path) -> None:
    newest = max(lake.glob("metadata/*.metadata.json"))
    shutil.copy(newest, newest.with_name(newest.name.replace("-", "-0", 1)))


@pytest.mark.parametrize(
    ("spoil", "snapshot", "message"),
    [
        (lambda lake: None, 7, "has no snapshot 7"),
        (unfile, None, "a file of the snapshot cannot be read"),
        (elsewhere, None, "outside of the table's folder"),
        (twice, None, "none of its metadata is the newest"),
        (lambda lake: [m.write_text("{") for m in lake.rglob("*.metadata.json")], None, "cannot be read as Iceberg"),
        (lambda lake: [m.unlink() for m in lake.rglob("*.avro")], None, "cannot be read as Iceberg"),
        (lambda lake: [m.unlink() for m in lake.rglob("*.metadata.json")], None, "is a folder"),
    ],
)
def test_what_is_no_table_is_said_in_one_line(
    lake: tuple[Path, list[int]], spoil: Any, snapshot: int | None, message: str
) -> None:
    spoil(lake[0])
    with pytest.raises(UsageError, match=message) as caught:
        rows(lake[0], snapshot)
    assert "\n" not in str(caught.value)


def test_a_file_of_its_metadata_is_the_table_as_it_was(lake: tuple[Path, list[int]]) -> None:
    folder, ids = lake
    first, second, *_ = sorted(folder.glob("metadata/*.metadata.json"))
    found = []
    for file in (first, second):
        with Tables(threads=1) as tables:
            found.append(tables.open(Table(role="holdout", uri=str(file)), base=folder).identity)
    assert [(each.rows, each.snapshot) for each in found] == [(0, "iceberg:none"), (3, f"iceberg:{ids[0]}")]


def test_a_snapshots_number_is_kept_whole_in_plan_and_json(tmp_path: Path) -> None:
    number = 2**62 + 1
    (tmp_path / "gates.yaml").write_text(
        f"model: m\ntask: binary\ncolumns: {{label: y}}\ntables: {{holdout: {{uri: t, snapshot: {number}}}}}\n"
    )
    spec = load_spec(tmp_path)
    assert spec.digest.startswith("sha256:")
    table = spec.plan_tables()[0]
    assert json.loads(json.dumps(table.document()))["snapshot"] == str(number)
    assert Table(role="holdout", uri="t", snapshot=3).document()["snapshot"] == 3


def test_without_the_extra_it_is_said_which(lake: tuple[Path, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiceberg.exceptions", None)
    with pytest.raises(UsageError, match=r"model-gates\[iceberg\]"):
        rows(lake[0])
