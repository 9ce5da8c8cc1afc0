"""What candidate and champion have learned from: as their training runs say, and as the spec says. Before MEASURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.opened import OpenTable
from gates.measure.interface import Learned, Whose
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
        *("holdout", "gold", "environment", "evaluation", "test", "testing"),
        *("image", "query", "feature_definitions", "label_definition", "vulnerability_scan"),
    }
)
"""Words of a lineage that name nothing which a model learned from. MLflow's `eval` is not one of them: its autologging
says that of the sets by which boosting was stopped."""

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
    """Return every table that a version has learned from, by context; a second one of `training` is `training 2`.

    A digest in the lineage goes before the word of the spec: a spec that names another training table does not answer for
    the one that the run names. A dataset that the run logged is opened where its source is a file that is still here.

    Parameters
    ----------
    lineage: the version's tags, without prefix. base: the folder that relative paths of a run count from.
    """
    logged = [(each, _open(tables, each, base)) for each in _datasets(registry.run_inputs(version))]
    here = (*opened.values(), *(table for _, table in logged if isinstance(table, OpenTable)))
    by_digest = {table.identity.digest: table for table in here}
    steps = {context: [by_digest.get(digest, Reason.TABLE_MISSING)] for context, digest in _tagged(lineage)}
    for context in {_context(each) for each, _ in logged}:
        of_step = [(each, table) for each, table in logged if _context(each) == context]
        steps[context] = _together(steps.get(context, []), of_step)
    found = [
        Learned(context if place == 1 else f"{context} {place}", table, by_run=True)
        for context, learned in steps.items()
        for place, table in enumerate(learned, 1)
    ]
    by_spec = (Learned(step, opened[role], by_run=False) for step, role in ROLES[whose] if role in opened)
    found += [learned for learned in by_spec if learned.context not in steps]
    return tuple(sorted(found, key=lambda learned: learned.context))


def _datasets(inputs: Iterable[RunInput]) -> list[RunInput]:
    """What the run logged to learn from, each once, in an order that does not depend on the registry's."""
    learned = {each for each in inputs if _context(each) not in NOT_LEARNED}
    return sorted(learned, key=lambda each: (each.context, each.uri, each.digest, each.rows or 0, each.columns))


def _together(
    tagged: Sequence[OpenTable | Reason], logged: Sequence[tuple[RunInput, OpenTable | Reason]]
) -> list[OpenTable | Reason]:
    """The tables of one step, none twice.

    What was logged from memory is no file that one could open: autologging says so of tables that the author names too.
    One that is here and has as many rows is taken for it.
    """
    found = list(tagged)
    for each, table in logged:
        if each.uri and (isinstance(table, Reason) or table.identity.digest not in _digests(found)):
            found.append(table)
    rows = [table.identity.rows for table in found if isinstance(table, OpenTable)]
    for each, table in logged:
        if each.uri:
            continue
        if each.rows in rows:
            rows.remove(each.rows)
        else:
            found.append(table)
    return found


def _digests(tables: Iterable[OpenTable | Reason]) -> set[Digest]:
    return {table.identity.digest for table in tables if isinstance(table, OpenTable)}


def _tagged(lineage: Mapping[str, str]) -> Iterator[tuple[str, Digest]]:
    for name, digest in lineage.items():
        context = name.removesuffix(DIGEST_SUFFIX)
        if name.endswith(DIGEST_SUFFIX) and context not in NOT_LEARNED and is_digest(digest):
            yield context, digest


def _context(logged: RunInput) -> str:
    """The context in one word; MLflow's own word for the rows of fitting is `train` or `training`."""
    word = "_".join(logged.context.lower().replace("_", " ").split())
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
