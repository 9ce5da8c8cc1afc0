"""Times of single calls of candidate and champion, in turn, in one scorer process.

Place in the flow: the regression gate's latency figures start here. Both models are shut in as a model that is scored
is (gates/inputs/sandbox.py), and both lie in one process, so that they share its caches, its heap and whatever else the
machine does meanwhile. The price: one of them can meddle with the other, or with the clock. These figures are no proof
against a model that means harm; its scores come from a process of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gates.inputs.opened import Latency
from gates.inputs.sandbox import Job, run
from gates.inputs.scorer import MODEL, Asked, ScorerFailed, check_end

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_CHILD = Path(__file__).with_name("scorer_latency.py")
WARM_UP = 50
"""Calls of each model before the first that counts."""

_SHARED = ("GITHUB_ACTIONS", "CI")


def time_calls(
    candidate: Path,
    champion: Path | None,
    features: Path,
    *,
    asked: Asked,
    pairs: int,
    timeout_s: float,
    python: Path | None = None,
) -> Latency:
    """Call both models in turn on single rows, the same row for both, and the first of them by turns.

    Parameters
    ----------
    features: as for `gates.inputs.scorer.score`, at least one row; fewer rows than pairs are used again.
    pairs: calls of each model that count; 50 before them do not.
    python: the interpreter of both models' environment; default: this one.

    Returns
    -------
    Times in seconds, shape (pairs,); shape (0,) for the champion where there is none.

    Raises
    ------
    ScorerFailed: a model raised, ended, ran out of time, or the times are none.
    """
    import numpy as np

    count = 1 if champion is None else 2
    said = json.dumps({"task": asked.task, "classes": asked.places, "pairs": pairs, "warm": WARM_UP})
    size = 8 * pairs * count
    ended = run(Job(_CHILD, candidate, features, size, timeout_s, (MODEL,), (said,), champion, python))
    check_end(ended, features, candidate, timeout_s)
    if len(ended.output) != size:
        raise ScorerFailed(f"the models' process wrote {len(ended.output)} bytes, not the times of {pairs} pairs")
    taken = np.frombuffer(ended.output, np.int64)
    if not bool(((taken > 0) & (taken < timeout_s * 1e9)).all()):
        raise ScorerFailed("the times that came back are none")
    seconds: npt.NDArray[np.float64] = taken / 1e9
    return Latency(seconds[:pairs], seconds[pairs:], shared_runner=_shared(os.environ), isolation=ended.isolation)


def _shared(environment: Mapping[str, str]) -> bool:
    """Whether others may use these cores: a runner that says so, or fewer cores for this process than the machine has."""
    said = any(environment.get(name, "").casefold() not in ("", "0", "false") for name in _SHARED)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return said or usable != os.cpu_count() or _limited(Path("/sys/fs/cgroup/cpu.max"))


def _limited(path: Path) -> bool:
    """Whether the kernel gives this group of processes a share of the processors only (cgroup v2)."""
    try:
        return path.read_text(encoding="ascii").split()[0] != "max"
    except (OSError, IndexError, UnicodeDecodeError):
        return False
