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
		{"limit": 0.01, "inclusive": "no"},
		{"limit": 0.01, "inclusive": true, "ceiling": null},
	],
	"parity.mismatch": [{"limit": 0.0001, "inclusive": true, "ceiling": 0.001}],
	"calibration.bin": [
		{"limit": 0.04, "inclusive": true, "mirror": {"limit": -0.06}},
		{"limit": 0.04, "inclusive": true},
		{"limit": 0.06, "inclusive": true, "mirror": {"limit": -0.05}},
	],
	"regression.auc_vs_champion": [{"limit": -0.011, "inclusive": true}, {"limit": 0, "inclusive": true, "ceiling": "low"}],
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

_wind := {"check": "parity.mismatch", "item": {"kind": "feature", "name": "wind"}, "slice": {"kind": "whole"}}

_wind_ua := object.union(_wind, {"slice": {"kind": "value", "column": "carrier", "value": "UA"}})

_at_most(limit) := {"limit": limit, "inclusive": true}

_overrides := {
	"limits": {"parity.mismatch": {"high": _at_most(0.0009), "any": _at_most(0.0008)}},
	"models": {
		"m": {"features": {"wind": {
			"limits": {"parity.mismatch": _at_most(0.0007)},
			"slices": {"carrier": {"UA": {"parity.mismatch": _at_most(0.0006)}}},
		}}},
		"other": {"features": {"rain": {"limits": {"parity.mismatch": _at_most(0)}}}},
	},
}

_path(figure, tier, overrides) := found.path if {
	found := limits.of_figure("e", tier, figure) with data.thresholds.e.limits as _of_all_tiers
		with data.overrides.e as overrides
		with input.request.model as "m"
}

_of_all_tiers := {"parity.mismatch": {"high": _at_most(0.001), "any": _at_most(0.002)}}

_feature := "overrides/e/models/m/features/wind"

test_the_narrowest_wins if {
	_path(_wind_ua, "high", _overrides) == concat("/", [_feature, "slices/carrier/UA/parity.mismatch"])
	_path(_wind, "high", _overrides) == concat("/", [_feature, "limits/parity.mismatch"])
	_path(object.union(_wind, {"item": {"kind": "feature", "name": "rain"}}), "high", _overrides) == _of_tier
	_path(object.union(_wind, {"item": {"kind": "table", "name": "wind"}}), "high", _overrides) == _of_tier
	_path(_wind, "low", {"limits": _overrides.limits}) == "overrides/e/limits/parity.mismatch/any"
	_path(_wind, "high", {}) == "thresholds/e/limits/parity.mismatch/high"
	_path(_wind, "low", {}) == "thresholds/e/limits/parity.mismatch/any"
}

_of_tier := "overrides/e/limits/parity.mismatch/high"

_spoilt(limit) := object.union(_overrides, {"models": {"m": {"features": {"wind": {
	"limits": {"parity.mismatch": limit},
	"slices": {"carrier": {"UA": {"parity.mismatch": limit}}},
}}}}})

test_what_loosens_gives_way_to_the_next if {
	every limit in [_at_most(0.1), _at_most("0"), object.union(_at_most(0), {"point": true})] {
		_path(_wind_ua, "high", _spoilt(limit)) == _of_tier
		_path(_wind, "high", _spoilt(limit)) == _of_tier
	}
	named := concat("/", [_feature, "slices/carrier/UA/parity.mismatch"])
	_path(_wind_ua, "high", _spoilt(_at_most(0.1))) == named with input.ledger.loosened as [named]
}

test_what_loosens_is_told_by_its_path if {
	loosened := limits.loosened("e") with data.thresholds.e.limits as _of_all_tiers
		with data.overrides.e as _spoilt(_at_most(0.0015))
	loosened == {
		concat("/", [_feature, "limits/parity.mismatch"]),
		concat("/", [_feature, "slices/carrier/UA/parity.mismatch"]),
	}
	any := limits.loosened("e") with data.thresholds.e.limits as _of_all_tiers
		with data.overrides.e.limits as {"parity.mismatch": {"any": _at_most(0.0015)}}
	any == {"overrides/e/limits/parity.mismatch/any"}
}

test_checks_that_features_name if {
	unknown := limits.unknown("e") with data.models.m as {} with data.overrides.e.models as {"m": {"features": {"wind": {
		"limits": {"parity.nobody": _at_most(0)},
		"slices": {"carrier": {"UA": {"parity.none": _at_most(0)}}},
	}}}}
	unknown == {
		concat("/", [_feature, "limits/parity.nobody"]),
		concat("/", [_feature, "slices/carrier/UA/parity.none"]),
	}
}

test_an_override_of_a_model_that_there_is_not_is_unknown if {
	misspelt := {"aproval": {"features": {"wind": {"limits": {"parity.mismatch": _at_most(0)}}}}}
	limits.unknown("e") == {"overrides/e/models/aproval"} with data.models.approval as {} with data.overrides.e.models as misspelt
	limits.unknown("e") == {"overrides/e/models/aproval"} with data.models as {} with data.overrides.e.models as {"aproval": {}}
	limits.unknown("e") == set() with data.models.aproval as {} with data.overrides.e.models as misspelt
}

test_an_override_of_all_tiers_that_loosens_does_not_count if {
	any := {"limits": {"parity.mismatch": {"any": _at_most(0.1)}}}
	_path(_wind, "high", any) == "thresholds/e/limits/parity.mismatch/high"
	_path(_wind, "high", any) == "overrides/e/limits/parity.mismatch/any"
		with input.ledger.loosened as ["overrides/e/limits/parity.mismatch/any"]
}

test_a_limit_of_a_check_of_ones_own_that_means_nothing_is_none if {
	usable := limits.of("e", "own.wait", "high") with data.models.m.own as {"wait": {
		"sense": "at_most",
		"limits": {"e": _at_most(1)},
	}}
		with input.request.model as "m"
	usable.path == "models/m/own/wait/limits/e"
	every limit in [{"limit": 1}, _at_most("1"), {}] {
		not limits.of("e", "own.wait", "high") with data.models.m.own as {"wait": {"sense": "at_most", "limits": {"e": limit}}}
			with input.request.model as "m"
	}
}
