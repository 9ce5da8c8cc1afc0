"""What stands before every comparison: pairs enough, two tables and not one, and a log that was read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from parity_world import by_place, measure, measure_opened

from gates.inputs.tables import Tables
from gates.measure.interface import Findings
from gates.records import Columns, Reason, Table
from gates.records.sources import Read, RequestLog


def frame(keys: range, **more: Any) -> dict[str, Any]:
    return {"k": list(keys), "x": [float(k) for k in keys], **more}


@pytest.mark.parametrize("scopes", [{}, {"online": "sample"}])
def test_pairs_are_counted_whatever_they_stand_for(tables: Tables, tmp_path: Path, scopes: dict[str, str]) -> None:
    for online, expected in ((range(3, 10), 2), (range(5, 9), 0)):
        found = measure(tables, tmp_path, frame(range(5)), frame(online), scopes=scopes)
        pairs = by_place(found, "parity.pairs")[""]
        assert (pairs.estimate, pairs.scope, pairs.unit) == (expected, "census", "rows")


def test_without_pairs_there_is_a_reason(tables: Tables, tmp_path: Path) -> None:
    for columns, online, reason in (
        ({"key": ()}, frame(range(3)), Reason.NOT_PROVIDED),
        ({}, None, Reason.TABLE_MISSING),
        ({}, {"k": [1, 1], "x": [1.0, 1.0]}, Reason.KEYS_NOT_UNIQUE),
    ):
        found = measure(tables, tmp_path, frame(range(3)), online, columns=columns)
        assert by_place(found, "parity.pairs")[""].reason is reason


def opened(tables: Tables, folder: Path, *named: Table) -> Findings:
    return measure_opened(named, tables.open_all(named, base=folder), Columns(key=("k",), features=("x",)))


def one_table(tables: Tables, folder: Path, offline: Table, online: Table) -> float | None:
    return by_place(opened(tables, folder, offline, online), "parity.one_table")[""].estimate


def table(role: Any, uri: str, *reads: str) -> Table:
    return Table(role=role, uri=uri, reads=tuple(Read(name=f"t{i}", uri=r) for i, r in enumerate(reads)) or None)


def test_a_table_is_told_by_its_bytes_and_not_by_its_name(tables: Tables, tmp_path: Path) -> None:
    pd.DataFrame(frame(range(5))).to_parquet(tmp_path / "a.parquet")
    shutil.copy(tmp_path / "a.parquet", tmp_path / "b.parquet")
    pd.DataFrame(frame(range(5)))[["x", "k"]].to_parquet(tmp_path / "c.parquet")
    (tmp_path / "one.sql").write_text("select k, x from t0", encoding="utf-8")
    (tmp_path / "all.sql").write_text("select k, x from t0 where k >= 0 order by k", encoding="utf-8")
    (tmp_path / "both.sql").write_text("select t0.k, t1.x from t0 join t1 on t0.k = t1.k", encoding="utf-8")
    offline = table("offline", "a.parquet")
    for online, same in (
        (table("online", "a.parquet"), 1),
        (table("online", "b.parquet"), 1),
        (table("online", "c.parquet"), 0),
        (table("online", "one.sql", "b.parquet"), 1),
        (table("online", "one.sql", "c.parquet"), 0),
        (table("online", "both.sql", "a.parquet", "c.parquet"), 0),
        (table("online", "both.sql", "a.parquet", "b.parquet"), 1),
    ):
        assert one_table(tables, tmp_path, offline, online) == same, online
    asked = table("offline", "one.sql", "a.parquet")
    assert one_table(tables, tmp_path, asked, table("online", "all.sql", "a.parquet")) == 1
    assert one_table(tables, tmp_path, asked, table("online", "all.sql", "c.parquet")) == 0


def test_one_table_alone_is_no_answer(tables: Tables, tmp_path: Path) -> None:
    pd.DataFrame(frame(range(5))).to_parquet(tmp_path / "a.parquet")
    for role in ("offline", "online"):
        found = by_place(opened(tables, tmp_path, table(role, "a.parquet")), "parity.one_table")[""]
        assert found.reason is Reason.TABLE_MISSING


def unread(tables: Tables, folder: Path, *requests: Any, **words: Any) -> tuple[float | None, Reason | None]:
    n = len(requests)
    log = {"client_request_id": range(n), "request_time": pd.Timestamp("2026-03-01", tz="UTC"), "status_code": 200}
    said = [each if each is None or isinstance(each, str) else json.dumps(each) for each in requests]
    pd.DataFrame({**log, "execution_duration_ms": 3, "request": said, "response": None}, index=range(n)).to_parquet(
        folder / "log.parquet"
    )
    pd.DataFrame(frame(range(n))).to_parquet(folder / "a.parquet")
    online = Table(role="online", uri="log.parquet", log=RequestLog(format="databricks", id="k", **words))
    found = by_place(opened(tables, folder, table("offline", "a.parquet"), online), "parity.unread")
    assert set(found) == {"online"}
    return found["online"].estimate, found["online"].reason


def test_what_a_log_has_and_nobody_read_is_a_share(tables: Tables, tmp_path: Path) -> None:
    good = {"dataframe_records": [{"x": 1.0}]}
    assert unread(tables, tmp_path, good, good) == (0, None)
    for bad in (None, '{"dataframe_records": [', {"rows": [1]}, {"instances": [[9.0]]}):
        assert unread(tables, tmp_path, good, bad, good, good) == (0.25, None), bad
    assert unread(tables, tmp_path, {"instances": [[9.0]]}, good, columns=("x",)) == (0, None)
    rows = {"dataframe_records": [{"x": 1.0}] * 3}
    assert unread(tables, tmp_path, rows, {"instances": [[9.0]] * 2}) == (0.4, None)


def test_a_table_that_is_no_log_is_not_asked(tables: Tables, tmp_path: Path) -> None:
    assert by_place(measure(tables, tmp_path, frame(range(3)), frame(range(3))), "parity.unread") == {}


def test_a_log_that_could_not_be_opened_is_unmeasured(tables: Tables, tmp_path: Path) -> None:
    words = RequestLog(format="databricks")
    found = measure_opened(
        (Table(role="online", uri="log.parquet", log=words),), {}, Columns(key=("k",), features=("x",))
    )
    assert by_place(found, "parity.unread")["online"].reason is Reason.TABLE_MISSING
