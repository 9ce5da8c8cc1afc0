"""Promote, roll back and adopt as a person types them: what a move needs, and what finishes one that was killed."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from simulators.killer import run_and_kill
from small_world import World

OTHER = "sha256:" + "0" * 64
PROMOTE = ("promote", "-e", "staging", "--reason", "t", "--key", "applier.pem")


def split(world: World, environment: str) -> dict[str, int]:
    """Version -> percent, as the serving target states it."""
    document = json.loads((world.folder / "serving" / f"{environment}.json").read_text())
    return {route["version"]: route["percent"] for route in document["routes"]}


def request(ran: Any) -> Any:
    return ran.json["decision"]["request"]


def rollback(world: World) -> None:
    ran = world.run("rollback", "-e", "staging", "--reason", "worse", "--key", "applier.pem")
    assert ran.code == 0, ran.err


def test_after_a_rollback_old_measurements_sealed_again_are_no_new_evidence(world):
    measured = world.run("measure", "-e", "staging", "--out", "m")
    assert measured.code == 0, measured.err
    assert world.promote("--bundle", seal(world)).code == 0
    rollback(world)
    again = world.promote("--bundle", seal(world))
    assert (again.code, again.denying) == (1, {"release.suspect"})
    assert split(world, "staging") == {"1": 100}
    assert world.check().code == 0
    assert world.promote().code == 0
    assert world.run("verify").code == 0


def seal(world: World) -> str:
    sealed = world.run("seal", "m", "-e", "staging", "--key", "measurer.pem")
    assert sealed.code == 0, sealed.err
    return sealed.out.strip()


def test_a_share_of_the_rung_below_is_no_step_of_the_ladder(world):
    assert world.promote("--percent", "1").code == 0
    assert split(world, "staging") == {"1": 99, "2": 1}
    assert "ladder.skipped" in world.promote("-e", "production").denying
    assert world.promote("--percent", "100").code == 0
    assert "ladder.skipped" not in world.promote("-e", "production").denying


@pytest.mark.parametrize("rollout", ["", "rollout: {production: [25, 100]}"])
def test_a_branch_does_not_choose_the_first_step_in_production(world, rollout):
    world.edit("rollout: {production: [5, 25, 100]}", rollout)
    default = world.promote("-e", "production")
    assert ("rollout.step" in default.denying) == bool(rollout)
    if not rollout:
        assert request(default)["percent"] == 5
    for percent in (6, 100):
        asked = world.promote("-e", "production", "--percent", percent)
        assert asked.code == 1
        assert "rollout.step" in asked.denying
    assert "rollout.step" not in world.promote("-e", "production", "--percent", "5").denying
    assert split(world, "production") == {"1": 100}


def test_a_lost_target_is_no_way_to_adopt_another_version(world):
    (world.folder / "serving" / "production.json").unlink()
    adopt = ("-e", "production", "--reason", "r", "--key", "applier.pem")
    ran = world.run("adopt", "models:/approval/2", *adopt)
    assert ran.code == 1
    assert "adopt.not_serving" in ran.err
    assert "models:/approval/1" in ran.err
    assert not (world.folder / "serving" / "production.json").exists()
    assert world.run("adopt", "models:/approval/1", *adopt).code == 0
    assert split(world, "production") == {"1": 100}
    assert world.run("status").code == 0


def kill(world: World, module: str, method: str) -> None:
    """Run the promotion in a process of its own, forked from this one, which dies where it would call the method."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"gates.apply.{module}.{method}", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        assert run_and_kill(lambda: world.run(*PROMOTE))


@pytest.mark.parametrize("method", ["Surfaces.serve", "Surfaces.move_aliases"])
def test_a_killed_promotion_is_finished_by_the_same_command(world, method):
    kill(world, "surfaces", method)
    assert "run the same command again" in world.run("status").out
    for other in (("--percent", "50"), ("--candidate", "models:/approval/1"), ("--bundle", OTHER)):
        refused = world.promote(*other)
        assert refused.code == 1
        assert "slot.open" in refused.err
    again = world.promote()
    assert again.code == 0, again.out + again.err
    assert (again.json["applied"]["resumed"], again.json["answer"]) == (True, "allow")
    assert split(world, "staging") == {"2": 100}
    assert world.run("status").code == 0
    assert world.run("verify").code == 0


def test_a_promotion_that_was_killed_before_its_pack_is_found_done(world):
    kill(world, "saga", "keep_pack")
    pack = world.folder / "serving" / "staging.json.rollback-pack.json"
    before, log = pack.read_bytes(), world.run("log").out
    again = world.promote()
    assert (again.code, again.json["applied"]["resumed"]) == (0, True), again.out + again.err
    assert pack.read_bytes() != before
    assert world.run("log").out == log
    assert world.promote("--percent", "50").code != 0
    assert split(world, "staging") == {"2": 100}


def test_a_killed_promotion_of_another_key_is_not_finished(world):
    kill(world, "surfaces", "Surfaces.serve")
    assert world.run("keys", "new", "second.pem", "--identity", "second").code == 0
    given = ("--person", "second", "--role", "decide", "--role", "apply")
    assert world.run("trust", "add", "second.pem.pub", *given).code == 0
    where = ("-e", "staging", "-e", "production")
    assert world.run("policy", "activate", *where, "--reason", "r", "--key", "owner.pem").code == 0
    ran = world.run("promote", "-e", "staging", "--reason", "t", "--key", "second.pem")
    assert ran.code == 1
    assert "slot.open" in ran.err
