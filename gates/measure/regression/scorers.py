"""Any metric that scikit-learn knows by name, compared by a Poisson bootstrap. Loaded where the plan asks for one only.

Each of 200 replicates counts every row (or, where rows hang together, every cluster) as often as a Poisson variable of
mean 1 says, by `sample_weight`; their spread is the standard error (statistics.md, section 3). A scorer of scikit-learn
is of the kind "higher is better"; losses come negated, as `neg_mean_absolute_percentage_error`.

Rows that both models score alike have no spread at all, and ten of them prove nothing. So a reach further holds, in
quadrature, what a region could do that no row is of: z^2 over the rows of the rarest class in the unit of the metric's
range, as joint counts have it; over as many rows in each class where a metric of several classes is their mean. A
metric without a range has z^2 D / n, D the root mean square of what a row does to either model's own score: it supposes
that rows never seen are like those seen, which is no promise. Fewer than 10 rows are refused.

No model is loaded here: the scorer is given an estimator that says the predictions which the table holds.

Cost: 400 calls of the scorer on all rows of the slice; memory: the rows.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from gates.errors import UsageError
from gates.measure.regression.losses import CANDIDATE
from gates.measure.regression.ranks import Rows
from gates.measure.stats.clusters import Clusters
from gates.measure.stats.figure import Figure, Floats, Ints, Mask, quantiles, ranked
from gates.records import Reason
from gates.records.plan import Task

REPLICATES = 200
FEWEST = 10
"""Rows under which 200 replicates are of too few to have a spread."""

_SHARES = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "f1",
    "jaccard",
    "precision",
    "recall",
    "roc_auc",
    "top_k",
)
"""The scorers whose names begin so give numbers in [0, 1]."""
_CORRELATION = "matthews_corrcoef"


@dataclass(frozen=True)
class Scorer:
    """A scikit-learn scorer by name, on what a scored table says."""

    name: str
    task: Task
    classes: int
    threshold: float
    scale: float

    def known(self) -> None:
        """Look the name up.

        Raises
        ------
        UsageError: scikit-learn has no scorer of this name.
        """
        if self.name not in get_scorer_names():
            raise UsageError(
                f'scikit-learn has no scorer "{self.name}"',
                code="scorer.unknown",
                remedy="sklearn.metrics.get_scorer_names() lists them",
            )

    @property
    def span(self) -> float:
        """How far two scores can lie apart; infinite where there is no limit."""
        return 2.0 if self.name == _CORRELATION else 1.0 if self.name.startswith(_SHARES) else math.inf

    def score(self, y: Floats, said: Floats, weight: Floats) -> float:
        """Return the score; NaN where it does not exist for these rows.

        Raises
        ------
        UsageError: the metric takes no weights of rows.
        """
        if self.task == "numeric":
            estimator, outcome = _Numbers().fit(), y * self.scale
            said = said * self.scale
        else:
            estimator, outcome = _Classes(max(2, self.classes), self.threshold).fit(), y.astype(np.int64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return float(get_scorer(self.name)(estimator, said, outcome, sample_weight=weight))
            except TypeError as error:
                raise UsageError(
                    f'the scorer "{self.name}" takes no weights of rows: {error}',
                    code="scorer.no_weights",
                    remedy="name one whose metric has sample_weight",
                ) from error
            except ValueError:
                return math.nan

    def difference(self, rows: Rows, rival: str, *, minimum_clusters: int, seed: int) -> Figure | Reason:
        """Return the candidate's score less the rival's; the larger the better for the candidate.

        Returns
        -------
        Reason.EMPTY_TABLE without rows; Reason.FEW_EVENTS with fewer than FEWEST; Reason.FEW_CLUSTERS with fewer than
        `minimum_clusters`; Reason.ONE_CLASS where the metric does not exist on these rows.
        """
        if rows.y.size == 0:
            return Reason.EMPTY_TABLE
        # Replicates are drawn by position: rows come in an order that their file has no part in.
        own, other = rows.scores[CANDIDATE], rows.scores[rival]
        cluster = np.zeros(rows.y.size, dtype=np.int64) if rows.cluster is None else rows.cluster
        base = np.ones(rows.y.size) if rows.weight is None else rows.weight
        keys = [base, *np.atleast_2d(other.T), *np.atleast_2d(own.T), rows.y, cluster]
        order = np.lexsort(keys)
        y, own, other, base = rows.y[order], own[order], other[order], base[order]
        clusters, code = ranked(cluster[order])
        groups = None if rows.cluster is None else Clusters.by(code, base)
        if groups is not None and groups.few(minimum_clusters):
            return Reason.FEW_CLUSTERS
        estimate = self.score(y, own, base) - self.score(y, other, base)
        if not math.isfinite(estimate):
            return Reason.ONE_CLASS
        if y.size < FEWEST:
            return Reason.FEW_EVENTS
        generator, drawn = np.random.default_rng(seed), []
        for _ in range(REPLICATES):
            count = generator.poisson(1.0, y.size if rows.cluster is None else clusters)
            weight = base * (count if rows.cluster is None else count[code])
            kept = weight > 0
            if kept.any():
                drawn.append([self.score(y[kept], said[kept], weight[kept]) for said in (own, other)])
        found = np.array([scores for scores in drawn if np.isfinite(scores).all()])
        # With fewer, the replicates that exist are those in which the rare rows happened to be drawn.
        if len(found) < REPLICATES / 2:
            return Reason.ONE_CLASS
        raised = 1.0 if groups is None else groups.raised
        spread = float((found[:, 0] - found[:, 1]).std(ddof=1)) * raised
        effective = float(base.sum() ** 2 / (base @ base))
        if math.isfinite(self.span):
            # Of rows without any spread only their clusters say how they hang together.
            unseen = self.span / self._rows(y, base, None if groups is None or spread > 0 else code)
        else:
            unseen = float(np.hypot(*found.std(axis=0, ddof=1))) * raised / math.sqrt(effective)
        z = quantiles((effective - 1 if self.task == "numeric" else None) if groups is None else groups.freedom)
        reach = np.hypot(z * spread, z**2 * unseen)
        lower, upper = np.maximum(-self.span, estimate - reach), np.minimum(self.span, estimate + reach)
        return Figure(estimate, lower, upper, y.size).among(groups)

    def _rows(self, y: Floats, weight: Floats, cluster: Ints | None) -> float:
        """Return as many rows as a region of its own would have to be missed by; clusters where those are given."""

        def worth(of: Mask) -> float:
            if cluster is not None:
                return Clusters.by(cluster[of], weight[of]).number
            return float(weight[of].sum() ** 2 / (weight[of] @ weight[of]))

        present = np.unique(y)
        rarest = min(worth(y == value) for value in present)
        return min(worth(np.ones(y.size, dtype=np.bool_)), rarest * (present.size if self.task == "multiclass" else 1))


class _Classes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Says as probabilities what it is given as features."""

    def __init__(self, classes: int = 2, threshold: float = 0.5) -> None:
        self.classes = classes
        self.threshold = threshold

    def fit(self, X: Any = None, y: Any = None) -> _Classes:
        self.classes_ = np.arange(self.classes)
        return self

    def predict_proba(self, X: Floats) -> Floats:
        return X if X.ndim == 2 else np.stack([1 - X, X], axis=1)

    def predict(self, X: Floats) -> Floats:
        return np.asarray(X.argmax(axis=1) if X.ndim == 2 else self.threshold <= X, dtype=np.int64)


class _Numbers(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Says what it is given."""

    def fit(self, X: Any = None, y: Any = None) -> _Numbers:
        self.fitted_ = True
        return self

    def predict(self, X: Floats) -> Floats:
        return X
