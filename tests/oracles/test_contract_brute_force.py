"""Contracts against rows counted one by one in Python, on random tables with every kind of gap and random limits."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from contract_world import AS_OF, column, contract, figures, found

from gates.inputs.tables import Tables

TEXTS = ["UA", "AA", "ua", "", "A\n", "ÜA", "B6B", None]
PATTERN = "^[A-Z]{2}$"


def rows(seed: int, n: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    number = rng.normal(0, 2, n).round(2)
    number[rng.random(n) < 0.05] = np.nan
    number[rng.random(n) < 0.03] = np.inf
    number[rng.random(n) < 0.01] = -1e308
    return pa.table(
        {
            "id": pa.array([None if rng.random() < 0.03 else int(v) for v in rng.integers(0, n, n)], pa.int64()),
            "number": pa.array([None if rng.random() < 0.05 else v for v in number], pa.float64()),
            "text": pa.array([TEXTS[i] for i in rng.integers(0, len(TEXTS), n)], pa.string()),
            "at": pa.array(rng.integers(AS_OF - 10**11, AS_OF, n), pa.timestamp("us", "UTC")),
            "half": pa.array([None if rng.random() < 0.1 else v / 2 for v in rng.integers(0, 9, n)], pa.float64()),
            "slice": pa.array([f"s{v}" for v in rng.integers(0, 4, n)], pa.string()),
        }
    )


def nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def gone(value: Any) -> bool:
    return value is None or nan(value)


def beyond(values: list[Any], kept: Callable[[Any], bool]) -> int:
    """Values that break a rule; nulls break none, NaN keeps none."""
    return sum(1 for value in values if value is not None and (nan(value) or not kept(value)))


def repeated(values: list[Any]) -> int:
    counts = Counter("nan" if nan(value) else value for value in values)
    return sum(times - 1 for times in counts.values())


def truth(table: pa.Table, limits: dict[str, Any]) -> dict[str, float]:
    of = {name: table.column(name).to_pylist() for name in table.column_names}
    n, every = table.num_rows, range(table.num_rows)
    since = datetime.fromisoformat(limits["since"]).astimezone(UTC)
    by_slice = Counter(of["slice"])
    nulls = Counter(s for s, value in zip(of["slice"], of["half"], strict=True) if gone(value))

    def met(i: int) -> bool:
        a, b = of["number"][i], of["half"][i]
        return not gone(a) and not gone(b) and bool(a > b - limits["gap"])

    share = limits["percent"]
    return {
        "id.required": sum(map(gone, of["id"])),
        "id.unique": repeated([v for v in of["id"] if v is not None]),
        "number.minimum": beyond(of["number"], lambda v: v >= limits["low"]),
        "number.exclusiveMaximum": beyond(of["number"], lambda v: v < limits["high"]),
        "text.pattern": beyond(of["text"], lambda v: re.fullmatch(PATTERN[1:-1], v) is not None),
        "text.maxLength": beyond(of["text"], lambda v: len(v) <= 2),
        "text.enum": beyond(of["text"], lambda v: v in ("UA", "ua", "")),
        "at.minimum": beyond(of["at"], lambda v: v >= since),
        "half.type": beyond(of["half"], lambda v: v == int(v)),
        "half.nullValues": sum(
            max(0, math.ceil(nulls[s] - share * by_slice[s] / 100 - 1e-9)) for s in by_slice
        ),
        "text.missingValues": sum(1 for v in of["text"] if v is None or v == ""),
        "duplicates": repeated(list(zip(of["id"], of["text"], strict=True))),
        "row condition": sum(1 for i in every if not met(i)),
        "counted": sum(1 for i in every if of["half"][i] is not None and of["half"][i] > 2 and of["text"][i] in ("UA", "AA")),
        "latest": max(0.0, (AS_OF - max(int(v.timestamp() * 1e6 + 0.5) for v in of["at"])) / 1e6 - limits["lag"]),
        "rowCount": abs(n - limits["rows"]),
    }  # fmt: skip


def said(limits: dict[str, Any]) -> dict[str, Any]:
    nulls = {"metric": "nullValues", "mustBeLessOrEqualTo": limits["percent"], "unit": "percent"}
    missing = {"metric": "missingValues", "arguments": {"missingValues": [None, ""]}, "mustBe": 0}
    enum = [{"value": value} for value in ("UA", "ua", "")]
    sql = {"type": "sql", "mustBe": 0}
    return contract(
        column("id", "integer", required=True, unique=True),
        column("number", "number", options={"minimum": limits["low"], "exclusiveMaximum": limits["high"]}),
        column("text", "string", options={"pattern": PATTERN, "maxLength": 2}, enum=enum, quality=[missing]),
        column("at", "timestamp", options={"minimum": limits["since"]}),
        column("half", "integer", quality=[{**nulls, "arguments": {"slices": ["slice"]}}]),
        column("slice"),
        quality=[
            {
                "name": "duplicates",
                "metric": "duplicateValues",
                "mustBe": 0,
                "arguments": {"properties": ["id", "text"]},
            },
            {**sql, "name": "row condition", "query": f"number > half - {limits['gap']}"},
            {
                **sql,
                "name": "counted",
                "query": "SELECT COUNT(*) FROM {object} WHERE half > 2 AND text IN ('UA', 'AA')",
            },
            {"metric": "rowCount", "mustBe": limits["rows"]},
        ],
        top={"slaProperties": [{"property": "latency", "value": limits["lag"], "unit": "s", "element": "at"}]},
    )


@pytest.fixture(scope="module")
def engine() -> Any:
    with Tables() as tables:
        yield tables


@pytest.mark.parametrize("seed", range(6))
def test_every_rule_is_what_python_counts_row_by_row(tmp_path: Path, engine: Tables, seed: int) -> None:
    rng = np.random.default_rng(seed)
    limits = {
        "low": round(float(rng.normal(-2, 1)), 2),
        "high": round(float(rng.normal(2, 1)), 2),
        "since": datetime.fromtimestamp(AS_OF / 1e6 - float(rng.uniform(0, 1e5)), UTC).isoformat(),
        "gap": round(float(rng.uniform(0, 3)), 1),
        "percent": int(rng.integers(0, 15)),
        "lag": int(rng.integers(0, 1000)),
        "rows": int(rng.integers(200, 500)),
    }
    table = rows(seed + 100, 300)
    seen = figures(found(tmp_path, table, said(limits), tables=engine, slices=("slice",)))
    expected = truth(table, limits)
    names = {name: {"latest": "latency at"}.get(name, name) for name in expected}
    assert {name: seen[names[name]] for name in expected} == pytest.approx(expected, abs=1e-6)
    rest = set(seen) - set(names.values())
    assert {seen[name] for name in rest} == {0}, "the other columns are there and of their type"


def test_pandera_finds_the_same_rows(tmp_path: Path, engine: Tables) -> None:
    import pandera.pandas as pandera

    frame = rows(7, 500).to_pandas()
    schema = pandera.DataFrameSchema(
        {
            "id": pandera.Column(nullable=False, unique=True, report_duplicates="exclude_first"),
            "number": pandera.Column(float, [pandera.Check.ge(-1), pandera.Check.lt(2)], nullable=True),
            "text": pandera.Column(
                str, [pandera.Check.isin(["UA", "AA"]), pandera.Check.str_length(0, 2)], nullable=True
            ),
        }
    )
    with pytest.raises(pandera.errors.SchemaErrors) as raised:
        schema.validate(frame, lazy=True)
    counted = raised.value.failure_cases.groupby(["column", "check"]).size()
    options = {"minimum": -1, "exclusiveMaximum": 2}
    document = contract(
        column("id", required=True, unique=True),
        column("number", "number", options=options),
        column("text", "string", enum=[{"value": "UA"}, {"value": "AA"}], options={"maxLength": 2}),
    )
    seen = figures(found(tmp_path, pa.Table.from_pandas(frame), document, tables=engine))
    names = {
        ("number", "greater_than_or_equal_to(-1)"): "number.minimum",
        ("number", "less_than(2)"): "number.exclusiveMaximum",
        ("text", "isin(['UA', 'AA'])"): "text.enum",
        ("text", "str_length(0, 2)"): "text.maxLength",
        ("id", "not_nullable"): "id.required",
    }
    assert {rule: seen[rule] for rule in names.values()} == {rule: counted[key] for key, rule in names.items()}
