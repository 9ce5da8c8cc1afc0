"""Section 1, regression: the whole curve of shares within two points of its levels."""

from __future__ import annotations

import numpy as np

from gates.measure.stats.conformal import Curve, curve_gap
from gates.measure.stats.figure import Figure
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.rules import passes
from study.runner import Runner

LIMIT = 0.02
LEVELS = tuple(round(0.1 * k, 1) for k in range(1, 10))
SIZES = (4_612, 10_000, 13_000, 20_000)
SHAPES = {"perfect": 0, "one level off by .02": 1, "every level off by .02": 9}


def one(rng: np.random.Generator, n: int, shape: str) -> tuple[bool, ...]:
    """Shares at nine levels, of which the middle one or all are truly off; also by the band alone (DKW)."""
    truth = np.array(LEVELS)
    off = SHAPES[shape]
    truth[slice(4, 5) if off == 1 else slice(0, off)] += LIMIT
    counts = np.cumsum(rng.multinomial(n, np.diff(np.r_[0.0, truth, 1.0])))[:-1].astype(float)
    found = curve_gap(Curve(LEVELS, [np.array([k]) for k in counts], np.array([float(n)]), None, n), minimum_clusters=8)
    assert isinstance(found, Figure)
    band = float(np.sqrt(np.log(2 / 0.05) / (2 * n)))
    return passes(found, LIMIT), found.estimate + band <= LIMIT, bool(found.lower[0] > (LIMIT if off else 0.0))


def study(runner: Runner) -> Page:
    full = 3_000
    found = runner.simulate(one, [(n, shape) for shape in SHAPES for n in SIZES], full)
    runs = runner.runs(full)
    promises = []
    for (n, shape), v in found.items():
        if shape != "perfect":
            promises.append(Promise(f"{n:,} rows, {shape}: proven within .02", int(v[:, 0].sum()), runs, at_most=0.05))
        promises.append(Promise(f"{n:,} rows, {shape}: proven farther off", int(v[:, 2].sum()), runs, at_most=0.05))
    promises.append(
        Promise("20,000 rows: a perfect model passes", int(found[20_000, "perfect"][:, 0].sum()), runs, at_least=0.99)
    )
    rows = [
        (
            f"{n:,}",
            *(share(float(v)) for v in found[n, "perfect"][:, :2].mean(axis=0)),
            *(share(float(found[n, s][:, 0].mean())) for s in list(SHAPES)[1:]),
        )
        for n in SIZES
    ]
    plot, (axis,) = canvas(title="A curve within two points: exact limits need fewer rows than the band")
    line(axis, SIZES, [float(found[n, "perfect"][:, 0].mean()) for n in SIZES], "perfect: exact limits (shipped)", 0)
    line(axis, SIZES, [float(found[n, "perfect"][:, 1].mean()) for n in SIZES], "perfect: band of DKW", 1)
    line(
        axis,
        SIZES,
        [float(found[n, "one level off by .02"][:, 0].mean()) for n in SIZES],
        "one level at the limit: exact limits",
        2,
    )
    promised(axis, 0.05)
    axis.set(xlabel="rows in the holdout", ylabel="share of runs that pass .02", ylim=(-0.03, 1.03))
    axis.set_xticks(SIZES, [f"{n:,}" for n in SIZES], fontsize=8)
    axis.legend(fontsize=8, frameon=False, loc="center right")
    return Page(
        name="curve",
        title="A whole curve within two points of its levels is proven from 10,000 rows",
        shows="The share of runs in which all nine levels are proven to lie within .02: a perfect model passes from 10,000 rows "
        "by the limits that are shipped, from 20,000 by the band of Dvoretzky, Kiefer and Wolfowitz, and a model with one level "
        "at the limit hardly ever.",
        world="shares of rows under nine quantiles, .1 to .9, as one multinomial draw; the middle level, or all, truly off.",
        plot=plot,
        alt="Line plot over 4,612 to 20,000 rows: perfect models pass in most runs from 10,000 rows by exact limits, later by the "
        "band; a model with one level off by .02 stays under the line at .05.",
        tables=[
            Table(
                "Share of runs that pass .02",
                ("rows", "perfect: shipped", "perfect: band", "one level off by .02", "every level off by .02"),
                rows,
            )
        ],
        promises=promises,
    )
