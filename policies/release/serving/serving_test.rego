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
}

test_sizes if {
	_codes({"size": "enormous"}) == {"serving.size"}
	_bare("size") == {"serving.size"}
	own := serving.results with input as t.production with data.models.m as object.union(t.facts, {"sizes": ["tiny"]})
	{result.code | some result in own} == {"serving.size"}
}

test_no_secret_in_a_variable if {
	plain := {"name": "TOKEN", "kind": "plain", "looks_like": ["a secret by its name"]}
	_codes({"variables": [plain]}) == {"serving.secret"}
	_codes({"variables": [{"name": "TOKEN", "kind": "reference", "looks_like": []}]}) == set()
	_codes({"variables": [{"name": "LEVEL", "kind": "plain", "looks_like": []}]}) == set()
}

_unsaid := {key: value | some key, value in t.production.serving; key != "configuration"}

test_production_needs_it if {
	missing := serving.results with input as t.production with input.serving as _unsaid with data.models.m as t.facts
	{result.code | some result in missing} == {"serving.missing"}
	staging := serving.results with input as t.production
		with input.serving as _unsaid
		with input.request.environment as "staging"
		with data.models.m as t.facts
	staging == set()
	none := serving.results with input as {key: value | some key, value in t.production; key != "serving"}
		with data.models.m as t.facts
	{result.code | some result in none} == {"serving.missing"}
}
