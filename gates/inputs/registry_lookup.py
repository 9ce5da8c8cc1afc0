"""Two questions to an MLflow registry without MLflow, whose import takes seconds: for what runs when a server starts.

Read from the database of an sqlite registry, or asked of a server by its REST interface (MLflow REST API 2.0,
`registered-models/alias`; Unity Catalog has the same under a path of its own).
"""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from gates.errors import UsageError
from gates.inputs import unity_catalog
from gates.inputs.registry import NotRegistered, RegistryForbidden, RegistryUnavailable

_SECONDS = 30
_PATH = "/api/2.0/mlflow/registered-models/alias"
_CATALOG_PATH = "/api/2.0/mlflow/unity-catalog/registered-models/alias"


def version_of_alias(registry: str, name: str, alias: str, environ: Mapping[str, str]) -> str:
    """Return the version that an alias points to.

    Raises
    ------
    NotRegistered: no such alias. RegistryUnavailable: no answer. UsageError: another kind of registry.
    """
    if registry.startswith("sqlite:"):
        query = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
        found = _select(registry, query, name, alias)
    elif registry.startswith(("http://", "https://")):
        found = _ask(registry, _PATH, name, alias, _tracking_secret(environ))
    elif unity_catalog.is_catalog(registry):
        unity_catalog.check_name(name)
        found = _ask(*_workspace(registry, environ), name, alias, f"Bearer {environ.get('DATABRICKS_TOKEN', '')}")
    else:
        raise UsageError("cannot be asked without MLflow", code="registry.uri", where=registry)
    if found is None:
        raise NotRegistered(f"{name} has no alias {alias}", where=f"models:/{name}@{alias}")
    return found


def aliases_here(registry: str, name: str) -> dict[str, str] | None:
    """Return alias -> version as an sqlite registry has them; None where it is no such registry, or has no such model."""
    if (
        not registry.startswith("sqlite:")
        or _select(registry, "SELECT 1 FROM registered_models WHERE name = ?", name) is None
    ):
        return None
    query = "SELECT json_group_object(alias, CAST(version AS TEXT)) FROM registered_model_aliases WHERE name = ?"
    return dict(json.loads(_select(registry, query, name) or "{}"))


def local_folder(registry: str, name: str, version: str) -> Path | None:
    """Return the folder of a version's bytes where an sqlite registry keeps them on this machine; else None."""
    if not registry.startswith("sqlite:"):
        return None
    query = "SELECT coalesce(storage_location, source) FROM model_versions WHERE name = ? AND version = ?"
    location = _select(registry, query, name, version)
    if location is not None and location.startswith("models:/"):
        query = "SELECT artifact_location FROM logged_models WHERE model_id = ?"
        location = _select(registry, query, location.removeprefix("models:/"))
    parts = urlsplit(location or "")
    return Path(unquote(parts.path)) if location and parts.scheme in ("", "file") else None


def sqlite_path(registry: str) -> Path:
    """The file of an sqlite registry's address, which SQLAlchemy writes with three or four slashes."""
    return Path(unquote(urlsplit(registry).path).removeprefix("/"))


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a database that is not made where it is missing."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _select(registry: str, query: str, *given: str) -> str | None:
    try:
        with contextlib.closing(open_read_only(sqlite_path(registry))) as connection:
            found = connection.execute(query, given).fetchone()
    except sqlite3.Error as error:
        raise RegistryUnavailable(f"the registry does not answer: {error}", where=registry) from error
    return None if found is None else str(found[0])


def _workspace(registry: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return address and path of the catalog; a profile is the SDK's to read, and this runs without it."""
    host, token = environ.get("DATABRICKS_HOST"), environ.get("DATABRICKS_TOKEN")
    if not host or not token:
        raise UsageError(
            "the workspace is not named",
            code="registry.workspace",
            where=registry,
            remedy="set DATABRICKS_HOST and DATABRICKS_TOKEN, or name the version by its number",
        )
    return host if "://" in host else f"https://{host}", _CATALOG_PATH


def _tracking_secret(environ: Mapping[str, str]) -> str | None:
    if token := environ.get("MLFLOW_TRACKING_TOKEN"):
        return f"Bearer {token}"
    if user := environ.get("MLFLOW_TRACKING_USERNAME"):
        secret = f"{user}:{environ.get('MLFLOW_TRACKING_PASSWORD', '')}".encode()
        return f"Basic {base64.b64encode(secret).decode()}"
    return None


def _ask(registry: str, path: str, name: str, alias: str, secret: str | None) -> str | None:
    url = f"{registry.rstrip('/')}{path}?{urlencode({'name': name, 'alias': alias})}"
    request = Request(url)  # noqa: S310 (http or https, as the caller looked)
    if secret:
        request.add_unredirected_header("Authorization", secret)
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return str(json.load(answer)["model_version"]["version"])
    except HTTPError as error:
        if error.code == 404:
            return None
        kind = RegistryForbidden if error.code in (401, 403) else RegistryUnavailable
        raise kind(f"the registry answers {error.code}", where=registry) from error
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryUnavailable("the registry does not answer", where=registry) from error
