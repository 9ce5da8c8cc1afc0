"""MLflow behind the registry port: a sqlite file, a tracking server over HTTP, or Databricks Unity Catalog.

Place in the flow: see gates/inputs/registry.py. Model bytes are read from the artifact repository itself and not by
`mlflow.artifacts.download_artifacts`: that writes a `registered_model_meta` file beside the model, which would change
its digest, and in place where the repository is local.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gates.errors import EvidenceError, UsageError
from gates.inputs import unity_catalog
from gates.inputs.model_digest import UnhashableModel, digest_model
from gates.inputs.registry import (
    LINEAGE_PREFIX,
    NotRegistered,
    RegisteredModel,
    RegistryForbidden,
    RegistryUnavailable,
    RunInput,
    TrainingRun,
    nearest,
    parse_uri,
    refuse_case_variant,
)
from gates.inputs.registry_lookup import open_read_only, sqlite_path
from gates.records import Digest, ModelVersion

_NOT_FOUND = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_MISUSED = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE"})
_FORBIDDEN = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED"})

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # MLflow's own (seven retries with back-off, 120 s each) keep a pipeline waiting for minutes on a dead server.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def quiet_mlflow() -> None:
    """Keep MLflow from telemetry and from logging below errors; call before its first import.

    A user's own environment variables win.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    for name in ("alembic", "databricks.sdk"):
        logging.getLogger(name).setLevel(logging.ERROR)


class MlflowRegistry:
    """Registry on an MLflow tracking URI: `sqlite:///<path>` (must exist), `http(s)://...` or `databricks-uc`.

    Raises
    ------
    UsageError: a sqlite file that is not there; the older workspace registry of Databricks, which has no aliases.
    RegistryUnavailable: a file that is no MLflow database.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        unity_catalog.refuse_workspace_registry(uri)
        self._catalog = unity_catalog.is_catalog(uri)
        if uri.startswith("sqlite:"):
            _check_sqlite(uri)
        quiet_mlflow()
        with self._wrapped():
            # The half of MlflowClient that is needed: the other opens the tracking store too, 2 s more in each command.
            from mlflow.tracking._model_registry.client import ModelRegistryClient

            self._client: Any = ModelRegistryClient(uri, self._runs)  # type: ignore[no-untyped-call]

    def resolve(self, uri: str) -> RegisteredModel:
        """See Registry.resolve."""
        reference = parse_uri(uri)
        number = reference.version
        if reference.alias is not None:
            # Not get_model_version_by_alias: a registry on a case-insensitive database answers a case variant.
            aliases = self.aliases(reference.name)
            refuse_case_variant(reference.alias, aliases)
            if reference.alias not in aliases:
                raise NotRegistered(
                    f"{reference.name} has no alias {reference.alias}",
                    where=uri,
                    remedy=nearest(reference.alias, aliases),
                )
            number = aliases[reference.alias]
        return self._describe(reference.name, str(number))

    def fetch(self, version: ModelVersion, into: Path) -> Path:
        """See Registry.fetch."""
        into.mkdir(parents=True, exist_ok=True)
        if any(into.iterdir()):
            raise UsageError("the folder for the model is not empty", where=str(into))
        with self._artifact(version.name, version.version) as source:
            try:
                shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True, copy_function=shutil.copyfile)
            except OSError as error:
                raise UnhashableModel(f"cannot be copied: {_first_line(error)}", where=version.uri) from error
        found = digest_model(into)
        if found != version.digest:
            raise EvidenceError(
                f"the model's bytes have digest {found}, not {version.digest}",
                code="model.digest_mismatch",
                where=version.uri,
                remedy="register the changed bytes as a new version and measure that",
            )
        return into

    def digest(self, name: str, version: str) -> Digest:
        """See Registry.digest."""
        with self._artifact(name, version) as folder:
            return digest_model(folder)

    def lineage(self, version: ModelVersion) -> dict[str, str]:
        """See Registry.lineage."""
        return _lineage(self._version(version.name, version.version).tags)

    def run_inputs(self, version: ModelVersion) -> tuple[RunInput, ...]:
        """See Registry.run_inputs."""
        run = self._run(version)
        return tuple(_run_input(found) for found in run.inputs.dataset_inputs) if run is not None else ()

    def training_run(self, version: ModelVersion) -> TrainingRun | None:
        """See Registry.training_run."""
        run = self._run(version)
        if run is None:
            return None
        tags = {str(key): str(value) for key, value in run.data.tags.items()}
        return TrainingRun(
            user=tags.get("mlflow.user", "") or str(run.info.user_id or ""),
            parameters={str(key): str(value) for key, value in sorted(run.data.params.items())},
            revision=tags.get("mlflow.source.git.commit", ""),
        )

    def _run(self, version: ModelVersion) -> Any:
        """The run that made a version; None where there is none, or none any more."""
        run_id = self._version(version.name, version.version).run_id
        if not run_id:
            return None
        with self._wrapped():
            from mlflow.exceptions import MlflowException

            try:
                return self._tracking().get_run(run_id)
            except MlflowException as error:
                if error.error_code in _NOT_FOUND:  # a run may be deleted while its model serves
                    return None
                raise

    def metrics(self, version: ModelVersion) -> tuple[str, ...]:
        """Names of the metrics that the version's training run logged; none where the run is gone."""
        run = self._run(version)
        return tuple(sorted(run.data.metrics)) if run is not None else ()

    def newest(self, model: str) -> str:
        """The highest version number of a model.

        Raises
        ------
        NotRegistered: no such model, or it has no versions.
        """
        self.aliases(model)
        numbers = self._versions(model)
        if not numbers:
            raise NotRegistered(f"{model} has no versions", where=self.uri, remedy="register one, then repeat")
        return numbers[-1]

    def aliases(self, model: str) -> dict[str, str]:
        """See Registry.aliases."""
        if self._catalog:
            unity_catalog.check_name(model)
        with self._wrapped(model):
            return {alias: str(version) for alias, version in self._client.get_registered_model(model).aliases.items()}

    def set_alias(self, model: str, alias: str, version: str) -> None:
        """See Registry.set_alias."""
        refuse_case_variant(alias, self.aliases(model))
        if self._catalog:
            unity_catalog.check_alias(alias)
        self._version(model, version)
        with self._wrapped(model):
            self._client.set_registered_model_alias(model, alias, version)

    def delete_alias(self, model: str, alias: str) -> None:
        """See Registry.delete_alias."""
        aliases = self.aliases(model)
        if alias not in aliases:
            raise NotRegistered(f"{model} has no alias {alias}", where=self.uri, remedy=nearest(alias, aliases))
        with self._wrapped(model):
            self._client.delete_registered_model_alias(model, alias)

    def set_tag(self, model: str, version: str, key: str, value: str) -> None:
        """See Registry.set_tag."""
        self._version(model, version)
        with self._wrapped(model):
            self._client.set_model_version_tag(model, version, key, value)

    def tags(self, model: str, version: str) -> dict[str, str]:
        """See Registry.tags."""
        return {str(key): str(value) for key, value in self._version(model, version).tags.items()}

    def _describe(self, name: str, number: str) -> RegisteredModel:
        found = self._version(name, number)
        with self._artifact(name, number) as folder:
            digest = digest_model(folder)
            features, flavor = _read_mlmodel(folder)
        tags = {str(key): str(value) for key, value in found.tags.items()}
        version = ModelVersion(name=name, version=number, digest=digest)
        return RegisteredModel(version, features, flavor, _lineage(tags), tags)

    def _version(self, name: str, number: str) -> Any:
        if self._catalog:
            unity_catalog.check_name(name)
        with self._wrapped(name, number):
            return self._client.get_model_version(name, number)

    @contextlib.contextmanager
    def _artifact(self, name: str, number: str) -> Iterator[Path]:
        """Give the folder of a version's artifact: itself where it is local, else a download that is removed again."""
        self._version(name, number)
        with tempfile.TemporaryDirectory(prefix="gates-model-") as scratch:
            yield self._download(name, number, scratch)

    def _download(self, name: str, number: str, scratch: str) -> Path:
        # No model is named to _wrapped: the version exists, so "not found" here means that its bytes are gone.
        with self._wrapped():
            if self._catalog:
                from mlflow.store.artifact.unity_catalog_models_artifact_repo import (
                    UnityCatalogModelsArtifactRepository,
                )
                from mlflow.tracking._tracking_service.utils import _use_tracking_uri

                kind: Any = UnityCatalogModelsArtifactRepository
                # Elsewhere it would make an empty tracking database in the working folder.
                with _use_tracking_uri(self._runs):
                    # It asks for credentials that open this version's folder alone, for a while.
                    given = kind(f"models:/{name}/{number}", registry_uri=self.uri)
                return Path(given.download_artifacts("", scratch))
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            location = self._client.get_model_version_download_uri(name, number)
            if location.startswith("models:/"):
                location = self._tracking().get_logged_model(location.removeprefix("models:/")).artifact_location
            repository: Any = get_artifact_repository(location, tracking_uri=self.uri, registry_uri=self.uri)
            return Path(repository.download_artifacts("", None if _is_local(location) else scratch))

    def _tracking(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._runs, registry_uri=self.uri)

    @property
    def _runs(self) -> str:
        """The tracking URI: where the runs are that made the versions."""
        return unity_catalog.workspace_of(self.uri) if self._catalog else self.uri

    @contextlib.contextmanager
    def _wrapped(self, model: str | None = None, version: str | None = None) -> Iterator[None]:
        """Turn what MLflow raises into NotRegistered, UsageError or RegistryUnavailable."""
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
            code = getattr(error, "error_code", "")
            if code in _NOT_FOUND and model is not None:
                raise self._not_registered(model, version) from error
            if code in _FORBIDDEN:
                raise RegistryForbidden(
                    f"the registry refuses: {_first_line(error)}",
                    where=self.uri if model is None else f"models:/{model}",
                    remedy=unity_catalog.GRANT if self._catalog else "run it under an identity that may do it",
                ) from error
            if code in _MISUSED:
                raise UsageError(_first_line(error), code="registry.refused", where=self.uri) from error
            raise RegistryUnavailable(
                f"the registry does not answer: {_first_line(_root(error))}",
                where=self.uri,
                remedy="see that it runs and that the address is right, then repeat",
            ) from error

    def _not_registered(self, model: str, version: str | None) -> NotRegistered:
        with self._wrapped():
            names = [found.name for found in self._client.search_registered_models(max_results=1000)]
            if model not in names or version is None:
                return NotRegistered(f"no registered model {model}", where=self.uri, remedy=nearest(model, names))
        numbers = self._versions(model)
        remedy = f"there are versions {', '.join(numbers[-8:])}" if numbers else "it has no versions"
        return NotRegistered(f"{model} has no version {version}", where=self.uri, remedy=remedy)

    def _versions(self, model: str) -> list[str]:
        quote = '"' if "'" in model else "'"
        with self._wrapped():
            found = self._client.search_model_versions(f"name = {quote}{model}{quote}", max_results=1000)
        return sorted((str(each.version) for each in found), key=int)


def _read_mlmodel(folder: Path) -> tuple[tuple[str, ...], str]:
    """Read signature and flavour from the bytes that the digest covers; nothing of the model is imported."""
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    try:
        described: Any = Model.load(str(folder / "MLmodel"))
        inputs = described.get_input_schema()
    except (MlflowException, OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"not an MLflow model: {_first_line(error)}", code="registry.not_a_model", where=str(folder)
        ) from error
    named = inputs is not None and inputs.has_input_names()
    native = sorted(set(described.flavors) - {"python_function"})
    return tuple(inputs.input_names()) if named else (), native[0] if native else "python_function"


def _lineage(tags: Mapping[str, str]) -> dict[str, str]:
    named = {str(key): str(value) for key, value in tags.items()}
    return {key.removeprefix(LINEAGE_PREFIX): named[key] for key in named if key.startswith(LINEAGE_PREFIX)}


def _run_input(found: Any) -> RunInput:
    """A logged dataset in our form; what it says of itself is whatever the run's author wrote."""
    context = next((tag.value for tag in found.tags if tag.key == "mlflow.data.context"), "")
    source, profile = _json(found.dataset.source), _json(found.dataset.profile)
    place = next((source[key] for key in ("uri", "path", "url") if isinstance(source.get(key), str)), "")
    rows = profile.get("num_rows")
    counted = rows if isinstance(rows, int) and not isinstance(rows, bool) else None
    columns = _json(found.dataset.schema).get("mlflow_colspec")
    names = [each.get("name") for each in columns if isinstance(each, dict)] if isinstance(columns, list) else []
    given = tuple(name for name in names if isinstance(name, str))
    return RunInput(context, place, counted, str(found.dataset.digest or ""), given)


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _check_sqlite(uri: str) -> None:
    path = sqlite_path(uri)
    if not path.is_file():
        # MLflow would create an empty registry there, or retry for minutes.
        raise UsageError(
            "there is no such MLflow database", code="registry.not_found", where=uri, remedy="correct `registry:`"
        )
    try:
        with contextlib.closing(open_read_only(path)) as connection:
            connection.execute("SELECT 1 FROM registered_models LIMIT 1")
    except sqlite3.Error as error:
        raise RegistryUnavailable(f"not an MLflow database: {error}", where=uri) from error


def _is_local(location: str) -> bool:
    return urlsplit(location).scheme in {"", "file"}


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
