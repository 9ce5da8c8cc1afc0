"""The word `backfill` of gates.yaml: what it becomes in the plan, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import UsageError
from gates.plan.spec import Spec, load_spec

SPEC = """model: m
task: binary
columns: {label: y, key: [id], time: at, ingested: came}
tables: {holdout: {uri: h.parquet}, live: {uri: l.parquet}, shadow: {uri: s.parquet}}
"""
WINDOW = "backfill: {partition: day, from: '2020-01-01T00:00:00-05:00', to: '2020-01-03T00:00:00Z'"


def load(folder: Path, text: str) -> Spec:
    (folder / "gates.yaml").write_text(SPEC + text, encoding="utf-8")
    return load_spec(folder)


def test_what_is_declared_stands_in_the_plan(tmp_path: Path) -> None:
    spec = load(tmp_path, f"{WINDOW}, lateness: 2d, known: [k], ttl: 90m, written: [w], zone: Asia/Tokyo}}")
    assert spec.backfill is not None
    assert spec.backfill.record().document() == {
        "partition": "day",
        "from_us": 1_577_854_800_000_000,
        "to_us": 1_578_009_600_000_000,
        "zone": "Asia/Tokyo",
        "lateness_s": 172_800,
        "known": ["k"],
        "ttl_s": 5_400,
        "written": ["w"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "backfill is missing"),
        ("backfill: {partition: d, from: '2020-01-01', to: '2020-01-02T00:00:00Z'}", "has no time zone"),
        ("backfill: {partition: d, from: '2020-01-02T00:00:00Z', to: '2020-01-01T20:00:00-04:00'}", "is not after"),
        ("backfill: {partition: d, from: '1960-01-02T00:00:00Z', to: '2020-01-01T00:00:00Z'}", "before 1970"),
        (f"{WINDOW}, zone: Mars}}", 'no zone "Mars"'),
        (f"{WINDOW}, zone: ../etc/passwd}}", "no zone"),
        (f"{WINDOW}, known: [k], ttl: 6}}", "a duration"),
        (f"{WINDOW}, known: [k], ttl: -6h}}", "a duration"),
        (f"{WINDOW}, ttl: 6h}}", "ttl needs known"),
        (f"{WINDOW}, written: [id]}}", '"id" has a part to play'),
        (f"{WINDOW}, written: [day]}}", "the partition column is compared"),
        (f"{WINDOW}, partitoin: d}}", 'did you mean "partition"?'),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, text)
    assert said in str(raised.value)
    assert str(raised.value).count("\n") == 0


def test_it_needs_both_tables(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text(
        SPEC.replace(", shadow: {uri: s.parquet}", "") + WINDOW + "}", encoding="utf-8"
    )
    with pytest.raises(UsageError, match="needs the tables live and shadow"):
        load_spec(tmp_path)


def test_a_watermark_needs_the_time_of_ingestion(tmp_path: Path) -> None:
    text = SPEC.replace(", ingested: came", "") + f"{WINDOW}, lateness: 6h}}\n"
    (tmp_path / "gates.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"lateness needs columns\.ingested"):
        load_spec(tmp_path)
