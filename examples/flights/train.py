"""Makes all that the example needs, from nothing: tables, five registered models, and the log of what serving computed.

    python train.py          # about half a minute; everything lies in work/

Each version carries its lineage as tags `gates.lineage.*`: digests of the tables that it was fitted on, the code's
revision, a digest of the installed packages, and its parameters.
"""

from __future__ import annotations

import os

# Trees this small gain nothing from threads, which wait for each other. Read when scikit-learn is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")

import hashlib
import importlib.metadata
import inspect
import json
import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import serving
from conformal import ConformalClassifier
from data import FEATURES, KEYS, dealt, whole_table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
MODEL = "flights-delay"
TABLES = ("training", "calibration", "holdout")


def boosting(rounds: int, rate: float) -> HistGradientBoostingClassifier:
    """Boosted trees with scikit-learn's defaults otherwise; the seed plays a part only from 200,000 rows on."""
    return HistGradientBoostingClassifier(max_iter=rounds, learning_rate=rate, early_stopping=False, random_state=0)


def linear() -> Any:
    """A logistic regression."""
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


@dataclass(frozen=True)
class Version:
    """A model to register.

    Attributes
    ----------
    share: part of the training rows that it is fitted on.
    served: what its deployment does to the features on their way.
    """

    name: str
    about: str
    estimator: Callable[[], Any]
    share: float = 1.0
    isotonic: bool = False
    served: Callable[[pd.DataFrame], pd.DataFrame] = pd.DataFrame.copy


VERSIONS = (
    Version("champion", "logistic regression; what serves today", linear),
    Version("overconfident", "fast boosting on a tenth of the rows", lambda: boosting(100, 0.3), share=0.1),
    Version(
        "skewed",
        "a good model whose deployment gets wind in m/s",
        lambda: boosting(60, 0.2),
        isotonic=True,
        served=serving.in_metres_per_second,
    ),
    Version("uncalibrated", "default boosting, 180 rounds on a tenth of the rows", lambda: boosting(180, 0.1), 0.1),
    Version("good", "fast boosting on all rows, isotonic calibration", lambda: boosting(100, 0.3), isotonic=True),
)
"""In the order of their registration: version 1 is the first."""


def fit(version: Version, training: pd.DataFrame, calibration: pd.DataFrame) -> ConformalClassifier:
    """Fit on the first rows of training (they are in no order), calibrate and conformalize on calibration."""
    rows = training.head(round(len(training) * version.share))
    model = ConformalClassifier(version.estimator(), isotonic=version.isotonic)
    model.fit(rows[list(FEATURES)], rows["late"])
    return model.conformalize(calibration[list(FEATURES)], calibration["late"])


def write_tables(work: Path) -> dict[str, pd.DataFrame]:
    """Write training, calibration, holdout, and both sides of parity: the holdout's features offline and online."""
    table, flights, weather = whole_table()
    parts = dealt(table, "flight_id")
    folder = work / "data"
    folder.mkdir(parents=True)
    for name, part in parts.items():
        part.to_parquet(folder / f"{name}.parquet", index=False)
    parts["holdout"][[*KEYS, *FEATURES]].to_parquet(folder / "offline.parquet", index=False)
    # What any version must answer before another one is let in beside it.
    parts["training"][list(FEATURES)].head(20).to_parquet(folder / "golden.parquet", index=False)
    parts["online"] = serving.replay(flights, weather, parts["holdout"]["flight_id"])
    return parts


def digest(path: Path) -> str:
    """Digest of a file's bytes."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def write_scan(work: Path, packages: str) -> Path:
    """Write the list of packages that stands for a scanner's report here: who has one puts its report in its place."""
    path = work / "packages.txt"
    path.write_text(packages, encoding="utf-8")
    return path


def lineage(work: Path) -> dict[str, str]:
    """Tags that all versions share: data, code and environment."""
    packages = "\n".join(sorted(f"{found.name}=={found.version}" for found in importlib.metadata.distributions()))
    git = shutil.which("git")
    said = (
        subprocess.run([git, "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
        if git
        else None
    )
    return {
        "gates.lineage.training_digest": digest(work / "data" / "training.parquet"),
        "gates.lineage.calibration_digest": digest(work / "data" / "calibration.parquet"),
        "gates.lineage.code_revision": said.stdout.strip() if said and said.returncode == 0 else "unknown",
        "gates.lineage.environment_digest": f"sha256:{hashlib.sha256(packages.encode()).hexdigest()}",
        "gates.lineage.query_digest": digest(HERE / "data.py"),
        "gates.lineage.as_of": "2014-01-01T05:00:00+00:00",
        "gates.lineage.feature_definitions_digest": digest(HERE / "data.py"),
        "gates.lineage.label_definition": "arrives more than 15 minutes after its time",
        "gates.lineage.vulnerability_scan": digest(write_scan(work, packages)),
        "owner": "flight delays",
    }


def changelog(what: str) -> dict[str, str]:
    """Say what was changed, why, and what is expected of it."""
    return {"what": what, "why": "to show what the gate makes of it", "impact": "see the page of its decision"}


class Models:
    """The registry in work/: MLflow on a sqlite file, artifacts beside it."""

    def __init__(self, work: Path, name: str = MODEL) -> None:
        import mlflow

        logging.getLogger("alembic").setLevel(logging.ERROR)
        self.mlflow = mlflow
        mlflow.set_tracking_uri(f"sqlite:///{work / 'mlflow.db'}")
        self.client = mlflow.MlflowClient()
        self.name = name
        self.client.create_registered_model(name)
        self.experiment = mlflow.create_experiment(name, artifact_location=(work / "artifacts").as_uri())
        self.requirements = [
            f"{name}=={importlib.metadata.version(name)}" for name in ("mapie", "pandas", "scikit-learn")
        ]

    def register(
        self,
        name: str,
        model: Any,
        example: pd.DataFrame,
        tags: dict[str, str],
        parameters: dict[str, Any],
        changes: dict[str, str],
    ) -> str:
        """Log the model with signature, example and its class's file; register it, and return the version's number."""
        from mlflow.models import infer_signature

        with self.mlflow.start_run(experiment_id=self.experiment, run_name=name) as run:
            self.mlflow.log_params(parameters)
            logged = self.mlflow.sklearn.log_model(
                model,
                name="model",
                serialization_format="cloudpickle",
                signature=infer_signature(example, model.predict(example)),
                input_example=example,
                code_paths=[inspect.getfile(type(model))],
                pip_requirements=self.requirements,
            )
        own = {"gates.lineage.parameters": json.dumps(parameters, sort_keys=True), "name": name}
        own |= {f"gates.changelog.{word}": text for word, text in changes.items()}
        made = self.client.create_model_version(
            self.name, logged.model_uri, run_id=run.info.run_id, tags=tags | own, model_id=logged.model_id
        )
        return str(made.version)

    def point(self, alias: str, version: str) -> None:
        """Set an alias."""
        self.client.set_registered_model_alias(self.name, alias, version)


def main(work: Path = WORK) -> dict[str, str]:
    """Make everything anew in `work`; return name -> version."""
    clock = Clock()
    for stale in ("data", "artifacts", "mlflow.db", "models.json"):
        path = work / stale
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    parts = write_tables(work)
    clock.say("tables: " + ", ".join(f"{name} {len(parts[name]):,}" for name in TABLES) + " flights")
    models, tags, registered = Models(work), lineage(work), {}
    example = parts["training"][list(FEATURES)].dropna().head(3)
    for version in VERSIONS:
        model = fit(version, parts["training"], parts["calibration"])
        parameters = {"share": version.share, "isotonic": version.isotonic, "estimator": repr(model.estimator)}
        number = registered[version.name] = models.register(
            version.name, model, example, tags, parameters, changelog(version.about)
        )
        version.served(parts["online"]).to_parquet(work / "data" / f"online-{number}.parquet", index=False)
        p = model.predict_proba(parts["holdout"][list(FEATURES)])[:, 1]
        predictions = parts["holdout"][["late", "carrier", "origin"]].assign(p=p)
        predictions.to_parquet(work / "data" / f"predictions-{number}.parquet", index=False)
        clock.say(f"version {number}, {version.name}: {version.about}")
    models.point("champion", registered["champion"])
    models.point("challenger", registered["good"])
    (work / "models.json").write_text(json.dumps(registered, indent=2) + "\n", encoding="utf-8")
    return registered


class Clock:
    """Says what was done and how long it took since the start."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line."""
        print(f"  {time.monotonic() - self.started:5.1f} s  {text}", flush=True)


if __name__ == "__main__":
    main()
