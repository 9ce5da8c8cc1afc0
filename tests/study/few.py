"""What few rows or few clusters carry: they are seen, and the mean is skewed for them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from oracles.worlds import cells_of, log_loss, losses, pair_of

from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import loss_ratio
from gates.measure.stats.proportions import coverage
from gates.records import Reason
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.runner import Runner

FAR = 30.0
"""The candidate's error in a bad row, where the champion's is about .8."""

SURE = ((10_000, 5, 0.9999, 0.05), (10_000, 4, 1 - 1e-6, 0.3), (3_000, 9, 1 - 1e-6, 0.3), (30_000, 6, 0.9999, 0.05))
"""Rows, bad ones of them expected, what the candidate says there, base rate."""
LARGE = tuple((n, bad, power) for power in (1, 2) for n, bad in ((10_000, 5), (10_000, 8), (3_000, 6)))
"""Rows, bad ones of them expected, and 1 for the absolute error or 2 for the squared one."""
COVERED = (
    (100, 50, 0.05, 0.5, 0.95),
    (200, 100, 0.03, 0.3, 0.94),
    (500, 50, 0.01, 0.3, 0.95),
    (1_000, 100, 0.006, 0.0, 0.89),
)
"""Clusters, rows of each, share of bad ones, coverage there and elsewhere."""
OFF = ((60, 50, 0.1, 0.2), (100, 30, 0.05, 0.4), (200, 30, 0.03, 0.66))
"""Clusters, rows of each, share of bad ones, and by how much more events happen there."""


def sure(rng: np.random.Generator, n: int, bad: int, says: float, base: float) -> tuple[bool, ...]:
    """The candidate is the champion but in few rows, of which it is sure and wrong."""
    part, usual = bad / n, -(base * math.log(base) + (1 - base) * math.log(1 - base))
    truth = ((1 - part) * usual - part * math.log(1 - says)) / ((1 - part) * usual - part * math.log(1 - base))
    inside = rng.random(n) < part
    y = np.where(inside, 0.0, rng.random(n) < base)
    found = losses(y, np.where(inside, says, base), np.full(n, base), log_loss)
    return _beyond(loss_ratio(found, minimum_clusters=8), truth)


def large(rng: np.random.Generator, n: int, bad: int, power: int) -> tuple[bool, ...]:
    """The candidate is the champion but in few rows, in which it errs much."""
    part, mean = bad / n, (math.sqrt(2 / math.pi), 1.0)[power - 1]
    b = np.abs(rng.normal(size=n)) ** power
    a = np.where(rng.random(n) < part, FAR**power, b)
    sums = replace(pair_of(a, b, a, b), bounded=False)
    return _beyond(loss_ratio(sums, minimum_clusters=8), ((1 - part) * mean + part * FAR**power) / mean)


def covered(
    rng: np.random.Generator, clusters: int, rows: int, bad: float, there: float, else_: float
) -> tuple[bool, ...]:
    """Intervals hold less in few clusters."""
    hits = rng.binomial(rows, np.where(rng.random(clusters) < bad, there, else_)).astype(np.float64)
    found = coverage(hits, np.full(clusters, float(rows)), np.arange(clusters), minimum_clusters=8)
    return _beyond(found, (1 - bad) * else_ + bad * there, lower=True)


def off(rng: np.random.Generator, clusters: int, rows: int, bad: float, more: float) -> tuple[bool, ...]:
    """Scores are right but in few clusters, where events happen more often."""
    cluster = np.repeat(np.arange(clusters), rows)
    p = 0.3 * rng.beta(1, 15, cluster.size)
    y = (rng.random(cluster.size) < p + more * (rng.random(clusters) < bad)[cluster]).astype(np.float64)
    return _beyond(ece(cells_of(p, y, cluster=cluster), minimum_clusters=8), bad * more)


def equal(rng: np.random.Generator, n: int) -> tuple[bool, ...]:
    """Two models that err alike, each with noise of its own: proven within .02 of log loss."""
    logit = rng.normal(0, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.float64)
    a, b = (1 / (1 + np.exp(-(logit + 0.3 * rng.normal(size=n)))) for _ in "ab")
    found = loss_ratio(losses(y, a, b, log_loss), minimum_clusters=8)
    return (isinstance(found, Figure) and bool(found.upper[0] <= 1.02),)


def _beyond(found: Figure | Reason, truth: float, *, lower: bool = False) -> tuple[bool, ...]:
    """Whether it is proven better than it is, and worse; `lower` where more is better."""
    assert isinstance(found, Figure)
    sides = bool(found.upper[0] < truth), bool(found.lower[0] > truth)
    return sides[::-1] if lower else sides


EQUAL = (3_000, 10_000, 30_000)


def study(runner: Runner) -> Page:
    full = 2_000
    asked = {
        "log loss": (sure, SURE, lambda c: f"{c[0]:,} rows, {c[1]} bad ones expected, called {c[2]:.6g}"),
        "error": (
            large,
            LARGE,
            lambda c: (
                f"{('mean absolute error', 'mean squared error')[c[2] - 1]}, {c[0]:,} rows, {c[1]} bad ones expected"
            ),
        ),
        "coverage": (covered, COVERED, lambda c: f"{c[0]:,} clusters of {c[1]} rows, {100 * c[2]:g} % of them bad"),
        "ECE": (off, OFF, lambda c: f"{c[0]:,} clusters of {c[1]} rows, {100 * c[2]:g} % of them bad"),
    }
    runs, promises, rows, rates = runner.runs(full), [], [], {}
    for name, (one, cells, words) in asked.items():
        found = runner.simulate(one, cells, full)
        for cell in cells:
            wrong = int(found[cell][:, 0].sum())
            # A world in which none of the bad ones is seen proves what is not so, whatever a bound does.
            none = math.exp(-cell[1]) if one in {sure, large} else (1 - cell[2]) ** cell[0]
            what = f"{name}, {words(cell)}: proven better than it is"
            promises.append(Promise(what, wrong, runs, at_most=0.05))
            rows.append((name, words(cell), share(wrong / runs), share(none)))
        rates[name] = [found[cell][:, 0].mean() for cell in cells]
    same = runner.simulate(equal, [(n,) for n in EQUAL], 300)
    for n, least in zip(EQUAL, (0.85, 0.99, 0.99), strict=True):
        what = f"{n:,} rows: equal models are proven within .02 of each other's log loss"
        promises.append(Promise(what, int(same[n,].sum()), runner.runs(300), at_least=least))
    plot, (axis,) = canvas(title="Few bad rows or clusters do not pass for fewer")
    for style, (name, seen) in enumerate(rates.items()):
        line(axis, range(1, len(seen) + 1), [float(rate) for rate in seen], name, style)
    promised(axis, 0.05)
    axis.set(xlabel="world, as in the table", ylabel="share of runs with a false proof", ylim=(-0.002, 0.08))
    axis.set_xticks(range(1, 1 + max(map(len, rates.values()))))
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="few",
        title="Few bad rows or clusters are seen, and the figure is not proven better than it is",
        shows="A candidate is worse only in few rows, or in few clusters, and they are seen. The mean is skewed: where fewer of "
        "them were drawn than expected, it is smaller and its variance is too. Bounds that count with the farthest step "
        "of a row, and with how many clusters carry the variance, keep the promise of one in twenty.",
        world="Log loss: the candidate says what the champion says, the base rate, but in few rows without an event, of which "
        f"it is sure. Errors: the champion's are normal, the candidate's the same but {FAR:g} in few rows. In quadrature alone "
        "these were proven better than they are in .08 to .20 of runs. Coverage and ECE: right, but in few clusters of equal "
        "size; by the degrees of freedom of all clusters in .06 to .10.",
        plot=plot,
        alt="Line plot of false proof by world for log loss, error, coverage and ECE: all lines lie about or below the line at .05.",
        tables=[
            Table("Proven better than it is", ("figure", "world", "share of runs", "none of the bad is seen in"), rows),
            Table(
                "Equal models are proven equal",
                ("rows", "share of runs"),
                [(f"{n:,}", share(float(same[n,].mean()))) for n in EQUAL],
            ),
        ],
        promises=promises,
    )
