package gates.lib.judge_test

import data.gates.lib.judge
import data.gates.testing as t

_undecided := {"bounds": t.bounds(0.015, 0.03), "estimate": 0.019}

test_results_are_references if {
	answer := t.decided(t.evidence(t.figures))
	wanted := {
		"check": "data.out_of_range",
		"subject": "data",
		"slice": t.whole,
		"item": {"kind": "feature", "name": "wind"},
		"rule": "at_most",
		"verdict": "pass",
		"disposition": "satisfied",
		"code": "data.out_of_range.passed",
		"limit": "thresholds/production/limits/data.out_of_range/high",
	}
	wanted in answer.results
}

test_undecided_needs_proof_at_tier_high_in_production if {
	answer := t.decided(t.ece(_undecided))
	answer.allow == false
	answer.basis == "none"
	answer.valid_until_us == t.now
	t.codes(answer, "denies") == {"calibration.ece.inconclusive"}
}

test_undecided_is_provisional_in_staging if {
	answer := t.decision with input as t.production
		with input.request.environment as "staging"
		with input.evidence as t.ece(_undecided)
		with data.models.m as t.facts
		with data.trust as t.trust
	answer.allow == true
	answer.basis == "provisional"
	answer.valid_until_us == 1792592000000000
	t.codes(answer, "accepted") == {"calibration.ece.provisional"}
}

test_the_bounded_rule_has_an_end if {
	t.denied == {"calibration.ece.inconclusive"} with input as t.production
		with input.request.environment as "staging"
		with input.evidence as t.ece({"bounds": t.bounds(0.015, 0.05), "estimate": 0.019})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_development_accepts_what_is_undecided if {
	t.accepted == {"calibration.ece.provisional"} with input as t.development
		with input.evidence as t.ece({"bounds": t.bounds(0, "unbounded"), "estimate": 0.9})
		with data.models.m as t.facts
}

test_what_is_accepted_without_proof_is_provisional if {
	judge.provisional with input as t.development
		with input.evidence as t.ece({"bounds": t.bounds(0, "unbounded"), "estimate": 0.9})
		with data.models.m as t.facts
	not judge.provisional with input as t.development with data.models.m as t.facts
}

test_what_is_provisional_in_development_holds_as_long_as_what_is_proven if {
	answer := t.decision with input as t.development
		with input.evidence as t.ece({"bounds": t.bounds(0, "unbounded"), "estimate": 0.9})
		with data.models.m as t.facts
	answer.basis == "provisional"
	answer.valid_until_us == 1797776000000000
}

test_medium_tier_accepts_in_production if {
	facts := object.union(t.facts, {"tier": "medium"})
	t.accepted == {"calibration.ece.provisional"} with input as t.production
		with input.evidence as t.ece(_undecided)
		with input.plan.body.tier as "medium"
		with input.last.plan.body.tier as "medium"
		with data.models.m as facts
		with data.trust as t.trust
	t.denied == set() with input as t.production
		with input.evidence as t.ece(_undecided)
		with input.plan.body.tier as "medium"
		with input.last.plan.body.tier as "medium"
		with data.models.m as facts
		with data.trust as t.trust
}

test_no_harm if {
	undecided := t.decided(t.slice_ece({"bounds": t.bounds(0, "unbounded")}))
	undecided.allow == true
	undecided.basis == "proven"
	t.codes(undecided, "tolerated") == {"calibration.ece.inconclusive"}
	t.codes(t.decided(t.slice_ece({"bounds": t.bounds(0.03, 0.1)})), "denies") == {"calibration.ece"}
}

test_what_is_shown_twice_is_said_once if {
	once := t.decided(t.evidence([f | some f in t.figures]))
	twice := t.decided(t.evidence([f | some _ in [1, 2]; some f in t.figures]))
	count(twice.results) == count(once.results)
	twice.allow == true
}

test_another_subject_does_not_answer if {
	t.codes(t.decided(t.ece({"subject": "champion"})), "denies") == {"check.missing"}
}

_with_extra(extra) := found if {
	found := t.decision with input as t.production
		with input.plan.body.requirements as [r | some r in ({r | some r in t.plan.requirements} | {extra})]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_a_figure_that_is_told_is_no_check if {
	every check in ["calibration.spiegelhalter", "regression.accuracy"] {
		wish := {"environment": "production", "check": check, "role": "prove", "slice": t.whole}
		t.codes(_with_extra(wish), "denies") == {"check.unknown"}
	}
}

test_a_plan_can_only_add if {
	unknown := {"environment": "production", "check": "fairness.parity", "role": "prove", "slice": t.whole}
	t.codes(_with_extra(unknown), "denies") == {"check.unknown"}
	elsewhere := {"environment": "staging", "check": "fairness.parity", "role": "prove", "slice": t.whole}
	_with_extra(elsewhere).allow == true
	named := {"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.slice("OO")}
	_with_extra(named).allow == true
	column := {"environment": "production", "check": "fairness.parity", "role": "no-harm", "each": "carrier"}
	t.codes(_with_extra(column), "denies") == {"check.unknown"}
}

test_proof_goes_before_no_harm if {
	named := {"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.slice("OO")}
	answer := t.decision with input as t.production
		with input.plan.body.requirements as [r | some r in ({r | some r in t.plan.requirements} | {named})]
		with input.evidence as t.slice_ece({"bounds": t.bounds(0, "unbounded")})
		with data.models.m as t.facts
		with data.trust as t.trust
	t.codes(answer, "denies") == {"calibration.ece.inconclusive"}
}

_rows(change) := t.codes(t.decided(t.changed("data.rows", t.whole, change)), "denies")

test_a_figure_says_its_unit if {
	_rows({"unit": ""}) == {"unit.missing"}
	_rows({"unit": null}) == {"unit.missing"}
	_rows({"unit": "rows"}) == set()
}

test_a_limit_in_another_unit_is_none if {
	said := {"data.rows": {"high": {"limit": 1, "inclusive": true, "unit": "rows"}}}
	answer := t.decided(t.changed("data.rows", t.whole, {"unit": "rows"})) with data.thresholds.production.limits as said
	not "unit.mismatch" in t.codes(answer, "denies")
	other := t.decided(t.changed("data.rows", t.whole, {"unit": "hours"})) with data.thresholds.production.limits as said
	"unit.mismatch" in t.codes(other, "denies")
}

_missing(thresholds) := {r.code |
	some r in answer.results
	r.check == "data.rows"
} if {
	answer := t.decided(t.evidence(t.figures)) with data.thresholds as thresholds
}

test_each_limit_that_is_missing_has_its_code if {
	_missing({}) == {"limit.environment"}
	_missing({"production": {"limits": {}}}) == {"limit.missing"}
	_missing({"production": {"limits": {"data.rows": {"low": {"limit": 1, "inclusive": true}}}}}) == {"limit.tier"}
}

test_a_figure_against_a_champion_whom_nobody_names if {
	without := {key: value | some key, value in t.production.request; key != "champion"}
	"champion.missing" in t.denied with input as t.production
		with input.request as without
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_what_is_measured_is_judged_even_where_it_has_a_reason if {
	t.judged_as("prove", t.ece_alone({"reason": "nan_scores"})) == {["pass", "satisfied", "calibration.ece.passed"]}
}

_whatever(_) := {"w"}

test_only_a_figure_that_denies_is_waived if {
	undecided := t.ece_alone(_undecided)
	t.judged_as("prove", undecided) == {["inconclusive", "waived", "calibration.ece.inconclusive"]}
		with data.gates.lib.accepted.covering as _whatever
	t.judged_as("no-harm", undecided) == {["inconclusive", "tolerated", "calibration.ece.inconclusive"]}
		with data.gates.lib.accepted.covering as _whatever
	t.judged_as("prove", t.ece_alone({"bounds": t.bounds(0.03, 0.01)})) == {["error", "denies", "bounds.invalid"]}
		with data.gates.lib.accepted.covering as _whatever
	t.judged_as("prove", t.ece_alone(t.unmeasured("nan_scores"))) == {["error", "denies", "unmeasured.nan_scores"]}
		with data.gates.lib.accepted.covering as _whatever
}

test_only_a_figure_against_a_champion_needs_one if {
	t.judged(t.first, "prove", t.ece_alone({})) == {["pass", "satisfied", "calibration.ece.passed"]}
	against := t.figure("regression.auc_vs_champion", "pair", -0.01, 0.01)
	t.judged(t.first, "prove", against) == {["error", "denies", "champion.missing"]}
}

test_what_is_bad_and_advice_is_told if {
	telling := t.figure("data.single_feature_auc", "data", 0.995, 0.999)
	{[verdict, disposition] | some [verdict, disposition, _] in t.judged_as("prove", telling)} == {["fail", "tolerated"]}
}

test_an_undecided_figure_is_accepted_by_its_point_only_where_its_limit_says_so if {
	bare := t.ece_alone({"estimate": 0.01, "bounds": t.bounds("unbounded", "unbounded")})
	limit := {"limit": 0.02, "inclusive": true}
	t.judged_as("prove", bare) == {["inconclusive", "accepted", "calibration.ece.point"]}
		with data.thresholds.production.limits as {"calibration.ece": {"high": object.union(limit, {"point": true})}}
	t.judged_as("prove", bare) == {["inconclusive", "denies", "calibration.ece.inconclusive"]}
		with data.thresholds.production.limits as {"calibration.ece": {"high": limit}}
	t.judged_as("prove", t.ece_alone({"estimate": 0.01, "bounds": t.bounds(0.01, 0.03)})) == {["inconclusive", "denies", "calibration.ece.inconclusive"]}
		with data.thresholds.production.limits as {"calibration.ece": {"high": object.union(limit, {"point": true})}}
}

_beside(params) := {[verdict, disposition] | some [verdict, disposition, _] in found} if {
	slow := t.figure("regression.latency_vs_champion", "pair", 1.3, 1.5)
	found := t.judged_as("prove", t.at(slow, {"item": {"kind": "metric", "name": "p95"}, "params": params}))
}

test_a_figure_is_advice_where_the_parameter_that_the_check_names_says_so if {
	_beside([]) == {["fail", "denies"]}
	_beside([{"name": "warmed", "value": true}]) == {["fail", "denies"]}
	_beside([{"name": "shared_runner", "value": false}]) == {["fail", "denies"]}
	_beside([{"name": "shared_runner", "value": true}]) == {["fail", "tolerated"]}
}
