"""The sums that the calibration figures are made of, by cell: a cluster's rows in a bin, or a part of them.

All five sums add up over any split of the rows, so an engine computes them in one GROUP BY.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gates.measure.stats.figure import Floats, Ints, Mask, ranked, totals


@dataclass(frozen=True)
class Cells:
    """Sums over the rows of each cell; every array has shape (cells,).

    Attributes
    ----------
    bin: bin codes, 0 to bins - 1. n: rows. p, pp, y, py: sums of the score, its square, the outcome, their product.
    cluster: cluster codes, 0 to clusters - 1; None where rows are taken as independent.
    """

    bin: Ints
    n: Floats
    p: Floats
    pp: Floats
    y: Floats
    py: Floats
    cluster: Ints | None = None

    @property
    def rows(self) -> int:
        return int(self.n.sum())

    @property
    def clusters(self) -> int | None:
        """How many clusters have rows here; None where rows are taken as independent."""
        return None if self.cluster is None else ranked(self.cluster)[0]

    @property
    def residual(self) -> Floats:
        """Sums of y - p, shape (cells,)."""
        return self.y - self.p

    def select(self, mask: Mask) -> Cells:
        """Return the cells under a mask, shape (cells,)."""
        cluster = None if self.cluster is None else self.cluster[mask]
        return Cells(self.bin[mask], self.n[mask], self.p[mask], self.pp[mask], self.y[mask], self.py[mask], cluster)

    def by_bin(self) -> Cells:
        """Add up over clusters: one cell for each bin that has rows, ascending."""
        code = ranked(self.bin)[1]
        n, p, pp, y, py = (totals(code, values) for values in (self.n, self.p, self.pp, self.y, self.py))
        return Cells(np.unique(self.bin), n, p, pp, y, py)
