"""Spiegelhalter's Z: could every score be the row's own probability? Reported beside the calibration error; it decides nothing.

Z = sum (y - p)(1 - 2p) / sqrt(sum (1 - 2p)^2 p (1 - p)) (Spiegelhalter 1986, Statistics in Medicine 5, page 421). The sum
above is what the squared errors (y - p)^2 exceed by what they would be on the average if y followed p, and the root is
its standard error then: Z is about standard normal for a model that is exactly calibrated.

No real model is that. Of one whose true calibration error is .01, which policies accept, Z is beyond 1.96 in most tables of
10,000 rows and in all large ones; of a bad one it is within in small tables, or in any where too sure and too unsure
cancel. So neither side of it is proof of what policies ask, which is that the error is small: `ece` says that, with bounds.

With weights each row counts w times above and w^2 times under the root. With clusters the variance is the larger of the
model's own and of the clusters' (`clusters`), and the bounds are Student's. They are Z less and plus the quantile: exact
calibration is refuted on that side at each rung whose bounds leave 0 out.
"""

from __future__ import annotations

import math

from gates.measure.stats.cells import Cells
from gates.measure.stats.figure import Figure, quantiles
from gates.records import Reason

FLAT = 1e-7
"""Mean variance of a row, by the model's own word, up to which there is none: its sum is of multiples of 2^-30."""


def spiegelhalter(cells: Cells, own: float, *, minimum_clusters: int) -> Figure | Reason:
    """Return Z with its bounds, in standard errors.

    Parameters
    ----------
    cells: of any bins, for the sums of all rows alone are used. own: sum of (1 - 2p)^2 p (1 - p), with squared weights.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters; Reason.NO_SPREAD where
    all scores are 0, .5 or 1: at .5 every outcome is as far off, at 0 and 1 none should be, and nothing is left to vary.
    """
    clusters = cells.groups
    if cells.rows == 0:
        return Reason.EMPTY_TABLE
    if clusters is not None and clusters.few(minimum_clusters):
        return Reason.FEW_CLUSTERS
    if own <= FLAT * float(cells.squared.n.sum()):
        return Reason.NO_SPREAD
    surplus = cells.residual - 2 * (cells.py - cells.pp)
    total = float(surplus.sum())
    by_cluster = 0.0 if clusters is None else clusters.variance(surplus - total / float(cells.n.sum()) * cells.n)
    found = total / math.sqrt(max(own, by_cluster))
    z = quantiles(None if clusters is None else clusters.freedom)
    return Figure(found, found - z, found + z, cells.rows).among(clusters)
