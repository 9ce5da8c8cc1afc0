"""Fairness: the largest difference between the rates of groups, of which some are small."""

from __future__ import annotations

import numpy as np

from gates.measure.stats.figure import Figure
from gates.measure.stats.groups import Group, disparities
from study.page import Page, Table, canvas, promised
from study.promises import Promise, share
from study.rules import LARGEST_FAMILY, rung
from study.runner import Runner

LIMIT = 0.1
SIZES = {"even": (1_000,) * 4, "one small": (5_000, 1_000, 300, 60), "many": (400,) * 12}
RATES = (0.02, 0.3)


def one(rng: np.random.Generator, kind: str, rate: float, apart: float) -> tuple[bool, ...]:
    """All groups have one rate but the last, which is `apart` higher: judged plainly, passed, and failed."""
    rows = SIZES[kind]
    truth = np.full(len(rows), rate)
    truth[-1] += apart
    hits = rng.binomial(rows, truth)
    pairs = zip(hits.tolist(), rows, strict=True)
    some = [
        Group(np.array([float(k)]), np.array([float(n)]), np.array([float(k)]), np.array([float(n)]), n)
        for k, n in pairs
    ]
    found = [each.difference for each in disparities(some, minimum_clusters=8) if each is not None]
    figures = [figure for figure in found if isinstance(figure, Figure)]
    shares = hits / np.array(rows)
    # Each group's figure is a claim with two sides, and so is counted in the family.
    at = rung(LARGEST_FAMILY, 2 * len(figures))
    passed = all(bool(figure.upper[0] <= LIMIT) for figure in figures)
    beyond = LIMIT if apart else 0.0
    return bool(np.ptp(shares) > LIMIT), passed, any(bool(figure.lower[at] > beyond) for figure in figures)


def study(runner: Runner) -> Page:
    full = 500
    found = runner.simulate(
        one, [(kind, rate, apart) for kind in SIZES for rate in RATES for apart in (0.0, LIMIT)], full
    )
    runs = runner.runs(full)
    promises = []
    for (kind, rate, apart), v in found.items():
        where = f"{kind}, rates of {rate:g}"
        if apart:
            promises.append(
                Promise(f"{where}: a difference of .1 is proven smaller", int(v[:, 1].sum()), runs, at_most=0.05)
            )
            promises.append(
                Promise(f"{where}: a difference of .1 is proven larger", int(v[:, 2].sum()), runs, at_most=0.05)
            )
        else:
            promises.append(
                Promise(f"{where}: equal groups are proven to differ", int(v[:, 2].sum()), runs, at_most=0.05)
            )
    rows = [
        (
            f"{kind}, {rate:g}",
            share(float(found[kind, rate, 0.0][:, 0].mean())),
            *(share(float(found[kind, rate, 0.0][:, c].mean())) for c in (1, 2)),
            *(share(float(found[kind, rate, LIMIT][:, c].mean())) for c in (1, 2)),
        )
        for kind in SIZES
        for rate in RATES
    ]
    plot, (axis,) = canvas(title="Groups that are equal look unequal where one is small")
    at = np.arange(len(rows))
    naive = [float(found[kind, rate, 0.0][:, 0].mean()) for kind in SIZES for rate in RATES]
    ours = [float(found[kind, rate, 0.0][:, 2].mean()) for kind in SIZES for rate in RATES]
    axis.bar(at - 0.2, naive, 0.38, color="0.35", label="plain rule: difference seen over .1")
    axis.bar(at + 0.2, ours, 0.38, color="0.8", hatch="//", edgecolor="0.3", label="proven to differ at all")
    promised(axis, 0.05)
    axis.set_xticks(at, [row[0].replace(", ", ",\n") for row in rows])
    axis.set(xlabel="sizes of the groups, and their rate", ylabel="share of runs, groups truly equal", ylim=(0, 0.6))
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="groups",
        title="Equal groups look unequal where one is small, and the bounds say that they do not know",
        shows="All groups have the same rate: the plain rule sees a difference over .1 in many runs as soon as one group is small; "
        "that they differ is proven in less than one run of twenty.",
        world="binomial counts; `even`: four groups of 1,000 rows; `one small`: 5,000, 1,000, 300 and 60 rows; `many`: twelve of "
        "400. Of a bad model the last group's rate lies higher by exactly the limit of .1.",
        plot=plot,
        alt="Bars for three sets of groups at rates .02 and .3: the plain rule sees more than .1 in up to half of the runs with a "
        "small group; proofs of a difference stay under the line at .05.",
        tables=[
            Table(
                "Share of runs",
                (
                    "groups, rate",
                    "equal: plain rule fails",
                    "equal: proven within .1",
                    "equal: proven to differ",
                    "at .1: proven smaller",
                    "at .1: proven larger",
                ),
                rows,
            )
        ],
        promises=promises,
    )
