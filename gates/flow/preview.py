"""What a move would do, said before it is done: `--plan`. Nothing is written, and what is decided here is simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.apply.differences import changes
from gates.apply.ledger.shape import release_digest
from gates.errors import Refused
from gates.flow.move import recorded, surfaces_of
from gates.project import Project, now_us
from gates.records import Digest, Environment, Release, Slot

if TYPE_CHECKING:
    from gates.apply.incidents import Incident
    from gates.apply.ledger.chain import Chain
    from gates.apply.surfaces import Surfaces
    from gates.render.view import View


@dataclass(frozen=True)
class Preview:
    """A move that was not made.

    Attributes
    ----------
    before, after: the release that the ledger has, and the one that it would have; None: nothing serves.
    changes: part by part. aliases: each that would move. target: where the traffic is told.
    stands_against: why the move would be refused as things are; empty where nothing does.
    view: the simulated decision of a promotion.
    """

    slot: Slot
    before: Release | None
    after: Release | None
    changes: tuple[str, ...]
    aliases: tuple[str, ...]
    target: str
    stands_against: str = ""
    view: View | None = None


def preview_promotion(
    project: Project,
    environment: Environment,
    *,
    candidate: str | None,
    bundle: str | None,
    reason: str | None,
    percent: int | None,
    hotfix: str | None,
    key: str | None,
) -> Preview:
    """Say what `gates promote` would change, by a simulated decision: no look at the holdout is spent.

    Raises
    ------
    UsageError: no bundle, no serving target, a share that nothing completes. EvidenceError, EngineError: as promoting.
    """
    from gates.apply.ledger.promotion import release_after
    from gates.bundle.decisions import OpenedDecision
    from gates.bundle.pack import load_attachments, load_bundle
    from gates.flow.answer import view_of
    from gates.flow.decision import decide
    from gates.flow.stages import find_bundle

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    surfaces, chain = surfaces_of(project, environment), project.chain()
    opened = load_bundle(project.store, find_bundle(project, candidate, bundle))
    decided = decide(
        project,
        opened,
        environment,
        signer=signer,
        reason=reason,
        at_us=now_us(),
        simulated=True,
        percent=percent,
        incident=hotfix,
        chain=chain,
    )
    view = view_of(project.policies, decided, load_attachments(project.store, opened.record))
    state = chain.slot(slot)
    unsigned = OpenedDecision(decided.decision.request.candidate.digest, decided.decision, decided.evaluation, ())
    after = release_after(state.standing.release, unsigned)
    against = "" if decided.decision.allow else "the policies deny"
    return _preview(surfaces, slot, chain, after, against, view)


def preview_rollback(
    project: Project,
    environment: Environment,
    incident: Incident,
    *,
    reason: str,
    to: Digest | None,
    key: str | None,
) -> Preview:
    """Say where `gates rollback` would go and what would change; the policies are asked.

    Raises
    ------
    Refused: no such release. EvidenceError, EngineError: the ledger does not verify, or is out of reach: then the
    rollback itself goes by its pack.
    """
    from gates.apply.rollback import allowance_of, asked_of, target_of
    from gates.flow.incidents import chosen
    from gates.flow.judge import judge_of

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    surfaces, chain = surfaces_of(project, environment, registry_may_be_down=True), project.chain()
    state = chain.slot(slot)
    target = target_of(state, slot, to or chosen(project, environment, incident, surfaces))
    against = ""
    try:
        surfaces.serving.check(target)
        reached = allowance_of(surfaces, slot, target, state).registry != "is down"
        asked = asked_of(slot, target, reason, reached=reached, incident=incident)
        judge_of(project, signer).on_chain(chain, asked, time_us=max(now_us(), chain.time_us))
    except Refused as error:
        against = f"{error.message} [{error.code}]"
    return _preview(surfaces, slot, chain, target, against, None)


def preview_revert(project: Project, environment: Environment) -> Preview:
    """Say what `gates revert` would put back.

    Raises
    ------
    EvidenceError, EngineError: the ledger does not verify, or something is out of reach.
    """
    from gates.apply.revert import strange

    slot = recorded(project, environment)
    surfaces, chain = surfaces_of(project, environment), project.chain()
    standing = chain.slot(slot).standing
    found = strange(surfaces, slot, chain)
    against = "" if found else "the ledger explains all of it [revert.nothing]"
    return Preview(
        slot,
        standing.release,
        standing.release,
        found,
        surfaces.alias_moves(slot, standing),
        surfaces.serving.name,
        _busy(chain, slot) or against,
    )


def _preview(surfaces: Surfaces, slot: Slot, chain: Chain, after: Release, against: str, view: View | None) -> Preview:
    from gates.apply.saga import explanations

    state = chain.slot(slot)
    before = state.standing.release
    # A release names its decision, which is another one each time.
    moved = "" if before is None else release_digest(before.model_copy(update={"decision_digest": None}))
    if moved == release_digest(after.model_copy(update={"decision_digest": None})):
        against = "that is what serves already"
    against = _busy(chain, slot) or against
    if not against:
        try:
            known = explanations(state)
            surfaces.check_serving(slot, *known)
            surfaces.check_aliases(slot, *known)
        except Refused as error:
            against = f"{error.message} [{error.code}]"
    return Preview(
        slot,
        before,
        after,
        changes(before, after),
        surfaces.alias_moves(slot, state.standing.moved_to(after)),
        surfaces.serving.name,
        against,
        view,
    )


def _busy(chain: Chain, slot: Slot) -> str:
    move = chain.open_intent(slot)
    return f"a move that {move.entry.actor} began is not finished [slot.open]" if move else ""
