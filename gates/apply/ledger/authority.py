"""Who may sign what, and when a decision may be carried out: the same questions for a writer now and a reader years on.

Pure: the chain asks them at an entry's time, promote asks them before it writes that entry.
"""

from __future__ import annotations

from collections.abc import Mapping

from gates.bundle.decisions import OpenedDecision
from gates.bundle.trust import Trust
from gates.errors import Refused
from gates.records.base import Environment, Micros
from gates.records.release import ActivePolicy, Entry, PublicKey, Slot


def may_sign(
    entry: Entry, key_ids: tuple[str, ...], owners: tuple[PublicKey, ...], trusts: Mapping[Environment, Trust]
) -> bool:
    """Whether one of the keys may sign an entry of this kind, by the trust that is in force.

    Parameters
    ----------
    owners: the policy owners of entry 0. trusts: trust in force by environment.
    """
    if entry.kind == "policy":
        return any(owner.key_id in key_ids for owner in owners)
    if entry.kind == "sealed":
        return any(
            trust.allows(key_id, role, environment)
            for environment, trust in trusts.items()
            for key_id in key_ids
            for role in ("decide", "apply")
        )
    if entry.slot is None or entry.slot.environment not in trusts:
        return False
    environment = entry.slot.environment
    return any(trusts[environment].allows(key_id, "apply", environment) for key_id in key_ids)


def check_decision(opened: OpenedDecision, slot: Slot, active: ActivePolicy, trust: Trust, *, time_us: Micros) -> None:
    """Refuse a decision that may not be carried out in this slot at this time.

    Raises
    ------
    Refused: with the code of the first reason.
    """
    decision, request = opened.decision, opened.decision.request
    environment = slot.environment
    decider = any(trust.allows(key_id, "decide", environment) for key_id in opened.key_ids)
    reasons = (
        (
            (request.model, request.environment) != (slot.model, environment),
            "decision.subject",
            f"it is about {request.model} in {request.environment}",
            f"decide for {slot.model} in {environment}",
        ),
        (
            not decider,
            "decision.unlisted_key",
            f"no key that may decide in {environment} signed it",
            "decide with a key that the trust in force lists with role decide",
        ),
        (decision.simulated, "decision.simulated", "it is simulated", "decide without --at, with the ledger at hand"),
        (not decision.allow, "decision.denied", "it denies", "`gates explain CODE` says what each reason needs"),
        (
            decision.policy_digest != active.policy_digest,
            "policy.inactive",
            f"it was made by policy {decision.policy_digest}, {environment} is under {active.policy_digest}",
            "decide again",
        ),
        (
            decision.trust_digest != active.trust_digest,
            "trust.inactive",
            f"it was made by trust {decision.trust_digest}, {environment} is under {active.trust_digest}",
            "decide again",
        ),
        (
            not request.effective_time_us <= time_us < decision.valid_until_us,
            "decision.expired",
            f"it holds from {request.effective_time_us} to before {decision.valid_until_us}, it is {time_us}",
            "decide again",
        ),
    )
    for holds, code, message, remedy in reasons:
        if holds:
            raise Refused(
                f"the decision is not for this: {message}", code=code, where=opened.envelope_digest, remedy=remedy
            )
