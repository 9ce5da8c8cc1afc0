"""A real Feast store on SQLite, in Feast's own environment: what was planted between both stores is what is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gates.errors import UsageError
from gates.inputs.definitions import with_sources
from gates.inputs.feast import PYTHON, environment, feast_python
from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables, arrow
from gates.measure.interface import Given
from gates.measure.parity import ParityGate
from gates.records import Columns, Plan, Reason, Table
from gates.records.base import micros

MAKER = Path(__file__).with_name("feast_store.py")
NOW = micros(pd.Timestamp("2026-10-10", tz="UTC").to_pydatetime())
DIGEST = "sha256:" + "0" * 64

pytestmark = pytest.mark.long  # making the environment takes two or three minutes, and each question to Feast 8 s


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return feast_python()
    except UsageError:
        return environment(["feast==0.67.0"], Path(sys.executable), "feast")


@pytest.fixture(scope="module")
def repo(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    subprocess.run([python, "-I", MAKER, folder], check=True, timeout=300)
    # x of another time stands in the rows: what the store says counts
    rows = pd.DataFrame({"id": np.arange(200), "x": 5.0, "segment": ["u", "v"] * 100})
    rows.to_parquet(folder / "rows.parquet", index=False)
    return folder


def table(role: str, **words: object) -> Table:
    asked = {"repo": ".", "service": "v1", "time": "at", **words}
    return Table.model_validate({"role": role, "uri": "rows.parquet", "as_of_us": NOW, "feast": asked})


def test_what_was_planted_between_both_stores_is_what_is_said(
    python: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON, str(python))
    asked = (table("offline"), table("online"))
    with Tables(threads=1) as tables:
        opened: dict[str, OpenTable] = tables.open_all(asked, base=repo)
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            tables=asked,
            columns=Columns(key=("id",), features=("x", "n", "c")),
            policy_digest=DIGEST,
            spec_digest=DIGEST,
        )
        known = with_sources({}, opened)
        found = ParityGate().measure(
            Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None, definitions=known)
        )
        offline = arrow(opened["offline"].table.order_by("id")).to_pandas()
        again = tables.open(asked[0], base=repo).identity
    at_store = pd.read_parquet(repo / "amounts.parquet")
    known_then = at_store[at_store["created"] <= pd.Timestamp("2026-10-10", tz="UTC")]
    truth = known_then.sort_values("happened", kind="stable").groupby("id").last()
    np.testing.assert_array_equal(offline["x"], truth["x"])
    assert (offline["x"] != -99).all()
    note = next(json.loads(note.content) for note in found.notes if note.name == "parity.json")
    by_name = {feature["name"]: feature for feature in note["features"]}
    assert by_name["x"]["online"] == {"present": 170, "null": 10, "too_old": 10, "not_found": 10}
    assert by_name["c"]["online"] == {"present": 180, "null": 0, "too_old": 10, "not_found": 10}
    # missing 10, null 10, times 100 10; those of 20..29 are old, and right
    assert by_name["x"]["mismatches"] == 30
    figures = {(f.check, f.item.name): f.estimate for f in found.measurements if f.item}
    assert figures["parity.not_found", "x"] == figures["parity.null", "x"] == figures["parity.too_old", "x"] == 0.05
    assert figures["parity.definition_differs", "x"] == 0
    assert known["definitions"]["x"].version == "3"
    assert known["definitions"]["x"].digest != known["definitions"]["n"].digest
    assert again == opened["offline"].identity


def test_a_view_computed_on_demand_is_compared_by_what_comes_out(
    python: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON, str(python))
    with Tables(threads=1) as tables:
        opened = [tables.open(table(role, service="v2"), base=repo) for role in ("offline", "online")]
        offline, online = (arrow(each.table.order_by("id")).to_pandas() for each in opened)
    np.testing.assert_array_equal(offline["twice"], 2 * offline["x"])
    np.testing.assert_array_equal(online["twice"], 2 * online["x"])
    wrong = ~np.isclose(offline["twice"], online["twice"])
    assert np.flatnonzero(wrong).tolist() == [*range(20), *range(30, 40)]
    # 0..9 were never written, of 10..19 the input is null, what 20..29 are computed from is too old
    assert online["twice__status"].tolist() == ["not_found"] * 10 + ["null"] * 10 + ["too_old"] * 10 + ["present"] * 170
    assert online["twice__status"].tolist() == online["x__status"].tolist()
    assert online["twice__ts"].equals(online["x__ts"].rename("twice__ts"))
    assert online["twice__ts"].isna().tolist() == [True] * 10 + [False] * 190
    source = opened[0].source
    assert source is not None
    assert source.definitions["twice"].digest != source.definitions["x"].digest
    assert source.definitions["twice"].keys == ("id",)


def test_what_the_store_does_not_have_is_said_in_one_line(
    python: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON, str(python))
    with Tables(threads=1) as tables:
        for words, code in (
            ({"service": "v9"}, "feast.failed"),
            ({"service": None, "features": ("amounts",)}, "feast.asked"),
            ({"service": None, "features": ("amounts:zz",)}, "feast.asked"),
        ):
            with pytest.raises(UsageError) as caught:
                tables.open(table("online", **words), base=repo)
            assert caught.value.code == code
            assert "\n" not in str(caught.value)


def test_an_opened_feast_is_that_version(python: Path) -> None:
    said = subprocess.run(
        [python, "-I", "-c", "import importlib.metadata as m; print(m.version('feast'))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout.strip() == "0.67.0"
