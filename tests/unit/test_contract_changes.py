"""Changes of a contract against the champion's: which break somebody, and whom."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from contract_world import broken, column, contract, figures, found

from gates.inputs.contracts import parse_contract
from gates.inputs.opened import Contract
from gates.measure.data.contract.changes import changes

READERS = [{"property": "consumers", "value": ["billing", "ops"]}]
BEFORE = contract(
    column("id", "integer", primaryKey=True, required=True, id="id_field", physicalType="INT"),
    column("x", "number", options={"minimum": 0, "maximum": 10}, id="x_field"),
    column("c", "string", enum=[{"value": "A"}, {"value": "B"}], customProperties=READERS[:1]),
    column("t", "timestamp", unique=True),
    column(
        "s",
        "object",
        classification="restricted",
        tags=["PII"],
        properties=[
            column("mails", "array", items={"logicalType": "string", "tags": ["PII"]}),
            column("zip", "string"),
        ],
    ),
    quality=[{"metric": "rowCount", "mustBeGreaterThan": 10}],
    customProperties=[{"property": "authoritativeTimestamp", "value": "t"}, *READERS],
    top={"slaProperties": [{"property": "latency", "value": 4, "unit": "h", "element": "flights.t"}]},
)


def parsed(document: dict[str, Any]) -> Contract:
    return parse_contract(json.dumps(document).encode(), "c.yaml", None, "holdout")


def after(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(BEFORE)
    columns = {each["name"]: each for each in document["schema"][0]["properties"]}
    change(document["schema"][0], columns)
    return document


CASES: list[tuple[Callable[[dict[str, Any], dict[str, Any]], object], dict[str, bool]]] = [
    (lambda t, c: t["properties"].remove(c["x"]), {"x removed": True}),
    (lambda t, c: c["x"].update(name="y"), {"x renamed to y": True}),
    (lambda t, c: c["x"].update(logicalType="integer"), {"x type number became integer": True}),
    (lambda t, c: c["id"].update(logicalType="number"), {"id type integer became number": False}),
    (lambda t, c: c["id"].update(physicalType="SMALLINT"), {"id physicalType INT became SMALLINT": True}),
    (lambda t, c: c["id"].update(physicalType="BIGINT"), {"id physicalType INT became BIGINT": False}),
    (lambda t, c: c["x"].update(required=True), {"x is required": True}),
    (lambda t, c: c["t"].update(unique=False), {"t no longer unique": True}),
    (lambda t, c: t["properties"].append(column("n", "string")), {"n added": False}),
    (lambda t, c: t["properties"].append(column("n", required=True)), {"n added and required": True}),
    (lambda t, c: c["x"]["logicalTypeOptions"].update(maximum=9), {"x maximum 10 became 9": True}),
    (lambda t, c: c["x"]["logicalTypeOptions"].update(maximum=11), {"x maximum 10 became 11": False}),
    (lambda t, c: c["x"]["logicalTypeOptions"].pop("minimum"), {"x minimum 0 dropped": False}),
    (lambda t, c: c["c"]["enum"].pop(), {"c 1 value no longer allowed": True}),
    (lambda t, c: c["c"]["enum"].append({"value": "C"}), {"c 1 value allowed besides": False}),
    (lambda t, c: c["c"].update(description="new words"), {}),
    (lambda t, c: t["properties"].reverse(), {}),
    (lambda t, c: t["quality"][0].update(mustBeGreaterThan=11), {
        "rowCount mustBeGreaterThan 10 became mustBeGreaterThan 11": True}),
    (lambda t, c: t["quality"][0].update(mustBeGreaterThan=9), {
        "rowCount mustBeGreaterThan 10 became mustBeGreaterThan 9": False}),
    (lambda t, c: t["quality"].append({"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["x"]}}), {
        'duplicateValues {"properties": ["x"]} added': True}),
    (lambda t, c: c["s"].update(classification="public"), {"s class restricted became public": True}),
    (lambda t, c: c["s"].pop("classification"), {"s class restricted became none": True}),
    (lambda t, c: c["s"].update(tags=[]), {"s is no longer tagged as about people": True}),
    (lambda t, c: c["x"].update(classification="sensitive", tags=["phi"]), {
        "x class none became sensitive": False, "x is tagged as about people": False}),
    (lambda t, c: c["s"]["properties"].pop(), {"s.zip removed": True}),
    (lambda t, c: c["s"]["properties"][1].update(logicalType="integer"), {"s.zip type string became integer": True}),
    (lambda t, c: c["s"]["properties"][0]["items"].update(tags=["other"]), {
        "s.mails[] is no longer tagged as about people": True}),
    (lambda t, c: t["customProperties"][0].update(value="id"), {"authoritativeTimestamp t became id": True}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_a_change_is_breaking_or_additive(
    change: Callable[[dict[str, Any], dict[str, Any]], object], expected: dict[str, bool]
) -> None:
    seen = changes(parsed(BEFORE), parsed(after(change)))
    assert {str(each): each.breaking for each in seen} == expected
    assert all(each.consumers == (("billing", "ops") if each.breaking else ()) for each in seen)


def test_another_owner_is_said_and_breaks_nothing() -> None:
    old, new = (parsed({**BEFORE, "team": {"name": name}}) for name in ("Loans", "Cards"))
    assert [(str(each), each.breaking) for each in changes(old, new)] == [("owner Loans became Cards", False)]
    assert [str(each) for each in changes(old, parsed(BEFORE))] == ["owner Loans became nobody"]


def test_breaking_changes_are_figures_and_name_their_consumers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1], "x": [1.0], "c": ["A"], "t": pd.to_datetime(["2024-01-01"])})
    new = after(lambda t, c: (t["properties"].remove(c["x"]), c["c"]["enum"].pop()))
    seen = found(tmp_path, frame, new, before=BEFORE)
    assert broken(seen, "data.contract_breaking") == {"x removed": 1, "c 1 value no longer allowed": 1}
    document = json.loads(seen.notes[0].content)["tables"][0]
    assert document["changes"][0] == {"change": "x removed", "breaking": True, "consumers": ["billing", "ops"]}
    assert figures(found(tmp_path, frame, BEFORE, before=BEFORE), "data.contract_breaking") == {"holdout": 0}
