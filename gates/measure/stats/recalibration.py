"""What recalibrating would reach: temperature, intercept and isotonic maps fitted and tested on other rows each time.

Five folds, drawn at random within each cell of scores (a cell's rows are alike, so a draw of their counts is a draw of
rows), with a fixed seed. The error of a map is the debiased binned L1 error (ece.py) of the held-out rows, in ten bins of
equal mass of the mapped score, averaged over the folds: pooled, the mistakes of five maps would cancel. Rows of one cluster may lie in several folds, so in clusters it may be a little less
than fresh ones would show. Advice, and no bound is claimed.

Maps: Guo et al. 2017 (arXiv 1706.04599) for the temperature; Zadrozny and Elkan 2002 for isotonic, by pooling adjacent
violators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure, Floats, Ints, totals

FOLDS = 5
BINS = 10
_SEED = 20_261_121
_CLIP = 1e-6
_STEPS = 50

Map: TypeAlias = Callable[[Floats], Floats]
"""From scores, shape (cells,), to recalibrated scores."""


def recalibrated(cells: Cells, *, classes: bool = False) -> dict[str, float]:
    """Return the cross-fitted calibration error by map: `temperature`, `intercept`, `isotonic`; each in [0, 1].

    Parameters
    ----------
    cells: narrow bins of the score, each cell of one outcome only; clusters are not looked at. At least FOLDS rows.
    classes: the score is the largest probability of several classes, the outcome whether that class is right. A
        temperature divides the logits of all classes, which the largest probability does not tell: it is left out.
    """
    counts = cells.n if cells.count is None else cells.count
    drawn = np.random.default_rng(_SEED).multinomial(np.rint(counts).astype(np.int64), [1 / FOLDS] * FOLDS)
    held_out = drawn / counts[:, None]
    score = cells.p / cells.n
    found = {}
    for name, fit in MAPS.items():
        if classes and name == "temperature":
            continue
        errors = []
        for part in held_out.T:
            mapped = fit(score, cells.n * (1 - part), cells.y * (1 - part))(score)
            errors.append(_error(cells, mapped, part))
        found[name] = float(np.mean(errors))
    return found


def _error(cells: Cells, mapped: Floats, part: Floats) -> float:
    """Error of the held-out part of each cell under a map; mapped, part: shape (cells,)."""
    used = part > 0
    part, p = part[used], mapped[used]
    if not used.any():
        return 0.0

    def scaled(sums: Cells, code: Ints) -> Cells:
        n, y = sums.n[used] * part, sums.y[used] * part
        return Cells(code, n, n * p, n * p * p, y, y * p)

    weight = cells.n[used] * part
    order = np.argsort(p, kind="stable")
    below = np.cumsum(weight[order]) - weight[order]
    # Equal scores stay together: all take the place of the first of them.
    first = np.searchsorted(p[order], p, side="left")
    code = np.minimum(below[first] * BINS / weight.sum(), BINS - 1).astype(np.int64)
    squares = None if cells.squares is None else scaled(cells.squares, code)
    count = None if cells.count is None else cells.count[used] * part
    figure = ece(replace(scaled(cells, code), squares=squares, count=count), minimum_clusters=2)
    return float(figure.debiased or 0.0) if isinstance(figure, Figure) else 1.0


def _logit(score: Floats) -> Floats:
    inside = np.clip(score, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def _logistic(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float64)


def fit_intercept(score: Floats, n: Floats, y: Floats) -> Map:
    """Return the map that adds to the logit what makes the mean score the rate: maximum likelihood."""
    x = _logit(score)
    shift = _solve(lambda a: (_logistic(x + a), np.ones_like(x)), n, y, 0.0)
    return lambda value: _logistic(_logit(value) + shift)


def fit_temperature(score: Floats, n: Floats, y: Floats) -> Map:
    """Return the map that multiplies the logit by one number, 1 / temperature: maximum likelihood."""
    x = _logit(score)
    factor = _solve(lambda b: (_logistic(b * x), x), n, y, 1.0)
    return lambda value: _logistic(factor * _logit(value))


def _solve(model: Callable[[float], tuple[Floats, Floats]], n: Floats, y: Floats, start: float) -> float:
    """Return the parameter at which the likelihood's derivative is 0: Newton's steps, none longer than 1.

    model: from the parameter to the rates and the derivatives of their logits, each of shape (cells,).
    """
    value = start
    for _ in range(_STEPS):
        rate, slope = model(value)
        score = float(slope @ (y - n * rate))
        information = float(slope**2 @ (n * rate * (1 - rate)))
        if information <= 0:
            break
        step = max(-1.0, min(1.0, score / information))
        value += step
        if abs(step) < 1e-12:
            break
    return value


def fit_isotonic(score: Floats, n: Floats, y: Floats) -> Map:
    """Return the rising map nearest to the rates in squares; between scores that it knows it is linear."""
    known = n > 0
    knots, place = np.unique(score[known], return_inverse=True)
    weight, total = totals(place, n[known]), totals(place, y[known])
    level = _pooled(total / weight, weight)
    return lambda value: np.interp(value, knots, level)


def _pooled(rate: Floats, weight: Floats) -> Floats:
    """Pool adjacent violators: the rising levels nearest to the rates, shape of rate."""
    blocks: list[tuple[float, float, int]] = []
    for block in zip(rate.tolist(), weight.tolist(), [1] * rate.size, strict=True):
        value, mass, size = block
        while blocks and blocks[-1][0] >= value:
            other, others, many = blocks.pop()
            value = (value * mass + other * others) / (mass + others)
            mass, size = mass + others, size + many
        blocks.append((value, mass, size))
    return np.repeat([value for value, _, _ in blocks], [size for _, _, size in blocks])


MAPS: Mapping[str, Callable[[Floats, Floats, Floats], Map]] = {
    "temperature": fit_temperature,
    "intercept": fit_intercept,
    "isotonic": fit_isotonic,
}
