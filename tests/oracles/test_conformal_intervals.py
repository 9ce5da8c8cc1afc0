"""Split, normalised (LACP) and quantile (CQR) intervals: the rank that the figures reckon with is that of puncc and MAPIE.

puncc 0.9.3 needs an older numpy; what it made of fixed predictions stands in fixtures/puncc.json, and beside it the
script that wrote it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mapie.conformity_scores import ResidualNormalisedScore
from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin

from gates.measure.stats.conformal import rank
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import coverage

PUNCC: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures/puncc.json").read_text())
CASES = pytest.mark.parametrize("case", PUNCC["intervals"], ids=lambda case: f"{case['way']}-{case['level']}")


def columns(table: str) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in PUNCC[table].items()}


class Given(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A model that has learned one of the columns: it looks its features up."""

    def __init__(self, column: str = "center") -> None:
        self.column = column
        self.fitted_ = True

    def fit(self, *_: Any) -> Given:
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        known = [columns(table) for table in ("calibration", "test")]
        learned = dict(
            zip(
                np.concatenate([each["x"] for each in known]).tolist(),
                np.concatenate([each[self.column] for each in known]).tolist(),
                strict=True,
            )
        )
        return np.array([learned[float(value)] for value in np.asarray(x)[:, 0]])


def textbook(way: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut at the rank-th smallest score of the calibration rows."""
    old, new = columns("calibration"), columns("test")
    scores = {
        "split": lambda t: np.abs(t["y"] - t["center"]),
        "normalised": lambda t: np.abs(t["y"] - t["center"]) / t["spread"],
        "cqr": lambda t: np.maximum(t["low"] - t["y"], t["y"] - t["high"]),
    }[way](old)
    cut = np.sort(scores)[rank(scores.size, level) - 1]
    half = cut * (new["spread"] if way == "normalised" else 1)
    if way == "cqr":
        return new["low"] - cut, new["high"] + cut
    return new["center"] - half, new["center"] + half


@CASES
def test_the_rank_is_that_of_puncc(case: dict[str, Any]) -> None:
    lower, upper = textbook(case["way"], case["level"])
    np.testing.assert_allclose(lower, case["lower"], atol=1e-9)
    np.testing.assert_allclose(upper, case["upper"], atol=1e-9)


@CASES
def test_mapie_gives_the_intervals_of_puncc(case: dict[str, Any]) -> None:
    old, new = columns("calibration"), columns("test")
    level = case["level"]
    if case["way"] == "cqr":
        models = [Given("low"), Given("high"), Given("center")]
        mapie: Any = ConformalizedQuantileRegressor(models, confidence_level=level, prefit=True)
        options = {"symmetric_correction": True}
    else:
        score = ResidualNormalisedScore(Given("spread"), prefit=True) if case["way"] == "normalised" else "absolute"
        mapie = SplitConformalRegressor(Given(), confidence_level=level, conformity_score=score, prefit=True)
        options = {}
    mapie.conformalize(old["x"][:, None], old["y"])
    _, found = mapie.predict_interval(new["x"][:, None], **options)
    np.testing.assert_allclose(found[:, 0, 0], case["lower"], atol=1e-6)
    np.testing.assert_allclose(found[:, 1, 0], case["upper"], atol=1e-6)


@CASES
def test_coverage_and_width_are_those_of_puncc(case: dict[str, Any]) -> None:
    y, lower, upper = columns("test")["y"], np.array(case["lower"]), np.array(case["upper"])
    covered = ((lower <= y) & (y <= upper)).astype(float)
    found = coverage(np.array([covered.sum()]), np.array([float(y.size)]), None, minimum_clusters=8)
    assert isinstance(found, Figure)
    assert found.estimate == pytest.approx(case["coverage"], abs=1e-12)
    assert float((upper - lower).mean()) == pytest.approx(case["width"], abs=1e-9)
