"""Each rule of a contract, on a table that breaks it in known rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from contract_world import broken, column, contract, figures, found

from gates.decide.contract_hints import read_contract as hints
from gates.inputs.tables import Tables

TABLE = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 4, 6], pa.int64()),
        "delay": pa.array([-3.0, 0.5, float("nan"), 1e308, None, float("inf")], pa.float64()),
        "carrier": pa.array(["UA", "AA\n", "ua", None, "ÜA", ""], pa.string()),
        "at": pa.array([0, 1, 2, 3, 4, 86_400_000_000], pa.timestamp("us", "UTC")),
        "seats": pa.array([0, 10, 150, 255, 256, None], pa.int32()),
        "stops": pa.array([[1], [], [1, 2], None, [1], [3]], pa.list_(pa.int64())),
    }
)
NAMES = {"id": "integer", "delay": "number", "carrier": "string", "at": "timestamp", "seats": "integer"}

CASES: list[tuple[str, dict[str, Any], float]] = [
    ("delay", {"required": True}, 2),
    ("id", {"unique": True}, 1),
    ("carrier", {"unique": True}, 0),
    ("delay", {"options": {"minimum": 0}}, 2),
    ("delay", {"options": {"exclusiveMinimum": 0.5}}, 3),
    ("delay", {"options": {"maximum": 1e300}}, 3),
    ("delay", {"options": {"multipleOf": 0.1}}, 2),
    ("seats", {"options": {"multipleOf": 5}}, 1),
    ("seats", {"options": {"format": "u8"}}, 1),
    ("seats", {"physicalType": "TINYINT UNSIGNED"}, 1),
    ("carrier", {"physicalType": "VARCHAR(2)"}, 1),
    ("carrier", {"options": {"minLength": 2}}, 1),
    ("carrier", {"options": {"pattern": "^[A-Z]{2}$"}}, 4),
    ("carrier", {"options": {"pattern": "A"}}, 2),
    ("carrier", {"enum": [{"value": "UA"}, {"value": "AA\n"}]}, 3),
    ("delay", {"enum": [{"value": 0.5}, {"value": -3}]}, 3),
    ("at", {"options": {"exclusiveMinimum": "1970-01-01"}}, 1),
    ("at", {"options": {"maximum": "1970-01-02T01:00:00+02:00"}}, 1),
    ("delay", {"quality": [{"metric": "nullValues", "mustBe": 2}]}, 0),
    ("delay", {"quality": [{"metric": "nullValues", "mustBeLessThan": 2}]}, 1),
    ("delay", {"quality": [{"metric": "nullValues", "mustBeLessOrEqualTo": 33.3, "unit": "percent"}]}, 1),
    ("delay", {"quality": [{"metric": "nullValues", "mustBeLessOrEqualTo": 33.4, "unit": "percent"}]}, 0),
    ("carrier", {"quality": [{"metric": "missingValues", "arguments": {"missingValues": ["", "ua"]}, "mustBe": 0}]}, 2),
    ("carrier", {"quality": [{"metric": "missingValues", "arguments": {"missingValues": [None]}, "mustBe": 0}]}, 1),
    ("carrier", {"quality": [{"metric": "invalidValues", "arguments": {"validValues": ["UA", "ua"]}, "mustBe": 0}]}, 3),
    ("carrier", {"quality": [{"metric": "invalidValues", "arguments": {"pattern": "^$"}, "mustNotBe": 4}]}, 1),
    ("id", {"quality": [{"metric": "duplicateValues", "mustBe": 0}]}, 1),
    ("seats", {"quality": [{"type": "sql", "query": "SELECT MAX({property}) FROM {object}", "mustBe": 250.5}]}, 1),
    ("seats", {"quality": [{"type": "sql", "query": "${column} < 200 OR {property} IS NULL", "mustBe": 0}]}, 2),
    # NaN meets no comparison, nor the opposite of one
    ("delay", {"quality": [{"type": "sql", "query": "delay >= -5", "mustBe": 0}]}, 2),
    ("delay", {"quality": [{"type": "sql", "query": "not delay < -5", "mustBe": 0}]}, 2),
    ("delay", {"quality": [{"type": "sql", "query": "delay between -5 and 1e400", "mustBe": 0}]}, 2),
    ("delay", {"quality": [{"type": "sql", "query": "delay <> 7 and delay not in (7, 8)", "mustBe": 0}]}, 2),
    ("delay", {"quality": [{"type": "sql", "query": "delay <= delay or delay < 3", "mustBe": 0}]}, 2),
    ("seats", {"options": {"maximum": 10**40}}, 0),
    ("seats", {"quality": [{"type": "sql", "query": "CAST(seats / 100 AS INT) < 2", "mustBe": 0}]}, 3),
    ("carrier", {"quality": [{"type": "sql", "query": "UPPER(carrier) = carrier", "mustBe": 0}]}, 2),
    ("seats", {"quality": [{"type": "sql", "query": "SELECT COUNT(*) > 5 FROM flights", "mustBe": True}]}, 0),
]


@pytest.fixture(scope="module")
def engine() -> Any:
    with Tables() as tables:
        yield tables


@pytest.mark.parametrize(("name", "words", "expected"), CASES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(CASES)])
def test_a_rule_counts_the_rows_that_break_it(
    tmp_path: Path, engine: Tables, name: str, words: dict[str, Any], expected: float
) -> None:
    seen = found(tmp_path, TABLE, contract(column(name, NAMES[name], **words)), tables=engine)
    assert figures(seen)[f"{name}.type"] == 0
    rules = [value for rule, value in figures(seen).items() if rule != f"{name}.type"]
    assert rules == [expected]


def test_rules_of_a_table_and_what_they_allow(tmp_path: Path, engine: Tables) -> None:
    quality = [
        {"metric": "rowCount", "mustBeBetween": [7, 10]},
        {"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["id", "seats"]}},
        {"type": "sql", "name": "later", "query": "at >= '1970-01-01' AND id < seats", "mustBe": 0},
        {"type": "text", "description": "checked by eye"},
    ]
    columns = [column("id", "integer", primaryKey=True), column("seats"), column("at", "timestamp")]
    seen = found(tmp_path, TABLE, contract(*columns, quality=quality), tables=engine)
    assert broken(seen) == {"primaryKey": 1, "rowCount": 1, "later": 2}
    row_count = next(each for each in seen.measurements if each.item and each.item.name == "holdout: rowCount")
    assert {(p.name, p.value) for p in row_count.params[1:]} == {
        ("mustBeBetween.lower", 7),
        ("mustBeBetween.upper", 10),
    }
    assert row_count.params[0].name == "contract"
    assert seen.notes[1].content == (tmp_path / "new.odcs.yaml").read_bytes(), "the contract travels as it was read"
    document = json.loads(seen.notes[0].content)["tables"][0]
    assert document["not_checked"] == ["text: checked by eye"]


def test_a_column_that_is_gone_or_of_another_type(tmp_path: Path, engine: Tables) -> None:
    said = contract(
        column("gone", "number", required=True, options={"minimum": 0}),
        column("carrier", "number", options={"minimum": 0}),
        column("delay", "integer"),
        column("stops", "array", options={"minItems": 1}),
    )
    seen = found(tmp_path, TABLE, said, tables=engine)
    assert broken(seen) == {
        "gone.type": 6,
        "gone.required": "column_missing",
        "gone.minimum": "column_missing",
        "carrier.type": 5,
        "delay.type": 3,
        "stops.minItems": 1,
    }


def test_freshness_is_of_the_time_that_the_table_claims(tmp_path: Path, engine: Tables) -> None:
    said = {"top": {"slaProperties": [{"property": "latency", "value": 2, "unit": "h", "element": "flights.at"}]}}
    late = contract(column("at", "timestamp"), **said)
    assert broken(found(tmp_path, TABLE, late, as_of_us=86_400_000_000 + 7_200_000_000, tables=engine)) == {}
    assert broken(found(tmp_path, TABLE, late, as_of_us=86_400_000_000 + 7_201_000_000, tables=engine)) == {
        "latency at": 1
    }
    assert broken(found(tmp_path, TABLE, late, as_of_us=0, tables=engine)) == {"latency at": 79_200}
    assert broken(found(tmp_path, TABLE, late, as_of_us=None, tables=engine)) == {"latency at": "not_provided"}


def test_references_to_another_table(tmp_path: Path, engine: Tables) -> None:
    frame = pd.DataFrame({"a": [1, 2, None, 9], "b": ["x", "y", "z", "q"]})
    other = pd.DataFrame({"a": [1.0, 2.0, 2.0], "b": ["x", "q", "q"]})
    both = [{"from": ["flights.a", "flights.b"], "to": ["training.a", "training.b"]}]
    columns = [column("a", "number", relationships=[{"to": "training.a"}]), column("b", "string")]
    seen = found(tmp_path, frame, contract(*columns, relationships=both), tables=engine, training=other)
    assert broken(seen) == {"a.foreignKey to training": 1, "foreignKey to training": 2}
    nowhere = contract(column("a", "number", relationships=[{"to": "online.a"}]))
    assert broken(found(tmp_path, frame, nowhere, tables=engine)) == {"a.foreignKey to online": "table_missing"}


def test_references_of_whole_numbers_beyond_what_a_double_holds(tmp_path: Path, engine: Tables) -> None:
    said = contract(column("a", "number", relationships=[{"to": "training.a"}]))
    whole, real = pd.DataFrame({"a": [2**53 + 1, 2**53, 3]}), pd.DataFrame({"a": [2.0**53, 3.0, 2.5, 1e300]})
    assert broken(found(tmp_path, whole, said, tables=engine, training=real)) == {"a.foreignKey to training": 1}
    assert broken(found(tmp_path, real, said, tables=engine, training=whole)) == {"a.foreignKey to training": 2}


def test_null_rates_by_slice(tmp_path: Path, engine: Tables) -> None:
    frame = pd.DataFrame({"s": ["a"] * 8 + ["b"] * 2, "v": [None] + [1.0] * 7 + [None, 2.0]})
    quality = {"metric": "nullValues", "mustBeLessOrEqualTo": 20, "unit": "percent"}
    whole = contract(column("s"), column("v", quality=[quality]))
    assert broken(found(tmp_path, frame, whole, tables=engine)) == {}
    sliced = contract(column("s"), column("v", quality=[{**quality, "arguments": {"slices": ["s"]}}]))
    seen = found(tmp_path, frame, sliced, slices=("s",), tables=engine)
    assert broken(seen) == {"v.nullValues": 1}, "one row of two is more than 20 percent of b"
    rule = json.loads(seen.notes[0].content)["tables"][0]["rules"][2]
    assert rule["worst"] == {"column": "s", "value": "b", "measured": 1.0, "rows": 2}
    hidden = json.loads(found(tmp_path, frame, sliced, tables=engine).notes[0].content)["tables"][0]["rules"][2]
    assert "value" not in hidden["worst"], "values of a column that is no slice of the plan stay out of the evidence"


def test_a_number_in_writing_is_one_in_every_engine(tmp_path: Path) -> None:
    text = ["7", "-7", "+7", " 7", "1.5", "1e3", "7f", "99999999999999999999", "x", None]
    frame = pa.table({"whole": text, "real": text})
    columns = (column("whole", "integer", physicalType="VARCHAR"), column("real", "number", physicalType="VARCHAR"))
    found_ = found(tmp_path, frame, contract(*columns))
    assert {name: value for name, value in broken(found_).items() if name.endswith("type")} == {
        "whole.type": 6,
        "real.type": 3,
    }


def test_an_ipv4_address_ends_with_a_number(tmp_path: Path) -> None:
    addresses = ["1.2.3.4", "255.255.255.255", "1.2.3.4.", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4\n"]
    said = contract(column("at", "string", options={"format": "ipv4"}))
    assert broken(found(tmp_path, pa.table({"at": addresses}), said)) == {"at.format": 5}


def test_an_aggregate_that_is_no_finite_number_is_missed_alone(tmp_path: Path) -> None:
    rules = [
        {"type": "sql", "name": name, "query": f"SELECT {name}(delay) FROM {{object}}", "mustBeLessThan": 10}
        for name in ("AVG", "SUM", "MAX", "COUNT")
    ]
    rules.append(rules[-1] | {"name": "beyond", "query": "SELECT COUNT(*) * 1e308 * 1e308 FROM {object}"})
    said = contract(column("delay", "number"), quality=rules)
    answers = figures(found(tmp_path, TABLE, said))
    assert answers == {"delay.type": 0, "COUNT": 0, **dict.fromkeys(("AVG", "SUM", "MAX"), 1), "beyond": "gate_failed"}


def test_a_miss_that_has_no_number_is_said_without_one(tmp_path: Path) -> None:
    rule = {"name": "most", "type": "sql", "query": "SELECT MAX(x) FROM {object} WHERE n = 'ann'", "mustBeLessThan": 0}
    frame = pd.DataFrame({"x": [71234.56789, 1.0], "n": ["ann", "bob"]})
    seen = found(tmp_path, frame, contract(column("x", "number"), column("n"), quality=[rule]))
    assert broken(seen) == {"most": 1}
    everything = "".join(each.model_dump_json() for each in seen.measurements) + seen.notes[0].content.decode()
    assert "71234" not in everything
    (hint,) = hints(seen.notes[0].content, "data.contract", {"holdout: most"})
    assert hint == "holdout most: not met, mustBeLessThan 0 expected; the number is not shown"
