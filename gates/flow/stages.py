"""PLAN, MEASURE, SEAL: each from its predecessor's record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gates import __version__
from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document
from gates.bundle.keys import Signer
from gates.bundle.pack import OpenedBundle, OpenedEvidence, load_bundle, seal_bundle
from gates.errors import UsageError
from gates.flow.anchor import served_in
from gates.flow.champion import ChampionDocuments
from gates.flow.lineage import learned_by_both
from gates.flow.metadata import metadata_of, revision_of
from gates.flow.scoring import score_tables
from gates.inputs.opened import OpenTable
from gates.measure.interface import Given, Note
from gates.measure.run import GateRun, planned_gates, run_gates
from gates.project import DEVELOPMENT, Project
from gates.records import (
    Attachment,
    Bundle,
    Code,
    Digest,
    Environment,
    Evidence,
    EvidenceRef,
    Micros,
    ModelVersion,
    Plan,
)
from gates.records.base import RowDigest
from gates.records.evidence import Isolation, Metadata

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain
    from gates.inputs.registry import RegisteredModel

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Planned:
    """What is measured, about whom, against whom.

    Attributes
    ----------
    served: of whom the best is the anchor; nobody where the plan asks for none.
    champion_revision: of the champion's code, as its sealed bundle says; None where it has none.
    """

    plan: Plan
    candidate: RegisteredModel
    champion: ModelVersion | None
    served: tuple[ModelVersion, ...] = ()
    champion_revision: str | None = None


@dataclass(frozen=True)
class Measured:
    """Evidence that is not sealed yet, the notes that its attachments name, and where the candidate comes from."""

    plan: Plan
    evidence: tuple[Evidence, ...]
    notes: tuple[Note, ...]
    holdout_digest: Digest | None
    metadata: Metadata | None = None
    holdout_sketch: tuple[RowDigest, ...] | None = None


def make_plan(
    project: Project,
    environment: Environment,
    candidate: str | None,
    *,
    given: Plan | None = None,
    pull_request: bool = False,
) -> Planned:
    """Ask the policies what to measure for every rung, and the spec where it is.

    Parameters
    ----------
    environment: the rung whose champion the candidate is compared with.
    given: a plan that was made before, to be used as it is.
    pull_request: measure on the holdout that the spec names for pull requests.

    Raises
    ------
    UsageError: no such candidate, or one of another model.
    """
    from gates.plan.build import build_plan

    project.check_environment(environment)
    model = project.registry.resolve(candidate_uri(project, candidate))
    if model.version.name != project.spec.model:
        raise UsageError(
            f'is not the spec\'s model "{project.spec.model}"', code="candidate.model", where=model.version.uri
        )
    chain = None if environment == DEVELOPMENT else project.chain()
    champion = _champion(project, environment, chain)
    documents = ChampionDocuments(chain, project.slot(environment), champion, project.store)
    plan = given or build_plan(
        project.spec,
        project.engines.engine.evaluate,
        project.policies.digest,
        has_champion=champion is not None,
        has_sets=bool(project.spec.columns.set_columns or project.spec.columns.intervals),
        environments=project.environments,
        features=model.features,
        pull_request=pull_request,
        beside=documents.beside,
    )
    return Planned(plan, model, champion, served_in(chain, project.slot(environment), plan), documents.revision)


def candidate_uri(project: Project, candidate: str | None) -> str:
    """Return the candidate's URI: the option, else the spec's.

    Raises
    ------
    UsageError: neither names one.
    """
    uri = candidate or project.spec.candidate
    if uri is None:
        raise UsageError(
            "which candidate?",
            code="candidate.missing",
            remedy="pass --candidate models:/NAME/VERSION or name it in gates.yaml",
        )
    return uri


def _champion(project: Project, environment: Environment, chain: Chain | None) -> ModelVersion | None:
    """Return what the candidate is compared with: the spec's champion in development, above it what the ledger says."""
    if chain is None:
        return project.registry.resolve(project.spec.champion).version if project.spec.champion else None
    release = chain.release(project.slot(environment))
    return release.champion if release else None


def measure(project: Project, planned: Planned, progress: Progress) -> Measured:
    """Score candidate and champion in scorer processes, then run every planned gate on what the table engine holds.

    Raises
    ------
    UsageError: a table or column that is not there, scores outside [0, 1]. EvidenceError: a file changed meanwhile.
    """
    from gates.inputs.contracts import read_contracts
    from gates.inputs.definitions import read_definitions, with_sources
    from gates.inputs.engines import engine_named
    from gates.inputs.personal_data import read_personal_data
    from gates.inputs.tables import Tables
    from gates.measure.data.classes import refuse_shown
    from gates.measure.row_sketch import row_sketch

    plan, candidate = planned.plan, planned.candidate.version
    base = project.spec.base
    contracts, before = (
        read_contracts(plan.tables, base, champion=champion, store=project.store) for champion in (False, True)
    )
    refuse_shown(plan, contracts)
    definitions = read_definitions(plan, base, project.store)
    personal_data = read_personal_data(plan.tables, base)
    engine = engine_named(project.spec.engine)
    with Tables(engine) as tables, tempfile.TemporaryDirectory(prefix="gates-measure-") as folder:
        progress("tables")
        opened = tables.open_all(plan.tables, base=base, version=candidate.version)
        progress("scoring")
        scores = score_tables(
            project, plan, (candidate, planned.champion), tables, opened, Path(folder), planned.served
        )
        asked = "data" in planned_gates(plan)
        learned = learned_by_both(project, planned.candidate, planned.champion, tables, opened) if asked else {}
        given = Given(
            plan=plan,
            tables=opened,
            scored=scores.scored,
            champion=planned.champion,
            learned=learned,
            gold=scores.gold,
            latency=scores.latency,
            anchor=scores.anchor,
            rescored=scores.rescored,
            contracts=contracts,
            champion_contracts=before,
            definitions=with_sources(definitions, opened),
            personal_data=personal_data,
        )
        runs = list(run_gates(given, progress))
        sketch = row_sketch(plan, opened)
        tables.unchanged()
    looked_at = [one.table for each in learned.values() for one in each if isinstance(one.table, OpenTable)]
    read = [*opened.values(), *looked_at]
    measured = gather(plan, candidate, planned.champion, read, runs, isolation=scores.isolation)
    identities = [table.identity for table in opened.values()]
    since = planned.champion_revision or revision_of(project, planned.champion)
    metadata = metadata_of(project, plan, planned.candidate, since, identities)
    return replace(measured, metadata=metadata, holdout_sketch=sketch)


def gather(
    plan: Plan,
    candidate: ModelVersion,
    champion: ModelVersion | None,
    read: Sequence[OpenTable],
    runs: Sequence[GateRun],
    *,
    isolation: Isolation,
) -> Measured:
    """Put what the gates found into the form of evidence, one statement a gate."""
    plan_digest = digest_document(plan.document())
    identities = tuple(dict.fromkeys(table.identity for table in read))
    code = Code(version=__version__)
    # Where the tables are from is said once, with the first gate's evidence.
    sources = tuple(_source_note(table) for table in read if table.source is not None)
    by_run = [(run, run.findings.notes + (sources if place == 0 else ())) for place, run in enumerate(runs)]
    evidence = tuple(
        Evidence(
            gate=run.gate,
            candidate=candidate,
            champion=champion,
            plan_digest=plan_digest,
            tables=identities,
            code=code,
            isolation=isolation,
            started_us=run.started_us,
            finished_us=run.finished_us,
            measurements=run.findings.measurements,
            attachments=tuple(
                Attachment(name=note.name, digest=digest_bytes(note.content), media_type=note.media_type)
                for note in notes
            ),
        )
        for run, notes in by_run
    )
    notes = tuple(note for _, each in by_run for note in each)
    digests = {identity.role: identity.digest for identity in identities}
    return Measured(plan, evidence, notes, digests.get("holdout") or digests.get("predictions"))


def _source_note(table: OpenTable) -> Note:
    """Where a table's rows are from; the bytes have the digest that its identity names."""
    document = {} if table.source is None else dict(table.source.document)
    return Note(f"source-{table.identity.role}.json", "application/json", canonical_bytes(document))


def seal(project: Project, measured: Measured, signer: Signer, now_us: Micros) -> Digest:
    """Store the notes, sign the evidence and its manifest; return the bundle's digest."""
    for note in measured.notes:
        project.store.put(note.content)
    return seal_bundle(
        project.store,
        signer,
        measured.plan,
        measured.evidence,
        holdout_digest=measured.holdout_digest,
        holdout_sketch=measured.holdout_sketch,
        metadata=measured.metadata,
        now_us=now_us,
    )


def find_bundle(project: Project, candidate: str | None, bundle: str | None) -> Digest:
    """Return the digest that was given, or that of the candidate's newest bundle in the store.

    Raises
    ------
    UsageError: there is none.
    """
    if bundle is not None:
        return bundle
    version = project.registry.resolve(candidate_uri(project, candidate)).version
    bundles = [load_bundle(project.store, digest) for digest in project.store.linked("bundle", version.digest)]
    found = [opened for opened in bundles if not opened.plan.pull_request]
    if not found:
        raise UsageError(
            "no sealed evidence of this version is in the store",
            code="bundle.none",
            where=version.uri,
            remedy="measure it first: gates check -e ENV --candidate URI --key FILE",
        )
    return max(found, key=lambda opened: (opened.record.created_us, opened.digest)).digest


def unsealed(measured: Measured, now_us: Micros) -> OpenedBundle:
    """Return measured evidence in a bundle's form, signed by nobody: what a pull request or a first look decides on."""
    evidence = tuple(OpenedEvidence(digest_document(item.document()), item, ()) for item in measured.evidence)
    first = measured.evidence[0]
    record = Bundle(
        candidate=first.candidate,
        champion=first.champion,
        plan_digest=first.plan_digest,
        evidence=tuple(EvidenceRef(gate=part.evidence.gate, digest=part.digest) for part in evidence),
        attachments=tuple(attachment for item in measured.evidence for attachment in item.attachments),
        holdout_digest=measured.holdout_digest,
        holdout_sketch=measured.holdout_sketch,
        metadata=measured.metadata,
        created_us=now_us,
    )
    return OpenedBundle(digest_document(record.document()), record, (), measured.plan, evidence)
