"""A small world in a folder for the tests of apply: people with keys, trust, store, ledger, registry, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from simulators.registry_simulator import RegistrySimulator

from gates.apply.act import Asked, action_input
from gates.apply.adopt import adopt
from gates.apply.ledger.acts import action_facts
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.interface import Ledger
from gates.apply.ledger.sqlite_ledger import SqliteLedger
from gates.apply.policy import begin_ledger
from gates.apply.saga import Applied
from gates.apply.sealed import append_sealed
from gates.apply.serving.file_serving import FileServing
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.bundle.acts import ON_ACTION
from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document, parse_json
from gates.bundle.envelope import seal
from gates.bundle.keys import KeySigner, generate, load_signer
from gates.bundle.pack import OpenedBundle
from gates.bundle.store import Store
from gates.bundle.trust import Trust, TrustedKey
from gates.records import (
    ActivePolicy,
    Bundle,
    Decision,
    Digest,
    Evaluation,
    ModelVersion,
    Plan,
    Release,
    Route,
    Slot,
)
from gates.records.action import ActionDecision, ActionRequest
from gates.records.decision import LedgerPosition
from gates.records.release import DECISION_TYPE

MODEL = "flights"
NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000
ROLES: dict[str, tuple[str, ...]] = {
    "owner": (),
    "decider": ("decide",),
    "applier": ("apply",),
    "stranger": (),
}


def name_of(text: str) -> Digest:
    """A digest for something that no test opens."""
    return digest_bytes(text.encode())


POLICY = name_of("policy")


class World:
    """Everything lies under `root`, so that another process can open the same world."""

    def __init__(self, root: Path, ledger: Ledger | None = None) -> None:
        self.root = root
        self.store = Store(root / "store")
        self.ledger: Any = ledger or SqliteLedger(root / "ledger.db")
        self.registry = RegistrySimulator(root / "registry")

    def key(self, person: str) -> KeySigner:
        path = self.root / "keys" / f"{person}.pem"
        return load_signer(path) if path.exists() else generate(path, f"{person}@example.com")

    def trust(self, **roles: tuple[str, ...]) -> Trust:
        keys = []
        for person, allowed in {**ROLES, **roles}.items():
            public = self.key(person).public
            document = {**public.document(), "person": person, "roles": allowed}
            keys.append(TrustedKey.model_validate(document))
        trust = Trust(keys=tuple(key for key in keys if key.roles))
        self.store.put(canonical_bytes(trust.document()))
        return trust

    def active(self, *, policy: Digest = POLICY, trust: Trust | None = None) -> tuple[ActivePolicy, ...]:
        digest = (trust or self.trust()).digest
        return tuple(
            ActivePolicy(environment=environment, policy_digest=policy, trust_digest=digest)
            for environment in ("staging", "production")
        )

    def begin(self) -> Digest:
        root = begin_ledger(
            self.ledger, self.store, self.key("owner"), self.active(), reason="first policy", now_us=NOW
        )
        (self.root / "root").write_text(root)
        return root

    def writer(self, person: str = "applier", now_us: int = NOW) -> LedgerWriter:
        root = (self.root / "root").read_text()
        return LedgerWriter(self.ledger, root, self.store, self.key(person), f"{person}@example.com", now_us)

    def serving(self, environment: str) -> FileServing:
        return FileServing(self.root / "serving" / f"{environment}.json")

    def surfaces(self, environment: str) -> Surfaces:
        return Surfaces(self.registry, self.serving(environment))

    def adopt(self, environment: str, number: int, **parts: Any) -> Applied:
        version = self.version(number)
        release = Release(
            model=MODEL,
            environment=environment,
            routes=(Route(version=version, percent=100),),
            approved=version,
            **parts,
        )
        return adopt(self.writer(), self.surfaces(environment), release, reason="it serves already")

    def allowed(self, environment: str, number: int, *, text: str = "", **changes: Any) -> Digest:
        """Seal a bundle and decide on it, against whatever serves now."""
        candidate = self.version(number)
        bundle = self.bundle(candidate, text=text, now_us=changes.get("now_us", NOW))
        append_sealed(self.writer("decider", changes.get("now_us", NOW)), bundle)
        release = self.writer().read().release(slot_in(environment))
        champion = release.champion if release else None
        return self.decision(candidate, environment, **{"champion": champion, "bundle": bundle.digest, **changes})

    def version(self, number: int) -> ModelVersion:
        path = self.registry.path(MODEL, str(number))
        if not path.exists():
            return self.registry.register(MODEL, str(number), f"weights {number}".encode())
        return ModelVersion(name=MODEL, version=str(number), digest=self.registry.digest(MODEL, str(number)))

    def bundle(
        self,
        candidate: ModelVersion,
        *,
        text: str = "",
        holdout: str | None = "holdout",
        rows: Sequence[int] | None = None,
        now_us: int = NOW,
    ) -> OpenedBundle:
        """rows: numbers of the holdout's rows, which stand for themselves in its sketch."""
        plan = Plan(
            model=MODEL,
            task="binary",
            tier="high",
            environments=("staging", "production"),
            requirements=(),
            tables=(),
            policy_digest=POLICY,
            spec_digest=name_of("spec"),
        )
        record = Bundle(
            candidate=candidate,
            plan_digest=name_of("plan"),
            evidence=(),
            holdout_digest=name_of(holdout) if holdout else None,
            holdout_sketch=None if rows is None else tuple(f"{row:016x}" for row in rows),
            created_us=now_us,
        )
        return OpenedBundle(name_of(f"bundle {candidate.version} {text}"), record, (), plan, ())

    def decision(
        self,
        candidate: ModelVersion,
        environment: str,
        *,
        champion: ModelVersion | None,
        bundle: Digest | None = None,
        by: str = "decider",
        now_us: int = NOW,
        percent: int | None = 100,
        asked: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Digest:
        """Store a signed decision and return its envelope's digest; `asked` changes its request."""
        decision = Decision.model_validate(
            {
                "request": {
                    "environment": environment,
                    "action": "promote",
                    "model": MODEL,
                    "candidate": candidate,
                    "champion": champion,
                    "percent": percent,
                    "actor": "decider@example.com",
                    "actor_key_id": self.key("decider").key_id,
                    "effective_time_us": now_us,
                    **(asked or {}),
                },
                "policy_digest": POLICY,
                "trust_digest": self.trust().digest,
                "plan_digest": name_of("plan"),
                "bundle_digest": bundle or self.bundle(candidate).digest,
                "input_digest": name_of(f"input {environment} {candidate.version}"),
                "ledger": position_in(self.ledger.entries()),
                "allow": True,
                "basis": "proven",
                "required": (),
                "missing": (),
                "results": (),
                "valid_until_us": now_us + HOUR,
                "simulated": False,
                **changes,
            }
        )
        evaluation = Evaluation(engine="test", version="1", source="test", duration_us=1)
        predicate = {"decision": decision.document(), "evaluation": evaluation.document()}
        return self.store.put(seal(DECISION_TYPE, [(candidate.uri, candidate.digest)], predicate, self.key(by)))


class Agrees:
    """Says yes to every action, signed and without asking any policies."""

    def __init__(self, world: World, person: str = "applier") -> None:
        self._key = world.key(person)

    def on_chain(self, chain: Chain, asked: Asked, *, time_us: int) -> dict[str, Any]:
        """As `Judge.on_chain`."""
        active = chain.active(asked.slot.environment)
        request = ActionRequest(
            environment=asked.slot.environment,
            action=asked.action,
            model=MODEL,
            release=asked.release,
            version=asked.version,
            actor=self._key.public.identity,
            actor_key_id=self._key.public.key_id,
            reason=asked.reason,
            effective_time_us=time_us,
        )
        digests: Any = SimpleNamespace(digest=active.policy_digest, trust_digest=active.trust_digest)
        document = action_input(request, digests, action_facts(chain, asked.slot), asked)
        decision = ActionDecision(
            request=request,
            policy_digest=active.policy_digest,
            trust_digest=active.trust_digest,
            input_digest=digest_document(document.document()),
            ledger=LedgerPosition(sequence=document.ledger.sequence, head=document.ledger.head),
            allow=True,
            results=(),
            valid_until_us=time_us + HOUR,
        )
        evaluation = Evaluation(engine="test", version="1", source="test", duration_us=1)
        envelope: dict[str, Any] = parse_json(ON_ACTION.seal(document, decision, evaluation, self._key))
        return envelope


def position_in(raws: Sequence[bytes]) -> LedgerPosition | None:
    """The last entry of these: what a decision sees."""
    return LedgerPosition(sequence=len(raws) - 1, head=digest_bytes(raws[-1])) if raws else None


def slot_in(environment: str) -> Slot:
    return Slot(model=MODEL, environment=environment)
