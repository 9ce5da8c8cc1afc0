"""Worlds with a known truth, and the sums of their rows in numpy: what the oracles and the promises are tested in.

`bal`: logits N(0, 1.5). `rare`: logits N(-3.2, 1.2), a base rate of 7 %. The score is calibrated unless it is stretched.
The binning here is written apart from the engine's: by sorting, not by SQL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gates.measure.regression.losses import CANDIDATE, CHAMPION
from gates.measure.stats.cells import Cells
from gates.measure.stats.means import PairSums, Steps
from gates.measure.sums import Part, Where
from gates.records import WHOLE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOGITS = {"bal": (0.0, 1.5), "rare": (-3.2, 1.2)}


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def logits(rng: np.random.Generator, world: str, n: int) -> Floats:
    mean, deviation = LOGITS[world]
    return rng.normal(mean, deviation, n)


def outcomes(rng: np.random.Generator, rate: Floats) -> Floats:
    return (rng.random(rate.size) < rate).astype(float)


def stretched(x: Floats, slope: float, world: str) -> Floats:
    """A score that is over-confident for slopes above 1: logits stretched around the world's mean."""
    mean = LOGITS[world][0]
    return np.asarray(logistic(mean + slope * (x - mean)))


def slope_of(ece: float, world: str) -> float:
    """The slope whose true calibration error, E|truth - score|, is `ece`; by bisection on a fine grid."""
    mean, deviation = LOGITS[world]
    x = mean + deviation * np.linspace(-6, 6, 20_001)
    weight = np.exp(-(((x - mean) / deviation) ** 2) / 2)
    low, high = 1.0, 10.0
    for _ in range(60):
        slope = (low + high) / 2
        error = float(weight @ np.abs(logistic(x) - stretched(x, slope, world)) / weight.sum())
        low, high = (slope, high) if error < ece else (low, slope)
    return low


def shocked(rng: np.random.Generator, clusters: int, n: int, deviation: float) -> tuple[Floats, Floats, Ints]:
    """Rows of clusters that share a shock on the logit: (score, outcome, cluster). The score is calibrated over all
    clusters.
    """
    x, cluster = logits(rng, "bal", n), rng.integers(0, clusters, n)
    rate = logistic(x + rng.normal(0, deviation, clusters)[cluster])
    return calibrated(x, deviation), outcomes(rng, rate), cluster


def freedom_of(cluster: Ints, off: Floats | None = None) -> float:
    """Degrees of freedom of a mean over the rows of clusters, by loops over the formula of `stats/clusters.py`.

    Parameters
    ----------
    off: how far each row is from the mean, where that is to be looked at.
    """
    names = sorted(set(cluster.tolist()))
    shares = [sum(1 for c in cluster if c == name) / len(cluster) for name in names]
    squares = sum(h**2 for h in shares)
    by_moments = 2 / (4 * sum(h**3 for h in shares) / squares - 3 * squares + 1 / len(names))
    most = max(1.0, min(1 / squares, by_moments) - 1)
    if off is None:
        return most
    moved = [off[cluster == name].sum() / (1 - h) for name, h in zip(names, shares, strict=True)]
    carried = sum(e**4 for e in moved) / sum(e**2 for e in moved) ** 2
    excess = carried - 3 * sum(h**4 for h in shares) / squares**2
    return most if excess <= 1 / (most + 1) else max(1.0, 1 / excess - 1)


def unseen_of(cluster: Ints, rows: float, share: float) -> float:
    """How many rows speak of what was never seen: the mean of what a row seen and what a cluster is worth."""
    sizes = np.unique(cluster, return_counts=True)[1] / cluster.size
    return min(rows, 1 / float(np.average([1 / rows, (sizes**2).sum()], weights=[rows * share, 1])))


def lifts_of(cluster: Ints) -> dict[int, float]:
    """By cluster, what its sum of deviations is multiplied by: the root of (G - 1)/G over 1 less its share."""
    names = sorted(set(cluster.tolist()))
    few = np.sqrt((len(names) - 1) / len(names))
    return {name: float(few / (1 - (cluster == name).mean())) for name in names}


def calibrated(x: Floats, deviation: float) -> Floats:
    """The rate at a logit, a normal shock integrated out by Gauss-Hermite quadrature."""
    node, weight = np.polynomial.hermite_e.hermegauss(21)
    return np.asarray(logistic(x[:, None] + deviation * node) @ (weight / weight.sum()))


def edges_of(p: Floats, bins: int = 10, micro_bins: int = 1000) -> Floats:
    """Right edges, on the grid of micro-bins, of the first bins of equal mass."""
    ordered, n = np.sort(p), p.size
    last = ordered[[-(-n * j // bins) - 1 for j in range(1, bins)]]
    grid = np.arange(1, micro_bins + 1) / micro_bins
    edges = np.unique(grid[np.searchsorted(grid, last, side="left")])
    return edges[edges < ordered[-1]]


def cells_of(p: Floats, y: Floats, cluster: Ints | None = None, *, edges: Floats | None = None) -> Cells:
    """Sums by (cluster, bin)."""
    code = np.searchsorted(edges_of(p) if edges is None else edges, p, side="left")
    key = code if cluster is None else cluster * 1_000 + code
    present = np.bincount(key) > 0
    distinct, cell = np.flatnonzero(present), (np.cumsum(present) - 1)[key]

    def total(values: Floats) -> Floats:
        return np.bincount(cell, weights=values)

    owner = None if cluster is None else distinct // 1_000
    return Cells(distinct % 1_000, total(np.ones_like(p)), total(p), total(p * p), total(y), total(p * y), owner)


def pair_of(
    a: Floats, b: Floats, flip_a: Floats, flip_b: Floats, cluster: Ints | None = None, ceiling: float = 0.0
) -> PairSums:
    """Sums of two losses, by cluster where there are any."""
    cell = np.zeros(a.size, dtype=np.int64) if cluster is None else np.unique(cluster, return_inverse=True)[1]

    def total(values: Floats) -> Floats:
        return np.bincount(cell, weights=values)

    squares = (total(u * v) for u, v in ((a, a), (a, b), (b, b), (flip_a, flip_a), (flip_b, flip_b)))
    of = (total(np.ones_like(a)), total(a), total(b), *squares)
    steps = None if ceiling or not a.size else Steps(float(a.max()), float(b.max()), float(np.abs(a - b).max()))
    return PairSums(*of, clustered=cluster is not None, ceiling=ceiling, steps=steps)


def log_loss(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    return -np.log(np.where(y > 0, p, 1 - p)), np.log(p / (1 - p))


def brier(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    return (p - y) ** 2, 1 - 2 * p


def losses(y: Floats, p: Floats, q: Floats, loss: Any, cluster: Ints | None = None) -> PairSums:
    (a, flip_a), (b, flip_b) = loss(y, p), loss(y, q)
    return pair_of(a, b, flip_a, flip_b, cluster, 1.0 if loss is brier else 0.0)


def decided(
    y: Ints, candidate: Ints, champion: Ints, payoff: Floats | None = None, cluster: Ints | None = None
) -> Part:
    """Decisions by row, and what a row pays where rows differ in that."""
    one = np.ones(y.size)
    sums = {"n": one} if payoff is None else {"n": one, "payoff": payoff, "payoff2": payoff**2}
    keys = {"y": y, CANDIDATE: candidate, CHAMPION: champion} | ({} if cluster is None else {"cluster": cluster})
    return Part(Where(WHOLE, 1_000_000, y.size, None), sums, sums, keys, one)
