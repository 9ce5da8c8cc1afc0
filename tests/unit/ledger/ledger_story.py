"""A ledger with a story in it, for the tests of its readers."""

from __future__ import annotations

import pytest
from simulators.apply_world import slot_in
from simulators.entries import Script

from gates.errors import EvidenceError

RUNGS = ("development", "staging", "production")
STAGING, PRODUCTION = slot_in("staging"), slot_in("production")


def told(script: Script) -> Script:
    """Version 1 adopted in both slots, version 2 promoted to staging."""
    one, two = script.world.version(1), script.world.version(2)
    script.adopt("staging", one)
    script.adopt("production", one)
    bundle = script.seal(two)
    script.intend("staging", two, bundle=bundle)
    script.close("staging")
    return script


def broken(script: Script) -> str:
    with pytest.raises(EvidenceError) as caught:
        script.chain()
    assert caught.value.exit_code == 3
    return caught.value.code
