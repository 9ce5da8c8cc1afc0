"""What somebody with a key that counts can forge, and where it is refused or found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from audit_world import MINUTE, NOW, AuditWorld, Promoted, promoted
from simulators.policy_world import MODEL

from gates.apply.ledger.chain import Chain
from gates.apply.sealed import append_sealed
from gates.apply.writer import Position
from gates.audit.findings import Findings
from gates.audit.verify import verify
from gates.bundle.canonical import digest_bytes
from gates.bundle.envelope import seal
from gates.bundle.pack import load_bundle, seal_bundle
from gates.errors import EvidenceError
from gates.records import Bundle, Digest, Entry, ModelVersion
from gates.records.evidence import BUNDLE_TYPE

OTHER = digest_bytes(b"another holdout")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Promoted:
    return promoted(tmp_path_factory.mktemp("world"))


@pytest.fixture
def own(made: Promoted, tmp_path: Path) -> Promoted:
    shutil.copytree(made.world.root, tmp_path / "copy")
    return replace(made, world=AuditWorld(tmp_path / "copy"))


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
    "false", [{"holdout_digest": OTHER}, {"holdout_digest": None}, {"candidate": None}, {"measured_us": NOW + MINUTE}]
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
            measured_us=NOW,
        )

    world.writer(own.root, "decider", NOW + 2 * MINUTE).append(build)
    assert codes(failures(own)) == {"bundle.holdout"}
