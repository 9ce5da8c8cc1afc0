"""Expected calibration error from binned sums, with bounds that hold for finite tables and for clustered rows.

Spec: statistics.md, section 1. Notation: x = y - p is a row's residual, d_b the mean of x in bin b, w_b the bin's share
of the rows (of their weights, where they have any).

- Estimate: the plug-in T = sum w |d|. It is biased upwards by the noise of each bin; `debiased` takes that out
  (Kumar, Liang, Ma 2019, arXiv 1909.10155, the L1 form).
- Upper: sum w sign(delta) d, with the true signs, is a mean over all rows whose expectation is the ECE and which never
  exceeds T; so one central limit theorem for all rows serves, and no bin needs its own.
- Lower: the larger of two bounds, each of which has half of alpha (statistics.md, section 1, "Optional"). (1) T - q:
  of a calibrated model T is a sum of folded normals; its quantile q at 1 - alpha/2 is taken from the Gamma with the
  same mean and variance. (2) |mean(x)| - z se, for the mean over all rows never exceeds the ECE: a shift of all scores
  is found by it on far fewer rows. se^2 is the largest of the variances by rows, by the model's own word and by
  clusters. |mean(x)| has two tails, so z is the quantile at 1 - alpha/2 + h, where h = P(Z > |mean(x)| / se) is what
  the other tail may take; it takes half at most, where the bound is 0.

All bounds hold a further z^2/N in quadrature, the rule of three: a slice without a single event, or with only one,
has next to no empirical variance and proves nothing. With weights the variances are those of weighted means, from the
sums of squared weights, and N is the sum of weights over the heaviest (`clusters`). With clusters every z is Student's
with their degrees of freedom, N of the rule of three is the rows that speak of what was never seen (both `clusters`), and
q is stretched by its ratio to the normal one.

`slope` is the same of another residual: x = g (y - p) with g = (p - m_b) / s_b, the score standardised within its bin by
the bin's mean and standard deviation. d_b is then s_b times the slope of the residual on the score within the bin, in
units of probability; as g has mean square 1 in its bin, |d_b| is at most the root mean square of the miscalibration
within the bin (Cauchy and Schwarz). So it finds what binned ECE cannot: a sawtooth whose errors cancel in each bin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from gates.measure.stats.cells import Cells
from gates.measure.stats.clusters import Clusters, fewest, unseen_rows
from gates.measure.stats.figure import RUNGS, Figure, Floats, Ints, quantiles, ranked, totals
from gates.records import Reason

_FOLDED_MEAN = math.sqrt(2 / math.pi)

FLAT = 1e-4
"""Standard deviation of the scores of a bin under which they count as one score, which has no slope."""


@dataclass(frozen=True)
class _Terms:
    """Sums of a row's residual x by cell, each of shape (cells,).

    Attributes
    ----------
    n, x: of w and w x. nn, nx, xx, model: of w^2, w^2 x, w^2 x^2, and w^2 times the model's own variance of x.
    rows, effective, heavy, clusters: as Cells has them (`groups`).
    """

    bin: Ints
    clusters: Clusters | None
    n: Floats
    x: Floats
    nn: Floats
    nx: Floats
    xx: Floats
    model: Floats
    rows: int
    effective: float
    heavy: float

    def by_bin(self) -> _Terms:
        code = ranked(self.bin)[1]
        n, x, nn, nx, xx, model = (
            totals(code, values) for values in (self.n, self.x, self.nn, self.nx, self.xx, self.model)
        )
        return _Terms(np.unique(self.bin), None, n, x, nn, nx, xx, model, self.rows, self.effective, self.heavy)


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
    lacking = _lacking(cells, minimum_clusters)
    return lacking or _bounded(_residuals(cells))


def slope(cells: Cells, code: Ints, *, minimum_clusters: int) -> Figure | Reason:
    """Return the mean effect of the slopes within bins, sum w |d| of x = g (y - p), in [0, 1] and debiased too.

    Parameters
    ----------
    cells: finer than the bins, the finer the better: within a cell the squared residual is taken as unrelated to g^2.
    code: the bin of each cell, shape (cells,).

    Returns
    -------
    As `ece`. Bins whose scores are as good as equal have no slope and count as 0.
    """
    lacking = _lacking(cells, minimum_clusters)
    return lacking or _bounded(_tilted(cells, code))


def ece_sum(parts: Sequence[Cells], whole: Cells, *, minimum_clusters: int) -> Figure | Reason:
    """Return the sum of the errors of several tables, each times its share of the whole; in [0, 2], debiased too.

    The tables may hold the same rows, as the classes of one task do. Their standard errors are added up, which is never
    less than that of the sum (Minkowski), so the bounds hold however the tables depend on each other.

    Parameters
    ----------
    whole: cells of all rows, each once. The other parameters and the reasons are those of `ece`.
    """
    filled = [part for part in parts if part.rows > 0]
    lacking = _lacking(whole, minimum_clusters) or next(
        filter(None, (_lacking(p, minimum_clusters) for p in filled)), None
    )
    if lacking is not None:
        return lacking
    shares = np.array([part.n.sum() for part in filled]) / whole.n.sum()
    found = [_moments(_residuals(part)) for part in filled]
    moments = np.array([astuple(m)[:-1] for m in found]).reshape(-1, 8)
    groups = [part.groups for part in (whole, *filled)]
    clusters = fewest([found for found in groups if found is not None]) if whole.cluster is not None else None
    freedom = min((m.freedom for m in found), default=math.inf)
    added = _Moments(*[*(shares @ moments).tolist(), freedom])
    # One tail is enough only where no table's mean may have the other sign.
    clear = min((m.clear for m in found), default=0.0)
    return _figure(added, clear, whole, clusters, 2.0)


def squared_error(cells: Cells, *, minimum_clusters: int) -> float | Reason:
    """Return the debiased squared L2 calibration error, sum w (d^2 - s^2); it may be negative (Kumar 2019)."""
    lacking = _lacking(cells, minimum_clusters)
    if lacking is not None:
        return lacking
    terms = _residuals(cells)
    bins = terms.by_bin()
    gap = bins.x / bins.n
    noise = _noise(terms, bins, gap)
    return float(bins.n @ (gap**2 - noise.error**2)) / float(bins.n.sum())


def _lacking(cells: Cells, minimum_clusters: int) -> Reason | None:
    clusters = cells.groups
    if cells.rows == 0:
        return Reason.EMPTY_TABLE
    return Reason.FEW_CLUSTERS if clusters is not None and clusters.few(minimum_clusters) else None


def _residuals(cells: Cells) -> _Terms:
    squares = cells.squared
    return _Terms(
        bin=cells.bin,
        clusters=cells.groups,
        n=cells.n,
        x=cells.residual,
        nn=squares.n,
        nx=squares.residual,
        xx=squares.residual_square,
        model=squares.model_variance,
        rows=cells.rows,
        effective=cells.effective,
        heavy=cells.heavy,
    )


def _tilted(cells: Cells, code: Ints) -> _Terms:
    coarse = cells.binned(code)
    bins, place = coarse.by_bin(), ranked(code)[1]
    center = bins.p / bins.n
    deviation = np.sqrt(np.maximum(bins.pp / bins.n - center**2, 0.0))
    flat = deviation < FLAT
    scale = np.where(flat, 0.0, 1 / np.where(flat, 1.0, deviation))[place]
    middle, squares = center[place], cells.squared
    own = cells.p / cells.n
    square = ((own - middle) ** 2 + np.maximum(cells.pp / cells.n - own**2, 0.0)) * scale**2
    return _Terms(
        bin=code,
        clusters=cells.groups,
        n=cells.n,
        x=(cells.py - cells.pp - middle * cells.residual) * scale,
        nn=squares.n,
        nx=(squares.py - squares.pp - middle * squares.residual) * scale,
        xx=square * squares.residual_square,
        model=square * squares.model_variance,
        rows=cells.rows,
        effective=cells.effective,
        heavy=cells.heavy,
    )


@dataclass(frozen=True)
class _Moments:
    """What the bounds are made of, in units of the error.

    Attributes
    ----------
    deviation: standard error of the mean of sign(d) x. independent: the same by rows alone. null_mean, null_deviation: of T, were the model calibrated.
    shift, shift_error: |mean(x)| and the standard error of mean(x).
    freedom: degrees of freedom of the variances; infinite where rows are taken as independent.
    """

    plug_in: float
    debiased: float
    deviation: float
    independent: float
    null_mean: float
    null_deviation: float
    shift: float
    shift_error: float
    freedom: float

    @property
    def clear(self) -> float:
        """The shift in standard errors."""
        return self.shift / self.shift_error if self.shift_error > 0 else math.inf


def _moments(terms: _Terms) -> _Moments:
    bins = terms.by_bin()
    gap, share = bins.x / bins.n, bins.n / bins.n.sum()
    plug_in = float(share @ np.abs(gap))
    noise = _noise(terms, bins, gap)
    mean, variance = _folded_moments(share, noise)
    weight = float(bins.n.sum())
    center = float(bins.x.sum()) / weight
    # The signs come from the data. A shock that a cluster's rows share can turn the sign of a whole bin and so hide from
    # the signed sums; the unsigned ones see it.
    *signed, of_signed = _mean_variances(terms, bins, np.where(gap < 0, -1.0, 1.0), plug_in)
    *unsigned, of_unsigned = _mean_variances(terms, bins, np.ones_like(gap), center)
    return _Moments(
        plug_in=plug_in,
        debiased=_debiased(plug_in, share, gap, noise),
        deviation=math.sqrt(max(*signed, unsigned[1])),
        independent=math.sqrt(signed[0]),
        null_mean=mean,
        null_deviation=math.sqrt(max(0.0, variance)),
        shift=abs(center),
        shift_error=math.sqrt(max(*unsigned, float(bins.model.sum()) / weight**2)),
        freedom=min(of_signed, of_unsigned),
    )


def _bounded(terms: _Terms) -> Figure:
    found = _moments(terms)
    return _figure(found, found.clear, terms, terms.clusters, 1.0)


def _figure(found: _Moments, clear: float, of: Cells | _Terms, clusters: Clusters | None, most: float) -> Figure:
    freedom = None if clusters is None else min(found.freedom, clusters.freedom)
    z, half = quantiles(freedom), quantiles(freedom, 0.5)
    independent = found.independent**2
    share = min(1.0, independent * of.effective)
    unseen = unseen_rows(clusters, of.effective, independent, found.deviation**2, share=share, heavy=of.heavy)
    upper = found.plug_in + np.hypot(z * found.deviation, z**2 / unseen)
    few = half**2 / unseen
    lower = np.maximum(
        found.plug_in - np.hypot(_null_quantiles(found, freedom), few),
        found.shift - np.hypot(_shift_quantiles(clear, freedom) * found.shift_error, few),
    )
    lower, upper = np.maximum(0.0, lower), np.minimum(most, upper)
    return Figure(found.plug_in, lower, upper, of.rows, debiased=found.debiased).among(clusters)


def _mean_variances(terms: _Terms, bins: _Terms, sign: Floats, mean: float) -> tuple[float, float, float]:
    """Variance of the mean of sign * x, which is `mean`: by rows, and by clusters (0 without), with its freedom."""
    weight = float(bins.n.sum())
    spread = float(bins.xx.sum() - 2 * mean * (sign @ bins.nx) + mean**2 * bins.nn.sum())
    independent = max(0.0, spread) / weight**2
    if terms.clusters is None:
        return independent, 0.0, math.inf
    between = terms.clusters.sums(sign[np.searchsorted(bins.bin, terms.bin)] * terms.x - mean * terms.n)
    return independent, float(between @ between) / weight**2, terms.clusters.freedom_of(between)


def _noise(terms: _Terms, bins: _Terms, gap: Floats) -> _Noise:
    """Return what chance alone does to the gaps: the larger of data and model within a bin, and of rows and clusters."""
    spread = bins.xx - 2 * gap * bins.nx + gap**2 * bins.nn
    effective = bins.n**2 / bins.nn
    several = effective > 1 + 1e-9
    data = np.where(several, spread * effective / np.where(several, effective - 1, 1.0), 0.0)
    independent = np.maximum(np.maximum(data, bins.model), 0.0) / bins.n**2
    if terms.clusters is None:
        return _Noise(np.sqrt(independent), np.diag(independent))
    clustered = _cluster_covariance(terms, terms.clusters, bins, gap)
    variance = np.maximum(independent, np.diag(clustered))
    np.fill_diagonal(clustered, variance)
    return _Noise(np.sqrt(variance), clustered)


def _cluster_covariance(terms: _Terms, clusters: Clusters, bins: _Terms, gap: Floats) -> Floats:
    """Return the covariance of the bins' gaps from cluster totals: a shock that a cluster shares moves many bins."""
    from scipy.sparse import csr_array

    column = np.searchsorted(bins.bin, terms.bin)
    deviation = (terms.x - gap[column] * terms.n) / bins.n[column] * clusters.jackknife[clusters.code]
    by_cluster = csr_array((deviation, (clusters.code, column)), shape=(clusters.share.size, bins.n.size))
    return np.asarray((by_cluster.T @ by_cluster).toarray(), dtype=np.float64)


def _null_quantiles(found: _Moments, freedom: float | None) -> Floats:
    """Quantiles of T for a calibrated model, at 1 - alpha/2: Gamma with the moments of the sum of folded normals."""
    from scipy.special import gammainccinv

    z = quantiles(freedom, 0.5)
    mean, variance = found.null_mean, found.null_deviation**2
    if mean <= 0 or variance <= 0:
        return np.zeros_like(z)
    quantile = np.asarray(gammainccinv(mean**2 / variance, (1 - RUNGS) / 2), dtype=np.float64) * variance / mean
    return quantile * (z / quantiles(None, 0.5))


def _shift_quantiles(clear: float, freedom: float | None) -> Floats:
    """Quantiles of the error of a mean that lies `clear` standard errors from 0, at 1 - alpha/2 over both tails."""
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    half = (1 - RUNGS) / 2
    other = ndtr(-clear) if freedom is None else stdtr(freedom, -clear)
    tail = half - np.minimum(other, half / 2)
    return -np.asarray(ndtri(tail) if freedom is None else stdtrit(freedom, tail), dtype=np.float64)


def _folded_moments(share: Floats, noise: _Noise) -> tuple[float, float]:
    """Mean and variance of sum w |X| for normals X of mean 0."""
    mean = _FOLDED_MEAN * float(share @ noise.error)
    weight = share * noise.error
    scale = np.outer(noise.error, noise.error)
    rho = np.clip(np.divide(noise.covariance, scale, out=np.zeros_like(scale), where=scale > 0), -1.0, 1.0)
    # E|X||Y| of two normals with correlation rho is (2/pi)(rho asin rho + sqrt(1 - rho^2)), in their deviations.
    folded = (2 / math.pi) * (rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - 1)
    return mean, float(weight @ folded @ weight)


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
