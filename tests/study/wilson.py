"""Wilson's limits of a share beside the exact ones that are shipped (Clopper and Pearson).

Wilson (1927, Journal of the American Statistical Association 22) takes the rates at which the normal approximation would
not be surprised by what was seen. His interval is shorter, and right on the average of both sides and of all rates. Near 0
and 1 one side of it is not: of rare events the lower limit lies above the true rate too often, of coverage the upper one
below it, and the more so the stricter the rung. The exact limits are never wrong more often than they say, at any rate.
"""

from __future__ import annotations

import numpy as np
from oracles.worlds import Floats

from gates.measure.stats.figure import quantiles
from gates.measure.stats.proportions import proportion
from gates.records import LADDER
from study.page import Table
from study.promises import Promise, share
from study.runner import Runner

RUNS = 4_000
WITHIN = 0.02
STRICT = LADDER.index(0.999)
"""The failing rung of 11 bins, each of which has two sides."""
LEVELS, ROWS = (0.9, 0.95, 0.99), (100, 300, 1_000, 3_000)
RATES, BIN_ROWS = (0.001, 0.01, 0.05), (30, 100, 1_000, 3_000)
WRONG = ((30, 0.05, 0.05), (100, 0.001, 0.08), (1_000, 0.001, 0.07), (3_000, 0.001, 0.07))
"""Bins whose rate Wilson's lower limit at .95 exceeds in at least that share of runs."""


def wilson(hits: float, n: float, z: Floats) -> tuple[Floats, Floats]:
    """Return one-sided limits of a share, one for each normal quantile."""
    rate, square = hits / n, z**2 / n
    centre = (rate + square / 2) / (1 + square)
    half = np.sqrt(rate * (1 - rate) * square + square**2 / 4) / (1 + square)
    return centre - half, centre + half


def _limits(hits: int, n: int) -> tuple[tuple[Floats, Floats], ...]:
    return proportion(hits / n, n), wilson(hits, n, quantiles(None))


def covered(rng: np.random.Generator, level: float, n: int, truth: float) -> tuple[bool, ...]:
    """By exact limits and by Wilson's: under-coverage within two points is proven, or is proven to be more."""
    limit = level - WITHIN
    found = _limits(int(rng.binomial(n, truth)), n)
    return tuple(bool(answer) for low, high in found for answer in (low[0] >= limit, high[0] < limit))


def rare(rng: np.random.Generator, n: int, rate: float) -> tuple[bool, ...]:
    """By exact limits and by Wilson's: the lower one exceeds the true rate, at .95 and at the failing rung of ten bins."""
    found = _limits(int(rng.binomial(n, rate)), n)
    return tuple(bool(low[rung] > rate) for low, _ in found for rung in (0, STRICT))


def beside(runner: Runner) -> tuple[list[Table], list[Promise]]:
    """Return the tables of the page on alternatives, and what they promise."""
    runs = runner.runs(RUNS)
    worlds = [(level, n, truth) for level in LEVELS for n in ROWS for truth in (level - WITHIN, level)]
    coverage = runner.simulate(covered, worlds, RUNS)
    bins = runner.simulate(rare, [(n, rate) for n in BIN_ROWS for rate in RATES], RUNS)
    rows = [
        (
            f"{level:g}, {n:,} rows",
            *(share(float(coverage[level, n, level - WITHIN][:, column].mean())) for column in (0, 2, 1, 3)),
            *(share(float(coverage[level, n, level][:, column].mean())) for column in (0, 2)),
        )
        for level in LEVELS
        for n in ROWS
    ]
    rows_rare = [
        (f"{n:,} rows, rate {rate:g}", *(share(float(answers[:, column].mean())) for column in (0, 2, 1, 3)))
        for (n, rate), answers in bins.items()
    ]
    promises = [
        Promise(
            f"coverage {level:g}, {n:,} rows, at the limit: exact limits, {word}",
            int(coverage[level, n, level - WITHIN][:, column].sum()),
            runs,
            at_most=0.05,
        )
        for level in LEVELS
        for n in ROWS
        for column, word in enumerate(("passes", "fails"))
    ]
    for (n, rate), answers in bins.items():
        for column, most in ((0, 0.05), (1, 0.001)):
            what = f"a bin of {n:,} rows, rate {rate:g}: exact lower limit at {1 - most:g} above it"
            promises.append(Promise(what, int(answers[:, column].sum()), runs, at_most=most))
    for n, rate, least in WRONG:
        what = f"a bin of {n:,} rows, rate {rate:g}: Wilson's lower limit at .95 above it"
        promises.append(Promise(what, int(bins[n, rate][:, 2].sum()), runs, at_least=least))
    head = ("at the limit passes: exact", "Wilson", "at the limit fails: exact", "Wilson", "as promised passes: exact")
    off = ("at .95: exact", "Wilson", "at .999: exact", "Wilson")
    return [
        Table("Shares, coverage less than two points under its level", ("level", *head, "Wilson"), rows),
        Table("Shares, bins of rare events: lower limit above the true rate", ("bin", *off), rows_rare),
    ], promises
