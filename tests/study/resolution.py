"""Section 1: the smallest limit that a perfect model passes in 8 of 10 runs."""

from __future__ import annotations

from functools import cache

import numpy as np
from oracles.worlds import cells_of, logistic, logits, outcomes

from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.resolution import Scores, bins_limit, ece_limit
from study.page import Page, Table, canvas, line
from study.promises import Promise
from study.reliability_bins import gaps
from study.runner import Runner

SIZES = (1_000, 3_000, 10_000, 30_000)
REPORTED = {
    "bal": ((0.059, 0.18), (0.035, 0.10), (0.019, 0.057), (0.011, 0.034)),
    "rare": ((0.034, 0.14), (0.019, 0.073), (0.011, 0.041), (0.006, 0.023)),
}


@cache
def scores(world: str) -> Scores:
    """How a perfect model's scores are spread over ten bins of equal mass, in the long run."""
    parts = np.sort(logistic(logits(np.random.default_rng(0), world, 200_000))).reshape(10, -1)
    return Scores(np.full(10, 0.1), parts.mean(axis=1), (parts * (1 - parts)).mean(axis=1))


def one(rng: np.random.Generator, world: str, n: int) -> tuple[float, float]:
    p = logistic(logits(rng, world, n))
    cells = cells_of(p, outcomes(rng, p))
    found = ece(cells, minimum_clusters=8)
    assert isinstance(found, Figure)
    return float(found.upper[0]), max(max(f.upper[0], -f.lower[0]) for f in gaps(cells))


def study(runner: Runner) -> Page:
    full = 500
    found = runner.simulate(one, [(w, n) for w in REPORTED for n in SIZES], full)
    runs = runner.runs(full)
    limits = {cell: np.quantile(bounds, 0.8, axis=0) for cell, bounds in found.items()}
    rows, promises = [], []
    for world, reported in REPORTED.items():
        for n, theirs in zip(SIZES, reported, strict=True):
            printed = ece_limit(scores(world), n), bins_limit(scores(world), n)
            seen = limits[world, n].tolist()
            cells = (f"{s:.3f} | {p:.3f} | {t:g}" for s, p, t in zip(seen, printed, theirs, strict=True))
            rows.append((f"{world} {n:,}", *cells))
            for limit, bounds, word in zip(printed, found[world, n].T, ("calibration error", "bin"), strict=True):
                what = f"{world} {n:,}: a perfect model passes {limit:.3f}, the resolution printed for {word}"
                count = int((bounds <= limit).sum())
                promises.append(Promise(what, count, runs, at_least=0.75))
                promises.append(Promise(what, count, runs, at_most=0.9))
    plot, axes = canvas(2, title="What a holdout can show depends on its rows, whatever the model")
    for column, (axis, word) in enumerate(zip(axes, ("calibration error", "largest gap of ten bins"), strict=True)):
        for style, world in enumerate(REPORTED):
            line(axis, SIZES, [float(limits[world, n][column]) for n in SIZES], world, style)
        shipped = (0.02, 0.05)[column]
        axis.axhline(shipped, color="0.5", linewidth=0.8, linestyle=(0, (6, 3)))
        axis.annotate(
            f"limit in production: {shipped:g}",
            (1, shipped),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
        )
        axis.set(xscale="log", yscale="log", xlabel="rows in the holdout", ylabel=f"smallest limit passed: {word}")
        axis.set_xticks(SIZES, [f"{n:,}" for n in SIZES])
        axis.set_yticks(*((t := [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]), [f"{v:g}" for v in t]))
        axis.minorticks_off()
        axis.legend(fontsize=8, frameon=False)
    return Page(
        name="resolution",
        title="A perfect model passes a limit of .02 from 10,000 balanced rows, and no model can from 1,000",
        shows="Each point is the smallest limit that a perfectly calibrated model passes in 8 of 10 runs: below the line, "
        "the holdout is too small for the limit, and no model can be proven good on it.",
        world="`bal` and `rare` as in [calibration error](calibration-error.md), the score equal to the true rate.",
        plot=plot,
        alt="Two log-log line plots, falling from 1,000 to 30,000 rows: the smallest calibration error from .06 to .011 "
        "(balanced) and .034 to .006 (rare); the smallest bin gap from .18 to .034 and .14 to .023.",
        tables=[
            Table(
                "Smallest limit passed in 8 of 10 runs: seen, printed by `gates plan --resolution`, and in statistics.md",
                ("world", "calibration error: seen", "printed", "reported", "bin: seen", "printed", "reported"),
                rows,
            )
        ],
        promises=promises,
    )
