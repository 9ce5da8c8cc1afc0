"""Confidence sequences: bounds of a stream of independent rows that hold at every look at once, however often and whenever
one looks, also where what was seen decides about looking on. Spec: statistics.md, section 4.

Each is tuned to a planned number of rows, where it is narrowest; it holds at any other. The plan is made before the first
look: one that follows what was seen has no promise.

- **Shares** (Robbins 1970; Ville 1939): exact at every n. Of k hits in n rows, what the mixture of likelihood ratios

      E(p) = integral over q in [p, 1] of (q / p)^k ((1 - q) / (1 - p))^(n - k) b (1 - q)^(b - 1) / (1 - p)^b

  says against a share of at most p, is beta-binomial with the prior Beta(1, b) truncated to shares above p:
  E(p) = b B(k + 1, n - k + b) P(Beta(k + 1, n - k + b) > p) / (p^k (1 - p)^(n - k + b)). Each ratio is a supermartingale
  where the share is p or less, so that E reaches 1/alpha, ever, in at most alpha of all streams. The lower bound is where
  E = 1/alpha, the upper one that of the misses. b = PACE sqrt(M (1 - p) / p) for M planned rows may depend on p, as each p
  has a test of its own: shares are then sought 1 / PACE standard errors of M rows away, at 1 in 10,000 as at one half.
  (A prior that does not know p, such as the uniform one, is half as wide again at 1 % of 10,000 rows.)
  E falls in p, so that all below the bound is refused and one root is all there is: draw q as 1 - (1 - p) V^(1/b) from a
  uniform V, u = 1 - V^(1/b); then du/dp = -(1 - u) ln(1 - u) / (2 p (1 - p)) <= u / (2 p (1 - p)), and the logarithm of the
  ratio falls by k u / (p q) as p rises with u held, and rises by at most half of that as u does.
- **Means** (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, arXiv 2103.06476): the limit of large n, from n, the sum and
  the sum of squares. `reach` stands where Student's quantile stands in `averages`, also in what is added for values that
  were never seen. Nothing is said of fewer than FEWEST rows: the promise is one of large n, and the first looks are
  the many.

`tests/oracles/test_stats_sequences.py` has the rates: exact for shares, by recursion over all streams.
"""

from __future__ import annotations

import numpy as np

from gates.measure.stats.averages import Total, average
from gates.measure.stats.figure import RUNGS, Figure, Floats
from gates.records import Reason

FEWEST = 1_000
"""Rows under which the mean of a stream is not bounded."""

PACE = 0.3
"""Of shares: at M rows, and but for how skewed they are, bounds within .7 % of the nearest that any pace has, at all rungs."""

DRIFT = 12
"""Of means: n r at the planned rows; bounds there are within 1 % of the nearest that any r has, at all rungs."""

_FAR = 100.0
"""Log odds beyond which no bound of 2^53 rows lies."""

_HALVINGS = 70


def share_sequence(successes: int, n: int, *, planned: int) -> Figure | Reason:
    """Return the share of successes in a stream of n rows so far, tuned to `planned` rows; in [0, 1].

    Returns
    -------
    Reason.EMPTY_TABLE without rows.
    """
    if n == 0:
        return Reason.EMPTY_TABLE
    hits, misses = float(successes), float(n - successes)
    lower, upper = lower_odds(hits, misses, planned), -lower_odds(misses, hits, planned)
    share = hits / n
    low, high = (1 / (1 + np.exp(-odds)) for odds in (lower, upper))
    # Rounding may put a bound of 2^53 rows a last digit beyond the share itself.
    return Figure(share, np.minimum(share, low), np.maximum(share, high), n)


def mean_sequence(total: Total, *, planned: int) -> Figure | Reason:
    """Return the mean of a stream of independent values so far, tuned to `planned` rows; in the unit of the values.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_EVENTS with fewer than FEWEST.
    """
    rows = float(total.n.sum())
    if 0 < rows < FEWEST:
        return Reason.FEW_EVENTS
    return average(total, minimum_clusters=0, quantile=reach(max(rows, 1.0), planned))


def reach(n: float, planned: float) -> Floats:
    """Return how many standard errors a mean of n rows may ever be off, on one side, at the rungs; shape (9,).

    sqrt(2 (x + 1)/x log(1 + sqrt(x + 1)/(2 alpha))), x = n r.
    """
    x = DRIFT * n / planned
    return np.asarray(np.sqrt(2 * (x + 1) / x * np.log1p(np.sqrt(x + 1) / (2 - 2 * RUNGS))), dtype=np.float64)


def lower_odds(hits: float | Floats, misses: float | Floats, planned: float) -> Floats:
    """Return the log odds of the lower bounds of shares, shape (..., 9); -inf without a hit.

    Parameters
    ----------
    hits, misses: of shape () or (..., 1).
    """
    hits, misses = (np.asarray(each, dtype=np.float64) for each in (hits, misses))
    wanted = -np.log1p(-RUNGS)
    with np.errstate(divide="ignore"):
        seen = np.clip(np.log(hits) - np.log(misses), -_FAR, _FAR)
    shape = np.broadcast_shapes(seen.shape, RUNGS.shape)
    low, high = np.full(shape, -_FAR), np.broadcast_to(seen, shape)
    # Without a hit nothing is refused; one stands in for it until then.
    some = np.maximum(hits, 1.0)
    for _ in range(_HALVINGS):
        odds = (low + high) / 2
        refused = evidence(some, misses, odds, planned) >= wanted
        low, high = np.where(refused, odds, low), np.where(refused, high, odds)
    return np.where(hits > 0, low, -np.inf)


def evidence(hits: Floats, misses: Floats, odds: Floats, planned: float) -> Floats:
    """Return ln E(p) at the log odds of p: what so many hits and misses say against a share of at most p.

    With m = misses + b and N = hits + m, Stirling's formula leaves of it the deviance, of which no digits are lost at 2^53
    rows, and the remainders of three factorials.

    Parameters
    ----------
    hits: above 0. Any shapes that go together.
    """
    from scipy.special import betainc, betaincc, expit

    p, rest = expit(odds), expit(-odds)
    log_b = np.log(PACE) + (np.log(planned) - odds) / 2
    m = misses + np.exp(log_b)
    rows = hits + m
    # By whichever of p and 1 - p has more digits.
    beyond = np.where(odds < 0, betaincc(hits + 1, m, p), betainc(m, hits + 1, rest))
    over = np.where(odds < 0, hits - rows * p, rows * rest - m)
    deviance = _deviance(over, rows * p) + _deviance(-over, rows * rest)
    remainders = _remainder(hits) + _remainder(m) - _remainder(rows)
    with np.errstate(divide="ignore"):
        tail = np.log(beyond)
    return np.asarray(log_b + np.log(2 * np.pi * hits / m / rows) / 2 + remainders + deviance + tail)


def _deviance(over: Floats, mean: Floats) -> Floats:
    """Return x ln(x / mean) + mean - x, where x is the mean and `over`."""
    from scipy.special import xlog1py

    share = np.maximum(-1.0, over / mean)
    return np.asarray(mean * (xlog1py(1 + share, share) - share), dtype=np.float64)


def _remainder(x: Floats) -> Floats:
    """Return ln x! less what Stirling's formula says, (x + 1/2) ln x - x + ln(2 pi)/2; x above 0."""
    from scipy.special import gammaln

    few, many = np.minimum(x, 16.0), np.maximum(x, 16.0)
    by_series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / many**2) / many**2) / many**2) / many
    by_gamma: Floats = gammaln(few + 1) - (few + 0.5) * np.log(few) + few - np.log(2 * np.pi) / 2
    return np.where(x < 16, by_gamma, by_series)
