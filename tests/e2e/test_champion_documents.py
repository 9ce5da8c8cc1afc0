"""What a candidate's contract and definitions are compared with above development: those of the champion's own bundle."""

from __future__ import annotations

import json

from small_world import World

CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: approvals
version: 1.0.0
status: active
team: {{name: Credit}}
slaProperties: [{{property: latency, value: 30, unit: d, element: at}}, {{property: timeOfAvailability, value: "09:00"}}]
schema:
  - name: approvals
    customProperties: [{{property: authoritativeTimestamp, value: at}}, {{property: timestampKind, value: event}}]
    properties:
      - {{name: id, logicalType: string, primaryKey: true, description: One application.}}
      - {{name: at, logicalType: timestamp}}
      - {{name: x, logicalType: number, logicalTypeOptions: {{maximum: {most}}}}}
"""


def define(world: World, digit: str, most: int) -> None:
    features = [{"name": name, "version": "1", "digest": "sha256:" + digit * 64} for name in ("x", "w")]
    (world.folder / "features.json").write_text(json.dumps({"features": features}), encoding="utf-8")
    (world.folder / "approvals.odcs.yaml").write_text(CONTRACT.format(most=most), encoding="utf-8")


def test_they_come_from_the_ledger_and_not_from_the_branch(world: World) -> None:
    world.edit("training: {uri: training.parquet}", "training: {uri: training.parquet, definitions: features.json}")
    world.edit("holdout.parquet,", "holdout.parquet, contract: approvals.odcs.yaml,")
    define(world, "a", 1000)
    measured = world.run("measure", "-e", "staging", "--out", "m")
    assert measured.code == 0, measured.err
    sealed = world.run("seal", "m", "-e", "staging", "--key", "measurer.pem").out.strip()
    promoted = world.promote("--bundle", sealed)
    assert promoted.code == 0, promoted.out + promoted.err
    assert not [row for row in promoted.json["rows"] if row["check"] == "data.contract_breaking"], (
        "that one was adopted"
    )

    # the branch names documents of its own as the champion's
    define(world, "b", 900)
    world.edit("definitions: features.json", "definitions: features.json, champion_definitions: features.json")
    world.edit("approvals.odcs.yaml,", "approvals.odcs.yaml, champion_contract: approvals.odcs.yaml,")
    again = world.run("check", "-e", "staging", "--candidate", "models:/approval/1", "-o", "json")
    assert {"parity.definition_changed", "data.contract_breaking"} <= again.denying
    changed = {row["item"]["name"] for row in again.json["rows"] if row["check"] == "parity.definition_changed"}
    assert changed == {"x", "w"}
