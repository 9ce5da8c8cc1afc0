"""Inference tables of three generations: requests of every form become the rows that were planted, and what cannot be
read is counted. The columns are those of the documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from parity_world import measure_opened

from gates.bundle.canonical import digest_document
from gates.errors import UsageError
from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables, arrow
from gates.records import Columns, Table
from gates.records.sources import RequestLog

AT = pd.Timestamp("2026-03-01 10:00", tz="UTC")
NAMES = {
    1: ("timestamp_ms", "execution_time_ms", "databricks_request_id"),
    2: ("request_time", "execution_duration_ms", "databricks_request_id"),
    3: ("event_time", "latency_ms", "invocation_id"),
}
FRAME = pd.DataFrame({"x": [1.5, None, -2.0], "n": [1, 2, 3], "c d'\"/~": ["a", "ü", None], "b": [True, False, None]})


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{k: None if pd.isna(v) else v for k, v in row.items()} for row in frame.to_dict("records")]


def forms(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    rows = records(frame)
    data = [list(row.values()) for row in rows]
    return {
        "dataframe_split": {"dataframe_split": {"index": [0, 1, 2], "columns": list(frame), "data": data}},
        "dataframe_records": {"dataframe_records": rows},
        "instances": {"instances": rows},
        "inputs": {"inputs": {name: [row[name] for row in rows] for name in frame}},
    }


def log(folder: Path, requests: list[Any], generation: int = 2, **columns: Any) -> Path:
    """A log of requests, JSON or text as it is."""
    time, took, request_id = NAMES[generation]
    times = [AT + pd.Timedelta(minutes=i) for i in range(len(requests))]
    table = pd.DataFrame(
        {
            request_id: [f"d{i}" for i in range(len(requests))],
            "client_request_id": [f"r{i}" for i in range(len(requests))],
            time: [int(t.timestamp() * 1000) for t in times] if generation == 1 else times,
            "status_code": 200,
            "sampling_fraction": 1.0,
            took: 3,
            "request": [r if r is None or isinstance(r, str) else json.dumps(r) for r in requests],
            "response": None,
        }
    ).assign(**columns)
    table.to_parquet(folder / "log.parquet", index=False)
    return folder


def read(folder: Path, scope: str | None = None, **words: Any) -> tuple[pd.DataFrame, dict[str, Any], OpenTable]:
    asked = {"role": "online", "uri": "log.parquet", "scope": scope, "log": {"format": "databricks", **words}}
    with Tables(threads=1) as tables:
        opened = tables.open(Table.model_validate(asked), base=folder)
        frame = arrow(opened.table).to_pandas()
        tables.unchanged()
    assert opened.source is not None
    assert opened.identity.digest == digest_document(dict(opened.source.document))
    assert opened.identity.rows == len(frame) == opened.source.document["rows"]
    return frame, dict(opened.source.document), opened


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_every_form_of_request_gives_the_rows_that_were_asked_about(tmp_path: Path, generation: int) -> None:
    requests = forms(FRAME)
    frame, seen, opened = read(log(tmp_path, list(requests.values()), generation), id="id", time="at")
    assert seen["generation"] == generation
    assert opened.identity.snapshot == f"log:databricks:{generation}"
    assert seen["forms"] == dict.fromkeys(requests, 1)
    assert frame["at"].drop_duplicates().tolist() == [AT + pd.Timedelta(minutes=i) for i in range(4)]
    for place in range(4):
        rows = frame[frame["id"] == f"r{place}"]
        assert rows["request_row"].tolist() == [0, 1, 2]
        pd.testing.assert_frame_equal(rows[list(FRAME)].reset_index(drop=True), FRAME, check_dtype=False)


def test_what_cannot_be_read_is_counted_and_not_dropped_in_silence(tmp_path: Path) -> None:
    requests = [
        {"dataframe_records": [{"x": 1}]},
        "{bad",
        None,
        {"prompt": "hello"},
        {"instances": [[1, 2], {"x": "seven"}, 3]},
        {"dataframe_split": {"columns": ["x", "x"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["x"], "data": [[1, 2], [4]]}},
        {"dataframe_split": {"columns": ["x"], "data": "no"}},
        {"dataframe_records": []},
        {"inputs": {"x": 5, "y": 6}},
        {"dataframe_records": [{"x": 8}]},
        "",
        '{"inputs": {"x": [1], "x": [2]}}',
        {"inputs": {"x": [1, 2], "y": [3]}},
        {"inputs": {"x": [1, 2], "y": 3}},
    ]
    statuses = [200] * len(requests)
    statuses[10] = 500
    frame, seen, _ = read(log(tmp_path, requests, status_code=statuses))
    assert sorted(frame["x"]) == ["1", "4", "5", "seven"]
    assert seen["names_of_several_types"] == 1
    assert seen["forms"] == {
        "absent": 1,
        "dataframe_records": 3,
        "dataframe_split": 3,
        "inputs": 4,
        "instances": 1,
        "malformed": 2,
        "unknown": 1,
    }
    assert seen["statuses"] == {"200": 14, "500": 1}
    # bad, none, unknown, columns twice, data that is a text, no records, "", inputs twice, of two lengths, and half a column
    assert seen["answered_requests_without_rows"] == 10
    assert seen["rows_without_names"] == 3  # [1, 2], 3, and the data of two values for one column
    assert seen["requests"] == 15
    assert "not measurable" in seen["error_rate"]
    assert seen["newest_us"] - seen["complete_until_us"] == 3600 * 10**6


def test_a_name_that_occurs_twice_is_unread_wherever_it_stands(tmp_path: Path) -> None:
    whole = '{"dataframe_records": [{"x": 1}], "dataframe_records": [{"x": 2}]}'
    split = '{"dataframe_split": {"columns": ["x"], "data": [[3]], "data": [[4]]}}'
    rows = [
        '{"dataframe_records": [{"x": 5, "x": 6}, {"x": 7}, {"x": 8, "\\u0078": 9}]}',
        '{"instances": [{"x": 10, "at": {"y": 1, "y": 2}}, {"x": 11, "at": {"y": 1, "z": {"y": 1}}}]}',
        '{"instances": [{"x": 12, "at": [{"y": 1}, {"y": 1}]}, {"x": 13, "at": [{"y": 1, "y": 1}]}]}',
        '{"inputs": {"x": [14], "at": [{"y": 1, "y": 2}]}}',
    ]
    once = '{"dataframe_split": {"columns": ["x"], "data": [[15]]}, "client_request_id": "x"}'
    _, seen, _ = read(log(tmp_path, [whole, split, *rows, once]))
    assert seen["answered_requests_without_rows"] == 2
    assert seen["rows_without_names"] == 5
    assert seen["rows"] == 4
    frame, _, _ = read(log(tmp_path, [*rows, once]))
    assert sorted(frame["x"]) == [7, 11, 12, 15]


def test_an_answer_in_which_a_name_occurs_twice_is_none(tmp_path: Path) -> None:
    asked = {"dataframe_records": [{"x": 1}, {"x": 2}]}
    answers = [
        '{"predictions": [1, 2], "predictions": [3, 4]}',
        '{"predictions": [{"p": 1, "p": 2}, {"p": 3}]}',
        '{"predictions": [{"p": 4}, {"p": 5}]}',
    ]
    frame, seen, _ = read(log(tmp_path, [asked] * 3, response=answers), id="id")
    told = frame.sort_values(["id", "request_row"])["prediction_p"]
    assert [None if pd.isna(p) else p for p in told] == [None, None, None, 3, 4, 5]
    assert seen["rows_without_answer"] == 3


def test_values_without_names_are_read_where_their_columns_are_named(tmp_path: Path) -> None:
    rows = [list(row.values()) for row in records(FRAME)]
    requests = [
        {"instances": rows},
        {"inputs": rows},
        {"dataframe_split": {"data": rows}},
        {"dataframe_split": {"columns": ["n", "x"], "data": [[9, 0.5]]}},
        {"instances": [[1], {"x": 4.0}, 5]},
    ]
    asked = {"id": "id", "columns": tuple(FRAME)}
    frame, seen, _ = read(log(tmp_path, requests), **asked)
    for place in range(3):
        found = frame[frame["id"] == f"r{place}"]
        pd.testing.assert_frame_equal(found[list(FRAME)].reset_index(drop=True), FRAME, check_dtype=False)
    assert frame[frame["id"] == "r3"][["n", "x"]].to_numpy().tolist() == [[9, 0.5]]
    assert (seen["rows"], seen["rows_named_by_place"], seen["rows_without_names"]) == (11, 9, 2)
    assert seen["columns"] == list(FRAME)
    _, without, _ = read(log(tmp_path, requests))
    assert (without["rows"], without["rows_without_names"]) == (2, 11)
    assert "rows_named_by_place" not in without
    with pytest.raises(UsageError, match="by their places, without names") as caught:
        read(log(tmp_path, requests[:3]))
    assert caught.value.code == "log.places"
    with pytest.raises(UsageError, match="by their places"):
        read(log(tmp_path, requests[:1]), columns=("x", "n"))


def test_a_sampled_log_is_no_census_and_says_what_each_row_stands_for(tmp_path: Path) -> None:
    requests = [{"dataframe_records": [{"x": i}]} for i in range(4)]
    folder = log(tmp_path, requests, sampling_fraction=[1.0, 0.25, 0.5, np.inf])
    with pytest.raises(UsageError, match="scope: sample"):
        read(folder)
    frame, seen, _ = read(folder, scope="sample")
    np.testing.assert_array_equal(frame["weight"], [1, 4, 2, np.nan])
    assert seen["sampling_fraction"] == {"lowest": 0.25, "highest": 1.0, "unusable": 1}


@pytest.mark.parametrize(
    ("kept", "reason"),
    [([0.01, 0.01, 0.01, 0.01], None), ([0.01, 1.0, 1.0, 1.0], "not_provided"), ([1, 1, 1, np.nan], "not_provided")],
)
def test_rows_that_stand_for_unlike_numbers_of_requests_make_no_share(
    tmp_path: Path, kept: list[float], reason: str | None
) -> None:
    """One row in four differs, which is 97 % of the requests where it was kept with a chance of .01."""
    log(tmp_path, [{"dataframe_records": [{"x": i + 9.0 * (i == 0)}]} for i in range(4)], sampling_fraction=kept)
    pd.DataFrame({"id": [f"r{i}" for i in range(4)], "x": np.arange(4.0)}).to_parquet(tmp_path / "offline.parquet")
    words = RequestLog(format="databricks", id="id", time="at")
    named = (
        Table(role="offline", uri="offline.parquet"),
        Table(role="online", uri="log.parquet", scope="sample", log=words),
    )
    columns = Columns(key=("id",), features=("x",))
    with Tables(threads=1) as tables:
        found = measure_opened(named, tables.open_all(named, base=tmp_path), columns)
    mismatch, *missing = (
        figure for figure in found.measurements if figure.check in ("parity.mismatch", "parity.missing")
    )
    assert mismatch.reason == reason
    assert mismatch.estimate == (0.25 if reason is None else None)
    assert {figure.reason for figure in missing} == {reason}
    (feature,) = json.loads(next(note.content for note in found.notes if note.name == "parity.json"))["features"]
    assert feature["mismatches"] == 1


@pytest.mark.parametrize(
    ("said", "columns"),
    [
        ([0.5, 1.0], {"prediction": [0.5, 1.0]}),
        ([3, None], {"prediction": [3.0, None]}),
        (["a", "b"], {"prediction": ["a", "b"]}),
        ([[0.1, 0.9], [0.4, 0.6]], {"prediction_0": [0.1, 0.4], "prediction_1": [0.9, 0.6]}),
        ([{"p": 0.5, "k": "u"}, {"p": 1}], {"prediction_p": [0.5, 1.0], "prediction_k": ["u", None]}),
        ([0.5], {}),
    ],
)
def test_the_answers_stand_beside_the_rows(tmp_path: Path, said: list[Any], columns: dict[str, list[Any]]) -> None:
    request = {"dataframe_records": [{"x": 1}, {"x": 2}]}
    frame, seen, _ = read(log(tmp_path, [request], response=json.dumps({"predictions": said})))
    assert {name for name in frame if name.startswith("prediction")} == set(columns)
    for name, values in columns.items():
        assert [None if pd.isna(v) else v for v in frame[name]] == values
    assert seen["rows_without_answer"] == (0 if columns else 2)


def test_an_empty_log_is_an_empty_table(tmp_path: Path) -> None:
    frame, seen, _ = read(log(tmp_path, []))
    assert (len(frame), seen["requests"], seen["newest_us"]) == (0, 0, None)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda t: t.drop(columns="execution_duration_ms"), "log.unknown"),
        (lambda t: t.drop(columns="client_request_id"), "log.unknown"),
        (lambda t: t.assign(request='{"instances": [{"a": 1, "A": 2}]}'), "column.ambiguous"),
        (lambda t: t.assign(request='{"instances": [{"Status_Code": 1}]}'), "column.ambiguous"),
        (lambda t: t.assign(status_code="Ada Lovelace"), "table.unreadable"),
    ],
)
def test_what_is_no_log_is_said_in_one_line(tmp_path: Path, spoil: Any, code: str) -> None:
    folder = log(tmp_path, [{"instances": [{"a": 1}]}])
    spoil(pd.read_parquet(folder / "log.parquet")).to_parquet(folder / "log.parquet", index=False)
    with pytest.raises(UsageError) as caught:
        read(folder)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    assert "Ada" not in str(caught.value)
