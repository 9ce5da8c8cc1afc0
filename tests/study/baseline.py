"""Section 1: what passes a limit on calibration and must not pass the gate: a constant, and bins fitted on the holdout."""

from __future__ import annotations

import numpy as np
from oracles.worlds import brier, cells_of, logistic, logits, losses, outcomes

from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import loss_ratio
from study.page import Page, Table, canvas
from study.promises import Promise, share
from study.rules import passes
from study.runner import Runner

LIMIT = 0.02
ROWS = 10_000


def base_rate(world: str) -> float:
    """The expected rate, by Gauss-Hermite quadrature."""
    node, weight = np.polynomial.hermite_e.hermegauss(41)
    mean, deviation = {"bal": (0.0, 1.5), "rare": (-3.2, 1.2)}[world]
    return float(logistic(mean + deviation * node) @ weight / weight.sum())


def one(rng: np.random.Generator, world: str) -> tuple[bool, ...]:
    """A constant at the base rate, and the true rates: calibration error, and Brier beside the holdout's base rate."""
    rate = logistic(logits(rng, world, ROWS))
    y = outcomes(rng, rate)
    answers = []
    for p in (np.full(ROWS, base_rate(world)), rate):
        error = ece(cells_of(p, y), minimum_clusters=8)
        skill = loss_ratio(losses(y, p, np.full(ROWS, y.mean()), brier), minimum_clusters=8)
        assert isinstance(error, Figure)
        assert isinstance(skill, Figure)
        answers += [passes(error, LIMIT), bool(skill.upper[0] < 1)]
    return tuple(answers)


def study(runner: Runner) -> Page:
    full = 1_000
    found = runner.simulate(one, [("bal",), ("rare",)], full)
    runs = runner.runs(full)
    promises = []
    for (world,), v in found.items():
        promises += [
            Promise(f"{world}: a constant proves skill", int(v[:, 1].sum()), runs, at_most=0.05),
            Promise(f"{world}: a perfect model proves skill", int(v[:, 3].sum()), runs, at_least=0.99),
        ]
    rates = {world: v.mean(axis=0) for (world,), v in found.items()}
    rows = [
        (f"{model}, {world}", share(float(rate[first])), share(float(rate[first + 1])))
        for world, rate in rates.items()
        for first, model in ((0, "constant at the base rate"), (2, "true rates"))
    ]
    plot, (axis,) = canvas(title="A constant is well calibrated, and has no skill")
    at = np.arange(4)
    bars = [
        (row[0].replace(", ", ",\n"), found_rate)
        for row, found_rate in zip(rows, [rates[w][f : f + 2] for w in rates for f in (0, 2)], strict=True)
    ]
    axis.bar(
        at - 0.2,
        [float(v[0]) for _, v in bars],
        0.38,
        color="0.75",
        hatch="//",
        edgecolor="0.3",
        label="passes calibration error .02",
    )
    axis.bar(
        at + 0.2, [float(v[1]) for _, v in bars], 0.38, color="0.25", label="proves skill: Brier below the base rate's"
    )
    axis.set_xticks(at, [name for name, _ in bars], fontsize=8)
    axis.set(ylabel="share of runs", ylim=(0, 1.25))
    axis.legend(fontsize=8, frameon=False, loc="upper left")
    return Page(
        name="baseline",
        title="A constant at the base rate passes calibration, so that skill must be proven beside it",
        shows="A model that always says the base rate passes the limit on calibration error in most runs; the claim that its "
        "Brier score is below the base rate's is what it can never prove.",
        world=f"`bal` and `rare` as in [calibration error](calibration-error.md), {ROWS:,} rows; the constant is the world's "
        "expected rate, the baseline the holdout's own.",
        plot=plot,
        alt="Bars for a constant and for true rates in both worlds: both pass the calibration error, only the true rates prove "
        "skill.",
        tables=[Table("Share of runs", ("model", "passes calibration error .02", "proves skill"), rows)],
        promises=promises,
    )
