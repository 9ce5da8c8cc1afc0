"""Mean losses, their ratio, their difference and what of the spread they explain, on the same rows. Spec: statistics.md,
section 3.

The ratio's bounds are Fieller's (1954): all ratios R at which a - R b is not shown to differ from 0. At the limit of a
non-inferiority claim that is the paired test itself, and where the champion's mean loss is not clear of 0 the interval
says so by being unbounded; the delta method on the log ratio is always finite and never says so.
(`tests/oracles/test_stats_losses.py` has both in the same worlds.)

Each variance holds a further z^2 D^2 / n^2, the rule of three (n of rows in clusters: `clusters`; the rows that surprise
are the variance of both losses over D^2). A slice of 30 rows without an event has tiny, equal losses and next to no
variance, and one event would change everything; and two models that agree on all rows seen may differ in a region that
none of them is of. So D^2 is of both models, that of a plus R^2 times that of b, and does not cancel where
they agree:
- a loss with a ceiling (Brier): D is at least the ceiling, and the promise holds whatever is in the region;
- log loss: D is the root mean square of what one turned label would do to a row's loss. Its ceiling, 34.5 at the score's
  clip, would leave nothing to prove of 10,000 rows; a region where a model is much surer of itself than on all rows seen,
  and wrong, is beyond any bound from these rows;
- a loss without a ceiling has no turned label: there D is the root mean square of the loss itself (one more row like those
  seen), and the quantiles are Student's with n - 1 degrees. Nothing says what rows would look like that were never seen:
  heavy tails make few rows too sure of themselves (`tests/oracles/test_stats_numeric.py` has by how much).

Few rows that lose much make a mean skewed, which quadrature leaves out: where a candidate was sure and wrong in 5 of 10,000
rows, its log loss was proven smaller than it is in .13 of runs. So where no ceiling is counted with the half-width is
`rare`'s besides, with the farthest step that one row is seen to make (`Steps`): .03 (`docs/study/few.md`). Two models that agree row by row make none.

A difference of means knows how far apart two losses of one row can be (`mean_difference`), and takes that for D: two
models differ in what their decisions are worth only where they decide differently, and a decision turned on a row
never seen costs what it costs at worst, not what a turned label would. Few rows that cost much make it skewed, which the rule of
three in quadrature leaves out; its half-width is `rare`'s.

Weighted rows: means are of weight times loss; the variance of independent rows comes from squared weights, and n is as many
rows as weigh as much, each as heavy as the heaviest (`clusters`).

Memory: clustered figures need the sums of each cluster, 24 bytes a cluster and loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gates.measure.stats.clusters import Clusters, heavy_rows, unseen_rows
from gates.measure.stats.figure import RUNGS, Figure, Floats, quantiles, rare, three
from gates.records import Reason

RESOLUTION = 2.0**-40
"""Mean losses under this count as this: the engine's sums are exact to it, and no ratio divides by zero."""


@dataclass(frozen=True)
class Steps:
    """How far single rows were seen to lie from 0: the largest weight times loss of a row.

    Attributes
    ----------
    a, b: of each loss. apart: of |a - even b|. even: the ratio of a to b where the losses are equal, which may be in units
    of their own.
    """

    a: float
    b: float
    apart: float
    even: float = 1.0

    def at(self, ratio: float) -> float:
        """Return at least the largest |a - ratio b| of a row, for a ratio of at least 0."""
        each = max(self.a, ratio * self.b)
        # Units too far apart for a common one, or a constant, have no difference by row.
        return min(self.apart + abs(ratio - self.even) * self.b, each) if math.isfinite(self.apart) else each

    def swapped(self) -> Steps:
        return Steps(self.b, self.a, self.apart / self.even, 1 / self.even)


@dataclass(frozen=True)
class PairSums:
    """Sums over rows of the losses a (candidate) and b (champion or baseline); every array has shape (cells,).

    Attributes
    ----------
    n, a, b, aa, ab, bb: rows, losses and their products, by cell; each row counts with its weight.
    faa, fbb: sums of squares of the flips: what a turned label would add to the loss of the row; the losses' own squares
    where the losses have no ceiling.
    clustered: a cell is a cluster; else the cells are summed up.
    squares: the same sums with squared weights; None where rows have no weights.
    bounded: the losses have a ceiling; else Student's quantiles are taken.
    ceiling: the largest loss that a row can have, where it is near enough to count with; else 0.
    heaviest: the largest weight that a row can have; None where rows have no weights.
    steps: of single rows; None where the ceiling is counted with.
    """

    n: Floats
    a: Floats
    b: Floats
    aa: Floats
    ab: Floats
    bb: Floats
    faa: Floats
    fbb: Floats
    clustered: bool
    squares: PairSums | None = None
    bounded: bool = True
    ceiling: float = 0.0
    heaviest: float | None = None
    steps: Steps | None = None

    def swapped(self) -> PairSums:
        """Return the sums with the two losses in each other's place."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            aa=self.bb,
            bb=self.aa,
            faa=self.fbb,
            fbb=self.faa,
            squares=self.squares.swapped() if self.squares else None,
            steps=self.steps.swapped() if self.steps else None,
        )

    @property
    def weight(self) -> float:
        """Sum of the weights; rows, where there are none."""
        return float(self.n.sum())

    @cached_property
    def clusters(self) -> Clusters | None:
        return Clusters.of(self.n) if self.clustered else None

    @cached_property
    def between(self) -> tuple[Floats, Floats]:
        """What each cluster moves the two means, as the variance takes it, each of shape (clusters,)."""
        clusters, total = Clusters.of(self.n), self.weight
        pairs = ((each, float(each.sum()) / total) for each in (self.a, self.b))
        a, b = (clusters.sums((each - mean * self.n) / total) for each, mean in pairs)
        return a, b

    @property
    def effective(self) -> float:
        """Rows that would say as much without weights (Kish)."""
        return self.weight if self.squares is None else self.weight**2 / float(self.squares.n.sum())

    @property
    def heavy(self) -> float:
        """Rows of the heaviest weight that would weigh as much; infinite where rows have no weights."""
        return heavy_rows(self.weight, self.heaviest)


@dataclass(frozen=True)
class _Form:
    """A quadratic form in (1, -R): the variance of a - R b is aa - 2 R ab + R^2 bb."""

    aa: float
    ab: float
    bb: float

    def at(self, ratio: float) -> float:
        return max(0.0, self.aa - 2 * ratio * self.ab + ratio**2 * self.bb)


def mean_loss(
    sums: PairSums, *, minimum_clusters: int, ceiling: float = math.inf, floor: float = 0.0
) -> Figure | Reason:
    """Return the mean of loss a, within [floor, ceiling], what a single loss can be.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    reason = _unfit(sums, minimum_clusters)
    if reason is not None:
        return reason
    return _around(sums, float(sums.a.sum()) / sums.weight, 0.0, (floor, ceiling))


def mean_difference(sums: PairSums, *, apart: float, minimum_clusters: int) -> Figure | Reason:
    """Return mean a less mean b; any sign, as are a and b.

    Parameters
    ----------
    apart: how far a and b of one row can be from each other, above 0.

    Returns
    -------
    As `mean_loss`.
    """
    reason = _unfit(sums, minimum_clusters)
    if reason is not None:
        return reason
    estimate, z = float(sums.a.sum() - sums.b.sum()) / sums.weight, _quantiles(sums, 1.0)
    if not np.isfinite(z[0]):
        return _boundless(sums, estimate, (-math.inf, math.inf))
    independent, variance = (form.at(1.0) for form in _variances(sums, 1.0))
    share = min(1.0, independent * sums.effective / apart**2)
    rows = unseen_rows(sums.clusters, sums.effective, independent, variance, share=share, heavy=sums.heavy)
    half = rare(z, math.sqrt(variance), three(z) * apart / rows)
    return Figure(estimate, estimate - half, estimate + half, _rows(sums)).among(sums.clusters)


def _around(sums: PairSums, estimate: float, ratio: float, limits: tuple[float, float]) -> Figure:
    """Bounds around a mean of a - ratio b."""
    z, (low, high) = _quantiles(sums, ratio), limits
    if not np.isfinite(z[0]):
        return _boundless(sums, estimate, limits)
    variance, flips = (form.at(ratio) for form in _forms(sums, ratio))
    few = _few(sums, z, ratio)
    half = few + np.hypot(np.hypot(z * math.sqrt(variance), z**2 * math.sqrt(flips)), few)
    lower, upper = np.maximum(low, estimate - half), np.minimum(high, estimate + half)
    return Figure(estimate, lower, upper, _rows(sums)).among(sums.clusters)


def loss_ratio(sums: PairSums, *, minimum_clusters: int) -> Figure | Reason:
    """Return mean a over mean b, at least 0; the upper bound is infinite where mean b is not clear of 0.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    reason = _unfit(sums, minimum_clusters)
    if reason is not None:
        return reason
    mean_a, mean_b = (max(RESOLUTION, float(total.sum()) / sums.weight) for total in (sums.a, sums.b))
    ratio = mean_a / mean_b
    z = _quantiles(sums, ratio)
    if not np.isfinite(z[0]):
        return _boundless(sums, ratio, (0.0, math.inf))
    z2, few = z**2, mean_b * _few(sums, z, ratio)
    variance, flips = _forms(sums, ratio)

    def width(value: float, flip: float) -> Floats:
        return np.asarray(z2 * value + z2**2 * flip, dtype=np.float64)

    # (mean_b |x| - c)^2 <= z^2 variance(ratio + x) + c^2 in x, the distance from the ratio, c what few rows do: no digits are
    # lost where both models agree.
    constant = width(variance.at(ratio), flips.at(ratio))
    linear = width(ratio * variance.bb - variance.ab, ratio * flips.bb - flips.ab)
    leading = mean_b**2 - width(variance.bb, flips.bb)
    bounded = leading > 0
    safe = np.where(bounded, leading, 1.0)

    def end(middle: Floats, side: int) -> Floats:
        root = np.sqrt(np.maximum(0.0, middle**2 + leading * constant))
        return np.asarray(ratio + (middle + side * root) / safe, dtype=np.float64)

    lower = np.where(bounded, end(linear - few, -1), 0.0)
    upper = np.where(bounded, end(linear + few, 1), np.inf)
    return Figure(ratio, np.maximum(0.0, lower), upper, _rows(sums)).among(sums.clusters)


def _boundless(sums: PairSums, estimate: float, limits: tuple[float, float]) -> Figure:
    low, high = (np.full(RUNGS.size, limit) for limit in limits)
    return Figure(estimate, low, high, _rows(sums)).among(sums.clusters)


def _unfit(sums: PairSums, minimum_clusters: int) -> Reason | None:
    if sums.weight == 0:
        return Reason.EMPTY_TABLE
    return Reason.FEW_CLUSTERS if sums.clusters and sums.clusters.few(minimum_clusters) else None


def _rows(sums: PairSums) -> int:
    return round(sums.weight)


def _few(sums: PairSums, z: Floats, ratio: float) -> Floats:
    """Half of what as many rows as were expected and not seen would do to mean a - ratio mean b, if each made the farthest step."""
    step = 0.0 if sums.steps is None else sums.steps.at(ratio)
    return np.asarray(three(z) * step / sums.weight / 2, dtype=np.float64)


def _quantiles(sums: PairSums, ratio: float) -> Floats:
    if not sums.bounded and sums.steps is not None and max(sums.steps.a, sums.steps.b) == 0:
        # Nor does any number of rows without a loss say how large one is.
        return np.full(RUNGS.size, math.inf)
    if sums.clusters is not None:
        of_a, of_b = sums.between
        return quantiles(sums.clusters.freedom_of(of_a - ratio * of_b))
    if sums.bounded:
        return quantiles(None)
    # One row says nothing about a loss without a ceiling; two are the fewest that Student's t knows.
    rows = math.floor(sums.effective + 1e-9)
    return quantiles(rows - 1) if rows > 1 else np.full(RUNGS.size, math.inf)


def _forms(sums: PairSums, ratio: float) -> tuple[_Form, _Form]:
    """Variance of the means, and what the rule of three adds to it.

    The first is of rows, or of clusters where that is larger at the ratio seen.
    """
    independent, variance = _variances(sums, ratio)
    return variance, _flips(sums, ratio, independent, variance)


def _variances(sums: PairSums, ratio: float) -> tuple[_Form, _Form]:
    """Variance of the means by rows, and as it is taken."""
    independent = _independent(sums)
    variance = independent if sums.clusters is None else _between(sums)
    return independent, independent if variance.at(ratio) < independent.at(ratio) else variance


def _between(sums: PairSums) -> _Form:
    in_a, in_b = sums.between
    return _Form(float(in_a @ in_a), float(in_a @ in_b), float(in_b @ in_b))


def _independent(sums: PairSums) -> _Form:
    total = sums.weight
    a, b = float(sums.a.sum()) / total, float(sums.b.sum()) / total
    squares = sums.squares or sums
    n, sum_a, sum_b = (float(each.sum()) for each in (squares.n, squares.a, squares.b))
    scale = 1 / (total**2 * max(1 / sums.effective, 1 - 1 / sums.effective))
    return _Form(
        max(0.0, float(squares.aa.sum()) - 2 * a * sum_a + a * a * n) * scale,
        (float(squares.ab.sum()) - a * sum_b - b * sum_a + a * b * n) * scale,
        max(0.0, float(squares.bb.sum()) - 2 * b * sum_b + b * b * n) * scale,
    )


def _flips(sums: PairSums, ratio: float, independent: _Form, variance: _Form) -> _Form:
    """Variance that one turned label in all rows would add, or one row of the largest loss in either model, as a form."""
    least, rows = sums.ceiling**2, sums.effective
    of_a, of_b = (max(least, float(each.sum()) / sums.weight) for each in (sums.faa, sums.fbb))
    square, own = (_Form(a, 0.0, b).at(ratio) for a, b in ((of_a, of_b), (independent.aa, independent.bb)))
    share = min(1.0, own * rows / square) if square > 0 else 0.0
    seen = independent.at(ratio), variance.at(ratio)
    scale = 1 / unseen_rows(sums.clusters, rows, *seen, share=share, heavy=sums.heavy) ** 2
    return _Form(of_a * scale, 0.0, of_b * scale)
