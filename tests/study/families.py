"""Section 0: many slices looked at, some of them bad by chance: Bonferroni on the ladder."""

from __future__ import annotations

from functools import cache

import numpy as np

from gates.measure.stats.figure import Figure, Floats
from gates.measure.stats.proportions import coverage
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.rules import LARGEST_FAMILY, rung
from study.runner import Runner

SLICES = (1, 5, 20, 100)
NOMINAL = 0.9


@cache
def lower_bounds(n: int) -> Floats:
    """Lower bounds of nominal less coverage, shape (n + 1 counts, 9 rungs)."""
    found = []
    for k in range(n + 1):
        figure = coverage(np.array([float(k)]), np.array([float(n)]), None, minimum_clusters=8)
        assert isinstance(figure, Figure)
        found.append(figure.shifted(-NOMINAL).mirrored().lower)
    return np.array(found)


def one(rng: np.random.Generator, slices: int, n: int) -> tuple[bool, bool]:
    """Coverage is nominal in each slice: does any seem to under-cover at .95, and at the rung of the family?"""
    lower = lower_bounds(n)[rng.binomial(n, NOMINAL, slices)]
    # Both sides of each slice are claims, as in the gate.
    return bool((lower[:, 0] > 0).any()), bool((lower[:, rung(LARGEST_FAMILY, 2 * slices)] > 0).any())


def study(runner: Runner) -> Page:
    full = 4_000
    found = runner.simulate(one, [(k, n) for n in (100, 500) for k in SLICES], full)
    runs = runner.runs(full)
    rows = [
        (f"{k} of {n:,} rows", *(share(float(v)) for v in answers.mean(axis=0))) for (k, n), answers in found.items()
    ]
    promises = [
        Promise(f"{k} slices of {n:,} rows, all nominal: some slice fails", int(v[:, 1].sum()), runs, at_most=0.05)
        for (k, n), v in found.items()
    ]
    plot, (axis,) = canvas(title="Twenty slices, one bad by chance: the ladder corrects")
    for style, (column, word) in enumerate(((0, "each slice at .95"), (1, "at the rung of the family"))):
        line(axis, range(len(SLICES)), [float(found[k, 500][:, column].mean()) for k in SLICES], word, style)
    promised(axis, 0.05)
    axis.set(xlabel="slices of 500 rows", ylabel="share of runs in which some slice fails", ylim=(-0.03, 1.03))
    axis.set_xticks(range(len(SLICES)), [str(k) for k in SLICES])
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="families",
        title="Of a hundred good slices some look bad, and the ladder lets none fail for it",
        shows="All slices cover exactly what they promise. Judged one by one at .95, some slice fails in most runs; judged "
        "at the rung for the number of claims, in less than one run of twenty.",
        world="coverage of exactly .90 in every slice; a slice fails where its under-coverage is proven.",
        plot=plot,
        alt="Line plot over 1 to 100 slices: the share of runs in which some slice fails rises towards 1 without the "
        "correction and stays under .05 with it.",
        tables=[Table("Some slice fails, share of runs", ("slices", "each at .95", "at the family's rung"), rows)],
        promises=promises,
    )
