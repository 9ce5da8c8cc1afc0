"""A classifier with calibrated probabilities and conformal prediction sets: what is registered.

It is logged with each model (`code_paths`), so that a model loads where this folder is not. MAPIE computes the sets, on
the booster's own scores: isotonic regression maps many of them to one value, and ties make sets cover too much.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.isotonic import IsotonicRegression

Array = npt.NDArray[np.float64]


class ConformalClassifier(ClassifierMixin, BaseEstimator):
    """A binary classifier fitted on one set of rows, calibrated and conformalized on another.

    Parameters
    ----------
    estimator: a scikit-learn classifier, not yet fitted. isotonic: whether its scores are mapped to frequencies.
    confidence_level: the wanted coverage of the prediction sets.
    """

    def __init__(self, estimator: Any, *, isotonic: bool = False, confidence_level: float = 0.9) -> None:
        self.estimator = estimator
        self.isotonic = isotonic
        self.confidence_level = confidence_level

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit the estimator on the training rows."""
        self.feature_names_in_ = np.array(X.columns)
        self.classes_ = np.array([0, 1])
        self.estimator_ = self.estimator.fit(self._matrix(X), y)
        return self

    def conformalize(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Calibrate the scores and find the sets' threshold on rows that fit has not seen."""
        matrix = self._matrix(X)
        if self.isotonic:
            # No score says never or always.
            self.isotonic_ = IsotonicRegression(y_min=0.001, y_max=0.999, out_of_bounds="clip")
            self.isotonic_.fit(self.estimator_.predict_proba(matrix)[:, 1], y)
        self.sets_ = SplitConformalClassifier(
            self.estimator_, confidence_level=self.confidence_level, conformity_score="lac", prefit=True
        )
        self.sets_.conformalize(matrix, y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Array:
        """P(not late) and P(late), shape (n, 2)."""
        score = self.estimator_.predict_proba(self._matrix(X))[:, 1]
        p = self.isotonic_.predict(score) if self.isotonic else score
        return np.column_stack([1 - p, p])

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Whether each flight is more likely late than not, shape (n,)."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)

    def predict_set(self, X: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether the prediction set holds 0 and 1, shape (n, 2)."""
        _, sets = self.sets_.predict_set(self._matrix(X))
        return np.asarray(sets[:, :, 0], dtype=bool)

    def _matrix(self, X: pd.DataFrame) -> Array:
        return X[list(self.feature_names_in_)].to_numpy(dtype=np.float64)
