"""What no row shows: regions of which one to eight rows are expected, where a candidate does its worst."""

from __future__ import annotations

import math

import numpy as np
from oracles.worlds import decided, outcomes

from gates.measure.regression.decisions import apart, worth_of
from gates.measure.regression.losses import CHAMPION
from gates.measure.stats.average_precision import Precision, average_precision_difference
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import mean_difference
from gates.records.plan import Outcomes
from study.heavy_rows import SEEN, WORLDS, heavy, perfect
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.runner import Runner

REGIONS = (1.0, 1.5, 2.9, 4.2, 8.3)
"""Rows of it expected in the holdout: none is seen in .37, .22, .06, .01 and .0002 of runs."""

DEAR = Outcomes(true_positive=-1, false_positive=20, false_negative=0, true_negative=0)
USUAL = Outcomes(true_positive=1, false_positive=2, false_negative=10, true_negative=0)
ROWS = 10_000
EVENTS = (30, 300)
EQUAL = (1_000, 3_000, 10_000, 30_000)
MARGIN, COST_MARGIN = 0.02, 0.003


def _difference(y: np.ndarray, candidate: np.ndarray, champion: np.ndarray, matrix: Outcomes) -> Figure:
    sums = worth_of(decided(y, candidate, champion), CHAMPION, matrix)
    found = mean_difference(sums, apart=apart(matrix), minimum_clusters=8)
    assert isinstance(found, Figure)
    return found


def dearer(rng: np.random.Generator, region: float) -> tuple[bool, ...]:
    """A candidate that saves a little less than its region costs: proven no dearer, proven cheaper than it is."""
    gain = 20 * region - 4
    truth = (20 * region - gain) / ROWS
    both, more, bad = (int(rng.poisson(of)) for of in (60, gain, region))
    y, candidate, champion = (np.zeros(ROWS, dtype=np.int64) for _ in range(3))
    y[: both + more] = candidate[: both + more] = champion[:both] = 1
    candidate[both + more : both + more + bad] = 1
    found = _difference(y, candidate, champion, DEAR)
    return bool(found.upper[0] <= 0), bool(found.upper[0] < truth)


def on_top(rng: np.random.Generator, region: float, events: int) -> tuple[bool, ...]:
    """A candidate like the champion, which ranks all events first, but that puts non-events of the region above them.

    Whether its loss is proven to be less than it is, and less than MARGIN where it is more.
    """
    rows = 10 * events
    y = outcomes(rng, np.full(rows, 0.1))
    champion = y + rng.random(rows) / 2
    inside = (rng.random(rows) < region / rows) & (y == 0)
    found = average_precision_difference(
        Precision.of(y, champion + 2 * inside), Precision.of(y, champion), minimum_clusters=8
    )
    if not isinstance(found, Figure):
        return False, False
    truth = -region / events * math.log1p(events / region)
    return bool(found.lower[0] > truth), bool(found.lower[0] >= -MARGIN > truth)


def equal(rng: np.random.Generator, n: int) -> tuple[bool, ...]:
    """Two models that say the same of all rows: proven equal in average precision within MARGIN, in cost within 3 per 1,000."""
    y = outcomes(rng, np.full(n, 0.1))
    score = rng.normal(size=n) + 2 * y
    place = Precision.of(y, score)
    precise = average_precision_difference(place, place, minimum_clusters=8)
    said = (score > 1.5).astype(np.int64)
    cost = _difference(y.astype(np.int64), said, said, USUAL)
    return isinstance(precise, Figure) and bool(precise.lower[0] >= -MARGIN), bool(cost.upper[0] <= COST_MARGIN)


def study(runner: Runner) -> Page:
    full = 2_000
    costs = runner.simulate(dearer, [(region,) for region in REGIONS], full)
    ranks = runner.simulate(on_top, [(region, events) for events in EVENTS for region in REGIONS], full)
    same = runner.simulate(equal, [(n,) for n in EQUAL], 200)
    runs = runner.runs(full)
    weighed = runner.simulate(heavy, WORLDS, 1_000)
    cost = runner.simulate(perfect, WORLDS, 200)

    def count(found: dict[tuple[object, ...], np.ndarray], cell: tuple[object, ...], answer: int) -> int:
        return int(found[cell][:, answer].sum())

    promises = []
    for region in REGIONS:
        at = f"{region:g} rows of the region expected"
        promises.append(Promise(f"{at}: dearer, proven no dearer", count(costs, (region,), 0), runs, at_most=0.05))
        promises.append(
            Promise(f"{at}: cost proven smaller than it is", count(costs, (region,), 1), runs, at_most=0.05)
        )
        for events in EVENTS:
            what = f"{at}, {events} events: loss of average precision proven smaller than it is"
            promises.append(Promise(what, count(ranks, (region, events), 0), runs, at_most=0.05))
    for n, part, weight in WORLDS:
        at = f"{n:,} rows, {part:g} of which weigh {weight}"
        promises += [
            Promise(f"{at}: {what}", count(weighed, (n, part, weight), i), runner.runs(1_000), at_most=0.05)
            for i, what in enumerate(SEEN)
        ]
    promises += [
        Promise(
            f"10,000 rows: equal decisions are proven to cost the same within {1_000 * COST_MARGIN:g} per 1,000",
            count(same, (10_000,), 1),
            runner.runs(200),
            at_least=0.99,
        ),
        Promise(
            f"30,000 rows, 3,000 of them events: equal rankings are proven equal within {MARGIN:g}",
            count(same, (30_000,), 0),
            runner.runs(200),
            at_least=0.99,
        ),
    ]
    kinds = {
        "cost, proven no dearer": [count(costs, (region,), 0) / runs for region in REGIONS],
        "cost, proven smaller than it is": [count(costs, (region,), 1) / runs for region in REGIONS],
        **{
            f"average precision, {events} events": [count(ranks, (region, events), 0) / runs for region in REGIONS]
            for events in EVENTS
        },
    }
    plot, (axis,) = canvas(title="What no row shows is allowed for")
    for style, (word, rates) in enumerate(kinds.items()):
        line(axis, range(len(REGIONS)), rates, word, style)
    promised(axis, 0.05)
    axis.set(
        xlabel="rows of the region expected in the holdout",
        ylabel="share of runs with a false proof",
        ylim=(-0.002, 0.08),
    )
    axis.set_xticks(range(len(REGIONS)), [f"{region:g}" for region in REGIONS])
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="unseen",
        title="A region that no row is of is not proven harmless, and equal models still are proven equal",
        shows="A candidate is worse only in a region of which one to eight rows are expected. In many runs none is seen; the "
        "share of runs in which the candidate is then proven no worse stays under the promise of one in twenty.",
        world="Cost: of 10,000 rows both models say yes to some 60 events; a yes to a non-event costs 20, to an event it saves "
        "1. The candidate finds more events, which saves 4 less than its region costs, where it says yes to non-events. With an "
        "allowance for turned labels alone it was proven no dearer in .23 to .34 of runs with 1 or 1.5 rows of it. Average precision: one row in ten is "
        "an event, and both models rank all events first, but for the region, whose non-events the candidate puts above them. "
        "With an allowance as of the area under the ROC curve, one in the number of events, the loss was proven smaller in .07 "
        "to .23 of runs. Weights: a few rows weigh 20 to 100 times the others, and theirs alone is the error: scores that are off, "
        "or a share of .5 in place of .93 that is covered or decided rightly, or half of their events placed far down, or a rate "
        "of .6 where .1 was said. What was never seen counts as heavy as the heaviest row. With Kish's number of the rows seen, "
        "such an ECE was proven less in .06 to .23 of runs, and coverage higher in up to .09.",
        plot=plot,
        alt="Line plot over 1 to 8.3 rows of the region expected: the shares of runs with a false proof of cost and of average "
        "precision all stay under the line at .05.",
        tables=[
            Table(
                "Share of runs with a false proof, by rows of the region expected",
                ("", *(f"{region:g}" for region in REGIONS)),
                [(word, *(share(rate) for rate in rates)) for word, rates in kinds.items()],
            ),
            Table(
                "Models that say the same of all rows, one in ten an event: share of runs in which they are proven equal",
                ("", *(f"{n:,} rows" for n in EQUAL)),
                [
                    (word, *(share(float(same[n,][:, i].mean())) for n in EQUAL))
                    for i, word in enumerate(
                        (
                            f"average precision within {MARGIN:g}",
                            f"cost within {1_000 * COST_MARGIN:g} per 1,000 decisions, by a matrix of 1, 2, 10 and 0",
                        )
                    )
                ],
            ),
            Table(
                "Share of runs with a false proof where a few rows are heavy, and these err",
                ("", *(f"{n:,} rows, {part:g} of weight {weight}" for n, part, weight in WORLDS)),
                [
                    (what, *(share(float(weighed[world][:, i].mean())) for world in WORLDS))
                    for i, what in enumerate(SEEN)
                ],
            ),
            Table(
                "What that costs: share of runs in which a perfect model of a rare event is proven to have an ECE under .02",
                ("", *(f"{n:,} rows, {part:g} of weight {weight}" for n, part, weight in WORLDS)),
                [
                    (what, *(share(float(cost[world][:, i].mean())) for world in WORLDS))
                    for i, what in enumerate(("with these weights", "without weights"))
                ],
            ),
        ],
        promises=promises,
    )
