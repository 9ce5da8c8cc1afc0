"""Tables that are laid out so that a figure looks good: what a decision says of them, from end to end."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from small_world import World

BACKFILL = """
backfill: {partition: day, from: "2025-12-08T00:00:00Z", to: "2025-12-11T00:00:00Z", written: [note, w]}
"""


def denials(world: World) -> set[tuple[str, str]]:
    """Checks that deny, with their codes."""
    ran = world.check()
    assert ran.code == 1, ran.out + ran.err
    return {(row["check"], row["code"]) for row in ran.json["rows"] if row["disposition"] == "denies"}


def frame(world: World, name: str) -> pd.DataFrame:
    return pd.read_parquet(world.folder / f"{name}.parquet")


def write(world: World, name: str, table: pd.DataFrame) -> None:
    table.to_parquet(world.folder / f"{name}.parquet", index=False)


def test_the_holdout_was_learned_under_other_keys(world: World) -> None:
    holdout = frame(world, "holdout")
    renamed = holdout.assign(id="t" + holdout["id"])
    write(world, "training", pd.concat([frame(world, "training"), renamed]))
    assert ("data.holdout_overlap", "data.holdout_overlap") in denials(world)


def test_one_pair_is_no_census(world: World) -> None:
    for side in ("offline", "online"):
        write(world, side, frame(world, side).head(1))
    assert denials(world) == {("parity.pairs", "parity.pairs")}


@pytest.mark.parametrize("asked", [False, True])
def test_a_table_is_not_compared_with_itself(world: World, asked: bool) -> None:
    online = "{uri: offline.parquet}"
    if asked:
        (world.folder / "online.sql").write_text("select id, x, w, at from served order by id", encoding="utf-8")
        online = "{uri: online.sql, reads: {served: {uri: offline.parquet}}}"
    world.edit("online: {uri: online.parquet}", f"online: {online}")
    assert denials(world) == {("parity.one_table", "parity.one_table")}


def test_half_of_a_log_cannot_be_read(world: World) -> None:
    """That half are the rows that serving computes otherwise; nobody may compare the rest alone."""
    served = frame(world, "online")
    told = [{"dataframe_records": [{"x": x, "w": w}]} for x, w in zip(served["x"], served["w"], strict=True)]
    hidden = [{"instances": [[9 * x, w]]} for x, w in zip(served["x"], served["w"], strict=True)]
    requests = [json.dumps(pair[i % 2]) for i, pair in enumerate(zip(told, hidden, strict=True))]
    log = {"client_request_id": served["id"], "databricks_request_id": served["id"], "request_time": served["at"]}
    log |= {"status_code": 200, "sampling_fraction": 1.0, "execution_duration_ms": 3}
    write(world, "log", pd.DataFrame({**log, "request": requests, "response": None}))
    words = "{uri: log.parquet, scope: sample, log: {format: databricks, id: id, time: at}}"
    world.edit("online: {uri: online.parquet}", f"online: {words}")
    assert denials(world) == {("parity.unread", "parity.unread")}


def test_training_without_a_time_is_not_taken_for_offline(world: World) -> None:
    training = frame(world, "training")
    rows = pd.concat([training, frame(world, "offline")])[["id", "at", "x", "w"]]
    write(world, "events", pd.concat([rows, rows.assign(x=rows["x"] + 1, at=rows["at"] + pd.Timedelta("1D"))]))
    write(world, "training", training.assign(x=training["x"] + 1).drop(columns="at"))
    world.edit("  online: {uri", "  events: {uri: events.parquet}\n  online: {uri")
    unmeasured = {check for check, code in denials(world) if code == "unmeasured.column_missing"}
    assert {"parity.known_later", "parity.asof_mismatch"} <= unmeasured


def test_a_backfill_compares_the_features_of_the_model(world: World) -> None:
    world.edit("  online: {uri", "  live: {uri: live.parquet}\n  shadow: {uri: shadow.parquet}\n  online: {uri")
    live = frame(world, "offline").assign(day=lambda t: t["at"].dt.date.astype(str), note="a")
    write(world, "live", live)
    write(world, "shadow", live.assign(w=0.0, note="b"))
    path = world.folder / "gates.yaml"
    path.write_text(path.read_text() + BACKFILL)
    ran = world.check()
    assert ran.code == 2
    assert 'backfill: written: "w" has a part to play, and is compared' in ran.err
