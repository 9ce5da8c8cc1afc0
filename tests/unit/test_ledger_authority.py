"""Who may write what into the ledger, as a reader finds it years on: entries written one by one, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators.apply_world import World
from simulators.entries import Script

from gates.bundle.canonical import canonical_bytes
from gates.bundle.trust import Trust
from gates.errors import EvidenceError


@pytest.fixture
def script(tmp_path: Path) -> Script:
    world = World(tmp_path)
    world.begin()
    return Script(world)


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
