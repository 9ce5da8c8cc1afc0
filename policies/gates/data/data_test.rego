package gates.checks.data_test

import data.gates.main
import data.gates.testing as t

_denied(check, value) := found if {
	found := t.denied with input as t.production
		with input.evidence as t.changed(check, t.whole, {"bounds": t.bounds(value, value), "estimate": value})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_limits if {
	_denied("data.schema", 1) == {"data.schema"}
	_denied("data.rows", 999) == {"data.rows"}
	_denied("data.null_rate_difference", 0.020000000000000004) == {"data.null_rate_difference"}
	_denied("data.null_rate_difference", -0.020000000000000004) == {"data.null_rate_difference"}
	_denied("data.null_rate_difference", -0.02) == set()
	_denied("data.duplicate_keys", 1) == {"data.duplicate_keys"}
	_denied("data.holdout_overlap", 1) == {"data.holdout_overlap"}
	_denied("data.out_of_range", 0.010000000000000002) == {"data.out_of_range"}
	_denied("data.staleness", 604801) == {"data.staleness"}
	_denied("data.label_nulls", 1) == {"data.label_nulls"}
}

# What is asked for only: its limit in production, by the first value beyond it and the last within.
_asked(check, value) := found if {
	answer := t.decision with input as t.production
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | {t.figure(check, "data", value, value)}))
		with data.models.m as object.union(t.facts, {"required": [{"check": check}]})
		with data.trust as t.trust
	found := {result.verdict | some result in answer.results; result.check == check}
}

test_limits_of_what_is_asked_for if {
	every check, values in {
		"data.time_order": [1, 0],
		"data.near_duplicates": [0.0010000000000000002, 0.001],
		"data.single_feature_auc": [0.9500000000000001, 0.95],
		"data.class_balance": [-0.05000000000000001, -0.05],
		"data.krippendorff_alpha": [0.666, 0.667],
		"data.annotator_kappa": [0.59, 0.6],
		"data.guideline_versions": [2, 1],
		"data.immature_rows": [0.001, 0],
		"data.label_delay": [0.011, 0.01],
		"data.smallest_cell": [4, 5],
		"data.untagged_columns": [1, 0],
		"data.untagged_personal_data": [0.011, 0.01],
	} {
		_asked(check, values[0]) == {"fail"}
		_asked(check, values[1]) == {"pass"}
	}
}

# The plan of the test does not ask for the check, which is all that denies.
_of_advice(figure) := {[result.verdict, result.disposition] |
	answer := t.decision with input as t.production
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | {figure}))
		with data.models.m as object.union(t.facts, {"required": [{"check": figure.check}]})
		with data.trust as t.trust
	{result.code | some result in answer.results; result.disposition == "denies"} == {"plan.mismatch"}
	some result in answer.results
	result.check == figure.check
}

test_advice_never_denies if {
	_alone := t.figure("data.single_feature_auc", "data", 0.96, 0.99)
	_of_advice(_alone) == {["fail", "tolerated"]}
	_of_advice(t.at(_alone, {"bounds": t.bounds(0.9, 0.99)})) == {["inconclusive", "tolerated"]}
	_of_advice(object.union(_alone, t.unmeasured("one_class"))) == {["inconclusive", "tolerated"]}
}

# A window that the policy owners declare is asked about wherever the spec names the times.
test_maturity_is_asked_for_where_a_window_is_declared if {
	request := object.union(t.asked, {"columns": ["time", "labelled"]})
	declared := main.plan with input as request with data.models.m as {"parameters": {"maturation_seconds": 86400}}
	silent := main.plan with input as request with data.models.m as {}
	timeless := main.plan with input as t.asked with data.models.m as {"parameters": {"maturation_seconds": 86400}}
	wanted := {"data.immature_rows", "data.label_delay"}
	{r.check | some r in declared.requirements} & wanted == wanted
	{r.check | some r in silent.requirements} & wanted == set()
	{r.check | some r in timeless.requirements} & wanted == set()
}

test_a_feature_that_vanished if {
	t.denied == {"check.missing", "plan.mismatch"} with input as t.production
		with input.evidence as t.without("data.out_of_range", t.whole)
		with input.plan.body.requirements as []
		with data.models.m as t.facts
		with data.trust as t.trust
	answer := t.decision with input as t.production
		with input.plan.body.columns.features as ["wind", "rain"]
		with data.models.m as t.facts
		with data.trust as t.trust
	answer.allow == false
	{result.item.name | some result in answer.results; result.code == "check.missing"} == {"rain"}
	{r.check | some r in answer.missing} == {"data.null_rate_difference", "data.out_of_range", "parity.mismatch"}
}
