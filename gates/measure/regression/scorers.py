"""Any metric that scikit-learn knows by name, compared by a Poisson bootstrap. Loaded where the plan asks for one only.

Each of 200 replicates counts every row (or, where rows hang together, every cluster) as often as a Poisson variable of
mean 1 says, by `sample_weight`; their spread is the standard error (statistics.md, section 3). A scorer of scikit-learn
is of the kind "higher is better"; losses come negated, as `neg_mean_absolute_percentage_error`.

Rows that both models score alike have no spread at all, and ten of them prove nothing. So a bound also holds, as
`figure.rare` adds it, what a region could do that no row is of: `figure.three` further rows of one class, put where they
harm the one model and serve the other most, and the metric worked out with them. So each metric says itself what it stands
on: precision on the rows of a class that is rarely said, recall on one that is rarely true, average precision on the top of
the ranking. Where rows hang together they are as many as the clusters that speak of it say, and with weights each is as
heavy as the heaviest (`clusters`).

Of numbers nothing says how far a row never seen may be off: there the further rows are like the one that moves the figure
most, times 1 + 3/k where k rows are far off (`averages`). That is no promise, and no policy may require it.
Fewer than 10 rows are refused; so are scorers that a bootstrap says nothing of, and those of other tasks (`REFUSED`).
Shares of false proof are in docs/study/scorers.md.

No model is loaded here: the scorer is given an estimator that says the predictions which the table holds.

Scores of decisions are taken from tables of classes (`confusion`), the others by scikit-learn.

Cost: 400 calls of the scorer on all rows of the slice (800 where rows hang together), and 10 for each pair of classes, 4 of
more than four classes; memory: the rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from gates.errors import UsageError
from gates.measure.regression.losses import CANDIDATE
from gates.measure.regression.ranks import Rows
from gates.measure.stats import confusion
from gates.measure.stats.clusters import Clusters, deviating, heavy_rows, unseen_rows
from gates.measure.stats.figure import Figure, Floats, Ints, Mask, quantiles, ranked, rare, three
from gates.plan.nearest import did_you_mean
from gates.records import Reason
from gates.records.plan import Task

REPLICATES = 200
FEWEST = 10
"""Rows under which 200 replicates are of too few to have a spread."""

_SEVERAL = "of several answers a row, or of clusters, and no metric of this task"
_LOG = "regression.log_loss measures it"
REFUSED = {
    "neg_max_error": "a maximum: a sample says nothing of rows never seen, and a bootstrap of it errs however many rows there are",
    "neg_median_absolute_error": "an order statistic, that moves by steps, and not as its rows do",
    "positive_likelihood_ratio": "a ratio without an upper end where a rate is near 0",
    "neg_negative_likelihood_ratio": "a ratio without an upper end where a rate is near 0",
    "roc_auc_ovo": "its metric takes no weights of rows",
    "roc_auc_ovo_weighted": "its metric takes no weights of rows",
    "neg_log_loss": _LOG,
    "d2_log_loss_score": _LOG,
    **dict.fromkeys(
        (
            "adjusted_mutual_info_score",
            "adjusted_rand_score",
            "completeness_score",
            "f1_samples",
            "fowlkes_mallows_score",
            "homogeneity_score",
            "jaccard_samples",
            "mutual_info_score",
            "normalized_mutual_info_score",
            "precision_samples",
            "rand_score",
            "recall_samples",
            "v_measure_score",
        ),
        _SEVERAL,
    ),
}
"""Scorers that are not measured, and why."""

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
_OF_TWO = ("f1", "jaccard", "precision", "recall")
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
        UsageError: scikit-learn has no scorer of this name, or one of which no bounds can be given.
        """
        if self.name not in get_scorer_names():
            raise UsageError(
                f'scikit-learn has no scorer "{self.name}"',
                code="scorer.unknown",
                remedy=did_you_mean(self.name, set(get_scorer_names()) - REFUSED.keys()),
            )
        if self.name in REFUSED:
            raise UsageError(f'no bounds of the scorer "{self.name}": {REFUSED[self.name]}', code="scorer.refused")

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
        if self.task != "numeric" and confusion.known(self.name):
            return self._decided(y, said, weight)
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

    def _decided(self, y: Floats, said: Floats, weight: Floats) -> float:
        size = max(2, self.classes)
        if size > 2 and self.name in _OF_TWO:
            return math.nan
        answers = _Classes(size, self.threshold).predict(said)
        table = np.bincount(y.astype(np.int64) * size + answers, weights=weight, minlength=size * size)
        return confusion.score(self.name, table.reshape(size, size).astype(np.float64))

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
        table = _Table(y, own, other, base, None if groups is None else code, clusters, rows.heaviest, rows.of_class)
        generator = np.random.default_rng(seed)
        drawn = [self._drawn(table, generator, together=False)]
        if groups is not None:
            drawn.append(self._drawn(table, generator, together=True))
        # With fewer, the replicates that exist are those in which the rare rows happened to be drawn.
        if min(len(found) for found in drawn) < REPLICATES / 2:
            return Reason.ONE_CLASS
        spreads = [float((found[:, 0] - found[:, 1]).std(ddof=1)) for found in drawn]
        spreads[1:] = [each * groups.raised for each in spreads[1:] if groups is not None]
        z = quantiles((_worth(base) - 1 if self.task == "numeric" else None) if groups is None else groups.freedom)
        variances = spreads[0] ** 2, max(spreads) ** 2
        unseen = _numbers if self.task == "numeric" else _classes
        below, above = (rare(z, max(spreads), far) for far in unseen(self, table, three(z), variances, drawn[-1]))
        lower, upper = np.maximum(-self.span, estimate - below), np.minimum(self.span, estimate + above)
        return Figure(estimate, lower, upper, y.size).among(groups)

    def _drawn(self, table: _Table, generator: np.random.Generator, *, together: bool) -> Floats:
        """Return the scores of both models in each replicate where they exist, shape (replicates, 2)."""
        drawn = []
        for _ in range(REPLICATES):
            count = generator.poisson(1.0, table.clusters if together else table.y.size)
            weight = table.weight * (count[table.code] if together else count)
            kept = weight > 0
            if kept.any():
                drawn.append([self.score(table.y[kept], said[kept], weight[kept]) for said in table.said])
        return np.array([scores for scores in drawn if np.isfinite(scores).all()]).reshape(-1, 2)


@dataclass(frozen=True)
class _Table:
    """Rows in an order of their own. code: of their clusters; None where they are taken as independent. heaviest, of_class: as of `Rows`."""

    y: Floats
    own: Floats
    other: Floats
    weight: Floats
    code: Ints | None
    clusters: int
    heaviest: float | None
    of_class: Mapping[int, float]

    @property
    def said(self) -> tuple[Floats, Floats]:
        return self.own, self.other

    def rows_for_one(self, of: Mask, variances: tuple[float, float], share: float, label: int | None = None) -> float:
        """Return as which weight one more row counts that is like none seen, of these rows, which may be of one class."""
        clusters = None if self.code is None else Clusters.by(self.code[of], self.weight[of])
        weight = float(self.weight[of].sum())
        known = None if label is None else self.of_class.get(label)
        heavy = heavy_rows(weight, known or self.heaviest)
        return weight / unseen_rows(clusters, _worth(self.weight[of]), *variances, share=share, heavy=heavy)


def _worth(weight: Floats) -> float:
    """As many rows without weights would say as much (Kish)."""
    return float(weight.sum() ** 2 / (weight @ weight))


def _classes(
    scorer: Scorer, table: _Table, rows: Floats, variances: tuple[float, float], _: Floats
) -> tuple[Floats, Floats]:
    """How far rows never seen can take the difference down, and up, by rung."""
    present, two = np.unique(table.y).astype(np.int64), table.own.ndim == 1
    named = (
        np.array([0, 1]) if two else np.union1d(present, np.concatenate([each.argmax(axis=1) for each in table.said]))
    )
    at = range(0, rows.size, 2 if named.size <= 4 else 4)
    apart = np.abs(table.own - table.other)
    share = deviating(apart if two else apart.max(axis=1))
    found = np.zeros((2, rows.size))
    for label in present:
        one = table.rows_for_one(table.y == label, variances, share, int(label))
        for rung in at:
            low, high = zip(
                *(_moved(scorer, table, said, label, named, one * rows[rung]) for said in table.said), strict=True
            )
            far = np.array([high[1] - low[0], high[0] - low[1]])
            # More rows move a metric less each: what so many do, in proportion, is no less than what more do.
            beyond = rows[rung:] / rows[rung]
            found[:, rung] = np.maximum(found[:, rung], far)
            step = slice(rung + 1, min(rung + at.step, rows.size))
            found[:, step] = np.maximum(found[:, step], far[:, None] * beyond[None, 1 : 1 + found[:, step].shape[1]])
    return found[0], found[1]


def _moved(scorer: Scorer, table: _Table, said: Floats, label: int, named: Ints, weight: float) -> tuple[float, float]:
    """How far further rows of a class move one model's score at most: down (at most 0) and up (at least 0)."""
    score = scorer.score(table.y, said, table.weight)
    moved = [0.0]
    for answer in named:
        rows = (np.append(table.y, float(label)), np.append(said, _surely(said, label, answer), axis=0))
        moved.append(scorer.score(*rows, np.append(table.weight, weight)) - score)
    return min(moved), max(moved)


def _surely(said: Floats, label: int, answer: int) -> Floats:
    """A row of which a model is sure that it is of a class; where it errs, the true class is the last that it would say."""
    if said.ndim == 1:
        return np.array([float(answer)])
    shares = np.full(said.shape[1], 1e-9)
    shares[label] = 0.0
    shares[answer] = 1.0
    return np.asarray(shares / shares.sum(), dtype=np.float64)[None]


def _numbers(
    scorer: Scorer, table: _Table, rows: Floats, variances: tuple[float, float], drawn: Floats
) -> tuple[Floats, Floats]:
    """As `_classes`, by the rows that move the difference most, and no less than rows of usual size move either score."""
    everything = np.ones(table.y.size, dtype=np.bool_)
    errors = [np.abs(table.y - said) for said in table.said]
    sizes = [np.ones_like(table.y), np.maximum(np.abs(table.y), np.finfo(np.float64).tiny)]
    apart = [(errors[0] ** power - errors[1] ** power) / size for power in (1, 2) for size in sizes]
    one = table.rows_for_one(everything, variances, deviating(errors[0] - errors[1]))
    before = [scorer.score(table.y, said, table.weight) for said in table.said]
    usual = float(np.hypot(*drawn.std(axis=0, ddof=1))) / math.sqrt(_worth(table.weight))
    below = above = usual
    for difference in apart:
        k = deviating(difference) * table.y.size
        for row in {int(difference.argmax()), int(difference.argmin())}:
            weight = table.weight.copy()
            weight[row] += one
            after = [scorer.score(table.y, said, weight) for said in table.said]
            moved = (after[0] - after[1] - before[0] + before[1]) * (1 + 3 / k) if k else 0.0
            below, above = max(below, -moved), max(above, moved)
    return rows * below, rows * above


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
