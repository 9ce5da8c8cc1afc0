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


ALIKE = (30, 100, 1_000, 10_000)
SURE = 1 - 1e-9


def ratio_of(loss: Any, region: float, said: float) -> float:
    """The true ratio of a candidate that says `said` in a region of this share, and like the champion elsewhere .1, the rate."""
    of = {y: loss(np.array([y, y]), np.array([said, 0.1]))[0] for y in (0.0, 1.0)}
    own, rival = 0.1 * of[1.0] + 0.9 * of[0.0]
    return float(1 + region * (own / rival - 1))


def alike(rng: np.random.Generator, n: int) -> tuple[bool, ...]:
    """Equal but for a region of which one row is expected: is the true ratio, or more, proven not to be so?

    The candidate says .9 there, as sure of itself as on all other rows of the contrary, or 1 - 1e-9.
    """
    y, inside, answers = outcomes(rng, np.full(n, 0.1)), rng.random(n) < 1 / n, []
    for loss in (log_loss, brier):
        for said in (0.9, SURE):
            p = np.where(inside, said, 0.1)
            found = loss_ratio(losses(y, p, np.full(n, 0.1), loss), minimum_clusters=8)
            answers.append(_excludes(found, ratio_of(loss, 1 / n, said))[1])
    return tuple(answers)


REGIONS = (
    "log loss, .9 in the region",
    "log loss, 1 - 1e-9 in the region (not promised)",
    "Brier, .9 in the region",
    "Brier, 1 - 1e-9 in the region",
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
    unlike = runner.simulate(alike, [(n,) for n in ALIKE], full)
    promises += [
        Promise(
            f"equal but for a rare region, {n:,} rows: {REGIONS[i]}", int(unlike[n,][:, i].sum()), runs, at_most=0.05
        )
        for n in ALIKE
        for i in (0, 2, 3)
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
        "scores; two models are equal where noise of the same law is added to the same logits. `equal but for a rare region`: "
        "every rate is .1, and so say both models, but for a region of which one row is expected, where the candidate says .9, "
        "or 1 - 1e-9; in more than a third of runs no row is of it. What a row nobody saw can cost has a bound by Brier, 1. By "
        "log loss it has none that leaves anything to prove: the bound supposes a turned label's cost on the rows seen, and "
        "what a model loses where it is much surer of itself than on any of them cannot be promised.",
        plot=plot,
        alt="Line plot over slices of 1, 10, 30 and 100 rows: the shares of false proofs of calibration error, bin, AUC "
        "difference and loss ratios all stay under the line at .05.",
        tables=[
            Table("Share of runs with a false proof, in the worst of the worlds", ("", *map(str, SIZES)), rows),
            Table(
                "Equal but for a rare region: share of runs in which a smaller ratio than the true one is proven",
                ("", *(f"{n:,}" for n in ALIKE)),
                [(name, *(share(float(unlike[n,][:, i].mean())) for n in ALIKE)) for i, name in enumerate(REGIONS)],
            ),
        ],
        promises=promises,
    )
