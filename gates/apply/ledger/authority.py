"""Who may sign what, and when a decision may be carried out: the same questions for a writer now and a reader years on.

Pure: the chain asks them at an entry's time, promote asks them before it writes that entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from gates.bundle.decisions import OpenedDecision
from gates.bundle.trust import Trust
from gates.errors import Refused
from gates.records.base import Environment, Micros
from gates.records.release import ActivePolicy, Entry, EntryKind, PublicKey, Slot


def may_sign(
    entry: Entry,
    key_ids: tuple[str, ...],
    owners: tuple[PublicKey, ...],
    trusts: Mapping[Environment, Trust],
    *,
    closes: Entry | None = None,
) -> bool:
    """Whether one of the keys may sign an entry of this kind, by the trust that is in force before it.

    Parameters
    ----------
    owners: the policy owners of entry 0, who may activate policies anywhere and at any time; who has the role `policy`
    may where they have put that in force.
    trusts: trust in force by environment.
    closes: the open move that an outcome closes: a monitor closes what a monitor began, and nothing else.
    """
    if entry.kind == "policy":
        return any(owner.key_id in key_ids for owner in owners) or all(
            active.environment in trusts
            and trusts[active.environment].allows_any(key_ids, "policy", active.environment)
            for active in entry.active or ()
        )
    if entry.kind == "sealed":
        return any(
            trust.allows(key_id, role, environment)
            for environment, trust in trusts.items()
            for key_id in key_ids
            for role in ("decide", "apply")
        )
    if entry.slot is None or entry.slot.environment not in trusts:
        return False
    kind = closes.kind if entry.kind == "outcome" and closes is not None else entry.kind
    return may_move(trusts[entry.slot.environment], key_ids, kind, entry.slot)


def movers(kind: EntryKind) -> tuple[str, ...]:
    """Roles that may move a slot by an entry of this kind, and close that move."""
    return ("apply", "monitor") if kind == "monitor" else ("apply",)


def may_move(trust: Trust, key_ids: tuple[str, ...], kind: EntryKind, slot: Slot) -> bool:
    """Whether one of the keys has such a role there."""
    return any(trust.allows_any(key_ids, role, slot.environment) for role in movers(kind))


def check_answer(opened: OpenedDecision, slot: Slot, *, time_us: Micros) -> None:
    """Refuse a decision that is not a valid yes for this slot at this time, whoever signed it.

    Raises
    ------
    Refused: `decision.subject`, `decision.simulated`, `decision.denied`, `decision.expired`.
    """
    decision, request = opened.decision, opened.decision.request
    if (request.model, request.environment) != (slot.model, slot.environment):
        raise _refused(opened, "subject", f"is about {request.model} in {request.environment}", "decide for this slot")
    if decision.simulated:
        raise _refused(opened, "simulated", "is simulated", "decide without --at, with the ledger at hand")
    if not decision.allow:
        raise _refused(opened, "denied", "denies", "`gates explain CODE` says what each of its reasons needs")
    if not request.effective_time_us <= time_us < decision.valid_until_us:
        span = f"{_date(request.effective_time_us)} to {_date(decision.valid_until_us)}"
        raise _refused(opened, "expired", f"holds from {span}, and it is {_date(time_us)}", "decide again")


def check_in_force(opened: OpenedDecision, environment: Environment, active: ActivePolicy, trust: Trust) -> None:
    """Refuse a decision under other policies or trust than those in force, or by somebody who may not make it.

    Raises
    ------
    Refused: `policy.inactive`, `trust.inactive`, and as `check_decider`.
    """
    decision = opened.decision
    for name, used, valid in (
        ("policy", decision.policy_digest, active.policy_digest),
        ("trust", decision.trust_digest, active.trust_digest),
    ):
        if used != valid:
            raise Refused(
                f"decided under {name} {used}, in force in {environment} is {valid}",
                code=f"{name}.inactive",
                where=opened.envelope_digest,
                remedy=f"decide again; where the {name} should change, its owners run `gates policy activate`",
            )
    check_decider(opened, environment, trust)


def check_decider(opened: OpenedDecision, environment: Environment, trust: Trust) -> None:
    """Refuse a decision by a key that may not decide, or one that names another as its actor.

    The policies count approvals of persons other than the actor's, so the actor is the key that answers for the
    decision by its signature, under the identity that the trust data give it.

    Raises
    ------
    Refused: `decision.unlisted_key`, `decision.actor`.
    """
    request = opened.decision.request
    deciders = [key_id for key_id in opened.key_ids if trust.allows(key_id, "decide", environment)]
    if not deciders:
        raise _refused(
            opened,
            "unlisted_key",
            f"is signed by no key that may decide in {environment}",
            "a policy owner enrols it with `gates trust add`, then `gates policy activate`",
        )
    listed = [key for key in trust.keys if key.key_id in deciders and key.key_id == request.actor_key_id]
    if [key.identity for key in listed] != [request.actor]:
        raise _refused(
            opened,
            "actor",
            f"names {request.actor} as its actor, which is not who signed it",
            "decide again: whoever signs is the actor, by the name that the trust data give his key",
        )


def _refused(opened: OpenedDecision, code: str, message: str, remedy: str) -> Refused:
    return Refused(f"the decision {message}", code=f"decision.{code}", where=opened.envelope_digest, remedy=remedy)


def _date(time_us: Micros) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="seconds")
