"""A whole small world for the tests of audit: real policies, ledger, store, keys and engine; figures that are all good.

`promoted` has the champion adopted in staging, a candidate measured, sealed, decided and promoted there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.policy_world import GATES, METADATA, MODEL, SERVING, Document, counted, plan_of, plan_request
from simulators.registry_simulator import RegistrySimulator

from gates.apply.act import Judge
from gates.apply.adopt import adopt
from gates.apply.ledger.facts import facts
from gates.apply.ledger.last import last_input
from gates.apply.ledger.sqlite_ledger import SqliteLedger
from gates.apply.policy import begin_ledger
from gates.apply.promote import promote
from gates.apply.sealed import append_sealed
from gates.apply.serving.file_serving import FileServing
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.bundle.canonical import canonical_bytes, digest_bytes
from gates.bundle.decisions import put_decision
from gates.bundle.keys import KeySigner, generate, load_signer
from gates.bundle.pack import load_approvals, load_bundle, put_approval, seal_bundle
from gates.bundle.store import Store
from gates.bundle.trust import Trust, TrustedKey
from gates.decide.document import Observed, build_decision, build_input
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.policies import PolicySet
from gates.records import (
    ActivePolicy,
    Approval,
    Attachment,
    Code,
    DecisionInput,
    Digest,
    Evaluation,
    Evidence,
    Measurement,
    ModelVersion,
    Plan,
    Release,
    Route,
    Slot,
    TableIdentity,
)
from gates.records.decision import Alias, RegistryInput, Request, ServingInput
from gates.records.evidence import Metadata

NOW = 1_790_000_000_000_000
MINUTE = 60_000_000
RUNGS = ("staging", "production")
SKETCH = tuple(f"{row:016x}" for row in range(256))
PEOPLE: dict[str, tuple[str, ...]] = {
    "owner": ("policy",),
    "measurer": ("measure",),
    "decider": ("decide",),
    "applier": ("apply",),
    "mira": ("approve:ml-owner",),
    "rolf": ("approve:risk",),
    "decider-at-home": ("approve:risk",),
    "watch": ("monitor",),
    "stranger": (),
}
"""Key -> roles. What stands before the first hyphen is the person, who may have several keys."""


@dataclass
class AuditWorld:
    root: Path

    def __post_init__(self) -> None:
        self.store = Store(self.root / "store")
        self.ledger = SqliteLedger(self.root / "ledger.db")
        self.registry = RegistrySimulator(self.root / "registry")
        facts_file = self.root / "policies" / "models" / MODEL / "data.yaml"
        facts_file.parent.mkdir(parents=True, exist_ok=True)
        named = f"tier: high\ncluster: day\nslices: [carrier, origin]\nholdouts: ['{digest_bytes(b'holdout')}']\n"
        facts_file.write_text(named, encoding="utf-8")
        self.trust = Trust(keys=tuple(self._trusted(person) for person, roles in PEOPLE.items() if roles))
        self.policies = PolicySet.load(self.root / "policies", self.trust)

    def key(self, person: str) -> KeySigner:
        path = self.root / "keys" / f"{person}.pem"
        return load_signer(path) if path.exists() else generate(path, f"{person}@example.com")

    def _trusted(self, person: str) -> TrustedKey:
        return TrustedKey.model_validate(
            {**self.key(person).public.document(), "person": person.partition("-")[0], "roles": PEOPLE[person]}
        )

    def begin(self) -> Digest:
        self.store.put(canonical_bytes(self.trust.document()))
        policy = self.policies.put(self.store)
        active = [
            ActivePolicy(environment=rung, policy_digest=policy, trust_digest=self.trust.digest) for rung in RUNGS
        ]
        return begin_ledger(
            self.ledger, self.store, self.key("owner"), active, reason="first policy", now_us=NOW - 60 * MINUTE
        )

    def judge(self, person: str = "applier") -> Judge:
        return Judge(self.key(person), lambda digest, trust: PolicySet.from_store(self.store, digest, trust))

    def writer(self, root: Digest, person: str = "applier", now_us: int = NOW) -> LedgerWriter:
        return LedgerWriter(self.ledger, root, self.store, self.key(person), f"{person}@example.com", now_us)

    def surfaces(self, environment: str = "staging") -> Surfaces:
        return Surfaces(self.registry, FileServing(self.root / "serving" / f"{environment}.json"))

    def bundle(
        self, candidate: ModelVersion, champion: ModelVersion | None, *, ece: float | None = None, **planned: Any
    ) -> Digest:
        """Seal good evidence with an attachment; `ece` puts another calibration error in its place, `planned` a plan."""
        with EmbeddedEngine(self.policies) as engine:
            plan = Plan.model_validate(
                plan_of(engine.evaluate(PLAN, plan_request()), policy_digest=self.policies.digest, **planned)
            )
        note = self.store.put(b'{"bins": [], "confidence": 0.95}')
        evidence = [self._evidence(gate, plan, candidate, champion, note, ece) for gate in GATES]
        holdout = digest_bytes(b"holdout")
        return seal_bundle(
            self.store,
            self.key("measurer"),
            plan,
            evidence,
            holdout_digest=holdout,
            holdout_sketch=SKETCH,
            metadata=Metadata.model_validate(METADATA),
            now_us=NOW - 10 * MINUTE,
        )

    def _evidence(
        self,
        gate: str,
        plan: Plan,
        candidate: ModelVersion,
        champion: ModelVersion | None,
        note: Digest,
        ece: float | None,
    ) -> Evidence:
        attached = (Attachment(name="reliability.json", digest=note, media_type="application/json"),)
        return Evidence(
            gate=gate,
            candidate=candidate,
            champion=champion,
            plan_digest=digest_bytes(canonical_bytes(plan.document())),
            tables=(
                TableIdentity(role="holdout", uri="holdout.parquet", digest=digest_bytes(b"holdout"), rows=20_000),
            ),
            code=Code(version="0.1.0"),
            isolation="namespace" if gate in ("calibration", "regression") else "none",
            started_us=NOW - 20 * MINUTE,
            finished_us=NOW - 15 * MINUTE,
            measurements=tuple(Measurement.model_validate(_changed(m, ece)) for m in counted(GATES[gate]())),
            attachments=attached if gate == "calibration" else (),
        )

    def approve(
        self,
        bundle: Digest,
        person: str = "mira",
        time_us: int = NOW - MINUTE,
        *,
        role: str = "ml-owner",
        **changes: Any,
    ) -> Digest:
        opened = load_bundle(self.store, bundle)
        approval = Approval(
            model=MODEL,
            environment="staging",
            action="promote",
            role=role,
            candidate_digest=opened.record.candidate.digest,
            bundle_digest=bundle,
            plan_digest=opened.record.plan_digest,
            policy_digest=self.policies.digest,
            time_us=time_us,
            expires_us=NOW + 60 * MINUTE,
        ).model_copy(update=changes)
        return put_approval(self.store, self.key(person), approval)

    def decide(
        self,
        root: Digest,
        bundle: Digest,
        *,
        by: str = "decider",
        now_us: int = NOW,
        percent: int = 100,
        bend: Callable[[DecisionInput], DecisionInput] = lambda document: document,
        **changes: Any,
    ) -> Digest:
        """Seal the look, decide in staging and sign; `bend` falsifies the input, `changes` the signed decision."""
        opened = load_bundle(self.store, bundle)
        writer = self.writer(root, "decider", now_us)
        append_sealed(writer, opened)
        chain = writer.read()
        slot = Slot(model=MODEL, environment="staging")
        release = chain.release(slot)
        document = build_input(
            Request(
                environment="staging",
                action="promote",
                model=MODEL,
                candidate=opened.record.candidate,
                champion=release.champion if release else None,
                percent=percent,
                actor="decider@example.com",
                actor_key_id=self.key("decider").key_id,
                effective_time_us=now_us,
            ),
            opened,
            load_approvals(self.store, bundle),
            policy_digest=self.policies.digest,
            trust_digest=self.trust.digest,
            ledger=facts(
                chain,
                model=MODEL,
                environment="staging",
                candidate=opened.record.candidate,
                bundle=opened.record,
                bundle_digest=bundle,
                rungs=RUNGS,
            ),
            last=last_input(chain, slot, self.store),
            observed=Observed(
                RegistryInput(
                    aliases=tuple(
                        Alias(alias=alias, version=version)
                        for alias, version in sorted(self.registry.aliases(MODEL).items())
                    )
                ),
                ServingInput.model_validate(SERVING),
            ),
        )
        document = bend(document)
        with EmbeddedEngine(self.policies) as engine:
            decision = build_decision(document, engine.evaluate(DECISION, document.document()), simulated=False)
            evaluation = Evaluation(engine=engine.name, version=engine.version, source="test", duration_us=1)
        return put_decision(self.store, self.key(by), document, decision.model_copy(update=changes), evaluation)


def _changed(measurement: Document, ece: float | None) -> Document:
    if ece is None or measurement["check"] != "calibration.ece" or measurement["slice"] != {"kind": "whole"}:
        return measurement
    bounds = [{**bound, "lower": ece - 0.001, "upper": ece + 0.001} for bound in measurement["bounds"]]
    return {**measurement, "estimate": ece, "debiased": ece, "bounds": bounds}


@dataclass(frozen=True)
class Promoted:
    world: AuditWorld
    root: Digest
    bundle: Digest
    decision: Digest
    candidate: ModelVersion
    champion: ModelVersion


def promoted(folder: Path, *, percent: int = 100, **planned: Any) -> Promoted:
    """Adopt version 3 in staging, then measure, decide and promote version 7; `planned` changes the plan."""
    world = AuditWorld(folder)
    root = world.begin()
    champion = world.registry.register(MODEL, "3", b"weights 3")
    candidate = world.registry.register(MODEL, "7", b"weights 7")
    served = Release(
        model=MODEL, environment="staging", routes=(Route(version=champion, percent=100),), approved=champion
    )
    adopt(world.writer(root, now_us=NOW - 30 * MINUTE), world.surfaces(), served, reason="serves since spring")
    bundle = world.bundle(candidate, champion, **planned)
    world.approve(bundle)
    decision = world.decide(root, bundle, percent=percent)
    promote(world.writer(root, now_us=NOW + MINUTE), world.surfaces(), decision)
    return Promoted(world, root, bundle, decision, candidate, champion)
