package gates.checks.calibration_test

import data.gates.testing as t

_spoilt(check, change) := t.changed(check, t.whole, change)

test_ece_is_strict if {
	t.denied == {"calibration.ece"} with input as t.production
		with input.evidence as _spoilt("calibration.ece", {"bounds": t.bounds(0.02, 0.03)})
		with data.models.m as t.facts
		with data.trust as t.trust
	t.denied == {"calibration.ece.inconclusive"} with input as t.production
		with input.evidence as _spoilt("calibration.ece", {"bounds": t.bounds(0.01, 0.02)})
		with data.models.m as t.facts
		with data.trust as t.trust
	t.denied == set() with input as t.production
		with input.evidence as _spoilt("calibration.ece", {"bounds": t.bounds(0.01, 0.019999999999999997)})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_a_bin_is_judged_on_both_sides if {
	t.denied == {"calibration.bin"} with input as t.production
		with input.evidence as _spoilt("calibration.bin", {"bounds": t.bounds(0.05000000000000001, 0.06)})
		with data.models.m as t.facts
		with data.trust as t.trust
	t.denied == {"calibration.bin"} with input as t.production
		with input.evidence as _spoilt("calibration.bin", {"bounds": t.bounds(-0.06, -0.05000000000000001)})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_under_coverage if {
	t.denied == {"calibration.under_coverage"} with input as t.production
		with input.evidence as _spoilt("calibration.under_coverage", {"bounds": t.bounds(0.020000000000000004, 0.03)})
		with data.models.m as t.facts
		with data.trust as t.trust
}

_over := _spoilt("calibration.over_coverage", {"bounds": t.bounds(0.020000000000000004, 0.03)})

test_over_coverage_denies_at_tier_high_only if {
	t.denied == {"calibration.over_coverage"} with input as t.production
		with input.evidence as _over
		with data.models.m as t.facts
		with data.trust as t.trust
	t.noted == {"calibration.over_coverage.tolerated"} with input as t.development
		with input.evidence as _over
		with input.plan.body.tier as "medium"
		with data.models.m as {"tier": "medium", "slices": ["carrier"]}
	t.denied == set() with input as t.development
		with input.evidence as _over
		with input.plan.body.tier as "medium"
		with data.models.m as {"tier": "medium", "slices": ["carrier"]}
}

test_undecided_over_coverage_is_tolerated_where_a_bad_one_is if {
	t.noted == {"calibration.over_coverage.inconclusive"} with input as t.development
		with input.evidence as _spoilt("calibration.over_coverage", {"bounds": t.bounds(0, 0.9)})
		with input.plan.body.tier as "low"
		with data.models.m as {"tier": "low", "slices": ["carrier"]}
}

# What a model's owners ask for besides.
_asked(check) := object.union(t.facts, {"required": [{"check": check}]})

# The plan of these tests was made before they asked.
_denied_with(check, lower, upper) := {code | some code in denied; code != "plan.mismatch"} if {
	denied := t.denied with input as t.production
		with input.evidence as t.evidence(t.array_of({figure | some figure in t.figures} | {t.figure(check, "candidate", lower, upper)}))
		with data.models.m as _asked(check)
		with data.trust as t.trust
}

test_a_fit_on_the_holdout_is_denied_where_asked if {
	_denied_with("calibration.fitted_share", 1, 1) == {"calibration.fitted_share"}
	_denied_with("calibration.fitted_share", 0.5, 0.5) == set()
}

test_slope_and_equal_width_are_judged_where_asked if {
	_denied_with("calibration.slope", 0.031, 0.05) == {"calibration.slope"}
	_denied_with("calibration.slope", 0, 0.03) == set()
	_denied_with("calibration.ece_equal_width", 0.02, 0.03) == {"calibration.ece_equal_width"}
	_denied_with("calibration.ece_equal_width", 0, 0.02) == {"calibration.ece_equal_width.inconclusive"}
	_denied_with("calibration.ece_equal_width", 0, 0.019) == set()
}
