"""Past decisions under other policies or limits: which would have gone otherwise, and what decides it. Changes nothing.

Every decision in the store is taken with the input that its signature names, and that input is judged again by the
policies at hand. What was asked then stays as it was: a check that only the new policies require is missing from old
evidence, and says so.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from gates.audit.replay import find_decision, load_trust_of
from gates.bundle.store import Store
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION
from gates.decide.policies import PolicySet
from gates.decide.policy_data import without_check
from gates.errors import GatesError, UsageError
from gates.records.base import Digest, Micros

_CHUNK = 100
_ALONE = 200
"""Fewer decisions than this are judged in this process: another one takes a second to begin."""

Finding = tuple[str, str, str]
"""Code, check and slice in words of a result."""


@dataclass(frozen=True)
class Outcome:
    """One decision, as it was and as it would be.

    Attributes
    ----------
    allowed, would: before and now; basis, would_basis likewise. denies, would_deny: what denies.
    undecided, would_undecided: results without a verdict on good or bad, of `results` and `would_results` in all.
    """

    decision: Digest
    model: str
    environment: str
    version: str
    time_us: Micros
    allowed: bool
    would: bool
    basis: str
    would_basis: str
    denies: tuple[Finding, ...]
    would_deny: tuple[Finding, ...]
    undecided: int
    would_undecided: int
    results: int
    would_results: int

    @property
    def flips(self) -> bool:
        return self.allowed != self.would

    @property
    def decides(self) -> tuple[Finding, ...]:
        """What denies now and did not, or did and does not now."""
        one, other = (self.would_deny, self.denies) if self.allowed else (self.denies, self.would_deny)
        return tuple(found for found in one if found not in other)


@dataclass(frozen=True)
class Simulation:
    """All outcomes, and the decisions that could not be judged again, with why."""

    outcomes: tuple[Outcome, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def flips(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.flips]

    @property
    def deciding(self) -> list[tuple[Finding, int]]:
        """What decides the flips, the most frequent first."""
        return Counter(found for outcome in self.flips for found in outcome.decides).most_common()

    def undecided(self, *, now: bool) -> float | None:
        """Share of results that are inconclusive; None where there are no results."""
        some = sum(one.would_undecided if now else one.undecided for one in self.outcomes)
        of = sum(one.would_results if now else one.results for one in self.outcomes)
        return some / of if of else None

    def alarms(self) -> list[tuple[str, int, int]]:
        """Code, decisions in which it denied, and in which it would: the alarm rate of a rule before it is raised."""
        before = Counter(code for one in self.outcomes for code in {code for code, _, _ in one.denies})
        now = Counter(code for one in self.outcomes for code in {code for code, _, _ in one.would_deny})
        return [(code, before[code], now[code]) for code in sorted(before | now) if before[code] != now[code]]

    def document(self) -> dict[str, Any]:
        """Return every flip, what decides it, and how the share of inconclusive results changes, as JSON."""
        return {
            "decisions": len(self.outcomes),
            "flips": [
                {
                    "decision": one.decision,
                    "model": one.model,
                    "version": one.version,
                    "environment": one.environment,
                    "allowed": one.allowed,
                    "would": one.would,
                    "basis": one.basis,
                    "would_basis": one.would_basis,
                    "decides": [{"code": code, "check": check, "slice": where} for code, check, where in one.decides],
                }
                for one in self.flips
            ],
            "deciding": [
                {"code": code, "check": check, "slice": where, "decisions": n}
                for (code, check, where), n in self.deciding
            ],
            "inconclusive": {"before": self.undecided(now=False), "now": self.undecided(now=True)},
            "alarms": [{"code": code, "before": before, "now": now} for code, before, now in self.alarms()],
            "unreadable": list(self.unreadable),
        }


def simulate(
    store: Store, policies: PolicySet, *, decisions: Sequence[Digest] | None = None, jobs: int = 2
) -> Simulation:
    """Judge past decisions again.

    Parameters
    ----------
    policies: their trust data are not used; each decision is judged with the trust of its time.
    decisions: ids or envelope digests; default: every decision that the store knows.

    Raises
    ------
    EngineError: the policies do not load.
    """
    chosen = list(decisions) if decisions is not None else store.linked("decision-id", "all")
    if len(chosen) <= _ALONE or jobs == 1:
        parts: Iterable[list[Outcome | str]] = [_judge(Worker(store, policies), chosen)]
        found = [item for part in parts for item in part]
    else:
        chunks = list(_chunked(chosen))
        with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(store, policies)) as executor:
            found = [item for part in executor.map(_judge_here, chunks) for item in part]
    outcomes = sorted(
        (item for item in found if isinstance(item, Outcome)), key=lambda one: (one.time_us, one.decision)
    )
    return Simulation(tuple(outcomes), tuple(item for item in found if isinstance(item, str)))


def _chunked(digests: Sequence[Digest]) -> Iterator[list[Digest]]:
    rest = iter(digests)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


@dataclass
class Worker:
    """Judges in one process; an engine for each trust that decisions were made with."""

    store: Store
    policies: PolicySet
    engines: dict[Digest, EmbeddedEngine] = field(default_factory=dict)

    def judge(self, digest: Digest) -> Outcome:
        opened = find_decision(self.store, digest)
        decision = opened.decision
        content = self.store.get(decision.input_digest)
        answer = self._engine(decision.trust_digest).evaluate_stored(DECISION, content)
        request, before = decision.request, decision.document()["results"]
        return Outcome(
            decision=opened.decision_id,
            model=request.model,
            environment=request.environment,
            version=request.candidate.version,
            time_us=request.effective_time_us,
            allowed=decision.allow,
            would=answer["allow"],
            basis=decision.basis,
            would_basis=answer["basis"],
            denies=_denying(before),
            would_deny=_denying(answer["results"]),
            undecided=_undecided(before),
            would_undecided=_undecided(answer["results"]),
            results=len(before),
            would_results=len(answer["results"]),
        )

    def _engine(self, trust: Digest) -> EmbeddedEngine:
        if trust not in self.engines:
            self.engines[trust] = EmbeddedEngine(replace(self.policies, trust=load_trust_of(self.store, trust)))
        return self.engines[trust]


_workers: list[Worker] = []


def _begin(store: Store, policies: PolicySet) -> None:
    _workers[:] = [Worker(store, policies)]


def _judge_here(digests: list[Digest]) -> list[Outcome | str]:
    return _judge(_workers[0], digests)


def _judge(worker: Worker, digests: Sequence[Digest]) -> list[Outcome | str]:
    found: list[Outcome | str] = []
    for digest in digests:
        try:
            found.append(worker.judge(digest))
        except GatesError as error:
            if error.code.startswith("module."):
                raise
            found.append(f"{digest}: {error.message}")
    return found


def _denying(results: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    denying = {
        (result["code"], result["check"], _slice(result.get("slice")))
        for result in results
        if result["disposition"] == "denies"
    }
    return tuple(sorted(denying))


def _slice(where: Mapping[str, Any] | None) -> str:
    if where is None:
        return "the move"
    return f"{where['column']} = {where['value']}" if where["kind"] == "value" else str(where["kind"])


def _undecided(results: Iterable[Mapping[str, Any]]) -> int:
    return sum(result["verdict"] == "inconclusive" for result in results)


def with_limit(policies: PolicySet, check: str, limit: float) -> PolicySet:
    """Return the policies with another limit of a check in every environment and tier, as a question and never in force.

    Overrides of that check are left out: they would go before it. The other side of a two-sided limit moves with it, and
    stays its opposite or its reciprocal.

    Raises
    ------
    UsageError: `check.unknown`: no environment has a limit for it. `limit.invalid`: no finite number, or not one with
    another side.
    """
    if not math.isfinite(limit):
        raise UsageError(f"{limit} is no limit", code="limit.invalid", where=check, remedy="give a finite number")
    files = dict(policies.files)
    known = set()
    for kind in ("thresholds", "overrides"):
        for environment, content in policies.data.get(kind, {}).items():
            known |= content["limits"].keys()
            changed = _at_limit(content, check, limit) if kind == "thresholds" else without_check(content, check)
            if changed != content:
                for name in ("data.yaml", "data.json"):
                    files.pop(f"{kind}/{environment}/{name}", None)
                files[f"{kind}/{environment}/data.json"] = json.dumps(changed).encode()
    if check not in known:
        import difflib

        near = difflib.get_close_matches(check, known, 1)
        raise UsageError(
            f"no environment has a limit for {check!r}",
            code="check.unknown",
            remedy=f"did you mean {near[0]!r}?" if near else None,
        )
    return replace(policies, files=files)


def _at_limit(thresholds: Mapping[str, Any], check: str, limit: float) -> dict[str, Any]:
    tiers = {
        tier: {**old, "limit": limit, **({"mirror": _mirrored(check, old, limit)} if "mirror" in old else {})}
        for tier, old in thresholds["limits"].get(check, {}).items()
    }
    return {**thresholds, "limits": {**thresholds["limits"], **({check: tiers} if tiers else {})}}


def _mirrored(check: str, old: Mapping[str, Any], limit: float) -> dict[str, Any]:
    other = old["mirror"]["limit"]
    if other == -old["limit"] and limit >= 0:
        return {**old["mirror"], "limit": -limit}
    if other * old["limit"] == 1 and limit >= 1:
        return {**old["mirror"], "limit": 1 / limit}
    raise UsageError(
        f"the limit has another side, {other:g}, which does not follow from {limit:g}",
        code="limit.invalid",
        where=check,
        remedy="write both sides into overrides/<environment>/data.yaml of a folder of policies, and pass --policy",
    )
