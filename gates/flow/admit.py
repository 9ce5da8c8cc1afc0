"""Admit: asked by a server before it loads a model, and by a repository before it takes a change. Imports no MLflow."""

from __future__ import annotations

from pathlib import Path

from gates.apply.admit import Admitted, check_alias, check_bytes, find_version
from gates.errors import UsageError
from gates.inputs.model_digest import digest_model
from gates.inputs.registry import parse_uri
from gates.inputs.registry_lookup import local_folder, version_of_alias
from gates.project import DEVELOPMENT, Project
from gates.records import Environment, Slot


def admit(project: Project, environment: Environment, uri: str, folder: Path | None) -> Admitted:
    """Say whether a model version may serve in an environment, by the ledger as it is now.

    Parameters
    ----------
    uri: `models:/NAME/VERSION` or `models:/NAME@ALIAS`.
    folder: of the bytes that are about to be loaded; default: where an sqlite registry keeps them.

    Raises
    ------
    Refused: it does not serve there, or the alias was set by hand. EvidenceError: other bytes, or a ledger that does
    not verify. UsageError: nothing says where the bytes are. EngineError: ledger or registry is out of reach.
    """
    if environment == DEVELOPMENT:
        raise UsageError(
            "development has no ledger: nothing there is admitted",
            code="ledger.development",
            remedy="name a rung above",
        )
    reference = parse_uri(uri)
    slot = Slot(model=reference.name, environment=environment)
    chain = project.chain()
    number = reference.version
    if reference.alias is not None:
        number = version_of_alias(_registry(project, uri), reference.name, reference.alias, project.environ)
        check_alias(chain, slot, reference.alias, number)
    admitted = find_version(chain, slot, str(number))
    if folder is None and project.spec.registry:
        folder = local_folder(_registry(project, uri), reference.name, str(number))
    if folder is None:
        raise UsageError(
            "the bytes to be loaded are not named",
            code="admit.bytes",
            where=uri,
            remedy="pass --bytes FOLDER: where the server loads the model from",
        )
    check_bytes(admitted, digest_model(folder), where=str(folder))
    return admitted


def _registry(project: Project, uri: str) -> str:
    if project.spec.registry is None:
        raise UsageError("gates.yaml names no registry to ask for the alias", code="spec.registry_missing", where=uri)
    return project.spec.uri(project.spec.registry)
