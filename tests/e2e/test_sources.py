"""docs/sources.md from end to end: a query and a request log in gates.yaml, and what `gates check` keeps of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
from small_world import World

from gates.bundle.canonical import digest_bytes
from gates.plan.spec import load_spec

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
OFFLINE, ONLINE = "  offline: {uri: offline.parquet}\n", "  online: {uri: online.parquet}\n"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return ["".join(f"  {line}\n" for line in block.splitlines()) for block in found]


def test_the_page_a_query_and_a_log_are_measured_and_named_by_what_they_are_made_of(world: World) -> None:
    query, feast, log = blocks("yaml")
    plain = (world.folder / "gates.yaml").read_text()
    world.edit(OFFLINE + ONLINE, feast)
    planned = {table.role: table.feast for table in load_spec(world.folder).plan_tables()}
    assert planned["offline"] == planned["online"]
    assert planned["online"] is not None
    assert (planned["online"].service, planned["online"].time) == ("approval_v1", "at")
    ran = world.run("check", "-e", "development")
    assert (ran.code, "customers.parquet" in ran.err) == (2, True), ran.err

    (world.folder / "gates.yaml").write_text(plain.replace(OFFLINE, query).replace(ONLINE, log))
    (world.folder / "offline.sql").write_text(blocks("sql")[0])
    served = pd.read_parquet(world.folder / "online.parquet")
    # a day's unit was forgotten in 240 requests; the last two cannot be read, and are rows that online lacks
    served.loc[:239, "w"] *= 100
    asked = served[["x", "w"]].to_dict("records")
    requests = pd.DataFrame(
        {
            "databricks_request_id": range(len(served)),
            "client_request_id": served["id"],
            "request_time": served["at"],
            "status_code": 200,
            "sampling_fraction": 1.0,
            "execution_duration_ms": 2,
            "request": [json.dumps({"dataframe_records": [row]}) for row in asked[:-2]] + ["{", None],
            "response": None,
        }
    )
    requests.to_parquet(world.folder / "requests.parquet", index=False)
    ran = world.run("check", "-e", "development", "--key", "measurer.pem", "-o", "json")
    assert ran.code == 1, ran.out + ran.err
    store = [path for path in (world.folder / "store").rglob("*") if path.is_file()]
    kept = {digest_bytes(path.read_bytes()): path.read_bytes() for path in store}
    sources = {
        digest: json.loads(content)
        for digest, content in kept.items()
        if content.startswith(b'{"') and b'"source":"' in content
    }
    found = {document["source"]: document for document in sources.values() if "source" in document}
    assert (
        found["query"]["sql"] == 'SELECT id, "at", x, w FROM features WHERE "at" <= MAKE_TIMESTAMPTZ(1767225600000000)'
    )
    assert found["query"]["reads"]["features"]["rows"] == 24_000
    assert found["log"]["forms"] == {"absent": 1, "dataframe_records": 23_998, "malformed": 1}
    assert found["log"]["answered_requests_without_rows"] == 2
    parity = next(
        json.loads(content)
        for content in kept.values()
        if b'"paired":23998' in content or b'"paired": 23998' in content
    )
    assert {feature["name"]: feature["mismatches"] for feature in parity["features"]} == {"x": 0, "w": 240}
