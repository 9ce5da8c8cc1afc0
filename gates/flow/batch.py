"""Batch scoring: a partition of requests is scored by the version that is deployed, and by no other."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.apply.batch import Partition, Run, restore
from gates.errors import EvidenceError, GatesError, Refused, UsageError
from gates.plan.placeholders import fill
from gates.project import DEVELOPMENT, Project
from gates.records import Environment, ModelVersion

if TYPE_CHECKING:
    from gates.inputs.registry import RegisteredModel
    from gates.plan.spec_serving import BatchSpec

ROW_ID = "row_id"
TIMEOUT_S = 3600.0
"""Wall-clock seconds that a model may take for a partition."""


@dataclass(frozen=True)
class Scored:
    """What counts now in a partition. `again`: its run was there already."""

    run: Run
    scores: Path
    again: bool


@dataclass(frozen=True)
class Restored:
    """Partitions whose earlier run counts again, and those that are to be scored by this version."""

    model: ModelVersion
    changed: tuple[str, ...]
    left: tuple[str, ...]


def batch(project: Project, environment: Environment, partition: str) -> Scored:
    """Score a partition by the deployed version; the same again changes nothing.

    Raises
    ------
    Refused: nothing is deployed, the alias was set by hand, another version was deployed meanwhile. UsageError: no
    `batch` in the spec, no such input, a column that is not there. EvidenceError: model bytes or scores that changed.
    EngineError: the model failed, or ledger or registry is out of reach.
    """
    from gates.bundle.canonical import digest_file

    deployed = _deployed(project, environment)
    model = _registered(project, environment, deployed)
    words = _words(project)
    source = project.spec.path(fill(words.input, environment=environment, partition=partition))
    if not source.is_file():
        raise UsageError("there is no such input", code="batch.input", where=str(source))
    place = Partition(_output(project, environment) / fill("{partition}", partition=partition))
    digest = digest_file(source)
    before = {run.id for run in place.runs()}
    run = place.keep(deployed, digest, lambda out: _score(project, model, source, out))
    if digest_file(source) != digest:
        raise EvidenceError("the input changed while it was scored", code="batch.input_changed", where=str(source))
    if _deployed(project, environment) != deployed:
        raise Refused(
            f"{deployed.uri} is deployed in {environment} no more",
            code="batch.moved",
            where=str(place.path),
            remedy="run it again: its scores are kept and do not count",
        )
    place.point(run)
    return Scored(run, place.scores(run), run.id in before)


def restore_all(project: Project, environment: Environment) -> Restored:
    """Let the deployed version's own runs count again in every partition that has one. Asks no registry.

    Raises
    ------
    Refused: nothing is deployed. EvidenceError: scores that changed. EngineError: the ledger is out of reach.
    """
    deployed = _deployed(project, environment)
    changed, left = restore(_output(project, environment), deployed)
    return Restored(deployed, changed, left)


def after_rollback(project: Project, environment: Environment) -> tuple[str, ...]:
    """Restore what the version that is back had scored, and say in words what was done and what is left.

    The rollback stands whatever happens here.
    """
    if project.spec.batch is None:
        return ()
    try:
        done = restore_all(project, environment)
    except GatesError as error:
        return (
            f"batch scores are as they were: {error.message} [{error.code}]; gates batch --restore -e {environment}",
        )
    counted = (
        f"batch: {len(done.changed)} partition{'' if len(done.changed) == 1 else 's'} of earlier scores count again"
    )
    return (counted, *(f"to be scored: gates batch {name} -e {environment}" for name in done.left))


def _deployed(project: Project, environment: Environment) -> ModelVersion:
    """The version that the ledger has as deployed, read anew."""
    if environment == DEVELOPMENT:
        raise UsageError(
            "development has no ledger: nothing is deployed there",
            code="ledger.development",
            remedy="name a rung above",
        )
    deployed = project.chain().slot(project.slot(environment)).standing.deployed
    if deployed is None:
        raise Refused(
            f"nothing is deployed in {environment}",
            code="batch.nothing",
            remedy=f"gates promote -e {environment}, or adopt what serves",
        )
    return deployed


def _registered(project: Project, environment: Environment, deployed: ModelVersion) -> RegisteredModel:
    """Resolve the alias `deployed-ENV`, which must be the ledger's version with the ledger's bytes."""
    from gates.apply.admit import check_alias
    from gates.apply.ledger.aliases import AliasNames

    alias = AliasNames().deployed.format(environment=environment)
    found = project.registry.resolve(f"models:/{deployed.name}@{alias}")
    check_alias(project.chain(), project.slot(environment), alias, found.version.version)
    if found.version != deployed:
        raise EvidenceError(
            f"the bytes are {found.version.digest}, the ledger has {deployed.digest}",
            code="model.bytes_changed",
            where=found.version.uri,
            remedy="score nothing with them; find out who changed the version",
        )
    return found


def _score(project: Project, model: RegisteredModel, source: Path, out: Path) -> int:
    """Write the key columns of the input and the model's scores beside them; return the number of rows."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    from gates.inputs.engines import reading
    from gates.inputs.packages import own_python
    from gates.inputs.scorer import Asked, score
    from gates.inputs.tables import Tables, arrow, column

    columns = project.spec.columns
    features = tuple(columns.features) or model.features
    if not features:
        raise UsageError("no features are named, nor in the model's signature", code="features.none", where=str(source))
    with tempfile.TemporaryDirectory(prefix="gates-batch-") as name:
        folder, tables = Path(name), Tables()
        try:
            table = tables.read(source)
            for wanted in (*columns.key, *features):
                column(table, wanted, where=str(source))
            with reading(str(source)):
                rows = arrow(table.select(*dict.fromkeys((*columns.key, *features))))
        finally:
            tables.close()
        if rows.num_rows == 0:
            raise UsageError("the input has no rows", code="batch.input", where=str(source))
        # The scorer's own column goes first, as no feature has its name.
        numbered = rows.select(list(features)).add_column(0, ROW_ID, pa.array(range(rows.num_rows), pa.int64()))
        pq.write_table(numbered, folder / "features.parquet")
        fetched = project.registry.fetch(model.version, folder / "model")
        asked = Asked(project.spec.task, columns.classes, quantiles=tuple(q.level for q in columns.quantiles))
        python = own_python(fetched) if project.spec.packages == "own" else None
        answer = folder / "answer.parquet"
        score(fetched, folder / "features.parquet", answer, asked=asked, timeout_s=TIMEOUT_S, python=python)
        scored = pq.read_table(answer)
    joined = rows.select(list(columns.key))
    for scores in scored.column_names:
        if scores != ROW_ID:
            joined = joined.append_column(scores, scored.column(scores))
    pq.write_table(joined, out)
    return int(rows.num_rows)


def _words(project: Project) -> BatchSpec:
    if project.spec.batch is None:
        raise UsageError(
            "gates.yaml names no batch",
            code="spec.batch_missing",
            remedy='add `batch: {input: "requests/{partition}.parquet", output: "scores/{environment}"}`',
        )
    return project.spec.batch


def _output(project: Project, environment: Environment) -> Path:
    return project.spec.path(fill(_words(project).output, environment=environment))
