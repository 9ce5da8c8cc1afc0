"""`gates admit`, as a server asks it before it loads a model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from simulators.answering import Request, answering
from small_world import World

from gates.errors import UsageError
from gates.inputs.registry import NotRegistered, RegistryUnavailable
from gates.inputs.registry_lookup import local_folder, version_of_alias

HEAVY = {"mlflow", "pandas", "numpy", "ibis", "duckdb", "sklearn", "scipy", "pyarrow", "matplotlib", "wasmtime"}
IMPORTS = """
import json, sys
from gates.cli.main import cli
try:
    cli.main(sys.argv[1:], standalone_mode=False)
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def promoted(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Version 2 serves in staging, version 1 was adopted in production."""
    world = measured.copy(tmp_path_factory.mktemp("promoted"))
    assert world.promote().code == 0
    return world


def folder_of(world: World, version: str) -> Path:
    found = local_folder(f"sqlite:///{world.folder / 'mlflow.db'}", "approval", version)
    assert found is not None
    return found


@pytest.mark.parametrize("uri", ["models:/approval/2", "models:/approval@approved-staging"])
def test_what_serves_is_admitted(promoted: World, uri: str) -> None:
    ran = promoted.run("admit", uri, "-e", "staging", "-o", "json")
    assert ran.code == 0, ran.err
    assert (ran.json["model"], ran.json["percent"], ran.json["basis"]) == ("models:/approval/2", 100, "proven")
    assert ran.json["decision_id"].startswith("sha256:")


def test_what_was_adopted_is_admitted_and_called_so(promoted: World) -> None:
    ran = promoted.run("admit", "models:/approval@champion", "-e", "production")
    assert (ran.code, "adopted, without a decision" in ran.out) == (0, True), ran.err


@pytest.mark.parametrize(
    ("uri", "environment", "code", "said"),
    [
        ("models:/approval/1", "staging", 1, "admit.not_current"),
        ("models:/approval/2", "production", 1, "admit.not_current"),
        ("models:/approval/2", "development", 2, "ledger.development"),
        ("models:/approval@challenger", "staging", 1, "alias.unexplained"),
        ("models:/approval@approved-production", "staging", 1, "admit.not_current"),
        ("models:/approval@nobody", "staging", 2, "registry.not_found"),
        ("approval", "staging", 2, "registry.uri"),
        ("models:/approval/2", "moon", 3, "ledger.policy"),
        ("models:/other/2", "staging", 1, "admit.not_current"),
    ],
)
def test_what_does_not_serve_there_is_refused(
    promoted: World, uri: str, environment: str, code: int, said: str
) -> None:
    ran = promoted.run("admit", uri, "-e", environment)
    assert (ran.code, said in ran.err) == (code, True), ran.err


def test_an_alias_set_by_hand_is_refused(promoted: World, tmp_path: Path) -> None:
    world = promoted.copy(tmp_path)
    world.client.set_registered_model_alias("approval", "approved-staging", "1")
    ran = world.run("admit", "models:/approval@approved-staging", "-e", "staging")
    assert (ran.code, "alias.unexplained" in ran.err) == (1, True), ran.err
    assert world.run("admit", "models:/approval/2", "-e", "staging").code == 0


def test_the_bytes_that_are_about_to_be_loaded_count(promoted: World, tmp_path: Path) -> None:
    mounted = tmp_path / "model"
    shutil.copytree(folder_of(promoted, "2"), mounted)
    assert promoted.run("admit", "models:/approval/2", "-e", "staging", "--bytes", mounted).code == 0
    with (mounted / "MLmodel").open("ab") as file:
        file.write(b"\n# harmless\n")
    ran = promoted.run("admit", "models:/approval/2", "-e", "staging", "--bytes", mounted)
    assert (ran.code, "model.bytes_changed" in ran.err) == (3, True)
    ran = promoted.run("admit", "models:/approval/2", "-e", "staging", "--bytes", folder_of(promoted, "1"))
    assert ran.code == 3


def test_after_a_rollback_it_is_refused(promoted: World, tmp_path: Path) -> None:
    world = promoted.copy(tmp_path)
    assert world.run("rollback", "-e", "staging", "--reason", "worse", "--key", "applier.pem").code == 0
    assert world.run("admit", "models:/approval/2", "-e", "staging").code == 1
    assert world.run("admit", "models:/approval/1", "-e", "staging").code == 0
    assert world.run("admit", "models:/approval/1", "-e", "staging", GATES_LEDGER_ROOT="sha256:" + "0" * 64).code == 3


def test_it_imports_nothing_heavy(promoted: World) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTS, "admit", "models:/approval@approved-staging", "-e", "staging"],
        cwd=promoted.folder,
        env=os.environ | promoted.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert set(json.loads(ran.stderr.splitlines()[-1])) & HEAVY == set()


def test_an_alias_is_asked_of_a_server() -> None:
    seen: list[str | None] = []

    def answer(asked: Request) -> tuple[int, bytes]:
        seen.append(asked.headers.get("Authorization"))
        parts = urlsplit(asked.path)
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        good = parts.path == "/api/2.0/mlflow/registered-models/alias" and said["name"] == "a b"
        code = {"x": 200, "gone": 404}.get(said["alias"], 500) if good else 400
        return code, json.dumps({"model_version": {"name": "a b", "version": "7"}}).encode()

    user = {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}
    with answering(answer) as address:
        uri = f"{address}/"
        assert version_of_alias(uri, "a b", "x", {"MLFLOW_TRACKING_TOKEN": "t"}) == "7"
        assert version_of_alias(uri, "a b", "x", user) == "7"
        assert seen == ["Bearer t", "Basic dTpw"]
        with pytest.raises(NotRegistered):
            version_of_alias(uri, "a b", "gone", {})
        with pytest.raises(RegistryUnavailable):
            version_of_alias(uri, "a b", "broken", {})
    with pytest.raises(RegistryUnavailable):
        version_of_alias(uri, "a b", "x", {})
    with pytest.raises(UsageError):
        version_of_alias("databricks", "a b", "x", {})


@pytest.mark.parametrize("down", ["ledger", "store", "registry", "all"])
def test_a_rollback_needs_only_the_pack_and_the_target(promoted: World, tmp_path: Path, down: str) -> None:
    """Each taken away in turn, and all together, and given back: what was out of reach is a debt, and is paid."""
    world = promoted.copy(tmp_path)
    parts = {"ledger": world.ledger, "store": world.folder / "store", "registry": world.folder / "mlflow.db"}
    gone = list(parts.values()) if down == "all" else [parts[down]]
    for path in gone:
        path.rename(tmp_path / f"{path.name}.away")
    ran = world.run("rollback", "-e", "staging", "--reason", "night", "--key", "applier.pem", "-o", "json")
    assert ran.code == 0, ran.err
    assert [route["version"]["version"] for route in ran.json["observed"]["routes"]] == ["1"]
    assert (ran.json["journalled"], bool(ran.json["debts"])) == (down != "registry", True)
    for path in gone:
        (tmp_path / f"{path.name}.away").rename(path)
    reconcile = ("reconcile", "-e", "staging", "--key", "applier.pem")
    left = world.run(*reconcile, "-o", "json")
    assert (left.code, left.json["left"]) == (1, "debts" if down == "registry" else "journal"), left.err
    assert world.run(*reconcile, "--finish").code == 0
    assert world.run(*reconcile).code == 0
    assert world.run("admit", "models:/approval@deployed-staging", "-e", "staging").code == 0
    assert world.run("status", "-e", "staging").code == 0
