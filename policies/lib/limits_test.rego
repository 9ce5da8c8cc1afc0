package gates.lib.limits_test

import data.gates.lib.limits

_shipped := {
	"calibration.ece": {"high": {"limit": 0.02, "inclusive": false, "ceiling": 0.05}},
	"parity.mismatch": {"high": {"limit": 0.001, "inclusive": true}},
	"calibration.bin": {"high": {
		"limit": 0.05,
		"inclusive": true,
		"ceiling": 0.12,
		"mirror": {"limit": -0.05, "ceiling": -0.12},
	}},
	"regression.auc_vs_champion": {"high": {"limit": -0.01, "inclusive": true, "ceiling": -0.02}},
}

_limit(check) := found if {
	found := limits.of("e", check, "high") with data.thresholds.e.limits as _shipped
}

_overridden(check, limit) := found if {
	found := limits.of("e", check, "high") with data.thresholds.e.limits as _shipped
		with data.overrides.e.limits as {check: {"high": limit}}
}

_loosened(check, limit) := found if {
	found := limits.loosened("e") with data.thresholds.e.limits as _shipped
		with data.overrides.e.limits as {check: {"high": limit}}
}

test_where_a_limit_stands if {
	_limit("calibration.ece") == {
		"path": "thresholds/e/limits/calibration.ece/high",
		"limit": {"limit": 0.02, "inclusive": false, "ceiling": 0.05},
	}
	not limits.of("e", "calibration.ece", "low") with data.thresholds.e.limits as _shipped
	not _limit("data.rows")
}

test_a_limit_that_means_nothing_is_none if {
	not limits.of("e", "calibration.ece", "high") with data.thresholds.e.limits as {"calibration.ece": {"high": {"limit": 0.02}}}
	not limits.of("e", "calibration.ece", "high") with data.thresholds.e.limits as {"calibration.ece": {"high": {
		"limit": "0.02",
		"inclusive": true,
	}}}
	not limits.of("e", "calibration.bin", "high") with data.thresholds.e.limits as {"calibration.bin": {"high": {
		"limit": 0.05,
		"inclusive": true,
	}}}
}

test_bars if {
	bin := _limit("calibration.bin").limit
	limits.bar(bin) == {"value": 0.05, "inclusive": true, "mirror": -0.05}
	limits.ceiling(bin) == {"value": 0.12, "inclusive": true, "mirror": -0.12}
	limits.bar(_limit("calibration.ece").limit) == {"value": 0.02, "inclusive": false}
	not limits.ceiling({"limit": 1, "inclusive": true})
}

_tight := {
	"calibration.ece": [
		{"limit": 0.01, "inclusive": true, "ceiling": 0.04},
		{"limit": 0.02, "inclusive": false},
		{"limit": 0.02, "inclusive": false, "ceiling": 0.05},
	],
	"parity.mismatch": [{"limit": 0.001, "inclusive": false}, {"limit": 0.001, "inclusive": true}],
	"calibration.bin": [{"limit": 0.04, "inclusive": true, "mirror": {"limit": -0.05}}],
	"regression.auc_vs_champion": [{"limit": 0, "inclusive": true, "ceiling": -0.02}],
}

_loose := {
	"calibration.ece": [
		{"limit": 0.020000000000000004, "inclusive": false},
		{"limit": 0.02, "inclusive": true},
		{"limit": 0.01, "inclusive": true, "ceiling": 0.06},
		{"limit": "0", "inclusive": false},
	],
	"parity.mismatch": [{"limit": 0.0001, "inclusive": true, "ceiling": 0.001}],
	"calibration.bin": [
		{"limit": 0.04, "inclusive": true, "mirror": {"limit": -0.06}},
		{"limit": 0.04, "inclusive": true},
	],
	"regression.auc_vs_champion": [{"limit": -0.011, "inclusive": true}],
	"data.rows": [{"limit": 5, "inclusive": true}],
}

test_an_override_that_tightens_counts if {
	every check, all in _tight {
		every limit in all {
			_overridden(check, limit).limit == limit
			_loosened(check, limit) == set()
		}
	}
}

test_an_override_that_loosens_does_not_count if {
	every check, all in _loose {
		every limit in all {
			_loosened(check, limit) == {concat("/", ["overrides/e/limits", check, "high"])}
		}
	}
	_overridden("calibration.ece", {"limit": 0.03, "inclusive": false}).path == "thresholds/e/limits/calibration.ece/high"
}

test_an_override_that_the_ledger_names_counts if {
	named := ["overrides/e/limits/calibration.ece/high"]
	found := limits.of("e", "calibration.ece", "high") with data.thresholds.e.limits as _shipped
		with data.overrides.e.limits as {"calibration.ece": {"high": {"limit": 0.03, "inclusive": false}}}
		with input.ledger.loosened as named
	found == {"path": named[0], "limit": {"limit": 0.03, "inclusive": false}}
	every limit in [{"limit": "0", "inclusive": false}, {"limit": 0.03, "inclusive": false, "point": true}] {
		kept := limits.of("e", "calibration.ece", "high") with data.thresholds.e.limits as _shipped
			with data.overrides.e.limits as {"calibration.ece": {"high": limit}}
			with input.ledger.loosened as named
		kept.path == "thresholds/e/limits/calibration.ece/high"
	}
}

test_an_override_of_no_check_is_unknown if {
	_loosened("fairness.gap", {"limit": 5, "inclusive": true}) == set()
	limits.unknown("e") == {"overrides/e/limits/fairness.gap/high"} with data.overrides.e.limits as {"fairness.gap": {"high": {
		"limit": 5,
		"inclusive": true,
	}}}
}
