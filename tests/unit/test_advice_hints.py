"""What is said beside the figures: scores fitted on the holdout, and what a recalibration would reach."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from decision_samples import Sample, decision, good, measured, overconfident, result, uncalibrated

from gates.decide.attachments import Recalibration
from gates.records.measurement import Item
from gates.render.markdown import markdown
from gates.render.text import text

REACHES = {"temperature": 0.004, "intercept": 0.0251, "isotonic": 0.0033}


def attachment(**fields: Any) -> dict[str, bytes]:
    document = {"version": 1, "folds": 5, "error": 0.031, "reaches": REACHES, **fields}
    return {"recalibration.json": json.dumps(document).encode()}


def test_what_a_recalibration_would_reach_is_said_where_the_error_is_open() -> None:
    said = "recalibrated, cross-fitted on these rows: temperature 0.004, intercept 0.025, isotonic 0.0033; now 0.031"
    [hint] = uncalibrated().advice(attachment()).hints
    assert (hint.check, hint.text) == ("calibration.ece", said)
    view = uncalibrated().view(attachment())
    assert said in " ".join(text(view).replace("•", "").split())
    assert "cross-fitted on these rows" in markdown(view)
    assert good().advice(attachment()).hints == ()


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"{",
        b"[1]",
        b'{"error": 2, "reaches": {}}',
        b'{"error": 0.1, "reaches": {"<script>": 0.1}}',
        b'{"error": 0.1, "reaches": {"isotonic": 1e400}}',
    ],
)
def test_an_unreadable_attachment_says_nothing(raw: bytes | None) -> None:
    assert Recalibration.read(raw) is None
    assert uncalibrated().advice({"recalibration.json": raw} if raw is not None else {}).hints == ()


@pytest.mark.parametrize(("share", "said"), [(1.0, "100 %"), (0.5, "50 %"), (0.49, None), (0.0, None)])
def test_scores_fitted_on_the_holdout_are_named_though_no_policy_asks(share: float, said: str | None) -> None:
    sample = good()
    figure = measured("calibration.fitted_share", share, 0.0)
    sample = replace(sample, measurements=(*sample.measurements, figure))
    hints = sample.advice().hints
    if said is None:
        assert hints == ()
        return
    [hint] = hints
    assert f"{said} of the rows agree" in hint.text
    assert "fitted on this holdout" in " ".join(text(sample.view()).split())
    assert overconfident().advice().hints == ()


@pytest.mark.parametrize(
    ("verdict", "differ", "n", "said"),
    [
        ("fail", 17, 1_000, "predictions: 17 of 1,000 rows are not what the registered model says"),
        ("fail", 1_000, 1_000, "another model or other features, or scores rounded"),
        (
            "inconclusive",
            0,
            200,
            "predictions: 0 of 200 rows are not what the registered model says; the sample is too small",
        ),
        ("pass", 3, 1_000, None),
    ],
)
def test_supplied_predictions_that_are_not_the_models_are_counted(
    verdict: Any, differ: int, n: int, said: str | None
) -> None:
    figure = measured("package.mismatch", differ / n, 0.002, n=n, item=Item(kind="table", name="predictions"))
    other = measured("package.mismatch", 0.0, 0.002, n=n, item=Item(kind="table", name="champion_predictions"))
    results = (result(figure, verdict), result(other, "pass"))
    found = Sample(decision(results, allow=False), (figure, other)).advice()
    # A larger holdout would draw no more rows.
    assert found.settle == ()
    assert len(found.hints) == (said is not None)
    assert all(said and said in hint.text for hint in found.hints)
