"""What a noisy score is worth in the long run, by integration: its area under the curve and its mean losses.

The world is `bal`: logits x are N(0, 1.5), outcomes have the rate logistic(x), and a model sees x + spread * noise.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from oracles.worlds import LOGITS, logistic

CHAMPION = 0.7
"""The spread of the champion's noise."""


@cache
def worth(spread: float) -> tuple[float, float, float]:
    """Return (area, mean log loss, mean Brier) of the score logistic(x + spread * noise)."""
    mean, deviation = LOGITS["bal"]
    total = np.hypot(deviation, spread)
    u = mean + total * np.linspace(-7, 7, 8_001)
    density = np.exp(-(((u - mean) / total) ** 2) / 2)
    density /= density.sum()
    # Given u, x is normal: shrunk towards its mean, with what spread is left.
    shrink = deviation**2 / total**2
    node, weight = np.polynomial.hermite_e.hermegauss(41)
    x = (mean + shrink * (u - mean))[:, None] + deviation * np.sqrt(1 - shrink) * node
    rate = logistic(x) @ (weight / weight.sum())
    event, other = density * rate, density * (1 - rate)
    below = np.cumsum(other) - other / 2
    area = float(event @ below / (event.sum() * other.sum()))
    p = logistic(u)
    log_loss = float(event @ np.logaddexp(0, -u) + other @ np.logaddexp(0, u))
    brier = float(event @ (1 - p) ** 2 + other @ p**2)
    return area, log_loss, brier


@cache
def spread_of(loss: float) -> float:
    """Return the spread whose area is smaller than the champion's by `loss`; by bisection."""
    low, high = CHAMPION, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if worth(CHAMPION)[0] - worth(middle)[0] < loss else (low, middle)
    return low


@cache
def spread_of_ratio(ratio: float) -> float:
    """Return the spread whose mean log loss is `ratio` times the champion's; by bisection."""
    low, high = CHAMPION, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if worth(middle)[1] / worth(CHAMPION)[1] < ratio else (low, middle)
    return low
