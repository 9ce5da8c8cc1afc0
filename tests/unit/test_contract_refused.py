"""Contracts that cannot be understood: each is one line with file, line and a way out, and nothing is passed in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from contract_world import broken, column, contract, figures, found

from gates.errors import UsageError
from gates.inputs.tables import Tables
from gates.measure.data.contract.columns import Declared
from gates.measure.data.contract.conditions import Unsaid
from gates.measure.data.contract.sql import parse

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "t": pd.to_datetime(["2024-01-01"] * 3)})
SQL = {"type": "sql", "mustBe": 0}


def refused(tmp_path: Path, said: Any) -> str:
    with pytest.raises(UsageError) as raised:
        found(tmp_path, FRAME, said)
    message = str(raised.value)
    assert "\n" not in message
    assert "odcs.yaml" in message
    return message


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (column("a", "integer", requierd=True), 'unknown word "requierd"; did you mean "required"?'),
        (column("a", "int"), '"int" is none of string'),
        (column("a", "integer", required="yes"), '"yes" is not of type "boolean"'),
        (column("a", "integer", options={"minimun": 1}), 'unknown word "minimun"'),
        (column("a", "integer", options={"maximum": "many"}), "not of type"),
        (column("a", options={"minimum": 1}), "options of which logicalType?"),
        (column("t", "timestamp", options={"minimum": "yesterday"}), "is no timestamp; write it like 2014"),
        (column("b", "string", options={"pattern": "(?=x)"}), "no pattern that RE2 reads"),
        (column("b", "string", options={"pattern": "["}), "no pattern that RE2 reads"),
        (column("b", "string", options={"pattern": "^[[:alnum:]]$"}), "engines read in different ways"),
        (column("b", "string", options={"pattern": "[a-z&&[^b]]"}), "engines read in different ways"),
        (column("b", "string", options={"pattern": "(?i)^x$"}), "[Aa] is an a of either case"),
        (column("a", quality=[SQL | {"query": "SELECT MAX(t) FROM {object}"}]), 'no column "t"'),
        (column("t", "timestamp", quality=[SQL | {"query": "SELECT MAX(t) FROM {object}"}]), "and no number"),
        (column("b", "string", quality=[SQL | {"query": "SELECT MIN(b) FROM {object}"}]), "selects a string"),
        (column("a", "number", options={"maximum": 10**400}), "beyond what a number holds"),
        (column("b", "string", physicalType="VARCAHR"), "is no type of SQL"),
        (column("b", "string", physicalType="INT"), "INT holds no string"),
        (column("b", "string", enum=[{"value": 1}]), "1 is no text"),
        (column("a", quality=[{"metric": "nulls", "mustBe": 0}]), '"nulls" is none of nullValues'),
        (column("a", quality=[{"metric": "rowCount", "mustBe": 3}]), "rowCount is no metric of a column"),
        (column("a", quality=[{"metric": "nullValues"}]), "exactly one of mustBe"),
        (column("a", quality=[{"metric": "nullValues", "mustBe": 0, "mustBeLessThan": 1}]), "exactly one of mustBe"),
        (column("a", quality=[{"metric": "nullValues", "mustBe": 0, "unit": "furlongs"}]), 'unit "furlongs"'),
        (column("a", quality=[{"metric": "nullValues", "mustBe": "0"}]), "needs a number"),
        (column("a", quality=[{"metric": "nullValues", "mustBe": 0, "arguments": {"by": ["b"]}}]), "unknown argument"),
        (column("a", quality=[{"metric": "nullValues", "mustBe": 0, "arguments": {"slices": ["z"]}}]), 'no column "z"'),
        (column("a", quality=[{"metric": "invalidValues", "mustBe": 0}]), "what is valid?"),
        (column("a", relationships=[{"to": "nowhere"}]), "nowhere"),
        (column("a", quality=[SQL | {"query": "amount > 3"}]), 'no column "amount" in the contract'),
        (column("b", "string", quality=[SQL | {"query": "b + 1 > 2"}]), "cannot be said of these columns"),
    ],
)
def test_a_column_that_says_something_wrong(tmp_path: Path, said: dict[str, Any], words: str) -> None:
    assert words in refused(tmp_path, contract(said))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "no apiVersion"),
        ("- 1", "no apiVersion"),
        ("a: [", "not valid YAML"),
        (contract(column("a"), top={"apiVersion": "v2.2.2"}), "not of the Open Data Contract Standard v3"),
        (contract(column("a"), top={"nome": "x"}), 'unknown word "nome"; did you mean "name"?'),
        (contract(column("a"), column("a")), 'two columns are called "a"'),
        (contract(column("a"), top={"schema": []}), "describes no table"),
        (contract(column("a"), top={"schema": [{"name": "x"}, {"name": "y"}]}), 'no object "holdout"'),
        (
            contract(column("a"), customProperties=[{"property": "authoritativeTimestamp", "value": "b"}]),
            '"b" is not known',
        ),
        (
            contract(column("a"), customProperties=[{"property": "timestampKind", "value": "evnt"}]),
            'did you mean "event"?',
        ),
        (
            contract(column("a"), top={"slaProperties": [{"property": "latency", "value": 1, "element": "c"}]}),
            'no column "c"',
        ),
        (
            contract(column("t"), top={"slaProperties": [{"property": "latency", "value": "soon", "element": "t"}]}),
            "soon is no time",
        ),
        (
            contract(column("t"), top={"slaProperties": [{"property": "latency", "value": 1, "element": "fligths.t"}]}),
            '"fligths", which is no table of the contract; did you mean "flights"?',
        ),
        (
            contract(column("a", "string"), customProperties=[{"property": "authoritativeTimestamp", "value": "a"}]),
            '"a" is of the logicalType string',
        ),
    ],
)
def test_a_contract_that_says_something_wrong(tmp_path: Path, said: Any, words: str) -> None:
    assert words in refused(tmp_path, said)


DECLARED = {name: Declared(name, name, None) for name in ("a", "b", "Select", "x;y")}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "a > 1; DROP TABLE flights",
        "DROP TABLE flights",
        "SELECT * FROM flights",
        "SELECT a FROM flights",
        "SELECT COUNT(*), COUNT(a) FROM flights",
        "SELECT COUNT(*) FROM flights, other",
        "SELECT COUNT(*) FROM flights JOIN other ON true",
        "SELECT COUNT(*) FROM other",
        "SELECT COUNT(*) FROM main.flights",
        "SELECT COUNT(*) FROM read_csv('/etc/passwd')",
        "SELECT COUNT(*) FROM flights UNION SELECT 1",
        "SELECT COUNT(*) FROM flights GROUP BY a",
        "SELECT COUNT(*) FROM flights LIMIT 1",
        "SELECT COUNT(*) FROM flights WHERE a IN (SELECT b FROM flights)",
        "WITH flights AS (SELECT 1) SELECT COUNT(*) FROM flights",
        "SELECT (SELECT 1)",
        "SELECT SUM(COUNT(*)) FROM flights",
        "SELECT COUNT(*) OVER () FROM flights",
        "SELECT COUNT(*) + a FROM flights",
        "COUNT(*) > 1",
        "EXISTS (SELECT 1)",
        "a = (SELECT 1)",
        "a > random()",
        "a = getenv('HOME')",
        "a = current_setting('x')",
        "read_text('/etc/passwd') = b",
        "a > now()",
        "flights.a > 1",
        "COPY flights TO 'x'",
        "ATTACH 'x'",
        "PRAGMA database_list",
        "SET a = 1",
        "INSTALL httpfs",
        "a IN ()",
        "(" * 900 + "a > 1" + ")" * 900,
        "a > 1 AND " * 300 + "a > 1",
    ],
)
def test_sql_that_is_more_than_a_condition_or_one_aggregate(query: str) -> None:
    with pytest.raises(Unsaid):
        parse(query, DECLARED, ("flights",), None)


def test_quotes_in_names_stay_names(tmp_path: Path) -> None:
    name = 'x" OR 1=1 --'
    said = contract(column(name, "integer", quality=[SQL | {"query": "{property} > 1"}]))
    assert broken(found(tmp_path, pd.DataFrame({name: [1, 2]}), said)) == {f"{name}.sql": 1}
    assert parse('"x;y" > 1 and "Select" = 2', DECLARED, ("flights",), None).columns == ("x;y", "Select")


def test_an_overflow_in_one_rule_leaves_the_others(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [2**62, 2**62], "b": [1, 1]})
    quality = [SQL | {"name": "too large", "query": "a * a * a > 0"}, SQL | {"name": "small", "query": "b > 1"}]
    said = contract(column("a", "integer"), column("b", "integer"), quality=quality)
    assert broken(found(tmp_path, frame, said)) == {"too large": "gate_failed", "small": 2}


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_no_and_of_one_row(tmp_path: Path, rows: int) -> None:
    quality = [
        {"metric": "rowCount", "mustBeGreaterThan": 0},
        SQL | {"name": "most", "query": "SELECT MAX(a) FROM flights"},
    ]
    said = contract(column("a", "integer", required=True, unique=True, primaryKey=True), column("b"), quality=quality)
    seen = found(tmp_path, FRAME.head(rows), said)
    expected = {"rowCount": 1, "most": "empty_table"} if rows == 0 else {"most": 1}
    assert broken(seen) == expected
    assert set(figures(seen, "data.contract_incomplete").values()) == {1}


def test_terms_that_say_nothing_are_missing(tmp_path: Path) -> None:
    blank = contract(
        column("a", "integer", primaryKey=True, description="."),
        column("t"),
        customProperties=[
            {"property": "authoritativeTimestamp", "value": "t"},
            {"property": "timestampKind", "value": "event"},
        ],
        top={
            "team": {"name": " ", "members": [{"username": "-", "role": "owner"}]},
            "slaProperties": [{"property": "timeOfAvailability", "value": "soon"}],
        },
    )
    seen = found(tmp_path, FRAME, blank)
    assert set(figures(seen, "data.contract_incomplete").values()) == {1}


def test_the_same_table_however_it_is_held(tmp_path: Path) -> None:
    """Re-ordered, as CSV, dictionary-encoded, whole numbers as doubles, days as times: nothing is found in any of them."""
    import pyarrow as pa

    frame = pd.DataFrame(
        {
            "id": range(50),
            "n": pd.array([None, *range(49)], dtype="Int64"),
            "day": pd.to_datetime(["2024-01-01"] * 49 + [None]),
            "c": ["A", "B"] * 25,
            "x": [0.1 * i for i in range(50)],
        }
    )
    said = contract(
        column("id", "integer", primaryKey=True, physicalType="INT"),
        column("n", "integer", options={"maximum": 48}, physicalType="SMALLINT"),
        column("day", "date", options={"minimum": "2024-01-01", "maximum": "2024-01-01"}),
        column("c", "string", enum=[{"value": "A"}, {"value": "B"}], physicalType="VARCHAR(1)"),
        column("x", "number", options={"multipleOf": 0.1}),
        quality=[SQL | {"query": "id >= 0 AND day <= '2024-01-01' OR day IS NULL"}],
    )
    day = frame["day"].dt.date
    forms = [
        frame,
        frame.sample(frac=1, random_state=0),
        frame.assign(n=frame["n"].astype("float64")),
        frame.assign(c=frame["c"].astype("category")),
        pa.Table.from_pandas(frame.assign(day=day)),
        frame.assign(day=day).to_csv(index=False),
        frame.assign(id=frame["id"].astype("int8"), x=frame["x"]),
    ]
    for place, form in enumerate(forms):
        folder = tmp_path / str(place)
        folder.mkdir()
        assert broken(found(folder, form, said)) == {}, place


def test_a_contract_of_several_objects_is_asked_for_by_name(tmp_path: Path) -> None:
    from gates.inputs.contracts import read_contract

    said = contract(column("a"), top={"schema": [{"name": "x"}, {"name": "holdout"}]})
    with Tables() as tables:
        found(tmp_path, FRAME, said, tables=tables)
    assert read_contract("new.odcs.yaml#x", tmp_path, "holdout").object.name == "x"
    assert read_contract("new.odcs.yaml", tmp_path, "holdout").object.name == "holdout"
    with pytest.raises(UsageError, match='no object "z"'):
        read_contract("new.odcs.yaml#z", tmp_path, "holdout")
