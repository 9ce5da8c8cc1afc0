"""A feature store in gates.yaml, from end to end: `gates check` asks Feast, in its own environment, and keeps what it said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_world import World

from gates.errors import UsageError
from gates.inputs.feast import PYTHON, environment, feast_python

MAKER = Path(__file__).parents[1] / "integration" / "feast_store.py"
ASKED = '{{uri: rows.parquet, as_of: "2026-10-10T00:00:00Z", feast: {{repo: {repo}, service: v1, time: at}}}}'

pytestmark = pytest.mark.long  # making the environment takes two or three minutes, and each question to Feast 8 s


def test_gates_check_asks_the_store_and_keeps_what_it_said(world: World, tmp_path: Path) -> None:
    try:
        python = feast_python()
    except UsageError:
        python = environment(["feast==0.67.0"], Path(sys.executable), "feast")
    repo = tmp_path / "features"
    repo.mkdir()
    subprocess.run([python, "-I", MAKER, repo], check=True, timeout=300)
    pd.DataFrame({"id": np.arange(200)}).to_parquet(world.folder / "rows.parquet", index=False)
    shutil.copytree(repo, world.folder / "features")
    for side in ("offline", "online"):
        world.edit(f"{side}: {{uri: {side}.parquet}}", f"{side}: {ASKED.format(repo='features')}")
    ran = world.run("check", "-e", "development", "--key", "measurer.pem", "-o", "json", **{PYTHON: str(python)})
    assert ran.code == 1, ran.out + ran.err
    assert "parity.mismatch" in {row["check"] for row in ran.json["rows"] if row["disposition"] == "denies"}
    kept = [path.read_bytes() for path in (world.folder / "store").rglob("*") if path.is_file()]
    documents = [json.loads(content) for content in kept if content.startswith(b"{")]
    [found] = [document for document in documents if document.get("paired") == 200]
    absences = {each["name"]: each["online"] for each in found["features"]}
    assert absences["x"] == {"present": 170, "null": 10, "too_old": 10, "not_found": 10}
    sources = [document for document in documents if document.get("source") == "feast"]
    assert len(sources) == 2
    assert {document["project"] for document in sources} == {"acme"}
    assert {(view["view"], view["version"]) for document in sources for view in document["views"]} == {("amounts", "3")}
    text = world.run("check", "-e", "development", **{PYTHON: str(python)}).out
    assert "parity.mismatch" in text
