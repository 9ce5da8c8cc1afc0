"""The sums that the calibration figures are made of, by cell: a cluster's rows in a bin, or a part of them.

All sums add up over any split of the rows, so an engine computes them in one GROUP BY.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gates.measure.stats.clusters import Clusters, heavy_rows
from gates.measure.stats.figure import Floats, Ints, Mask, ranked, totals


@dataclass(frozen=True)
class Cells:
    """Sums over the rows of each cell, each row times its weight; every array has shape (cells,).

    Attributes
    ----------
    bin: bin codes, 0 to bins - 1. n: weights, which are 1 where rows have none.
    p, pp, y, py: the score, its square, the outcome (0 or 1), score times outcome.
    cluster: cluster codes, 0 to clusters - 1; None where rows are taken as independent.
    squares: the same sums with squared weights; None where all weights are 1.
    count: rows; None where `n` is that.
    heaviest: the largest weight that a row can have (`clusters.heavy_rows`); None where rows have no weights.
    """

    bin: Ints
    n: Floats
    p: Floats
    pp: Floats
    y: Floats
    py: Floats
    cluster: Ints | None = None
    squares: Cells | None = None
    count: Floats | None = None
    heaviest: float | None = None

    @property
    def rows(self) -> int:
        return int((self.n if self.count is None else self.count).sum())

    @property
    def clusters(self) -> int | None:
        """How many clusters have rows here; None where rows are taken as independent."""
        return None if self.cluster is None else ranked(self.cluster)[0]

    @property
    def groups(self) -> Clusters | None:
        """The clusters that have rows here; None where rows are taken as independent."""
        return None if self.cluster is None or self.n.sum() == 0 else Clusters.by(self.cluster, self.n)

    @property
    def squared(self) -> Cells:
        """The sums with squared weights."""
        return self if self.squares is None else self.squares

    @property
    def effective(self) -> float:
        """Kish's effective number of rows, (sum w)^2 / sum w^2; the number of rows where all weights are equal."""
        return float(self.n.sum() ** 2 / self.squared.n.sum())

    @property
    def heavy(self) -> float:
        """Rows of the heaviest weight that would weigh as much; infinite where rows have no weights."""
        return heavy_rows(float(self.n.sum()), self.heaviest)

    @property
    def residual(self) -> Floats:
        """Sums of y - p, shape (cells,)."""
        return self.y - self.p

    @property
    def residual_square(self) -> Floats:
        """Sums of (y - p)^2, shape (cells,)."""
        return self.y - 2 * self.py + self.pp

    @property
    def model_variance(self) -> Floats:
        """Sums of p (1 - p), the variance of y by the model's own word, shape (cells,)."""
        return self.p - self.pp

    def select(self, mask: Mask) -> Cells:
        """Return the cells under a mask, shape (cells,)."""
        return self._each(lambda values: values[mask], self.bin[mask], _masked(self.cluster, mask))

    def by_bin(self) -> Cells:
        """Add up over clusters: one cell for each bin that has rows, ascending."""
        code = ranked(self.bin)[1]
        return self._each(lambda values: totals(code, values), np.unique(self.bin), None)

    def binned(self, code: Ints) -> Cells:
        """Return the same cells with other bin codes, shape (cells,)."""
        squares = None if self.squares is None else replace(self.squares, bin=code)
        return replace(self, bin=code, squares=squares)

    def _each(self, change: Callable[[Floats], Floats], code: Ints, cluster: Ints | None) -> Cells:
        n, p, pp, y, py = (change(values) for values in (self.n, self.p, self.pp, self.y, self.py))
        squares = None if self.squares is None else self.squares._each(change, code, cluster)  # noqa: SLF001
        count = None if self.count is None else change(self.count)
        return Cells(code, n, p, pp, y, py, cluster, squares, count, self.heaviest)


def _masked(code: Ints | None, mask: Mask) -> Ints | None:
    return None if code is None else code[mask]
