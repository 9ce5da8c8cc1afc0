"""An engine that nobody closes ends with its last user; its clock does not tick on."""

from __future__ import annotations

import gc
import threading

from opapywasm import runtime
from simulators.policy_world import plan_request, policy_set

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import PLAN


def clocks() -> int:
    return sum("epoch" in thread.name for thread in threading.enumerate())


def test_no_thread_is_left_of_an_engine_that_nobody_closed() -> None:
    EmbeddedEngine(policy_set()).close()
    before = clocks()
    engine = EmbeddedEngine(policy_set())
    engine.evaluate(PLAN, plan_request())
    assert clocks() == before + 1
    del engine
    gc.collect()
    with EmbeddedEngine(policy_set()):
        assert clocks() <= before + 1
    assert clocks() == before


def test_an_engine_that_is_dropped_amid_the_librarys_work_waits_for_nobody() -> None:
    """Garbage is collected at any time, in a thread that holds the library's lock too."""
    held = [EmbeddedEngine(policy_set())]
    held[0].evaluate(PLAN, plan_request())
    with runtime._NATIVE_LIFECYCLE_LOCK:
        dropping = threading.Thread(target=held.clear, daemon=True)
        dropping.start()
        dropping.join(10)
        assert not dropping.is_alive()
