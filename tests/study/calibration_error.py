"""Section 1, first table: the plug-in rule beside the proven one, and both errors at the limit."""

from __future__ import annotations

from functools import cache

import numpy as np
from oracles.worlds import Floats, cells_of, logistic, logits, outcomes, slope_of, stretched

from gates.measure.stats.ece import ece, squared_error
from gates.measure.stats.figure import Figure
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.rules import fails, passes
from study.runner import Runner

LIMIT = 0.02
NOTE = (
    "What is promised is the alpha of the failing rung, .05 for a claim alone: no model within the limit fails more often. "
    "A perfect one fails far less. With 500 balanced rows the mean of y - p alone has a standard error of .019, and the "
    "bound that rests on it proves more than .02 in a few of a thousand runs."
)
SIZES = (500, 2_000, 10_000)
WORLDS = ("bal", "rare")
TENTHS = np.arange(1, 10) / 10

slope = cache(slope_of)


def sample(rng: np.random.Generator, world: str, n: int, truth: float) -> tuple[Floats, Floats]:
    """Scores whose true calibration error is `truth`, and outcomes."""
    x = logits(rng, world, n)
    return stretched(x, slope(truth, world) if truth else 1.0, world), outcomes(rng, logistic(x))


def one(rng: np.random.Generator, world: str, n: int, truth: float) -> tuple[bool, ...]:
    p, y = sample(rng, world, n, truth)
    cells = cells_of(p, y)
    found, squared = ece(cells, minimum_clusters=8), squared_error(cells, minimum_clusters=8)
    wide = cells_of(p, y, edges=TENTHS)
    naive = float(np.abs(wide.residual).sum()) / n
    assert isinstance(found, Figure)
    assert isinstance(squared, float)
    return naive < LIMIT, max(0.0, squared) < LIMIT**2, passes(found, LIMIT), fails(found, LIMIT)


NAIVE, SQUARED, PASSED, FAILED = range(4)
REPORTED = {
    "plug-in, 10 bins of equal width: a perfect model fails": (".997", ".694", ".001", ".403", ".003", "0"),
    "this rule: a perfect model fails": (".001", "0", "0", "0", "0", "0"),
    "this rule: a perfect model passes": ("0", "0", ".855", "0", ".590", "1"),
    "plug-in: true error .03 passes": (".001", ".013", ".002", ".087", ".028", ".001"),
    "debiased L2: true error .03 passes": (".436", ".225", ".005", ".250", ".018", "0"),
    "this rule: true error .03 passes": ("0", "0", "0", "0", "0", "0"),
    "this rule: true error .03 fails": (".010", ".011", ".161", ".012", ".066", ".714"),
}


def study(runner: Runner) -> Page:
    found = runner.simulate(one, [(w, n, t) for w in WORLDS for n in SIZES for t in (0.0, LIMIT, 0.03)], 1_000)
    runs = runner.runs(1_000)

    def count(world: str, n: int, truth: float, answer: int) -> int:
        return int(found[world, n, truth][:, answer].sum())

    def seen(truth: float, answer: int, *, complement: bool = False) -> list[str]:
        rates = [count(w, n, truth, answer) / runs for w in WORLDS for n in SIZES]
        return [share(1 - rate if complement else rate) for rate in rates]

    rows = [
        seen(0.0, NAIVE, complement=True),
        seen(0.0, FAILED),
        seen(0.0, PASSED),
        seen(0.03, NAIVE),
        seen(0.03, SQUARED),
        seen(0.03, PASSED),
        seen(0.03, FAILED),
    ]
    pairs = [
        (name, *(f"{a} ({b})" for a, b in zip(row, REPORTED[name], strict=True)))
        for name, row in zip(REPORTED, rows, strict=True)
    ]
    at_limit = [("passes", *seen(LIMIT, PASSED)), ("fails", *seen(LIMIT, FAILED))]
    head = ("share of runs", *(f"{w} {n:,}" for w in WORLDS for n in SIZES))
    promises = [
        promise
        for w in WORLDS
        for n in SIZES
        for promise in (
            Promise(f"{w} {n:,}: a perfect model fails", count(w, n, 0.0, FAILED), runs, at_most=0.05),
            Promise(f"{w} {n:,}: true error at the limit passes", count(w, n, LIMIT, PASSED), runs, at_most=0.05),
            Promise(f"{w} {n:,}: true error at the limit fails", count(w, n, LIMIT, FAILED), runs, at_most=0.05),
            Promise(f"{w} {n:,}: true error .03 passes", count(w, n, 0.03, PASSED), runs, at_most=0.001),
        )
    ]
    promises += [
        Promise("bal 10,000: a perfect model passes", count("bal", 10_000, 0.0, PASSED), runs, at_least=0.855),
        Promise("rare 2,000: a perfect model passes", count("rare", 2_000, 0.0, PASSED), runs, at_least=0.4),
        Promise("rare 10,000: a perfect model passes", count("rare", 10_000, 0.0, PASSED), runs, at_least=0.999),
        Promise("rare 10,000: true error .03 fails", count("rare", 10_000, 0.03, FAILED), runs, at_least=0.714),
    ]
    plot, (left, right) = canvas(2, title="A plain limit on the calibration error fails perfect models; bounds do not")
    for world, style in (("bal", 0), ("rare", 1)):
        line(left, SIZES, [1 - count(world, n, 0.0, NAIVE) / runs for n in SIZES], f"plain limit, {world}", style)
        line(left, SIZES, [count(world, n, 0.0, FAILED) / runs for n in SIZES], f"bounds, {world}", style + 2)
        line(
            right, SIZES, [count(world, n, LIMIT, PASSED) / runs for n in SIZES], f"at the limit passes, {world}", style
        )
        line(
            right,
            SIZES,
            [count(world, n, LIMIT, FAILED) / runs for n in SIZES],
            f"at the limit fails, {world}",
            style + 2,
        )
    promised(right, 0.05)
    right.set(title="True error exactly .02, by bounds", ylim=(-0.002, 0.08))
    left.set(title="A perfectly calibrated model fails", ylim=(-0.03, 1.03))
    for axis in (left, right):
        axis.set(xscale="log", xlabel="rows in the holdout", ylabel="share of runs")
        axis.set_xticks(SIZES, [f"{n:,}" for n in SIZES])
        axis.minorticks_off()
        axis.legend(fontsize=8, frameon=False)
    return Page(
        name="calibration-error",
        title="A plain limit on the calibration error fails perfect models, and bounds do not",
        shows="Left, how often a perfectly calibrated model fails a limit of .02; right, how often a model whose true "
        "error is exactly .02 is judged at all, which is promised to happen in at most one run of twenty each way.",
        world="`bal`: logits N(0, 1.5); `rare`: logits N(-3.2, 1.2), a base rate of 7 %. The score is the true rate, its "
        "logits stretched around their mean until the mean distance to the truth is the error named.",
        plot=plot,
        alt="Two line plots over 500, 2,000 and 10,000 rows. Left: by the plain limit nearly every perfect model fails at "
        "500 balanced rows, by bounds none at any size. Right: a model exactly at the limit passes and fails below .05.",
        tables=[
            Table("Share of runs, and in brackets what statistics.md reports", head, pairs),
            Table("True error exactly .02, this rule", head, at_limit),
        ],
        promises=promises,
        notes=(NOTE,),
    )
