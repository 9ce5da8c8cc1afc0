"""Definitions of features: the page's example, each change, and what is no definition."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gates.errors import UsageError
from gates.inputs.definitions import read_definitions
from gates.measure.interface import Findings, Given
from gates.measure.parity.definitions import definitions
from gates.records import Columns, Measurement, Plan, Reason, Requirement, Table

PAGE = Path(__file__).parents[2] / "docs" / "feature-definitions.md"
DIGEST = "sha256:" + "0" * 64
CHANGED, DIFFERS = "parity.definition_changed", "parity.definition_differs"


def plan(*, asked: tuple[str, ...] = (), features: tuple[str, ...] = ("x", "w"), **documents: str) -> Plan:
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("production",),
        requirements=tuple(Requirement(environment="production", check=check, role="prove") for check in asked),
        tables=(Table(role="holdout", uri="h"), Table(role="training", uri="t", **documents)),  # type: ignore[arg-type]
        columns=Columns(features=features),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def look(plan: Plan, folder: Path) -> Findings:
    read = read_definitions(plan, folder)
    found = definitions(Given(plan=plan, tables={}, scored=Reason.NOT_PROVIDED, champion=None, definitions=read))
    for figure in found.measurements:
        assert (figure.subject, figure.scope) == ("data", "census")
        Measurement.parse(figure.document())
    return found


def estimates(found: Findings) -> dict[tuple[str, str], float | None]:
    return {(figure.check, figure.item.name): figure.estimate for figure in found.measurements if figure.item}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's document, as that of training."""
    page = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "features.yaml").write_text(page[1], encoding="utf-8")
    (tmp_path / "x.sql").write_bytes(b"select 1")
    return tmp_path


def written(folder: Path, file: str, /, **change: Any) -> str:
    (note,) = look(plan(definitions="features.yaml"), folder).notes
    features = json.loads(note.content)["features"]
    features[1] |= change
    (folder / file).write_text(json.dumps({"features": features}), encoding="utf-8")
    return file


def test_the_attachment_is_the_next_champions_document(folder: Path) -> None:
    found = look(plan(definitions="features.yaml"), folder)
    assert found.measurements == ()
    (note,) = found.notes
    w, x = json.loads(note.content)["features"]
    assert w["digest"] == "sha256:" + "a" * 64
    assert x == {
        "name": "x",
        "version": "3",
        "digest": "sha256:" + hashlib.sha256(b"select 1").hexdigest(),
        "window": "30d",
        "default": 0,
        "keys": ["id"],
    }
    same = written(folder, "champion.json")
    found = look(plan(definitions="features.yaml", champion_definitions=same, serving_definitions=same), folder)
    assert estimates(found) == dict.fromkeys([(check, name) for check in (CHANGED, DIFFERS) for name in "xw"], 0.0)
    (folder / "x.sql").write_bytes(b"select 2")
    found = look(plan(definitions="features.yaml", champion_definitions=same), folder)
    assert estimates(found) == {(CHANGED, "x"): 1.0, (CHANGED, "w"): 0.0}


@pytest.mark.parametrize(
    ("change", "changed", "differs"),
    [
        ({"digest": DIGEST}, 1.0, 1.0),
        ({"window": "31d"}, 1.0, 1.0),
        ({"window": None}, 1.0, 1.0),
        ({"default": 0.0}, 1.0, 1.0),
        ({"default": False}, 1.0, 1.0),
        ({"default": None}, 1.0, 1.0),
        ({"keys": ["email"]}, 1.0, 1.0),
        ({"version": "2"}, 0.0, 1.0),
        ({"version": "2", "digest": DIGEST}, 0.0, 1.0),
        ({"name": "../x"}, 0.0, 1.0),
        ({"description": "words"}, 0.0, 0.0),
    ],
)
def test_each_change(folder: Path, change: dict[str, Any], changed: float, differs: float) -> None:
    other = written(folder, "other.json", **change)
    asked = plan(definitions="features.yaml", champion_definitions=other, serving_definitions=other)
    found = estimates(look(asked, folder))
    assert (found[CHANGED, "x"], found[DIFFERS, "x"]) == (changed, differs)
    assert (found[CHANGED, "w"], found[DIFFERS, "w"]) == (0.0, 0.0)


def test_absent_is_not_good(folder: Path) -> None:
    same = written(folder, "same.json")
    asked = plan(definitions="features.yaml", serving_definitions=same, features=("x", "new"))
    figures = {figure.item.name: figure for figure in look(asked, folder).measurements if figure.item}
    assert (figures["x"].estimate, figures["new"].reason) == (0.0, Reason.NOT_PROVIDED)
    [figure] = look(plan(definitions="features.yaml", serving_definitions=same, features=()), folder).measurements
    assert figure.reason == Reason.NOT_PROVIDED
    found = look(plan(asked=(CHANGED, "parity.mismatch")), folder)
    assert {(figure.check, figure.reason) for figure in found.measurements} == {(CHANGED, Reason.NOT_PROVIDED)}
    assert look(plan(), folder) == Findings(())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "features: 3",
        "features: [{name: x, version: 1, code: x.sql}]",
        "features: [{name: x, version: '1'}]",
        f"features: [{{name: x, version: '1', code: x.sql, digest: '{DIGEST}'}}]",
        "features: [{name: x, version: '1', digest: nonsense}]",
        "features: [{name: x, version: '1', code: x.sql, default: .nan}]",
        "features: [{name: x, version: '1', code: x.sql}, {name: x, version: '2', code: x.sql}]",
        "features: [{name: x, version: '1', code: absent.sql}]",
        "features: [{name: x, version: '1', code: x.sql, windw: 30d}]",
        "feature: []",
        "features: [",
    ],
)
def test_what_is_no_definition_is_one_line(folder: Path, text: str) -> None:
    (folder / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        look(plan(definitions="bad.yaml"), folder)
    assert "\n" not in str(raised.value)


def test_a_misspelt_word_is_told(folder: Path) -> None:
    text = (folder / "features.yaml").read_text(encoding="utf-8")
    (folder / "bad.yaml").write_text(text.replace("window", "windw"), encoding="utf-8")
    with pytest.raises(UsageError, match='did you mean "window"'):
        look(plan(definitions="bad.yaml"), folder)


def test_tables_that_contradict_each_other(folder: Path) -> None:
    same, other = written(folder, "same.json"), written(folder, "other.json", window="7d")
    asked = plan(definitions="features.yaml", serving_definitions=same)
    for path in (same, other):
        online = Table(role="online", uri="o", serving_definitions=path)
        both = asked.model_copy(update={"tables": (*asked.tables, online)})
        if path == same:
            assert estimates(look(both, folder))[DIFFERS, "x"] == 0.0
        else:
            with pytest.raises(UsageError, match=r"other\.json.*otherwise than same\.json"):
                look(both, folder)


def test_no_such_file_is_one_line(folder: Path) -> None:
    with pytest.raises(UsageError) as raised:
        look(plan(definitions="absent.yaml"), folder)
    assert raised.value.code == "definitions.missing"
