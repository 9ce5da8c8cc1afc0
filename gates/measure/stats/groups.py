"""How far the rates of groups lie apart: the largest difference and the smallest ratio, with bounds that hold for them.

The quantity is the spread over all groups, highest less lowest rate or lowest over highest: what fairlearn calls
`demographic_parity_difference` and `_ratio` (of the selection rate), and, as the larger of two, `equalized_odds_difference`
(of the true and the false positive rate). The spread seen is biased upwards, and its highest and lowest group are chosen
by the data, so no interval of those two rates holds for it. Instead every pair is a claim of its own:

- The groups stand in the order of their rows, the largest first, fixed before any outcome is looked at. The figure of a
  group is its largest difference (smallest ratio) from the groups before it. So each pair belongs to one figure, a tiny
  group makes its own figure wide and no other, and the largest of the figures is fairlearn's.
- The bound that a pass needs is the worst of the pairs' bounds at the same confidence: whichever pair is truly the
  farthest apart, its bound is under the worst one (intersection-union, statistics.md, section 0).
- The bound that a fail needs is the best of the pairs' bounds, each at 1 - (1 - c) / 2k for k pairs with two sides
  (Bonferroni).

A pair's limits come from the exact limits of the two rates, by square-and-add: Newcombe (Statistics in Medicine 1998)
for the difference, Donner and Zou (Statistical Methods in Medical Research 2012, equation 9) for the ratio, both with
Clopper-Pearson's limits in place of Wilson's, which hold for a group without a single event. Rows in clusters and weights
come in by the number of effective rows (Korn and Graubard 1998; `proportions`), of the pair: clusters that both groups
share make their difference more certain, or less, and that is seen in the sums of both. Of weighted rows both rates' limits
hold what heavy rows never seen could do (`proportions`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gates.measure.stats.clusters import Clusters, heavy_rows, unseen
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints
from gates.measure.stats.proportions import further, widened
from gates.records import Reason


@dataclass(frozen=True)
class Group:
    """Sums over a group's rows that a rate is of; every array has shape (cells,).

    Attributes
    ----------
    hits, n: weights of the rows that count, and of all. hits_squared, n_squared: the same with squared weights.
    rows: how many rows. cluster: codes by cell, the same for all groups; None where rows are taken as independent.
    heaviest: the largest weight that a row can have; None where rows have no weights.
    """

    hits: Floats
    n: Floats
    hits_squared: Floats
    n_squared: Floats
    rows: int
    cluster: Ints | None = None
    heaviest: float | None = None

    @property
    def rate(self) -> float:
        return float(self.hits.sum() / self.n.sum())

    @cached_property
    def clusters(self) -> Clusters | None:
        return None if self.cluster is None else Clusters.by(self.cluster, self.n)

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of the rate's variance over clusters; infinite where rows are taken as independent."""
        if self.clusters is None:
            return math.inf
        return self.clusters.freedom_of(self.clusters.sums(self.hits - self.rate * self.n))

    @property
    def effective(self) -> float:
        """Rows that an unweighted table would need for the same variance, at most Kish's number."""
        total, rate = float(self.n.sum()), self.rate
        kish = total**2 / float(self.n_squared.sum())
        squares = float(self.hits_squared.sum()) * (1 - 2 * rate) + rate**2 * float(self.n_squared.sum())
        return min(kish, rate * (1 - rate) * total**2 / squares) if 0 < rate < 1 and squares > 0 else kish

    @property
    def heavy(self) -> float:
        """Rows of the heaviest weight that would weigh as much; infinite where rows have no weights."""
        return heavy_rows(float(self.n.sum()), self.heaviest)


@dataclass(frozen=True)
class Disparity:
    """A group against every larger one.

    Attributes
    ----------
    difference: the largest absolute difference of the rates, in [0, 1].
    ratio: the smallest ratio of the lower to the higher rate, in [0, 1]; of two rates of 0 it is 1.
    """

    difference: Figure | Reason
    ratio: Figure | Reason


def disparities(groups: Sequence[Group], *, minimum_clusters: int) -> list[Disparity | None]:
    """Return each group's disparity; None for the largest, which has no larger one to stand beside.

    Returns
    -------
    Reason.ONE_CLASS for a group without rows that the rate is of, Reason.FEW_CLUSTERS for one in fewer than
    `minimum_clusters` clusters; Reason.ONE_GROUP for all where no two groups have such rows.
    """
    if sum(group.rows > 0 for group in groups) < 2:
        return [Disparity(Reason.ONE_GROUP, Reason.ONE_GROUP)] * len(groups)
    found: list[Disparity | None] = [Disparity(Reason.ONE_CLASS, Reason.ONE_CLASS)] * len(groups)
    order = sorted((i for i, group in enumerate(groups) if group.rows > 0), key=lambda i: (_size(groups[i]), -i))[::-1]
    rates = np.array([groups[i].rate for i in order])
    rows = np.array([groups[i].effective for i in order])
    heavy = np.array([groups[i].heavy for i in order])
    shared = _covariance([groups[i] for i in order])
    found[order[0]] = None
    for place, i in enumerate(order[1:], start=1):
        clusters = groups[i].clusters
        if clusters is not None and clusters.few(minimum_clusters):
            found[i] = Disparity(Reason.FEW_CLUSTERS, Reason.FEW_CLUSTERS)
        else:
            here = [own for j in order[: place + 1] if (own := groups[j].clusters) is not None]
            freedom = min(groups[j].freedom for j in order[: place + 1])
            found[i] = _disparity(groups[i], _Pairs.of(place, rates, rows, heavy, shared, here, freedom))
    return found


def _size(group: Group) -> tuple[int, int]:
    return group.clusters.count if group.clusters else 0, group.rows


def _covariance(groups: Sequence[Group]) -> Floats | None:
    """Return the covariance of the rates from cluster totals, shape (groups, groups)."""
    from scipy.sparse import csr_array

    off, codes = [], []
    for group in groups:
        if group.cluster is None or group.clusters is None:
            return None
        raised = group.clusters.jackknife[group.clusters.code]
        off.append((group.hits - group.rate * group.n) / group.n.sum() * raised)
        codes.append(group.cluster)
    cells = np.repeat(np.arange(len(groups)), [group.n.size for group in groups])
    totals = csr_array((np.concatenate(off), (cells, np.concatenate(codes))))
    return np.asarray((totals @ totals.T).toarray(), dtype=np.float64)


@dataclass(frozen=True)
class _Pairs:
    """One group beside k larger ones.

    Attributes
    ----------
    rate: the group's own. others: of the larger ones, shape (k,).
    own_rows, rows: effective rows of the group and of each other, within the pair, both of shape (k,).
    own_heavy, heavy: rows of the heaviest weight that would weigh as much, of the group and, shape (k,), of each other.
    clusters: of the larger ones and then of the group, shape (k + 1,); none where rows are taken as independent.
    freedom: the fewest degrees of freedom of their rates.
    """

    rate: float
    others: Floats
    own_rows: Floats
    rows: Floats
    own_heavy: float
    heavy: Floats
    clusters: Sequence[Clusters]
    freedom: float

    @classmethod
    def of(
        cls,
        place: int,
        rates: Floats,
        rows: Floats,
        heavy: Floats,
        shared: Floats | None,
        clusters: Sequence[Clusters],
        freedom: float,
    ) -> _Pairs:
        others, beside, heavies = rates[:place], rows[:place], (float(heavy[place]), heavy[:place])
        own_rows = np.full(place, rows[place])
        if shared is None:
            return cls(float(rates[place]), others, own_rows, beside, *heavies, (), freedom)
        independent = rates[place] * (1 - rates[place]) / own_rows + others * (1 - others) / beside
        between = shared[place, place] + np.diag(shared)[:place] - 2 * shared[place, :place]
        effect = np.maximum(
            1.0, np.divide(np.maximum(0.0, between), independent, out=np.ones(place), where=independent > 0)
        )
        return cls(float(rates[place]), others, own_rows / effect, beside / effect, *heavies, clusters, freedom)

    def limits(self, tails: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return lower and upper limits of the own rate and of the others', each of shape (k, 9)."""
        factor = _student(tails, self.freedom if self.clusters else None)
        heavy = np.full(self.others.size, self.own_heavy)
        own = _exact(np.full(self.others.size, self.rate), self.own_rows, heavy, self.clusters[-1:], factor, tails)
        return (*own, *_exact(self.others, self.rows, self.heavy, self.clusters[:-1], factor, tails))

    def difference(self, tails: Floats) -> tuple[Floats, Floats]:
        """Return limits of own less other rate, each of shape (k, 9)."""
        low, high, other_low, other_high = self.limits(tails)
        own, other = self.rate, self.others[:, None]
        return (own - other) - np.hypot(own - low, other_high - other), (own - other) + np.hypot(
            high - own, other - other_low
        )

    def ratio(self, tails: Floats) -> tuple[Floats, Floats]:
        """Return limits of own over other rate, each of shape (k, 9); infinite where the other may be 0."""
        low, high, other_low, other_high = self.limits(tails)
        own, other = self.rate, self.others[:, None]
        product = own * other
        # The ratios at which own less ratio times other has 0 as a limit: roots of one quadratic equation for each side,
        # written so that neither a zero nor a cancelled leading term is divided by.
        below, leading = low * (2 * own - low), other_high * (2 * other - other_high)
        bottom = product + np.sqrt(np.maximum(0.0, product**2 - leading * below))
        lower = np.divide(below, bottom, out=np.zeros_like(bottom), where=bottom > 0)
        above, leading = high * (2 * own - high), other_low * (2 * other - other_low)
        top = product + np.sqrt(np.maximum(0.0, product**2 - leading * above))
        return lower, np.divide(top, leading, out=np.full_like(top, np.inf), where=leading > 0)


def _student(tails: Floats, freedom: float | None) -> Floats | float:
    """What Korn and Graubard take off the effective rows for the degrees of freedom, by confidence."""
    from scipy.special import ndtri, stdtrit

    return 1.0 if freedom is None else np.asarray((ndtri(tails) / stdtrit(freedom, tails)) ** 2, dtype=np.float64)


def _exact(
    rate: Floats, rows: Floats, heavy: Floats, clusters: Sequence[Clusters], factor: Floats | float, tails: Floats
) -> tuple[Floats, Floats]:
    """Return Clopper-Pearson limits at effective rows, those that speak of what was never seen; each of shape (k, 9)."""
    from scipy.special import betaincinv, ndtri

    r = rate[:, None]
    sizes = [_unseen(rows, share, clusters)[:, None] for share in (1 - rate, rate)]
    below, above = (size * factor + 0 * tails for size in sizes)
    with np.errstate(invalid="ignore"):
        lower = np.where(r > 0, betaincinv(below * r, below * (1 - r) + 1, tails), 0.0)
        upper = np.where(r < 1, 1 - betaincinv(above * (1 - r), above * r + 1, tails), 1.0)
    few = np.maximum(ndtri(tails) ** 2 / factor, -np.log(tails))
    down, up = (further(few, size, heavy[:, None]) for size in sizes)
    lower, upper = widened(lower, r, -down), widened(upper, r, up)
    # Never beyond the rate itself, whatever the last digits say.
    return np.minimum(lower, r), np.maximum(upper, r)


def _unseen(rows: Floats, share: Floats, clusters: Sequence[Clusters]) -> Floats:
    if not clusters:
        return rows
    number = np.array([each.number for each in clusters])
    return np.minimum(rows, unseen(rows, share, number))


def _disparity(group: Group, pairs: _Pairs) -> Disparity:
    own, others = pairs.rate, pairs.others
    apart = float(np.abs(own - others).max())
    higher = np.maximum(own, others)
    share = float(np.divide(np.minimum(own, others), higher, out=np.ones_like(higher), where=higher > 0).min())
    tails = 1 - RUNGS
    strict = tails / (2 * others.size)
    low, high = pairs.difference(tails)
    strict_low, strict_high = pairs.difference(strict)
    difference = Figure(
        apart,
        np.maximum(0.0, np.maximum(strict_low, -strict_high).max(axis=0)),
        np.minimum(1.0, np.maximum(high, -low).max(axis=0)),
        group.rows,
    ).among(group.clusters)
    return Disparity(difference, _ratio(group, pairs, share, tails, strict))


def _ratio(group: Group, pairs: _Pairs, share: float, tails: Floats, strict: Floats) -> Figure:
    low, high = pairs.ratio(tails)
    strict_low, strict_high = pairs.ratio(strict)
    lower = np.minimum(low, 1 / high).min(axis=0)
    inverse = np.divide(1.0, strict_low, out=np.full_like(strict_low, np.inf), where=strict_low > 0)
    upper = np.minimum(strict_high, inverse).min(axis=0)
    return Figure(share, lower, np.minimum(1.0, upper), group.rows).among(group.clusters)
