"""What Databricks Unity Catalog asks of a registry's names, and the older workspace registry that is refused.

Sources: Databricks SQL reference, "Names" (limits of all object names in Unity Catalog); MLflow's REST client for it
(mlflow/store/_unity_catalog/registry/rest_store.py: no stages, no renaming by stage); docs.databricks.com, "Manage
model lifecycle in Unity Catalog" (who may set an alias).
"""

from __future__ import annotations

import re

from gates.errors import UsageError

SCHEME = "databricks-uc"
WORKSPACE = "databricks"
GRANT = "let the model's owner run it, or the owner give this identity MANAGE or the ownership, with USE CATALOG and USE SCHEMA"
_LONGEST = 255
_FORBIDDEN = re.compile(r"[ /\x00-\x1f\x7f]")
_ALIAS = re.compile(r"[A-Za-z0-9_-]+")
_RESERVED = re.compile(r"latest|v[0-9]+", re.IGNORECASE)


def is_catalog(uri: str) -> bool:
    """Whether a registry URI is `databricks-uc` or `databricks-uc://PROFILE`."""
    return uri == SCHEME or uri.startswith(f"{SCHEME}://")


def is_databricks(uri: str) -> bool:
    """Whether a registry URI names a Databricks workspace, of either kind: such a URI is no path."""
    return is_catalog(uri) or uri == WORKSPACE or uri.startswith(f"{WORKSPACE}://")


def workspace_of(uri: str) -> str:
    """Return the tracking URI beside a catalog: `databricks`, with its profile."""
    return WORKSPACE + uri.removeprefix(SCHEME)


def refuse_workspace_registry(uri: str) -> None:
    """Refuse `databricks` and `databricks://PROFILE`: that registry has stages and no aliases.

    Raises
    ------
    UsageError: `registry.workspace`.
    """
    if is_databricks(uri) and not is_catalog(uri):
        raise UsageError(
            "the workspace registry knows stages and no aliases",
            code="registry.workspace",
            where=uri,
            remedy=f"register the model in Unity Catalog and write `registry: {uri.replace(WORKSPACE, SCHEME, 1)}`",
        )


def check_name(name: str) -> None:
    """Refuse a name that no model in Unity Catalog has.

    Raises
    ------
    UsageError: `registry.name`: not three levels; a level that is empty or longer than 255 characters, has a space, a
    slash or a control character; capital letters, as the catalog keeps small ones and the ledger's name would differ.
    """
    levels = name.split(".")
    wrong = [level for level in levels if not level or len(level) > _LONGEST or _FORBIDDEN.search(level)]
    if len(levels) != 3 or wrong or name != name.lower():
        raise UsageError(
            "not a model's name in Unity Catalog",
            code="registry.name",
            where=name,
            remedy="write <catalog>.<schema>.<model> in small letters, without spaces and slashes",
        )


def check_alias(alias: str) -> None:
    """Refuse an alias that MLflow reserves or cannot hold, before the catalog is asked.

    Raises
    ------
    UsageError: `registry.alias`.
    """
    if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias) or len(alias) > _LONGEST:
        raise UsageError(
            "no alias: letters, digits, _ and -, and neither `latest` nor `v` and a number",
            code="registry.alias",
            where=alias,
            remedy="name another alias",
        )
