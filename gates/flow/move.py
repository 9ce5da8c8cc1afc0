"""APPLY: promote, roll back, adopt."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from gates.bundle.canonical import parse_json
from gates.bundle.pack import load_attachments, load_bundle
from gates.errors import EngineError, EvidenceError, Refused, UsageError
from gates.flow.judge import judge_of
from gates.project import DEVELOPMENT, Project, now_us
from gates.records import Decision, DecisionInput, Digest, Environment, Release, Route, Slot

if TYPE_CHECKING:
    from gates.apply.incidents import About
    from gates.apply.reconcile import Todo
    from gates.apply.saga import Applied
    from gates.apply.surfaces import Surfaces
    from gates.apply.writer import LedgerWriter
    from gates.bundle.decisions import OpenedDecision
    from gates.flow.decision import Decided
    from gates.inputs.registry import Registry
    from gates.render.view import View


@dataclass(frozen=True)
class Promotion:
    """The decision, and what was moved; nothing was where it denies."""

    decided: Decided
    view: View
    applied: Applied | None


def promote(
    project: Project,
    environment: Environment,
    *,
    candidate: str | None,
    bundle: str | None,
    reason: str | None,
    key: str | None,
    percent: int | None = None,
    hotfix: str | None = None,
) -> Promotion:
    """Decide on sealed evidence and, where the policies allow, carry it out.

    The same again finishes a promotion that was interrupted, and finds done one that is: neither is decided again.

    Parameters
    ----------
    percent: of the traffic; default: the first step of the rollout.
    hotfix: the incident for which rules about order and pace are left for later.

    Raises
    ------
    UsageError: no bundle, no key, no serving target. Refused: the key may not apply, another move is not finished, or
    something moved meanwhile.
    EvidenceError: bytes or signatures that changed. EngineError: an engine or a surface failed.
    """
    from gates.apply.promote import promote as carry_out
    from gates.apply.promote import promote_in_development
    from gates.flow.answer import view_of
    from gates.flow.decide import decide_for_good
    from gates.flow.stages import find_bundle

    signer = project.signer(key, environment)
    surfaces = surfaces_of(project, environment)
    if environment != DEVELOPMENT:
        asked = _Asked(project, environment, candidate, bundle, percent, hotfix)
        if again := _again(asked, project.writer(signer, now_us()), surfaces):
            return again
    opened = load_bundle(project.store, find_bundle(project, candidate, bundle))
    decided = decide_for_good(project, opened, environment, signer, reason=reason, percent=percent, incident=hotfix)
    view = view_of(project.policies, decided, load_attachments(project.store, opened.record))
    if not decided.decision.allow or decided.envelope is None:
        return Promotion(decided, view, None)
    if environment == DEVELOPMENT:
        applied = promote_in_development(project.store, surfaces, decided.envelope, now_us=now_us())
    else:
        applied = carry_out(project.writer(signer, now_us()), surfaces, decided.envelope, reason=reason)
    return Promotion(decided, view, applied)


@dataclass(frozen=True)
class _Asked:
    """What a promotion was asked for."""

    project: Project
    environment: Environment
    candidate: str | None
    bundle: str | None
    percent: int | None
    hotfix: str | None

    def begun(self, decision: Decision) -> bool:
        """Whether an unfinished promotion by this decision is what is asked for: evidence since then is no matter."""
        if self.percent not in (None, decision.request.percent):
            return False
        if self.bundle is not None:
            return self.bundle == decision.bundle_digest
        # What measuring imports, a rollback does not wait for.
        from gates.flow.stages import candidate_uri

        version = self.project.registry.resolve(candidate_uri(self.project, self.candidate)).version
        return version.uri == decision.request.candidate.uri

    def done(self, decision: Decision) -> bool:
        """Whether a promotion that was done by this decision is what is asked for, on the same evidence."""
        if self.percent not in (None, decision.request.percent) or self.hotfix != decision.request.incident:
            return False
        from gates.flow.stages import find_bundle

        return find_bundle(self.project, self.candidate, self.bundle) == decision.bundle_digest


def _again(asked: _Asked, writer: LedgerWriter, surfaces: Surfaces) -> Promotion | None:
    """Finish, or find done, the slot's last move where it is the promotion that is asked for; None: decide."""
    from gates.apply.ledger.promotion import decision_of
    from gates.apply.promote import finish
    from gates.apply.promote import promote as carry_out
    from gates.apply.saga import open_elsewhere, own_intent

    slot, chain = asked.project.slot(asked.environment), writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        move = own_intent(writer, state, slot)
        opened = decision_of(move.entry) if move.entry.kind == "intent" else None
        if opened is None or not asked.begun(opened.decision):
            raise open_elsewhere(move, slot)
        return _promotion(asked.project, opened, finish(writer, surfaces, slot))
    if state.came_by != "promote":
        return None
    opened = decision_of(next(item.entry for item in chain.entries if item.digest == state.last_intent))
    if not asked.done(opened.decision):
        return None
    return _promotion(asked.project, opened, carry_out(writer, surfaces, opened.envelope_digest))


def _promotion(project: Project, opened: OpenedDecision, applied: Applied) -> Promotion:
    """Return a promotion by a decision that was made before, with what it rested on then."""
    from gates.decide.policies import PolicySet
    from gates.flow.answer import view_of
    from gates.flow.decision import Decided

    store, decision = project.store, opened.decision
    bundle = load_bundle(store, decision.bundle_digest)
    document = DecisionInput.parse(parse_json(store.get(decision.input_digest)), where=decision.input_digest)
    decided = Decided(bundle, document, decision, opened.evaluation, opened.envelope_digest)
    policies = PolicySet.from_store(store, decision.policy_digest)
    return Promotion(decided, view_of(policies, decided, load_attachments(store, bundle.record)), applied)


def rollback(
    project: Project,
    environment: Environment,
    *,
    reason: str,
    to: Digest | None,
    key: str | None,
    about: About | None = None,
) -> Applied:
    """Bring back a whole earlier release.

    Parameters
    ----------
    about: the incident that it is done for, and what was kept of what served.

    Raises
    ------
    Refused: no authority, or no such release. EvidenceError: its bytes changed.
    """
    from gates.apply.offline import Offline, rollback_offline
    from gates.apply.rollback import rollback as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    surfaces = surfaces_of(project, environment, registry_may_be_down=True)
    try:
        project.store.check_there()
        if not surfaces.serving.journal():
            writer, judge = project.writer(signer, now_us()), judge_of(project, signer)
            return carry_out(writer, surfaces, slot, reason=reason, to=to, judge=judge, about=about)
        project.chain()
    except (EngineError, EvidenceError) as error:
        # A ledger that is not there at all, where its root is known, was lost or is not mounted.
        absent = error.code == "ledger.root" and not project.ledger.entries()
        away = isinstance(error, EngineError) and error.code.startswith(("ledger.", "store."))
        if not (absent or away):
            raise
        offline = Offline(project.ledger_root, signer, now_us(), (f"{error.code}: {error.message}",))
        return rollback_offline(offline, surfaces, slot, reason=reason, to=to, about=about)
    raise _journal_open(environment, surfaces)


def reconcile(
    project: Project, environment: Environment, *, how: Literal["look", "finish", "undo"], key: str | None
) -> tuple[Todo, Applied | None]:
    """Say what the last move in an environment left to do, and where asked for, do it.

    Raises
    ------
    Refused: it is another key's, or journal and ledger contradict each other. EngineError: something is out of reach.
    """
    from gates.apply.reconcile import look
    from gates.apply.reconcile import reconcile as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    project.store.check_there()
    writer, surfaces = project.writer(signer, now_us()), surfaces_of(project, environment)
    todo = look(writer, surfaces, slot)
    judge = judge_of(project, signer)
    if how == "look" or (how == "finish" and todo.left == "nothing"):
        return todo, None
    return todo, carry_out(writer, surfaces, slot, how, judge=judge)


def takeover(project: Project, environment: Environment, *, reason: str, key: str | None) -> Digest:
    """Make an unfinished move of another key this one's.

    Raises
    ------
    Refused: nothing is open, or this key may not apply there.
    """
    from gates.apply.reconcile import takeover as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    return carry_out(project.writer(signer, now_us()), slot, reason=reason)


def revert(project: Project, environment: Environment, *, reason: str, key: str | None) -> Applied:
    """Put back what somebody changed beside the ledger.

    Raises
    ------
    Refused: the ledger explains all of it, a move is open, or a rollback without the ledger waits to be entered.
    """
    from gates.apply.revert import revert as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    surfaces = surfaces_of(project, environment)
    if surfaces.serving.journal():
        raise _journal_open(environment, surfaces)
    return carry_out(project.writer(signer, now_us()), surfaces, slot, reason=reason)


def mark_bad(project: Project, environment: Environment, release: Digest, *, reason: str, key: str | None) -> Digest:
    """Mark a release that was done in an environment as bad; return the entry's digest.

    Raises
    ------
    Refused: no authority, a move is open, or the release was never done there.
    """
    from gates.apply.mark import mark_bad as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    serving = surfaces_of(project, environment, registry_may_be_down=True).serving
    return carry_out(project.writer(signer, now_us()), serving, slot, release, reason=reason)


def _journal_open(environment: Environment, surfaces: Surfaces) -> Refused:
    return Refused(
        f"a rollback in {environment} was carried out while the ledger was out of reach, and is not entered yet",
        code="journal.open",
        where=surfaces.serving.name,
        remedy=f"gates reconcile -e {environment}",
    )


def adopt(project: Project, environment: Environment, version: str, *, reason: str, key: str | None) -> Applied:
    """Enter into the ledger that a version serves all of an environment's traffic already.

    Raises
    ------
    UsageError: no such version. Refused: the target serves something else.
    """
    from gates.apply.adopt import adopt as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    model = project.registry.resolve(version).version
    said = project.spec.release
    release = Release(
        model=slot.model,
        environment=environment,
        routes=(Route(version=model, percent=100),),
        approved=model,
        **({} if said is None else dict(said.parts())),
    )
    return carry_out(project.writer(signer, now_us()), surfaces_of(project, environment), release, reason=reason)


def recorded(project: Project, environment: Environment) -> Slot:
    """Return a slot that the ledger moves.

    Raises
    ------
    UsageError: development has no ledger.
    """
    slot = project.slot(environment)
    if environment == DEVELOPMENT:
        raise UsageError(
            "development has no ledger, so there is nothing to adopt, to roll back or to retire",
            code="ledger.development",
            remedy="promote the version that should serve there",
        )
    return slot


def surfaces_of(project: Project, environment: Environment, *, registry_may_be_down: bool = False) -> Surfaces:
    """Return what a move changes outside the ledger.

    Parameters
    ----------
    registry_may_be_down: it is opened only when it is needed, and where it is down one that answers to nothing stands
        in for it.

    Raises
    ------
    UsageError: the spec names no serving target.
    """
    from gates.apply.surfaces import Surfaces

    serving = project.serving(environment)
    if serving is None:
        raise UsageError(
            "gates.yaml names no serving target",
            code="spec.serving_missing",
            remedy='add `serving: {file: "serving/{environment}.json"}`',
        )
    if not registry_may_be_down or project.spec.registry is None:
        return Surfaces(project.registry, serving)
    from gates.inputs.late_registry import LateRegistry

    late = LateRegistry(project.spec.uri(project.spec.registry), lambda: _registry(project))
    return Surfaces(late, serving)


def _registry(project: Project) -> Registry:
    """The registry; one that answers to nothing where the package for it is not installed, as in a rollback runtime."""
    from gates.inputs.registry import AbsentRegistry

    return project.registry if find_spec("mlflow") else AbsentRegistry("the package mlflow is not installed here")
