"""Whose entries a reader believes: each kind by its writers, by the trust that was in force before it."""

from __future__ import annotations

from typing import Any

import pytest
from ledger_story import STAGING, broken
from simulators.entries import Script, release_of

from gates.apply.ledger.chain import Chain
from gates.bundle.canonical import canonical_bytes
from gates.errors import EvidenceError


@pytest.mark.parametrize("kind", ["policy", "sealed", "adopt", "intent", "outcome", "rollback", "takeover"])
@pytest.mark.parametrize("by", ["owner", "decider", "applier", "stranger"])
def test_each_kind_has_its_writers(script: Script, kind: str, by: str) -> None:
    world = script.world
    one, two = world.version(1), world.version(2)
    script.adopt("staging", one)
    bundle = script.seal(two)
    if kind in ("outcome", "takeover", "rollback"):
        intent = script.intend("staging", two, bundle=bundle)
    if kind == "rollback":
        script.close("staging")
    write: dict[str, Any] = {
        "policy": lambda: script.add("policy", by=by, active=world.active(), reason="new"),
        "sealed": lambda: script.seal(two, "again", by=by),
        "adopt": lambda: script.adopt("production", one, by=by),
        "intent": lambda: script.intend("staging", two, bundle=bundle, by=by),
        "outcome": lambda: script.close("staging", by=by),
        "takeover": lambda: script.add("takeover", by=by, slot=STAGING, intent=intent, reason="left"),
        "rollback": lambda: script.roll_back("staging", release_of("staging", (one, 100)), by=by),
    }
    write[kind]()
    allowed = {"policy": {"owner"}, "sealed": {"decider", "applier"}}.get(kind, {"applier"})
    if by in allowed:
        script.chain()
    else:
        assert broken(script) == "ledger.unlisted_key"


def test_trust_counts_from_its_entry_on(script: Script) -> None:
    world = script.world
    script.adopt("staging", world.version(1))
    trust = world.trust(applier=(), stranger=("apply",))
    script.add("policy", by="owner", active=world.active(trust=trust), reason="another applier")
    script.adopt("production", world.version(1), by="stranger")
    script.chain()
    script.adopt("production", world.version(1), by="applier")
    assert broken(script) == "ledger.unlisted_key"


def test_a_key_of_one_environment_writes_there_only(script: Script) -> None:
    world = script.world
    document = world.trust().document()
    for key in document["keys"]:
        key["environments"] = ["staging"]
    trust = type(world.trust()).model_validate(document)
    world.store.put(canonical_bytes(trust.document()))
    script.add("policy", by="owner", active=world.active(trust=trust), reason="staging only")
    script.adopt("staging", world.version(1))
    script.seal(world.version(1))
    script.chain()
    script.adopt("production", world.version(1))
    assert broken(script) == "ledger.unlisted_key"


def test_a_trust_document_that_cannot_be_had_is_found(script: Script) -> None:
    name = script.world.trust().digest.removeprefix("sha256:")
    path = script.world.root / "store" / "sha256" / name[:2] / name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"apply", b"APPLY"))
    assert broken(script) == "ledger.trust"


def test_look_up_that_answers_another_trust_is_found(script: Script) -> None:
    other = script.world.trust(stranger=("apply",))
    with pytest.raises(EvidenceError) as caught:
        Chain.read(script.raws, root=script.root, trust=lambda _: other)
    assert caught.value.code == "ledger.trust"
