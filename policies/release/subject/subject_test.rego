package gates.release.subject_test

import data.gates.lib.figures
import data.gates.release.subject
import data.gates.testing as t

_codes := {result.code | some result in subject.results}

test_another_subject if {
	_codes == set() with input as t.production with data.models.m as t.facts
	_codes == {"subject.mismatch"} with input as t.production
		with input.bundle.candidate_digest as "sha256:other"
		with data.models.m as t.facts
	_codes == {"subject.mismatch"} with input as t.production
		with input.request.candidate.name as "n"
		with data.models.m as t.facts
	other := [object.union(evidence, {"subject_digest": "sha256:other"}) | some evidence in t.production.evidence]
	_codes == {"subject.mismatch"} with input as t.production with input.evidence as other with data.models.m as t.facts
}

test_a_bundle_without_a_holdout if {
	without := {key: value | some key, value in t.production.bundle; key != "holdout_digest"}
	_codes == {"holdout.missing"} with input as t.production with input.bundle as without with data.models.m as t.facts
	_codes == set() with input as t.development with input.bundle as without with data.models.m as t.facts
}

test_without_a_holdout_no_sketch_of_it_is_missed if {
	without := {key: value | some key, value in t.production.bundle; not key in {"holdout_digest", "holdout_sketch_digest"}}
	_codes == {"holdout.missing"} with input as t.production with input.bundle as without with data.models.m as t.facts
}

test_a_holdout_without_a_sketch if {
	without := {key: value | some key, value in t.production.bundle; key != "holdout_sketch_digest"}
	_codes == {"holdout.sketch"} with input as t.production with input.bundle as without with data.models.m as t.facts
	_codes == set() with input as t.development with input.bundle as without with data.models.m as t.facts
}

test_another_plan if {
	_codes == {"plan.mismatch"} with input as t.production
		with input.bundle.plan_digest as "sha256:other"
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.digest as "sha256:other"
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.tier as "low"
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.environments as ["development"]
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.requirements as []
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.model as "n"
		with data.models.m as t.facts
}

test_levels_in_another_order_are_the_same if {
	wanted := object.union(t.plan.parameters, {"curve_levels": [0.1, 0.5]})
	every levels, found in {[0.5, 0.1]: set(), [0.1, 0.9]: {"plan.mismatch"}, [0.1]: {"plan.mismatch"}} {
		_codes == found with input as t.production
			with data.parameters as wanted
			with input.plan.body.parameters as object.union(t.production.plan.body.parameters, {"curve_levels": levels})
	}
}

test_other_parameters if {
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.parameters.bins as 2
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.parameters.slices as []
		with data.models.m as t.facts
	unsaid := {word: value | some word, value in t.production.plan.body.parameters; word != "slices"}
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.parameters as unsaid
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.parameters.cluster as "user"
		with data.models.m as object.union(t.facts, {"cluster": "day"})
	_codes == set() with input as t.production
		with input.plan.body.parameters.cluster as "day"
		with data.models.m as object.union(t.facts, {"cluster": "day"})
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.parameters.cluster as "day"
		with input.plan.body.independent_rows as true
		with data.models.m as object.union(t.facts, {"cluster": "day"})
}

_of_rows(columns, parameters, rest) := found if {
	body := object.union_n([
		t.production.plan.body, {
			"columns": object.union(t.plan.columns, columns),
			"parameters": object.union(t.plan.parameters, parameters),
		},
		rest,
	])
	found := _codes with input as t.production with input.plan.body as body with data.models.m as t.facts
}

test_who_names_a_time_has_days if {
	timed := {"time": "at"}
	by_day := {"cluster": "at", "cluster_by": "day"}
	_of_rows(timed, {}, {}) == {"plan.mismatch"}
	_of_rows(timed, by_day, {}) == set()
	_of_rows(timed, {"cluster": "user"}, {}) == set()
	_of_rows(timed, {}, {"independent_rows": true}) == set()
	_of_rows(timed, {}, {"built_in": true}) == {"plan.mismatch"}
	_of_rows(timed, {"cluster": "born", "cluster_by": "day"}, {}) == {"plan.mismatch"}
	_of_rows(timed, {"cluster": "at", "cluster_by": "row"}, {}) == {"plan.mismatch"}
	_of_rows({}, by_day, {}) == {"plan.mismatch"}
	_codes == set() with input as t.development
		with input.plan.body.columns as object.union(t.plan.columns, timed)
		with input.plan.body.built_in as true
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.development
		with input.plan.body.columns as object.union(t.plan.columns, timed)
		with input.plan.body.built_in as false
		with data.models.m as t.facts
	_codes == {"plan.mismatch"} with input as t.production
		with input.plan.body.columns as object.union(t.plan.columns, timed)
		with input.plan.body.parameters as object.union(t.plan.parameters, by_day)
		with data.models.m as object.union(t.facts, {"cluster": "at"})
}

test_unknown_environment if {
	"environment.unknown" in _codes with input as t.production
		with input.request.environment as "moon"
		with data.models.m as t.facts
	"limit.environment" in t.denied with input as t.production
		with input.request.environment as "moon"
		with data.models.m as t.facts
}

_twice(change) := t.evidence([after |
	some before in t.figures
	some after in [before, object.union(before, _if_ece(before, change))]
])

_if_ece(before, change) := change if {
	before.check == "calibration.ece"
} else := {}

test_conflict if {
	not figures.conflict with input as t.production with input.evidence as _twice({})
	_codes == {"evidence.conflict"} with input as t.production
		with input.evidence as _twice({"estimate": 0.001})
		with data.models.m as t.facts
	not figures.conflict with input as t.production with input.evidence as _twice({"params": [{"name": "bins", "value": 9}]})
}

_gold_facts := object.union(t.facts, {"gold": {"digest": "sha256:gold"}})

_with_gold(digest) := [object.union(evidence, {"tables": [{"role": "gold", "digest": digest}]}) |
	some evidence in t.production.evidence
]

test_another_gold_table if {
	_codes == set() with input as t.production
		with input.evidence as _with_gold("sha256:gold")
		with data.models.m as _gold_facts
	_codes == {"gold.mismatch"} with input as t.production
		with input.evidence as _with_gold("sha256:other")
		with data.models.m as _gold_facts
	_codes == set() with input as t.production
		with input.evidence as _with_gold("sha256:other")
		with data.models.m as t.facts
}

test_gold_figures_need_a_pinned_table if {
	asks := object.union(t.facts, {"required": [{"check": "regression.gold_auc", "environments": ["production"]}]})
	"gold.mismatch" in _codes with input as t.production with data.models.m as asks
	pinned := object.union(asks, {"gold": {"digest": "sha256:gold"}})
	not "gold.mismatch" in _codes with input as t.production with data.models.m as pinned
}

test_other_tables_than_the_gold_one_are_not_pinned if {
	others := [object.union(evidence, {"tables": [{"role": "holdout", "digest": "sha256:other"}]}) |
		some evidence in t.production.evidence
	]
	_codes == set() with input as t.production with input.evidence as others with data.models.m as _gold_facts
}

test_a_pin_that_is_no_digest_is_none if {
	asks := object.union(t.facts, {"required": [{"check": "regression.gold_auc", "environments": ["production"]}]})
	"gold.mismatch" in _codes with input as t.production with data.models.m as object.union(asks, {"gold": {"digest": 7}})
}

test_rows_may_be_independent_where_the_policy_names_no_cluster if {
	_codes == set() with input as t.production with input.plan.body.independent_rows as true with data.models.m as t.facts
}
