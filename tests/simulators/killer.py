"""Kill this process before or after its n-th effect, for tests that run a move in a child process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

_EFFECTS = frozenset({"append", "write", "clear", "keep_pack", "set_alias", "delete_alias", "set_tag", "keep_journal"})


class Countdown:
    """Counts effects; SIGKILL before the one at which it reaches zero."""

    def __init__(self, effects: int) -> None:
        self.left = effects

    def tick(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class Mortal:
    """Any port's adapter, dying at its turn: `Mortal(FileServing(...), countdown)`."""

    def __init__(self, real: Any, countdown: Countdown) -> None:
        self._real, self._countdown = real, countdown

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name not in _EFFECTS:
            return value

        def effect(*arguments: Any, **named: Any) -> Any:
            self._countdown.tick()
            return value(*arguments, **named)

        return effect


def run_and_kill(move: Callable[[], object]) -> bool:
    """Run a move in a child process; return whether it was killed. Any other end than success fails the test."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            move()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or os.waitstatus_to_exitcode(status) == 0, "the move failed"
    return killed
