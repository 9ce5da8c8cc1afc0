"""What candidate and champion have learned from: as their training runs say, and as the spec says. Before MEASURE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.measure.interface import Learned, OpenTable, Whose
from gates.project import Project
from gates.records import Digest, ModelVersion, Reason
from gates.records.base import is_digest
from gates.records.plan import TableRole

if TYPE_CHECKING:
    from gates.inputs.registry import RegisteredModel, Registry, RunInput
    from gates.inputs.tables import Tables

DIGEST_SUFFIX = "_digest"
NOT_LEARNED = frozenset(
    {
        *("holdout", "gold", "environment", "evaluation", "eval", "test", "testing"),
        *("image", "query", "feature_definitions", "label_definition", "vulnerability_scan"),
    }
)
"""Words of a lineage that name nothing which a model learned from."""

ROLES: dict[Whose, tuple[tuple[str, TableRole], ...]] = {
    "candidate": (("training", "training"), ("calibration", "calibration")),
    "champion": (("training", "champion_training"), ("calibration", "champion_calibration")),
}


def learned_by_both(
    project: Project,
    candidate: RegisteredModel,
    champion: ModelVersion | None,
    tables: Tables,
    opened: Mapping[str, OpenTable],
) -> dict[Whose, tuple[Learned, ...]]:
    """Return every table that candidate and champion have learned from; see `learned_by`."""
    registry, base = project.registry, project.spec.base
    found: dict[Whose, tuple[Learned, ...]] = {
        "candidate": learned_by("candidate", candidate.version, candidate.lineage, registry, tables, opened, base)
    }
    if champion is not None:
        lineage = registry.lineage(champion)
        found["champion"] = learned_by("champion", champion, lineage, registry, tables, opened, base)
    return found


def learned_by(
    whose: Whose,
    version: ModelVersion,
    lineage: Mapping[str, str],
    registry: Registry,
    tables: Tables,
    opened: Mapping[str, OpenTable],
    base: Path,
) -> tuple[Learned, ...]:
    """Return every table that a version has learned from, by context.

    A digest in the lineage goes before the word of the spec: a spec that names another training table does not answer for
    the one that the run names. A dataset that the run logged is opened where its source is a file that is still here.

    Parameters
    ----------
    lineage: the version's tags, without prefix. base: the folder that relative paths of a run count from.
    """
    by_digest = {table.identity.digest: table for table in opened.values()}
    found = dict(_tagged(lineage, by_digest))
    for logged in registry.run_inputs(version):
        context = _context(logged)
        if context not in NOT_LEARNED and context not in found:
            found[context] = Learned(context, _open(tables, logged, base), by_run=True)
    for context, role in ROLES[whose]:
        if context not in found and role in opened:
            found[context] = Learned(context, opened[role], by_run=False)
    return tuple(found[context] for context in sorted(found))


def _tagged(lineage: Mapping[str, str], opened: Mapping[Digest, OpenTable]) -> Iterator[tuple[str, Learned]]:
    for name, digest in lineage.items():
        context = name.removesuffix(DIGEST_SUFFIX)
        if name.endswith(DIGEST_SUFFIX) and context not in NOT_LEARNED and is_digest(digest):
            yield context, Learned(context, opened.get(digest, Reason.TABLE_MISSING), by_run=True)


def _context(logged: RunInput) -> str:
    """The context in one word; MLflow's own word for the rows of fitting is `train` or `training`."""
    word = "_".join(logged.context.lower().split())
    return {"": "training", "train": "training"}.get(word, word)


def _open(tables: Tables, logged: RunInput, base: Path) -> OpenTable | Reason:
    from gates.plan.placeholders import resolve_path

    try:
        table = tables.open_file("training", resolve_path(logged.uri, base)) if logged.uri else None
    except UsageError:  # in a bucket, a database, or gone: nobody can look
        return Reason.TABLE_MISSING
    if table is None:
        return Reason.TABLE_MISSING
    changed = logged.rows is not None and logged.rows != table.identity.rows
    return Reason.TABLE_CHANGED if changed else table
