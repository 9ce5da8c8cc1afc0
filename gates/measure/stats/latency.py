"""Times of calls: a quantile of one model's, and the ratio of two models' on alternated calls of the same rows.

Calls that follow each other share the weather of the machine, so that bounds come from a moving-block bootstrap over
pairs (Künsch, Annals of Statistics 1989): 1,000 replicates of blocks of ceil(2 n^(1/3)) pairs, on logarithms.

Of one model's quantile a bootstrap knows no call slower than the slowest seen, of which there are few: its upper bound at
.95 missed the 95th percentile in .06 to .24 of runs with 200 and 300 calls. There the bounds are at least as far as the
exact ones of order statistics: of N independent calls, those that are slower than the quantile follow the binomial law. N is the
calls over the design effect of "slower than the quantile", 1 + 2 sum of its autocorrelations up to the first that is not
positive (Geyer, Statistical Science 1992). Few slow calls show too little of how they hang together, so that the sum counts
half as much again: the bound then misses .03 to .04 with a weather of correlation .9, where it missed .06 to .07, and
independent calls lose nothing. Where N calls do not suffice, as 58 do not at the 95th percentile and .95, the upper bound is
infinite. What pauses did that no call met is not known: of pauses once in 80 calls, 200 calls meet none in .08 of runs, and
the bound misses in .07; 300 in .01, so that 300 are the fewest that policy takes (`latency_pairs`). Shares of misses are in
`test_a_slow_model_is_rarely_proven_fast` of `tests/oracles/test_stats_latency.py`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gates.measure.stats.figure import RUNGS, Figure, Floats, Mask, reach
from gates.records import Reason

REPLICATES = 1_000
FEWEST = 20
"""Pairs under which a 95th percentile is the slowest call and nothing else."""

_INSTANT = 1e-9
_SHOWN = 1.5
"""By how much correlations of few slow calls are raised."""
_FARTHEST = 4
"""Blocks beyond which no correlation is looked for."""


def quantile_of(seconds: Floats, level: float, *, seed: int) -> Figure | Reason:
    """Return a quantile of the times, in seconds.

    Returns
    -------
    Reason.EMPTY_TABLE with fewer than 20 calls.
    """
    found = _figure((seconds,), level, seed)
    if isinstance(found, Reason):
        return found
    low, high = _order_statistics(np.maximum(seconds, _INSTANT), level)
    return replace(found, lower=np.minimum(found.lower, low), upper=np.maximum(found.upper, high))


def _order_statistics(seconds: Floats, level: float) -> tuple[Floats, Floats]:
    """Bounds at the rungs by which of the ordered times they are; 0 and infinite beyond the last."""
    from scipy.special import bdtr

    size, calls = seconds.size, np.concatenate([[0.0], np.sort(seconds), [math.inf]])
    number = math.floor(size / _design_effect(seconds > np.quantile(seconds, level)))
    at_most = np.asarray(bdtr(np.arange(number + 1), number, 1 - level), dtype=np.float64)
    alpha = 1 - RUNGS[:, None]
    # So few, and so many, of `number` calls are slower than the quantile in alpha of runs at most.
    few = np.count_nonzero(at_most <= alpha, axis=1) - 1
    many = number + 2 - np.count_nonzero(1 - at_most <= alpha, axis=1)
    low = size + 1 - np.ceil(many * size / number - 1e-9).astype(np.int64)
    high = size - np.floor(few * size / number + 1e-9).astype(np.int64)
    return calls[np.maximum(low, 0)], calls[np.where(few < 0, size + 1, high)]


def _design_effect(slower: Mask) -> float:
    """By how much a share of calls varies more than that of independent ones; at least 1."""
    off = slower - slower.mean()
    square = float(off @ off)
    total = 1.0
    for lag in range(1, _FARTHEST * _length(off.size)):
        found = float(off[lag:] @ off[:-lag]) / square if square > 0 and lag < off.size else 0.0
        if found <= 0:
            break
        total += 2 * _SHOWN * found
    return min(total, float(off.size))


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
    length = _length(size)
    starts = np.random.default_rng(seed).integers(0, size - length + 1, (REPLICATES, math.ceil(size / length)))
    rows = (starts[:, :, None] + np.arange(length)).reshape(REPLICATES, -1)[:, :size]
    # Batches bound the memory: a replicate holds one number a pair and model.
    batches = np.array_split(rows, math.ceil(rows.size / 4_000_000))
    away = reach(np.concatenate([_log_ratio(logs, level, batch) for batch in batches]), float(estimate))
    return Figure(math.exp(estimate), np.exp(estimate - away), np.exp(estimate + away), size)


def _length(size: int) -> int:
    """Of a block, in calls."""
    return math.ceil(2.0 * math.pow(size, 1 / 3))


def _log_ratio(logs: list[Floats], level: float, rows: np.ndarray) -> Floats:
    first, *others = (np.quantile(each[rows], level, axis=1) for each in logs)
    return np.asarray(first - sum(others, np.zeros_like(first)), dtype=np.float64)
