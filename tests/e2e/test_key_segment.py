"""Better on the whole and worse where it matters: a churn model and its enterprise customers, planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_runner import gates
from sklearn import metrics

import gates as package
from gates.api import CheckResult
from gates.errors import UsageError
from gates.records import Reason
from gates.render.document import document
from gates.render.markdown import markdown

N = 8_000
CENTRE, SPREAD = -1.2, 1.5


def sigmoid(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def churn() -> pd.DataFrame:
    """Three calibrated models that see the customers' log-odds through noise of .3, 1 and 3; champion is the second.

    A normal seen through normal noise is normal given what was seen; of its mean sigmoid the probit approximation
    (MacKay 1992, eq. 10) is near enough.
    """
    rng = np.random.default_rng(20_261_121)
    segment = rng.choice(["consumer", "business", "enterprise"], N, p=[0.6, 0.25, 0.15])
    odds = rng.normal(CENTRE, SPREAD, N)
    churned = (rng.random(N) < sigmoid(odds)).astype(int)

    def through(noise: float) -> np.ndarray:
        share = SPREAD**2 / (SPREAD**2 + noise**2)
        mean = CENTRE + share * (odds + rng.normal(0, noise, N) - CENTRE)
        return sigmoid(mean / np.sqrt(1 + np.pi * SPREAD**2 * (1 - share) / 8))

    champion, fine, poor = through(1.0), through(0.3), through(3.0)
    broken = np.where(segment == "enterprise", poor, fine)
    return pd.DataFrame({"churned": churned, "champion": champion, "fine": fine, "broken": broken, "segment": segment})


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    return churn()


def judged(table: pd.DataFrame, score: str, by: str | tuple[()] = "segment") -> CheckResult:
    return package.check(table, label="churned", score=score, champion="champion", by=by)


@pytest.fixture(scope="module")
def broken(world: pd.DataFrame) -> CheckResult:
    return judged(world, "broken")


def of(shown: dict[str, Any], check: str) -> dict[str, Any]:
    """Rows of a check by their slice."""
    return {row["slice"].get("value", "whole"): row for row in shown["rows"] if row["check"] == check}


def better(table: pd.DataFrame, score: str) -> tuple[bool, bool]:
    """Whether AUC and log loss are better than the champion's, by scikit-learn."""
    y, p, q = table.churned, table[score], table.champion
    return metrics.roc_auc_score(y, p) > metrics.roc_auc_score(y, q), metrics.log_loss(y, p) < metrics.log_loss(y, q)


def test_a_model_that_is_better_on_the_whole_is_denied_for_a_key_segment(
    world: pd.DataFrame, broken: CheckResult
) -> None:
    assert better(world, "broken") == (True, True)
    assert better(world[world.segment == "enterprise"], "broken") == (False, False)
    shown = document(broken.view)
    assert shown["answer"] == "deny"
    for check in ("regression.auc_vs_champion", "regression.log_loss_vs_champion"):
        rows = of(shown, check)
        assert rows["whole"]["status"] == rows["consumer"]["status"] == rows["business"]["status"] == "pass"
        assert (rows["enterprise"]["status"], rows["enterprise"]["disposition"]) == ("fail", "denies")
    denying = [row for row in shown["rows"] if row["disposition"] == "denies"]
    assert {row["slice"]["value"] for row in denying} == {"enterprise"}
    worst = {row["check"]: row["slice"].get("value") for row in shown["advice"]["worst_slices"]}
    assert worst["regression.auc_vs_champion"] == worst["regression.log_loss_vs_champion"] == "enterprise"


WHY = "AUC against the champion, segment=enterprise: proven to be outside its limit"


def test_who_reads_it_learns_the_segment_from_the_first_line_of_reasons(
    tmp_path: Path, world: pd.DataFrame, broken: CheckResult
) -> None:
    path = tmp_path / "churn.csv"
    world.to_csv(path, index=False)
    asked = ("--label", "churned", "--score", "broken", "--champion", "champion", "--by", "segment")
    ran = gates("check", path, *asked)
    assert ran.code == 1, ran.err
    answer, *reasons = ran.out[ran.out.index("DENY") :].splitlines()
    assert answer.startswith("DENY")
    assert " ".join(reasons[:2]).startswith(WHY)
    assert "regression.auc_vs_champion: look at segment=enterprise first: -0.116" in " ".join(ran.out.split())
    written = markdown(broken.view)
    assert WHY in written.splitlines()[2]
    assert "- `regression.auc_vs_champion`: look at segment=enterprise first: -0.116" in written


def test_the_same_model_with_the_segment_repaired_is_allowed(world: pd.DataFrame) -> None:
    repaired = judged(world, "fine")
    assert repaired.allowed, repaired
    shown = document(repaired.view)
    assert not [row for row in shown["rows"] if row["status"] == "fail"]
    assert of(shown, "regression.auc_vs_champion")["enterprise"]["status"] == "pass"


def test_less_of_a_loss_is_never_denied_and_more_of_it_is(world: pd.DataFrame) -> None:
    """Over-confident scores rank as the calibrated ones do: only the losses differ, and only one way round."""
    odds = np.log(world.fine / (1 - world.fine))
    sharp = sigmoid(2.5 * odds)
    down = package.check(label=world.churned, score=world.fine, champion=sharp)
    up = package.check(label=world.churned, score=sharp, champion=world.fine)
    losses = {"regression.log_loss_vs_champion", "regression.brier_vs_champion"}
    for result, verdict in ((down, "pass"), (up, "fail")):
        found = {r.check: r.verdict for r in result.decision.results if r.check.endswith("_vs_champion")}
        assert found == dict.fromkeys(losses, verdict) | {"regression.auc_vs_champion": "pass"}
    assert down.allowed, down
    figures = {m.check: m.estimate or 0.0 for m in down.measurements if m.check in losses}
    assert all(figures[check] < 1 for check in losses)


def test_every_metric_that_is_lower_and_not_judged_is_listed(world: pd.DataFrame) -> None:
    """A model that says less of everybody: what scikit-learn finds lower at .5 is told, and nothing else."""
    odds = np.log(world.champion / (1 - world.champion))
    shy = world.assign(shy=sigmoid(odds - 0.4))
    said, theirs = shy.shy >= 0.5, shy.champion >= 0.5
    known = {
        "accuracy": metrics.accuracy_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
        "mcc": metrics.matthews_corrcoef,
    }
    differences = {name: of(shy.churned, said) - of(shy.churned, theirs) for name, of in known.items()}
    lower = {name: value for name, value in differences.items() if value < 0}
    assert 0 < len(lower) < len(known)
    result = judged(shy, "shy", by=())
    told = {row["check"]: row["estimate"] for row in document(result.view)["advice"]["worse_than_champion"]}
    assert told == pytest.approx({f"regression.{name}_vs_champion": value for name, value in lower.items()}, abs=1e-12)
    text = " ".join(str(result).split())
    assert "worse than the champion by their point, and not judged here: " in text
    assert all(f" {name} -0." in text for name in lower)
    assert "Worse than the champion by their point, and not judged here: " in markdown(result.view)


def test_a_champion_that_says_nan_of_a_row_is_compared_with_nobody(world: pd.DataFrame) -> None:
    gap = world.assign(champion=world.champion.mask(world.index == 5))
    result = judged(gap, "fine")
    assert not result.allowed
    figures = [m for m in result.measurements if m.check == "regression.auc_vs_champion"]
    assert {m.reason for m in figures} == {Reason.NAN_SCORES}
    codes = {
        r.code for r in result.decision.results if r.check == "regression.auc_vs_champion" and r.verdict == "error"
    }
    assert codes == {"unmeasured.nan_scores", "check.missing"}
    assert "scores are NaN" in str(result)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e308, -0.1])
def test_a_champion_that_says_no_probability_is_a_usage_error(world: pd.DataFrame, value: float) -> None:
    wild = world.assign(champion=world.champion.mask(world.index == 5, value))
    with pytest.raises(UsageError, match="champion") as caught:
        judged(wild, "fine")
    assert caught.value.code == "score.outside"
