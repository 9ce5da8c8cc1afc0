"""A small project: two versions of a model, tables, keys, policies in force, and sealed evidence about version 2."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from proxy import Proxy

SPEC = """\
model: approval
task: binary
registry: sqlite:///mlflow.db
candidate: models:/approval@challenger
policies: policies
trust: trust.yaml
store: store
ledger: sqlite:///ledger.db
serving:
  nginx:
    config: {split}
    key: $arg_customer
    upstream: model_{{version}}
    test: {command} -t
    reload: {command} -s reload
    status: {status}
    shadow: {shadow}
  configuration: serving.yaml
columns: {{label: y, key: [id], time: at}}
rows: independent
tables:
  training: {{uri: training.parquet}}
  calibration: {{uri: training.parquet}} # its later rows
  holdout: {{uri: holdout.parquet, as_of: "2026-01-01T00:00:00Z"}}
  offline: {{uri: offline.parquet}}
  online: {{uri: online.parquet}}
release: {{decision_threshold: 0.5, fallback: none}}
"""
ROLES = {"owner": ("policy",), "measurer": ("measure",), "applier": ("decide", "apply")}
SAID = {
    "training_snapshot": "2026-01",
    "validation_snapshot": "2026-01",
    "query_digest": "sha256:" + "9" * 64,
    "as_of": "2026-01-01T00:00:00+00:00",
    "feature_definitions": "x and w as they come",
    "label_definition": "paid back within a year",
    "parameters": "{}",
    "environment_digest": "sha256:" + "8" * 64,
    "vulnerability_scan": "sha256:" + "7" * 64,
}
TAGS = {
    "owner": "credit",
    **{f"gates.lineage.{word}": text for word, text in SAID.items()},
    **{f"gates.changelog.{word}": word for word in ("what", "why", "impact")},
}
"""What a version says of where it comes from."""


def make(
    folder: Path,
    proxy: Proxy,
    run: Callable[..., str],
    serve: Callable[[int], None],
    environ: MutableMapping[str, str],
) -> None:
    """Make everything, with nginx running on nothing yet; `serve` is called as soon as both versions are registered."""
    words = {name: str(getattr(proxy, name)) for name in ("split", "shadow", "command", "status")}
    (folder / "gates.yaml").write_text(SPEC.format(**words), encoding="utf-8")
    (folder / "serving.yaml").write_text("{replicas: {minimum: 1}, size: small, capture: {percent: 100}}\n")
    policies = folder / "policies" / "models" / "approval"
    policies.mkdir(parents=True)
    (policies / "data.yaml").write_text("tier: medium\n")
    _register(folder, _tables(folder), environ, _history(folder))
    for number in (1, 2):
        serve(number)
    for name, roles in ROLES.items():
        run("keys", "new", f"{name}.pem", "--identity", name, show=False)
        given = [part for role in roles for part in ("--role", role)]
        run("trust", "add", f"{name}.pem.pub", "--person", name, *given, show=False)
    where = ("-e", "staging", "-e", "production")
    said = run("policy", "activate", *where, "--reason", "first", "--key", "owner.pem", show=False)
    environ["GATES_LEDGER_ROOT"] = said.rsplit("GATES_LEDGER_ROOT=", 1)[1].strip()


def _tables(folder: Path) -> Any:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(11)
    n = 30_000
    x = rng.normal(0, 1.5, n)
    table = pd.DataFrame({"id": [f"a{i}" for i in range(n)], "x": x, "w": x + rng.normal(0, 1, n)})
    table["at"] = pd.Timestamp("2025-12-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 30 * 86400, n), unit="s")
    table["y"] = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    training, holdout = table[:6000], table[6000:]
    training.to_parquet(folder / "training.parquet", index=False)
    holdout.to_parquet(folder / "holdout.parquet", index=False)
    holdout.drop(columns="y").to_parquet(folder / "offline.parquet", index=False)
    served = holdout[["at", "id", "w", "x"]]  # as serving logged it: a table of its own
    served.to_parquet(folder / "online.parquet", index=False)
    return training


def _history(folder: Path) -> str:
    """Make the folder a checkout, from which authors are read, and return its one revision."""
    git = ("git", "-C", str(folder), "-c", "user.name=demo", "-c", "user.email=demo@example.org")
    for arguments in (("init", "--quiet"), ("commit", "--quiet", "--allow-empty", "-m", "the model")):
        subprocess.run([*git, *arguments], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def _register(folder: Path, training: Any, environ: Mapping[str, str], revision: str) -> None:
    """Version 1 looks at the noisy column, version 2 at the other."""
    os.environ.update({name: value for name, value in environ.items() if name.startswith("MLFLOW_")})
    import mlflow
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    client.create_registered_model("approval")
    mlflow.create_experiment("approval", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("approval")
    fitting, rest = training[:2000], training[2000:]
    for number, (alias, used) in enumerate({"champion": "w", "challenger": "x"}.items(), start=1):
        model = _with_sets(LogisticRegression().fit(fitting[[used]], fitting["y"]), used)
        true = model.predict_proba(rest)[np.arange(len(rest)), rest["y"]]
        type(model).threshold = float(np.quantile(true, 0.1))
        _log(client, model, training[["x", "w"]], TAGS | {"gates.lineage.code_revision": revision})
        client.set_registered_model_alias("approval", alias, str(number))


def _with_sets(model: Any, used: str) -> Any:
    """The model on one feature, with split-conformal sets; a class of no module, so that it travels by value."""

    class Model:
        feature_names_in_ = ("x", "w")
        threshold = 0.0

        def predict_proba(self, X: Any) -> Any:
            return model.predict_proba(X[[used]])

        def predict(self, X: Any) -> Any:
            return self.predict_proba(X)[:, 1] > 0.5

        def predict_set(self, X: Any) -> Any:
            return self.predict_proba(X) >= self.threshold

    return Model()


def _log(client: Any, model: Any, features: Any, tags: dict[str, str]) -> None:
    import mlflow
    from mlflow.models import infer_signature

    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            serialization_format="cloudpickle",
            signature=infer_signature(features, model.predict(features)),
            pip_requirements=["scikit-learn"],
        )
    client.create_model_version(
        "approval", logged.model_uri, run_id=run.info.run_id, model_id=logged.model_id, tags=tags
    )
