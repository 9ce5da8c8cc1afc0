"""Point in time on tables that lack what it needs, and what a person is told of a leak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.decide.past import read_past
from gates.inputs.opened import Definition
from gates.inputs.tables import Tables
from gates.measure.interface import Findings, Given
from gates.measure.parity.asof import point_in_time
from gates.records import Columns, Measurement, Plan, Reason, Requirement, Table

DIGEST = "sha256:" + "0" * 64
T = pd.Timestamp("2025-03-01", tz="UTC")
HOUR = pd.Timedelta("1h")
GOOD = {
    "training": {"k": ["a"], "at": [T], "x": [1.0]},
    "events": {"k": ["a", "a"], "at": [T - HOUR, T + HOUR], "x": [1.0, 2.0]},
}


def look(
    tables: Tables, folder: Path, given: dict[str, Any], *, asked: bool = False, default: Any = None, **columns: Any
) -> Findings:
    opened = {}
    for role, frame in given.items():
        pq.write_table(frame if isinstance(frame, pa.Table) else pa.table(frame), folder / f"{role}.parquet")
        opened[role] = tables.open(Table(role=role, uri=f"{role}.parquet"), base=folder)  # type: ignore[arg-type]
    wanted = Requirement(environment="production", check="parity.known_later", role="prove")
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("production",),
        requirements=(wanted,) if asked else (),
        tables=(),
        columns=Columns(**({"key": ("k",), "time": "at", "features": ("x",)} | columns)),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    said = {"definitions": {"x": Definition("x", "1", DIGEST, default=default)}}
    found = point_in_time(Given(plan, opened, Reason.NOT_PROVIDED, None, definitions=said))
    for figure in found.measurements:
        assert (figure.subject, figure.scope) == ("data", "census")
        Measurement.parse(figure.document())
    return found


def estimates(found: Findings) -> list[float | None]:
    return [figure.estimate for figure in found.measurements]


def test_a_row_that_was_joined_rightly_and_one_that_was_not(tables: Tables, tmp_path: Path) -> None:
    assert estimates(look(tables, tmp_path, GOOD)) == [0.0, 0.0]
    leak = GOOD | {"training": {"k": ["a", "a"], "at": [T, T], "x": [2.0, 1.0]}}
    assert estimates(look(tables, tmp_path, leak)) == [0.5, 0.5]
    stale = GOOD | {"training": {"k": ["a"], "at": [T + HOUR], "x": [1.0]}}
    assert estimates(look(tables, tmp_path, stale)) == [1.0, 0.0]


@pytest.mark.parametrize(("default", "rows"), [(0, 2), (0.0, 2), (1, 0), ("0", 0), (False, 0), (None, 0)])
def test_the_default_of_the_definition_is_told(tables: Tables, tmp_path: Path, default: Any, rows: int) -> None:
    """Of b nothing is known, and of c a null: there training has the default, and beside them a has a wrong value."""
    training = {"k": ["a", "b", "c"], "at": [T] * 3, "x": [0.0] * 3}
    events = {"k": ["a", "c"], "at": [T - HOUR] * 2, "x": [1.0, None]}
    found = look(tables, tmp_path, {"training": training, "events": events}, default=default)
    (feature,) = json.loads(found.notes[0].content)["features"]
    assert (feature["mismatches"], feature["default"]) == (3, rows)
    causes = read_past(found.notes[0].content, ["x"])
    assert ("the default of the definition" in str(causes)) == bool(rows)


def test_offline_stands_for_training_only_where_there_is_none(tables: Tables, tmp_path: Path) -> None:
    """A training table that says no time of its rows may have learned from any."""
    both = GOOD | {"offline": {"k": ["a"], "at": [T], "x": [5.0]}}
    assert estimates(look(tables, tmp_path, both)) == [0.0, 0.0]
    for lacking in ({"k": ["a"], "x": [1.0]}, {"at": [T], "x": [1.0]}):
        found = look(tables, tmp_path, both | {"training": lacking})
        assert {figure.reason for figure in found.measurements} == {Reason.COLUMN_MISSING}
    without = {role: table for role, table in both.items() if role != "training"}
    assert estimates(look(tables, tmp_path, without)) == [1.0, 0.0]


def test_a_feature_that_the_log_does_not_have_is_unmeasured(tables: Tables, tmp_path: Path) -> None:
    """A leak would pass if its column were left out of the log."""
    leak = {"training": GOOD["training"] | {"z": [3.0]}, "events": GOOD["events"]}
    found = look(tables, tmp_path, leak, features=("x", "z"))
    assert [(figure.item and figure.item.name, figure.reason) for figure in found.measurements] == 2 * [
        ("x", None),
        ("z", Reason.COLUMN_MISSING),
    ]
    assert {figure.family.size for figure in found.measurements} == {2}
    assert json.loads(found.notes[0].content)["not_rebuilt"] == ["z"]


def test_nothing_is_said_where_nobody_gave_events_or_asked(tables: Tables, tmp_path: Path) -> None:
    only = {"training": GOOD["training"]}
    assert look(tables, tmp_path, only) == Findings(())
    assert {figure.reason for figure in look(tables, tmp_path, only, asked=True).measurements} == {Reason.TABLE_MISSING}


EMPTY = pa.table(GOOD["training"])[:0]


@pytest.mark.parametrize(
    ("change", "columns", "reason"),
    [
        ({}, {"key": ()}, Reason.NOT_PROVIDED),
        ({}, {"time": None}, Reason.NOT_PROVIDED),
        ({}, {"key": ("at",)}, Reason.COLUMN_MISSING),
        ({}, {"time": "when"}, Reason.COLUMN_MISSING),
        ({}, {"ingested": "seen_at"}, Reason.COLUMN_MISSING),
        ({}, {"features": ("y",)}, Reason.COLUMN_MISSING),
        ({}, {"features": ()}, Reason.COLUMN_MISSING),
        ({"events": {"k": ["a"], "at": ["yesterday"], "x": [1.0]}}, {}, Reason.COLUMN_MISSING),
        ({"events": {"at": [T], "x": [1.0]}}, {}, Reason.COLUMN_MISSING),
        ({"events": {"k": [1], "at": [T], "x": [1.0]}}, {}, Reason.ROWS_UNPAIRED),
        ({"training": {"k": ["a"], "x": [1.0]}}, {}, Reason.COLUMN_MISSING),
        ({"training": EMPTY}, {}, Reason.EMPTY_TABLE),
        ({"events": EMPTY}, {}, Reason.EMPTY_TABLE),
    ],
)
def test_what_is_lacking_is_a_reason(
    tables: Tables, tmp_path: Path, change: dict[str, Any], columns: dict[str, Any], reason: Reason
) -> None:
    found = look(tables, tmp_path, GOOD | change, **columns)
    assert [(figure.check, figure.reason) for figure in found.measurements] == [
        ("parity.asof_mismatch", reason),
        ("parity.known_later", reason),
    ]
    assert found.notes == ()


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "known", "later", "wanted"),
    [
        (NAN, NAN, 1.0, [0.0, 0.0]),
        (NAN, 1.0, NAN, [1.0, 0.0]),  # an absence is no news of the future
        (None, 1.0, None, [1.0, 0.0]),
        (INF, -INF, INF, [1.0, 1.0]),
        (1e308, -1e308, 1e308, [1.0, 1.0]),
        ("ü", "u", "ü", [1.0, 1.0]),
        (True, False, True, [1.0, 1.0]),
        (T, T - HOUR, T, [1.0, 1.0]),
        ([1.0, 2.0], [1.0], [1.0, 2.0], [1.0, 1.0]),
        (5, 4, 6, [1.0, 0.0]),
    ],
)
def test_values_of_any_kind(
    tables: Tables, tmp_path: Path, value: Any, known: Any, later: Any, wanted: list[float]
) -> None:
    values = pa.array([value, known, later], from_pandas=False)
    training = pa.table({"k": ["../a"], "at": [T], "x": values[:1]})
    events = pa.table({"k": ["../a"] * 2, "at": [T - HOUR, T + HOUR], "x": values[1:]})
    assert estimates(look(tables, tmp_path, {"training": training, "events": events})) == wanted


def test_a_correction_that_came_too_late_is_told_from_the_future(tables: Tables, tmp_path: Path) -> None:
    events = {"k": ["a"] * 3, "at": [T - 2 * HOUR, T - 2 * HOUR, T + HOUR], "x": [1.0, 2.0, 3.0]}
    events["seen_at"] = [T - HOUR, T + HOUR, T + HOUR]
    training = {"k": ["a"] * 4, "at": [T, T, T, T + HOUR], "x": [1.0, 2.0, 3.0, 2.0]}
    found = look(tables, tmp_path, {"training": training, "events": events}, ingested="seen_at")
    assert estimates(found) == [0.75, 0.5]
    (note,) = found.notes
    [seen] = json.loads(note.content)["features"]
    assert seen == {"name": "x", "mismatches": 3, "earlier": 1, "happened_later": 1, "ingested_later": 1, "default": 0}
    [cause] = read_past(note.content, {"x"})
    later, by_then, older = "a value of a later time", "a value that was not ingested by then", "an older value"
    said = f"of 3 rows that differ from what was known at their time, 1 has {later}; 1 has {by_then}; 1 has {older}"
    assert (cause.feature, cause.hint) == ("x", said)
    assert read_past(note.content, set()) == ()


@pytest.mark.parametrize("raw", [None, b"", b"{", b"[]", b'{"rows": -1, "features": []}', b'{"features": [{}]}'])
def test_an_unreadable_attachment_says_nothing(raw: bytes | None) -> None:
    assert read_past(raw, {"x"}) == ()
