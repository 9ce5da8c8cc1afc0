"""Section 7, slow erosion: ten releases, each a little worse than the one before, and an anchor that stops them."""

from __future__ import annotations

import numpy as np
from oracles.worlds import Floats, logistic, logits, outcomes

from gates.measure.stats.auc import Placements, auc_difference
from gates.measure.stats.figure import Figure
from study.page import Page, Table, canvas, line
from study.promises import Promise, share
from study.rules import passes
from study.runner import Runner
from study.truths import spread_of

RELEASES = 10
STEP = 0.002
MARGIN = 0.005
ROWS = 50_000


def _shortfall(y: Floats, candidate: Placements, other: Placements) -> Figure:
    found = auc_difference(candidate, other, minimum_clusters=8)
    assert isinstance(found, Figure)
    return found.mirrored()


def one(rng: np.random.Generator, rows: int = ROWS) -> tuple[float, ...]:
    """Each release has a holdout of its own. Returns, by release, whether the step passes on its own, the steps lost by
    what serves without an anchor, and with one.
    """
    lone, without, anchored = [], [], []
    served = kept = 0
    for release in range(1, RELEASES + 1):
        x = logits(rng, "bal", rows)
        y = outcomes(rng, logistic(x))

        def placed(steps: int, x: Floats = x, y: Floats = y) -> Placements:
            found = Placements.of(y, x + spread_of(STEP * steps) * rng.normal(size=x.size))
            assert isinstance(found, Placements)
            return found

        # Trained anew after what serves, so that each candidate is one step worse than that.
        before = {steps: placed(steps) for steps in {0, release - 1, served, kept}}
        lone.append(passes(_shortfall(y, placed(release), before[release - 1]), MARGIN))
        if passes(_shortfall(y, placed(served + 1), before[served]), MARGIN):
            served += 1
        candidate = placed(kept + 1)
        if passes(_shortfall(y, candidate, before[kept]), MARGIN) and passes(
            _shortfall(y, candidate, before[0]), 2 * MARGIN
        ):
            kept += 1
        without.append(served)
        anchored.append(kept)
    return (*lone, *without, *anchored)


def study(runner: Runner) -> Page:
    full = 150
    # Small runs have fewer rows too, with which a loss is let through less often.
    cell = () if runner.scale >= 1 else (5_000,)
    found = runner.simulate(one, [cell], full)[cell]
    runs = runner.runs(full)
    lone, without, anchored = (found[:, i * RELEASES : (i + 1) * RELEASES] for i in range(3))
    allowed = round(2 * MARGIN / STEP)
    promises = [
        Promise(
            "with an anchor more than two margins are lost after ten releases",
            int((anchored[:, -1] > allowed).sum()),
            runs,
            at_most=0.05,
        ),
    ]
    if not cell:
        promises.insert(
            0,
            Promise(
                "without an anchor more than two margins are lost after ten releases",
                int((without[:, -1] > allowed).sum()),
                runs,
                at_least=0.5,
            ),
        )
    releases = range(1, RELEASES + 1)
    rows = [
        (
            str(k),
            share(float(lone[:, k - 1].mean())),
            f"{STEP * without[:, k - 1].mean():.4f}",
            f"{STEP * anchored[:, k - 1].mean():.4f}",
            share(float((anchored[:, k - 1] > allowed).mean())),
        )
        for k in releases
    ]
    plot, (axis,) = canvas(title="Ten small losses in a row: the anchor stops them")
    line(axis, releases, [float(STEP * without[:, k - 1].mean()) for k in releases], "champion only", 0)
    line(axis, releases, [float(STEP * anchored[:, k - 1].mean()) for k in releases], "champion and anchor", 1)
    axis.axhline(2 * MARGIN, color="0.5", linewidth=0.8, linestyle=(0, (6, 3)))
    axis.annotate(
        "two margins: .01", (1, 2 * MARGIN), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8
    )
    axis.set(xlabel="release", ylabel="AUC truly lost since the first\n(mean of runs)", ylim=(0, None))
    axis.set_xticks(list(releases))
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="erosion",
        title="Ten small losses in a row pass the champion's margin, and the anchor stops them",
        shows="Each candidate is truly .002 of AUC worse than what serves, well within the margin of .005: compared with the "
        "champion only, the loss goes on; compared with the first release as well, within two margins, it ends.",
        world=f"`bal` with noise on the logit, {ROWS:,} fresh rows for each of {RELEASES} releases; a candidate that does not "
        "pass is tried again as another of the same worth.",
        plot=plot,
        alt="Line plot over ten releases: with the champion only, the mean loss of AUC rises in a straight line beyond .01; "
        "with the anchor it levels off below .01.",
        tables=[
            Table(
                "AUC lost",
                (
                    "release",
                    "a step of .002 passes the champion's margin",
                    "champion only",
                    "with anchor",
                    "with anchor: over two margins",
                ),
                rows,
            )
        ],
        promises=promises,
    )
