"""An engine that nobody closes ends with its last user; its clock does not tick on."""

from __future__ import annotations

import gc
import threading

from simulators.policy_world import plan_request, policy_set

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import PLAN


def clocks() -> int:
    return sum("epoch" in thread.name for thread in threading.enumerate())


def test_no_thread_is_left_of_an_engine_that_nobody_closed() -> None:
    gc.collect()
    before = clocks()
    engine = EmbeddedEngine(policy_set())
    engine.evaluate(PLAN, plan_request())
    assert clocks() == before + 1
    del engine
    gc.collect()
    assert clocks() == before
