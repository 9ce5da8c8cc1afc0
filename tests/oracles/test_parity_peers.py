"""Parity beside datacompy, drift beside Evidently and deepchecks, and no false alarm of any of the gate's ways to compare.

They want packages that nothing here needs: what they made of the tables of peers_world stands in fixtures, beside the
scripts that made it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import peers_world
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from gates.inputs.contracts import parse_contract
from gates.inputs.tables import Tables
from gates.measure.data.contract import contracts
from gates.measure.interface import Given
from gates.measure.parity import ParityGate
from gates.records import Columns, Measurement, Parameters, Plan, Reason, Table
from gates.records.plan import Alike

FIXTURES = Path(__file__).parent / "fixtures"
DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def engine() -> Iterator[Tables]:
    with Tables(threads=1) as tables:
        yield tables


def look(
    engine: Tables, folder: Path, sides: dict[str, Any], features: tuple[str, ...], key: str | None = "k"
) -> Given:
    opened = {}
    for role, written in sides.items():
        path = folder / f"{role}.parquet"
        if isinstance(written, pa.Table):
            pq.write_table(written, path)
        opened[role] = engine.open(
            Table(role=role, uri=str(written if isinstance(written, Path) else path)), base=folder
        )
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(parity_features=(Alike(feature="price", relative=peers_world.RELATIVE),)),
        tables=(),
        columns=Columns(key=() if key is None else (key,), features=features),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    return Given(plan, opened, Reason.NOT_PROVIDED, None)


def by_item(found: tuple[Measurement, ...], check: str) -> dict[str, Measurement]:
    return {one.item.name: one for one in found if one.check == check and one.item}


def test_mismatches_are_datacompys_where_it_is_right(engine: Tables, tmp_path: Path) -> None:
    theirs = json.loads((FIXTURES / "datacompy.json").read_text(encoding="utf-8"))
    sides = dict(zip(("offline", "online"), map(pa.table, peers_world.tables()), strict=True))
    found = ParityGate().measure(look(engine, tmp_path, sides, peers_world.FEATURES)).measurements
    wrong = by_item(found, "parity.mismatch")
    ours = {name: round((one.estimate or 0) * one.n) for name, one in wrong.items()}
    # To datacompy a null is a NaN. It is not: one side knows nothing, the other computed 0 / 0.
    offline, online = peers_world.tables()
    null = {k for k, v in zip(offline["k"], offline["gap"], strict=True) if v is None}
    assert (theirs["unequal"].pop("gap"), ours.pop("gap")) == (0, len(null & set(online["k"])))
    assert ours == theirs["unequal"]
    assert {one.n for one in wrong.values()} == {theirs["paired"]}
    alone = {name: round((one.estimate or 0) * one.n) for name, one in by_item(found, "parity.missing").items()}
    assert alone == {"offline": theirs["offline_only"], "online": theirs["online_only"]}


def same(table: pa.Table, _: Path) -> pa.Table:
    return table


def reordered(table: pa.Table, _: Path) -> pa.Table:
    shuffled = table.take(np.random.default_rng(1).permutation(table.num_rows))
    return shuffled.select(sorted(table.column_names, reverse=True))


def repartitioned(table: pa.Table, folder: Path) -> Path:
    """Row groups of a few rows, without dictionaries, in another compression."""
    pq.write_table(table, folder / "other.parquet", row_group_size=37, use_dictionary=False, compression="zstd")
    return folder / "other.parquet"


def in_a_lake(table: pa.Table, folder: Path) -> Path:
    """A Delta table of one file for each town, written in two parts."""
    for part in (table.slice(0, 250), table.slice(250)):
        write_deltalake(folder / "lake", part, partition_by=["town"], mode="append")
    return folder / "lake"


def reencoded(table: pa.Table, _: Path) -> pa.Table:
    """Texts as a dictionary, whole numbers in fewer bits or as doubles, times in another zone and unit."""
    wider = {
        "count": pa.int8(),
        "town": pa.dictionary(pa.int32(), pa.string()),
        "at": pa.timestamp("ms", "Asia/Tokyo"),
        "day": pa.timestamp("us"),
    }
    for name, kind in wider.items():
        table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    return table


CONTRACT = b"""apiVersion: v3.1.0
kind: DataContract
id: c
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - {name: k, logicalType: integer, primaryKey: true, required: true}
      - {name: price, logicalType: number, logicalTypeOptions: {exclusiveMinimum: 0}}
      - {name: count, logicalType: integer, logicalTypeOptions: {minimum: 0, maximum: 8}}
      - {name: town, logicalType: string, logicalTypeOptions: {maxLength: 1}}
      - {name: flag, logicalType: boolean}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {minimum: "2025-01-01T00:00:00Z"}}
      - {name: day, logicalType: date}
    quality: [{metric: rowCount, mustBe: 600}]
"""


@pytest.mark.parametrize("change", [same, reordered, repartitioned, in_a_lake, reencoded])
def test_equal_tables_raise_no_alarm(
    engine: Tables, tmp_path: Path, change: Callable[[pa.Table, Path], pa.Table | Path]
) -> None:
    columns, _ = peers_world.tables()
    table = pa.table(columns)
    seconds = pa.array(range(peers_world.ROWS), pa.int64())
    at = pa.array([1_740_000_000_000_000 + 1_000_000 * int(s) for s in seconds.to_pylist()], pa.timestamp("us", "UTC"))
    table = table.append_column("at", at).append_column("day", at.cast(pa.timestamp("us")).cast(pa.date32()))
    sides = {"offline": table, "online": change(table, tmp_path)}
    features = (*peers_world.FEATURES, "at", "day")

    paired = ParityGate().measure(look(engine, tmp_path, sides, features))
    checks = ("parity.mismatch", "parity.null", "parity.missing")
    figures = [one for one in paired.measurements if one.check in checks]
    assert len(figures) == 2 * len(features) + 2
    assert {(one.check, one.estimate) for one in figures} == {(check, 0.0) for check in checks}
    note = json.loads(paired.notes[0].content)
    assert note["causes"] == []
    assert not any("cause" in feature for feature in note["features"])

    unkeyed = ParityGate().measure(look(engine, tmp_path, sides, features, key=None)).measurements
    told = {
        (one.check, one.estimate)
        for one in unkeyed
        if one.status == "measured" and one.check.startswith("parity.") and one.check != "parity.one_table"
    }
    assert {round(value, 9) for check, value in told if check != "parity.variance_ratio"} == {0.0}
    assert {round(value, 9) for check, value in told if check == "parity.variance_ratio"} == {1.0}

    given = look(engine, tmp_path, sides, features)
    promised = {"online": parse_contract(CONTRACT, "c.yaml", None, "online")}
    kept = contracts(Given(given.plan, given.tables, Reason.NOT_PROVIDED, None, contracts=promised))
    broken = [one for one in kept.measurements if one.check == "data.contract" and one.estimate != 0]
    assert broken == []


def test_a_half_empty_column_is_no_drift_to_the_peers_and_a_gap_to_us(engine: Tables, tmp_path: Path) -> None:
    """Their tests of drift drop NaN first; counts of missing values and a mean that moved are the same for both."""
    theirs = json.loads((FIXTURES / "evidently.json").read_text(encoding="utf-8"))
    sides = dict(zip(("offline", "online"), map(pa.table, peers_world.tables()), strict=True))
    found = ParityGate().measure(look(engine, tmp_path, sides, tuple(theirs), key=None)).measurements
    gaps, moved = by_item(found, "parity.missing_rate_difference"), by_item(found, "parity.smd")
    online = peers_world.tables()[1]
    rows = len(online["k"])
    assert {name: round((one.estimate or 0) * rows) for name, one in gaps.items()} == {
        name: said["missing"] for name, said in theirs.items()
    }
    assert gaps["half"].bounds is not None
    assert float(gaps["half"].bounds[0].lower) > 0.4
    assert theirs["half"]["drift_p_value"] > 0.99

    proven = {name for name, one in moved.items() if one.bounds and float(one.bounds[0].lower) > 0.5}
    assert proven == {"moved"} == {name for name, said in theirs.items() if said["drift_p_value"] < 0.01}
    deepchecks = json.loads((FIXTURES / "deepchecks.json").read_text(encoding="utf-8"))
    assert proven == {name for name, said in deepchecks.items() if said["drifted"]}
