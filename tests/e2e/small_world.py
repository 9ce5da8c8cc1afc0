"""A model with a champion and a better candidate, its registry, keys, policies and ledger: small, and wholly real."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from cli_runner import Ran, gates
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

from gates.bundle.canonical import digest_bytes

SPEC = """
model: approval
task: binary
registry: sqlite:///mlflow.db
candidate: models:/approval@challenger
champion: models:/approval@champion
policies: policies
trust: trust.yaml
store: store
ledger: sqlite:///{ledger}
serving: {{file: "serving/{{environment}}.json", configuration: "serving-{{environment}}.yaml"}}
columns: {{label: y, key: [id], time: at}}
rows: independent
tables:
  training: {{uri: training.parquet}}
  calibration: {{uri: training.parquet}} # its later rows
  holdout: {{uri: holdout.parquet, as_of: "2026-01-01T00:00:00Z"}}
  offline: {{uri: offline.parquet}}
  online: {{uri: online.parquet}}
release:
  {{image: "{image}", data_snapshot: "{data}", decision_threshold: 0.5, feature_views: {{applicant: 3}}, flags: {{ranking: new}}, fallback: none}}
rollback:
  image: "images/{{hex}}.json"
  data_snapshot: "snapshots/{{digest}}"
  feature_views: "views/{{name}}-{{version}}.yaml"
  golden: {{rows: golden.parquet}}
  kept_hours: 24
rollout: {{production: [5, 25, 100]}}
"""
MANIFEST, SNAPSHOT = b'{"layers": []}', b"the rates of January"
"""The bytes of the serving image's manifest, and of what serving reads."""
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
REVISION = "48723cf9b7b8afd381306fce64fa2b69ae5dec6f"
"""The one commit in the project's history, the same in each world: nothing in it differs."""
TAGS = {
    "owner": "credit",
    **{
        f"gates.lineage.{word}": said
        for word, said in {
            "training_snapshot": "2026-01",
            "validation_snapshot": "2026-01",
            "query_digest": "sha256:" + "9" * 64,
            "as_of": "2026-01-01T00:00:00+00:00",
            "feature_definitions": "x and w as they come",
            "label_definition": "paid back within a year",
            "parameters": "{}",
            "code_revision": REVISION,
            "environment_digest": "sha256:" + "8" * 64,
            "vulnerability_scan": "sha256:" + "7" * 64,
        }.items()
    },
    **{f"gates.changelog.{word}": word for word in ("what", "why", "impact")},
}
"""What a version says of where it comes from."""
CONFIGURATION = "{replicas: {minimum: 2}, size: small, capture: {percent: 100}, variables: {LEVEL: info}}\n"
ROLES = {"owner": "policy", "measurer": "measure", "applier": "apply", "risk": "approve:risk"}


@dataclass
class World:
    """A project folder, and a ledger outside of it."""

    folder: Path
    ledger: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object, **environ: str) -> Ran:
        return gates(*arguments, cwd=self.folder, environ=self.environ | environ)

    def check(self, *arguments: object, key: str = "measurer.pem") -> Ran:
        return self.run("check", "-e", "staging", "--key", key, "-o", "json", *arguments)

    def promote(self, *arguments: object) -> Ran:
        where = () if "-e" in arguments else ("-e", "staging")
        return self.run("promote", *where, "--reason", "t", "--key", "applier.pem", "-o", "json", *arguments)

    def copy(self, to: Path) -> World:
        """A second one that shares nothing with this."""
        shutil.copytree(self.folder, to / "project")
        shutil.copy(self.ledger, to / "ledger.db")
        spec = (to / "project" / "gates.yaml").read_text().replace(str(self.ledger), str(to / "ledger.db"))
        (to / "project" / "gates.yaml").write_text(spec)
        with closing(sqlite3.connect(to / "project" / "mlflow.db")) as registry, registry:
            for table, column in LOCATIONS:
                moved = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
                registry.execute(moved, (self.folder.as_uri(), (to / "project").as_uri()))
        return World(to / "project", to / "ledger.db", dict(self.environ))

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "gates.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @property
    def client(self) -> mlflow.MlflowClient:
        uri = f"sqlite:///{self.folder / 'mlflow.db'}"
        return mlflow.MlflowClient(uri, uri)


def tables(folder: Path) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 30_000
    x = rng.normal(0, 1.5, n)
    table = pd.DataFrame({"id": [f"a{i}" for i in range(n)], "x": x, "w": x + rng.normal(0, 1, n)})
    table["at"] = pd.Timestamp("2025-12-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 30 * 86400, n), unit="s")
    table["y"] = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    training, holdout = table[:6000], table[6000:]
    training.to_parquet(folder / "training.parquet", index=False)
    holdout.to_parquet(folder / "holdout.parquet", index=False)
    training[["x", "w"]].head(5).to_parquet(folder / "golden.parquet", index=False)
    holdout.drop(columns="y").to_parquet(folder / "offline.parquet", index=False)
    served = holdout[["at", "id", "w", "x"]]  # as serving logged it: a table of its own
    served.to_parquet(folder / "online.parquet", index=False)
    return training


def with_sets(model: LogisticRegression, used: str) -> Any:
    """The model on one feature, with split-conformal sets; a class of no module, so that it travels by value."""

    class Model:
        feature_names_in_ = ("x", "w")
        threshold = 0.0

        def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
            return np.asarray(model.predict_proba(X[[used]]))

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return np.asarray(self.predict_proba(X)[:, 1] > 0.5)

        def predict_set(self, X: pd.DataFrame) -> np.ndarray:
            return np.asarray(self.predict_proba(X) >= self.threshold)

    return Model()


def register(folder: Path, training: pd.DataFrame) -> None:
    """Version 1 looks at the noisy column, version 2 at the other."""
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    client.create_registered_model("approval")
    mlflow.create_experiment("approval", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("approval")
    features = training[["x", "w"]]
    fitting, rest = training[:2000], training[2000:]
    for number, (alias, used) in enumerate({"champion": "w", "challenger": "x"}.items(), start=1):
        model = with_sets(LogisticRegression().fit(fitting[[used]], fitting["y"]), used)
        true = model.predict_proba(rest)[np.arange(len(rest)), rest["y"]]
        type(model).threshold = float(np.quantile(true, 0.1))
        log_version(client, model, features)
        client.set_registered_model_alias("approval", alias, str(number))


def log_version(client: mlflow.MlflowClient, model: Any, features: pd.DataFrame) -> None:
    """Register a model as the next version."""
    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            serialization_format="cloudpickle",
            signature=infer_signature(features, model.predict(features)),
            pip_requirements=["scikit-learn"],
        )
    client.create_model_version(
        "approval", logged.model_uri, run_id=run.info.run_id, model_id=logged.model_id, tags=TAGS
    )


def begin_history(folder: Path) -> str:
    """Make a folder a checkout with one empty commit, and return its revision."""
    said = {f"GIT_{who}_{word}": "ada" for who in ("AUTHOR", "COMMITTER") for word in ("NAME", "EMAIL")}
    dated = {f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}
    for arguments in (("init", "-b", "main"), ("commit", "--allow-empty", "--no-gpg-sign", "-m", "a model")):
        subprocess.run(["git", "-C", folder, *arguments, "-q"], check=True, env={**os.environ, **said, **dated})
    head = ["git", "-C", folder, "rev-parse", "HEAD"]
    return subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()


def make(folder: Path) -> World:
    """Make everything; nothing serves yet."""
    project = folder / "project"
    (project / "policies" / "models" / "approval").mkdir(parents=True)
    (project / "policies" / "models" / "approval" / "data.yaml").write_text("tier: medium\n")
    ledger = folder / "ledger.db"
    image, data = digest_bytes(MANIFEST), digest_bytes(SNAPSHOT)
    (project / "gates.yaml").write_text(SPEC.format(ledger=ledger, image=image, data=data))
    for name, content in (
        (f"images/{image[7:]}.json", MANIFEST),
        (f"snapshots/{data}", SNAPSHOT),
        ("views/applicant-3.yaml", b"features: [x, w]\n"),
    ):
        (project / name).parent.mkdir()
        (project / name).write_bytes(content)
    for environment in ("staging", "production"):
        (project / f"serving-{environment}.yaml").write_text(CONFIGURATION)
    assert begin_history(project) == REVISION
    register(project, tables(project))
    world = World(project, ledger)
    for name, role in ROLES.items():
        assert world.run("keys", "new", f"{name}.pem", "--identity", name).code == 0
        given = ("--role", role, *(("--role", "decide") if name == "applier" else ()))
        assert world.run("trust", "add", f"{name}.pem.pub", "--person", name, *given).code == 0
    assert world.run("keys", "new", "stranger.pem", "--identity", "stranger").code == 0
    where = ("-e", "staging", "-e", "production")
    active = world.run("policy", "activate", *where, "--reason", "first", "--key", "owner.pem")
    assert active.code == 0, active.err
    world.environ["GATES_LEDGER_ROOT"] = active.out.rsplit("GATES_LEDGER_ROOT=", 1)[1].strip()
    return world
