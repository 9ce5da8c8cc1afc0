package gates.lib.required_test

import data.gates.lib.required

_ask := {
	"environment": "production",
	"model": "m",
	"task": "binary",
	"roles": ["holdout"],
	"documents": [],
	"has_champion": false,
	"has_sets": false,
	"columns": [],
	"slices": [],
	"first_release": false,
	"backfill": {},
}

_optional := {"tasks": {"binary"}, "subject": "data", "sense": "at_most", "items": "any", "optional": true, "needs": set()}

# What is required of a check, were it the only one.
_of(check, ask, facts) := found if {
	found := {{word: said | some word, said in r; not word in {"environment", "check"}} |
		some r in required.requirements(object.union(_ask, ask))
		r.check == "odd.check"
	} with data.gates.checks as {"odd": {"checks": {"odd.check": object.union(_optional, check)}}} with data.models.m as facts
}

_proven := {{"role": "prove", "slice": {"kind": "whole"}}}

test_facts_that_are_none_say_nothing if {
	every facts in ["low", ["low"], null, 7] {
		required.model("m") == {} with data.models.m as facts
	}
	required.model("m") == {"tier": "low"} with data.models.m as {"tier": "low"}
	required.tier("m") == "low" with data.models.m as {"tier": "low"}
	required.tier("m") == "high" with data.models.m as {"tier": "LOW"}
}

test_a_cluster_key_is_a_name if {
	required.parameters("m").cluster == "day" with data.models.m as {"cluster": "day"}
	every cluster in [null, 7, ["day"]] {
		not required.parameters("m").cluster with data.models.m as {"cluster": cluster}
	}
}

test_a_weight_is_a_name if {
	required.parameters("m").weight == "stay" with data.models.m as {"weight": "stay"}
	every weight in [null, 7, ["stay"]] {
		not required.parameters("m").weight with data.models.m as {"weight": weight}
	}
}

test_an_optional_check_is_asked_for_where_all_is_given_and_of_its_task if {
	when := {"when": {"holdout"}}
	_of(when, {}, {}) == _proven
	_of(when, {"roles": ["training"]}, {}) == set()
	_of(when, {"task": "numeric"}, {}) == set()
	_of({}, {}, {}) == set()
	_of({"when": set()}, {}, {}) == set()
	_of({"when": {"champion"}}, {}, {}) == set()
	_of({"when": {"champion"}}, {"has_champion": true}, {}) == _proven
	_of({"when": {"sets"}}, {}, {}) == set()
	_of({"when": {"sets"}}, {"has_sets": true}, {}) == _proven
	_of({"when": {"parameters.window"}}, {}, {}) == set()
	_of({"when": {"parameters.window"}}, {}, {"parameters": {"window": 7}}) == _proven
}

test_what_is_asked_of_hostile_models_is_asked_where_they_are_held_to_be_so if {
	when := {"when": {"holdout"}, "hostile": true}
	_of(when, {}, {}) == _proven
	every environment in ["development", "staging", "nowhere"] {
		_of(when, {"environment": environment}, {}) == set()
		_of(object.union(when, {"hostile": false}), {"environment": environment}, {}) == _proven
	}
	_of(when, {}, {}) == set() with data.release.environments.production.hostile_model as false
}

test_what_is_there_to_compare_with_where_nothing_can_be_paired if {
	when := {"when": {"reference"}}
	_of(when, {"roles": ["fingerprint"]}, {}) == _proven
	_of(when, {"roles": ["offline"]}, {}) == _proven
	_of(when, {"roles": ["offline"], "columns": ["key"]}, {}) == set()
	_of(when, {"roles": ["online"]}, {}) == set()
}

test_what_a_backfill_declares if {
	declared := {
		"lateness": [{"lateness_s": 0}, {"lateness_s": 60}],
		"known": [{"known": ["seen_at"]}],
		"ttl": [{"ttl_s": 0}, {"ttl_s": 60}],
	}
	undeclared := {"lateness": [{}, {"lateness_s": -1}], "known": [{}, {"known": []}], "ttl": [{}, {"ttl_s": -1}]}
	every word, backfills in declared {
		every backfill in backfills {
			_of({"when": {word}}, {"backfill": backfill}, {}) == _proven
		}
	}
	every word, backfills in undeclared {
		every backfill in backfills {
			_of({"when": {word}}, {"backfill": backfill}, {}) == set()
		}
	}
}

test_only_development_leaves_out_what_cannot_be_answered if {
	floor := {"optional": false, "needs": {"holdout", "champion"}}
	_of(floor, {}, {}) == _proven
	_of(floor, {"environment": "development"}, {}) == set()
	_of(floor, {"environment": "development", "has_champion": true}, {}) == _proven
	_of(floor, {"first_release": true}, {}) == set()
	_of({"optional": false}, {"first_release": true}, {}) == _proven
	_of({"optional": false}, {"task": "numeric"}, {}) == set()
	_excused({"optional": false, "needs": {"champion"}}, {"first_release": true}) == {"odd.check"}
	_excused({"optional": false, "needs": {"champion"}}, {}) == set()
	_excused({"optional": false}, {"first_release": true}) == set()
	_excused({"needs": {"champion"}}, {"first_release": true}) == set()
}

_excused(check, ask) := found if {
	found := {r.check |
		some r in required.not_applicable(object.union(_ask, ask))
	} with data.gates.checks as {"odd": {"checks": {"odd.check": object.union(_optional, check)}}}
}

test_each_slice_and_the_rest if {
	sliced := {"optional": false, "sliced": true}
	each := {{"role": "no-harm", "each": "carrier"}}
	_of(sliced, {"slices": ["carrier"]}, {}) == _proven | each
	_of(sliced, {}, {"slices": ["carrier"]}) == _proven | each
	_of({"optional": false}, {"slices": ["carrier"]}, {}) == _proven

	slice := {"kind": "value", "column": "carrier", "value": "UA"}
	rest := {{"role": "prove", "slice": {"kind": "rest"}}}
	named := {"required": [{"check": "data.rows", "slice": slice}]}
	_of(sliced, {}, named) == _proven | rest
	_of({"optional": false}, {}, named) == _proven
	_of(sliced, {}, {"required": [{"check": "data.rows", "slice": slice, "role": "no-harm"}]}) == _proven
	_of(sliced, {}, {"required": [{"check": "data.rows"}]}) == _proven
}

_wished(wish) := _of({}, {}, {"required": [object.union({"check": "odd.check"}, wish)]})

test_wishes if {
	slice := {"kind": "value", "column": "carrier", "value": "UA"}
	_wished({}) == _proven
	_wished({"environments": ["staging"]}) == set()
	_wished({"environments": ["production"]}) == _proven
	_wished({"slice": slice}) == {{"role": "prove", "slice": slice}}
	_wished({"each": "carrier"}) == {{"role": "no-harm", "each": "carrier"}}
	_wished({"each": "carrier", "role": "prove"}) == {{"role": "prove", "each": "carrier"}}
	_wished({"role": "no-harm"}) == {{"role": "no-harm", "slice": {"kind": "whole"}}}
	_wished({"role": "whatever"}) == _proven
	against := {"needs": {"champion"}}
	_of(against, {"first_release": true}, {"required": [{"check": "odd.check"}]}) == set()
	_of(against, {}, {"required": [{"check": "odd.check"}]}) == _proven
}
