"""Moves that are no promotion, as a person types them: each is decided by the policies in force, and can be replayed."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_world import World

KEY = ("--key", "applier.pem", "-o", "json")


@pytest.fixture(scope="module")
def promoted(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Version 2 serves in staging, version 1 before it and in production."""
    world = measured.copy(tmp_path_factory.mktemp("actions"))
    assert world.promote().code == 0
    return world


@pytest.fixture
def world(promoted: World, tmp_path: Path) -> World:
    return promoted.copy(tmp_path)


def decision(world: World, kind: str) -> dict:
    """The decision in the newest entry of a kind."""
    import base64

    entries = [entry for entry in world.run("log", "-o", "json").json if entry["kind"] == kind]
    return json.loads(base64.b64decode(entries[-1]["decision"]["payload"]))["predicate"]


def served(world: World, environment: str) -> str | None:
    path = world.folder / "serving" / f"{environment}.json"
    return json.loads(path.read_text())["routes"][0]["version"] if path.exists() else None


def log_of(world: World, *ages_in_days: float) -> Path:
    rows = [(datetime.now(UTC) - timedelta(days=age)).isoformat() for age in ages_in_days]
    path = world.folder / f"requests-{len(ages_in_days)}-{ages_in_days[-1]}.csv"
    path.write_text("request_time,path\n" + "".join(f"{row},/score\n" for row in rows))
    return path


def retire(world: World, *more: object, environment: str = "staging") -> object:
    return world.run("retire", "-e", environment, "--reason", "nobody asks it", *KEY, *more)


def test_a_rollback_carries_its_decision_and_is_replayed(world: World) -> None:
    ran = world.run("rollback", "-e", "staging", "--reason", "worse", *KEY)
    assert (ran.code, ran.json.get("debts", [])) == (0, []), ran.err
    found = decision(world, "rollback")
    assert found["decision"]["allow"] is True
    assert {result["code"] for result in found["decision"]["results"]} >= {"rollback.old", "action.authority"}
    assert served(world, "staging") == "1"
    verified = world.run("verify", "-v")
    assert verified.code == 0, verified.out
    assert "of this rollback gives the same bytes" in verified.out
    links = (world.folder / "store").glob("**/action-id/**/*")
    (action,) = [path.name for path in links if path.is_file()]
    again = world.run("replay", action[:12], "-o", "json")
    assert again.code == 0, again.err
    assert again.json["same"] is True
    reported = world.run("report", action[:12], "--out", "action.html")
    assert reported.code == 0, reported.err
    page = (world.folder / "action.html").read_text()
    assert "Allowed" in page
    assert "rollback of models:/approval/1" in page
    assert page.count("✓ not so") == len(found["decision"]["results"])
    assert f"gates replay sha256:{action}" in page


def test_with_the_store_and_the_ledger_away_the_policies_are_those_of_the_pack(world: World) -> None:
    ledger, away = world.ledger, world.ledger.with_suffix(".away")
    ledger.rename(away)
    ran = world.run("rollback", "-e", "staging", "--reason", "worse", *KEY)
    assert (ran.code, ran.json["journalled"]) == (0, True), ran.err
    assert not any("no policies" in debt for debt in ran.json["debts"]), ran.json["debts"]
    away.rename(ledger)
    done = world.run("reconcile", "-e", "staging", "--finish", *KEY)
    assert done.code == 0, done.err
    assert "pack" in decision(world, "rollback")["input"]["ledger"]
    verified = world.run("verify")
    assert verified.code == 0, verified.out


def test_what_serves_is_retired_once_nobody_asks_it_and_comes_back_by_a_rollback(world: World) -> None:
    for given, code in (
        ((), "retire.traffic"),
        (("--requests", log_of(world, 9, 0.5)), "retire.traffic"),
        (("--requests", log_of(world, 9), "--days", 0.5), "retire.window"),
    ):
        refused = retire(world, *given)
        assert (refused.code, code in refused.err) == (1, True), refused.err
    quiet = log_of(world, 9, 8)
    done = retire(world, "--requests", quiet)
    assert done.code == 0, done.err
    assert served(world, "staging") is None
    assert {"approved-staging", "deployed-staging"}.isdisjoint(world.client.get_registered_model("approval").aliases)
    assert world.run("status", "-e", "staging").code == 0
    assert retire(world, "--requests", quiet).json["resumed"] is True
    verified = world.run("verify")
    assert verified.code == 0, verified.out
    back = world.run("rollback", "-e", "staging", "--reason", "somebody asks", *KEY)
    assert back.code == 0, back.err
    assert served(world, "staging") == "2"
    assert world.run("verify").code == 0


def test_production_is_retired_by_those_who_approve(world: World) -> None:
    log = log_of(world, 9)
    assert "retire.approvals" in retire(world, "--requests", log, environment="production").err
    enrol_owner(world)
    approve = ("approve", "--action", "retire", "-e", "production", "--role", "ml-owner", "--key", "owner2.pem")
    assert world.run(*approve).code == 0
    done = retire(world, "--requests", log, environment="production")
    assert done.code == 0, done.err
    assert len(decision(world, "retire")["decision"]["approvals"]) == 1
    assert world.run("verify").code == 0


def test_only_a_version_that_nothing_needs_is_archived(world: World) -> None:
    archive = ("--reason", "old", *KEY)
    refused = world.run("archive", "models:/approval/1", *archive)
    assert (refused.code, "archive.held" in refused.err) == (1, True), refused.err
    assert world.run("rollback", "-e", "staging", "--reason", "worse", *KEY).code == 0
    done = world.run("archive", "models:/approval/2", *archive)
    assert done.code == 0, done.err
    assert world.client.get_model_version("approval", "2").tags["gates.archived"] == done.json["entry"]
    assert world.run("archive", "models:/approval/2", *archive).json["again"] is True
    assert "release.archived" in world.promote().denying
    assert world.run("verify").code == 0


def test_a_hotfix_skips_the_rung_and_is_rolled_back_after_a_day(measured: World, tmp_path: Path, monkeypatch) -> None:
    world = measured.copy(tmp_path)
    enrol_owner(world)
    approve = ("approve", "-e", "production", "--role", "ml-owner", "--key", "owner2.pem")
    assert world.run(*approve).code == 0
    promote = ("-e", "production", "--percent", "100")
    without = world.promote(*promote)
    assert without.denying == {"ladder.skipped", "rollout.step"}, without.out
    done = world.promote(*promote, "--hotfix", "INC-7")
    assert done.code == 0, done.out + done.err
    assert (done.json["basis"], served(world, "production")) == ("hotfix", "2")
    left = {row["code"] for row in done.json["decision"]["results"] if row["disposition"] == "shortened"}
    assert left == {"ladder.skipped", "rollout.step"}
    assert world.run("status", "-e", "production").code == 0
    assert world.run("verify").code == 0
    later = time.time_ns() // 1000 + 86_400_000_000
    for module in ("move", "standing"):
        monkeypatch.setattr(f"gates.flow.{module}.now_us", lambda: later)
    assert "hotfix.overdue" in world.run("status", "-e", "production").out
    assert world.run("reconcile", "-e", "production", *KEY).json["left"] == "overdue"
    back = world.run("reconcile", "-e", "production", "--finish", *KEY)
    assert back.code == 0, back.err
    assert served(world, "production") == "1"
    assert decision(world, "rollback")["decision"]["request"]["reason"].startswith("the hotfix for INC-7 ended")


def alarm(world: World) -> Path:
    now = time.time_ns() // 1000
    path = world.folder / "alarm.json"
    seen = {"monitor": "canary", "check": "errors", "value": 0.08, "rows": 4000}
    path.write_text(json.dumps(seen | {"from_us": now - 600_000_000, "until_us": now}))
    return path


def test_a_rollout_goes_on_step_by_step_and_a_monitor_stops_it(promoted: World, tmp_path: Path, monkeypatch) -> None:
    world = promoted.copy(tmp_path)
    enrol_owner(world)
    approve = ("approve", "-e", "production", "--role", "ml-owner", "--key", "owner2.pem")
    assert world.run(*approve).code == 0
    assert world.promote("-e", "production").code == 0
    step = ("rollout", "step", "-e", "production", "--reason", "calm", *KEY)
    assert "rollout.soak" in world.run(*step).err
    later = time.time_ns() // 1000 + 3_700_000_000
    monkeypatch.setattr("gates.flow.rollout.now_us", lambda: later)
    done = world.run(*step)
    assert done.code == 0, done.err
    assert sorted(route["percent"] for route in done.json["observed"]["routes"]) == [25, 75]
    assert "rollout.soak" in world.run(*step).err
    seen = alarm(world)
    act = ("monitor", "act", "-e", "production", "--alarm", seen, "--reason", "errors", *KEY)
    monkeypatch.setattr("gates.flow.rollout.now_us", lambda: later + 60_000_000)
    old = world.run(*act, "--demand", "back")
    assert (old.code, "monitor.recent" in old.err) == (1, True), old.err
    seen.write_text(json.dumps(json.loads(seen.read_text()) | {"until_us": later}))
    paused = world.run(*act, "--demand", "pause")
    assert (paused.code, paused.json["demand"]) == (0, "pause"), paused.err
    assert "paused by a monitor" in world.run("status", "-e", "production").out
    monkeypatch.setattr("gates.flow.rollout.now_us", lambda: later + 3_700_000_000)
    assert "rollout.alarm" in world.run(*step).err
    seen.write_text("{}")
    assert world.run(*act, "--demand", "back").code == 2
    verified = world.run("verify")
    assert verified.code == 0, verified.out
    assert "goes no further: errors" in world.run("log").out


def test_what_loosens_is_named_tried_and_approved_by_somebody_else(measured: World, tmp_path: Path) -> None:
    world = measured.copy(tmp_path)
    limits = world.folder / "policies" / "overrides" / "production"
    limits.mkdir(parents=True)
    (limits / "data.yaml").write_text("limits: {data.rows: {low: {limit: 10, inclusive: true}}}\n")
    path = "overrides/production/limits/data.rows/low"
    activate = ("policy", "activate", "-e", "production", "--loosen", path, "--key", "owner.pem", "-o", "json")
    assert "reason.missing" in world.run(*activate, "--reason", " ").err
    refused = world.run(*activate, "--reason", "spring")
    assert (refused.code, "change.approvals" in refused.err) == (1, True), refused.err
    assert world.run("policy", "approve", "-e", "production", "--role", "risk", "--key", "risk.pem").code == 0
    done = world.run(*activate, "--reason", "spring", "--simulate")
    assert done.code == 0, done.err
    assert done.json["simulation"]["decisions"] >= 1
    entry = world.run("log", "-o", "json").json[-1]
    assert (len(entry["decisions"]), entry["active"][0]["loosened"]) == (1, [path])
    verified = world.run("verify", "-v")
    assert verified.code == 0, verified.out
    assert "of this change gives the same bytes" in verified.out
    links = [each for each in (world.folder / "store").glob("**/action-id/**/*") if each.is_file()]
    again = world.run("replay", links[0].name[:12], "-o", "json")
    assert (again.code, again.json["same"]) == (0, True), again.err
    assert world.run("report", links[0].name, "--out", "change.html").code == 0
    assert f"<dt>Loosened</dt><dd>{path}</dd>" in (world.folder / "change.html").read_text()


def test_a_lower_tier_is_named_and_approved_by_somebody_else(measured: World, tmp_path: Path) -> None:
    world = measured.copy(tmp_path)
    facts = world.folder / "policies" / "models" / "approval" / "data.yaml"
    activate = ("policy", "activate", "-e", "production", "--reason", "r", "--key", "owner.pem")
    facts.write_text("tier: low\n")
    unnamed = world.run(*activate)
    assert (unnamed.code, "models/approval/tier" in unnamed.err) == (2, True), unnamed.err
    named = (*activate, "--loosen", "models/approval/tier")
    refused = world.run(*named)
    assert (refused.code, "change.approvals" in refused.err) == (1, True), refused.err
    assert world.run("policy", "approve", "-e", "production", "--role", "risk", "--key", "risk.pem").code == 0
    assert world.run(*named).code == 0
    assert world.run("verify").code == 0
    facts.write_text("tier: low\nbusiness_owner: owner\n")
    assert world.run(*activate).code == 0, "the same tier again asks no less"


def enrol_owner(world: World) -> None:
    """A second person, who may approve as the ML owner."""
    assert world.run("keys", "new", "owner2.pem", "--identity", "owner2").code == 0
    given = ("--person", "owner2", "--role", "approve:ml-owner")
    assert world.run("trust", "add", "owner2.pem.pub", *given).code == 0
    where = ("-e", "staging", "-e", "production")
    assert world.run("policy", "activate", *where, "--reason", "r", "--key", "owner.pem").code == 0
