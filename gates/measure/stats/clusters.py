"""Groups of rows that hang together: the variance of a mean over them, and how many groups there are in effect.

One rule for every figure. h are the clusters' shares of the rows (of their weights), e a cluster's sum of deviations
from the mean, as a share of all rows; G clusters.

- Variance: the jackknife's, (G - 1)/G sum (e / (1 - h))^2, since without a cluster the mean moves by e / (1 - h). Where
  all clusters are of one size it is G/(G - 1) sum e^2; where one holds half of the rows that formula sees a quarter of
  what the cluster does, as it pulls the mean towards itself (MacKinnon, Nielsen, Webb 2023, Journal of Applied
  Econometrics 38, CV3; Bell and McCaffrey 2002).
- Degrees of freedom: those with which Student's t has the second moment of the mean over its standard error. By the
  delta method, for clusters whose rows share a normal shock, that is 1 + 4 S - 3 H + 1/G with H = sum h^2 and
  S = sum h^3 / H; so 2 / (4 S - 3 H + 1/G) clusters, which is G where all are of one size, less one. Never more than the
  number below less one. A few large clusters beside many small ones are what it is for: with three that hold half of
  the rows of 150, it gives false proof .042 where .05 is promised, G - 1 gives .089 (`tests/oracles/test_stats_clusters.py`).
  Satterthwaite's (Carter, Schnepel, Steigerwald 2017; Bell and McCaffrey 2002) leave out that a large cluster is in the
  mean as in its error: right or too few, and for Pareto sizes a third of these.
  Never more than 1 / x - 1 either (`freedom_of`), where x = sum e^4 / (sum e^2)^2 - 3 sum h^4 / (sum h^2)^2 is above 0: the
  first term is one over the number of clusters that carry the variance, the second what it is of normal shocks. Where
  few clusters are bad and the others alike, the variance seen is small just where few of the bad ones were: of 200
  clusters, .03 of them bad, coverage was proven higher than it is in .09 of runs, now in hardly any
  (`docs/study/few.md`); for normal shocks the bounds at .95 are .01 to .03 wider.
- Number: (sum n)^2 / sum n^2 (Kish 1965), as many clusters of one size would say as much. It is what a report says and
  what counts as few.
- Rows that speak of what was never seen (`unseen`), the n of the rule of three: what no row shows, such as an event among
  scores near 0, comes to whole clusters or to single rows, and only what was seen can tell which. Let n be the rows over
  the design effect and s the share of rows that surprise, so that s n independent surprises were seen. Each says that the rows are worth n; one more, never seen, is worth
  the number of clusters G: 1/n' = (s n (1/n) + 1/G) / (s n + 1). So n' is G where nothing was seen and n where much was.
  It cannot know of surprises that hang together otherwise than those seen do (`docs/adr/0010`). Of outcomes, s is their
  squared deviation over the square of the largest there can be: scores that lie close to 0 each deviate a little and tell
  nothing of how events come. Of the ranks that two models give, which follow from the same features whether they are far
  apart or near, any row that deviates counts (`deviating`).
- Weights: one more row of weight W moves a weighted mean by W / sum w. So n', of rows in clusters or not, is at most
  sum w / W, W the heaviest that a row can be (`heavy_rows`): Kish's number is of the rows that were seen, and larger. Of
  10,000 rows with a thousandth that weigh 100 times the others, Kish's are 1,100 and these 110. With Kish's, an error in
  such rows alone was proven not to be in .06 to .23 of runs where .05 is promised (docs/study/unseen.md). Limits of a
  weighted sum of counts stand on the largest weight for the same reason (Fay and Feuer 1997, Statistics in Medicine 16).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from gates.measure.stats.figure import Floats, Ints, Mask, ranked, settled, totals

_ROUNDING = 1e-9
"""Surprises, or a deviation, under which there is none."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of rows.

    Attributes
    ----------
    share: of the rows' weights, shape (clusters,), sum 1; those of 0 are no clusters.
    code: the cluster of each cell, shape (cells,).
    """

    share: Floats
    code: Ints

    @classmethod
    def of(cls, weight: Floats) -> Clusters:
        """Return clusters of which each cell is one.

        Parameters
        ----------
        weight: sums of weights, shape (clusters,); above 0 in one at least.
        """
        return cls(weight / weight.sum(), np.arange(weight.size))

    @classmethod
    def by(cls, code: Ints, weight: Floats) -> Clusters:
        """Return clusters of cells: codes and sums of weights by cell, each of shape (cells,)."""
        place = ranked(code)[1]
        by_cluster = totals(place, weight)
        return cls(by_cluster / by_cluster.sum(), place)

    @cached_property
    def count(self) -> int:
        return int(np.count_nonzero(self.share))

    @cached_property
    def number(self) -> float:
        """As many clusters of one size would say as much; 1 to `count`."""
        return 1 / self._squares

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of the variance, 1 to `count` - 1."""
        squares = self._squares
        lopsided = float((self.share**3).sum()) / squares
        return max(1.0, min(self.number, 2 / (4 * lopsided - 3 * squares + 1 / self.count)) - 1)

    @cached_property
    def _squares(self) -> float:
        return float(self.share @ self.share)

    @cached_property
    def jackknife(self) -> Floats:
        """What each cluster's sum is multiplied by, so that the squares add up to the variance; shape (clusters,)."""
        rest = np.maximum(1 - self.share, np.finfo(np.float64).eps)
        return np.asarray(np.sqrt((self.count - 1) / self.count) / rest, dtype=np.float64)

    @cached_property
    def raised(self) -> float:
        """By how much the jackknife's standard error exceeds the one of plain sums, where a cluster's rows share a shock."""
        plain = self.share**2 * (1 - 2 * self.share + self._squares)
        return float(np.sqrt((plain @ self.jackknife**2) / plain.sum()))

    def sums(self, deviation: Floats) -> Floats:
        """Return the clusters' sums of a deviation by cell, as the variance takes them; shape (clusters,)."""
        return totals(self.code, deviation, self.share.size) * self.jackknife

    def freedom_of(self, sums: Floats) -> float:
        """Degrees of freedom of the variance that is the sum of squares of these (`sums`), 1 to `freedom`."""
        square = sums**2
        total = float(square.sum())
        if total <= 0:
            return self.freedom
        excess = float(square @ square) / total**2 - 3 * float((self.share**4).sum()) / self._squares**2
        return self.freedom if excess * (self.freedom + 1) <= 1 else max(1.0, 1 / excess - 1)

    def variance(self, deviation: Floats) -> float:
        """Return the variance of the sum of a deviation by cell, shape (cells,), that is 0 over all cells."""
        sums = self.sums(deviation)
        return float(sums @ sums)

    def few(self, minimum: int) -> bool:
        """Whether they are in effect fewer than a minimum, to the nearest whole number."""
        return round(self.number) < minimum


_Number = TypeVar("_Number", float, Floats)


def unseen(rows: _Number, share: _Number, number: _Number) -> _Number:
    """Return as many independent rows as would say as much of what was never seen, by element.

    Parameters
    ----------
    rows: over the design effect. share: of the rows that surprise, at least 0. number: of clusters of one size.
    """
    return (1 + share * rows) / (share + 1 / number)


def heavy_rows(weight: float, heaviest: float | None) -> float:
    """Return how many rows of the heaviest weight would weigh as much; infinite where rows have no weights.

    Parameters
    ----------
    weight: sum of the weights of the rows that a figure is of.
    heaviest: that a row can be: the heaviest of the whole table. A slice's own says too little, since its heavy rows may
        be just those that were never seen: of 300 rows of which a hundredth weighs 50 times the others, .05 of slices
        show none.
    """
    return math.inf if heaviest is None else weight / heaviest


def unseen_rows(
    clusters: Clusters | None,
    rows: float,
    independent: float,
    variance: float,
    *,
    share: float,
    heavy: float = math.inf,
) -> float:
    """Return the n of the rule of three, z^2 / n, beside a figure whose rows come in clusters.

    Parameters
    ----------
    clusters: None where rows are taken as independent: n is then `rows`, at most `heavy`.
    rows: that would say as much without weights. independent, variance: of the figure, by rows and as it is taken.
    share: of the rows that surprise, 0 to 1. heavy: what n is at most (`heavy_rows`).
    """
    if clusters is None:
        return min(rows, heavy)
    # What rounding leaves of rows that are all the same says nothing of how they hang together.
    if share * rows < _ROUNDING or variance <= 0:
        return min(clusters.number, heavy)
    seen = rows * min(1.0, independent / variance)
    return min(seen, unseen(seen, share, clusters.number), heavy)


def deviating(deviation: Floats) -> float:
    """Return the share of the rows that deviate, each as much as it does: 1 where all do alike, 0 where none does.

    Parameters
    ----------
    deviation: by row, shape (rows,), in a unit that is much. The answer does not depend on their order.
    """
    most = float(np.abs(deviation).max(initial=0.0))
    if most < _ROUNDING:
        return 0.0
    square = np.sort((deviation / most) ** 2)
    return float(square.sum() ** 2 / (square.size * (square**2).sum()))


def fewest(groups: Sequence[Clusters]) -> Clusters:
    """Return the clusters of the rows, of several kinds that a figure stands on, with the fewest degrees of freedom."""
    return min(groups, key=lambda each: (each.freedom, each.number))


def fewest_known(groups: Iterable[Clusters | None]) -> Clusters | None:
    """Return the same of those that are known; None where none is, and rows are taken as independent."""
    known = [each for each in groups if each is not None]
    return fewest(known) if known else None


@dataclass(frozen=True)
class OfClasses(Clusters):
    """Clusters of rows of two classes, each a sample of its own: the one in fewer clusters says how many there are.

    Attributes
    ----------
    event: which rows are of the first class, shape (rows,). sides: clusters of either class, one numbering for all.
    """

    event: Mask
    sides: tuple[Clusters, Clusters]

    @classmethod
    def of_rows(cls, cluster: Ints, event: Mask, weight: Floats | None = None) -> OfClasses:
        """Return the clusters of rows: codes, classes and weights by row, each of shape (rows,), both classes there."""
        size, code = ranked(cluster)
        # A grid, so that the sums do not depend on the order of the rows.
        counted = np.ones(event.size) if weight is None else settled(weight)
        one, two = (totals(code[rows], counted[rows], size) for rows in (event, ~event))
        sides = (Clusters(one / one.sum(), code[event]), Clusters(two / two.sum(), code[~event]))
        return cls((one + two) / (one + two).sum(), code, event, sides)

    @cached_property
    def number(self) -> float:
        return min(side.number for side in self.sides)

    @cached_property
    def freedom(self) -> float:
        return min(side.freedom for side in self.sides)

    def sums(self, deviation: Floats) -> Floats:
        first, second = self.sides
        return first.sums(deviation[self.event]) + second.sums(deviation[~self.event])
