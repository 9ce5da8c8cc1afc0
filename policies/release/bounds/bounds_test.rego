package gates.release.bounds_test

import data.gates.release.bounds
import data.gates.testing as t

_rule := {"kind": "rule", "name": "holdout: wind.nullValues"}

# The good evidence with a rule of a contract that lets so much pass.
_with(name, value) := t.evidence(t.array_of({figure | some figure in t.figures} | {t.at(
	t.figure("data.contract", "data", 0, 0),
	{"item": _rule, "params": [{"name": "contract", "value": "sha256:c"}, {"name": name, "value": value}]},
)}))

_found := {[result.code, result.item.name] | some result in bounds.results}

_loose := {["contract.loose", "holdout: wind.nullValues"]}

test_what_lets_no_more_pass_than_policy_allows if {
	every good in [["tolerated_percent", 10], ["tolerated_rows", 1000], ["seconds", 2592000], ["mustBe", 5000]] {
		_found == set() with input as t.production with input.evidence as _with(good[0], good[1])
	}
}

test_what_lets_more_pass_denies if {
	every bad in [["tolerated_percent", 10.5], ["tolerated_rows", 1001], ["seconds", 2592001], ["tolerated_rows", "unbounded"], ["seconds", null]] {
		_found == _loose with input as t.production with input.evidence as _with(bad[0], bad[1])
	}
}

test_environments_and_models_have_their_own_bounds if {
	evidence := _with("tolerated_percent", 15)
	_found == set() with input as t.production with input.evidence as evidence with input.request.environment as "staging"
	_found == set() with input as t.development with input.evidence as evidence
	wide := object.union(t.facts, {"contract": {"percent": 15}})
	_found == set() with input as t.production with input.evidence as evidence with data.models.m as wide
	narrow := object.union(t.facts, {"contract": {"percent": 14}})
	_found == _loose with input as t.production with input.evidence as evidence with data.models.m as narrow
	rows := _with("tolerated_rows", 1000)
	_found == set() with input as t.production with input.evidence as rows with data.models.m as narrow
}

test_no_bound_is_no_permission if {
	evidence := _with("tolerated_percent", 1)
	_found == _loose with input as t.production
		with input.evidence as evidence
		with data.release.environments.production as {"below": "staging"}
	words := object.union(t.facts, {"contract": {"percent": "much"}})
	_found == _loose with input as t.production with input.evidence as evidence with data.models.m as words
}

# Of another check these are no tolerances.
test_other_checks_have_no_tolerances if {
	own := [t.at(f, {"params": [{"name": "seconds", "value": 99999999}]}) | some f in t.figures]
	_found == set() with input as t.production with input.evidence as t.evidence(own)
}

test_a_tolerance_that_nobody_says_is_loose if {
	silent := t.at(t.figure("data.contract", "data", 0, 0), {"item": _rule, "params": [{"name": "tolerated_rows"}]})
	_found == _loose with input as t.production with input.evidence as t.evidence([silent])
}

# The good evidence with a look for personal data by some tool.
_looked(params) := t.evidence(t.array_of({figure | some figure in t.figures} | {t.at(
	t.figure("data.untagged_personal_data", "data", 0, 0),
	{"item": {"kind": "column", "name": "holdout.city"}, "params": params},
)}))

_strange := {["personal_data.tool", "holdout.city"]}

test_a_look_of_ours_counts if {
	_found == set() with input as t.production with input.evidence as _looked([{"name": "recognisers", "value": "presidio"}])
}

test_a_tool_counts_where_policy_names_it if {
	report := _looked([{"name": "recognisers", "value": "macie"}, {"name": "report", "value": "sha256:r"}])
	_found == _strange with input as t.production with input.evidence as report
	_found == set() with input as t.development with input.evidence as report
	named := object.union(t.facts, {"recognisers": ["macie"]})
	_found == set() with input as t.production with input.evidence as report with data.models.m as named
}

test_a_look_of_nobody_counts_nowhere if {
	every params in [[], [{"name": "recognisers"}], [{"name": "recognisers", "value": null}], [{"name": "report", "value": "presidio"}]] {
		_found == _strange with input as t.production with input.evidence as _looked(params)
	}
	ours := [{"name": "recognisers", "value": "presidio"}]
	_found == _strange with input as t.production with input.evidence as _looked(ours) with data.release.recognisers as []
}

test_what_nobody_looked_at_is_denied_elsewhere if {
	unmeasured := t.at(t.figure("data.untagged_personal_data", "data", 0, 0), {"item": {"kind": "column", "name": "c"}, "status": "unmeasured"})
	_found == set() with input as t.production with input.evidence as t.evidence([unmeasured])
}
