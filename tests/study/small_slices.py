"""Slices of 1 to 100 rows, without events, at a base rate of .001, and with ties: nothing may be proven by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from oracles.worlds import Floats, brier, cells_of, log_loss, logistic, logits, losses, outcomes

from gates.measure.stats.auc import Placements, auc_difference
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import loss_ratio
from gates.measure.stats.proportions import bin_gap
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.runner import Runner

SIZES = (1, 10, 30, 100)
KINDS = {
    "bal": "logits N(0, 1.5)",
    "rare": "logits N(-3.2, 1.2)",
    "a base rate of .001": "logits N(-7.2, 0.7)",
    "hardly an event": "every rate is .002",
    "ties": "as bal, the score rounded to .1 and the rate equal to it",
}
OFF = 0.022
"""How far the rates of a bad model lie above its scores: just over the limit of production."""


def rates(rng: np.random.Generator, kind: str, n: int) -> Floats:
    if kind in {"bal", "rare"}:
        return np.asarray(logistic(logits(rng, kind, n)))
    if kind == "ties":
        return np.round(logistic(logits(rng, "bal", n)), 1)
    return np.asarray(logistic(rng.normal(-7.2, 0.7, n))) if kind == "a base rate of .001" else np.full(n, 0.002)


def _excludes(found: Any, truth: float) -> tuple[bool, bool]:
    """Whether the lower, and the upper, bound at .95 proves what is not so; a reason proves nothing."""
    if not isinstance(found, Figure):
        return False, False
    return bool(found.lower[0] > truth), bool(found.upper[0] < truth)


def one(rng: np.random.Generator, kind: str, n: int) -> tuple[bool, ...]:
    p = rates(rng, kind, n)
    good, bad = outcomes(rng, p), outcomes(rng, np.minimum(1, p + OFF))
    passed = ece(cells_of(p, bad), minimum_clusters=8)
    failed = ece(cells_of(p, good), minimum_clusters=8)
    gap = bin_gap(cells_of(p, good), minimum_clusters=8)
    # Two scores of equal worth: noise of one law on the logit.
    logit = np.log(np.clip(p, 1e-4, 1 - 1e-4) / (1 - np.clip(p, 1e-4, 1 - 1e-4)))
    a, b = (np.round(logistic(logit + 0.4 * rng.normal(size=n)), 1 if kind == "ties" else 15) for _ in range(2))
    a, b = np.clip(a, 1e-6, 1 - 1e-6), np.clip(b, 1e-6, 1 - 1e-6)
    area = auc_difference(Placements.of(good, a), Placements.of(good, b), minimum_clusters=8)
    ratios = (loss_ratio(losses(good, a, b, loss), minimum_clusters=8) for loss in (log_loss, brier))
    return (
        _excludes(passed, OFF)[1],
        _excludes(failed, 0.0)[0],
        *_excludes(gap, 0.0),
        *_excludes(area, 0.0),
        *(side for ratio in ratios for side in _excludes(ratio, 1.0)),
    )


CLAIMS = (
    "calibration error .022 proven smaller",
    "calibration error 0 proven larger",
    "bin gap 0 proven positive",
    "bin gap 0 proven negative",
    "AUC of equal models proven better",
    "AUC of equal models proven worse",
    "log loss of equal models proven larger",
    "log loss of equal models proven smaller",
    "Brier of equal models proven larger",
    "Brier of equal models proven smaller",
)


def study(runner: Runner) -> Page:
    full = 2_000
    found = runner.simulate(one, [(kind, n) for kind in KINDS for n in SIZES], full)
    runs = runner.runs(full)
    promises = [
        Promise(f"{kind}, {n:,} rows: {claim}", int(answers[:, i].sum()), runs, at_most=0.05)
        for (kind, n), answers in found.items()
        for i, claim in enumerate(CLAIMS)
    ]
    rows = [
        (claim, *(share(float(max(found[kind, n][:, i].mean() for kind in KINDS))) for n in SIZES))
        for i, claim in enumerate(CLAIMS)
    ]
    plot, (axis,) = canvas(title="Small slices prove next to nothing by chance")
    groups = {"calibration error": (0, 1), "bin": (2, 3), "AUC difference": (4, 5), "loss ratios": (6, 7, 8, 9)}
    for style, (word, columns) in enumerate(groups.items()):
        worst = [max(float(found[kind, n][:, i].mean()) for kind in KINDS for i in columns) for n in SIZES]
        line(axis, range(len(SIZES)), worst, word, style)
    promised(axis, 0.05)
    axis.set(
        xlabel="rows in the slice",
        ylabel="share of runs with a false proof\n(worst world and side)",
        ylim=(-0.002, 0.08),
    )
    axis.set_xticks(range(len(SIZES)), [str(n) for n in SIZES])
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="small-slices",
        title="Slices of 1 to 100 rows, without events or full of ties, prove nothing by chance",
        shows="For each kind of figure the share of runs in which a bound at .95 proves what is not so, in the worst of "
        "five worlds: it stays under the promise of one in twenty from a single row on.",
        world="; ".join(f"`{kind}`: {words}" for kind, words in KINDS.items())
        + ". The bad model's rates lie .022 above its "
        "scores; two models are equal where noise of the same law is added to the same logits.",
        plot=plot,
        alt="Line plot over slices of 1, 10, 30 and 100 rows: the shares of false proofs of calibration error, bin, AUC "
        "difference and loss ratios all stay under the line at .05.",
        tables=[Table("Share of runs with a false proof, in the worst of the worlds", ("", *map(str, SIZES)), rows)],
        promises=promises,
    )
