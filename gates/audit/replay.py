"""Replay: decide again from the sealed sources, and compare bytes.

A replay of the stored input would only show that Rego is deterministic. So the input is rebuilt:
(1) the decision's own signature is checked;
(2) bundle, evidence, approvals and waivers are opened with their signatures checked here; trust and policies come by digest;
(3) the ledger's facts are read from the verified ledger at the position that the decision saw;
(4) the input is put together by the same code as then, and its digest compared with the decision's;
(5) it is evaluated with exactly the policy bytes and the compiled module that the decision names;
(6) the canonical bytes of the two decisions are compared.
Only what was observed outside (registry aliases, serving target) is taken from the stored input: it cannot be seen
again, and (4) ties it to the decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gates.apply.ledger.aliases import AliasNames
from gates.apply.ledger.facts import facts
from gates.apply.ledger.last import last_input
from gates.audit.positions import Positions
from gates.bundle.acts import OpenedAction, OpenedChange
from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document, parse_json
from gates.bundle.decisions import OpenedDecision, load_decision
from gates.bundle.pack import OpenedBundle, load_approval, load_bundle
from gates.bundle.store import Store
from gates.bundle.trust import Trust
from gates.bundle.waivers import reload_waivers
from gates.decide.document import Observed, build_decision, build_input
from gates.decide.engines.interface import DECISION, Engine
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records.base import Digest, Record
from gates.records.decision import DecisionInput, LastInput, LedgerInput
from gates.records.release import Slot

WITHOUT_LEDGER = "development"
"""The rung where any key decides and nothing is entered anywhere."""

EngineFor = Callable[[PolicySet], Engine]
"""How an engine for a policy set is had; the embedded one by default."""


@dataclass(frozen=True)
class Replayed:
    """What came out.

    Attributes
    ----------
    stored: the input as it was kept. document: the same, rebuilt. again: the decision that it gives.
    input_differs, decision_differs: names of the parts that are not as they were; empty where the bytes agree.
    """

    opened: OpenedDecision | OpenedAction | OpenedChange
    stored: Record
    document: Record
    again: Record

    @cached_property
    def input_differs(self) -> tuple[str, ...]:
        document = self.document.document()
        if digest_document(document) == self.opened.decision.input_digest:
            return ()
        return _differing(document, self.stored.document()) or ("bytes",)

    @cached_property
    def decision_differs(self) -> tuple[str, ...]:
        return _differing(self.again.document(), self.opened.decision.document())

    @property
    def same(self) -> bool:
        return not self.input_differs and not self.decision_differs


def find_decision(store: Store, digest: Digest) -> OpenedDecision:
    """Open a decision by the digest of its envelope, or by its decision id.

    Raises
    ------
    EvidenceError: `store.missing`, or bytes and signatures that do not verify.
    """
    linked = [] if digest in store else store.linked("decision", digest)
    opened = load_decision(store, linked[0] if linked else digest)
    if linked and opened.decision_id != digest:
        raise EvidenceError("the link leads to another decision", code="decision.mixed", where=digest)
    return opened


def load_trust_of(store: Store, digest: Digest) -> Trust:
    """Bring the trust data of that digest back; nobody being trusted needs no bytes."""
    nobody = Trust()
    if digest == nobody.digest:
        return nobody
    trust = Trust.parse(parse_json(store.get(digest), where=digest), where=digest)
    if trust.digest != digest:
        raise EvidenceError("the trust data are not in canonical form", code="trust.invalid", where=digest)
    return trust


def replay(
    store: Store,
    opened: OpenedDecision,
    *,
    positions: Positions | None,
    engine_for: EngineFor | None = None,
    names: AliasNames | None = None,
) -> Replayed:
    """Decide again.

    Parameters
    ----------
    opened: a decision whose signature was checked (1). positions: the ledger; None where the decision had none.

    Raises
    ------
    EvidenceError: a source is missing, corrupt, or does not verify. EngineError: no answer.
    """
    decision = opened.decision
    # (2)
    stored = DecisionInput.parse(
        parse_json(store.get(decision.input_digest), where=decision.input_digest), where=decision.input_digest
    )
    bundle = load_bundle(store, decision.bundle_digest)
    approvals = [load_approval(store, item.digest) for item in stored.approvals]
    policies = PolicySet.from_store(store, decision.policy_digest, load_trust_of(store, decision.trust_digest))
    # (3)
    ledger = _facts(stored, bundle, positions, policies, names, simulated=decision.simulated)
    # (4)
    document = build_input(
        decision.request,
        bundle,
        approvals,
        policy_digest=policies.digest,
        trust_digest=policies.trust_digest,
        ledger=ledger,
        last=_last(stored, positions, store, policies),
        observed=Observed(registry=stored.registry, serving=stored.serving, rollback=stored.rollback),
        waivers=reload_waivers(store, stored.waivers),
    )
    # (5)
    engine = (engine_for or embedded)(policies)
    answer = engine.evaluate(DECISION, document.document())
    # (6)
    again = build_decision(document, answer, simulated=decision.simulated)
    return Replayed(opened, stored, document, again)


def embedded(policies: PolicySet) -> Engine:
    from gates.decide.engines.embedded import EmbeddedEngine

    return EmbeddedEngine(policies)


def _facts(
    stored: DecisionInput,
    bundle: OpenedBundle,
    positions: Positions | None,
    policies: PolicySet,
    names: AliasNames | None,
    *,
    simulated: bool,
) -> LedgerInput | None:
    """Read the facts again at the position that the input names; the input is believed in nothing else.

    The position of a decision that counts is no earlier than its bundle's own entry: before that, fewer looks count.
    """
    if stored.ledger is None:
        return None
    if positions is None:
        raise EvidenceError(
            "the decision stands on a ledger, and none is at hand",
            code="ledger.missing",
            remedy="name the ledger and set GATES_LEDGER_ROOT",
        )
    request, chain = stored.request, positions.at(stored.ledger.sequence)
    if not simulated and bundle.digest not in chain.sealed:
        raise EvidenceError(
            f"decided at entry {stored.ledger.sequence}, where its bundle was not entered yet",
            code="replay.position",
            where=bundle.digest,
        )
    return facts(
        chain,
        model=request.model,
        environment=request.environment,
        candidate=request.candidate,
        bundle=bundle.record,
        bundle_digest=bundle.digest,
        rungs=tuple(rung for rung in policies.data["release"]["environments"] if rung != WITHOUT_LEDGER),
        names=names,
    )


def _last(stored: DecisionInput, positions: Positions | None, store: Store, policies: PolicySet) -> LastInput | None:
    if stored.ledger is None or positions is None:
        return None
    slot = Slot(model=stored.request.model, environment=stored.request.environment)
    last = last_input(positions.at(stored.ledger.sequence), slot, store)
    # Inputs of policies that did not read it yet are without it.
    read = any(b"input.last.slices" in rego for rego in policies.rego.values())
    return last if read or last is None else last.model_copy(update={"slices": None})


def _differing(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, ...]:
    """Names of the top parts whose canonical bytes differ."""
    parts = sorted({*one, *other})
    return tuple(part for part in parts if _bytes_of(one.get(part)) != _bytes_of(other.get(part)))


def _bytes_of(value: Any) -> Digest:
    return digest_bytes(canonical_bytes(value))
