"""The ledger's facts for a decision: what counts is said here, not on a branch."""

from __future__ import annotations

from collections.abc import Sequence

from gates.apply.ledger.aliases import AliasNames, sole_version
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.last import hotfix_of, last_decision
from gates.apply.ledger.looks import candidates_on, look_of
from gates.records.base import Digest, Environment, ModelVersion
from gates.records.decision import Alias, KnownRelease, LedgerInput, RungBelow
from gates.records.evidence import Bundle
from gates.records.release import Slot


def facts(
    chain: Chain,
    *,
    model: str,
    environment: Environment,
    candidate: ModelVersion,
    bundle: Bundle,
    bundle_digest: Digest,
    rungs: Sequence[Environment],
    names: AliasNames | None = None,
) -> LedgerInput:
    """Return what the ledger knows about a slot, a candidate and a bundle, at the chain's position.

    Parameters
    ----------
    rungs: environments from the lowest to the highest.

    Raises
    ------
    EvidenceError: no policy is active in the environment.
    """
    slot = Slot(model=model, environment=environment)
    state, active = chain.slot(slot), chain.active(environment)
    present = state.release_digest
    return LedgerInput(
        head=chain.head,
        sequence=chain.entries[-1].entry.sequence,
        policy_digest=active.policy_digest,
        trust_digest=active.trust_digest,
        loosened=active.loosened,
        archived=True if candidate.digest in chain.archived else None,
        hotfix_until_us=hotfix.decision.valid_until_us if (hotfix := hotfix_of(chain, slot)) else None,
        release=state.standing.release,
        release_digest=present,
        adopted=present is not None and state.known[present].adopted,
        rung_below=_rung_below(chain, slot, rungs),
        known_releases=tuple(
            KnownRelease(
                digest=digest, state=known.state, candidate_digest=known.release.approved.digest, time_us=known.time_us
            )
            for digest, known in state.known.items()
        ),
        sealed=bundle_digest in chain.sealed,
        looks=look_of(chain.sealed.values(), bundle, bundle_digest),
        attempts=chain.attempts(candidate.digest),
        candidates_judged=candidates_on(chain.sealed.values(), bundle),
        last_decision=last.decision_id if (last := last_decision(chain, slot)) else None,
        expected_aliases=tuple(
            Alias(alias=alias, version=version) for alias, version in chain.expected_aliases(model, names).items()
        ),
    )


def _rung_below(chain: Chain, slot: Slot, rungs: Sequence[Environment]) -> RungBelow | None:
    at = list(rungs).index(slot.environment) if slot.environment in rungs else 0
    if at == 0:
        return None
    below = Slot(model=slot.model, environment=rungs[at - 1])
    state = chain.slot(below)
    if state.standing.release is None or state.release_digest is None or state.unseen is not None:
        return None
    # A share of the traffic proves nothing of the whole, and what was adopted was not proven at all.
    version, promoted_us = sole_version(state.standing.release), state.known[state.release_digest].promoted_us
    if version is None or promoted_us is None:
        return None
    return RungBelow(environment=below.environment, candidate_digest=version.digest, time_us=promoted_us)
