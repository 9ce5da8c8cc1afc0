"""A contract beside the holdout, through the command line: what it finds, what it refuses, and what stays for an auditor."""

from __future__ import annotations

from small_world import World

CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: approvals
version: 1.0.0
team: {name: Credit}
slaProperties: [{property: latency, value: 36500, unit: d, element: at}, {property: timeOfAvailability, value: "09:00"}]
schema:
  - name: approvals
    customProperties: [{property: authoritativeTimestamp, value: at}, {property: timestampKind, value: event}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true, description: One application.}
      - {name: at, logicalType: timestamp}
      - name: x
        logicalType: number
        logicalTypeOptions: {maximum: 0}
        quality: [{metric: nullValues, mustBeLessThan: 40, unit: percent}]
"""


def test_a_contract_that_the_holdout_breaks(world: World) -> None:
    (world.folder / "approvals.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    world.edit("holdout.parquet,", "holdout.parquet, contract: approvals.odcs.yaml,")
    checked = world.run("check", "-e", "staging", "--key", "measurer.pem")
    assert checked.code == 1, checked.out + checked.err
    assert "rule holdout: x.maximum" in checked.out
    assert "data.contract" in checked.out
    # What it lets pass is beyond what policy allows a contract: 40 percent of nulls, and a lag of a hundred years.
    said = " ".join(checked.out.split())
    assert "holdout: latency at contract too loose code contract.loose" in said
    assert "holdout: x.nullValues contract too loose code contract.loose" in said
    kept = {path.read_bytes() for path in (world.folder / "store").rglob("*") if path.is_file()}
    assert CONTRACT.encode() in kept, "an auditor reads years later what was promised"


def test_a_contract_with_a_mistyped_word(world: World) -> None:
    (world.folder / "approvals.odcs.yaml").write_text(CONTRACT.replace("maximum", "maximun"), encoding="utf-8")
    world.edit("holdout.parquet,", "holdout.parquet, contract: approvals.odcs.yaml,")
    checked = world.check()
    assert checked.code == 2
    assert "approvals.odcs.yaml:16" in checked.err
    assert 'did you mean "maximum"?' in checked.err
