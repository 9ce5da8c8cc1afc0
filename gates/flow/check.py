"""`gates check` with a spec: plan, measure, seal where there is a key, decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.bundle.keys import KeySigner
from gates.bundle.pack import load_bundle
from gates.errors import UsageError
from gates.flow.answer import view_of
from gates.flow.decision import Decided, decide, sign
from gates.flow.stages import Progress, make_plan, measure, seal, unsealed
from gates.measure.interface import Note
from gates.measure.run import FAILURE_NOTE
from gates.project import DEVELOPMENT, Project, now_us
from gates.records import Environment, Micros
from gates.records.base import micros

if TYPE_CHECKING:
    from gates.render.view import View


@dataclass(frozen=True)
class Checked:
    """The answer, and what a reader should know besides."""

    decided: Decided
    view: View
    besides: tuple[str, ...]


def check_project(
    project: Project,
    environment: Environment,
    candidate: str | None,
    *,
    key: str | None,
    at: str | None,
    pull_request: bool = False,
    progress: Progress,
) -> Checked:
    """Measure the candidate and decide for an environment; nothing is applied.

    With a key the evidence is sealed into the store, so that `promote` can use it; without one it is signed by nobody.

    Raises
    ------
    UsageError, EvidenceError, EngineError: as the stages.
    """
    at_us = parse_time(at) if at else None
    planned = make_plan(project, environment, candidate, pull_request=of_pull_request(project, asked=pull_request))
    signer = sealing_key(project, key, environment)
    measured = measure(project, planned, progress)
    progress("deciding")
    sealed_at = now_us()
    bundle = (
        load_bundle(project.store, seal(project, measured, signer, sealed_at))
        if signer
        else unsealed(measured, sealed_at)
    )
    decided = decide(
        project,
        bundle,
        environment,
        signer=signer,
        reason=None,
        at_us=at_us or now_us(),
        simulated=at_us is not None,
    )
    if signer:
        decided = sign(project, decided, signer)
    notes = {note.name: note.content for note in measured.notes}
    return Checked(
        decided, view_of(project.policies, decided, notes), besides(project, decided, signed=signer is not None)
    )


def of_pull_request(project: Project, *, asked: bool) -> bool:
    """Whether to measure on the holdout for pull requests: where one is named, and asked for or this is their job.

    Raises
    ------
    UsageError: it is asked for, and the spec names none.
    """
    named = project.spec.tables.pull_request is not None
    if asked and not named:
        raise UsageError(
            "gates.yaml names no holdout for pull requests",
            code="spec.pull_request_missing",
            remedy="add `pull_request: {uri: ...}` to its tables",
        )
    return named and (asked or project.environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request"))


def parse_time(text: str) -> Micros:
    """Parse an ISO 8601 time with its zone into UTC microseconds.

    Raises
    ------
    UsageError: not such a time, or without a zone.
    """
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("not a time", where=text, code="time.invalid", remedy="write 2026-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        raise UsageError("a time without a zone", where=text, code="time.zone", remedy="write 2026-01-31T12:00:00Z")
    found = micros(moment)
    if not 0 <= found < 2**53:
        raise UsageError("a time before 1970 or after 2255", where=text, code="time.invalid")
    return found


def sealing_key(project: Project, key: str | None, environment: Environment) -> KeySigner | None:
    """The key to seal with; none where nobody gave one: a fork's pull request measures and decides, and seals nothing."""
    if key or project.environ.get("GATES_KEY") or (environment == DEVELOPMENT and not project.environ.get("CI")):
        return project.signer(key, environment)
    return None


def besides(project: Project, decided: Decided, *, signed: bool) -> tuple[str, ...]:
    """What a reader should know that is no result."""
    environment = decided.document.request.environment
    notes = []
    if environment == DEVELOPMENT:
        notes.append(
            "development: no ledger, any key; from staging on policy, trust and champion are facts of the ledger"
        )
    elif decided.decision.simulated:
        notes.append("simulated: the evidence was not entered into the ledger, so this answer cannot be applied")
    if not signed:
        notes.append("signed by nobody: no key was given")
    engine = decided.evaluation
    confirmed = (
        f", confirmed by {engine.confirmed_by}" if engine.confirmed_by else "; no OPA on this machine to confirm it"
    )
    notes.append(f"decided by {engine.engine} {engine.version}{confirmed}")
    return (*notes, *project.failures)


def failed_gates(notes: Sequence[Note]) -> tuple[str, ...]:
    """What gates tripped over, one sentence each."""
    return tuple(
        f"{note.name.removesuffix(FAILURE_NOTE)} gate: {note.content.decode()}"
        for note in notes
        if note.name.endswith(FAILURE_NOTE)
    )
