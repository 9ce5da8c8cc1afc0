package gates.lib.facts_test

import data.gates.lib.facts
import data.gates.main

_loosened(was, now) := found if {
	found := facts.loosened("production") with input as {"environment": "production", "in_force": {"m": was}}
		with data.models as {"m": now}
}

_first(now) := found if {
	found := facts.loosened("production") with input as {"environment": "production"} with data.models as {"m": now}
}

test_the_same_again_asks_no_less if {
	said := {
		"tier": "low",
		"solo": true,
		"first_release": true,
		"parameters": {"bins": 5, "operating_threshold": 0.2, "parity_features": [{"feature": "wind", "relative": 0.9}]},
		"contract": {"percent": 100},
		"own": {"wait": {"sense": "at_most", "limits": {"production": {"limit": 5, "inclusive": true, "point": true}}}},
		"inconclusive_share_ppm": {"calibration.ece": 7},
		"sizes": ["huge"],
		"business_owner": "ada",
		"recognisers": ["macie"],
		"holdouts": ["sha256:a", "sha256:b"],
		"target": "serving/production.json",
		"gold": {"digest": "sha256:g"},
	}
	_loosened(said, said) == set()
}

test_where_nothing_is_in_force_what_we_ship_counts if {
	_first({"tier": "low", "parameters": {"operating_threshold": 0.2}}) == set()
	_first({"parameters": {"parity_tolerance": 1000000000}}) == {"models/m/parameters/parity_tolerance"}
	_first({"parameters": {"minimum_clusters": 2}}) == {"models/m/parameters/minimum_clusters"}
	_first({"contract": {"percent": 100}}) == {"models/m/contract/percent"}
	_first({"solo": true, "first_release": true}) == {"models/m/solo", "models/m/first_release"}
	_first({"sizes": ["small", "huge"]}) == {"models/m/sizes"}
	_first({"recognisers": ["presidio", "macie"]}) == {"models/m/recognisers"}
	_first({"recognisers": ["presidio"], "holdouts": ["sha256:a"], "target": "a", "gold": {"digest": "sha256:g"}}) == set()
	_first({"own": {"wait": {"sense": "at_most", "limits": {"production": {"limit": 5, "inclusive": true}}}}}) == set()
	none := facts.loosened("production") with input as {"environment": "production"}
	none == set()
}

test_a_lower_tier if {
	_loosened({"tier": "high"}, {"tier": "medium"}) == {"models/m/tier"}
	_loosened({"tier": "medium"}, {"tier": "low"}) == {"models/m/tier"}
	_loosened({"tier": "medium"}, {"tier": "high"}) == set()
	_loosened({}, {"tier": "medium"}) == {"models/m/tier"}
	new := facts.loosened("production") with input as {"environment": "production", "in_force": {}}
		with data.models as {"n": {"tier": "low"}}
	new == {"models/n/tier"}
}

test_one_person_alone_and_nobody_asked if {
	_loosened({"solo": false}, {"solo": true}) == {"models/m/solo"}
	_loosened({}, {"first_release": true}) == {"models/m/first_release"}
	_loosened({"solo": true}, {"solo": false}) == set()
	_loosened({"business_owner": "ada"}, {}) == {"models/m/business_owner"}
	_loosened({"business_owner": "ada"}, {"business_owner": "bo"}) == set()
}

_parameters(was, now) := _loosened({"parameters": was}, {"parameters": now})

test_parameters if {
	_parameters({}, {"parity_tolerance": 0.00001}) == {"models/m/parameters/parity_tolerance"}
	_parameters({}, {"parity_tolerance": 0}) == set()
	_parameters({}, {"rescored_tolerance": 0.00001}) == {"models/m/parameters/rescored_tolerance"}
	_parameters({}, {"rescored_rows": 999}) == {"models/m/parameters/rescored_rows"}
	_parameters({}, {"rescored_rows": 10000, "rescored_tolerance": 0}) == set()
	_parameters({"parity_tolerance": 0}, {}) == {"models/m/parameters/parity_tolerance"}
	_parameters({"bins": 20}, {"bins": 15}) == {"models/m/parameters/bins"}
	_parameters({"bins": 20}, {"bins": 25}) == set()
	_parameters({}, {"operating_threshold": 0.4}) == {"models/m/parameters/operating_threshold"}
	_parameters({"maturation_seconds": 60}, {}) == {"models/m/parameters/maturation_seconds"}
	_parameters({}, {"maturation_seconds": 60}) == set()
	_parameters({}, {"coverage_level": "0.99"}) == {"models/m/parameters/coverage_level"}
	_parameters({"coverage_level": "0.9"}, {"coverage_level": 0.99}) == {"models/m/parameters/coverage_level"}
	_parameters({"near_digits": "4"}, {"near_digits": 3}) == {"models/m/parameters/near_digits"}
	_parameters({"near_digits": 4}, {"near_digits": "3"}) == {"models/m/parameters/near_digits"}
}

_rules(was, now) := _parameters({"parity_features": was}, {"parity_features": now})

test_rules_of_features if {
	at := {"models/m/parameters/parity_features"}
	_parameters({}, {"parity_features": [{"feature": "wind", "absolute": 0}]}) == set()
	_parameters({}, {"parity_features": [{"feature": "wind", "absolute": 0.1}]}) == at
	_parameters({}, {"parity_features": [{"feature": "wind", "absolute": 0, "text": "nfc"}]}) == at
	_parameters({}, {"parity_features": [{"feature": "wind", "relative": 0}]}) == at
	_rules([{"feature": "wind", "ulp": 1}], []) == at
	_rules([{"feature": "wind", "ulp": 1}], [{"feature": "wind", "ulp": 1}, {"feature": "rain", "absolute": 0}]) == set()
}

test_contracts if {
	_loosened({"contract": {"rows": 5}}, {}) == {"models/m/contract/rows"}
	_loosened({}, {"contract": {"rows": 5}}) == set()
	_loosened({"contract": {"seconds": 5}}, {"contract": {"seconds": 6}}) == {"models/m/contract/seconds"}
}

_own(was, now) := _loosened({"own": {"wait": _limited(was)}}, {"own": {"wait": _limited(now)}})

_limited(limit) := {"sense": "at_most", "limits": {"production": object.union({"limit": 5, "inclusive": true}, limit)}}

test_limits_of_own_checks if {
	at := {"models/m/own/wait"}
	_own({}, {"limit": 6}) == at
	_own({}, {"limit": 4}) == set()
	_own({}, {"point": true}) == at
	knowing := object.union(_limited({}), {"range": "none"})
	_loosened({"own": {"wait": _limited({})}}, {"own": {"wait": knowing}}) == at
	_loosened({"own": {"wait": knowing}}, {"own": {"wait": knowing}}) == set()
	_loosened({"own": {"wait": knowing}}, {"own": {"wait": _limited({})}}) == set()
	_loosened({"own": {"wait": _limited({})}}, {"own": {}}) == at
	_loosened({"own": {"wait": _limited({})}}, {"own": {"wait": object.union(_limited({}), {"sense": "at_least"})}}) == at
	elsewhere := facts.loosened("staging") with input as {
		"environment": "staging",
		"in_force": {"m": {"own": {"wait": _limited({})}}},
	}
	elsewhere == set()
}

_scorer(was, now) := _loosened({"scorers": {"jaccard": _margin(was)}}, {"scorers": {"jaccard": _margin(now)}})

_margin(limit) := {"limits": {"production": {"limit": limit, "inclusive": true}}}

test_limits_of_scorers if {
	at := {"models/m/scorers/jaccard"}
	_scorer(-0.02, -0.02) == set()
	_scorer(-0.02, -0.01) == set()
	_scorer(-0.02, -0.03) == at
	_loosened({"scorers": {"jaccard": _margin(-0.02)}}, {"scorers": {}}) == at
	_loosened({"scorers": {"jaccard": _margin(-0.02)}}, {}) == at
	_loosened({}, {"scorers": {"jaccard": _margin(-0.02)}}) == set()
}

test_shares_of_inconclusive_slices if {
	at := {"models/m/inconclusive_share_ppm/calibration.ece"}
	said := {"inconclusive_share_ppm": {"calibration.ece": 7}}
	_loosened(said, {}) == at
	_loosened(said, {"inconclusive_share_ppm": {"calibration.ece": 8}}) == at
	_loosened(said, {"inconclusive_share_ppm": {"calibration.ece": 6}}) == set()
}

test_whose_reports_of_personal_data_count if {
	_loosened({}, {"recognisers": ["macie"]}) == {"models/m/recognisers"}
	_loosened({"recognisers": ["macie"]}, {"recognisers": ["macie", "other"]}) == {"models/m/recognisers"}
	_loosened({"recognisers": ["macie"]}, {"recognisers": ["presidio"]}) == set()
	_loosened({"recognisers": ["macie"]}, {}) == set()
}

test_which_holdouts_may_judge if {
	both := {"holdouts": ["sha256:a", "sha256:b"]}
	_loosened(both, {}) == {"models/m/holdouts"}
	_loosened(both, {"holdouts": []}) == {"models/m/holdouts"}
	_loosened(both, {"holdouts": ["sha256:a", "sha256:c"]}) == {"models/m/holdouts"}
	_loosened(both, {"holdouts": ["sha256:b"]}) == set()
	_loosened({"holdouts": []}, both) == set()
	_loosened({}, both) == set()
}

test_where_it_serves_and_what_is_beyond_doubt if {
	every word in ["target", "gold"] {
		path := concat("/", ["models/m", word])
		_loosened({word: "sha256:a"}, {}) == {path}
		_loosened({word: "sha256:a"}, {word: "sha256:b"}) == {path}
		_loosened({word: "sha256:a"}, {word: "sha256:a"}) == set()
		_loosened({}, {word: "sha256:a"}) == set()
	}
}

_own_rules(custom) := found if {
	found := main.activation.loosened with input as {"environment": "production", "in_force": {}, "custom": custom}
}

test_rules_of_their_own_that_are_gone_or_others if {
	_own_rules({"in_force": {"cost": "sha256:a"}, "coming": {}}) == {"custom/cost"}
	_own_rules({"in_force": {"cost": "sha256:a"}, "coming": {"cost": "sha256:b"}}) == {"custom/cost"}
	_own_rules({"in_force": {"cost": "sha256:a"}, "coming": {"cost": "sha256:a", "more": "sha256:b"}}) == set()
	_own_rules({"in_force": {}, "coming": {"cost": "sha256:a"}}) == set()
}

test_it_is_in_the_answer if {
	main.activation.loosened == {"models/m/solo"} with input as {"environment": "production", "in_force": {}}
		with data.models as {"m": {"solo": true}}
}

test_what_is_no_number_is_as_strict_as_nothing if {
	not facts.as_strict("parity_tolerance", 1, null)
	not facts.as_strict("bins", null, 5)
	facts.as_strict("parity_tolerance", 1, 0.5)
	facts.as_strict("bins", 5, 6)
}

test_what_was_in_force_may_be_nothing if {
	_loosened(null, {"tier": "low"}) == {"models/m/tier"}
	_loosened({"sizes": []}, {"sizes": ["small"]}) == set()
	_loosened({"contract": {"percent": null}}, {"contract": {"percent": 100}}) == {"models/m/contract/percent"}
	same := [{"feature": "wind", "absolute": 0.000001}]
	_parameters({"parity_tolerance": 0.000001}, {"parity_tolerance": 0.000001, "parity_features": same}) == set()
}

test_a_bound_of_a_contract_that_is_no_number_is_not_said if {
	at := {"models/m/contract/percent"}
	_loosened({"contract": {"percent": "100"}}, {"contract": {"percent": 100}}) == at
	_loosened({}, {"contract": {"percent": "100"}}) == set()
}
