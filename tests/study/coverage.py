"""Section 2: coverage within two points, exactly, by summing over all counts; and what a calibration set can promise."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import stats

from gates.measure.stats.conformal import chance_beyond, rank
from gates.measure.stats.figure import Floats
from gates.measure.stats.proportions import proportion
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.runner import Runner

POINTS = 0.02
LEVEL = 0.9
N_CAL = (100, 200, 500, 1_000, 2_000)
REPORTED_SPREAD = (".50", ".34", ".13", ".034", ".003")


@cache
def bounds(n: int) -> Floats:
    """Lower and upper bound of coverage at .95 for each count, shape (n + 1, 2)."""
    return np.array([[limit[0] for limit in proportion(k / n, n)] for k in range(n + 1)])


def passes(n: int, level: float, truth: float) -> float:
    """The chance that coverage is proven within two points of the level, both sides."""
    low, high = bounds(n).T
    return float(stats.binom.pmf(np.arange(n + 1), n, truth) @ ((low >= level - POINTS) & (high <= level + POINTS)))


def fails(n: int, level: float, truth: float) -> float:
    """The chance that under-coverage of more than two points is proven."""
    return float(stats.binom.pmf(np.arange(n + 1), n, truth) @ (bounds(n)[:, 1] < level - POINTS))


def naive(n: int, truth: float) -> float:
    """The chance that the share covered lies within two points of .90."""
    k = np.arange(n + 1)
    return float(stats.binom.pmf(k, n, truth) @ (np.abs(k / n - LEVEL) <= POINTS + 1e-12))


def rows_for(level: float, steps: range) -> int:
    """The fewest rows, in steps, with which a true coverage at the level passes in 8 of 10 runs from there on."""
    good = [passes(n, level, level) >= 0.8 for n in steps]
    last_bad = max((i for i, ok in enumerate(good) if not ok), default=-1)
    return steps[last_bad + 1]


def split(rng: np.random.Generator, n_cal: int) -> tuple[bool]:
    """Split conformal on exponential scores, whose coverage given the calibration set is known exactly."""
    cut = np.sort(rng.exponential(size=n_cal))[rank(n_cal, LEVEL) - 1]
    return (bool(abs(1 - np.exp(-cut) - LEVEL) > POINTS),)


def strata(rng: np.random.Generator, n: int, points: float) -> tuple[bool]:
    """Five strata, each truly at .90: are all proven within `points`?"""
    hits = rng.binomial(n // 5, LEVEL, 5) / (n // 5)
    limits = [proportion(float(rate), n // 5) for rate in hits]
    return (all(low[0] >= LEVEL - points and high[0] <= LEVEL + points for low, high in limits),)


def study(runner: Runner) -> Page:
    # Small runs leave out the sums over the most counts; they are exact, so that fewer runs say nothing of them.
    sizes = (500, 1_000, 2_000, 5_000) if runner.scale >= 1 else (500, 1_000)
    spread = runner.simulate(split, [(n,) for n in N_CAL], 20_000)
    fifths = runner.simulate(strata, [(3_000, 0.02), (10_000, 0.02), (20_000, 0.02), (3_000, 0.05)], 2_000)
    many, runs = runner.runs(20_000), runner.runs(2_000)
    exact = {
        n: (naive(n, 0.9), naive(n, 0.87), passes(n, 0.9, 0.9), passes(n, 0.9, 0.88), fails(n, 0.9, 0.87))
        for n in sizes
    }
    exact_at = {n: fails(n, 0.9, 0.88) for n in sizes}
    promises = []
    for n in sizes:
        # Exact chances: a count out of a million runs that need not be run.
        promises += [
            _exact(f"{n:,} rows: a true coverage of .88, at the limit, passes", exact[n][3], at_most=0.05),
            _exact(f"{n:,} rows: a true coverage of .88, at the limit, fails", exact_at[n], at_most=0.05),
        ]
    for n_cal in N_CAL:
        hit = int(spread[n_cal,][:, 0].sum())
        formula = chance_beyond(n_cal, LEVEL, POINTS)
        what = f"n_cal {n_cal:,}: coverage is off by more than two points, formula"
        promises += [Promise(what, hit, many, at_most=formula), Promise(what, hit, many, at_least=formula)]
    promises.append(
        Promise(
            "five strata of 4,000 rows: all proven within 2 points",
            int(fifths[20_000, 0.02][:, 0].sum()),
            runs,
            at_least=0.94,
        )
    )
    tables = [
        Table(
            "Chance by rows, exact",
            (
                "rows",
                "plain: true .90 fails",
                "plain: true .87 passes",
                "true .90 passes",
                "true .88 passes",
                "true .87 fails",
            ),
            [(f"{n:,}", share(1 - e[0]), *(share(v) for v in e[1:])) for n, e in exact.items()],
        ),
        Table(
            "Coverage off by more than two points with endless test rows",
            ("calibration rows", "simulated", "Beta", "statistics.md"),
            [
                (f"{n:,}", share(float(spread[n,][:, 0].mean())), share(chance_beyond(n, LEVEL, POINTS)), word)
                for n, word in zip(N_CAL, REPORTED_SPREAD, strict=True)
            ],
        ),
        Table(
            "Five strata, true .90 everywhere, all proven",
            ("rows, points", "share of runs"),
            [(f"{n:,}, {points:g}", share(float(v.mean()))) for (n, points), v in fifths.items()],
        ),
    ]
    if runner.scale >= 1:
        wanted = {0.9: range(1_500, 2_400, 20), 0.95: range(700, 1_400, 20), 0.8: range(3_000, 4_000, 20)}
        rows = [(f"{level:g}", f"{rows_for(level, steps):,}") for level, steps in wanted.items()]
        tables.append(
            Table("Rows with which a true coverage at the level passes in 8 of 10 runs", ("level", "rows"), rows)
        )
    plot, (left, right) = canvas(2, title="Coverage within two points takes rows: to test with, and to calibrate with")
    line(left, sizes, [1 - exact[n][0] for n in sizes], "plain rule: true .90 fails", 0)
    line(left, sizes, [exact[n][1] for n in sizes], "plain rule: true .87 passes", 1)
    line(left, sizes, [exact[n][2] for n in sizes], "exact limits: true .90 passes", 2)
    line(left, sizes, [exact[n][3] for n in sizes], "exact limits: true .88 passes", 3)
    promised(left, 0.05)
    left.set(title="Judged on a holdout", xlabel="rows in the holdout", ylabel="chance", ylim=(-0.03, 1.03))
    line(right, N_CAL, [float(spread[n,][:, 0].mean()) for n in N_CAL], "simulated", 0)
    line(right, N_CAL, [chance_beyond(n, LEVEL, POINTS) for n in N_CAL], "Beta formula", 2)
    right.set(
        title="Off by over two points from the start",
        xlabel="rows in the conformal calibration set",
        ylabel="share of runs",
    )
    for axis, ticks in ((left, sizes), (right, N_CAL)):
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{n:,}" for n in ticks])
        axis.minorticks_off()
        axis.legend(fontsize=8, frameon=False)
    return Page(
        name="coverage",
        title="Coverage within two points can be proven from 2,000 rows, if the calibration set was large enough too",
        shows="Left, the plain rule at 500 rows fails a right coverage and passes a wrong one, where exact limits do neither; "
        "right, a small conformal calibration set has coverage off by two points before any test.",
        world="binomial counts; split conformal prediction on exponential scores.",
        plot=plot,
        alt="Two line plots. Left, over 500 to 5,000 rows: chances of wrong answers by the plain rule .1 to .3 at 500 rows; "
        "by exact limits the chance of a wrong pass stays under .05 and that of a right pass rises to 1. Right: the share of "
        "calibration sets that are off falls from .5 at 100 rows to 0 at 2,000, simulated and by formula alike.",
        tables=tables,
        promises=promises,
        notes=["The chances on the left are exact: sums over all counts, given as events in a million."],
    )


def _exact(what: str, chance: float, *, at_most: float) -> Promise:
    return Promise(what, round(chance * 1_000_000), 1_000_000, at_most=at_most)
