"""Scores of decisions from the weights of (true class, said class): those of scikit-learn, by its names, in a few sums.

The same numbers as scikit-learn's (`tests/oracles/test_stats_confusion.py`), hundreds of times as fast: replicates of a
bootstrap need one of these tables each, and no rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from gates.measure.stats.figure import Floats

ByClass: TypeAlias = Callable[[Floats, Floats, Floats], Floats]


def _over(part: Floats, whole: Floats) -> Floats:
    """Shares by class, 0 of nothing."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


_BY_CLASS: dict[str, ByClass] = {
    "f1": lambda hit, true, said: _over(2 * hit, true + said),
    "jaccard": lambda hit, true, said: _over(hit, true + said - hit),
    "precision": lambda hit, true, said: _over(hit, said),
    "recall": lambda hit, true, said: _over(hit, true),
}


def _matthews(table: Floats, hit: Floats, true: Floats, said: Floats) -> float:
    total = float(table.sum())
    spread = (total**2 - float(true @ true)) * (total**2 - float(said @ said))
    return (float(hit.sum()) * total - float(true @ said)) / float(np.sqrt(spread)) if spread > 0 else 0.0


def known(name: str) -> bool:
    """Whether the scorer is one of decisions alone."""
    family, _, average = name.partition("_")
    return name in {"balanced_accuracy", "matthews_corrcoef"} or (
        family in _BY_CLASS and average in {"", "macro", "micro", "weighted"}
    )


def score(name: str, table: Floats) -> float:
    """Return the score; NaN where there is no weight.

    Parameters
    ----------
    name: of a scorer that is `known`. table: weights by true and said class, shape (classes, classes). Without an average in
    its name a scorer is that of class 1.
    """
    if not table.sum() > 0:
        return float("nan")
    hit, true, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    if name == "matthews_corrcoef":
        return _matthews(table, hit, true, said)
    if name == "balanced_accuracy":
        return float(_over(hit, true)[true > 0].mean())
    family, _, average = name.partition("_")
    by_class = _BY_CLASS[family]
    if average == "micro":
        return float(by_class(*(each.sum(keepdims=True) for each in (hit, true, said)))[0])
    found = by_class(hit, true, said)
    if average == "":
        return float(found[1])
    if average == "weighted":
        return float(found @ true / true.sum())
    return float(found[true + said > 0].mean())
