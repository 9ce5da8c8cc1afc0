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

test_coverage_by_level_and_stratum_is_judged_where_asked if {
	_denied_with("calibration.level_coverage", -0.01, 0.02) == set()
	_denied_with("calibration.level_coverage", -0.03, -0.021) == {"calibration.level_coverage"}
	_denied_with("calibration.level_coverage", 0.021, 0.03) == {"calibration.level_coverage"}
	_denied_with("calibration.stratum_under_coverage", 0, 0.05) == set()
	_denied_with("calibration.stratum_under_coverage", 0.051, 0.2) == {"calibration.stratum_under_coverage"}
	_denied_with("calibration.stratum_under_coverage", 0.04, 0.2) == {"calibration.stratum_under_coverage.inconclusive"}
}

test_few_rows_of_calibration_are_a_warning_and_their_spread_is_judged if {
	_denied_with("calibration.calibration_rows", 2000, 2000) == set()
	_denied_with("calibration.calibration_rows", 1999, 1999) == set()
	noted := t.noted with input as t.production
		with input.evidence as t.evidence(t.array_of({figure | some figure in t.figures} | {t.figure("calibration.calibration_rows", "candidate", 1999, 1999)}))
		with data.models.m as _asked("calibration.calibration_rows")
		with data.trust as t.trust
	noted == {"calibration.calibration_rows.tolerated"}
	_denied_with("calibration.coverage_spread", 0.001, 0.02) == set()
	_denied_with("calibration.coverage_spread", 0.021, 0.1) == {"calibration.coverage_spread"}
}

test_a_curve_is_judged_where_asked if {
	_denied_with("calibration.pit", 0, 0.05) == set()
	_denied_with("calibration.pit", 0.051, 0.1) == {"calibration.pit"}
}

test_quantiles_are_judged_where_asked if {
	_denied_with("calibration.quantile", -0.051, -0.0501) == {"calibration.quantile"}
	_denied_with("calibration.quantile", -0.05, 0.05) == set()
}

# Widths compare: their subject is the pair.
_widths(check, lower, upper) := {code | some code in denied; code != "plan.mismatch"} if {
	denied := t.denied with input as t.production
		with input.evidence as t.evidence(t.array_of({figure | some figure in t.figures} | {t.figure(check, "pair", lower, upper)}))
		with data.models.m as _asked(check)
		with data.trust as t.trust
}

test_widths if {
	_widths("calibration.width_vs_champion", 1.0, 1.05) == set()
	_widths("calibration.width_vs_champion", 1.06, 1.2) == {"calibration.width_vs_champion"}
	_widths("calibration.width_vs_baseline", 0.9, 0.99) == set()
	_widths("calibration.width_vs_baseline", 0.9, 1) == {"calibration.width_vs_baseline.inconclusive"}
	_widths("calibration.width_vs_baseline", 1, 1.1) == {"calibration.width_vs_baseline"}

	# The candidate's own width answers nothing here.
	_denied_with("calibration.width_vs_champion", 1.0, 1.05) == {"check.missing"}
}
