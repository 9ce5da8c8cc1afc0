"""`gates doctor`: what is on this machine, what is missing, and the command that gets it."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from gates import __version__
from gates.errors import GatesError


@dataclass(frozen=True)
class Finding:
    """One part of the machine. `optional`: the work can be done without it, and the line says what is lost."""

    part: str
    ok: bool
    said: str
    remedy: str | None = None
    optional: bool = False

    def document(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


def examine(*, install: bool = False) -> tuple[Finding, ...]:
    """Look at everything; builds OPA where asked to."""
    return (
        Finding("gates", ok=True, said=f"{__version__} on Python {platform.python_version()}"),
        _embedded(),
        _opa(install=install),
        *(_library(name) for name in ("mlflow", "scikit-learn", "mapie", "duckdb", "ibis-framework")),
        _namespaces(),
        _git(),
    )


def _embedded() -> Finding:
    from gates.project import Engines

    try:
        engines = Engines()
        engine = engines.engine
    except GatesError as error:
        return Finding("embedded engine", ok=False, said=str(error), remedy=error.remedy)
    return Finding(
        "embedded engine", ok=True, said=f"policies {engines.policies.digest[7:19]} compiled by {engine.version}"
    )


def _opa(*, install: bool) -> Finding:
    from gates.decide.opa_binary import OPA_VERSION, find_opa, get_opa, other_versions

    try:
        found = get_opa() if install else find_opa()
    except GatesError as error:
        return Finding("OPA", ok=False, said=str(error), remedy=error.remedy, optional=True)
    if found is not None:
        return Finding("OPA", ok=True, said=f"{found.version} from {found.source}: {found.path}")
    passed_over = "".join(f"; {other.path} is {other.version}" for other in other_versions())
    return Finding(
        "OPA",
        ok=False,
        said=f"no {OPA_VERSION} found{passed_over}: the embedded engine decides alone, unconfirmed",
        remedy="gates doctor --install",
        optional=True,
    )


def _library(name: str) -> Finding:
    try:
        return Finding(name, ok=True, said=metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, ok=False, said="not installed", remedy=f"pip install {name}")


def _namespaces() -> Finding:
    from gates.inputs.sandbox import isolation

    kind, reason = isolation()
    if kind == "namespace":
        return Finding(
            "model isolation", ok=True, said="namespaces: models run without network or a view of the workspace"
        )
    return Finding(
        "model isolation",
        ok=False,
        said=f"process only ({reason}); production denies such evidence",
        remedy="measure on Linux with user namespaces allowed",
        optional=True,
    )


def _git() -> Finding:
    path = shutil.which("git")
    return Finding(
        "git", ok=path is not None, said=path or "not found", remedy=None if path else "install git", optional=True
    )
