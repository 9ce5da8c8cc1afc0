"""Scores of decisions from a table of classes, against scikit-learn's own on rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer, get_scorer_names

from gates.measure.regression.scorers import Scorer
from gates.measure.stats import confusion

NAMES = sorted(name for name in get_scorer_names() if confusion.known(name))


def test_which_they_are() -> None:
    families = {f"{family}{average}" for family in ("f1", "jaccard", "precision", "recall") for average in ("", "_macro", "_micro", "_weighted")}  # fmt: skip
    assert set(NAMES) == families | {"balanced_accuracy", "matthews_corrcoef"}


@pytest.mark.parametrize(
    ("name", "classes"), [*((name, 2) for name in NAMES), *((name, 4) for name in NAMES if "_" in name)]
)
@pytest.mark.parametrize("gap", [False, True])
def test_it_is_that_of_scikit_learn(name: str, classes: int, gap: bool) -> None:
    rng = np.random.default_rng(7)
    for rows in (5, 60):
        y = rng.integers(0, classes - gap, rows)
        said = rng.dirichlet(np.ones(classes), rows)
        weight = rng.gamma(2, 1, rows)
        theirs = get_scorer(name)(_Says(classes), said, y, sample_weight=weight)
        given = said[:, 1] if classes == 2 else said
        scorer = Scorer(name, "binary" if classes == 2 else "multiclass", classes, 0.5, 1.0)
        assert scorer.score(y.astype(float), given, weight) == pytest.approx(theirs, abs=1e-12)


class _Says(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Says as classes what it is given as shares."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.classes_ = np.arange(classes)

    def predict(self, said: np.ndarray) -> np.ndarray:
        return (said[:, 1] >= 0.5).astype(int) if self.classes == 2 else said.argmax(axis=1)


def test_of_nothing_there_is_none() -> None:
    assert np.isnan(confusion.score("f1_macro", np.zeros((3, 3))))
