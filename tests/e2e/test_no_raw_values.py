"""What rows hold stays in the tables: secrets are planted in all of them, and every output is searched for them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_runner import Ran
from small_world import World

SECRET = re.compile(rb"zq-[0-9a-f]{6}|[a-z]+@zq\.example|4111 ?1111 ?1111|77[0-9]{3}\.[0-9]{5}")
"""Tokens, e-mail addresses, a card's number, and numbers that no figure has."""

OUTPUTS = ("store", "ledger.db", "report.html", "answer.json", "evidence")
COLUMNS = """columns: {label: y, key: [id], time: at, features: [x, w], annotator: who, guideline: rules,
  labelled: came, quasi_identifiers: [mail]}"""
TABLES = """  annotations: {uri: annotations.parquet}
  live: {uri: live.parquet, contract: applicants.odcs.yaml#holdout}
  shadow: {uri: shadow.parquet}
  offline: {uri: offline.parquet}"""
FACTS = """tier: medium
parameters: {maturation_seconds: 3600}
required:
  - {check: data.near_duplicates}
  - {check: data.time_order}
  - {check: data.class_balance}
  - {check: drift.psi}
  - {check: drift.ks}
  - {check: data.single_feature_auc}
  - {check: data.annotator_kappa}
  - {check: data.untagged_personal_data}
"""


CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: applicants
version: 1.0.0
schema:
  - name: holdout
    properties:
      - {name: id, logicalType: string, primaryKey: true, classification: restricted}
      - {name: x, logicalType: number, classification: restricted, logicalTypeOptions: {maximum: 100}}
      - {name: mail, logicalType: string, classification: restricted, tags: [PII]}
    quality:
      - {name: most, type: sql, query: "SELECT MAX(x) FROM {object}", mustBeLessThan: 0}
      - {name: the one, type: sql, query: "SELECT SUM(x) FROM {object} WHERE x > 77300", mustBeLessThan: 100000}
      - {name: mean, type: sql, query: "SELECT AVG(x) - 1 FROM {object} WHERE x > 77300", mustBe: 0}
      - {name: few, type: sql, query: "x < 77000", mustBe: 0}
"""
BACKFILL = """backfill:
  partition: part
  from: "2025-12-08T00:00:00Z"
  to: "2025-12-11T00:00:00Z"
"""


def plant(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = frame.assign(
        id=[f"zq-{int(name[1:]):06x}" for name in frame["id"]],
        mail=[f"{''.join(rng.choice(list('abcdef'), 6))}@zq.example" for _ in range(len(frame))],
        card="4111 1111 1111 1111",
        rules="v1",
        came=frame["at"] + pd.Timedelta(minutes=5),
    )
    # in the range of no other row, so that every check of values trips over them
    frame.loc[frame.index[:3], "x"] = [77123.45678, 77234.56789, 77345.67891]
    return frame


@pytest.fixture(scope="module")
def sown(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = measured.copy(tmp_path_factory.mktemp("sown"))
    for seed, name in enumerate(("training", "holdout", "offline", "online")):
        path = world.folder / f"{name}.parquet"
        frame = plant(pd.read_parquet(path).head(2_000), seed)
        if name == "online":
            frame = frame.assign(x=frame["x"].where(frame.index % 5 > 0, frame["x"] * 1000)).tail(1_900)
        frame.to_parquet(path, index=False)
        if name == "holdout":
            both = [frame.head(200).assign(who=f"{who}@zq.example")[["id", "who", "y"]] for who in ("ann", "bob")]
            pd.concat(both).to_parquet(world.folder / "annotations.parquet", index=False)
    live = pd.read_parquet(world.folder / "holdout.parquet").assign(part="one")
    live.to_parquet(world.folder / "live.parquet", index=False)
    live.assign(x=live["x"] * 2).tail(1_500).to_parquet(world.folder / "shadow.parquet", index=False)
    (world.folder / "applicants.odcs.yaml").write_text(CONTRACT)
    with (world.folder / "gates.yaml").open("a", encoding="utf-8") as spec:
        spec.write(BACKFILL)
    world.edit("holdout.parquet,", "holdout.parquet, contract: applicants.odcs.yaml,")
    world.edit("columns: {label: y, key: [id], time: at}", COLUMNS)
    world.edit("  offline: {uri: offline.parquet}", TABLES)
    (world.folder / "policies" / "models" / "approval" / "data.yaml").write_text(FACTS)
    return world


@pytest.fixture(scope="module")
def checked(sown: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Ran]:
    """The planted world after a check of it; to be read only."""
    world = sown.copy(tmp_path_factory.mktemp("checked"))
    return world, world.run("check", "-v", "--key", "measurer.pem", "--json", "answer.json", "-e", "staging")


@pytest.fixture
def planted(sown: World, tmp_path: Path) -> World:
    return sown.copy(tmp_path)


def spoil(world: World, table: str, **columns: Any) -> None:
    path = world.folder / f"{table}.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path, index=False)


def written(world: World) -> Iterator[tuple[str, bytes]]:
    """Every file that the command wrote or may have written; the bytes of signed payloads too."""
    for name in OUTPUTS:
        for path in [world.folder / name, *(world.folder / name).rglob("*"), world.ledger.parent / name]:
            if path.is_file():
                content = path.read_bytes()
                yield str(path.relative_to(path.parents[1])), content
                for part in re.findall(rb'"payload": ?"([A-Za-z0-9+/=]+)"', content):
                    yield f"payload of {path.name}", base64.b64decode(part)


def leaks(world: World, ran: Ran) -> dict[str, list[bytes]]:
    streams = [("stdout", ran.out.encode()), ("stderr", ran.err.encode())]
    found = {where: SECRET.findall(content)[:3] for where, content in [*streams, *written(world)]}
    return {where: secrets for where, secrets in found.items() if secrets}


def test_the_search_finds_what_is_planted(planted: World) -> None:
    assert SECRET.search((planted.folder / "holdout.parquet").read_bytes())
    (planted.folder / "evidence").mkdir()
    payload = base64.b64encode(b"id zq-0000af").decode()
    (planted.folder / "evidence" / "one").write_text(f'{{"payload":"{payload}"}}')
    assert leaks(planted, Ran(0, "", "ann@zq.example")) == {
        "stderr": [b"ann@zq.example"],
        "payload of one": [b"zq-0000af"],
    }


def test_nothing_of_a_row_is_in_any_output(checked: tuple[World, Ran]) -> None:
    world, ran = checked
    assert ran.code == 1, ran.err
    answer = (world.folder / "answer.json").read_text()
    for check in (
        "parity.mismatch",
        "data.smallest_cell",
        "data.out_of_range",
        "data.krippendorff_alpha",
        "data.untagged_personal_data",
        "data.contract",
        "backfill.row_difference",
    ):
        assert check in answer
    page = world.run("report", json.loads(answer)["decision_id"], "--out", "report.html")
    assert page.code == 0, page.err
    assert (world.folder / "report.html").stat().st_size > 10_000
    assert len(list(written(world))) > 10
    assert leaks(world, ran) == {}


def test_what_selects_values_says_only_whether_it_is_met(checked: tuple[World, Ran]) -> None:
    world, ran = checked
    assert ran.code == 1, ran.err
    rows = json.loads((world.folder / "answer.json").read_text())["rows"]
    missed = {row["item"]["name"]: row["figure"]["estimate"] for row in rows if row["check"] == "data.contract"}
    assert missed["holdout: most"] == missed["holdout: mean"] == 1
    assert missed["holdout: the one"] == 0
    assert missed["holdout: few"] == 3


def test_a_partition_by_what_is_about_people_is_refused(planted: World) -> None:
    planted.edit("partition: part", "partition: mail")
    ran = planted.run("check", "--key", "measurer.pem", "-e", "staging")
    assert ran.code == 2
    assert "slice.restricted" in ran.err
    assert leaks(planted, ran) == {}


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        ("holdout", {"y": lambda rows: rows["id"]}, "which of them is 1 is not certain"),
        ("holdout", {"x": lambda rows: rows["mail"]}, "could not convert string to float: '***'"),
        ("online", {"x": lambda rows: rows["mail"], "at": lambda rows: rows["mail"]}, "parity"),
    ],
)
def test_nothing_of_a_row_is_in_an_error(planted: World, table: str, columns: Any, said: str) -> None:
    spoil(planted, table, **columns)
    ran = planted.run("check", "-v", "--key", "measurer.pem", "-e", "staging")
    assert said in ran.err + ran.out
    assert ran.code in (1, 2), ran.err
    assert leaks(planted, ran) == {}
