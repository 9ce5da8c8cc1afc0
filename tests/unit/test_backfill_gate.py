"""The backfill gate: what is no change, what is one, and what is said where something is missing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backfill_world import TO, Bench, declared, log, micros, rewrite, wrong

from gates.inputs.row_digest import row_digest, row_text, shared_columns
from gates.inputs.tables import Tables
from gates.inputs.tables import arrow as rows

Frame = pd.DataFrame
UTC_US = pa.timestamp("us", "UTC")


@pytest.fixture
def bench(tables: Tables, tmp_path: Path) -> Bench:
    return Bench(tables, tmp_path)


def arrow(frame: Frame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def recast(table: pa.Table, **types: Any) -> pa.Table:
    for name, kind in types.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(kind))
    return table


SAME: dict[str, Callable[[Frame], Any]] = {
    "the same": lambda f: f,
    "another order": lambda f: f[::-1],
    "another order of columns": lambda f: f[sorted(f.columns, reverse=True)],
    "a wider number": lambda f: recast(arrow(f), n=pa.int64()),
    "a whole number as a double": lambda f: recast(arrow(f), n=pa.float64()),
    "a whole number as a decimal": lambda f: recast(arrow(f), n=pa.decimal128(25, 3)),
    "a text in a dictionary": lambda f: recast(arrow(f), s=pa.dictionary(pa.int32(), pa.large_string())),
    "a time without a zone": lambda f: recast(arrow(f), at=pa.timestamp("us")),
    "a time in another zone": lambda f: recast(arrow(f), at=pa.timestamp("us", "America/New_York")),
    "a time in nanoseconds": lambda f: recast(arrow(f), at=pa.timestamp("ns", "UTC")),
    "minus zero": lambda f: f.assign(zero=-f.zero),
    "a run at another time": lambda f: f.assign(run_at=pd.Timestamp("2025-01-01", tz="UTC")),
    "one more column": lambda f: f.assign(new=1),
}


@pytest.mark.parametrize("change", SAME.values(), ids=list(SAME))
def test_what_is_no_change_is_none(bench: Bench, change: Callable[[Frame], Any]) -> None:
    frame = log(200).assign(zero=0.0).astype({"n": "int32"})
    found = bench.measure({"live": frame, "shadow": change(frame), "training": frame})
    assert wrong(found) == {}
    assert bench.note["partitions"]["differ"] == 0


def test_a_csv_of_the_same_rows_is_no_change(bench: Bench) -> None:
    # A CSV does not tell "" from null, and a day in it is a day and no text.
    frame = log(200)[["id", "part", "at", "x", "n", "day"]]
    frame["day"] = frame["at"].dt.date
    frame.to_csv(bench.folder / "shadow.csv", index=False)
    found = bench.measure({"live": frame, "shadow": bench.folder / "shadow.csv"}, declared())
    assert wrong(found) == dict.fromkeys(("late_rows", "known_later", "expired_rows"), "not_provided")


def test_a_sound_rewrite_passes_and_a_second_run_in_another_order_does(bench: Bench) -> None:
    live = log()
    given = {"live": live, "shadow": rewrite(live), "rerun": rewrite(live)[::-1], "training": rewrite(live)}
    assert wrong(bench.measure(given)) == {}
    assert bench.note["partitions"] == {"partitions": 10, "differ": 3, "rewritten": 3, "untouched": 0}
    assert bench.note["training"]["old"] == 0 < bench.note["training"]["new"]


def test_types_and_columns_that_changed_are_told(bench: Bench) -> None:
    live = log(100).astype({"n": "int32"})
    shadow = recast(arrow(live.assign(added=1).drop(columns="s")), n=pa.int64(), id=pa.string())
    found = bench.measure({"live": live, "shadow": shadow})
    assert found["columns"] == 2.0, "s is gone, and id is text now"
    columns = bench.note["columns"]
    assert (columns["added"], columns["dropped"]) == (["added"], ["s"])
    assert [(line["name"], line["live"], line["shadow"]) for line in columns["retyped"]] == [
        ("id", "int64", "string"),
        ("n", "int32", "int64"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (2**53 + 1, float(2**53), False),
        (2**53, float(2**53), True),
        (Decimal("0.10"), Decimal("0.1000"), True),
        (Decimal("0.10"), 0.1, True),
        (Decimal("0.10"), Decimal("0.1001"), False),
        (np.float32(0.1), 0.1, False),
        (np.float32(0.5), 0.5, True),
        (1e308, -1e308, False),
        (float("inf"), float("-inf"), False),
        (float("inf"), float("inf"), True),
        (float("nan"), None, False),
        (True, 1, True),
        ("", None, False),
        ("1", "1 ", False),
        ("5", 5, True),
        (["a"], ["b"], False),
        ({"a": 1}, {"a": 1}, True),
        (b"\x00\xff", b"\x00\xfe", False),
    ],
)
def test_a_value_is_compared_and_not_its_type(
    tables: Tables, tmp_path: Path, before: Any, after: Any, same: bool
) -> None:
    sides = []
    for place, value in enumerate((before, after)):
        pq.write_table(pa.table({"v": pa.array([value, None], from_pandas=False)}), tmp_path / f"{place}.parquet")
        sides.append(tables.read(tmp_path / f"{place}.parquet"))
    columns = shared_columns(sides)
    old, new = (rows(side.select(digest=row_digest(side, columns))).column(0).to_pylist() for side in sides)
    assert (old[0] == new[0]) is same
    assert old[1] == new[1], "null is null"


def test_no_two_rows_have_one_text(tables: Tables, tmp_path: Path) -> None:
    texts = ["", "-", "|", "0:", "1:-", "-|-", "1:|0:", None]
    pairs = [(a, b) for a in texts for b in texts]
    pq.write_table(pa.table({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]}), tmp_path / "t.parquet")
    table = tables.read(tmp_path / "t.parquet")
    written = rows(table.select(text=row_text(table, shared_columns([table])))).column(0).to_pylist()
    assert len(set(written)) == len(pairs)


@pytest.mark.parametrize("side", ["live", "shadow", "both"])
def test_an_empty_side_leaves_nothing_to_say(bench: Bench, side: str) -> None:
    frame = log(50)
    given = {role: frame[:0] if side in (role, "both") else frame for role in ("live", "shadow")}
    assert set(bench.measure(given).values()) == {"empty_table"}
    assert bench.note == {}


def test_an_empty_second_run_or_training_table(bench: Bench) -> None:
    frame = log(50)
    found = bench.measure({"live": frame, "shadow": frame, "rerun": frame[:0], "training": frame[:0]})
    assert wrong(found) == {"rerun_difference": "empty_table", "mixed_training": "empty_table"}


def test_no_table_and_no_word(bench: Bench) -> None:
    frame = log(50)
    assert set(bench.measure({"shadow": frame}).values()) == {"table_missing"}
    assert set(bench.measure({"live": frame, "shadow": frame}, None).values()) == {"not_provided"}


@pytest.mark.parametrize(
    ("gone", "unmeasured"),
    [
        ("day", None),
        ("id", {"keys_missing", "keys_added", "keys_repeated", "mixed_training"}),
        ("at", {"changed_outside_window", "late_rows", "known_later", "expired_rows"}),
        ("seen", {"late_rows", "known_later", "expired_rows"}),
    ],
)
def test_a_column_that_vanished_from_the_rewrite(bench: Bench, gone: str, unmeasured: set[str] | None) -> None:
    frame = log(50)
    found = bench.measure({"live": frame, "shadow": frame.drop(columns=gone), "training": frame})
    missing = {name for name, value in found.items() if value == "column_missing"}
    assert missing == (set(found) if unmeasured is None else unmeasured)
    assert unmeasured is None or found["columns"] == 1.0


def test_without_a_key_rows_are_counted_by_partition(bench: Bench) -> None:
    bench.key = ()
    live = log(200)
    shadow = live.copy()
    shadow.loc[[0, 1, 199], "x"] = 5e8
    found = bench.measure({"live": live, "shadow": shadow, "training": live})
    unkeyed = ("keys_missing", "keys_added", "keys_repeated", "mixed_training")
    assert wrong(found) == {**dict.fromkeys(unkeyed, "not_provided"), "changed_outside_window": 3.0}


def test_null_is_a_partition_beside_one_of_its_name(bench: Bench) -> None:
    live = log(100)
    live.loc[:9, "day"] = None
    live.loc[10:19, "day"] = "(null)"
    assert wrong(bench.measure({"live": live, "shadow": live})) == {}
    bench.measure({"live": live, "shadow": live.drop(index=[0, 1, 2, 10, 11])})
    null, text = bench.parts["keys_missing"]
    assert null == "(null)"
    assert text.startswith("(null) #")
    assert list(bench.parts["keys_missing"].values()) == [3, 2]


def test_names_of_partitions_are_one_line_each(bench: Bench) -> None:
    live = log(60)
    names = ["../../etc", "ü😀", "a\nb", "x" * 300, "x" * 299 + "y", ""]
    live["day"] = [names[i % len(names)] for i in range(60)]
    bench.measure({"live": live, "shadow": live.assign(n=live.n + 1)})
    listed = [line["partition"] for line in bench.note["worst"]["changed_outside_window"]]
    assert len(set(listed)) == len(names)
    assert all(name.isprintable() and 0 < len(name) <= 256 for name in listed)
    assert {"../../etc", "ü😀"} <= set(listed)


def test_a_partition_on_one_side_only(bench: Bench) -> None:
    live = log()
    new = live[live.day == "2024-03-09"]
    found = bench.measure({"live": live.drop(index=new.index), "shadow": live})
    assert wrong(found) == dict.fromkeys(("row_difference", "keys_added", "changed_outside_window"), float(len(new)))
    assert set(bench.parts["keys_added"]) == {"2024-03-09"}
    found = bench.measure({"live": live, "shadow": live.drop(index=new.index)})
    assert wrong(found) == dict.fromkeys(("row_difference", "keys_missing", "changed_outside_window"), float(len(new)))


def test_the_window_is_of_moments_whatever_its_zone(bench: Bench) -> None:
    live = log()
    inside = (live["at"] >= pd.Timestamp("2024-03-04T00:00-05:00")) & (
        live["at"] < pd.Timestamp("2024-03-07T00:00-05:00")
    )
    shadow = live.assign(n=np.where(inside, 99, live.n))
    eastern = declared(
        from_us=micros(pd.Timestamp("2024-03-04T00:00-05:00")), to_us=micros(pd.Timestamp("2024-03-07T00:00-05:00"))
    )
    unasked = ("late_rows", "known_later", "expired_rows")
    assert wrong(bench.measure({"live": live, "shadow": shadow}, eastern)) == dict.fromkeys(unasked, "not_provided")
    late = (inside & (live["at"] >= TO)).sum()
    assert late > 0
    assert bench.measure({"live": live, "shadow": shadow}, declared())["changed_outside_window"] == late


@pytest.mark.parametrize(("zone", "outside"), [("America/New_York", 0), ("UTC", 1)])
def test_days_are_of_the_declared_zone(bench: Bench, zone: str, outside: int) -> None:
    """The window is three days of New York; in UTC the first of them began before it."""
    bench.key, bench.time = ("id",), None
    days = pd.date_range("2024-03-01", periods=9).date
    live = pa.table({"id": range(9), "day": pa.array(days, pa.date32()), "v": [0] * 9})
    shadow = live.set_column(2, "v", pa.array([1 if 3 <= i < 6 else 0 for i in range(9)]))
    window = declared(
        zone=zone,
        from_us=micros(pd.Timestamp("2024-03-04T00:00-05:00")),
        to_us=micros(pd.Timestamp("2024-03-07T00:00-05:00")),
    )
    assert bench.measure({"live": live, "shadow": shadow}, window)["changed_outside_window"] == outside


def test_a_partition_that_is_no_time_needs_a_time(bench: Bench) -> None:
    bench.time = None
    found = bench.measure({"live": log(50), "shadow": log(50)})
    timed = ("changed_outside_window", "late_rows", "known_later", "expired_rows")
    assert wrong(found) == dict.fromkeys(timed, "not_provided")


def test_times_at_the_ends_of_what_a_table_holds(bench: Bench) -> None:
    live = arrow(log(20))
    ends = [-(2**62) // 1000 * 1000, 0, 2**60, *[10**15] * 17]
    shadow = live.set_column(live.schema.get_field_index("seen"), "seen", pa.array(ends, UTC_US))
    found = bench.measure({"live": live, "shadow": shadow})
    assert (found["known_later"], found["expired_rows"]) == (1.0, 19.0)


VERSIONS = {
    "all as they were": (lambda old, new: old, 0),
    "all rewritten": (lambda old, new: new, 0),
    "of both": (lambda old, new: pd.concat([old[::2], new[1::2]]), None),
    "none that changed": (lambda old, new: old[old.day < "2024-03-04"], 0),
    "of a third version": (lambda old, new: old.assign(n=1_000), "rows_unpaired"),
    "without what changed": (lambda old, new: pd.concat([old[::2], new[1::2]])[["id", "part", "n"]], 0),
}


@pytest.mark.parametrize(("make", "mixed"), VERSIONS.values(), ids=list(VERSIONS))
def test_a_model_learns_from_one_version(bench: Bench, make: Callable[[Frame, Frame], Frame], mixed: Any) -> None:
    old = log()
    new = rewrite(old).sort_values("id", ignore_index=True)
    found = bench.measure({"live": old, "shadow": new, "training": make(old, new)})
    told = {kind: bench.note["training"][kind] for kind in ("old", "new", "other")} if "training" in bench.note else {}
    assert wrong(found).keys() <= {"mixed_training"}
    assert found["mixed_training"] == (mixed if mixed is not None else min(told["old"], told["new"]))
    assert mixed is not None or min(told["old"], told["new"]) > 50
