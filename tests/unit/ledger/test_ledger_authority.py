"""Who may write what into the ledger, as a reader finds it years on: entries written one by one, right and wrong."""

from __future__ import annotations

import pytest
from simulators.apply_world import World, position_in
from simulators.entries import Script, release_of

from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.decisions import load_decision, open_decision
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import KeySigner
from gates.bundle.trust import Trust
from gates.errors import EvidenceError
from gates.records import Digest


def put(script: Script, environment: str, trust: Trust, by: str) -> None:
    active = tuple(a for a in script.world.active(trust=trust) if a.environment == environment)
    script.add("policy", by=by, active=active, reason="other people")


def with_deputy(script: Script, *environments: str) -> Trust:
    trust = script.world.trust(deputy=("policy",))
    keys = [k.model_copy(update={"environments": environments}) if k.person == "deputy" else k for k in trust.keys]
    limited = Trust(keys=tuple(keys))
    script.world.store.put(canonical_bytes(limited.document()))
    return limited


def test_a_reader_accepts_policies_of_whom_the_trust_before_them_lists(script: Script) -> None:
    put(script, "staging", with_deputy(script), "owner")
    put(script, "staging", script.world.trust(), "deputy")
    assert script.chain().trust("staging") == script.world.trust()


@pytest.mark.parametrize(
    ("listed", "environments", "changes"),
    [
        ("", (), "staging"),
        ("production", (), "staging"),
        ("staging", (), "production"),
        ("staging", ("production",), "staging"),
    ],
)
def test_a_reader_refuses_policies_of_anybody_else(
    script: Script, listed: str, environments: tuple[str, ...], changes: str
) -> None:
    """Listed nowhere, elsewhere, or only by the very trust that the entry brings."""
    trust = with_deputy(script, *environments)
    if listed:
        put(script, listed, trust, "owner")
    put(script, changes, trust, "deputy")
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.code == "ledger.unlisted_key"


def test_one_entry_for_two_environments_needs_the_role_in_both(script: Script) -> None:
    put(script, "staging", with_deputy(script), "owner")
    script.add("policy", by="deputy", active=script.world.active(), reason="both")
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.code == "ledger.unlisted_key"


def test_an_environment_that_no_owner_opened_is_the_owners_to_open(script: Script) -> None:
    put(script, "staging", with_deputy(script), "owner")
    moon = script.world.active()[0].model_copy(update={"environment": "moon"})
    script.add("policy", by="deputy", active=(moon,), reason="a new rung")
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.code == "ledger.unlisted_key"


def refusal(script: Script) -> str:
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.code == "ledger.decision"
    return caught.value.message


@pytest.mark.parametrize("actor", [None, "applier", "owner", "stranger"])
def test_a_reader_refuses_a_decision_whose_actor_did_not_sign_it(script: Script, actor: str | None) -> None:
    """The policies leave out the approvals of the actor's person: a false actor could approve his own request."""
    two = script.world.version(2)
    key_id = script.world.key(actor).key_id if actor else None
    script.intend("staging", two, bundle=script.seal(two), decided={"asked": {"actor_key_id": key_id}})
    assert "as its actor, which is not who signed it" in refusal(script)


def test_a_reader_refuses_an_actor_who_signed_too_but_may_not_decide(script: Script) -> None:
    """A throw-away key beside the decider's names nobody, so that nobody's approvals would be left out."""
    world, two = script.world, script.world.version(2)
    thrown = world.key("stranger")
    bundle = script.seal(two)
    decision = world.decision(
        two,
        "staging",
        champion=None,
        bundle=bundle,
        ledger=position_in(script.raws),
        asked={"actor": "stranger@example.com", "actor_key_id": thrown.key_id},
    )
    opened = load_decision(world.store, decision)
    one, other = (parse_json(raw) for raw in (world.store.get(decision), resigned(world, decision, thrown)))
    one["signatures"] += other["signatures"]
    after = release_of("staging", (two, 100), decision=opened.decision_id)
    script.intend("staging", two, bundle=bundle, decision=one, after=after)
    raw = canonical_bytes(one)
    assert thrown.key_id in open_decision(raw, digest_bytes(raw)).key_ids
    assert "as its actor, which is not who signed it" in refusal(script)


def resigned(world: World, decision: Digest, signer: KeySigner) -> bytes:
    opened = open_envelope(world.store.get(decision))
    return seal(opened.predicate_type, opened.subjects, opened.predicate, signer)


def test_a_reader_refuses_a_name_that_the_trust_does_not_give_the_actors_key(script: Script) -> None:
    two = script.world.version(2)
    script.intend("staging", two, bundle=script.seal(two), decided={"asked": {"actor": "nobody@else"}})
    assert "names nobody@else as its actor" in refusal(script)


@pytest.mark.parametrize("sequence", [None, 0, 1, 3, 4])
def test_a_reader_refuses_a_decision_that_stood_before_its_bundle_or_nowhere(
    script: Script, sequence: int | None
) -> None:
    """Entries: 0 the policies, 1 another look at the holdout, 2 this bundle's, 3 and 4 that do not exist yet."""
    two = script.world.version(2)
    script.seal(script.world.version(3))
    bundle = script.seal(two)
    good = list(script.raws)
    script.intend("staging", two, bundle=bundle)
    assert script.chain().sealed[bundle].sequence == 2
    script.raws = good
    heads = [digest_bytes(raw) for raw in good] + [script.head, script.head]
    seen = None if sequence is None else {"sequence": sequence, "head": heads[sequence]}
    script.intend("staging", two, bundle=bundle, decided={"ledger": seen})
    assert "and its bundle was entered with entry 2" in refusal(script)


def test_a_reader_refuses_a_decision_on_another_ledger(script: Script) -> None:
    two = script.world.version(2)
    bundle = script.seal(two)
    seen = {"sequence": len(script.raws) - 1, "head": digest_bytes(b"another ledger")}
    script.intend("staging", two, bundle=bundle, decided={"ledger": seen})
    assert "its bundle was entered with entry 1" in refusal(script)
