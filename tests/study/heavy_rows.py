"""A few rows that weigh much, with an error of their own: worlds of the study of what no row shows."""

from __future__ import annotations

import math

import numpy as np
from oracles.worlds import Floats, Ints, outcomes

from gates.measure.stats.auc import Placements, auc_difference
from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.joint import ACCURACY, Joint, decision_metric
from gates.measure.stats.means import PairSums, mean_loss
from gates.measure.stats.proportions import coverage
from gates.records import Reason

WORLDS = ((3_000, 0.01, 20), (3_000, 0.003, 50), (10_000, 0.001, 100))
"""Rows, share of them that are heavy, and how much these weigh."""
SEEN = (
    "ECE of .020, proven less",
    "coverage, proven higher than it is",
    "accuracy, proven higher than it is",
    "loss of area under the ROC curve, proven smaller than it is",
    "Brier score, proven smaller than it is",
    "log loss, proven smaller than it is",
)
_LIMIT = 0.02
_LIGHT, _HEAVY = 0.93, 0.5
_RATE, _EVENTS = 0.1, 0.6


def _figure(found: Figure | Reason) -> Figure:
    assert isinstance(found, Figure)
    return found


def _mixed(part: float, heavy: float, light: float, others: float) -> float:
    """A weighted mean over both kinds of rows."""
    return ((1 - part) * light + part * heavy * others) / (1 - part + part * heavy)


def cells(p: Floats, y: Floats, w: Floats, cluster: Ints | None = None, heaviest: float | None = None) -> Cells:
    """Every row a cell, ten bins of about equal mass."""
    edges = np.unique(np.quantile(p, np.arange(1, 10) / 10))
    code = np.searchsorted(edges, p, side="left").astype(np.int64)
    squares = Cells(code, *(w * w * value for value in (np.ones_like(p), p, p * p, y, p * y)), cluster)
    most = float(w.max()) if heaviest is None else heaviest
    return Cells(code, w, w * p, w * p * p, w * y, w * p * y, cluster, squares, np.ones_like(p), most)


def losses(a: Floats, flip: Floats, w: Floats, ceiling: float, heaviest: float | None) -> PairSums:
    """One model's losses, beside none."""

    def sums(v: Floats) -> PairSums:
        none = np.zeros(1)
        terms = (np.array([v @ value]) for value in (np.ones_like(a), a, 0 * a, a * a, 0 * a, 0 * a, flip * flip))
        return PairSums(*terms, none, clustered=False, ceiling=ceiling)

    found = sums(w)
    return PairSums(**{**vars(found), "squares": sums(w * w), "heaviest": heaviest})


def joint(y: Ints, said: Ints, w: Floats, heaviest: float, seed: int = 1) -> Joint:
    """Decisions of which the other model's are the same."""
    cell = 4 * y + 3 * said
    counts, squares = (np.bincount(cell, weights=v, minlength=8).astype(float) for v in (w, w * w))
    return Joint(counts.reshape(1, 8), False, float(w.sum() ** 2 / (w @ w)), seed, squares, heaviest)


def _mean(loss: Floats, flip: Floats, w: Floats, ceiling: float) -> Figure:
    return _figure(mean_loss(losses(loss, flip, w, ceiling, float(w.max())), minimum_clusters=8))


def heavy(rng: np.random.Generator, n: int, part: float, weight: float) -> tuple[bool, ...]:
    """Whether each of `SEEN` happens, at .95; the errors of the heavy rows are not those of the others."""
    w = np.where(rng.random(n) < part, float(weight), 1.0)
    h = w > 1
    p = np.where(h, rng.uniform(0.001, 0.02, n), rng.beta(0.5, 20, n))
    off = _LIMIT * (1 - part + part * weight) / (part * weight)
    error = _figure(ece(cells(p, outcomes(rng, p + off * h), w), minimum_clusters=8))
    right = outcomes(rng, np.where(h, _HEAVY, _LIGHT))
    truth = _mixed(part, weight, _LIGHT, _HEAVY)
    top = float(w.max())
    squares = (w * w * right, w * w)
    held = _figure(coverage(w * right, w, None, minimum_clusters=8, squares=squares, rows=n, heaviest=top))
    label = rng.integers(0, 2, n)
    said = np.where(right > 0, label, 1 - label)
    seed = int(rng.integers(2**31))
    decided = _figure(decision_metric(joint(label, said, w, top, seed), ACCURACY, minimum_clusters=8))
    event = outcomes(rng, np.full(n, 0.2))
    champion = event + rng.normal(size=n)
    candidate = champion - 2.0 * (h & (event > 0) & (rng.random(n) < 0.5))
    places = (Placements.of(event, score, w) for score in (candidate, champion))
    area = _figure(auc_difference(*places, minimum_clusters=8))
    # A turned event stands as far below the others as it stood above them: P(N(1, 2) > 0) less P(N(-1, 2) > 0).
    lost = -_mixed(part, weight, 0.0, 0.5) * math.erf(0.5)
    y = outcomes(rng, np.where(h, _EVENTS, _RATE))
    brier = _mean((y - _RATE) ** 2, np.full(n, 1 - 2 * _RATE), w, 1.0)
    logit = math.log(_RATE / (1 - _RATE))
    log_loss = _mean(-y * math.log(_RATE) - (1 - y) * math.log(1 - _RATE), np.full(n, logit), w, 0.0)
    rate = _mixed(part, weight, _RATE, _EVENTS)
    return (
        bool(error.upper[0] < _LIMIT),
        bool(held.lower[0] > truth),
        bool(decided.lower[0] > truth),
        bool(area.lower[0] > lost),
        bool(brier.upper[0] < rate * (1 - _RATE) ** 2 + (1 - rate) * _RATE**2),
        bool(log_loss.upper[0] < -rate * math.log(_RATE) - (1 - rate) * math.log(1 - _RATE)),
    )


def perfect(rng: np.random.Generator, n: int, part: float, weight: float) -> tuple[bool, bool]:
    """Whether a perfect model of a rare event is proven to have an ECE under .02: weighted, and with equal weights."""
    p = rng.beta(0.5, 20, n)
    y = outcomes(rng, p)
    weights = np.where(rng.random(n) < part, float(weight), 1.0), np.ones(n)
    one, other = (_figure(ece(cells(p, y, w), minimum_clusters=8)) for w in weights)
    return bool(one.upper[0] < _LIMIT), bool(other.upper[0] < _LIMIT)
