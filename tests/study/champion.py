"""Section 3: candidate and champion on the same rows: "not below" beside a margin."""

from __future__ import annotations

import numpy as np
from oracles.worlds import brier, log_loss, logistic, logits, losses, outcomes

from gates.measure.stats.auc import Placements, auc_difference
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import loss_ratio
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.rules import fails, passes
from study.runner import Runner
from study.truths import CHAMPION, spread_of, spread_of_ratio, worth

SIZES = (3_000, 10_000, 50_000)
MARGINS = (0.005, 0.01, 0.02)
RATIO = 1.02
SLICES = 3


def _scores(rng: np.random.Generator, n: int, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = logits(rng, "bal", n)
    return outcomes(rng, logistic(x)), x + spread * rng.normal(size=n), x + CHAMPION * rng.normal(size=n)


def area(rng: np.random.Generator, n: int, loss: float) -> tuple[bool, ...]:
    """A candidate whose area is truly smaller by `loss`: pass and fail by each margin."""
    y, candidate, champion = _scores(rng, n, spread_of(loss))
    found = auc_difference(Placements.of(y, candidate), Placements.of(y, champion), minimum_clusters=8)
    assert isinstance(found, Figure)
    short = found.mirrored()
    return tuple(answer for m in MARGINS for answer in (passes(short, m), fails(short, m)))


def ratios(rng: np.random.Generator, n: int, ratio: float) -> tuple[bool, ...]:
    """A candidate whose log loss is truly `ratio` times the champion's: pass and fail at 1.02."""
    y, candidate, champion = _scores(rng, n, spread_of_ratio(ratio))
    found = loss_ratio(losses(y, logistic(candidate), logistic(champion), log_loss), minimum_clusters=8)
    assert isinstance(found, Figure)
    return passes(found, RATIO), fails(found, RATIO)


def equal(rng: np.random.Generator, n: int) -> tuple[bool, ...]:
    """Equal models, several metrics and slices: is any point lower, and is any proven beyond its margin?"""
    y, candidate, champion = _scores(rng, n, CHAMPION)
    part = rng.integers(0, SLICES, n)
    below, proven = [], []
    for mask in (np.ones(n, dtype=bool), *(part == s for s in range(SLICES))):
        own = y[mask], candidate[mask], champion[mask]
        short = auc_difference(Placements.of(own[0], own[1]), Placements.of(own[0], own[2]), minimum_clusters=8)
        assert isinstance(short, Figure)
        p, q = logistic(own[1]), logistic(own[2])
        found = [loss_ratio(losses(own[0], p, q, loss), minimum_clusters=8) for loss in (log_loss, brier)]
        below += [short.estimate < 0, *(isinstance(f, Figure) and f.estimate > 1 for f in found)]
        # Margins of nothing: what fails here fails without any margin.
        proven += [short.mirrored(), *(f.shifted(-1) for f in found if isinstance(f, Figure))]
    family = len(proven)
    return (
        bool(below[0]),
        any(below[:3]),
        any(below),
        any(fails(f, 0.0, family=3) for f in proven[:3]),
        any(fails(f, 0.0, family=family) for f in proven),
    )


def study(runner: Runner) -> Page:
    full, sizes = 600, SIZES if runner.scale >= 1 else SIZES[:1]
    areas = runner.simulate(area, [(n, loss) for n in sizes for loss in (0.0, *MARGINS)] + [(10_000, 0.028)], full)
    means = runner.simulate(ratios, [(n, ratio) for n in sizes for ratio in (1.0, RATIO, 1.05)], full)
    same = runner.simulate(equal, [(3_000,)], 1_000)[3_000,]
    runs = runner.runs(full)

    def count(n: int, loss: float, margin: float, answer: int) -> int:
        return int(areas[n, loss][:, 2 * MARGINS.index(margin) + answer].sum())

    promises = []
    for n in sizes:
        for m in MARGINS:
            at = f"{n:,} rows: AUC truly smaller by the margin of {m:g}"
            promises.append(Promise(f"{at} passes", count(n, m, m, 0), runs, at_most=0.05))
            promises.append(Promise(f"{at} fails", count(n, m, m, 1), runs, at_most=0.05))
            what = f"{n:,} rows: of equal models, AUC fails a margin of {m:g}"
            promises.append(Promise(what, count(n, 0.0, m, 1), runs, at_most=0.05))
        for column, word in enumerate(("passes", "fails")):
            what = f"{n:,} rows: log loss truly 1.02 times the champion's {word}"
            promises.append(Promise(what, int(means[n, RATIO][:, column].sum()), runs, at_most=0.05))
    promises += [
        Promise(
            "3,000 rows: of equal models, one of 3 metrics is proven worse",
            int(same[:, 3].sum()),
            len(same),
            at_most=0.05,
        ),
        Promise(
            "3,000 rows: of equal models, one of 12 is proven worse", int(same[:, 4].sum()), len(same), at_most=0.05
        ),
        Promise("3,000 rows: equal models pass a margin of .01", count(3_000, 0.0, 0.01, 0), runs, at_least=0.53),
        Promise("3,000 rows: equal models pass a margin of .02", count(3_000, 0.0, 0.02, 0), runs, at_least=0.96),
        *(
            Promise(f"{n:,} rows: equal models pass a margin of .005", count(n, 0.0, 0.005, 0), runs, at_least=0.97)
            for n in sizes[2:]
        ),
        Promise(
            "10,000 rows: AUC truly smaller by .028 fails a margin of .005",
            count(10_000, 0.028, 0.005, 1),
            runs,
            at_least=0.99,
        ),
    ]
    naive = [float(v) for v in same[:, :3].mean(axis=0)]
    rule = [float(v) for v in same[:, 3:].mean(axis=0)]
    tables = [
        Table(
            'Equal models on 3,000 rows: share of runs in which "not below the champion" fails, and in which some figure is '
            "proven worse",
            ("figures", "plain rule", "proven worse"),
            [
                ("1 metric", share(naive[0]), ""),
                ("3 metrics", share(naive[1]), share(rule[0])),
                (f"3 metrics, whole and {SLICES} slices", share(naive[2]), share(rule[1])),
            ],
        ),
        Table(
            "AUC with a margin: share of runs that pass",
            ("rows", *(f"equal, margin {m:g}" for m in MARGINS), *(f"smaller by the margin {m:g}" for m in MARGINS)),
            [
                (
                    f"{n:,}",
                    *(share(count(n, 0.0, m, 0) / runs) for m in MARGINS),
                    *(share(count(n, m, m, 0) / runs) for m in MARGINS),
                )
                for n in sizes
            ],
        ),
        Table(
            "Log loss with a limit of 1.02 times the champion's: share of runs that pass, and fail",
            ("rows", "equal", "at the limit", "1.05 times"),
            [
                (f"{n:,}", *(", ".join(share(float(v)) for v in means[n, r].mean(axis=0)) for r in (1.0, RATIO, 1.05)))
                for n in sizes
            ],
        ),
    ]
    plot, (left, right) = canvas(2, title='"Not below the champion" fails an equal model every second time')
    at = np.arange(3)
    left.bar(at - 0.2, naive, 0.38, color="0.35", label='plain rule: "not below"')
    left.bar(at + 0.2, [0.0, *rule], 0.38, color="0.8", hatch="//", edgecolor="0.3", label="proven worse")
    left.set_xticks(at, ["1 metric", "3 metrics", f"3 metrics,\nwhole + {SLICES} slices"])
    left.set(title="Equal models, 3,000 rows", ylabel="share of runs that fail", ylim=(0, 1.03))
    for style, m in enumerate(MARGINS):
        line(right, sizes, [count(n, 0.0, m, 0) / runs for n in sizes], f"equal, margin {m:g}", style)
    line(right, sizes, [count(n, 0.01, 0.01, 0) / runs for n in sizes], "smaller by the margin .01", 3)
    promised(right, 0.05)
    right.set(
        title="AUC, non-inferiority by a margin",
        xscale="log",
        xlabel="rows in the holdout",
        ylabel="share of runs that pass",
        ylim=(-0.03, 1.03),
    )
    right.set_xticks(sizes, [f"{n:,}" for n in sizes])
    right.minorticks_off()
    for axis in (left, right):
        axis.legend(fontsize=8, frameon=False)
    area_of_champion = worth(CHAMPION)[0]
    return Page(
        name="champion",
        title='"Not below the champion" fails an equal model every second time, and a margin does not',
        shows="Left, the plain rule fails an equal model in half of the runs and nearly always with many figures; right, with "
        "a margin equal models pass once there are rows enough, and a model worse by the margin does so in at most one run of "
        "twenty.",
        world=f"`bal`; each model sees the logit with normal noise of its own. The champion's area is {area_of_champion:.3f}; "
        "how much worse a candidate is, is set by its noise, by integration.",
        plot=plot,
        alt="Left, bars: the plain rule fails equal models in about .5 of runs with one metric and more with 3 and 12 "
        "figures, proof of worse in under .05. Right, lines over 3,000 to 50,000 rows: equal models pass ever more often, a "
        "model worse by the margin stays under .05.",
        tables=tables,
        promises=promises,
    )
