"""Ask the policies in force about an action, before it is entered: the answer goes into the ledger with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gates.apply.ledger.acts import action_facts
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import release_digest
from gates.apply.pack import Pack
from gates.bundle.acts import ON_ACTION
from gates.bundle.canonical import parse_json
from gates.bundle.keys import Signer
from gates.bundle.trust import Trust
from gates.decide.acts import decide_action, knows_action
from gates.decide.engines.at_hand import on_both
from gates.decide.explain import find, load_annotations
from gates.decide.policies import PolicySet
from gates.decide.policy_archive import unpack_policies
from gates.errors import EngineError, EvidenceError, GatesError, Refused
from gates.records.action import (
    ActionInput,
    ActionLedger,
    ActionName,
    ActionRequest,
    Alarm,
    Demand,
    Hashed,
    JournalStep,
    PresentShare,
    Rollout,
    Served,
    TrafficSeen,
)
from gates.records.base import Digest, Micros, ModelVersion
from gates.records.decision import ApprovalInput, PolicyInput, RuleResult
from gates.records.release import Journalled, Release, Slot

PoliciesBy = Callable[[Digest, Trust], PolicySet]
"""Policies by their digest, with the trust that is in force; EvidenceError or EngineError where they cannot be had."""

Envelope = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What is asked for, besides who asks and when.

    Attributes
    ----------
    release: to go to, or to take away. version: what serves in it, or what is archived.
    incident: what kind of incident it is about. The rest is as in the record of that name.
    """

    action: ActionName
    slot: Slot
    version: ModelVersion
    release: Digest | None
    reason: str
    hashed: tuple[Hashed, ...] = ()
    approvals: Sequence[ApprovalInput] = ()
    traffic: TrafficSeen | None = None
    journal: tuple[JournalStep, ...] = ()
    incident: str | None = None
    percent: int | None = None
    demand: Demand | None = None
    present: PresentShare | None = None
    rollout: Rollout | None = None
    alarm: Alarm | None = None

    @property
    def lessens(self) -> bool:
        """Whether it takes traffic away from what may be bad: that waits for no second engine."""
        return self.action in ("rollback", "monitor")


@dataclass(frozen=True)
class Judge:
    """Who asks, and where the policies in force are had by their digest.

    Attributes
    ----------
    accounts: that started this, as CI or the machine names them.
    """

    signer: Signer
    policies: PoliciesBy
    accounts: tuple[str, ...] = ()

    def on_chain(self, chain: Chain, asked: Asked, *, time_us: Micros) -> Envelope:
        """Decide by the ledger's facts; return the signed answer.

        Raises
        ------
        Refused: the policies deny. EvidenceError, EngineError: they cannot be had, or gave no answer.
        """
        return self._decide(action_facts(chain, asked.slot), chain.trust(asked.slot.environment), asked, time_us)

    def on_pack(self, pack: Pack, asked: Asked, *, time_us: Micros) -> Envelope:
        """The same by what the rollback pack says, and with the policies in it."""
        return self._decide(pack_facts(pack, asked.journal), pack.trust, asked, time_us)

    def _decide(self, ledger: ActionLedger, trust: Trust, asked: Asked, time_us: Micros) -> Envelope:
        policies = self.policies(ledger.policy_digest, trust)
        if not knows_action(policies, asked.action):
            raise EvidenceError(f"the policies in force have no rules for {asked.action}", code="policy.actions")
        document = action_input(
            ActionRequest(
                environment=asked.slot.environment,
                action=asked.action,
                model=asked.slot.model,
                release=asked.release,
                version=asked.version,
                actor=trust.identity_of(self.signer.public),
                actor_key_id=self.signer.public.key_id,
                triggered_by=self.accounts or None,
                reason=asked.reason.strip() or None,
                incident=asked.incident,
                percent=asked.percent,
                demand=asked.demand,
                effective_time_us=time_us,
            ),
            policies,
            ledger,
            asked,
        )
        decision, evaluation = on_both(
            policies, lambda engine, second: decide_action(engine, document, confirming=second), alone=asked.lessens
        )
        if not decision.allow:
            raise denied(decision.request.action, decision.results)
        envelope: Envelope = parse_json(ON_ACTION.seal(document, decision, evaluation, self.signer))
        return envelope


def action_input(request: ActionRequest, policies: PolicySet, ledger: ActionLedger, asked: Asked) -> ActionInput:
    """Put together the only document that policies see of an action."""
    return ActionInput(
        request=request,
        policy=PolicyInput(digest=policies.digest, trust_digest=policies.trust_digest),
        ledger=ledger,
        approvals=tuple(sorted(asked.approvals, key=lambda item: item.digest)),
        bytes=asked.hashed,
        traffic=asked.traffic,
        journal=asked.journal,
        present=asked.present,
        rollout=asked.rollout,
        alarm=asked.alarm,
    )


def pack_facts(pack: Pack, journal: Sequence[JournalStep]) -> ActionLedger:
    """What a rollback pack says of the ledger, and what was rolled back beside it since.

    Raises
    ------
    EvidenceError: `pack.policies`: the pack does not say which policies are in force, or what was done.
    """
    if pack.policy_digest is None or not pack.served:
        raise EvidenceError("the rollback pack has nothing that an action's rules ask", code="pack.policies")
    left = {step.before: step.time_us for step in journal if step.before}
    return ActionLedger(
        head=pack.head,
        sequence=pack.sequence,
        policy_digest=pack.policy_digest,
        trust_digest=pack.trust.digest,
        release_digest=journal[-1].after if journal else release_digest(pack.release) if pack.release else None,
        served=tuple(_left(item, left) for item in pack.served),
        archived=pack.archived,
        pack=pack.digest,
    )


def _left(item: Served, left: dict[Digest, Micros]) -> Served:
    if item.digest not in left:
        return item
    return item.model_copy(update={"state": "suspect", "time_us": left[item.digest], "left_us": left[item.digest]})


def steps(journal: Sequence[Journalled]) -> tuple[JournalStep, ...]:
    """Return the rollbacks of a journal that were carried out."""
    return tuple(
        JournalStep(
            before=release_digest(item.before) if item.before else None,
            after=release_digest(item.after),
            time_us=item.time_us,
        )
        for item in journal
        if item.observed is not None
    )


def policies_of_pack(pack: Pack) -> PoliciesBy:
    """Return the policies that a pack carries."""

    def policies(digest: Digest, trust: Trust) -> PolicySet:
        if pack.policies is None:
            raise EvidenceError("the rollback pack carries no policies", code="pack.policies")
        return unpack_policies(pack.policies, digest, trust, where="rollback pack")

    return policies


def first_of(*places: PoliciesBy) -> PoliciesBy:
    """Look in one place after the other."""

    def policies(digest: Digest, trust: Trust) -> PolicySet:
        missing: GatesError | None = None
        for place in places:
            try:
                return place(digest, trust)
            except (EvidenceError, EngineError) as error:
                missing = error
        raise missing or EvidenceError("no policies", code="store.missing", where=digest)

    return policies


def hashed(release: Release, *, reached: bool) -> tuple[Hashed, ...]:
    """What was found of a release's versions, once those that could be reached were found the same."""
    digests = sorted({route.version.digest for route in release.routes})
    return tuple(Hashed(wanted=digest, found=digest if reached else None) for digest in digests)


def denied(action: str, results: Sequence[RuleResult]) -> Refused:
    """Say what denies, by its codes."""
    texts = load_annotations()
    codes = [result.code for result in results if result.disposition == "denies"]
    found = [find(code, texts) for code in codes]
    said = "; ".join(f"{each.title if each else code} [{code}]" for code, each in zip(codes, found, strict=True))
    first = next((each for each in found if each), None)
    return Refused(
        f"the policies deny this {action}: {said or 'no rule allows it'}",
        code=codes[0] if codes else "action.denied",
        remedy=first.remedy if first else None,
    )
