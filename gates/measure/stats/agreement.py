"""How far people who labelled the same items agree beyond chance: Cohen's and Fleiss' kappa, Krippendorff's alpha.

Each is 1 - D / E: D the disagreement seen, E the one expected if labels were shuffled. 1 is full agreement, 0 is chance;
less is worse than chance. Items are the sample and taken as independent; annotators are the ones there are.

The variance is that of the items' influence on the figure (the infinitesimal jackknife), with Student's quantiles; of
Cohen's kappa it is the variance of Fleiss, Cohen and Everitt (1969) times n / (n - 1). Each half-width holds a further
t^2 / (n E) in quadrature, the rule of three: items on which all agree have no variance, and one more item on which
nobody does would change everything. `tests/oracles/test_stats_agreement.py` has the coverage.

Cohen (1960), Educational and Psychological Measurement 20, eq. 1. Fleiss (1971), Psychological Bulletin 76, eq. 7; with
items that had different numbers of labels, as Gwet (2014), Handbook of Inter-Rater Reliability, section 2.5, has it.
Krippendorff (2019), Content Analysis, section 12.3, by coincidences.
"""

from __future__ import annotations

import numpy as np

from gates.measure.stats.figure import Figure, Floats, quantiles
from gates.records import Reason


def cohen(joint: Floats) -> Figure | Reason:
    """Return Cohen's kappa of two annotators, in [-1, 1].

    Parameters
    ----------
    joint: items by label of the first and label of the second, shape (labels, labels).

    Returns
    -------
    Reason.EMPTY_TABLE without items; Reason.ONE_CLASS where both gave one and the same label only.
    """
    n = float(joint.sum())
    if n == 0:
        return Reason.EMPTY_TABLE
    first, second = joint.sum(axis=1) / n, joint.sum(axis=0) / n
    chance = float(first @ second)
    if chance >= 1:
        return Reason.ONE_CLASS
    differ = 1 - np.eye(len(joint))
    seen, expected = float((differ * joint).sum()) / n, 1 - chance
    # How much an item of labels (i, j) moves D and E.
    moves_expected = 2 * chance - second[:, None] - first[None, :]
    influence = -(differ - seen) / expected + seen * moves_expected / expected**2
    return _figure(1 - seen / expected, influence.ravel(), joint.ravel(), expected)


def fleiss(counts: Floats, items: Floats) -> Figure | Reason:
    """Return Fleiss' kappa of any number of annotators, in [-1, 1]; items with a single label do not count.

    Parameters
    ----------
    counts: how often an item got each label, by pattern, shape (patterns, labels). items: of each pattern, shape (patterns,).

    Returns
    -------
    Reason.EMPTY_TABLE without items that have two labels; Reason.ONE_CLASS where there is one label only.
    """
    counts, items, labels = _labelled_twice(counts, items)
    n = float(items.sum())
    if n == 0:
        return Reason.EMPTY_TABLE
    shares = counts / labels[:, None]
    mean = items @ shares / n
    expected = 1 - float(mean @ mean)
    if expected <= 0 or _one_label(counts):
        return Reason.ONE_CLASS
    apart = _apart(counts, labels)
    seen = float(items @ apart) / n
    moves_expected = -2 * (shares @ mean - float(mean @ mean))
    influence = -(apart - seen) / expected + seen * moves_expected / expected**2
    return _figure(1 - seen / expected, influence, items, expected)


def alpha_nominal(counts: Floats, items: Floats) -> Figure | Reason:
    """Return Krippendorff's alpha for labels that are equal or not, at most 1.

    Parameters
    ----------
    As of `fleiss`.

    Returns
    -------
    As `fleiss`.
    """
    counts, items, labels = _labelled_twice(counts, items)
    if items.sum() == 0:
        return Reason.EMPTY_TABLE
    if _one_label(counts):
        return Reason.ONE_CLASS
    total, by_label = float(items @ labels), items @ counts
    pairs = total**2 - float(by_label @ by_label)
    moves_pairs = 2 * (total * labels - counts @ by_label)
    return _alpha(labels * _apart(counts, labels), labels, moves_pairs, pairs, items, step=1.0)


def alpha_interval(labels: Floats, sums: Floats, squares: Floats, *, spread: float) -> Figure | Reason:
    """Return Krippendorff's alpha for numbers, whose disagreement is their squared difference; at most 1.

    Parameters
    ----------
    labels, sums, squares: how many labels an item has, their sum and the sum of their squares, shape (items,), about a
        common centre and in a common unit, near 1: neither matters to alpha.
    spread: the largest label less the smallest, in that unit.

    Returns
    -------
    Reason.EMPTY_TABLE without items that have two labels; Reason.ONE_CLASS where all labels are one number.
    """
    kept = labels >= 2
    labels, sums, squares = labels[kept], sums[kept], squares[kept]
    if labels.size == 0:
        return Reason.EMPTY_TABLE
    total, whole, square = float(labels.sum()), float(sums.sum()), float(squares.sum())
    pairs = total * square - whole**2
    if pairs <= 1e-12 * total * square:
        return Reason.ONE_CLASS
    within = np.maximum(0.0, labels * squares - sums**2) / (labels - 1)
    moves_pairs = labels * square + total * squares - 2 * whole * sums
    # Of numbers nobody knows how far apart two may lie: two labels as far as any two that were seen.
    return _alpha(within, labels, moves_pairs, pairs, np.ones_like(labels), step=spread**2 / 2)


def _alpha(within: Floats, labels: Floats, moves_pairs: Floats, pairs: float, items: Floats, *, step: float) -> Figure:
    """1 - (N - 1) W / P: N labels, W the sum of disagreements within items, P the one of all pairs; an item adds `step`."""
    total, disagreement = float(items @ labels), float(items @ within)
    ratio = (total - 1) * disagreement / pairs
    moves = -(total - 1) * within / pairs - disagreement * labels / pairs + ratio * moves_pairs / pairs
    # W, N and P are sums and no means.
    influence = float(items.sum()) * moves
    return _figure(1 - ratio, influence, items, pairs / (total * (total - 1)) / step)


def _labelled_twice(counts: Floats, items: Floats) -> tuple[Floats, Floats, Floats]:
    labels = counts.sum(axis=1)
    kept = labels >= 2
    return counts[kept], items[kept], labels[kept]


def _one_label(counts: Floats) -> bool:
    return int((counts.sum(axis=0) > 0).sum()) < 2


def _apart(counts: Floats, labels: Floats) -> Floats:
    """Share of the ordered pairs of an item's labels that differ, shape (patterns,)."""
    return np.asarray(1 - ((counts * (counts - 1)).sum(axis=1) / (labels * (labels - 1))), dtype=np.float64)


def _figure(estimate: float, influence: Floats, items: Floats, expected: float) -> Figure:
    n = float(items.sum())
    if n < 2:
        return Figure(estimate, np.full(quantiles(None).shape, -np.inf), np.ones(quantiles(None).shape), int(n))
    centred = influence - float(items @ influence) / n
    variance = float(items @ centred**2) / (n * (n - 1))
    t = quantiles(int(n) - 1)
    half = np.hypot(t * np.sqrt(variance), t**2 / (n * expected))
    return Figure(estimate, estimate - half, np.minimum(1.0, estimate + half), int(n))
