"""The view joins figures, limits, texts and advice to results, and ranks them; it judges nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from decision_samples import (
    ANNOTATIONS,
    LIMITS,
    Sample,
    carrier,
    decision,
    feature,
    good,
    limit_of,
    measured,
    overconfident,
    result,
    skewed,
    uncalibrated,
)

from gates.audit.site.page import page
from gates.decide.limits import Limit, Rungs, limit_at, limits_of
from gates.records import LADDER, Family, Measurement, Reason, Requirement, RuleResult, Slice
from gates.records.decision import LedgerInput
from gates.records.measurement import Item, Param
from gates.render.document import document
from gates.render.join import REASONS, build_view
from gates.render.markdown import markdown
from gates.render.text import text
from gates.resources import policies_folder


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)


def test_the_answer_stands_in_words_and_provisional_is_no_plain_allow() -> None:
    assert [sample().view().answer for sample in (good, uncalibrated, overconfident)] == [
        "ALLOW",
        "ALLOW (provisional)",
        "DENY",
    ]


def test_a_denial_is_decided_by_what_denies_the_proven_first() -> None:
    view = overconfident().view()

    assert [row.code for row in view.deciding[:2]] == ["calibration.ece", "calibration.bin"]
    assert all(row.denies for row in view.deciding)
    assert not any(row.denies for row in view.rest)
    statuses = [row.status for row in view.deciding]
    assert statuses == sorted(statuses, key=["fail", "inconclusive"].index)
    strains = [row.strain for row in view.deciding if row.status == "fail" and row.check == "calibration.bin"]
    assert strains == sorted(strains, reverse=True)


def test_a_provisional_allow_is_decided_by_what_is_open() -> None:
    assert [row.code for row in uncalibrated().view().deciding] == ["calibration.ece.provisional"]


def test_an_allow_is_decided_by_the_tightest_proof_of_each_check() -> None:
    view = good().view()
    bins = [row for row in view.rows if row.check == "calibration.bin"]
    shown = next(row for row in view.deciding if row.check == "calibration.bin")

    assert shown.strain == max(row.strain for row in bins)
    assert len({row.check for row in view.deciding}) == len(view.deciding)


def test_every_result_is_in_the_view_once() -> None:
    for sample in (good(), uncalibrated(), overconfident(), skewed()):
        view = sample.view()
        assert sorted(map(repr, (row.result for row in view.rows))) == sorted(map(repr, sample.decision.results))
        assert len(view.deciding) + len(view.rest) == len(view.rows)


def test_a_missing_requirement_without_a_result_gets_a_row() -> None:
    missing = (Requirement(environment="production", check="parity.mismatch", role="prove", slice=Slice()),)
    view = Sample(decision((), allow=False, missing=missing), ()).view()

    assert [(row.status, row.code) for row in view.deciding] == [("missing", "check.missing")]
    assert "not measured" in view.why


def test_a_missing_requirement_that_has_a_result_is_told_once() -> None:
    missing = (Requirement(environment="production", check="parity.mismatch", role="no-harm", each="carrier"),)
    told = RuleResult(
        check="parity.mismatch",
        slice=Slice(),
        rule="present",
        verdict="error",
        disposition="denies",
        code="check.missing",
    )
    view = Sample(decision((told,), allow=False, missing=missing), ()).view()

    assert len(view.rows) == 1


def test_nothing_required_is_said() -> None:
    assert "nothing required is never good" in Sample(decision((), allow=False), ()).view().why


def test_an_unmeasured_says_why() -> None:
    figure = Measurement(
        check="regression.auc_vs_champion",
        subject="pair",
        status="unmeasured",
        reason=Reason.NO_CHAMPION,
        family=Family(name="x", size=1),
        method="none",
    )
    row = result(figure, "error", code="unmeasured.no_champion")
    view = Sample(decision((row,), allow=False), (figure,)).view()

    assert view.deciding[0].note == "no champion to compare with"
    assert view.why == "AUC against the champion: no champion to compare with (unmeasured.no_champion)."


def test_a_rule_about_the_move_has_no_figure_and_its_title_says_it_all() -> None:
    row = RuleResult(
        check="evidence.unlisted_key",
        rule="release",
        verdict="fail",
        disposition="denies",
        code="evidence.unlisted_key",
    )
    view = Sample(decision((row,), allow=False), ()).view()

    assert view.why == "The evidence's key is not listed (evidence.unlisted_key)."
    assert view.deciding[0].measurement is None


def test_a_tolerated_failure_is_not_called_undecided() -> None:
    figure = measured("calibration.under_coverage", 0.05, 0.001)
    row = result(figure, "fail", "tolerated", "calibration.under_coverage.tolerated")
    view = Sample(decision((row,), allow=True), (figure,)).view()

    assert view.why == "0 of 1 results are good; 1 noted."


@pytest.mark.parametrize(
    ("verdict", "look", "family", "rung"),
    [
        ("pass", 1, 20, 0),
        ("inconclusive", 1, 20, 0),
        ("fail", 1, 1, 0),
        ("fail", 1, 20, 4),
        ("pass", 2, 20, 1),
        ("fail", 3, 2, 3),
        ("fail", 7, 3, 4),
        ("pass", 224, 1, 8),
        ("fail", 1, 50_000, 8),
    ],
)
def test_the_interval_is_that_of_the_judged_rung(verdict: str, look: int, family: int, rung: int) -> None:
    figure = measured("calibration.ece", 0.03, 0.01, family=Family(name="x", size=family))

    bound = Rungs().judged(figure, verdict, look)

    assert bound is not None
    assert bound.confidence == LADDER[rung]


def test_beyond_the_tables_there_is_no_judged_rung() -> None:
    figure = measured("calibration.ece", 0.03, 0.01, family=Family(name="x", size=50_001))

    assert Rungs().judged(figure, "fail", 1) is None
    assert Rungs().judged(figure, "pass", 225) is None
    assert Rungs().judged(figure, "pass", 1) is not None


def test_the_rungs_are_those_of_the_policies() -> None:
    source = (policies_folder() / "lib" / "comparison.rego").read_text(encoding="utf-8")

    def table(name: str) -> tuple[float, ...]:
        found = re.search(rf"^{name} := \[(.*)\]$", source, re.MULTILINE)
        assert found is not None
        return tuple(float(number) for number in found[1].split(","))

    assert table("_confidences") == LADDER
    assert (table("_largest_family"), table("_largest_look")) == (Rungs().families, Rungs().looks)


def test_limits_come_from_policy_data_by_the_path_in_the_result() -> None:
    data = {"thresholds": {"production": {"limits": {"calibration.bin": {"high": {
        "limit": 0.05, "inclusive": True, "ceiling": 0.12, "mirror": {"limit": -0.05, "ceiling": -0.12}
    }}}}}}  # fmt: skip
    path = "thresholds/production/limits/calibration.bin/high"

    assert limit_at(data, path, "within") == Limit("within", 0.05, True, -0.05, 0.12)
    assert limit_at(data, path + "/x", "within") is None
    assert limit_at(data, "", "at_most") is None
    row = result(measured("calibration.bin", 0.01, 0.01), "pass").model_copy(update={"limit": path})
    assert limits_of(data)(row) == LIMITS["calibration.bin"]
    assert limits_of(data)(row.model_copy(update={"rule": "release"})) is None
    assert limits_of(data)(row.model_copy(update={"limit": None})) is None


@pytest.mark.parametrize(
    ("limit", "figure", "holds"),
    [
        (Limit("at_most", 0.02, inclusive=False), 0.02, False),
        (Limit("at_most", 0.02, inclusive=True), 0.02, True),
        (Limit("at_least", -0.01, inclusive=True), -0.01, True),
        (Limit("at_least", -0.01, inclusive=True), -0.011, False),
        (Limit("within", 0.05, inclusive=True, mirror=-0.05), -0.05, True),
        (Limit("within", 0.05, inclusive=True, mirror=-0.05), -0.051, False),
    ],
)
def test_a_limit_holds_to_its_boundary(limit: Limit, figure: float, holds: bool) -> None:
    assert limit.holds(figure) is holds


def test_figures_are_joined_by_slice_and_item() -> None:
    one, other = (measured("parity.mismatch", share, item=feature(name)) for share, name in ((0.1, "a"), (0.2, "b")))
    small = measured("calibration.ece", 0.3, 0.2, slice_=carrier("OO"), n=9)
    rows = (result(one, "fail"), result(other, "fail"), result(small, "inconclusive", "tolerated"))
    view = Sample(decision(rows, allow=False), (small, other, one)).view()

    found = {(row.check, str(row.slice), row.item.name if row.item else None): row.measurement for row in view.rows}
    assert found["parity.mismatch", "whole", "a"] is one
    assert found["parity.mismatch", "whole", "b"] is other
    assert found["calibration.ece", "carrier=OO", None] is small


def test_a_figure_of_another_subject_is_not_joined() -> None:
    figure = measured("calibration.ece", 0.01, 0.001, subject="champion")
    row = result(figure, "pass").model_copy(update={"subject": "candidate"})

    assert Sample(decision((row,), allow=True), (figure,)).view().rows[0].measurement is None


def test_the_document_carries_the_decision_and_never_calls_provisional_a_pass() -> None:
    sample = uncalibrated()
    found = document(sample.view())

    assert found["decision"] == sample.decision.document()
    assert (found["answer"], found["basis"]) == ("allow", "provisional")
    row = found["rows"][0]
    assert (row["verdict"], row["disposition"], row["status"]) == ("inconclusive", "accepted", "inconclusive")
    assert row["judged_at"]["confidence"] == 0.95
    assert row["limit_value"] == {"sense": "at_most", "value": 0.02, "inclusive": False, "ceiling": 0.05}


def test_the_same_decision_gives_the_same_rows_in_any_order_of_results() -> None:
    sample = overconfident()
    turned = sample.decision.model_copy(update={"results": sample.decision.results[::-1]})
    other = build_view(turned, sample.measurements[::-1], limit_of=limit_of, annotations=ANNOTATIONS)

    assert [row.result for row in other.rows] == [row.result for row in sample.view().rows]


def resting(**changes: Any) -> tuple[str, ...]:
    figure = measured("calibration.ece", 0.01, 0.001, **changes)
    return Sample(decision((result(figure, "pass"),), allow=True), (figure,)).view().cautions


def test_what_the_figures_rest_on_is_said() -> None:
    assumed = (Param(name="rows", value="assumed independent"),)
    assert resting() == ()
    assert "assumes independent rows" in resting(params=assumed, clusters=None)[0]
    assert resting(params=(Param(name="rows", value="independent"),), clusters=None) == ()
    weighed = (Param(name="weight", value="stay"), Param(name="rows", value="independent"))
    assert resting(params=weighed, clusters=None) == ("rows count as much as their column 'stay' says",)
    assert resting(clusters=19) == ("19 clusters: under 20, intervals are rough",)
    assert resting(clusters=20) == ()
    assert "supplied as a table" in resting(predictions="supplied")[0]
    assert resting(predictions="scored") == ()


def test_supplied_scores_rest_on_the_rows_that_the_model_scored_again() -> None:
    figure = measured("calibration.ece", 0.01, 0.001, predictions="supplied")
    again = [
        measured("package.mismatch", 0.0, n=n, item=Item(kind="table", name=name))
        for name, n in (("predictions", 1_000), ("champion_predictions", 800))
    ]
    results = tuple(result(one, "pass") for one in (figure, *again))
    [said] = Sample(decision(results, allow=True), (figure, *again)).view().cautions
    assert said == (
        "scores were supplied as a table, and 800 of their rows scored again by the registered model (package.mismatch)"
    )
    gone = again[0].model_copy(
        update={"status": "unmeasured", "reason": Reason.SCORER_FAILED, "estimate": None, "bounds": None, "n": 0}
    )
    results = (result(figure, "pass"), result(gone, "error"))
    [said] = Sample(decision(results, allow=False), (figure, gone)).view().cautions
    assert said == "scores were supplied as a table, not computed from a registered model"


def test_small_slices_are_named_the_smallest_first() -> None:
    rows = {"a": 99, "b\u202e": 1, "c": 100, "d": 50, "e": 60}
    figures = [measured("calibration.ece", 0.01, 0.001)]
    figures += [measured("calibration.ece", 0.01, 0.001, slice_=carrier(k), n=n, clusters=30) for k, n in rows.items()]
    figures.append(measured("calibration.ece", 0.01, 0.001, slice_=carrier("few"), n=5_000, clusters=8))
    view = Sample(decision(tuple(result(m, "pass") for m in figures), allow=True), tuple(figures)).view()
    assert view.cautions == (
        "slices of under 100 rows prove little: carrier=b\\u202e (1), carrier=d (50), carrier=e (60) and 1 more",
        "slices of under 20 clusters have rough intervals: carrier=few (8)",
    )


def test_the_worst_slice_is_named_in_every_view() -> None:
    figures = [
        measured("calibration.ece", value, 0.001, slice_=carrier(name), n=900)
        for name, value in (("A", 0.2), ("B", 0.1))
    ]
    view = Sample(decision(tuple(result(m, "fail", "tolerated") for m in figures), allow=True), tuple(figures)).view()
    told = "look at carrier=A first: 0.2000 [0.1984, 0.2016] of 900 rows"
    assert told in " ".join(text(view).split())
    assert told.replace("[", "&#91;").replace("]", "&#93;").replace("carrier=A", "carrier=A") in markdown(view)
    assert told in page(view)


def test_slices_that_stand_out_are_named_in_every_view() -> None:
    figures = [
        measured("calibration.ece", value, 0.01, slice_=carrier(name), family=Family(name="f", size=7))
        for name, value in (*((f"A{i}", 0.05) for i in range(6)), ("B", 0.02))
    ]
    rows = tuple(result(m, "inconclusive", "tolerated") for m in figures)
    view = Sample(decision(rows, allow=True), tuple(figures)).view()
    names = "carrier=A0, carrier=A1, carrier=A2, carrier=A3, carrier=A4 and 1 more"
    told = f"looks bad, not proven: {names} (among 7 claims; of such names at most 10 % are chance, on the average)"
    assert told in " ".join(text(view).split())
    assert told in markdown(view)
    assert told in page(view)
    [found] = document(view)["advice"]["stand_out"]
    assert [part["slice"]["value"] for part in found["parts"]] == [f"A{i}" for i in range(6)]
    assert (found["check"], found["among"], found["false_discovery_rate"]) == ("calibration.ece", 7, 0.1)


def test_how_often_the_holdout_was_looked_at_is_said() -> None:
    seen = LedgerInput(head="sha256:" + "0" * 64, sequence=9, looks=3, attempts=2, candidates_judged=4)
    said = "look 3 at this holdout, attempt 2 of this candidate, 4 candidates judged by it"
    assert said in good().view(ledger=seen).cautions
    assert not any("look" in line for line in good().view().cautions)
