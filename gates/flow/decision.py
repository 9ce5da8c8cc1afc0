"""DECIDE: build the one document that policies see from a bundle, the ledger and what is observed; ask; sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gates.bundle.canonical import canonical_bytes
from gates.bundle.decisions import put_decision
from gates.bundle.keys import Signer
from gates.bundle.pack import OpenedBundle, load_approvals
from gates.bundle.waivers import load_waivers
from gates.decide.document import Observed, build_decision, build_input
from gates.project import DEVELOPMENT, Engines, Project
from gates.records import Decision, DecisionInput, Digest, Environment, Evaluation, Micros
from gates.records.decision import (
    Alias,
    ApprovalInput,
    LastInput,
    LedgerInput,
    RegistryInput,
    Request,
    ServingConfiguration,
    ServingInput,
    WaiverInput,
)

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain


NOBODY = "unknown"
"""Who asks, where nobody is known to."""


@dataclass(frozen=True)
class Decided:
    """A decision and what it rests on. `envelope` is absent where nobody signed it."""

    bundle: OpenedBundle
    document: DecisionInput
    decision: Decision
    evaluation: Evaluation
    envelope: Digest | None = None


def decide(
    project: Project,
    bundle: OpenedBundle,
    environment: Environment,
    *,
    signer: Signer | None,
    reason: str | None,
    at_us: Micros,
    simulated: bool,
    percent: int | None = None,
    incident: str | None = None,
    chain: Chain | None = None,
    by_anybody: bool = False,
) -> Decided:
    """Ask the policies. Above development a decision is simulated unless its bundle was entered into the ledger first.

    Parameters
    ----------
    signer: whose key will sign the decision; without one, whoever runs this asks.
    percent: of the traffic; default: the first step of the rollout, and all where nothing serves.
    incident: makes it a hotfix.
    by_anybody: nobody asks yet, and whoever runs this is not the one who will.

    Raises
    ------
    EngineError: an engine failed, or two gave different bytes. EvidenceError: the ledger does not verify.
    """
    from gates.apply.ledger.last import last_input

    slot = project.slot(environment)
    if environment != DEVELOPMENT and chain is None:
        chain = project.chain()
    candidate = bundle.record.candidate
    ledger = ledger_facts(project, chain, environment, bundle) if chain else None
    release = chain.release(slot) if chain else None
    champion = release.champion if release else (bundle.record.champion if environment == DEVELOPMENT else None)
    if percent is None:
        percent = project.first_step(environment) if release else 100
    request = Request(
        environment=environment,
        action="promote",
        model=slot.model,
        candidate=candidate,
        champion=champion,
        percent=percent,
        parts=bundle.plan.release,
        actor=project.trust.identity_of(signer.public) if signer else NOBODY if by_anybody else project.actor,
        actor_key_id=signer.public.key_id if signer else None,
        triggered_by=None if by_anybody else project.accounts or None,
        reason=reason,
        incident=incident,
        effective_time_us=at_us,
    )
    sealed = chain is None or bundle.digest in chain.sealed
    return decide_on(
        project.engines,
        request,
        bundle,
        approvals=load_approvals(project.store, bundle.digest),
        waivers=load_waivers(project.store, candidate, environment, at_us=at_us),
        ledger=ledger,
        last=last_input(chain, slot, project.store) if chain else None,
        observed=observe(project, environment, chain),
        simulated=simulated or not sealed,
    )


def decide_on(
    engines: Engines,
    request: Request,
    bundle: OpenedBundle,
    *,
    approvals: Sequence[ApprovalInput] = (),
    waivers: Sequence[WaiverInput] = (),
    ledger: LedgerInput | None = None,
    last: LastInput | None = None,
    observed: Observed | None = None,
    simulated: bool = False,
) -> Decided:
    """Build the input and evaluate it: from here on a decision depends on nothing else."""
    document = build_input(
        request,
        bundle,
        approvals,
        policy_digest=engines.policies.digest,
        trust_digest=engines.policies.trust_digest,
        ledger=ledger,
        last=last,
        observed=observed or Observed(),
        waivers=waivers,
    )
    answer, evaluation = engines.decide(document)
    return Decided(bundle, document, build_decision(document, answer, simulated=simulated), evaluation)


def ledger_facts(project: Project, chain: Chain, environment: Environment, bundle: OpenedBundle) -> LedgerInput:
    """Return what the ledger knows at this position, for the decision input."""
    from gates.apply.ledger.facts import facts

    rungs = tuple(name for name in project.environments if name != DEVELOPMENT)
    return facts(
        chain,
        model=project.spec.model,
        environment=environment,
        candidate=bundle.record.candidate,
        bundle=bundle.record,
        bundle_digest=bundle.digest,
        rungs=rungs,
    )


def observe(project: Project, environment: Environment, chain: Chain | None = None) -> Observed:
    """Read the registry's aliases and the serving target, as they are now, and whether there is a way back."""
    from gates.apply.serving.interface import Serves
    from gates.flow.readiness import readiness

    slot = chain.slot(project.slot(environment)) if chain else None

    aliases = project.registry.aliases(project.spec.model) if project.spec.registry else {}
    target = project.serving(environment)
    seen = target.read() if target else None
    routes = seen.release.routes if isinstance(seen, Serves) else ()
    serving = project.spec.serving
    return Observed(
        registry=RegistryInput(
            aliases=tuple(Alias(alias=alias, version=version) for alias, version in sorted(aliases.items()))
        ),
        serving=ServingInput(target=serving.name, routes=routes, configuration=_configuration(project, environment))
        if serving
        else None,
        rollback=readiness(project, environment, slot.standing.release, slot.release_digest) if slot else None,
    )


def _configuration(project: Project, environment: Environment) -> ServingConfiguration | None:
    from gates.inputs.serving_configuration import read_serving_configuration
    from gates.plan.placeholders import fill

    said = project.spec.serving.configuration if project.spec.serving else None
    if said is None:
        return None
    name = fill(said, environment=environment)
    return read_serving_configuration(project.spec.path(name), name=name)


def sign(project: Project, decided: Decided, signer: Signer) -> Decided:
    """Store the input, the policies and trust data that answered, and sign the decision."""
    project.policies.put(project.store)
    project.store.put(canonical_bytes(project.trust.document()))
    envelope = put_decision(project.store, signer, decided.document, decided.decision, decided.evaluation)
    return replace(decided, envelope=envelope)
