"""Findings of another tool in place of presidio's: the page's form, what is stale, and what is no such file."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from data_world import answer, given, table

from gates.errors import UsageError
from gates.inputs.personal_data import read_personal_data
from gates.measure.data import personal
from gates.measure.interface import Given
from gates.records import Reason, Table

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
MAIL = "ann@mail.org"
DIGEST = "sha256:" + "0" * 64


def report(folder: Path, **change: Any) -> str:
    (document,) = re.findall(r"^```json\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    content = json.loads(document.replace("DIGEST", "0" * 64)) | change
    (folder / "findings.json").write_text(json.dumps(content), encoding="utf-8")
    return "findings.json"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio is not installed."""
    monkeypatch.setitem(sys.modules, "presidio_analyzer.predefined_recognizers", None)


def looked_at(folder: Path, height: int = 1000, **change: Any) -> Given:
    named = Table(role="holdout", uri="h", personal_data=report(folder, **change))
    opened = table("holdout", mail=[MAIL] * height, city=["x"] * height, late=[True] * height)
    return replace(given(opened, columns={"key": ("city",)}), personal_data=read_personal_data([named], folder))


@pytest.mark.usefixtures("alone")
def test_the_page_in_place_of_presidio(tmp_path: Path) -> None:
    figures, notes = personal.untagged_personal_data(looked_at(tmp_path))
    assert {one.item.name: (answer(one), one.n, one.scope) for one in figures if one.item} == {
        "holdout.mail": (12 / 990, 990, "census"),
        "holdout.city": (0.0, 1000, "census"),
    }
    said = {param.name: param.value for param in figures[0].params}
    assert said["recognisers"] == "macie"
    assert str(said["report"]).startswith("sha256:")
    (line,) = json.loads(notes[0].content)["personal_data"]
    assert (line["column"], line["found"]) == ("mail", {"EMAIL_ADDRESS": 12})
    assert MAIL not in notes[0].content.decode()


@pytest.mark.parametrize("columns", [[], [{"column": "mail", "values": 1000}], [{"column": "mail", "values": 1}]])
def test_a_report_takes_no_finding_of_presidio_away(tmp_path: Path, columns: list[Any]) -> None:
    figures, notes = personal.untagged_personal_data(looked_at(tmp_path, columns=columns))
    seen = {one.item.name: (answer(one), one.params[0].value) for one in figures if one.item}
    assert seen == {"holdout.mail": (1.0, "presidio"), "holdout.city": (0.0, "presidio")}
    assert json.loads(notes[0].content)["personal_data"][0]["found"] == {"EMAIL_ADDRESS": 1000}


def test_a_report_that_found_more_than_presidio_counts(tmp_path: Path) -> None:
    columns = [{"column": "city", "values": 1000, "found": {"PERSON": 30}}]
    figures, _ = personal.untagged_personal_data(looked_at(tmp_path, columns=columns))
    seen = {one.item.name: (answer(one), one.params[0].value) for one in figures if one.item}
    assert seen == {"holdout.mail": (1.0, "presidio"), "holdout.city": (0.03, "macie")}


@pytest.mark.usefixtures("alone")
def test_a_part_of_the_rows_is_a_sample(tmp_path: Path) -> None:
    figures, _ = personal.untagged_personal_data(looked_at(tmp_path, 5000))
    assert {one.scope for one in figures} == {"sample"}
    (mail,) = [one for one in figures if one.item and one.item.name == "holdout.mail"]
    assert mail.bounds is not None
    assert float(mail.bounds[0].lower) < 12 / 990 < float(mail.bounds[0].upper)


@pytest.mark.usefixtures("alone")
def test_a_column_that_nobody_looked_into_is_not_clean(tmp_path: Path) -> None:
    columns = [{"column": "mail", "values": 1000}]
    figures, _ = personal.untagged_personal_data(looked_at(tmp_path, columns=columns))
    assert {one.item.name: answer(one) for one in figures if one.item} == {
        "holdout.mail": 0.0,
        "holdout.city": Reason.NOT_PROVIDED,
    }


@pytest.mark.parametrize(
    "change", [{"digest": "sha256:" + "1" * 64}, {"rows": 1001}, {"columns": [{"column": "gone", "values": 1}]}]
)
def test_findings_of_another_table_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as raised:
        personal.untagged_personal_data(looked_at(tmp_path, **change))
    assert raised.value.code == "personal_data.stale"


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "latest"},
        {"rows": -1},
        {"examples": [MAIL]},
        {"columns": [{"column": "mail", "values": 5, "found": {"EMAIL": 6}}]},
        {"columns": [{"column": "mail", "values": 5, "found": {MAIL: 1}}]},
        {"columns": [{"column": "mail", "values": 1001}]},
        {"columns": [{"column": "mail", "values": 5}] * 2},
    ],
)
def test_what_is_no_such_file(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as raised:
        looked_at(tmp_path, **change)
    assert raised.value.code == "personal_data.invalid"
    with pytest.raises(UsageError, match="cannot be read"):
        read_personal_data([Table(role="holdout", uri="h", personal_data="../gone.json")], tmp_path)
