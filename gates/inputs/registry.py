"""The registry port: named model versions, their bytes and the aliases that point at them.

Place in the flow: PLAN and MEASURE resolve and fetch a candidate here; APPLY hashes its bytes again and moves aliases.
An alias is the shadow of the ledger: a registry knows neither who set it nor what it was before.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from gates.errors import EngineError, UsageError
from gates.records import Digest, ModelVersion

LINEAGE_PREFIX = "gates.lineage."
"""Version tags with this prefix say where a version came from: `code_revision`, `environment_digest`, `parameters`, and
`<context>_digest` for each file that it learned from: `training`, `calibration`, `early_stopping`, `selection`, ..."""


@dataclass(frozen=True)
class RegisteredModel:
    """A version as the registry shows it.

    Attributes
    ----------
    features: input columns of the model's signature, in order; empty where it names none.
    flavor: the native MLflow flavour (`sklearn`, ...), or `python_function` where there is no other.
    lineage: tags under LINEAGE_PREFIX, without the prefix. tags: all version tags.
    """

    version: ModelVersion
    features: tuple[str, ...]
    flavor: str
    lineage: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True)
class RunInput:
    """A dataset that the version's training run logged (`mlflow.log_input`).

    Attributes
    ----------
    context: what it was for, as the run says: `training`, `validation`, ...; empty where it does not say.
    uri: path or URI of its source; empty where that is no place, such as a table in memory.
    rows: as the run profiled it; None where it did not. digest: as the run says; empty where it does not.
    columns: as its schema names them; empty where it has none.
    """

    context: str
    uri: str
    rows: int | None
    digest: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingRun:
    """The run that made a version, as it says of itself.

    Attributes
    ----------
    user: who triggered it. parameters: as they were logged. revision: of its code. Empty where it does not say.
    """

    user: str
    parameters: dict[str, str]
    revision: str


class RegistryUnavailable(EngineError):
    """The registry, or the store behind it, does not answer (exit 4)."""

    default_code = "registry.unavailable"


class NotRegistered(UsageError):
    """A model, version or alias that the registry does not have (exit 2)."""

    default_code = "registry.not_found"


class RegistryForbidden(RegistryUnavailable):
    """The registry answers, and refuses this identity (exit 4): out of reach all the same, so a rollback goes on."""

    default_code = "registry.forbidden"


class Registry(Protocol):
    """Versions are immutable; aliases are not.

    Every method raises RegistryUnavailable where the registry does not answer and NotRegistered for an unknown model,
    version or alias.
    """

    def resolve(self, uri: str) -> RegisteredModel:
        """Resolve `models:/name/7` or `models:/name@alias` and hash the version's bytes.

        An alias that differs from an existing one only by case is refused (UsageError).
        """
        ...

    def fetch(self, version: ModelVersion, into: Path) -> Path:
        """Copy the artifact into the empty folder `into`; raise EvidenceError unless it has the version's digest."""
        ...

    def digest(self, name: str, version: str) -> Digest:
        """Hash the artifact's bytes again, as they are now."""
        ...

    def lineage(self, version: ModelVersion) -> dict[str, str]:
        """Return the version's tags under LINEAGE_PREFIX, without the prefix; its bytes are not read."""
        ...

    def run_inputs(self, version: ModelVersion) -> tuple[RunInput, ...]:
        """Return the datasets that the version's training run logged; empty where there is no run."""
        ...

    def training_run(self, version: ModelVersion) -> TrainingRun | None:
        """Return who and what made the version; None where there is no run."""
        ...

    def aliases(self, model: str) -> dict[str, str]:
        """Return alias -> version."""
        ...

    def set_alias(self, model: str, alias: str, version: str) -> None:
        """Point an alias at a version; a case variant of an existing alias is refused (UsageError)."""
        ...

    def delete_alias(self, model: str, alias: str) -> None:
        """Remove an alias; one that does not exist is refused (NotRegistered)."""
        ...

    def set_tag(self, model: str, version: str, key: str, value: str) -> None:
        """Set a version's tag."""
        ...

    def tags(self, model: str, version: str) -> dict[str, str]:
        """Return a version's tags; its bytes are not read."""
        ...


class AbsentRegistry:
    """A registry that answers to nothing: what stands in for one that could not even be opened.

    Parameters
    ----------
    why: said in every error.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        """Any method of the port."""

        def fails(*_: object, **__: object) -> NoReturn:
            raise RegistryUnavailable(self._why)

        return fails


@dataclass(frozen=True)
class ModelReference:
    """What a URI names: a version, or an alias that points at one."""

    name: str
    version: str | None = None
    alias: str | None = None


STAGES = ("none", "staging", "production", "archived")
"""Of MLflow's older interface, in small letters. Deprecated since MLflow 2.9 and unknown to Unity Catalog."""


def parse_uri(uri: str) -> ModelReference:
    """Parse `models:/name/7` or `models:/name@alias`; anything else is a UsageError (code `registry.uri`).

    A stage in place of the number has a code of its own, `registry.stage`.
    """
    scheme, _, rest = uri.partition("models:/")
    name, at, alias = rest.rpartition("@")
    if not at:
        name, _, version = rest.rpartition("/")
        if not scheme and _plain(name) and version.isascii() and version.isdigit():
            return ModelReference(name, version=str(int(version)))
        if not scheme and _plain(name) and version.casefold() in STAGES:
            raise _stage(name, version)
    elif not scheme and _plain(name) and _plain(alias):
        return ModelReference(name, alias=alias)
    raise UsageError(
        "not a model version", code="registry.uri", where=uri, remedy="write models:/<name>/<number> or @<alias>"
    )


def _stage(name: str, stage: str) -> UsageError:
    """Refuse a stage: several versions may be in it at once, and moving one leaves no trace."""
    alias = {"staging": "deployed-staging", "production": "deployed-production"}.get(stage.casefold())
    instead = f"models:/{name}@{alias} is what serves there" if alias else "name the version by its number"
    return UsageError(
        f"{stage} is a stage: MLflow deprecated them, and no stage says which version serves",
        code="registry.stage",
        where=f"models:/{name}/{stage}",
        remedy=f"{instead}; or write models:/{name}/<number>",
    )


def _plain(part: str) -> bool:
    return bool(part) and part.isprintable() and not set(part) & set("/:@\\") and part not in {".", ".."}


def nearest(wanted: str, known: Iterable[str]) -> str:
    """Return a remedy that names the nearest existing name, or all of the few there are."""
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.5)
    if close:
        return f"did you mean {folded[close[0]]}?"
    return f"there are: {', '.join(names[:8])}" if names else "there are none"


def refuse_case_variant(alias: str, existing: Iterable[str]) -> None:
    """Refuse an alias that differs from an existing one only by case.

    MLflow keeps `Champion` and `champion` apart, so a reader of the one would miss a move of the other.
    """
    for known in existing:
        if known != alias and known.casefold() == alias.casefold():
            raise UsageError(
                f"alias {alias} differs from the existing {known} only by case",
                code="registry.alias_case",
                remedy=f"use {known}, or delete it",
            )
