"""Rows that come in days, users or wards: 8 to 60 clusters that share a shock, or a rare event."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from oracles.worlds import Floats, Ints, brier, calibrated, cells_of, log_loss, logistic, logits, losses, outcomes
from scipy.stats import t as student

from gates.measure.stats.auc import Placements, auc_difference
from gates.measure.stats.average_precision import Precision, average_precision_difference
from gates.measure.stats.averages import Total, average
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.joint import RECALL, Joint, decision_difference
from gates.measure.stats.means import loss_ratio, mean_loss
from gates.measure.stats.proportions import bin_gap, coverage
from gates.records import Reason
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.runner import Runner

SIZES = (8, 15, 30, 60)
UNEQUAL = (("three hold half", 15), ("three hold half", 60), ("Pareto", 15), ("Pareto", 60))
SHOCKS = (0.3, 0.6)
LIMIT = 0.02
DIFFERENCES = ("AUC better", "AUC worse", "log loss larger", "log loss smaller")
ROWS = 4_000
UNEQUAL_NOTE = (
    "Clusters of unequal size: three hold half of the rows; or sizes follow Pareto's law of index 1.5, so that of 60 the "
    "largest holds a seventh. Beside the rule stands what it replaced, the sum of squares with one degree of freedom less "
    "than there are clusters."
)
RARE, ALLOWED = 0.03, 0.02
FEWER = (20, 30, 60)
EACH = (1, 10, 100)
RARE_FIGURES = ("calibration error", "bin", "share", "mean", "Brier score")
MISPLACED = ("AUC", "average precision", "recall")
RARE_NOTE = (
    "Rare events: a cluster is all events with probability .03 and else has none, where the scores say about .002; the "
    "limit is .02. One row repeated a hundred times is still one row, so the rows of a cluster may not count. And: a "
    "candidate scores customers as the champion does but for a little noise, and misplaces one event customer in ten; "
    "the margin is .02. Beside the bounds stand those of the rows as if independent."
)
TOGETHER_NOTE = (
    "Events that come together: rates of clusters of 100 rows follow a beta law with the intraclass correlation named. "
    "Just where few events were seen they seldom show how many come together, so limits at the design effect that was seen "
    "are too narrow: they proved a true rate of .03 smaller in .18, .12 and .10 of runs with 20, 30 and 60 clusters and a "
    "correlation of .3."
)


@cache
def slope(deviation: float, ece_wanted: float) -> float:
    """How far the logits of the calibrated score are stretched for a true error of `ece_wanted`; by bisection."""
    x = 1.5 * np.linspace(-6, 6, 4_001)
    weight = np.exp(-((x / 1.5) ** 2) / 2)
    score = calibrated(x, deviation)
    low, high = 1.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        error = float(weight @ np.abs(score - stretch(score, middle)) / weight.sum())
        low, high = (middle, high) if error < ece_wanted else (low, middle)
    return low


def stretch(score: Floats, by: float) -> Floats:
    return np.asarray(logistic(by * np.log(score / (1 - score))))


@cache
def _table(deviation: float) -> tuple[Floats, Floats]:
    x = np.linspace(-12, 12, 4_001)
    return x, calibrated(x, deviation)


def sizes(clusters: int, kind: str) -> Floats:
    """Shares of the rows by cluster."""
    if kind == "equal":
        share = np.ones(clusters)
    elif kind == "Pareto":
        share = (1 - (np.arange(clusters) + 0.5) / clusters) ** (-1 / 1.5)
    else:
        share = np.r_[np.full(3, (clusters - 3) / 3), np.ones(clusters - 3)]
    return np.asarray(share / share.sum(), dtype=np.float64)


def days(rng: np.random.Generator, clusters: int, kind: str) -> Ints:
    if kind == "equal":
        return rng.integers(0, clusters, ROWS)
    return rng.choice(clusters, ROWS, p=sizes(clusters, kind))


def rows(
    rng: np.random.Generator, clusters: int, deviation: float, kind: str = "equal"
) -> tuple[Floats, Floats, Floats, Ints]:
    """(logit, calibrated score, outcome, cluster)."""
    x, cluster = logits(rng, "bal", ROWS), days(rng, clusters, kind)
    score = np.interp(x, *_table(deviation))
    rate = logistic(x + rng.normal(0, deviation, clusters)[cluster])
    return x, score, outcomes(rng, rate), cluster


def _both(found: Any, low: float, high: float) -> tuple[bool, bool]:
    """Whether the bounds at .95 prove more than `low`, and less than `high`."""
    if found is Reason.FEW_CLUSTERS:
        return False, False
    assert isinstance(found, Figure)
    return bool(found.lower[0] > low), bool(found.upper[0] < high)


def error(rng: np.random.Generator, clusters: int, deviation: float, kind: str = "equal") -> tuple[bool, ...]:
    """A calibrated model proven off, and one exactly at the limit proven within, by clusters and as if rows were independent."""
    _, score, y, cluster = rows(rng, clusters, deviation, kind)
    off = stretch(score, slope(deviation, LIMIT))
    answers = []
    for owner in (cluster, None):
        good = ece(cells_of(score, y, owner), minimum_clusters=8)
        bad = ece(cells_of(off, y, owner), minimum_clusters=8)
        answers += [_both(good, 0.0, 0.0)[0], _both(bad, LIMIT, LIMIT)[1], _both(bad, LIMIT, LIMIT)[0]]
    return tuple(answers)


def covered(rng: np.random.Generator, clusters: int, truth: float, kind: str = "equal") -> tuple[bool, ...]:
    """Coverage of days that differ, intraclass correlation 1/21."""
    cluster = days(rng, clusters, kind)
    hit = outcomes(rng, rng.beta(20 * truth, 20 * (1 - truth), clusters)[cluster])
    k, n = np.bincount(cluster, weights=hit, minlength=clusters), np.bincount(cluster, minlength=clusters).astype(float)
    ours = coverage(k, n, np.arange(clusters), minimum_clusters=8)
    return (*_both(ours, truth, truth), *_both(coverage(k, n, None, minimum_clusters=8), truth, truth))


def rare(rng: np.random.Generator, clusters: int, each: int) -> tuple[bool, ...]:
    """Events that only whole clusters have, in .03 of them: proven to be fewer than .02, where the scores say .002; by
    clusters and as if rows were independent."""
    y = np.repeat((rng.random(clusters) < RARE).astype(float), each)
    p = 0.002 * np.exp(0.5 * rng.normal(size=y.size))
    answers: list[bool] = []
    for owner in (np.repeat(np.arange(clusters), each), None):
        alone = np.zeros(y.size, dtype=np.int64) if owner is None else owner
        k, n = np.bincount(alone, weights=y), np.bincount(alone).astype(np.float64)
        cells = cells_of(p, y, owner, edges=np.array([]))
        total = Total(n, k, float(y.sum()), clustered=owner is not None, range=(0.0, 1.0))
        found = (
            ece(cells, minimum_clusters=8),
            bin_gap(cells, minimum_clusters=8),
            coverage(k, n, None if owner is None else np.arange(clusters), minimum_clusters=8),
            average(total, minimum_clusters=8),
            mean_loss(losses(y, p, p, brier, owner), minimum_clusters=8),
        )
        answers += [_both(figure, ALLOWED, ALLOWED)[1] for figure in found]
    return tuple(answers)


def misplaced(rng: np.random.Generator, each: int) -> tuple[bool, ...]:
    """Ten customers with events beside 60 others; of the events' one in ten is misplaced by the candidate alone, which is
    .10 worse: proven within .02."""
    event = np.arange(70) < 10
    said = np.where(event, rng.normal(3, 0.3, 70), rng.normal(0, 0.3, 70))
    lost = event & (rng.random(70) < 0.1)
    other = np.where(lost, -9.0, said + 0.05 * rng.normal(size=70))
    champion, candidate = np.repeat(said, each), np.repeat(other, each)
    y, customer = np.repeat(event.astype(float), each), np.repeat(np.arange(70), each)
    answers: list[bool] = []
    for owner in (customer, None):
        area = auc_difference(Placements.of(y, candidate), Placements.of(y, champion), owner, minimum_clusters=8)
        ours, theirs = Precision.of(y, candidate), Precision.of(y, champion)
        precision = average_precision_difference(ours, theirs, owner, minimum_clusters=8)
        cell = (4 * y + 2 * (candidate > 1.5) + (champion > 1.5)).astype(np.int64)
        counts = np.zeros((70, 8))
        np.add.at(counts, (customer, cell), 1.0)
        counts = counts if owner is not None else counts.sum(axis=0, keepdims=True)
        joint = Joint(counts, owner is not None, float(y.size), seed=1)
        recall = decision_difference(joint, RECALL, minimum_clusters=8)
        answers += [_both(figure, -ALLOWED, 0.0)[0] for figure in (area, precision, recall)]
    return tuple(answers)


def together(rng: np.random.Generator, clusters: int, truth: float, correlation: float) -> tuple[bool, ...]:
    """Rates of clusters of 100 rows that follow a beta law: the true rate proven larger and smaller."""
    spread = 1 / correlation - 1
    k = rng.binomial(100, rng.beta(spread * truth, spread * (1 - truth), clusters)).astype(float)
    n = np.full(clusters, 100.0)
    ours = coverage(k, n, np.arange(clusters), minimum_clusters=8)
    return (*_both(ours, truth, truth), *_both(coverage(k, n, None, minimum_clusters=8), truth, truth))


def averaged(rng: np.random.Generator, clusters: int, kind: str) -> tuple[bool, ...]:
    """A mean of 0, of rows that share a shock by cluster (intraclass correlation .1): proven off, by the rule and by
    sums of squares with one degree less than the clusters, at .95 and at .99."""
    cluster = days(rng, clusters, kind)
    x = rng.normal(0, 1 / 3, clusters)[cluster] + rng.normal(size=ROWS)
    n, total = np.bincount(cluster, minlength=clusters), np.bincount(cluster, weights=x, minlength=clusters)
    n, total = n[n > 0].astype(float), total[n > 0]
    found = average(Total(n, total, float(x @ x), clustered=True), minimum_clusters=8)
    mean, off = x.mean(), total - x.mean() * n
    plain = float(np.sqrt(n.size / (n.size - 1) * (off @ off))) / ROWS
    answers: list[bool] = []
    for i, rung in ((0, 0.95), (2, 0.99)):
        beyond = float(student.ppf(rung, n.size - 1)) * plain
        ours = isinstance(found, Figure) and (found.lower[i] > 0, found.upper[i] < 0)
        answers += [*(ours or (False, False)), mean > beyond, mean < -beyond]
    return tuple(map(bool, answers))


def compared(rng: np.random.Generator, clusters: int, deviation: float, kind: str = "equal") -> tuple[bool, ...]:
    """Two models of equal worth, each with shocks of its own by cluster: AUC difference and log loss ratio."""
    x, _, y, cluster = rows(rng, clusters, deviation, kind)
    a, b = (logistic(x + rng.normal(0, 0.4, clusters)[cluster] + 0.4 * rng.normal(size=x.size)) for _ in range(2))
    answers: list[bool] = []
    for owner in (cluster, None):
        area = auc_difference(Placements.of(y, a), Placements.of(y, b), owner, minimum_clusters=8)
        ratio = loss_ratio(losses(y, a, b, log_loss, owner), minimum_clusters=8)
        answers += [*_both(area, 0.0, 0.0), *_both(ratio, 1.0, 1.0)]
    return tuple(answers)


def worst(v: Floats, *columns: int) -> str:
    return share(float(v[:, columns].mean(axis=0).max()))


@dataclass(frozen=True)
class Part:
    """Tables of the page, and what they promise."""

    tables: tuple[Table, ...]
    promises: list[Promise]


def _rare(runner: Runner, full: int) -> Part:
    """Events and losses that only whole clusters have."""
    runs = runner.runs(full)
    events = runner.simulate(rare, [(g, m) for g in FEWER for m in EACH], full)
    # Draws of joint tables take long.
    few = full // 3
    lost = runner.simulate(misplaced, [(m,) for m in EACH], few)
    met = runner.simulate(together, [(g, t, c) for t, c in ((0.03, 0.3), (0.1, 0.05)) for g in FEWER], full)
    promises: list[Promise] = []
    for (g, m), v in events.items():
        for i, figure in enumerate(RARE_FIGURES):
            what = f"{g} clusters of {m}: events in .03 of the clusters, {figure}: under .02 is proven"
            promises.append(Promise(what, int(v[:, i].sum()), runs, at_most=0.05))
    for (m,), v in lost.items():
        for i, figure in enumerate(MISPLACED):
            what = f"70 customers of {m}: one event customer in ten is misplaced, {figure}: within .02 is proven"
            promises.append(Promise(what, int(v[:, i].sum()), runner.runs(few), at_most=0.05))
    for (g, truth, correlation), v in met.items():
        for i, word in enumerate(("larger", "smaller")):
            what = f"{g} clusters of 100, correlation {correlation:g}: a true rate of {truth:g} is proven {word}"
            promises.append(Promise(what, int(v[:, i].sum()), runs, at_most=0.05))
    plain = "as independent rows"
    tables = (
        Table(
            "Events that only whole clusters have, proven under the limit",
            ("clusters, rows of each", *RARE_FIGURES, f"the worst {plain}"),
            [(f"{g}, {m}", *(worst(v, i) for i in range(5)), worst(v, *range(5, 10))) for (g, m), v in events.items()],
        ),
        Table(
            "A candidate that misplaces one event customer in ten, proven within the margin",
            ("rows of each customer", *MISPLACED, f"the worst {plain}"),
            [(str(m), *(worst(v, i) for i in range(3)), worst(v, *range(3, 6))) for (m,), v in lost.items()],
        ),
        Table(
            "Events that come together",
            ("clusters, rate, correlation", "proven larger", "proven smaller", f"larger, {plain}", f"smaller, {plain}"),
            [(f"{g}, {t:g}, {c:g}", *(worst(v, i) for i in range(4))) for (g, t, c), v in met.items()],
        ),
    )
    return Part(tables, promises)


def _unequal(runner: Runner, full: int) -> Part:
    """Clusters of which a few hold most of the rows."""
    runs = runner.runs(full)
    means = runner.simulate(averaged, [(g, kind) for kind, g in UNEQUAL], full)
    errors = runner.simulate(error, [(g, 0.6, kind) for kind, g in UNEQUAL], full)
    coverages = runner.simulate(covered, [(g, 0.88, kind) for kind, g in UNEQUAL], full)
    pairs = runner.simulate(compared, [(g, 0.3, kind) for kind, g in UNEQUAL], full)
    promises, lines = [], []
    for kind, g in UNEQUAL:
        mean, off, hit, pair = means[g, kind], errors[g, 0.6, kind], coverages[g, 0.88, kind], pairs[g, 0.3, kind]
        seen = [
            ("a mean is proven larger", mean[:, 0], 0.05),
            ("a mean is proven smaller", mean[:, 1], 0.05),
            ("a mean is proven larger at .99", mean[:, 4], 0.01),
            ("a mean is proven smaller at .99", mean[:, 5], 0.01),
            ("a calibrated model is proven to be off", off[:, 0], 0.05),
            ("a true error of .02 is proven smaller", off[:, 1], 0.05),
            ("a true coverage of 0.88 is proven higher", hit[:, 0], 0.05),
            ("a true coverage of 0.88 is proven lower", hit[:, 1], 0.05),
            *((f"of equal models, {w} is proven", pair[:, i], 0.05) for i, w in enumerate(DIFFERENCES)),
        ]
        where = f"{g} clusters, {kind}"
        promises += [Promise(f"{where}: {what}", int(v.sum()), runs, at_most=most) for what, v, most in seen]
        found = (worst(mean, 0, 1), worst(mean, 2, 3), worst(mean, 4, 5), worst(mean, 6, 7))
        lines.append((where, *found, worst(off, 0), worst(hit, 0, 1), worst(pair, 0, 1), worst(pair, 2, 3)))
    head = (
        "clusters",
        "mean",
        "as before",
        "mean at .99",
        "as before",
        "calibrated off",
        "coverage",
        "AUC",
        "log loss",
    )
    return Part((Table("Clusters of unequal size, the worse side", head, lines),), promises)


def study(runner: Runner) -> Page:
    full = 1_500
    runs = runner.runs(full)
    errors = runner.simulate(error, [(g, s) for s in SHOCKS for g in SIZES], full)
    coverages = runner.simulate(covered, [(g, t) for t in (0.88, 0.92) for g in SIZES], full)
    pairs = runner.simulate(compared, [(g, 0.3) for g in SIZES], full)
    parts = (_rare(runner, full), _unequal(runner, full))
    promises = [promise for part in parts for promise in part.promises]
    for (g, shock), v in errors.items():
        where = f"{g} clusters, shock {shock:g}"
        promises += [
            Promise(f"{where}: a calibrated model is proven to be off", int(v[:, 0].sum()), runs, at_most=0.05),
            Promise(f"{where}: a true error of .02 is proven smaller", int(v[:, 1].sum()), runs, at_most=0.05),
            Promise(f"{where}: a true error of .02 is proven larger", int(v[:, 2].sum()), runs, at_most=0.05),
        ]
    for (g, truth), v in coverages.items():
        for column, word in enumerate(("higher", "lower")):
            what = f"{g} clusters: a true coverage of {truth:g} is proven {word}"
            promises.append(Promise(what, int(v[:, column].sum()), runs, at_most=0.05))
    for (g, _), v in pairs.items():
        for column, word in enumerate(DIFFERENCES):
            what = f"{g} clusters: of equal models, {word} is proven"
            promises.append(Promise(what, int(v[:, column].sum()), runs, at_most=0.05))

    tables = [
        Table(
            "Calibration error, share of runs",
            (
                "clusters, shock",
                "calibrated proven off",
                "as independent rows",
                ".02 proven smaller",
                "as independent rows",
            ),
            [(f"{g}, {s:g}", worst(v, 0), worst(v, 3), worst(v, 1), worst(v, 4)) for (g, s), v in errors.items()],
        ),
        Table(
            "Coverage, the worse side",
            ("clusters, truth", "clustered", "as independent rows"),
            [(f"{g}, {t:g}", worst(v, 0, 1), worst(v, 2, 3)) for (g, t), v in coverages.items()],
        ),
        Table(
            "Equal models, the worse side",
            ("clusters", "AUC", "as independent rows", "log loss", "as independent rows"),
            [(str(g), worst(v, 0, 1), worst(v, 4, 5), worst(v, 2, 3), worst(v, 6, 7)) for (g, _), v in pairs.items()],
        ),
        *(table for part in parts for table in part.tables),
    ]
    plot, axes = canvas(3, title="Days are not rows: without the cluster key false proofs abound")
    panels = (
        ("A calibrated model is proven off\n(shock .6)", [errors[g, 0.6] for g in SIZES], (0,), (3,)),
        ("Coverage .88 is proven higher", [coverages[g, 0.88] for g in SIZES], (0,), (2,)),
        ("The AUC of equal models\nis proven to differ (either side)", [pairs[g, 0.3] for g in SIZES], (0, 1), (4, 5)),
    )
    for axis, (title, answers, ours, plain) in zip(axes, panels, strict=True):
        for style, (columns, word) in enumerate(((plain, "rows taken as independent"), (ours, "clustered bounds"))):
            line(axis, range(4), [float(v[:, columns].mean(axis=0).max()) for v in answers], word, style)
        promised(axis, 0.05)
        axis.set(title=title, xlabel="clusters", ylabel="share of runs", ylim=(-0.01, 1.25 * axis.get_ylim()[1]))
        axis.set_xticks(range(4), [str(g) for g in SIZES])
        axis.legend(fontsize=8, frameon=False)
    return Page(
        name="clusters",
        title="Rows of the same day are not independent, and bounds that know it keep their promise from 8 days on",
        shows="Each panel has the share of runs with a false proof at .95: with rows taken as independent it is many times "
        "what is promised; with clustered bounds it keeps to it.",
        world=f"{ROWS:,} rows of `bal` in 8 to 60 clusters. Each cluster shifts the logit by a shared normal shock of the "
        "deviation named; coverage differs by cluster with an intraclass correlation of 1/21; each of two equal models has "
        "a shock of its own by cluster (deviation .4). Rare events have worlds of their own.",
        plot=plot,
        alt="Three line plots over 8, 15, 30 and 60 clusters: with rows taken as independent, false proofs are far above "
        "the line at .05; with clustered bounds they lie at or below it.",
        tables=tables,
        promises=promises,
        notes=(RARE_NOTE, TOGETHER_NOTE, UNEQUAL_NOTE),
    )
