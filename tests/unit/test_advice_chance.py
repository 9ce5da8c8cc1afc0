"""What calibration rows leave to chance is said after a decision, in the words of its own limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from decision_samples import Sample, good, measured
from scipy import stats

from gates.decide.advice import Advice
from gates.render.document import document
from gates.render.markdown import markdown
from gates.render.text import text


def calibrated(rows: float) -> Sample:
    sample = good()
    count = measured("calibration.calibration_rows", rows, unit="rows")
    return replace(sample, measurements=(*sample.measurements, count))


def advice(rows: float) -> Advice:
    return calibrated(rows).advice()


@pytest.mark.parametrize(("rows", "likely"), [(100, "0.5"), (500, "0.13"), (2_000, "0.003"), (9_000, "under .001")])
def test_the_chance_is_that_of_the_beta_distribution(rows: int, likely: str) -> None:
    chance = advice(rows).chance
    assert chance is not None
    beta = stats.beta(-(-(rows + 1) * 9 // 10), rows + 1 + (-(rows + 1) * 9 // 10))
    assert chance.probability == pytest.approx(1 - beta.cdf(0.92) + beta.cdf(0.88), abs=1e-9)
    assert f"with probability {likely}" in chance.hint
    assert "off 0.9 by more than 2 points" in chance.hint


def test_every_report_says_it() -> None:
    view = calibrated(500).view()
    for shown in (" ".join(text(view).split()), markdown(view)):
        assert "calibrated on 500 rows" in shown
        assert "even with endless test rows" in shown
    assert document(view)["advice"]["chance"]["calibration_rows"] == 500


@pytest.mark.parametrize("rows", [0.0, -1.0, 1e300])
def test_numbers_of_rows_that_cannot_be_are_passed_over(rows: float) -> None:
    assert advice(rows).chance is None


def test_without_the_rows_nothing_is_said() -> None:
    assert good().advice().chance is None
    assert "chance" not in good().advice().document()
