package gates.release.serving_test

import data.gates.release.serving
import data.gates.testing as t

_codes(change) := {result.code |
	found := serving.results with input as t.production
		with input.serving.configuration as object.union(t.production.serving.configuration, change)
		with data.models.m as t.facts
	some result in found
}

_bare(word) := {result.code |
	found := serving.results with input as t.production
		with input.serving.configuration as {key: value |
			some key, value in t.production.serving.configuration
			key != word
		}
		with data.models.m as t.facts
	some result in found
}

test_the_golden_one if _codes({}) == set()

test_replicas if {
	_codes({"minimum_replicas": 1}) == {"serving.replicas"}
	_bare("minimum_replicas") == {"serving.replicas"}
}

test_capture_before_a_canary if {
	_codes({"capture_percent": 0}) == {"serving.capture"}
	_bare("capture_percent") == {"serving.capture"}
	whole := serving.results with input as t.production
		with input.request.percent as 100
		with input.serving.configuration.capture_percent as 0
		with data.models.m as t.facts
	whole == set()
}

test_shares_add_up if {
	_codes({"traffic": [95, 5]}) == set()
	_codes({"traffic": [50, 50]}) == set()
	_codes({"traffic": [95, 4]}) == {"serving.percent"}
	served := serving.results with input as t.production
		with input.serving.routes as [{"percent": 95}, {"percent": 6}]
		with data.models.m as t.facts
	{result.code | some result in served} == {"serving.percent"}
	unsaid := serving.results with input as t.production
		with input.serving as object.union(_unsaid, {"routes": [{"percent": 60}]})
		with input.request.percent as 100
		with input.request.environment as "staging"
		with data.models.m as t.facts
	{result.code | some result in unsaid} == {"serving.percent"}
}

test_sizes if {
	_codes({"size": "enormous"}) == {"serving.size"}
	_bare("size") == {"serving.size"}
	own := serving.results with input as t.production with data.models.m as object.union(t.facts, {"sizes": ["tiny"]})
	{result.code | some result in own} == {"serving.size"}
	none := serving.results with input as t.production with data.models.m as object.union(t.facts, {"sizes": []})
	none == set()
}

test_no_secret_in_a_variable if {
	plain := {"name": "TOKEN", "kind": "plain", "looks_like": ["a secret by its name"]}
	_codes({"variables": [plain]}) == {"serving.secret"}
	_codes({"variables": [{"name": "TOKEN", "kind": "reference", "looks_like": []}]}) == set()
	_codes({"variables": [{"name": "LEVEL", "kind": "plain", "looks_like": []}]}) == set()
	_codes({"variables": [object.union(plain, {"kind": "reference"})]}) == set()
}

_unsaid := {key: value | some key, value in t.production.serving; key != "configuration"}

test_production_needs_it if {
	missing := serving.results with input as t.production with input.serving as _unsaid with data.models.m as t.facts
	{result.code | some result in missing} == {"serving.missing", "serving.capture"}
	_staging(5) == {"serving.capture"}
	_staging(100) == set()
	none := serving.results with input as {key: value | some key, value in t.production; key != "serving"}
		with data.models.m as t.facts
	{result.code | some result in none} == {"serving.missing", "serving.capture"}
}

_staging(percent) := {result.code | some result in found} if {
	found := serving.results with input as t.production
		with input.serving as _unsaid
		with input.request.percent as percent
		with input.request.environment as "staging"
		with data.models.m as t.facts
}

test_development_does_not_ask if {
	spoilt := object.union(t.production, {
		"request": object.union(t.production.request, {"environment": "development"}),
		"serving": {"routes": [{"percent": 99}], "configuration": {
			"minimum_replicas": 1,
			"size": "enormous",
			"capture_percent": 0,
			"traffic": [1],
			"variables": [{"name": "TOKEN", "kind": "plain", "looks_like": ["a secret by its name"]}],
		}},
	})
	found := serving.results with input as spoilt
		with data.models.m as t.facts
		with data.release.environments.development as data.release.environments.production
	found == set()
	unsaid := serving.results with input as object.union(
		{key: value | some key, value in spoilt; key != "serving"},
		{"serving": {"target": "serving/development.json"}},
	)
		with data.models.m as t.facts
		with data.release.environments.development as data.release.environments.production
	unsaid == set()
}

test_an_environment_without_a_least_number_of_replicas if {
	found := serving.results with input as t.production
		with input.request.environment as "staging"
		with input.serving.configuration.minimum_replicas as 1
		with data.models.m as t.facts
	found == set()
}
