"""Promote: carry out a decision. Numbered as in saga.py.

(1) Verify: the decision is signed by a key that may decide, is a valid yes for this slot, was made under the policies
    and trust in force, on a bundle that the ledger knows, against the champion that still serves; the model bytes,
    hashed again, are those that were decided on; no alias and no target says what the ledger does not explain.
(2) Append the intent, which holds the decision and both releases, upon the slot's last closing entry.
(3)-(7) saga.py.
"""

from __future__ import annotations

from gates.apply.begin import begin, own_move
from gates.apply.ledger.aliases import Standing
from gates.apply.ledger.authority import check_answer
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.promotion import check_promotion, decision_of, release_after
from gates.apply.ledger.shape import release_digest
from gates.apply.saga import (
    Applied,
    already_done,
    carry_out,
    check_surfaces,
    open_elsewhere,
    own_intent,
)
from gates.apply.serving.interface import Serves, ServesNothing
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter, Position
from gates.bundle.canonical import parse_json
from gates.bundle.decisions import OpenedDecision, load_decision
from gates.bundle.store import Store
from gates.errors import Refused, UsageError
from gates.records.base import Digest, Micros
from gates.records.release import Release, Slot


def promote(writer: LedgerWriter, surfaces: Surfaces, decision: Digest, *, reason: str | None = None) -> Applied:
    """Give the decided candidate the share of the traffic of the decision's slot that was decided on.

    A promotion that was interrupted is resumed; one that is done already is found so, and nothing moves.

    Parameters
    ----------
    decision: digest of its envelope in the store.

    Raises
    ------
    Refused: the decision, the slot's state, or the surfaces say no. EvidenceError: bytes or signatures that changed.
    UsageError: a share that nothing else serves to complete. EngineError: a surface is out of reach.
    """
    opened = load_decision(writer.store, decision)
    request = opened.decision.request
    slot = Slot(model=request.model, environment=request.environment)
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        return _resume(writer, surfaces, slot, chain, opened)
    after = release_after(state.standing.release, opened)
    if state.release_digest == release_digest(after):
        return already_done(writer, surfaces, slot, chain)
    # (1)
    check_promotion(chain, slot, opened, time_us=writer.moment(chain))
    surfaces.check_bytes(after)
    check_surfaces(writer, surfaces, slot, chain)
    surfaces.serving.check(after)
    # (2)
    chain = _intend(writer, slot, chain, opened, after, reason)
    return carry_out(writer, surfaces, slot, chain)


def promote_in_development(
    store: Store, surfaces: Surfaces, decision: Digest, *, now_us: Micros, environment: str = "development"
) -> Applied:
    """Let the decided candidate take all traffic where there is no ledger: any key, no champion, nothing to undo.

    Steps 3 to 6 only, and (1) as far as the decision itself says: what stood there before is overwritten.

    Raises
    ------
    UsageError: the decision is about an environment that has a ledger. Refused: it is no valid yes.
    """
    opened = load_decision(store, decision)
    request = opened.decision.request
    if request.environment != environment:
        raise UsageError(
            f"{request.environment} moves by its ledger only",
            code="ledger.needed",
            remedy="name the ledger and set GATES_LEDGER_ROOT",
        )
    slot = Slot(model=request.model, environment=environment)
    # (1)
    check_answer(opened, slot, time_us=now_us)
    _check_own(surfaces, slot)
    release = release_after(None, opened)
    surfaces.check_bytes(release)
    surfaces.serving.check(release)
    standing = Standing().moved_to(release)
    # (3) (4)
    accepted = surfaces.serve(release)
    # (5)
    unseen = surfaces.unseen(slot)
    surfaces.move_aliases(slot, standing, leave=unseen)
    # (6)
    observed = surfaces.observe(release)
    surfaces.observe_aliases(slot, standing, leave=unseen)
    return Applied(slot, "accepted" if unseen else "done", release, accepted, None if unseen else observed)


def _check_own(surfaces: Surfaces, slot: Slot) -> None:
    """Refuse a target that another slot's traffic follows: the branch names it, and no ledger guards this move."""
    target = surfaces.serving
    seen = target.read() if target is not None else None
    if target is None or isinstance(seen, ServesNothing | None):
        return
    if not isinstance(seen, Serves) or (seen.release.model, seen.release.environment) != (slot.model, slot.environment):
        raise Refused(
            f"does not state a release of {slot.model} in {slot.environment}",
            code="serving.foreign",
            where=target.name,
            remedy="give each environment a target of its own: `{environment}` in `serving.file`",
        )


def finish(writer: LedgerWriter, surfaces: Surfaces, slot: Slot) -> Applied:
    """Finish the slot's unfinished promotion by the decision that its intent carries: it is not decided again.

    Raises
    ------
    Refused: there is none (`slot.moved`), it is another key's (`slot.open`), or its decision holds no more.
    """
    chain, move = own_move(writer, slot, "intent")
    return _resume(writer, surfaces, slot, chain, decision_of(move.entry))


def _resume(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, chain: Chain, opened: OpenedDecision) -> Applied:
    move = own_intent(writer, chain.slot(slot), slot)
    after = move.after.release
    if move.entry.kind != "intent" or after is None or after.decision_digest != opened.decision_id:
        raise open_elsewhere(move, slot)
    try:
        # (1)
        check_promotion(chain, slot, opened, time_us=writer.moment(chain))
        surfaces.check_bytes(after)
        check_surfaces(writer, surfaces, slot, chain)
    except Refused as error:
        raise Refused(
            f"{error.message}; and a promotion that has begun is not finished",
            code=error.code,
            where=error.where,
            remedy=f"{error.remedy or 'mend that'}; `gates rollback` with the same key undoes what has begun",
        ) from error
    return carry_out(writer, surfaces, slot, chain, resumed=True)


def _intend(
    writer: LedgerWriter,
    slot: Slot,
    chain: Chain,
    opened: OpenedDecision,
    after: Release,
    reason: str | None,
) -> Chain:
    def check(newest: Chain, position: Position) -> None:
        check_promotion(newest, slot, opened, time_us=position.time_us)

    envelope = parse_json(writer.store.get(opened.envelope_digest))
    return begin(writer, chain, slot, "intent", after, reason=reason, decision=envelope, check=check)[1]
