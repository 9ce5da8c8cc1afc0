"""Ask the policies in force about those that are to come, before they are entered: the answers go into the ledger with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gates.apply.act import Envelope, PoliciesBy, denied
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.changes import change_facts
from gates.bundle.acts import ON_CHANGE
from gates.bundle.canonical import parse_json
from gates.bundle.changes import load_change_approvals
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.decide.acts import decide_change, knows_changes
from gates.decide.engines.at_hand import on_both
from gates.decide.engines.interface import ACTIVATION, Engine
from gates.decide.plan_request import ActivationRequest, OwnRules
from gates.decide.policies import PolicySet
from gates.records.base import Environment, Micros, Name
from gates.records.change import (
    Change,
    ChangeApprovalInput,
    ChangeInput,
    ChangeLedger,
    ChangeRequest,
    Simulated,
)
from gates.records.decision import PolicyInput
from gates.records.release import ActivePolicy


@dataclass(frozen=True)
class Wanted:
    """What is to be in force, for what reason, and what is known of what it would do.

    Attributes
    ----------
    accounts: that started this, as CI or the machine names them.
    simulation, unsimulated: one of the two; else the policies in force deny where they ask for it.
    """

    active: Sequence[ActivePolicy]
    reason: str
    accounts: tuple[str, ...] = ()
    simulation: Simulated | None = None
    unsimulated: Name | None = None


def loosened_by(
    engine: Engine, environment: Environment, coming: PolicySet, in_force: PolicySet | None
) -> dict[str, Any]:
    """Ask policies that are to come what they loosen in an environment: paths, as `loosened` and `unknown`.

    Parameters
    ----------
    engine: of the policies to come. in_force: the policies that are in force there; None where none are.
    """
    request = ActivationRequest(environment=environment)
    if in_force is not None:
        custom = OwnRules(in_force=in_force.custom_digests, coming=coming.custom_digests)
        models = in_force.data.get("models", {})
        request = ActivationRequest(environment=environment, in_force=models, custom=custom)
    return engine.evaluate(ACTIVATION, request.document())


def change_of(wanted: ActivePolicy, said: Mapping[str, Any]) -> Change:
    """Say what policies loosen, by their own words (`loosened_by`), and what of it is named."""
    return Change(
        policy_digest=wanted.policy_digest,
        trust_digest=wanted.trust_digest,
        loosened=tuple(sorted(said["loosened"])),
        named=tuple(sorted(wanted.loosened or ())),
        unknown=tuple(sorted(said["unknown"])),
    )


def change_input(
    request: ChangeRequest,
    ledger: ChangeLedger,
    change: Change,
    approvals: Sequence[ChangeApprovalInput],
    *,
    simulation: Simulated | None,
    unsimulated: Name | None,
) -> ChangeInput:
    """Put together the only document that policies see of a change."""
    return ChangeInput(
        request=request,
        policy=PolicyInput(digest=ledger.policy_digest, trust_digest=ledger.trust_digest),
        ledger=ledger,
        change=change,
        approvals=tuple(approvals),
        simulation=simulation,
        unsimulated=unsimulated,
    )


def ask(
    chain: Chain,
    store: Store,
    signer: Signer,
    in_force: PoliciesBy,
    wanted: Wanted,
    changes: Sequence[Change],
    *,
    time_us: Micros,
) -> tuple[Envelope, ...]:
    """Return the signed answers, one for each environment whose policies in force have rules for it.

    Parameters
    ----------
    in_force: policies by their digest. changes: beside `wanted.active`, what each is.

    Raises
    ------
    Refused: the policies in force deny. EvidenceError, EngineError: they cannot be had, or gave no answer.
    """
    found = []
    for active, change in zip(wanted.active, changes, strict=True):
        policies = _judges(chain, in_force, active.environment)
        if policies is not None:
            found.append(_answer(chain, store, signer, policies, wanted, active.environment, change, time_us))
    return tuple(found)


def _judges(chain: Chain, in_force: PoliciesBy, environment: Environment) -> PolicySet | None:
    """The policies in force; None where none are, or they are of a version without rules for this."""
    if environment not in chain.policies:
        return None
    policies = in_force(chain.active(environment).policy_digest, chain.trust(environment))
    return policies if knows_changes(policies) else None


def _answer(
    chain: Chain,
    store: Store,
    signer: Signer,
    policies: PolicySet,
    wanted: Wanted,
    environment: Environment,
    change: Change,
    time_us: Micros,
) -> Envelope:
    document = change_input(
        ChangeRequest(
            environment=environment,
            actor=chain.trust(environment).identity_of(signer.public),
            actor_key_id=signer.public.key_id,
            triggered_by=wanted.accounts or None,
            reason=wanted.reason.strip() or None,
            effective_time_us=time_us,
        ),
        change_facts(chain, environment),
        change,
        load_change_approvals(store, change.policy_digest, environment),
        simulation=wanted.simulation,
        unsimulated=wanted.unsimulated,
    )
    decision, evaluation = on_both(policies, lambda engine, second: decide_change(engine, document, confirming=second))
    if not decision.allow:
        raise denied("change of policies", decision.results)
    envelope: Envelope = parse_json(ON_CHANGE.seal(document, decision, evaluation, signer))
    return envelope
