"""The generated schema is the committed one, editors and the loader agree, and `init` writes what loads."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from gates.errors import UsageError
from gates.plan.init import render_spec, write_spec
from gates.plan.spec import load_spec, spec_schema

COMMITTED = Path(__file__).parents[2] / "evidence" / "schema" / "gates.v1.json"


def test_the_committed_schema_is_current() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == spec_schema()


def test_the_schema_is_valid_strict_and_has_no_limits() -> None:
    schema = spec_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = YAML(typ="safe").load(render_spec())
    assert list(validator.iter_errors(good)) == []
    assert list(validator.iter_errors({**good, "limits": {}})) != []
    assert not [word for word in ("limit", "threshold", "ceiling", "margin") if f'"{word}' in json.dumps(schema)]


def test_init_writes_a_commented_file_that_loads(tmp_path: Path) -> None:
    path = write_spec(tmp_path, render_spec(model="häuser: #1", label='la"bel', holdout="données/h [1].parquet"))
    spec = load_spec(path)
    assert (spec.model, spec.columns.label) == ("häuser: #1", 'la"bel')
    assert spec.tables.holdout is not None
    assert spec.tables.holdout.uri == "données/h [1].parquet"
    assert path.read_text(encoding="utf-8").count("#") > 10


def test_a_name_cannot_break_out_of_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_spec(write_spec(tmp_path, render_spec(model="a\nregistry: http://elsewhere", schema="x\nledger: y")))
    assert "duplicate" not in str(caught.value)
    assert "gates.yaml:6: model" in str(caught.value)


def test_what_init_offers_in_comments_is_valid_too(tmp_path: Path) -> None:
    text = render_spec()
    lines = [line.replace("# ", "", 1) if _is_offer(line) else line for line in text.splitlines()]
    lines = [
        line for line in lines if line.strip() not in ("rows: independent", 'holdout: {uri: "data/holdout.parquet"}')
    ]
    spec = load_spec(write_spec(tmp_path, "\n".join(lines) + "\n"))
    assert spec.ledger is not None
    assert spec.serving is not None
    assert spec.cluster == "day"
    assert spec.columns.key == ("id",)
    assert spec.tables.online is not None
    assert spec.rollout["production"] == (5, 25, 100)


def _is_offer(line: str) -> bool:
    words = line.strip().removeprefix("# ").split(":")[0]
    return line.strip().startswith("# ") and words in {
        "champion", "ledger", "policies", "trust", "serving", "key", "time", "features", "cluster", "rows", "slices",
        "holdout", "training", "offline", "online", "rollout",
    }  # fmt: skip


def test_init_never_replaces_a_file_unasked(tmp_path: Path) -> None:
    write_spec(tmp_path, "mine")
    with pytest.raises(UsageError, match="exists already"):
        write_spec(tmp_path, "other")
    assert (tmp_path / "gates.yaml").read_text(encoding="utf-8") == "mine"
    write_spec(tmp_path, "other", force=True)
    assert (tmp_path / "gates.yaml").read_text(encoding="utf-8") == "other"
    with pytest.raises(UsageError, match="cannot be written"):
        write_spec(tmp_path / "nowhere", "x")
