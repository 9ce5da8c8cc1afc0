"""Section 1, reliability bins: every bin within .05, by exact limits, beside the naive rule."""

from __future__ import annotations

import numpy as np
from oracles.worlds import cells_of, logistic, logits, outcomes

from gates.measure.stats.cells import Cells
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import bin_gap
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.rules import LARGEST_FAMILY, rung
from study.runner import Runner

LIMIT = 0.05
BINS = 10
ODD = 4
"""The bin whose rate is off, counted from 0."""
TENTHS = np.arange(1, 10) / 10
SIZES = (3_000, 10_000, 20_000, 50_000)


def gaps(cells: Cells) -> list[Figure]:
    found = [bin_gap(cells.select(cells.bin == code), minimum_clusters=8) for code in np.unique(cells.bin)]
    return [each for each in found if isinstance(each, Figure)]


def judged(figures: list[Figure]) -> tuple[bool, bool]:
    """Pass: each bin within both limits. Fail: some bin outside one of them, for a family of both sides of each."""
    passed = all(f.upper[0] <= LIMIT and f.lower[0] >= -LIMIT for f in figures)
    at = rung(LARGEST_FAMILY, 2 * len(figures))
    return passed, any(f.lower[at] > LIMIT or f.upper[at] < -LIMIT for f in figures)


def one(rng: np.random.Generator, world: str, n: int, off: float) -> tuple[bool, ...]:
    p = logistic(logits(rng, world, n))
    edges = np.searchsorted(np.sort(p), np.quantile(p, [ODD / BINS, (ODD + 1) / BINS]))
    odd = np.argsort(np.argsort(p))
    rate = np.where((odd >= edges[0]) & (odd < edges[1]), np.minimum(1, p + off), p)
    y = outcomes(rng, rate)
    wide = cells_of(p, y, edges=TENTHS).by_bin()
    naive = float(np.abs(wide.residual / wide.n).max()) > LIMIT
    return naive, *judged(gaps(cells_of(p, y)))


def one_bin(rng: np.random.Generator, n: int, rate: float) -> tuple[bool, bool]:
    """One bin whose gap is exactly the limit."""
    p = np.full(n, rate)
    found = bin_gap(cells_of(p, outcomes(rng, p + LIMIT)), minimum_clusters=8)
    assert isinstance(found, Figure)
    return bool(found.upper[0] <= LIMIT), bool(found.lower[0] > LIMIT)


def study(runner: Runner) -> Page:
    full, sizes = 400, SIZES if runner.scale >= 1 else SIZES[:3]
    most = [("rare", 200_000, 0.0)] if runner.scale >= 1 else []
    perfect = runner.simulate(one, [(w, n, 0.0) for w in ("bal", "rare") for n in sizes] + most, full)
    off = runner.simulate(one, [("bal", n, 0.1) for n in sizes], full)
    edge = runner.simulate(one_bin, [(n, rate) for n in (30, 100, 1_000, 10_000) for rate in (0.005, 0.3)], 4_000)
    runs, many = runner.runs(full), runner.runs(4_000)
    rows = [
        (f"{world} {n:,}", *(share(float(v)) for v in answers.mean(axis=0)))
        for (world, n, _), answers in perfect.items()
    ]
    rows_off = [(f"bal {n:,}", *(share(float(v)) for v in answers.mean(axis=0))) for (_, n, _), answers in off.items()]
    promises = [
        Promise(f"{w} {n:,}: a perfect model fails", int(answers[:, 2].sum()), runs, at_most=0.05)
        for (w, n, _), answers in perfect.items()
    ]
    promises += [
        Promise(f"bal {n:,}: a model with a bin .10 off passes", int(answers[:, 1].sum()), runs, at_most=0.001)
        for (_, n, _), answers in off.items()
    ]
    for (n, rate), answers in edge.items():
        for column, word in enumerate(("passes", "fails")):
            what = f"one bin of {n:,} rows, score {rate:g}, off by exactly .05 {word}"
            promises.append(Promise(what, int(answers[:, column].sum()), many, at_most=0.05))
    promises += [
        Promise(
            "rare 10,000: a perfect model passes", int(perfect["rare", 10_000, 0.0][:, 1].sum()), runs, at_least=0.93
        ),
        Promise("bal 20,000: a bin .10 off is found", int(off["bal", 20_000, 0.1][:, 2].sum()), runs, at_least=0.84),
        *(
            Promise(f"bal {n:,}: a bin .10 off is found", int(off["bal", n, 0.1][:, 2].sum()), runs, at_least=0.99)
            for n in sizes[3:]
        ),
    ]
    plot, (axis,) = canvas(title="No bin over .05: exact limits fail no perfect model")
    ours = [perfect["rare", n, 0.0].mean(axis=0) for n in sizes]
    line(axis, sizes, [float(v[0]) for v in ours], "perfect, rare: fails the plain rule", 0)
    line(axis, sizes, [float(v[2]) for v in ours], "perfect, rare: fails by exact limits", 1)
    line(axis, sizes, [float(v[1]) for v in ours], "perfect, rare: passes by exact limits", 2)
    line(axis, sizes, [float(off["bal", n, 0.1][:, 2].mean()) for n in sizes], "bal, one bin .10 off: fails", 3)
    promised(axis, 0.05)
    axis.set(xscale="log", xlabel="rows in the holdout", ylabel="share of runs", ylim=(-0.03, 1.03))
    axis.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axis.minorticks_off()
    axis.legend(fontsize=8, frameon=False, loc=(0.55, 0.35))
    return Page(
        name="reliability-bins",
        title="The plain rule for bins fails perfect models of rare events, and exact limits do not",
        shows="With the plain rule a perfect model of a rare event fails because of a bin with a handful of rows; with "
        "exact limits on ten bins of equal mass it passes from 10,000 rows, and a bin that is .10 off is found.",
        world="`bal` and `rare` as in [calibration error](calibration-error.md); the fifth bin of ten has its rate "
        "raised by .10. The plain rule has ten bins of equal width and no bounds.",
        plot=plot,
        alt="Line plot over 3,000 to 50,000 rows: failing perfect models by the plain rule near 1, by exact limits near 0; "
        "passing rises to 1 by 20,000 rows; the share in which a bin .10 off is found rises to 1 by 50,000 rows.",
        tables=[
            Table("A perfect model", ("world", "plain rule fails", "passes", "fails"), rows),
            Table("One bin .10 off", ("world", "plain rule fails", "passes", "fails"), rows_off),
        ],
        promises=promises,
    )
