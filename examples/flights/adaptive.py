"""A regressor with prediction intervals and quantiles that widen where it is less sure: what minutes.py registers.

It is logged with each model (`code_paths`), so that a model loads where this folder is not. MAPIE computes the intervals:
locally adaptive conformal prediction (LACP), the absolute residual over a fitted residual size (Papadopoulos 2008,
Lei 2018); or the plain residual, which makes every interval as long as every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from mapie.conformity_scores import AbsoluteConformityScore, ResidualNormalisedScore
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin, clone

Array = npt.NDArray[np.float64]


class ConformalRegressor(RegressorMixin, BaseEstimator):
    """A regressor fitted on one set of rows and conformalized on another.

    Parameters
    ----------
    estimator: a scikit-learn regressor, not yet fitted. confidence_level: the wanted coverage of the intervals.
    residual: a regressor of the size of residuals, not yet fitted; None makes intervals of one length.
    """

    def __init__(self, estimator: Any, residual: Any = None, *, confidence_level: float = 0.9) -> None:
        self.estimator = estimator
        self.residual = residual
        self.confidence_level = confidence_level

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit the estimator on the training rows."""
        self.feature_names_in_ = np.array(X.columns)
        self.estimator_ = clone(self.estimator).fit(self._matrix(X), np.asarray(y, dtype=np.float64))
        return self

    def conformalize(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Find how long intervals must be, on rows that fit has not seen; a quarter of them fits the residuals' size."""
        matrix, truth = self._matrix(X), np.asarray(y, dtype=np.float64)
        score = (
            AbsoluteConformityScore()
            if self.residual is None
            else ResidualNormalisedScore(residual_estimator=clone(self.residual), random_state=0, sym=True)
        )
        self.intervals_ = SplitConformalRegressor(
            self.estimator_, confidence_level=self.confidence_level, conformity_score=score, prefit=True
        )
        self.intervals_.conformalize(matrix, truth)
        points, half = self._points_and_half(matrix)
        # Residuals in units of the half length at their row: what the predicted quantiles are made of.
        self.residuals_ = np.sort((truth - points) / half)
        return self

    def predict(self, X: pd.DataFrame) -> Array:
        """The median that is expected, shape (n,)."""
        return np.asarray(self.estimator_.predict(self._matrix(X)), dtype=np.float64)

    def predict_interval(self, X: pd.DataFrame) -> tuple[Array, Array]:
        """As MAPIE answers: points, shape (n,), and intervals, shape (n, 2, 1)."""
        points, intervals = self.intervals_.predict_interval(self._matrix(X))
        return np.asarray(points), np.asarray(intervals)

    def predict_quantiles(self, X: pd.DataFrame, levels: Sequence[float]) -> Array:
        """The quantiles that are expected, shape (n, levels): a split conformal predictive distribution (Vovk 2017)."""
        points, half = self._points_and_half(self._matrix(X))
        return points[:, None] + half[:, None] * np.quantile(self.residuals_, levels, method="higher")[None, :]

    def _points_and_half(self, matrix: Array) -> tuple[Array, Array]:
        points, intervals = self.intervals_.predict_interval(matrix)
        return np.asarray(points), np.asarray(intervals[:, 1, 0] - intervals[:, 0, 0]) / 2

    def _matrix(self, X: pd.DataFrame) -> Array:
        return X[list(self.feature_names_in_)].to_numpy(dtype=np.float64)
