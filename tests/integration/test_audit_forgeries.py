"""What somebody with a key that counts can forge, and where it is refused or found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from audit_world import MINUTE, NOW, RUNGS, Promoted
from simulators.policy_world import MODEL

from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.facts import facts
from gates.apply.promote import promote
from gates.apply.sealed import append_sealed
from gates.apply.writer import Position
from gates.audit.findings import Findings
from gates.audit.verify import verify
from gates.bundle.canonical import digest_bytes, parse_json
from gates.bundle.decisions import load_decision
from gates.bundle.envelope import seal
from gates.bundle.pack import load_bundle, load_manifest, seal_bundle
from gates.errors import EvidenceError, Refused
from gates.records import Bundle, Digest, Entry, ModelVersion
from gates.records.decision import DecisionInput, LedgerPosition
from gates.records.evidence import BUNDLE_TYPE

OTHER = digest_bytes(b"another holdout")


def failures(at: Promoted, *decisions: Digest) -> Findings:
    world = at.world
    return verify(world.store, ledger=world.ledger, root=at.root, registry=world.registry, decisions=decisions)


def codes(found: Findings) -> set[str | None]:
    return {item.code for item in found.failures}


def version_8(own: Promoted) -> ModelVersion:
    return own.world.registry.register(MODEL, "8", b"weights 8")


def enter(own: Promoted, bundle: Digest, **false: Any) -> None:
    """Write a `sealed` entry that is false in some fields, signed by a key that may write one."""
    opened = load_bundle(own.world.store, bundle)

    def build(_: Chain, position: Position) -> Entry:
        fields = {
            "bundle_digest": bundle,
            "candidate": opened.record.candidate,
            "holdout_digest": opened.record.holdout_digest,
            "holdout_sketch": opened.record.holdout_sketch,
            "measured_us": opened.measured_us,
            **false,
        }
        return Entry(
            sequence=position.sequence,
            previous=position.previous,
            kind="sealed",
            time_us=position.time_us,
            actor="decider@example.com",
            **fields,
        )

    own.world.writer(own.root, "decider", NOW + 2 * MINUTE).append(build)


@pytest.mark.parametrize(
    "false",
    [
        {"holdout_digest": OTHER},
        {"holdout_digest": None},
        {"holdout_sketch": ("0" * 16,)},
        {"holdout_sketch": None},
        {"candidate": None},
        {"measured_us": NOW + MINUTE},
    ],
)
def test_a_sealed_entry_that_says_other_than_its_bundle(own: Promoted, false: dict[str, Any]) -> None:
    bundle = own.world.bundle(version_8(own), own.candidate)
    enter(own, bundle, **({"candidate": own.champion} if "candidate" in false else false))

    assert codes(failures(own)) == {"ledger.sealed"}
    with pytest.raises(EvidenceError) as caught:
        append_sealed(own.world.writer(own.root, "decider", NOW + 3 * MINUTE), load_bundle(own.world.store, bundle))
    assert caught.value.code == "ledger.sealed"


def resealed(own: Promoted, change: Callable[[Bundle], Bundle]) -> Digest:
    """Sign a manifest over the same evidence that says something else."""
    world = own.world
    record = change(load_bundle(world.store, world.bundle(version_8(own), own.candidate)).record)
    subject = [(record.candidate.uri, record.candidate.digest)]
    return world.store.put(seal(BUNDLE_TYPE, subject, record.document(), world.key("measurer")))


@pytest.mark.parametrize("holdout", [OTHER, None])
def test_a_manifest_with_another_holdout_than_its_evidence(own: Promoted, holdout: Digest | None) -> None:
    bundle = resealed(own, lambda record: record.model_copy(update={"holdout_digest": holdout}))
    with pytest.raises(EvidenceError) as caught:
        load_bundle(own.world.store, bundle)
    assert caught.value.code == "bundle.holdout"
    good = load_bundle(own.world.store, own.bundle)
    with pytest.raises(EvidenceError) as caught:
        seal_bundle(
            own.world.store,
            own.world.key("measurer"),
            good.plan,
            [part.evidence for part in good.evidence],
            holdout_digest=holdout,
            holdout_sketch=None,
            now_us=NOW,
        )
    assert caught.value.code == "bundle.holdout"


def test_verify_finds_a_manifest_with_another_holdout_than_its_evidence(own: Promoted) -> None:
    """Entered by somebody who does not look into it."""
    world = own.world
    bundle = resealed(own, lambda record: record.model_copy(update={"holdout_digest": OTHER}))

    def build(_: Chain, position: Position) -> Entry:
        return Entry(
            sequence=position.sequence,
            previous=position.previous,
            kind="sealed",
            time_us=position.time_us,
            actor="decider@example.com",
            bundle_digest=bundle,
            candidate=version_8(own),
            holdout_digest=OTHER,
            holdout_sketch=load_manifest(world.store, bundle).record.holdout_sketch,
            measured_us=NOW,
        )

    world.writer(own.root, "decider", NOW + 2 * MINUTE).append(build)
    assert codes(failures(own)) == {"bundle.holdout"}


def earlier(own: Promoted, sequence: int) -> Callable[[DecisionInput], DecisionInput]:
    """Bend an input to what the ledger said at an earlier entry, consistently: the facts are those of then."""
    world = own.world
    chain = Chain.read(world.ledger.entries()[: sequence + 1], root=own.root, trust=trust_in(world.store))

    def bend(document: DecisionInput) -> DecisionInput:
        then = facts(
            chain,
            model=MODEL,
            environment="staging",
            candidate=document.request.candidate,
            bundle=load_manifest(world.store, document.bundle.digest).record,
            bundle_digest=document.bundle.digest,
            rungs=RUNGS,
        )
        return document.model_copy(update={"ledger": then})

    return bend


@pytest.fixture
def third(own: Promoted) -> tuple[Digest, int]:
    """A bundle that is the third look at the holdout, and the last entry before the second."""
    world = own.world
    before = len(world.ledger.entries()) - 1
    nine = world.registry.register(MODEL, "9", b"weights 9")
    for version in (nine, version_8(own)):
        bundle = world.bundle(version, own.candidate)
        append_sealed(world.writer(own.root, "decider", NOW + 2 * MINUTE), load_bundle(world.store, bundle))
    return bundle, before


def test_a_decision_at_a_position_before_its_bundle_is_refused_and_found(
    own: Promoted, third: tuple[Digest, int]
) -> None:
    world, (bundle, before) = own.world, third
    decision = world.decide(own.root, bundle, now_us=NOW + 3 * MINUTE, bend=earlier(own, before))
    stored = load_decision(world.store, decision).decision
    ledger = DecisionInput.parse(parse_json(world.store.get(stored.input_digest))).ledger
    assert (stored.allow, ledger.looks) == (True, 2)
    assert codes(failures(own, decision)) == {"replay.position"}
    with pytest.raises(Refused) as caught:
        promote(world.writer(own.root, now_us=NOW + 4 * MINUTE), world.surfaces(), decision)
    assert caught.value.code == "decision.position"


def test_a_decision_that_claims_a_later_position_than_its_inputs_is_found(
    own: Promoted, third: tuple[Digest, int]
) -> None:
    """Only the signed decision says that it stood where the bundle was entered; apply sees no input, the audit does."""
    world, (bundle, before) = own.world, third
    chain = world.writer(own.root).read()
    seen = LedgerPosition(sequence=len(chain.entries) - 1, head=chain.head)
    decision = world.decide(own.root, bundle, now_us=NOW + 3 * MINUTE, bend=earlier(own, before), ledger=seen)
    assert codes(failures(own, decision)) == {"replay.position"}


def test_a_decision_in_the_name_of_another_is_refused_and_found(own: Promoted) -> None:
    """The approvals of the one who asks do not count: nobody asks in somebody else's name."""
    world = own.world
    bundle = world.bundle(version_8(own), own.candidate)

    def bend(document: DecisionInput) -> DecisionInput:
        other = {"actor": "applier@example.com", "actor_key_id": world.key("applier").key_id}
        return document.model_copy(update={"request": document.request.model_copy(update=other)})

    decision = world.decide(own.root, bundle, now_us=NOW + 2 * MINUTE, bend=bend)
    assert codes(failures(own, decision)) == {"decision.actor"}
    with pytest.raises(Refused) as caught:
        promote(world.writer(own.root, now_us=NOW + 3 * MINUTE), world.surfaces(), decision)
    assert caught.value.code == "decision.actor"
