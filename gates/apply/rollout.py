"""A step of a rollout: more of the traffic for the version that a promotion began with. Numbered as in saga.py.

(1) Verify authority here; that the decision by which the release came still holds, that the plan has this step next, that
    the last one was seen for long enough and that nobody asked to stop, by the policies in force (policies/actions/rollout).
    The model bytes are hashed again; no alias and no target says what the ledger does not explain.
(2) Append the `rollout` entry, which holds the answer, upon the slot's last closing entry.
(3)-(7) saga.py.
"""

from __future__ import annotations

from gates.apply.act import Asked, Judge
from gates.apply.begin import begin, decided, own_move
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.rollout import present_share, promotion_of, rollout_of, share_of, step_after
from gates.apply.ledger.shape import release_digest
from gates.apply.saga import (
    Applied,
    already_done,
    carry_out,
    check_surfaces,
)
from gates.apply.serving.interface import Followed, Serves
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.bundle.pack import load_plan
from gates.bundle.store import Store
from gates.errors import Refused
from gates.records.base import Digest
from gates.records.release import Slot


def step(
    writer: LedgerWriter, surfaces: Surfaces, slot: Slot, judge: Judge, *, percent: int | None, reason: str
) -> Applied:
    """Go to the next share of the rollout; one that was interrupted is finished, and one that is done is found so.

    Parameters
    ----------
    percent: the share; default: the next one of the plan that was decided on.

    Raises
    ------
    Refused: no authority, no rollout, the policies deny, or a surface says what the ledger does not explain.
    EvidenceError, EngineError: the policies in force cannot be had, or a surface is out of reach.
    """
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        return finish(writer, surfaces, slot)
    release = state.standing.release
    if release is None or promotion_of(chain, slot) is None:
        raise Refused(
            f"no promotion brought what serves in {slot.environment}", code="rollout.decision", remedy="gates promote"
        )
    share = share_of(release, release.approved)
    if state.came_by == "rollout" and percent == share:
        return already_done(writer, surfaces, slot, chain)
    steps = planned(writer.store, chain, slot)
    wanted = percent or min((each for each in steps if each > share), default=None)
    if wanted is None:
        raise Refused(
            f"the plan that was decided on has no step after {share} %",
            code="rollout.order",
            remedy=f"add `rollout: {{{slot.environment}: [...]}}` to gates.yaml, and promote again",
        )
    after = step_after(release, wanted)
    # (1)
    surfaces.check_bytes(after)
    check_surfaces(writer, surfaces, slot, chain)
    surfaces.serving.check(after)
    asked = Asked(
        action="rollout",
        slot=slot,
        version=release.approved,
        release=release_digest(after),
        reason=reason,
        percent=wanted,
        present=present_share(chain, slot, followed(surfaces)),
        rollout=rollout_of(chain, slot, steps),
    )
    decision = decided(writer, judge, chain, asked)
    # (2)
    _, chain = begin(writer, chain, slot, "rollout", after, reason=reason, decision=decision)
    return carry_out(writer, surfaces, slot, chain)


def planned(store: Store, chain: Chain, slot: Slot) -> tuple[int, ...]:
    """Return the steps of the plan that the present release was decided by; none where it has none.

    Raises
    ------
    EvidenceError: the store lacks the plan.
    """
    opened = promotion_of(chain, slot)
    if opened is None:
        return ()
    plan = load_plan(store, opened.decision.plan_digest)
    return next((one.steps for one in plan.rollout if one.environment == slot.environment), ())


def followed(surfaces: Surfaces) -> Digest | None:
    """Return the release that the traffic follows by the target, read now; None where nobody sees it."""
    seen = surfaces.serving.read()
    if not isinstance(seen, Serves) or not isinstance(surfaces.serving.traffic(), Followed):
        return None
    return release_digest(seen.release)


def finish(writer: LedgerWriter, surfaces: Surfaces, slot: Slot) -> Applied:
    """Finish the slot's unfinished step: it is not decided again.

    Raises
    ------
    Refused: what is open is another move, or another key's; or a monitor asked to stop meanwhile.
    """
    chain, _ = own_move(writer, slot, "rollout")
    if alarms := chain.slot(slot).alarms:
        raise Refused(
            "a monitor asked to go no further since this step began",
            code="rollout.alarm",
            where=alarms[-1],
            remedy="`gates rollback` with the same key takes the step back",
        )
    check_surfaces(writer, surfaces, slot, chain)
    return carry_out(writer, surfaces, slot, chain, resumed=True)
