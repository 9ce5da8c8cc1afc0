"""`--plan` says what a move would change and changes nothing; `gates revert` puts back what was changed by hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from small_world import World

from gates.bundle.canonical import digest_document


@pytest.fixture(scope="module")
def world(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return measured.copy(tmp_path_factory.mktemp("previews"))


def state(world: World) -> dict[str, Any]:
    """Bytes of everything that a move may change, the store included."""
    files = [
        world.ledger,
        *(path for path in world.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts),
    ]
    kept = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.name != "mlflow.db"}
    return kept | {"aliases": dict(world.client.get_registered_model("approval").aliases)}


def planned(world: World, *arguments: object) -> tuple[int, dict[str, Any]]:
    before = state(world)
    ran = world.run(*arguments, "-e", "staging", "--reason", "t", "--plan", "--key", "applier.pem", "-o", "json")
    assert state(world) == before
    assert ran.out, ran.err
    return ran.code, ran.json["preview"]


def test_each_move_is_said_first_and_then_made(world: World) -> None:
    code, said = planned(world, "promote")
    assert (code, said["refused"]) == (0, None)
    assert said["aliases"] == ["approved-staging: 1 -> 2", "deployed-staging: 1 -> 2"]
    assert [route["version"]["version"] for route in said["after"]["routes"]] == ["2"]
    assert any(line.startswith("routes.2@") and line.endswith("nothing -> 100 %") for line in said["changes"])
    assert world.promote().code == 0
    assert state(world)["aliases"]["deployed-staging"] == 2
    assert planned(world, "promote")[1]["refused"] == "that is what serves already"

    code, said = planned(world, "rollback", "--incident", "model")
    assert (code, said["refused"]) == (0, None)
    assert said["aliases"] == ["approved-staging: 2 -> 1", "deployed-staging: 2 -> 1"]
    assert planned(world, "revert") == (
        1,
        said
        | {
            "after": said["before"],
            "aliases": [],
            "changes": [],
            "refused": "the ledger explains all of it [revert.nothing]",
        },
    )


def test_what_a_hand_changed_is_refused_said_and_put_back(world: World) -> None:
    path: Path = world.folder / "serving/staging.json"
    document = json.loads(path.read_text())
    document["pins"]["decision_threshold"] = 0.9
    path.write_text(json.dumps(document))
    world.client.set_registered_model_alias("approval", "deployed-staging", "1")
    assert world.run("status", "-e", "staging").code == 1
    code, said = planned(world, "rollback")
    assert (code, "serving.unexplained" in said["refused"]) == (1, True)
    code, said = planned(world, "revert")
    assert (code, said["refused"], said["aliases"]) == (0, None, ["deployed-staging: 1 -> 2"])
    assert any("decision_threshold: wanted 0.5, found 0.9" in line for line in said["changes"]), said["changes"]

    ran = world.run("revert", "-e", "staging", "--reason", "nobody decided that", "--key", "applier.pem")
    assert ran.code == 0, ran.err
    assert "reverted in staging: version 2 100 %" in ran.out
    assert json.loads(path.read_text())["pins"]["decision_threshold"] == 0.5
    assert world.run("status", "-e", "staging").code == 0
    verified = world.run("verify")
    assert verified.code == 0, verified.out
    assert "nobody decided that" in world.run("log").out


def test_a_release_that_is_marked_bad_is_no_way_back(world: World) -> None:
    entries = world.run("log", "-o", "json").json
    [adopted] = [each for each in entries if each["kind"] == "adopt" and each["slot"]["environment"] == "staging"]
    given = ("-e", "staging", "--reason", "wrong labels", "--key", "applier.pem")
    assert world.run("mark-bad", "1", *given).code == 2
    ran = world.run("mark-bad", digest_document(adopted["after"]), *given)
    assert ran.code == 0, ran.err
    ran = world.run("rollback", *given)
    assert (ran.code, "rollback.no_target" in ran.err) == (1, True), ran.err
    assert world.run("status", "-e", "staging").code == 0
    verified = world.run("verify")
    assert verified.code == 0, verified.out
