"""What people sign: who is trusted, which policies are in force, and a yes for one move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.apply.ledger.opening import ROOT_VARIABLE
from gates.bundle.canonical import canonical_bytes
from gates.bundle.keys import load_public
from gates.bundle.pack import load_approval, load_bundle, put_approval
from gates.bundle.trust import Trust, TrustedKey, load_trust, save_trust
from gates.errors import UsageError
from gates.flow.assent import not_counted, unasked
from gates.flow.decision import decide
from gates.flow.stages import find_bundle
from gates.project import Project, now_us
from gates.records import ActivePolicy, Approval, Digest, Item
from gates.records.base import DAY_US, Micros
from gates.records.change import ChangeApproval, Simulated
from gates.records.decision import Risk

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain
    from gates.bundle.trust import Role
    from gates.decide.policies import PolicySet


def enrol(
    path: Path,
    public: Path,
    *,
    person: str,
    roles: Sequence[Role],
    environments: Sequence[str] = (),
    names: Sequence[str] = (),
) -> TrustedKey:
    """List a public key in the trust file; a key that is listed already gets the new roles and environments.

    Raises
    ------
    UsageError: no such key, or the trust file cannot be read.
    """
    key = load_public(public)
    listed = TrustedKey(
        key_id=key.key_id,
        pem=key.pem,
        identity=key.identity,
        person=person,
        roles=tuple(dict.fromkeys(roles)),
        environments=tuple(dict.fromkeys(environments)),
        names=tuple(dict.fromkeys(names)) or None,
    )
    trust = load_trust(path) if path.exists() else Trust()
    others = tuple(known for known in trust.keys if known.key_id != key.key_id)
    save_trust(path, Trust(keys=(*others, listed)))
    return listed


@dataclass(frozen=True)
class Activated:
    """What was put in force.

    Attributes
    ----------
    entry: of the ledger. first: it is entry 0 of a new ledger, which no policies judge. simulation: what the policies would
    have decided; unsimulated: why nobody tried.
    """

    entry: Digest
    first: bool
    simulation: Simulated | None = None
    unsimulated: str | None = None


def activate(
    project: Project,
    environments: Sequence[str],
    *,
    reason: str,
    key: str | None,
    loosen: Sequence[str] = (),
    simulate: bool = False,
    unsimulated: str | None = None,
) -> Activated:
    """Put today's policies and trust in force.

    Parameters
    ----------
    loosen: paths of all overrides that loosen limits or levels; the entry names them.
    simulate: judge the store's past decisions again first, and keep the answer. unsimulated: why not.

    Raises
    ------
    Refused: the key is no policy owner's, or the policies in force deny. UsageError: an unknown environment, no reason, no
    trust file, or overrides that loosen and are not named, or are named and do not.
    """
    from gates.apply.change import Wanted, ask, change_of, loosened_by
    from gates.apply.policy import activate_policy, begin_ledger
    from gates.flow.judge import policies_in_force

    if not reason.strip():
        raise UsageError("other policies need a reason", code="reason.missing", remedy="say why: --reason TEXT")
    for environment in environments:
        project.check_environment(environment)
    if not project.trust.keys:
        raise UsageError(
            "nobody is trusted: with this in force every decision would be denied",
            code="trust.empty",
            where=str(project.trust_path or "gates.yaml"),
            remedy="list the keys first: gates trust add KEY.pub --person NAME --role ROLE",
        )
    in_force = _in_force(project, environments)
    engine, coming = project.engines.engine, project.policies
    said = {name: loosened_by(engine, name, coming, in_force.get(name)) for name in environments}
    _check_loosened(said, frozenset(loosen))
    signer = project.signer(key, environments[0])
    project.policies.put(project.store)
    trust_digest = project.store.put(canonical_bytes(project.trust.document()))
    active = [
        ActivePolicy(
            environment=name,
            policy_digest=project.policies.digest,
            trust_digest=trust_digest,
            loosened=tuple(said[name]["loosened"]) or None,
        )
        for name in environments
    ]
    if not project.ledger.entries() and not project.environ.get(ROOT_VARIABLE):
        root = begin_ledger(project.ledger, project.store, signer, active, reason=reason, now_us=now_us())
        return Activated(root, first=True)
    simulation = _simulated(project) if simulate else None
    why = None if simulate else unsimulated or "nobody asked for it"
    wanted = Wanted(active, reason, project.accounts, simulation, why)
    changes = [change_of(one, said[one.environment]) for one in active]

    def judge(chain: Chain, time_us: Micros) -> tuple[dict[str, Any], ...]:
        return ask(chain, project.store, signer, policies_in_force(project), wanted, changes, time_us=time_us)

    entry = activate_policy(project.writer(signer, now_us()), active, reason=reason, judge=judge)
    return Activated(entry, first=False, simulation=simulation, unsimulated=why)


def _in_force(project: Project, environments: Sequence[str]) -> dict[str, PolicySet]:
    """The policies in force, by environment; none on a new ledger."""
    from gates.flow.judge import policies_in_force

    if not project.ledger.entries() and not project.environ.get(ROOT_VARIABLE):
        return {}
    chain, policies = project.chain(), policies_in_force(project)
    return {
        name: policies(chain.active(name).policy_digest, chain.trust(name))
        for name in environments
        if name in chain.policies
    }


def _simulated(project: Project) -> Simulated:
    """Judge past decisions again under today's policies; the whole answer goes into the store."""
    from gates.audit.simulate import simulate

    found = simulate(project.store, project.policies)
    denied = sum(one.allowed for one in found.flips)
    return Simulated(
        digest=project.store.put(canonical_bytes(found.document())),
        policy_digest=project.policies.digest,
        decisions=len(found.outcomes),
        to_allow=len(found.flips) - denied,
        to_deny=denied,
    )


def approve_policy(
    project: Project, environment: str, *, role: str, days: int, comment: str | None, key: str | None
) -> tuple[Digest, ChangeApproval]:
    """Sign a yes for today's policies and trust data in place of those that are in force in an environment.

    Raises
    ------
    UsageError: no key. EvidenceError: no policy is in force there.
    """
    from gates.bundle.changes import put_change_approval

    project.check_environment(environment)
    signer, active, time_us = project.signer(key, environment), project.chain().active(environment), now_us()
    approval = ChangeApproval(
        environment=environment,
        role=role,
        policy_digest=project.policies.digest,
        trust_digest=project.trust.digest,
        current_policy_digest=active.policy_digest,
        current_trust_digest=active.trust_digest,
        time_us=time_us,
        expires_us=time_us + days * DAY_US,
        comment=comment,
    )
    return put_change_approval(project.store, signer, approval), approval


def _check_loosened(said: Mapping[str, Mapping[str, Any]], named: frozenset[str]) -> None:
    """Hold what the policies say that their owners' overrides loosen against what the owner names."""
    for answer in said.values():
        if answer["unknown"]:
            raise UsageError(
                "an override of something that no policy has",
                code="override.unknown",
                where=", ".join(answer["unknown"]),
                remedy="correct the name; `gates explain` lists the checks",
            )
    real = frozenset(path for answer in said.values() for path in answer["loosened"])
    if missing := sorted(real - named):
        raise UsageError(
            "what loosens is put in force by its name only",
            code="override.loosened",
            where=", ".join(missing),
            remedy=f"take it out, or say {' '.join(f'--loosen {path}' for path in missing)}",
        )
    if strange := sorted(named - real):
        raise UsageError("does not loosen anything there", code="override.named", where=", ".join(strange))


@dataclass(frozen=True)
class Approved:
    """A signed yes, and what its giver should know.

    Attributes
    ----------
    narrowed: each way in which less is asked for than at the last decision here.
    void: why it does not count as things are; nothing where it does. unasked: no rule asks for this role by name here.
    """

    digest: Digest
    approval: Approval
    risk: Risk | None
    narrowed: tuple[str, ...]
    void: tuple[str, ...] = ()
    unasked: bool = False


def approve(
    project: Project,
    environment: str,
    *,
    candidate: str | None,
    bundle: str | None,
    role: str,
    days: int,
    comment: str | None,
    key: str | None,
) -> Approved:
    """Sign an approval of one move, bound to all that it depends on; and say what is risked by it, and whether it counts,
    as policy sees it now.

    Raises
    ------
    UsageError: no such bundle, no key. EvidenceError: the bundle does not verify.
    """
    slot = project.slot(environment)
    signer = project.signer(key, environment)
    opened = load_bundle(project.store, find_bundle(project, candidate, bundle))
    chain = project.chain()
    time_us = now_us()
    approval = Approval(
        model=slot.model,
        environment=environment,
        action="promote",
        role=role,
        candidate_digest=opened.record.candidate.digest,
        bundle_digest=opened.digest,
        plan_digest=opened.record.plan_digest,
        policy_digest=chain.active(environment).policy_digest,
        current_release_digest=chain.slot(slot).release_digest,
        time_us=time_us,
        expires_us=time_us + days * DAY_US,
        comment=comment,
    )
    decided = decide(
        project,
        opened,
        environment,
        signer=None,
        reason=None,
        at_us=time_us,
        simulated=True,
        chain=chain,
        by_anybody=True,
    )
    seen = decided.decision
    narrowed = tuple(
        " ".join(part for part in (result.code, result.check, str(result.slice or ""), _named(result.item)) if part)
        for result in seen.results
        if result.code.startswith("narrowed.")
    )
    digest = put_approval(project.store, signer, approval)
    void = not_counted(project, decided.document, load_approval(project.store, digest))
    return Approved(digest, approval, seen.risk, narrowed, void, not void and unasked(project, decided, role))


def _named(item: Item | None) -> str:
    return f"{item.kind} {item.name}" if item else ""
