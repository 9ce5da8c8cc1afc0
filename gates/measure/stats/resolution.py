"""What a holdout can show before any model is measured: the smallest limit that a perfect model passes in 8 of 10 runs.

A perfect model is calibrated, or covers exactly what it promises; it still has to prove it. Sums and counts in, limits
and rows out; which limits policy has is not known here.

What the rows of a cluster share after the model is known only once it was measured: next to nothing where the model knows
what sets its clusters apart, and between two models that err alike; as much as the labels do where it knows nothing of
it. So there are two ends, of a `Holdout` and of one with `nothing_shared`, and every limit takes the effect of either.
Source: statistics.md, section 1 "Rows needed" and "What a real holdout can show", section 2; every formula is checked by
simulation (`tests/oracles/test_stats_resolution.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from gates.measure.stats.clusters import Clusters, unseen
from gates.measure.stats.figure import Floats, quantiles

POWER = 0.8
"""The share of runs in which a perfect model shall pass."""

MOST_ROWS = 10**9
"""Rows beyond which none are counted."""

AREA, PAIRED = 0.75, 2.0
"""What `auc_limit` takes for granted. Two models whose areas correlate .75 over repeated holdouts have the second figure;
statistics.md, section 3, saw 2.4 for two closer ones."""

_FOLDED_MEAN = math.sqrt(2 / math.pi)
_SHARE_OF_SPREAD = 0.6
_TINY = 1e-12
_Z_POWER = 0.8416212335729143


@dataclass(frozen=True)
class Scores:
    """How a model's predictions are spread over bins of equal mass, as far as it is known.

    Attributes
    ----------
    share: of the rows in each bin, sum 1. mean: prediction in each bin, in [0, 1]. variance: mean of p(1 - p) in each
    bin, in [0, .25]; all of shape (bins,).
    """

    share: Floats
    mean: Floats
    variance: Floats


class Clustered(TypedDict):
    """Degrees of freedom of clusters of rows, and as many of one size as would say as much."""

    freedom: float | None
    number: float | None


@dataclass(frozen=True)
class Holdout:
    """What is known of a holdout before any model is measured.

    Attributes
    ----------
    counted: rows. rows: of as much weight as these, where rows are weighted; else the same number.
    rate: share of events; None unless the task is binary. clusters: how many; None where rows are taken as independent.
    number: as many clusters of one size would say as much. freedom: degrees of freedom of their variance; None where
    there are none, or all are of one size.
    effect: by how much what the rows of a cluster share inflates the variance of a mean at worst, at least 1: that of a
        rate of the labels, where they tell; else as if every cluster said as much as one row.
    scores: of a model whose predictions are there already, else None.
    """

    counted: int
    rows: float
    rate: float | None = None
    clusters: int | None = None
    effect: float = 1.0
    scores: Scores | None = None
    number: float | None = None
    freedom: float | None = None

    @property
    def in_effect(self) -> int | None:
        """As many clusters of one size would say as much, a whole number; None where rows are taken as independent."""
        return self.clusters if self.number is None else round(self.number)

    @property
    def nothing_shared(self) -> Holdout:
        """The same, of a model after which the rows of a cluster share nothing; its degrees of freedom stay."""
        return replace(self, effect=1.0)

    def clustered(self, rows: float) -> Clustered:
        """Return what so many rows in clusters like these would be worth; None for each where they are independent."""
        if self.clusters is None:
            return Clustered(freedom=None, number=None)
        freedom = self.clusters - 1 if self.freedom is None else self.freedom
        number = self.clusters if self.number is None else self.number
        more = rows / self.rows
        return Clustered(freedom=max(1.0, (freedom + 1) * more - 1), number=max(1.0, number * more))


def hardest_scores(rate: float, bins: int) -> tuple[Scores, Scores]:
    """Return the scores that make the two calibration figures hardest to prove, given the base rate alone.

    For the error over all bins: every row as uncertain as the base rate. For the single bins: as many bins near even
    odds as the base rate allows, since the widest bin decides.

    Parameters
    ----------
    rate: share of events, in [0, 1]. bins: at least 1.
    """
    share = np.full(bins, 1 / bins)
    even = np.full(bins, rate)
    rarer = min(rate, 1 - rate)
    near = np.clip(rarer * bins - 0.5 * np.arange(bins), 0.0, 0.5)
    odds = near if rate <= 0.5 else 1 - near
    return Scores(share, even, even * (1 - even)), Scores(share, odds, odds * (1 - odds))


def ece_limit(
    scores: Scores, rows: float, *, effect: float = 1.0, freedom: float | None = None, number: float | None = None
) -> float:
    """Return the smallest limit of the expected calibration error that a calibrated model passes in 8 of 10 runs.

    The plug-in error averages .8 sum w s over noise alone (folded normals), its bound adds z standard errors of the mean
    and the rule of three, and its spread is .6 of that standard error.

    Parameters
    ----------
    rows: > 0. effect: by how much rows that hang together inflate the variance of the labels' mean, at least 1.
    freedom: degrees of freedom of Student's quantile; None where rows are independent.
    number: as many clusters of one size the rows are worth; None where rows are independent.
    """
    spread, shared = float(scores.share @ scores.variance), _shared(scores, effect)
    # A bin holds only some rows of a cluster, so that less of what they share comes together in it.
    noise = _FOLDED_MEAN * float(np.sum(np.sqrt(scores.share * (scores.variance + shared * scores.share) / rows)))
    error = math.sqrt((spread + shared) / rows)
    z = float(quantiles(freedom)[0])
    seen = rows * spread / (spread + shared) if shared > 0 else rows
    few = z**2 / (rows if number is None else unseen(seen, spread, number))
    return noise + math.hypot(z * error, few) + _SHARE_OF_SPREAD * _Z_POWER * error


def bins_limit(
    scores: Scores, rows: float, *, effect: float = 1.0, freedom: float | None = None, number: float | None = None
) -> float:
    """Return the smallest limit of the gap that all bins of a calibrated model keep to at once in 8 of 10 runs.

    By the exact binomial distribution of each bin's events. Parameters as of `ece_limit`.
    """
    # A shock on the logit moves a bin by its own variance, and the labels' mean by the mean of these.
    steep = scores.variance / max(float(scores.share @ scores.variance) ** 2, _TINY)
    within = 1 + _shared(scores, effect) * scores.share * steep
    n = _counted(rows * scores.share / within, scores.mean, number) * _spent(freedom)
    return _smallest(lambda limit: float(np.prod(_kept(n, scores.mean, limit, limit))) >= POWER)


def levels_limit(
    levels: Sequence[float],
    rows: float,
    *,
    under: bool = True,
    over: bool = True,
    effect: float = 1.0,
    freedom: float | None = None,
    number: float | None = None,
) -> float:
    """Return the smallest distance from their levels that exact shares are proven to keep to at once in 8 of 10 runs.

    Shares of several levels on the same rows move together, so that for more than one level this is an upper limit.

    Parameters
    ----------
    levels: promised coverages or quantiles, in (0, 1). under, over: which sides must be proven.
    effect: by how much rows that hang together inflate the variance of the shares, at least 1. The others as of
        `ece_limit`.
    """

    def passes(limit: float) -> bool:
        power = levels_power(levels, rows, limit, under=under, over=over, effect=effect, freedom=freedom, number=number)
        return power >= POWER

    return _smallest(passes)


def levels_power(
    levels: Sequence[float],
    rows: float,
    limit: float,
    *,
    under: bool = True,
    over: bool = True,
    effect: float = 1.0,
    freedom: float | None = None,
    number: float | None = None,
) -> float:
    """Return the probability that exact shares are proven to be within the limit of their levels."""
    rate = np.asarray(levels, dtype=np.float64)
    n = _counted(np.full(rate.shape, rows / effect), rate, number) * _spent(freedom)
    below, above = (limit if side else math.inf for side in (under, over))
    return float(np.prod(_kept(n, rate, below, above)))


def auc_limit(
    rate: float, rows: float, *, effect: float = 1.0, freedom: float | None = None, number: float | None = None
) -> float:
    """Return the smallest margin at which a model as good as the champion is proven not to be worse, in 8 of 10 runs.

    Assumes areas of AREA (their variance by Hanley, McNeil 1982) and a paired difference whose standard error is
    PAIRED times smaller than that of two models on different rows; how alike two models are is not known before.
    Infinite without both classes.
    """
    positives, negatives = rate * rows / effect, (1 - rate) * rows / effect
    if min(positives, negatives) < 1:
        return math.inf
    above, below = AREA / (2 - AREA), 2 * AREA**2 / (1 + AREA)
    spread = AREA * (1 - AREA) + (positives - 1) * (above - AREA**2) + (negatives - 1) * (below - AREA**2)
    error = math.sqrt(2 * spread / (positives * negatives)) / PAIRED
    z, rarer = float(quantiles(freedom)[0]), min(positives, negatives)
    few = z**2 / (rarer if number is None else unseen(rarer, error**2 * rarer, min(number, rarer)))
    return math.hypot(z * error, few) + _Z_POWER * error


def rows_needed(limit: Callable[[float], float], wanted: float) -> int | None:
    """Return the fewest rows whose limit is at most the wanted one, to two digits upwards; None beyond MOST_ROWS.

    Parameters
    ----------
    limit: rows to the smallest limit that they can show, falling.
    """
    low, high = 0.0, math.log(MOST_ROWS)
    if wanted <= 0 or limit(math.exp(high)) > wanted:
        return None
    while high - low > 1e-2:
        middle = (low + high) / 2
        low, high = (low, middle) if limit(math.exp(middle)) <= wanted else (middle, high)
    rows = math.exp(high)
    step = int(10 ** max(0, math.floor(math.log10(rows)) - 1))
    return math.ceil(rows / step) * step


def design_effect(events: Floats, rows: Floats) -> float:
    """Return by how much clusters inflate the variance of a rate, at least 1, of events and rows by cluster.

    Of the labels themselves: what a model explains of the clusters makes it smaller. (Korn, Graubard 1998.)
    """
    total = float(rows.sum())
    rate = float(events.sum()) / total
    if rows.size < 2 or not 0 < rate < 1:
        return 1.0
    return max(1.0, Clusters.of(rows).variance(events - rate * rows) / (total * rate * (1 - rate)))


def _shared(scores: Scores, effect: float) -> float:
    """What rows of a cluster add to the variance of a mean residual, times the rows, where labels have this effect.

    What the labels of a cluster share stays whole in the residuals, of which each row has less variance than its label.
    """
    rate = float(scores.share @ scores.mean)
    return (effect - 1) * rate * (1 - rate)


def _counted(rows: Floats, rate: Floats, number: float | None) -> Floats:
    """The rows that limits of a share stand on, those on its longer side."""
    return rows if number is None else unseen(rows, np.minimum(rate, 1 - rate), np.minimum(number, rows))


def _spent(freedom: float | None) -> float:
    """Korn and Graubard spend the degrees of freedom on the number of rows."""
    return float((quantiles(None)[0] / quantiles(freedom)[0]) ** 2)


def _kept(n: Floats, rate: Floats, below: float, above: float) -> Floats:
    """Probability that Clopper-Pearson's limits at .95 lie within (rate - below, rate + above), at a true rate."""
    from scipy.stats import binom

    size = np.maximum(1, np.round(n))
    # The limit above stays under rate + above from as few events on as that rate itself would give in .05 of runs.
    top, bottom = rate + above, rate - below
    most = np.where(top >= 1, size, binom.ppf(0.05, size, np.clip(top, 0, 1)) - 1)
    least = np.where(bottom <= 0, 0, binom.isf(0.05, size, np.clip(bottom, 0, 1)) + 1)
    return np.asarray(binom.cdf(most, size, rate) - binom.cdf(least - 1, size, rate), dtype=np.float64).clip(0, 1)


def _smallest(passes: Callable[[float], bool]) -> float:
    """The smallest limit in (0, 1] that passes, to 2e-4; 1 where none does."""
    low, high = 0.0, 1.0
    while high - low > 2e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high
