"""Expected calibration error from binned sums, with bounds that hold for finite tables and for clustered rows.

Spec: statistics.md, section 1. Notation: d_b = mean of y - p in bin b, w_b its share of the rows.

- Estimate: the plug-in T = sum w |d|. It is biased upwards by the noise of each bin; `debiased` takes that out
  (Kumar, Liang, Ma 2019, arXiv 1909.10155, the L1 form).
- Upper: sum w sign(delta) d, with the true signs, is a mean over all rows whose expectation is the ECE and which never
  exceeds T; so one central limit theorem for all rows serves, and no bin needs its own.
- Lower: of a calibrated model T is a sum of folded normals; its quantile is taken from the Gamma with the same mean
  and variance.

Both bounds hold a further z^2/N in quadrature, the rule of three: a slice without a single event, or with only one,
has next to no empirical variance and proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gates.measure.stats.cells import Cells
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints, quantiles, ranked, totals
from gates.records import Reason

_FOLDED_MEAN = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class _Noise:
    """Standard error of each bin's gap, shape (bins,), and their covariance, shape (bins, bins)."""

    error: Floats
    covariance: Floats


def ece(cells: Cells, *, minimum_clusters: int) -> Figure | Reason:
    """Return the expected calibration error, in [0, 1], debiased too.

    Returns
    -------
    Reason.EMPTY_TABLE without rows; Reason.FEW_CLUSTERS with fewer than `minimum_clusters` clusters.
    """
    clusters = cells.clusters
    if cells.rows == 0:
        return Reason.EMPTY_TABLE
    if clusters is not None and clusters < minimum_clusters:
        return Reason.FEW_CLUSTERS
    bins = cells.by_bin()
    rows = bins.n.sum()
    gap, share = bins.residual / bins.n, bins.n / rows
    plug_in = float(share @ np.abs(gap))
    noise = _noise(cells, bins, gap)
    z = quantiles(clusters)
    few = z**2 / rows
    upper = plug_in + np.hypot(z * math.sqrt(_mean_variance(cells, bins, gap, plug_in)), few)
    lower = plug_in - np.hypot(_null_quantiles(share, noise, clusters), few)
    return Figure(
        plug_in,
        np.maximum(0.0, lower),
        np.minimum(1.0, upper),
        int(rows),
        clusters,
        _debiased(plug_in, share, gap, noise),
    )


def squared_error(cells: Cells, *, minimum_clusters: int) -> float | Reason:
    """Return the debiased squared L2 calibration error, sum w (d^2 - s^2); it may be negative (Kumar 2019)."""
    clusters = cells.clusters
    if cells.rows == 0:
        return Reason.EMPTY_TABLE
    if clusters is not None and clusters < minimum_clusters:
        return Reason.FEW_CLUSTERS
    bins = cells.by_bin()
    gap = bins.residual / bins.n
    noise = _noise(cells, bins, gap)
    return float(bins.n @ (gap**2 - noise.error**2)) / cells.rows


def _mean_variance(cells: Cells, bins: Cells, gap: Floats, plug_in: float) -> float:
    """Variance of the mean of sign(d)(y - p): by rows, and by clusters signed and unsigned; the largest.

    The signs come from the data. A shock that a cluster's rows share can turn the sign of a whole bin and so hide from
    the signed sums; the unsigned ones see it.
    """
    rows = float(bins.n.sum())
    brier = float((bins.y - 2 * bins.py + bins.pp).sum()) / rows
    independent = max(0.0, brier - plug_in**2) / rows
    if cells.cluster is None:
        return independent
    sign = np.where(gap < 0, -1.0, 1.0)[np.searchsorted(bins.bin, cells.bin)]
    clusters, code = ranked(cells.cluster)
    n = totals(code, cells.n)
    signed = totals(code, sign * cells.residual) - plug_in * n
    mean = float(bins.residual.sum()) / rows
    unsigned = totals(code, cells.residual) - mean * n
    correction = clusters / (clusters - 1)
    return max(independent, *(correction * float(e @ e) / rows**2 for e in (signed, unsigned)))


def _noise(cells: Cells, bins: Cells, gap: Floats) -> _Noise:
    """Return what chance alone does to the gaps: the larger of data and model within a bin, and of rows and clusters."""
    model = (bins.p - bins.pp) / bins.n
    spread = bins.y - 2 * bins.py + bins.pp - bins.n * gap**2
    data = np.where(bins.n > 1, spread / np.maximum(bins.n - 1, 1), 0.0)
    independent = np.maximum(np.maximum(data, model), 0.0) / bins.n
    if cells.cluster is None:
        return _Noise(np.sqrt(independent), np.diag(independent))
    clustered = _cluster_covariance(cells, cells.cluster, bins, gap)
    variance = np.maximum(independent, np.diag(clustered))
    np.fill_diagonal(clustered, variance)
    return _Noise(np.sqrt(variance), clustered)


def _cluster_covariance(cells: Cells, cluster: Ints, bins: Cells, gap: Floats) -> Floats:
    """Return the covariance of the bins' gaps from cluster totals: a shock that a cluster shares moves many bins."""
    from scipy.sparse import csr_array

    column = np.searchsorted(bins.bin, cells.bin)
    clusters, code = ranked(cluster)
    deviation = (cells.residual - gap[column] * cells.n) / bins.n[column]
    by_cluster = csr_array((deviation, (code, column)), shape=(clusters, bins.n.size))
    product = (by_cluster.T @ by_cluster).toarray()
    return np.asarray(product * (clusters / (clusters - 1)), dtype=np.float64)


def _null_quantiles(share: Floats, noise: _Noise, clusters: int | None) -> Floats:
    """Quantiles, at the rungs, of T for a calibrated model: Gamma with the moments of the sum of folded normals."""
    from scipy.special import gammaincinv

    z = quantiles(clusters)
    mean = _FOLDED_MEAN * float(share @ noise.error)
    weight = share * noise.error
    scale = np.outer(noise.error, noise.error)
    rho = np.clip(np.divide(noise.covariance, scale, out=np.zeros_like(scale), where=scale > 0), -1.0, 1.0)
    # E|X||Y| of two normals with correlation rho is (2/pi)(rho asin rho + sqrt(1 - rho^2)), in their deviations.
    folded = (2 / math.pi) * (rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - 1)
    variance = float(weight @ folded @ weight)
    if mean <= 0 or variance <= 0:
        return np.zeros_like(z)
    quantile = np.asarray(gammaincinv(mean**2 / variance, RUNGS), dtype=np.float64) * variance / mean
    return quantile * (z / quantiles(None))


def _debiased(plug_in: float, share: Floats, gap: Floats, noise: _Noise) -> float:
    """Kumar's L1: twice T less what T would average if the gaps seen were the true ones; not below 0."""
    from scipy.special import ndtr

    error, size = noise.error, np.abs(gap)
    # Beyond 30 standard errors no draw turns its sign; so also where the error is 0.
    known = size >= 30 * error
    ratio = np.divide(size, error, out=np.zeros_like(gap), where=~known)
    folded = error * (_FOLDED_MEAN * np.exp(-(ratio**2) / 2) + ratio * (1 - 2 * ndtr(-ratio)))
    expected = float(share @ np.where(known, size, folded))
    return max(0.0, 2 * plug_in - expected)
