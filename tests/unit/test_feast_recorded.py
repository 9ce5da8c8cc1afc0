"""What a Feast store said, as it was recorded (tests/integration/test_feast.py asks a real one), through plan and parity."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.bundle.canonical import digest_document
from gates.errors import UsageError
from gates.inputs import feast
from gates.inputs.definitions import with_sources
from gates.inputs.feast_child import worst
from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables, arrow
from gates.measure.interface import Findings, Given
from gates.measure.parity import ParityGate
from gates.plan.build import documents_of
from gates.plan.spec import load_spec
from gates.records import Columns, Plan, Reason, Table
from gates.records.plan import Parity, Served

RECORDED = Path(__file__).with_name("feast_recorded.json")
DIGEST = "sha256:" + "0" * 64
NOW = 1_791_590_400_000_000
REPLAY = """
import json, os, pyarrow as pa, pyarrow.parquet as pq, sys
asked = json.load(open(sys.argv[1]))
json.dump({name: value for name, value in os.environ.items()}, open(asked["repo"] + "/environ.json", "w"))
json.dump(asked, open(asked["repo"] + "/asked.json", "w"))
said = json.load(open(%r))[asked["side"]]
kinds = {"double": pa.float64(), "int64": pa.int64(), "timestamp[us, tz=UTC]": pa.timestamp("us", "UTC")}
columns = {name: pa.array(said["columns"][name], kinds.get(kind, pa.string())) for name, kind in said["types"].items()}
pq.write_table(pa.table(columns), asked["out"])
json.dump(said["answer"], open(asked["answer"], "w"))
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store whose Python says what was recorded."""
    (tmp_path / "feature_store.yaml").write_text("project: acme\n")
    pq.write_table(pa.table({"id": [0, 12, 22, 33, 50, 150]}), tmp_path / "rows.parquet")
    (tmp_path / "replay.py").write_text(REPLAY % str(RECORDED))
    script(tmp_path, f'exec {sys.executable} {tmp_path}/replay.py "$3"')
    monkeypatch.setenv(feast.PYTHON, str(tmp_path / "python"))
    return tmp_path


def script(folder: Path, line: str) -> None:
    (folder / "python").write_text(f"#!/bin/sh\n{line}\n")
    (folder / "python").chmod(0o755)


def table(role: str, as_of_us: int | None = NOW, **words: Any) -> Table:
    asked = {"repo": ".", "service": "v1", **words}
    return Table.model_validate({"role": role, "uri": "rows.parquet", "as_of_us": as_of_us, "feast": asked})


def measured(opened: dict[str, OpenTable], parity: Parity | None = None) -> Findings:
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        tables=(table("offline"), table("online")),
        columns=Columns(key=("id",), features=("x", "c")),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
        parity=parity,
    )
    known = with_sources({}, opened)
    return ParityGate().measure(
        Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None, definitions=known)
    )


def test_the_stores_four_answers_are_kept_apart(repo: Path) -> None:
    with Tables(threads=1) as tables:
        opened = tables.open_all((table("offline"), table("online")), base=repo)
        found = measured(opened)
        # the store's own times are what an age is counted from: 150's event is a day old, 22's nine
        lag = Parity(features=(Served(feature="x", max_age_s=3600.0),))
        older = measured(opened, lag)
    note = next(json.loads(note.content) for note in found.notes if note.name == "parity.json")
    online = {feature["name"]: feature["online"] for feature in note["features"]}
    assert online["x"] == {"present": 3, "null": 1, "too_old": 1, "not_found": 1}
    assert online["c"] == {"present": 4, "null": 0, "too_old": 1, "not_found": 1}
    figures = {(f.check, f.item.name): f for f in found.measurements if f.item}
    assert figures["parity.mismatch", "x"].estimate == 0.5  # not found, null, 100 times
    for check in ("parity.not_found", "parity.null", "parity.too_old"):
        assert (figures[check, "x"].estimate, figures[check, "x"].n) == (1 / 6, 6)
    old = next(f for f in older.measurements if f.check == "parity.too_old" and f.item and f.item.name == "x")
    assert old.estimate == 4 / 6
    assert {p.name: p.value for p in old.params} == {"lag_s": 3600.0, "told": "by the store"}


def test_identity_is_the_digest_of_what_was_asked_and_said(repo: Path) -> None:
    with Tables(threads=1) as tables:
        opened = tables.open(table("online"), base=repo)
        assert opened.source is not None
        assert opened.identity.digest == digest_document(dict(opened.source.document))
        assert (opened.identity.snapshot, opened.identity.rows) == ("feast:0.67.0", 6)
        document = opened.source.document
        assert document["views"][0]["view"] == "amounts"
        assert document["registry"].startswith("sha256:")
        assert document["statuses"]["x"] == {"not_found": 1, "present": 5}
        assert tables.open(table("online"), base=repo).identity == opened.identity
        pq.write_table(pa.table({"id": [0, 12, 22, 33, 50, 151]}), repo / "rows.parquet")
        assert tables.open(table("online"), base=repo).identity.digest != opened.identity.digest
        assert set(arrow(opened.table).column_names) >= {"id", "x", "x__ts", "x__status"}


def test_definitions_of_the_views_stand_in_for_files(repo: Path) -> None:
    with Tables(threads=1) as tables:
        opened = tables.open_all((table("offline"), table("online")), base=repo)
    found = with_sources({}, opened)
    assert {word: sorted(known) for word, known in found.items()} == {
        "definitions": ["c", "n", "x"],
        "serving_definitions": ["c", "n", "x"],
    }
    assert (found["definitions"]["x"].version, found["definitions"]["x"].window) == ("3", "ttl 172800s")
    assert with_sources({"definitions": {}}, opened)["definitions"] == {}
    assert documents_of((table("offline"), table("online"))) == ["definitions", "serving_definitions"]


def test_the_store_is_asked_what_the_spec_says_and_told_no_secret(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATES_KEY_PASSPHRASE", "s3cret")
    with Tables(threads=1) as tables:
        tables.open(table("offline", None, time="at", created=False), base=repo)
    asked = json.loads((repo / "asked.json").read_text())
    assert (asked["side"], asked["service"], asked["time"], asked["created"]) == ("offline", "v1", "at", False)
    assert abs(asked["moment_us"] / 1e6 - (repo / "asked.json").stat().st_mtime) < 60
    assert "s3cret" not in (repo / "environ.json").read_text()


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("echo \"No module named 'feast'\" >&2; exit 1", "feast.missing", "python -m gates.inputs.feast"),
        ("echo \"ValueError: could not read 'Ada Lovelace'\" >&2; exit 1", "feast.failed", "ValueError"),
        ("exit 0", "feast.failed", "ended without a word"),
    ],
)
def test_what_fails_is_one_line_without_values(repo: Path, line: str, code: str, said: str) -> None:
    script(repo, line)
    with Tables(threads=1) as tables, pytest.raises(UsageError) as caught:
        tables.open(table("online"), base=repo)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert "Ada" not in str(caught.value)


def test_a_missing_store_or_feast_is_said_with_what_to_do(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Tables(threads=1) as tables, pytest.raises(UsageError, match=r"has no feature_store\.yaml"):
        tables.open(table("online", repo="nowhere"), base=repo)
    monkeypatch.setenv(feast.PYTHON, str(repo / "none"))
    with pytest.raises(UsageError, match="is no Python"):
        feast.feast_python()
    monkeypatch.delenv(feast.PYTHON)
    monkeypatch.setattr(feast, "kept_environment", lambda *_: repo / "none")
    with pytest.raises(UsageError, match=r"python -m gates\.inputs\.feast"):
        feast.feast_python()
    monkeypatch.setattr(feast, "kept_environment", lambda *_: repo / "python")
    assert feast.feast_python() == repo / "python"
    assert os.access(repo / "python", os.X_OK)


SPEC = """
model: m
task: binary
columns: {{label: y, key: [id], time: at}}
tables:
  holdout: {{uri: h.parquet}}
  offline: {{uri: rows.parquet, feast: {{repo: store, service: v1}}{beside}}}
  {role}: {{uri: rows.parquet, feast: {{repo: store, {asked}}}}}
"""


@pytest.mark.parametrize(
    ("role", "asked", "beside", "said"),
    [
        ("online", "features: ['amounts:x'], time: t", ", champion_definitions: c.json", None),
        ("training", "service: v1", "", "stands for offline or online"),
        ("online", "created: true", "", "a service, or features"),
        ("online", "service: v1, features: ['a:b']", "", "a service, or features"),
        ("online", "service: v1", ", log: {format: databricks}", "one of feast, log and reads"),
    ],
)
def test_the_words_of_the_spec(tmp_path: Path, role: str, asked: str, beside: str, said: str | None) -> None:
    (tmp_path / "gates.yaml").write_text(SPEC.format(role=role, asked=asked, beside=beside))
    if said is not None:
        with pytest.raises(UsageError, match=said):
            load_spec(tmp_path)
        return
    planned = {table.role: table.feast for table in load_spec(tmp_path).plan_tables()}
    assert planned["offline"] is not None
    assert planned["online"] is not None
    assert (planned["offline"].time, planned["online"].time) == ("at", "t")
    assert planned["holdout"] is None


@pytest.mark.parametrize(
    ("own", "inputs", "became"),
    [
        (("present", None), [("present", 7), ("present", 5)], ("present", 5)),
        (("present", None), [("present", 7), ("too_old", 5)], ("too_old", 5)),  # it was computed, from what had expired
        (("present", None), [("present", 7), ("not_found", None)], ("not_found", None)),
        (("null", None), [("not_found", None), ("too_old", 5)], ("not_found", None)),
        (("present", None), [("null", 5)], ("present", 5)),  # a default is the view's own affair
        (("null", None), [("present", 5)], ("null", 5)),
    ],
)
def test_a_computed_value_is_as_good_as_the_worst_of_its_inputs(
    own: tuple[str, int | None], inputs: list[tuple[str, int | None]], became: tuple[str, int | None]
) -> None:
    assert worst(own, inputs) == became
