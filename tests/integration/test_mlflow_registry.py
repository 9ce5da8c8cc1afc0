"""The registry port on a sqlite file and on a live tracking server: the same answers."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.errors import EvidenceError, UsageError
from gates.inputs.late_registry import LateRegistry
from gates.inputs.mlflow_registry import MlflowRegistry, quiet_mlflow
from gates.inputs.model_digest import UnhashableModel, digest_model
from gates.inputs.registry import NotRegistered, RegistryUnavailable
from gates.inputs.scorer import Asked, score

SOURCE = """
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input[["a"]].rename(columns={"a": "probability"})

mlflow.models.set_model(Echo())
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with model `m`, two versions, the second a pyfunc from code, and `it's` with one."""
    folder = tmp_path_factory.mktemp("mlflow")
    quiet_mlflow()
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    uri = f"sqlite:///{folder}/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    mlflow.set_tracking_uri(uri)
    experiment = client.create_experiment("e", artifact_location=(folder / "artifacts").as_uri())
    rows = pd.DataFrame({"b": [0.0, 1.0, 2.0, 3.0], "a": [0.1, 0.2, 0.3, 0.4]})
    native = LogisticRegression().fit(rows, [0, 1, 0, 1])
    (folder / "echo.py").write_text(SOURCE)
    given = {"signature": infer_signature(rows, np.array([0.5])), "pip_requirements": []}
    with mlflow.start_run(experiment_id=experiment):
        one = mlflow.sklearn.log_model(native, name="m", serialization_format="skops", **given)
        two = mlflow.pyfunc.log_model(name="m", python_model=str(folder / "echo.py"), **given)
    tags = {"gates.lineage.holdout_digest": "sha256:00", "other": "é"}
    for name, info, extra in (("m", one, tags), ("m", two, {}), ("it's", one, {})):
        mlflow.register_model(info.model_uri, name, tags=extra)
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def server(filled: Path) -> Iterator[str]:
    """A live server, over a copy of the database; it serves the artifacts too."""
    shutil.copy(filled / "mlflow.db", filled / "served.db")
    uri = f"http://127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{filled}/served.db"]
    command += ["--port", uri.rpartition(":")[2], "--workers", "1", "--serve-artifacts"]
    command += ["--artifacts-destination", str(filled / "artifacts")]
    # Without the queue of jobs, whose four workers are not what is asked here.
    environ = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environ
    ) as process:
        try:
            for _ in range(300):
                time.sleep(0.2)
                try:
                    urllib.request.urlopen(f"{uri}/health", timeout=2).close()
                    break
                except OSError:
                    assert process.poll() is None
            yield uri
        finally:
            os.killpg(process.pid, 15)


@pytest.fixture(params=["file", "server"])
def registry(request: pytest.FixtureRequest, filled: Path) -> MlflowRegistry:
    if request.param == "server":
        return MlflowRegistry(request.getfixturevalue("server"))
    return MlflowRegistry(f"sqlite:///{filled}/mlflow.db")


def test_resolve_fetch_and_digest(registry: MlflowRegistry, tmp_path: Path) -> None:
    found = registry.resolve("models:/m/1")
    assert (found.features, found.flavor) == (("b", "a"), "sklearn")
    assert found.lineage == {"holdout_digest": "sha256:00"}
    assert found.tags == {"gates.lineage.holdout_digest": "sha256:00", "other": "é"}
    folder = registry.fetch(found.version, tmp_path / "m")
    assert (folder / "MLmodel").is_file()
    assert not (folder / "registered_model_meta").exists()
    assert digest_model(folder) == found.version.digest == registry.digest("m", "1")
    assert registry.resolve("models:/m/2").version.digest != found.version.digest


def test_aliases_move_and_case_variants_are_refused(registry: MlflowRegistry) -> None:
    registry.set_alias("m", "approved-staging", "1")
    registry.set_alias("m", "approved-staging", "2")
    registry.set_alias("m", "approved-staging", "2")
    assert registry.aliases("m") == {"approved-staging": "2"}
    assert registry.resolve("models:/m@approved-staging").version.version == "2"
    for call in (
        lambda: registry.set_alias("m", "Approved-staging", "1"),
        lambda: registry.resolve("models:/m@Approved-staging"),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == "registry.alias_case"
    registry.delete_alias("m", "approved-staging")
    assert registry.aliases("m") == {}
    with pytest.raises(NotRegistered):
        registry.delete_alias("m", "approved-staging")


def test_tags(registry: MlflowRegistry) -> None:
    registry.set_tag("m", "2", "gates.decision", "sha256:11")
    assert registry.resolve("models:/m/2").tags == {"gates.decision": "sha256:11"}


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("models:/n/1", "no registered model n; there are: it's, m"),
        ("models:/its@x", "no registered model its; did you mean it's?"),
        ("models:/m/9", "m has no version 9; there are versions 1, 2"),
        ("models:/it's/2", "it's has no version 2; there are versions 1"),
        ("models:/m@champion", "m has no alias champion; there are none"),
    ],
)
def test_what_is_not_there_is_exit_2_and_says_what_is(registry: MlflowRegistry, uri: str, said: str) -> None:
    with pytest.raises(NotRegistered) as caught:
        registry.resolve(uri)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("alias", "version"), [("v1", "1"), ("latest", "1"), ("a b", "1"), ("", "1"), ("ok", "99")])
def test_an_alias_that_mlflow_refuses_is_exit_2(registry: MlflowRegistry, alias: str, version: str) -> None:
    with pytest.raises(UsageError):
        registry.set_alias("m", alias, version)
    assert alias not in registry.aliases("m")


def test_a_native_model_without_a_pickle_and_a_pyfunc_are_scored(filled: Path, tmp_path: Path) -> None:
    registry = MlflowRegistry(f"sqlite:///{filled}/mlflow.db")
    features = tmp_path / "f.parquet"
    pq.write_table(
        pa.table({"row_id": range(40), "a": np.linspace(0.1, 0.9, 40), "b": np.linspace(0, 3, 40)}), features
    )
    for version in ("1", "2"):
        folder = registry.fetch(registry.resolve(f"models:/m/{version}").version, tmp_path / version)
        score(folder, features, tmp_path / f"{version}.parquet", asked=Asked("binary"), timeout_s=120)
    first, second = (pq.read_table(tmp_path / f"{v}.parquet").column("p").to_numpy() for v in ("1", "2"))
    assert (np.diff(first) > 0).all()
    np.testing.assert_array_equal(second, pq.read_table(features).column("a").to_numpy())


@pytest.fixture
def copied(filled: Path, tmp_path: Path) -> tuple[MlflowRegistry, Path]:
    """A registry of its own, whose artifacts a test may spoil; with the folder of version 1."""
    folder = Path(shutil.copytree(filled, tmp_path / "copy"))
    with sqlite3.connect(folder / "mlflow.db") as connection:
        for table, column in (("model_versions", "storage_location"), ("logged_models", "artifact_location")):
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(filled), str(folder)))
    registry = MlflowRegistry(f"sqlite:///{folder}/mlflow.db")
    (artifact,) = [path.parent for path in folder.glob("artifacts/**/MLmodel") if "sklearn" in path.read_text()]
    return registry, artifact


def test_changed_bytes_do_not_pass_for_the_version(copied: tuple[MlflowRegistry, Path], tmp_path: Path) -> None:
    registry, artifact = copied
    version = registry.resolve("models:/m/1").version
    with (artifact / "model.skops").open("ab") as file:
        file.write(b"\0")
    assert registry.digest("m", "1") != version.digest
    with pytest.raises(EvidenceError) as caught:
        registry.fetch(version, tmp_path / "m")
    assert (caught.value.exit_code, caught.value.code) == (3, "model.digest_mismatch")


def test_a_link_in_the_artifact_is_refused(copied: tuple[MlflowRegistry, Path], tmp_path: Path) -> None:
    registry, artifact = copied
    version = registry.resolve("models:/m/1").version
    (artifact / "labels").symlink_to("/etc/passwd")
    for call in (lambda: registry.digest("m", "1"), lambda: registry.fetch(version, tmp_path / "m")):
        with pytest.raises(UnhashableModel):
            call()


def test_bytes_that_are_gone_are_exit_4(copied: tuple[MlflowRegistry, Path]) -> None:
    registry, artifact = copied
    shutil.rmtree(artifact)
    with pytest.raises(RegistryUnavailable):
        registry.resolve("models:/m/1")


def test_a_folder_that_is_not_empty_is_not_written_into(filled: Path, tmp_path: Path) -> None:
    registry = MlflowRegistry(f"sqlite:///{filled}/mlflow.db")
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError):
        registry.fetch(registry.resolve("models:/m/1").version, tmp_path)


def test_a_registry_that_is_down_is_exit_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "not.db").write_bytes(b"x" * 5000)
    with pytest.raises(RegistryUnavailable) as spoilt:
        MlflowRegistry(f"sqlite:///{tmp_path}/not.db")
    with pytest.raises(RegistryUnavailable) as dead:
        MlflowRegistry(f"http://127.0.0.1:{_free_port()}").resolve("models:/m/1")
    for caught in (spoilt, dead):
        assert (caught.value.exit_code, caught.value.code) == (4, "registry.unavailable")
        assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there_is_exit_2_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        MlflowRegistry(f"sqlite:///{tmp_path}/no.db")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "no.db").exists()


def test_a_late_registry_hashes_what_lies_here_without_being_opened(copied: tuple[MlflowRegistry, Path]) -> None:
    registry, artifact = copied

    def never() -> MlflowRegistry:
        pytest.fail("it is opened")

    late = LateRegistry(registry.uri, never)
    registry.set_alias("m", "deployed-staging", "2")
    assert late.aliases("m") == registry.aliases("m") == {"deployed-staging": "2"}
    assert late.aliases("it's") == {}
    before = late.digest("m", "1")
    assert before == registry.digest("m", "1")
    with (artifact / "model.skops").open("ab") as file:
        file.write(b"\0")
    assert before != late.digest("m", "1") == registry.digest("m", "1")


def test_a_late_registry_is_opened_for_all_else_and_may_be_down_then(filled: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{filled}/mlflow.db"
    late = LateRegistry(uri, lambda: MlflowRegistry(uri))
    for call in (lambda: late.digest("m", "9"), lambda: late.aliases("n")):
        with pytest.raises(NotRegistered):
            call()
    (tmp_path / "not.db").write_bytes(b"x" * 5000)
    for place in ("not.db", "no.db"):
        down = f"sqlite:///{tmp_path}/{place}"
        spoilt = LateRegistry(down, lambda down=down: MlflowRegistry(down))  # type: ignore[misc]
        for call in (lambda spoilt=spoilt: spoilt.aliases("m"), lambda spoilt=spoilt: spoilt.digest("m", "1")):
            with pytest.raises(RegistryUnavailable):
                call()


def test_mlflow_says_nothing(filled: Path) -> None:
    call = (
        f"from gates.inputs.mlflow_registry import MlflowRegistry as R; R('sqlite:///{filled}/mlflow.db').aliases('m')"
    )
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
