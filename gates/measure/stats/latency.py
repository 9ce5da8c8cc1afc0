"""Times of calls: a quantile of one model's, and the ratio of two models' on alternated calls of the same rows.

Calls that follow each other share the weather of the machine, so that bounds come from a moving-block bootstrap over
pairs (Künsch, Annals of Statistics 1989): 1,000 replicates of blocks of ceil(2 n^(1/3)) pairs, on logarithms.
"""

from __future__ import annotations

import math

import numpy as np

from gates.measure.stats.figure import Figure, Floats, reach
from gates.records import Reason

REPLICATES = 1_000
FEWEST = 20
"""Pairs under which a 95th percentile is the slowest call and nothing else."""

_INSTANT = 1e-9


def quantile_of(seconds: Floats, level: float, *, seed: int) -> Figure | Reason:
    """Return a quantile of the times, in seconds.

    Returns
    -------
    Reason.EMPTY_TABLE with fewer than 20 calls.
    """
    return _figure((seconds,), level, seed)


def quantile_ratio(candidate: Floats, champion: Floats, level: float, *, seed: int) -> Figure | Reason:
    """Return the ratio of a quantile of the candidate's times to that of the champion's; shapes (pairs,) both.

    Returns
    -------
    As `quantile_of`, of pairs.
    """
    return _figure((candidate, champion), level, seed)


def _figure(times: tuple[Floats, ...], level: float, seed: int) -> Figure | Reason:
    size = times[0].size
    if size < FEWEST:
        return Reason.EMPTY_TABLE
    logs = [np.log(np.maximum(each, _INSTANT)) for each in times]
    estimate = _log_ratio(logs, level, np.arange(size)[None])[0]
    length = math.ceil(2 * size ** (1 / 3))
    starts = np.random.default_rng(seed).integers(0, size - length + 1, (REPLICATES, math.ceil(size / length)))
    rows = (starts[:, :, None] + np.arange(length)).reshape(REPLICATES, -1)[:, :size]
    # Batches bound the memory: a replicate holds one number a pair and model.
    batches = np.array_split(rows, math.ceil(rows.size / 4_000_000))
    away = reach(np.concatenate([_log_ratio(logs, level, batch) for batch in batches]), float(estimate))
    return Figure(math.exp(estimate), np.exp(estimate - away), np.exp(estimate + away), size)


def _log_ratio(logs: list[Floats], level: float, rows: np.ndarray) -> Floats:
    first, *others = (np.quantile(each[rows], level, axis=1) for each in logs)
    return np.asarray(first - sum(others, np.zeros_like(first)), dtype=np.float64)
