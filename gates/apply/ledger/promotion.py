"""What a promotion makes of a slot, and whether the ledger allows it. Pure: promote asks before it writes the intent,
the chain asks again of every intent that it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.apply.ledger.authority import check_answer, check_in_force
from gates.bundle.canonical import canonical_bytes, digest_bytes
from gates.bundle.decisions import OpenedDecision, open_decision
from gates.errors import Refused, UsageError
from gates.records.base import Micros, ModelVersion
from gates.records.release import Entry, Release, Route, Slot

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain


def decision_of(entry: Entry) -> OpenedDecision:
    """Open the decision that a promote intent carries.

    Raises
    ------
    EvidenceError: it carries none, or one that does not verify.
    """
    raw = canonical_bytes(entry.decision or {})
    return open_decision(raw, digest_bytes(raw))


def release_after(before: Release | None, opened: OpenedDecision) -> Release:
    """Return the release in which the candidate takes the traffic that was decided on and what served keeps the rest.

    The other parts of the release are those of the decision: none is taken over from what served before.

    Raises
    ------
    UsageError: `promote.percent`. Refused: `decision.percent`: it names none; `slot.canary`: two other versions share
    the traffic.
    """
    request = opened.decision.request
    if request.percent is None:
        raise Refused(
            "the decision does not say how much of the traffic it is about",
            code="decision.percent",
            where=opened.envelope_digest,
            remedy="decide again",
        )
    return Release(
        model=request.model,
        environment=request.environment,
        routes=routes_after(before, request.candidate, request.percent),
        approved=request.candidate,
        decision_digest=opened.decision_id,
        **({} if request.parts is None else dict(request.parts)),
    )


def check_promotion(chain: Chain, slot: Slot, opened: OpenedDecision, *, time_us: Micros) -> None:
    """Refuse a decision that may not be carried out in this slot, by what the ledger says.

    Raises
    ------
    Refused: with the code of the first reason. EvidenceError: no policy is active there.
    """
    check_answer(opened, slot, time_us=time_us)
    check_in_force(opened, slot.environment, chain.active(slot.environment), chain.trust(slot.environment))
    decision, state = opened.decision, chain.slot(slot)
    if decision.request.candidate.digest in chain.archived:
        raise Refused(
            f"{decision.request.candidate.uri} is archived",
            code="release.archived",
            where=f"ledger entry {chain.archived[decision.request.candidate.digest].sequence}",
            remedy="register the bytes as a new version",
        )
    sealed = chain.sealed.get(decision.bundle_digest)
    if sealed is None or sealed.candidate != decision.request.candidate:
        raise Refused(
            "the bundle was not entered before it was judged",
            code="bundle.unsealed",
            where=decision.bundle_digest,
            remedy="decide with the ledger at hand: that enters the bundle first",
        )
    _check_position(chain, opened, sealed)
    present = state.standing.release.champion if state.standing.release else None
    if decision.request.champion != present:
        raise Refused(
            f"decided against champion {_named(decision.request.champion)}, {_named(present)} serves",
            code="champion.mismatch",
            where=opened.envelope_digest,
            remedy="measure against the present champion and decide again",
        )
    if any(known.release.decision_digest == opened.decision_id for known in state.known.values()):
        raise Refused(
            "the decision was carried out once already",
            code="decision.used",
            where=opened.envelope_digest,
            remedy="decide again",
        )
    _check_not_suspect(chain, slot, decision.request.candidate, sealed)


def _check_position(chain: Chain, opened: OpenedDecision, sealed: Entry) -> None:
    """At an earlier position the bundle's own look, and those since, were not counted yet."""
    seen = opened.decision.ledger
    if seen is None or seen.sequence < sealed.sequence or chain.digest_at(seen.sequence) != seen.head:
        raise Refused(
            f"decided at {f'entry {seen.sequence}' if seen else 'no position'} of this ledger, and its bundle was "
            f"entered with entry {sealed.sequence}",
            code="decision.position",
            where=opened.envelope_digest,
            remedy="decide again, with the ledger as it is now",
        )


def _check_not_suspect(chain: Chain, slot: Slot, candidate: ModelVersion, sealed: Entry) -> None:
    for other, state in chain.slots.items():
        for known in state.known.values():
            left = known.state != "done" and known.release.approved.digest == candidate.digest
            # Old measurements that are sealed again are a new bundle, and no new evidence.
            stale = sealed.sequence < known.sequence or (sealed.measured_us or 0) <= known.time_us
            if other.model == slot.model and left and stale:
                raise Refused(
                    f"{candidate.uri} was {_found(known.state)} in {other.environment} after this evidence was measured",
                    code="release.suspect",
                    where=f"ledger entry {known.sequence}",
                    remedy="measure it again: promoting it needs new evidence",
                )


def routes_after(before: Release | None, candidate: ModelVersion, percent: int) -> tuple[Route, ...]:
    """Return how the traffic is split where a version takes a share and what served keeps the rest.

    Raises
    ------
    UsageError: `promote.percent`. Refused: `slot.canary`.
    """
    others = [
        route.version for route in (before.routes if before else ()) if route.version != candidate and route.percent > 0
    ]
    if len(others) > 1:
        raise Refused(
            f"a canary is under way: {' and '.join(version.uri for version in others)} share the traffic",
            code="slot.canary",
            remedy="promote that one to 100 percent or roll it back first",
        )
    if percent == 100:
        return (Route(version=candidate, percent=100),)
    if not others:
        raise UsageError(
            f"nothing else serves that could keep the other {100 - percent} percent",
            code="promote.percent",
            remedy="promote with 100 percent, or enter what serves with `gates adopt` first",
        )
    return (Route(version=others[0], percent=100 - percent), Route(version=candidate, percent=percent))


def _found(state: str) -> str:
    return "marked bad" if state == "bad" else "rolled back"


def _named(version: ModelVersion | None) -> str:
    return f"{version.uri} ({version.digest[7:19]})" if version else "none"
