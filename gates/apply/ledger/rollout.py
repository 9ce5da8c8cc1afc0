"""A rollout as the ledger knows it: the decision that it belongs to, the share of now, and what a step makes of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gates.apply.ledger.authority import check_answer, check_in_force
from gates.apply.ledger.promotion import decision_of, routes_after
from gates.apply.ledger.shape import release_digest
from gates.bundle.canonical import canonical_bytes
from gates.bundle.decisions import OpenedDecision
from gates.errors import Refused
from gates.records.action import PresentShare, Rollout, Suspect
from gates.records.base import Digest, Micros, ModelVersion
from gates.records.release import Entry, Release, Slot

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain


def share_of(release: Release | None, version: ModelVersion) -> int:
    """Percent of the traffic that a release gives a version."""
    return sum(route.percent for route in (release.routes if release else ()) if route.version == version)


def step_after(before: Release, percent: int) -> Release:
    """Return the release in which the version that was approved last has another share, and nothing else differs.

    Raises
    ------
    Refused, UsageError: nothing else serves that could keep the rest, or two others do.
    """
    return before.model_copy(update={"routes": routes_after(before, before.approved, percent)})


def promotion_of(chain: Chain, slot: Slot) -> OpenedDecision | None:
    """Return the decision by which the present release came; None: it was adopted, or nothing serves."""
    release = chain.release(slot)
    wanted = release.decision_digest if release else None
    entry = chain.intent_of(slot, wanted) if wanted else None
    return decision_of(entry) if entry is not None and entry.decision is not None else None


def present_share(chain: Chain, slot: Slot, observed: Digest | None) -> PresentShare | None:
    """Return what serves, for policies; None where nothing does.

    Parameters
    ----------
    observed: the release that the traffic follows, where somebody sees it.
    """
    state = chain.slot(slot)
    release = state.standing.release
    if release is None:
        return None
    return PresentShare(
        version_digest=release.approved.digest,
        percent=share_of(release, release.approved),
        since_us=state.time_us,
        alarms=len(state.alarms),
        decision_id=release.decision_digest,
        observed=observed,
    )


def rollout_of(chain: Chain, slot: Slot, steps: Sequence[int]) -> Rollout | None:
    """Return the decision that the present share belongs to, for policies.

    Parameters
    ----------
    steps: of the plan that was decided on.
    """
    opened = promotion_of(chain, slot)
    if opened is None:
        return None
    decision = opened.decision
    return Rollout(
        decision_id=opened.decision_id,
        basis=decision.basis,
        allow=decision.allow,
        decided_us=decision.request.effective_time_us,
        valid_until_us=decision.valid_until_us,
        policy_digest=decision.policy_digest,
        trust_digest=decision.trust_digest,
        plan_digest=decision.plan_digest,
        steps=tuple(steps),
        suspects=suspects(chain, slot.model),
    )


def suspects(chain: Chain, model: str) -> tuple[Suspect, ...]:
    """Return the versions of a model that any environment rolled back from, or marked bad."""
    found = {
        Suspect(environment=slot.environment, version_digest=known.release.approved.digest, time_us=known.time_us)
        for slot, state in chain.slots.items()
        if slot.model == model
        for known in state.known.values()
        if known.state != "done"
    }
    return tuple(sorted(found, key=lambda each: canonical_bytes(each.document())))


def check_step(chain: Chain, slot: Slot, after: Release | None, *, percent: int | None, time_us: Micros) -> None:
    """Refuse a step that is none of the present rollout, or whose decision holds no more.

    Raises
    ------
    Refused: with the code of the first reason.
    """
    state, opened = chain.slot(slot), promotion_of(chain, slot)
    before = state.standing.release
    if opened is None or before is None or after is None or percent is None:
        raise Refused("no rollout is under way", code="rollout.decision", remedy="gates promote")
    check_answer(opened, slot, time_us=time_us)
    check_in_force(opened, slot.environment, chain.active(slot.environment), chain.trust(slot.environment))
    if percent <= share_of(before, before.approved) or after != step_after(before, percent):
        raise Refused("is no step of the rollout that is under way", code="rollout.order", remedy="gates status")
    if state.alarms:
        raise Refused("a monitor asked to go no further", code="rollout.alarm", where=state.alarms[-1])


def check_less(chain: Chain, entry: Entry, slot: Slot, percent: int | None) -> None:
    """Refuse a monitor's demand that gives the version that was approved last more traffic, or as much.

    Raises
    ------
    Refused: `monitor.reduces`.
    """
    before, after = chain.release(slot), entry.after
    share = share_of(before, before.approved) if before else 0
    if entry.candidate is not None and (before is None or before.approved != entry.candidate):
        raise Refused("is about a version that is not rolled out", code="monitor.reduces")
    reached = share if after is None or before is None else share_of(after, before.approved)
    if reached != percent or (after is not None and reached >= share):
        raise Refused("does not say how much less traffic it leaves", code="monitor.reduces")


def known_steps(chain: Chain, slot: Slot) -> tuple[Release, ...]:
    """Return the releases of the present rollout with a smaller share that are known as good, the largest share first."""
    state = chain.slot(slot)
    present = state.standing.release
    if present is None:
        return ()
    share = share_of(present, present.approved)
    found = [
        known.release
        for digest, known in state.known.items()
        if known.state == "done"
        and digest != state.release_digest
        and known.release.decision_digest == present.decision_digest
        and 0 < share_of(known.release, present.approved) < share
    ]
    return tuple(sorted(found, key=lambda release: (-share_of(release, present.approved), release_digest(release))))
