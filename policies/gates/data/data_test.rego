package gates.checks.data_test

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
