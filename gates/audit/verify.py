"""Verify: walk everything that a ledger and a store claim, and say of each thing whether it holds.

(1) Every object in the store is what its name says.
(2) Every ledger entry's envelope verifies by itself; the chain verifies as a whole, from its root; the store has seen
    no entry that the ledger lacks, and holds the bytes of each that it has.
(3) Every decision in the ledger, on a candidate or on an action, and those asked for: signature, authority, replay.
(4) Every bundle that was sealed or decided on: manifest, plan, each piece of evidence, each attachment.
(5) Policies, compiled module and trust data of each decision.
(6) The bytes of every model version that serves or was decided on, where a registry answers.
(7) Registry aliases and serving targets state what the ledger explains. Rollback packs verify.
(8) The ledger holds what its witnesses saw: tags in the registry, the packs beside the targets. Which is the newest, and
    which entries came after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gates.apply.ledger.acts import ACTIONS, action_of
from gates.apply.ledger.aliases import AliasNames
from gates.apply.ledger.authority import check_decider
from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.changes import changes_of
from gates.apply.ledger.promotion import decision_of
from gates.apply.ledger.shape import check_shape
from gates.apply.sealed import check_sealed
from gates.apply.writer import read_ledger
from gates.audit.findings import Findings
from gates.audit.positions import Positions
from gates.audit.replay import WITHOUT_LEDGER, Replayed, find_decision, load_trust_of, replay
from gates.audit.replay_action import replay_action
from gates.audit.replay_change import replay_change
from gates.audit.surfaces import look_at_surfaces, serving_versions
from gates.audit.undecided import require_decided
from gates.audit.witnesses import look_at_witnesses
from gates.bundle.acts import OpenedAction, OpenedChange
from gates.bundle.canonical import digest_bytes
from gates.bundle.decisions import OpenedDecision
from gates.bundle.envelope import open_envelope
from gates.bundle.pack import check_holdout, load_approval, load_plan, oldest
from gates.bundle.store import Store, is_named
from gates.bundle.waivers import load_waiver
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records.base import Digest, Micros, ModelVersion
from gates.records.evidence import BUNDLE_TYPE, EVIDENCE_TYPE, Bundle, Evidence, EvidenceRef
from gates.records.release import ENTRY_TYPE, Entry, Slot

if TYPE_CHECKING:
    from gates.apply.ledger.interface import Ledger
    from gates.apply.serving.interface import Serving
    from gates.decide.engines.embedded import EmbeddedEngine
    from gates.inputs.registry import Registry

ServingOf = Callable[[Slot], "Serving | None"]


def verify(
    store: Store,
    *,
    ledger: Ledger | None = None,
    root: Digest | None = None,
    registry: Registry | None = None,
    serving_of: ServingOf | None = None,
    slots: Sequence[Slot] = (),
    decisions: Sequence[Digest] = (),
    names: AliasNames | None = None,
) -> Findings:
    """Check everything, and report all of it.

    Parameters
    ----------
    ledger, root: the ledger and the digest of its entry 0; both or neither.
    registry: where model bytes and aliases are looked at again; None leaves them out.
    serving_of: the serving target of a slot, or None.
    slots: where nothing may serve as long as the ledger never moved them.
    decisions: digests of decisions (envelopes or ids) to check besides those in the ledger.
    """
    with ExitStack() as stack:
        audit = _Audit(store, registry, serving_of or (lambda _: None), names or AliasNames(), stack)
        audit.objects()
        if ledger is not None and root is not None:
            audit.ledger(ledger, root, slots)
        for digest in decisions:
            opened = audit.found.attempt("decision", "is signed and whole", digest, find_decision, store, digest)
            if opened is not None:
                audit.decision(opened)
        audit.models()
        return audit.found


@dataclass
class _Audit:
    """The walk's state: what was found, and what was looked at already."""

    store: Store
    registry: Registry | None
    serving_of: ServingOf
    names: AliasNames
    stack: ExitStack
    found: Findings = field(default_factory=Findings)
    chain: Chain | None = None
    positions: Positions | None = None
    versions: dict[ModelVersion, None] = field(default_factory=dict)
    bundles: dict[Digest, tuple[Bundle, Micros]] = field(default_factory=dict)
    """Bundles that are whole, and when each began to be measured."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    engines: dict[tuple[Digest, Digest], EmbeddedEngine] = field(default_factory=dict)

    def once(self, part: str, digest: str) -> bool:
        """Whether this is the first time that this thing comes up."""
        if (part, digest) in self.seen:
            return False
        self.seen.add((part, digest))
        return True

    # (1)
    def objects(self) -> None:
        """Read every object again; one finding for all that are good, one for each that is not."""
        good = 0
        for name, content in self.store.objects():
            where = f"{self.store.name}/sha256/{name}"
            if isinstance(content, OSError):
                message = content.strerror or str(content)
                self.found.failed("store", "can be read", where, code="store.unreadable", message=message)
            elif is_named(name, content):
                good += 1
            else:
                message = f"the bytes are {digest_bytes(content)}"
                self.found.failed("store", "is what its name says", where, code="store.corrupt", message=message)
        if good:
            self.found.ok("store", f"{good} objects are what their names say", self.store.name)

    # (2)
    def ledger(self, ledger: Ledger, root: Digest, slots: Sequence[Slot] = ()) -> None:
        found = self.found
        raws = found.attempt("ledger", "can be read", ledger.name, ledger.entries, out_of_reach=True)
        if raws is None:
            return
        self.positions = Positions(raws, root=root, trust=trust_in(self.store))
        entries = []
        for number, raw in enumerate(raws):
            where = f"ledger entry {number}"
            entry = found.attempt("ledger", "is signed and whole", where, _entry, raw, where)
            entries.append(entry)
            if digest_bytes(raw) not in self.store:
                message = "the store lacks this entry's bytes"
                found.failed("ledger", "is kept in the store", where, code="store.missing", message=message)
        self.chain = found.attempt(
            "ledger",
            f"{len(raws)} entries form one chain from its root",
            root,
            read_ledger,
            ledger,
            self.store,
            root,
        )
        for entry in entries:
            if entry is not None:
                self._entry(entry)
        if self.chain is not None:
            self.versions.update(dict.fromkeys(serving_versions(self.chain)))
            look_at_surfaces(self.found, self.store, self.chain, self.registry, self.serving_of, self.names, slots)
            look_at_witnesses(self.found, self.chain, self.registry, self.serving_of)

    def _entry(self, entry: Entry) -> None:
        for active in entry.active or ():
            self._policy(active.policy_digest, active.trust_digest)
        if entry.bundle_digest is not None:
            self.bundle(entry.bundle_digest)
            if sealed := self.bundles.get(entry.bundle_digest):
                where = f"ledger entry {entry.sequence}"
                self.found.attempt("ledger", "says what its bundle says", where, check_sealed, entry, *sealed)
        if entry.kind == "intent" and entry.decision is not None:
            where = f"ledger entry {entry.sequence}"
            opened = self.found.attempt("decision", "is signed and whole", where, decision_of, entry)
            if opened is not None:
                self.decision(opened)

        if entry.action in ACTIONS and entry.decision is not None:
            self._action(entry)
        elif entry.action in ACTIONS or (entry.kind == "policy" and entry.sequence > 0):
            where = f"ledger entry {entry.sequence}"
            self.found.attempt("decision", f"on this {entry.kind} is there", where, self._undecided, entry)
        for number, _ in enumerate(entry.decisions or ()):
            self._change(entry, number)

    def _undecided(self, entry: Entry) -> None:
        """Refuse an entry without a decision where the policies in force before it had rules for what it does."""
        if self.positions is None:
            return
        require_decided(self.store, self.positions.at(entry.sequence - 1), entry)

    def _change(self, entry: Entry, number: int) -> None:
        where = f"ledger entry {entry.sequence}"
        opened = self.found.attempt(
            "decision", "on these policies is signed and whole", where, lambda: changes_of(entry)[number]
        )
        if opened is None:
            return
        self._policy(opened.decision.policy_digest, opened.decision.trust_digest)
        self.found.attempt(
            "replay", "of this change gives the same bytes", where, self._replay_act, replay_change, opened
        )

    def _action(self, entry: Entry) -> None:
        where = f"ledger entry {entry.sequence}"
        opened = self.found.attempt("decision", f"on this {entry.action} is signed and whole", where, action_of, entry)
        if opened is None:
            return
        self._policy(opened.decision.policy_digest, opened.decision.trust_digest)
        self._approvals(opened.decision.approvals)
        same = f"of this {entry.action} gives the same bytes"
        self.found.attempt("replay", same, where, self._replay_act, replay_action, opened)

    def _replay_act(self, again: Callable[..., Replayed], opened: OpenedAction | OpenedChange) -> None:
        if self.positions is None:
            raise EvidenceError("no ledger is at hand", code="ledger.missing")
        _require_same(again(self.store, opened, positions=self.positions, engine_for=self._engine))

    # (3)
    def decision(self, opened: OpenedDecision) -> None:
        digest, decision = opened.envelope_digest, opened.decision
        if not self.once("decision", digest):
            return
        self.versions[decision.request.candidate] = None
        if decision.request.champion is not None:
            self.versions[decision.request.champion] = None
        self.bundle(decision.bundle_digest)
        self._policy(decision.policy_digest, decision.trust_digest)
        self._approvals(decision.approvals)
        for waiver in decision.waivers:
            if self.once("waiver", waiver):
                self.found.attempt("waiver", "is signed and whole", waiver, load_waiver, self.store, waiver)
        self.found.attempt("decision", "is signed by a key that may decide there", digest, self._authority, opened)
        self.found.attempt("replay", "gives the same bytes", digest, self._replay, opened)

    def _approvals(self, approvals: Sequence[Digest]) -> None:
        for approval in approvals:
            if self.once("approval", approval):
                self.found.attempt("approval", "is signed and whole", approval, load_approval, self.store, approval)

    def _authority(self, opened: OpenedDecision) -> None:
        decision = opened.decision
        environment = decision.request.environment
        if decision.simulated or environment == WITHOUT_LEDGER:
            return
        trust = load_trust_of(self.store, decision.trust_digest)
        if self.positions is None and not trust.keys:
            return
        check_decider(opened, environment, trust)

    def _replay(self, opened: OpenedDecision) -> None:
        _require_same(replay(self.store, opened, positions=self.positions, engine_for=self._engine, names=self.names))

    def _engine(self, policies: PolicySet) -> EmbeddedEngine:
        from gates.decide.engines.embedded import EmbeddedEngine

        key = (policies.digest, policies.trust_digest)
        if key not in self.engines:
            self.engines[key] = self.stack.enter_context(EmbeddedEngine(policies))
        return self.engines[key]

    # (4)
    def bundle(self, digest: Digest) -> None:
        if not self.once("bundle", digest):
            return
        bundle = self.found.attempt("bundle", "is signed and whole", digest, _manifest, self.store, digest)
        if bundle is None:
            return
        self.versions[bundle.candidate] = None
        self.found.attempt("plan", "is whole", bundle.plan_digest, load_plan, self.store, bundle.plan_digest)
        evidence = [
            self.found.attempt(
                "evidence",
                f"{ref.gate} is signed and whole",
                ref.digest,
                _evidence,
                self.store,
                bundle,
                ref,
            )
            for ref in bundle.evidence
        ]
        whole = [item for item in evidence if item is not None]
        if len(whole) == len(evidence):
            self.bundles[digest] = bundle, oldest(whole, bundle)
        for attachment in bundle.attachments:
            self.found.attempt(
                "attachment",
                f"{attachment.name} is whole",
                attachment.digest,
                self.store.get,
                attachment.digest,
            )

    # (5)
    def _policy(self, policy: Digest, trust: Digest) -> None:
        if self.once("policy", policy):
            self.found.attempt("policy", "files and module are whole", policy, self._policies, policy)
        if self.once("trust", trust):
            self.found.attempt("trust", "is whole", trust, load_trust_of, self.store, trust)

    def _policies(self, policy: Digest) -> None:
        policies = PolicySet.from_store(self.store, policy)
        if policies.digest != policy:
            raise EvidenceError("the manifest is not in canonical form", code="policy.manifest", where=policy)
        policies.check_module()

    # (6)
    def models(self) -> None:
        for version in self.versions:
            if self.registry is None:
                self.found.skipped("model", "bytes are those of its digest", version.uri, "no registry at hand")
                continue
            self.found.attempt(
                "model",
                "bytes are those of its digest",
                version.uri,
                _model,
                self.registry,
                version,
                out_of_reach=True,
            )


def _require_same(again: Replayed) -> None:
    if parts := ", ".join(again.input_differs):
        raise EvidenceError(f"the input, rebuilt from its sources, differs in {parts}", code="replay.input")
    if parts := ", ".join(again.decision_differs):
        raise EvidenceError(f"the same input and policies decide differently: {parts}", code="replay.decision")


def _entry(raw: bytes, where: str) -> Entry:
    entry = Entry.parse(open_envelope(raw, expect=ENTRY_TYPE, where=where).predicate, where=where)
    check_shape(entry, where=where)
    return entry


def _manifest(store: Store, digest: Digest) -> Bundle:
    opened = open_envelope(store.get(digest), expect=BUNDLE_TYPE, where=digest)
    bundle = Bundle.parse(opened.predicate, where=digest)
    if opened.subjects != ((bundle.candidate.uri, bundle.candidate.digest),):
        raise EvidenceError("the manifest is about another subject", code="bundle.mixed", where=digest)
    return bundle


def _evidence(store: Store, bundle: Bundle, ref: EvidenceRef) -> Evidence:
    opened = open_envelope(store.get(ref.digest), expect=EVIDENCE_TYPE, where=ref.digest)
    evidence = Evidence.parse(opened.predicate, where=ref.digest)
    if evidence.gate != ref.gate or (evidence.candidate, evidence.plan_digest) != (
        bundle.candidate,
        bundle.plan_digest,
    ):
        raise EvidenceError("evidence about another subject, plan or gate", code="bundle.mixed", where=ref.digest)
    check_holdout(evidence, bundle.holdout_digest, where=ref.digest)
    listed = {(item.name, item.digest) for item in bundle.attachments}
    if not {(item.name, item.digest) for item in evidence.attachments} <= listed:
        raise EvidenceError("an attachment that the manifest does not list", code="bundle.mixed", where=ref.digest)
    return evidence


def _model(registry: Registry | None, version: ModelVersion) -> None:
    actual = registry.digest(version.name, version.version) if registry is not None else None
    if actual != version.digest:
        raise EvidenceError(
            f"the registered bytes are {actual} now",
            code="model.bytes_changed",
            remedy="find out who changed them; what serves may not be what was decided on",
        )
