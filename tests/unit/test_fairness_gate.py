"""The fairness gate on real tables in the engine: figures by group, weights, clusters, small and strange groups."""

from __future__ import annotations

from typing import Any

import fairlearn.metrics as theirs
import ibis
import numpy as np
import pandas as pd
import pytest
from weighing import heaviest_of

from gates.errors import UsageError
from gates.measure.fairness import FairnessGate
from gates.measure.fairness.gate import CHECKS
from gates.measure.interface import Findings, Given, Scored
from gates.records import Columns, Measurement, Parameters, Plan, Reason

DIGEST = "sha256:" + "0" * 64


def plan(*, task: Any = "binary", groups: tuple[str, ...] = ("sex",), **parameters: Any) -> Plan:
    return Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        columns=Columns(groups=groups),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def measure(frame: pd.DataFrame, asked: Plan | None = None) -> Findings:
    scored = Scored(ibis.memtable(frame), len(frame), False, "cluster" in frame, "scored", heaviest=heaviest_of(frame))
    return FairnessGate().measure(Given(asked or plan(), {}, scored, None))


def sample(n: int = 4_000, seed: int = 1, unfair: float = 0.0, **columns: Any) -> pd.DataFrame:
    """A calibrated model; `unfair` lowers the scores of group b, whatever happened."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    p = rng.beta(2, 2, n)
    y = (rng.random(n) < p).astype(float)
    return pd.DataFrame({"y": y, "p": np.clip(p - unfair * (group == "b"), 0, 1), "group_0": group, **columns})


def of(findings: Findings, check: str) -> dict[str, Measurement]:
    return {m.item.name if m.item else "": m for m in findings.measurements if m.check == f"fairness.{check}"}


def bound(measurement: Measurement, side: str, rung: int = 0) -> float:
    assert measurement.bounds is not None
    found = getattr(measurement.bounds[rung], side)
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_the_worst_group_is_the_figure_of_fairlearn(threshold: float) -> None:
    frame = sample()
    findings = measure(frame, plan(operating_threshold=threshold))
    given: dict[str, Any] = {
        "y_true": frame.y,
        "y_pred": frame.p >= threshold,
        "sensitive_features": frame.group_0,
    }
    for name in ("selection_rate", "true_positive_rate", "false_positive_rate"):
        for kind, worst in (("difference", max), ("ratio", min)):
            figures = of(findings, f"{name}_{kind}")
            assert set(figures) == {"sex=b", "sex=c"}
            expected = getattr(theirs, f"{name}_{kind}")(**given)
            assert worst(m.estimate for m in figures.values() if m.estimate is not None) == pytest.approx(expected)
            assert {m.family.size for m in figures.values()} == {2}
            assert {str(m.slice) for m in figures.values()} == {"whole"}
    assert of(findings, "true_positive_rate_ratio")["sex=b"].n == ((frame.group_0 == "b") & (frame.y == 1)).sum()


def test_weights_are_those_of_fairlearn_and_rows_are_still_rows() -> None:
    frame = sample(weight=np.random.default_rng(3).uniform(0.5, 1.5, 4_000))
    findings = measure(frame)
    expected = theirs.true_positive_rate_difference(
        y_true=frame.y, y_pred=frame.p >= 0.5, sensitive_features=frame.group_0, sample_weight=frame.weight
    )
    figures = of(findings, "true_positive_rate_difference")
    assert max(m.estimate for m in figures.values() if m.estimate is not None) == pytest.approx(expected, abs=1e-9)
    assert figures["sex=b"].n == ((frame.group_0 == "b") & (frame.y == 1)).sum()
    plain = of(measure(frame.drop(columns="weight")), "true_positive_rate_difference")["sex=c"]
    weighted = figures["sex=c"]
    width = [bound(m, "upper") - (m.estimate or 0) for m in (plain, weighted)]
    assert width[1] > width[0]


def test_every_group_has_its_calibration_error() -> None:
    frame = sample(unfair=0.2)
    errors = of(measure(frame), "ece")
    assert set(errors) == {"sex=a", "sex=b", "sex=c"}
    assert {m.family.size for m in errors.values()} == {3}
    assert bound(errors["sex=b"], "lower", 4) > 0.1
    assert bound(errors["sex=a"], "lower", 0) < 0.02


def test_an_unfair_model_is_proven_so_and_a_fair_one_is_not() -> None:
    unfair = of(measure(sample(unfair=0.2)), "selection_rate_difference")
    assert bound(unfair["sex=b"], "lower", 4) > 0.1
    fair = of(measure(sample()), "selection_rate_difference")
    assert all(bound(m, "lower") < 0.02 for m in fair.values())
    assert all(bound(m, "upper") < 0.1 for m in fair.values())


def test_a_group_of_three_rows_is_there_and_proves_nothing_about_the_others() -> None:
    frame = sample()
    tiny = pd.DataFrame({"y": [0.0, 0.0, 0.0], "p": [0.1, 0.6, 0.2], "group_0": ["t"] * 3})
    findings, without = measure(pd.concat([frame, tiny])), measure(frame)
    selection = of(findings, "selection_rate_difference")
    assert selection["sex=t"].n == 3
    assert bound(selection["sex=t"], "lower") < 0.1 < bound(selection["sex=t"], "upper")
    assert bound(of(findings, "selection_rate_ratio")["sex=t"], "lower") < 0.8
    assert bound(selection["sex=b"], "upper") == bound(of(without, "selection_rate_difference")["sex=b"], "upper")
    # Without a single positive there is no true positive rate.
    assert of(findings, "true_positive_rate_difference")["sex=t"].reason == Reason.ONE_CLASS
    assert of(findings, "true_positive_rate_difference")["sex=b"].status == "measured"


def test_clusters_are_counted_and_a_group_in_few_of_them_is_unmeasured() -> None:
    frame = sample(cluster=np.random.default_rng(2).integers(0, 30, 4_000).astype(str))
    frame.loc[frame.group_0 == "c", "cluster"] = "7"
    findings = measure(frame, plan(cluster="day"))
    selection = of(findings, "selection_rate_difference")
    assert selection["sex=b"].clusters == 30
    assert selection["sex=b"].method == "square_and_add_korn_graubard"
    assert selection["sex=c"].reason == Reason.FEW_CLUSTERS
    assert of(findings, "ece")["sex=c"].reason == Reason.FEW_CLUSTERS


def test_columns_of_groups_are_looked_at_one_by_one_in_one_family() -> None:
    frame = sample(group_1=np.random.default_rng(2).choice(["old", "young"], 4_000))
    findings = measure(frame, plan(groups=("sex", "age"), slices=("tier",)))
    selection = of(findings, "selection_rate_ratio")
    assert len(selection) == 3
    assert len({"age=old", "age=young"} & set(selection)) == 1
    assert {m.family.size for m in selection.values()} == {3}


@pytest.mark.parametrize("value", ["", "../..", "Ünï\u202e", "a\nb", "x" * 300, "(null)"])
def test_strange_names_are_names(value: str) -> None:
    frame = sample()
    frame.loc[frame.group_0 == "b", "group_0"] = value
    [strange] = [m for name, m in of(measure(frame), "selection_rate_ratio").items() if name != "sex=c"]
    assert strange.item is not None
    assert strange.item.name.startswith("sex=")
    assert strange.item.name.isprintable()


def test_one_group_has_nothing_to_stand_beside() -> None:
    findings = measure(sample().assign(group_0="a"))
    assert of(findings, "selection_rate_difference")["sex=a"].reason == Reason.ONE_GROUP
    assert of(findings, "ece")["sex=a"].status == "measured"


def test_reasons_and_refusals() -> None:
    for findings in (
        measure(sample(), plan(groups=())),
        *(measure(sample(), plan(task=t)) for t in ("numeric", "multiclass")),
    ):
        assert [m.check for m in findings.measurements] == [f"fairness.{check}" for check in CHECKS]
        assert {m.reason for m in findings.measurements} == {Reason.NOT_PROVIDED}
    assert {m.reason for m in measure(sample()[:0]).measurements} == {Reason.EMPTY_TABLE}
    [one] = of(measure(sample()[:1]), "selection_rate_ratio").values()
    assert one.reason == Reason.ONE_GROUP
    with pytest.raises(UsageError, match="4,000 values") as refused:
        measure(sample().assign(group_0=[str(i) for i in range(4_000)]))
    assert refused.value.code == "groups.many"


def test_figures_do_not_depend_on_the_order_of_rows() -> None:
    frame = sample(cluster=np.random.default_rng(2).integers(0, 30, 4_000).astype(str))
    again = frame.sample(frac=1, random_state=5)
    assert measure(frame).measurements == measure(again).measurements
