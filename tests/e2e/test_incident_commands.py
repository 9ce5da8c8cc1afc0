"""An incident as the person on call types it: what served is kept, the matrix chooses, a record and a second person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import venv
from pathlib import Path
from typing import Any

import pytest
from simulators.answering import Request, answering
from small_world import World

from gates.flow import incidents, snapshot
from gates.project import now_us

DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def moved(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Version 2 serves in staging; version 1 did."""
    world = measured.copy(tmp_path_factory.mktemp("moved"))
    assert world.promote().code == 0
    return world


@pytest.fixture
def world(moved: World, tmp_path: Path) -> World:
    return moved.copy(tmp_path)


def back(world: World, incident: str, *arguments: object, key: str = "applier.pem") -> Any:
    return world.run(
        "rollback", "-e", "staging", "--incident", incident, "--reason", "AUC fell", "--key", key, *arguments
    )


def served(world: World) -> str:
    document = json.loads((world.folder / "serving" / "staging.json").read_text())
    return str(document["approved"]["version"])


def test_a_bad_model_is_left_with_a_snapshot_a_record_and_a_second_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.folder / "app.log").write_text("x" * 2_000_000 + "the last line\n")
    world.edit("  kept_hours: 24\n", "  kept_hours: 24\n  snapshot: [app.log, gone.log]\n")
    for incident in ("data", "feature", "serving", "threshold-or-flag", "upstream-outage"):
        ran = back(world, incident)
        assert (ran.code, served(world)) == (1, "2"), ran.out
        assert "rollback.no_target" in ran.err
    ran = back(world, "model")
    assert (ran.code, served(world)) == (0, "1"), ran.err
    assert "absent: gone.log: No such file" in ran.out.replace("FileNotFoundError: [Errno 2] ", "")

    record = world.run("incident", "-e", "staging", "--out", "record.md")
    assert record.code == 0, record.err
    text = (world.folder / "record.md").read_text()
    assert "- type: model" in text
    assert "app.log" in text
    assert "absent: gone.log" in text.replace("\\", "")
    assert "nobody yet" in text
    assert "## Cause" in text
    assert world.run("incident", "-e", "staging", "--out", "record.md").code == 2

    project = _project(world, monkeypatch)
    [kept] = project.store.linked(snapshot.LINK, "approval@staging")[-1:]
    held = [json.loads(project.store.get(digest)) for digest in project.store.linked(snapshot.LINK, "approval@staging")]
    assert any(each["kept"].get("target") for each in held), kept
    logs = [project.store.get(each["kept"]["app.log"]) for each in held]
    assert all(log.endswith(b"the last line\n") and len(log) == 1_000_000 for log in logs)

    assert world.run("status").code == 0
    monkeypatch.setattr(incidents, "now_us", lambda: now_us() + 4 * DAY_US)
    for command in ("status", "verify"):
        said = world.run(command)
        assert said.code == (1 if command == "status" else 3), said.out
        assert "rollback.unconfirmed" in said.out
    monkeypatch.undo()

    confirm = ("confirm", "-e", "staging", "--reason", "I looked at the figures", "--key")
    same = world.run(*confirm, "applier.pem")
    assert (same.code, "confirm.same_person" in same.err) == (1, True)
    assert "key.unlisted" in world.run(*confirm, "measurer.pem").err
    assert world.run(*confirm, "risk.pem").code == 0
    assert "confirm.nothing" in world.run(*confirm, "risk.pem").err
    monkeypatch.setattr(incidents, "now_us", lambda: now_us() + 4 * DAY_US)
    assert world.run("status").code == 0
    assert world.run("verify").code == 0
    assert "confirmed by: risk" in world.run("incident", "-e", "staging").out


def _project(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    from gates.plan.spec import load_spec
    from gates.project import Project

    return Project(load_spec(world.folder), world.environ)


def test_a_snapshot_is_never_waited_for_and_its_absence_is_on_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SECONDS", 0.05)
    monkeypatch.setattr(snapshot, "_end_of", lambda *_: threading.Event().wait(30) or b"")
    world.edit("  kept_hours: 24\n", "  kept_hours: 24\n  snapshot: [app.log]\n")
    ran = back(world, "model")
    assert (ran.code, served(world)) == (0, "1"), ran.err
    assert "absent: app.log: not within 0.05 s" in ran.out
    [entry] = [item for item in json.loads(world.run("log", "-o", "json").out) if item["kind"] == "rollback"]
    assert (entry["reason"], entry["incident"]) == ("AUC fell", "model")
    assert world.run("incident", "-e", "staging", "-o", "json").json["snapshot"]["absent"] == [
        "app.log: not within 0.05 s"
    ]


def test_without_the_ledger_the_pack_chooses_and_what_is_missing_is_said(world: World) -> None:
    world.ledger.rename(world.ledger.with_name("away"))
    ran = back(world, "data")
    assert (ran.code, "rollback.no_target" in ran.err) == (1, True), ran.err
    (world.folder / "store").rename(world.folder / "store-away")
    ran = back(world, "model")
    assert (ran.code, served(world)) == (0, "1"), ran.err
    assert "no snapshot" in ran.out
    assert "journal" in ran.out


def test_retraining_is_asked_for_and_nothing_moves(world: World) -> None:
    got: list[Any] = []

    def answer(asked: Request) -> tuple[int, bytes]:
        got.append((asked.headers.get("Authorization"), json.loads(asked.body)))
        return 204, b""

    refused = back(world, "retrain")
    assert (refused.code, "rollback.retrain" in refused.err) == (2, True)
    with answering(answer) as address:
        world.edit("  kept_hours: 24\n", f"  kept_hours: 24\n  retrain: {address}/dispatches\n")
        world.environ["GATES_DISPATCH_TOKEN"] = "t0ken-of-nobody"
        ran = back(world, "retrain")
    assert (ran.code, served(world)) == (0, "2"), ran.err
    [(authorization, body)] = got
    assert (authorization, body["event_type"]) == ("Bearer t0ken-of-nobody", "retrain")
    assert body["client_payload"]["reason"] == "AUC fell"
    assert "rollback" not in {item["kind"] for item in json.loads(world.run("log", "-o", "json").out)}
    assert back(world, "retrain").code == 4


def _registry_down(world: World) -> None:
    (world.folder / "mlflow.db").rename(world.folder / "mlflow-away.db")


def _store_down(world: World) -> None:
    (world.folder / "store").rename(world.folder / "store-away")


def _opa_down(world: World) -> None:
    world.environ["GATES_OPA_URL"] = "http://127.0.0.1:1"


def _ledger_down(world: World) -> None:
    world.ledger.rename(world.ledger.with_name("away"))


DOWN = {"registry": _registry_down, "store": _store_down, "OPA": _opa_down, "ledger": _ledger_down}


@pytest.mark.parametrize("down", [*DOWN, "all"])
def test_whatever_is_down_the_traffic_comes_back_and_the_rest_is_a_debt(world: World, down: str) -> None:
    for name, fail in DOWN.items():
        if down in (name, "all"):
            fail(world)
    ran = back(world, "model", "-o", "json")
    assert (ran.code, served(world)) == (0, "1"), ran.err
    done = ran.json
    assert done["journalled"] == (down in ("store", "ledger", "all"))
    assert bool(done["debts"]) == (down != "OPA"), done["debts"]
    assert any("hashed" in debt for debt in done["debts"]) == (down in ("registry", "all"))


@pytest.mark.long
@pytest.mark.parametrize("down", ["nothing", *DOWN, "all"])
def test_a_runtime_from_a_wheelhouse_rolls_back_without_network_or_mlflow(
    runtime: Path, world: World, down: str
) -> None:
    """What the runtime cannot reach for want of a package is a debt, like what is down."""
    for name, fail in DOWN.items():
        if down in (name, "all"):
            fail(world)
    ran = subprocess.run(
        [
            *(*CUT, runtime / "bin" / "gates", "rollback", "-e", "staging", "--incident", "model"),
            *("--reason", "AUC fell", "--key", "applier.pem", "-o", "json"),
        ],
        cwd=world.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(world.folder), **world.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, served(world)) == (0, "1"), ran.stderr
    done = json.loads(ran.stdout)
    assert done["journalled"] == (down in ("store", "ledger", "all"))
    assert any("aliases" in debt for debt in done["debts"])
    if down in ("nothing", "OPA"):
        paid = world.run("reconcile", "-e", "staging", "--finish", "--key", "applier.pem")
        assert paid.code == 0, paid.err
        assert world.run("status").code == 0
        assert world.run("verify").code == 0


CUT = ("unshare", "--user", "--map-root-user", "--net")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own, installed with the network cut from wheels that were downloaded before."""
    if subprocess.run([*CUT, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("the network cannot be cut here: no user namespaces")
    wheels, home = tmp_path_factory.mktemp("wheelhouse"), tmp_path_factory.mktemp("runtime")
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, root / "tools" / "wheelhouse.py", wheels], check=True)
    venv.create(home, with_pip=True)
    install = (home / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
    subprocess.run([*CUT, *install, *wheels.glob("*.whl")], check=True)
    names = {path.name.partition("-")[0] for path in wheels.glob("*.whl")}
    assert not names & {"mlflow", "mlflow_skinny", "pandas", "scikit_learn", "duckdb", "ibis_framework"}
    return home
