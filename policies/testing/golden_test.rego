# A decision input in which everything is good, for the tests beside the rules to spoil. Its own tests are at the end.
package gates.testing

import data.gates.main

now := 1790000000000000

candidate := {"name": "m", "version": "7", "digest": "sha256:candidate"}

champion := {"name": "m", "version": "3", "digest": "sha256:champion"}

whole := {"kind": "whole"}

slice(value) := {"kind": "value", "column": "carrier", "value": value}

trust := {"keys": [
	{"key_id": "k1", "identity": "ci@acme", "person": "measurer", "roles": ["measure"], "environments": []},
	{"key_id": "k2", "identity": "mira@acme", "person": "mira", "roles": ["approve:ml-owner", "approve:risk"]},
	{"key_id": "k3", "identity": "rolf@acme", "person": "rolf", "roles": ["approve:risk"], "environments": ["production"]},
]}

facts := {"tier": "high", "slices": ["carrier"]}

ladder := [0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.999999]

bounds(lower, upper) := [{"confidence": c, "lower": lower, "upper": upper} | some c in ladder]

figure(check, subject, lower, upper) := {
	"check": check,
	"subject": subject,
	"slice": whole,
	"share_ppm": 1000000,
	"status": "measured",
	"unit": "ratio",
	"estimate": _point(lower, upper),
	"bounds": bounds(lower, upper),
	"family": {"name": check, "size": 4},
	"params": [],
	"items": 1,
	"predictions": "scored",
}

_point(lower, upper) := lower if {
	is_number(lower)
} else := upper if {
	is_number(upper)
} else := 0

at(figure, change) := object.union(figure, change)

_feature := {"item": {"kind": "feature", "name": "wind"}}

_bin(name) := {"item": {"kind": "bin", "name": name}, "items": 2}

_data := [
	figure("data.schema", "data", 0, 0),
	figure("data.rows", "data", 1000, 1000),
	at(figure("data.null_rate_difference", "data", 0.02, 0.02), _feature),
	figure("data.duplicate_keys", "data", 0, 0),
	figure("data.holdout_overlap", "data", 0, 0),
	at(figure("data.out_of_range", "data", 0.01, 0.01), _feature),
	figure("data.staleness", "data", 604800, 604800),
	figure("data.label_nulls", "data", 0, 0),
	at(figure("parity.mismatch", "data", 0.001, 0.001), _feature),
	figure("parity.missing", "data", 0.001, 0.001),
	figure("parity.pairs", "data", 1000, 1000),
	figure("parity.one_table", "data", 0, 0),
]

_model := [
	figure("calibration.ece", "candidate", 0, 0.019),
	at(figure("calibration.bin", "candidate", -0.05, 0.05), _bin("1")),
	at(figure("calibration.bin", "candidate", -0.05, 0.05), _bin("decision")),
	figure("calibration.under_coverage", "candidate", -0.01, 0.02),
	figure("calibration.over_coverage", "candidate", -0.01, 0.02),
	figure("regression.auc_vs_champion", "pair", -0.01, 0.01),
	figure("regression.log_loss_vs_champion", "pair", 0.97, 1.02),
	figure("regression.brier_vs_champion", "pair", 0.97, 1.02),
	figure("regression.brier_vs_baseline", "pair", 0.7, 0.9),
	figure("regression.auc_vs_anchor", "pair", -0.02, 0.01),
	figure("regression.log_loss_vs_anchor", "pair", 0.97, 1.04),
	figure("regression.brier_vs_anchor", "pair", 0.97, 1.04),
]

_of_slices := [at(figure, {"slice": slice(value), "share_ppm": 500000}) |
	some figure in _model
	figure.check != "calibration.bin"
	some value in ["UA", "OO"]
]

figures := array_of((({figure | some figure in _data} | {figure | some figure in _model}) | {figure | some figure in _of_slices}))

array_of(set) := [item | some item in set]

# METADATA
# description: The evidence with every figure of a check on a slice changed.
changed(check, where, change) := evidence([after |
	some before in figures
	after := _changed(before, check, where, change)
])

_changed(before, check, where, change) := object.union(before, change) if {
	before.check == check
	before.slice == where
} else := before

# METADATA
# description: The evidence without a check on a slice.
without(check, where) := evidence([figure |
	some figure in figures
	[figure.check, figure.slice] != [check, where]
])

unmeasured(reason) := {"status": "unmeasured", "reason": reason}

evidence(measurements) := [{
	"digest": "sha256:evidence",
	"gate": "all",
	"subject_digest": "sha256:candidate",
	"champion_digest": "sha256:champion",
	"plan_digest": "sha256:plan",
	"key_ids": ["k1"],
	"isolation": "namespace",
	"started_us": 1789990000000000,
	"finished_us": 1789995000000000,
	"measurements": measurements,
}]

asked := {
	"model": "m",
	"task": "binary",
	"environments": ["development", "staging", "production"],
	"built_in": false,
	"has_champion": true,
	"has_sets": true,
	"roles": ["training", "holdout", "offline", "online"],
	"columns": ["features", "key"],
	"slices": [],
	"extra": [],
}

plan := object.union(
	{
		"model": "m",
		"task": "binary",
		"environments": ["development", "staging", "production"],
		"independent_rows": false,
		"tables": [{"role": role} | some role in asked.roles],
		"columns": {"key": ["id"], "features": ["wind"]},
	},
	_answer,
)

# METADATA
# description: What the plan entry point answers, with its sets as the lists that a plan record has.
_answer := {
	"tier": answer.tier,
	"requirements": array_of(answer.requirements),
	"parameters": object.union(answer.parameters, {"slices": array_of(answer.parameters.slices)}),
} if {
	answer := main.plan with input as asked with data.models.m as facts
}

approval(key_id, role) := {"digest": role, "key_ids": [key_id], "statement": {
	"model": "m",
	"environment": "production",
	"action": "promote",
	"role": role,
	"candidate_digest": "sha256:candidate",
	"bundle_digest": "sha256:bundle",
	"plan_digest": "sha256:plan",
	"policy_digest": "sha256:policy",
	"current_release_digest": "sha256:release",
	"time_us": 1789999000000000,
	"expires_us": 1790001000000000,
}}

described := {
	"training_snapshot": "sha256:training",
	"validation_snapshot": "sha256:validation",
	"query_digest": "sha256:query",
	"as_of_us": 1789000000000000,
	"feature_definitions": "sha256:features",
	"label_definition": "arrived more than 15 minutes late",
	"parameters": "sha256:parameters",
	"environment": "sha256:environment",
	"code_revision": "0123456789",
	"tags": [{"name": "owner", "value": "delays"}],
	"changelog": {"what": "more trees", "why": "drift", "impact": "fewer misses"},
	"vulnerability_scan": "sha256:scan",
	"authors": ["tina@acme"],
	"since_revision": "abcdef0123",
}

production := {
	"request": {
		"environment": "production",
		"action": "promote",
		"model": "m",
		"candidate": candidate,
		"champion": champion,
		"percent": 5,
		"actor": "applier@acme",
		"triggered_by": ["octo"],
		"reason": "first step of the rollout",
		"effective_time_us": now,
	},
	"policy": {"digest": "sha256:policy", "trust_digest": "sha256:trust"},
	"plan": {"digest": "sha256:plan", "body": plan},
	"bundle": {
		"digest": "sha256:bundle",
		"plan_digest": "sha256:plan",
		"candidate_digest": "sha256:candidate",
		"champion_digest": "sha256:champion",
		"holdout_digest": "sha256:holdout",
		"holdout_sketch_digest": "sha256:sketch",
		"metadata": described,
		"created_us": 1789996000000000,
		"key_ids": ["k1"],
	},
	"evidence": evidence(figures),
	"serving": {
		"target": "serving/production.json",
		"routes": [{"percent": 100}],
		"configuration": {
			"digest": "sha256:configuration",
			"minimum_replicas": 2,
			"size": "small",
			"capture_percent": 100,
			"traffic": [],
			"variables": [{"name": "LEVEL", "kind": "plain", "looks_like": []}],
		},
	},
	"rollback": {
		"release_digest": "sha256:release",
		"parts": [
			{"part": "artifact", "state": "there"},
			{"part": "image", "state": "lacked"},
			{"part": "feature_views", "state": "there"},
			{"part": "data_snapshot", "state": "there"},
			{"part": "golden", "state": "there"},
		],
		"kept_s": 86400,
	},
	"registry": {"aliases": [{"alias": "deployed-production", "version": "3"}]},
	"ledger": {
		"policy_digest": "sha256:policy",
		"trust_digest": "sha256:trust",
		"release": {"routes": [{"version": champion, "percent": 95}, {"version": candidate, "percent": 5}]},
		"release_digest": "sha256:release",
		"adopted": true,
		"rung_below": {"environment": "staging", "candidate_digest": "sha256:candidate", "time_us": 1789999000000000},
		"known_releases": [{"state": "done", "candidate_digest": "sha256:champion", "time_us": 1}],
		"looks": 1,
		"sealed": true,
		"last_decision": "sha256:last",
		"attempts": 1,
		"candidates_judged": 1,
		"expected_aliases": [{"alias": "deployed-production", "version": "3"}],
	},
	"last": {"decision_id": "sha256:last", "plan": {"digest": "sha256:plan", "body": plan}, "metadata": described},
	"approvals": [approval("k2", "ml-owner"), approval("k3", "risk")],
	"waivers": [],
}

_served := {"release", "release_digest", "expected_aliases", "last_decision"}

# METADATA
# description: An empty slot in the ledger, and nobody to compare with.
first := object.union(
	{key: value | some key, value in production; not key in {"ledger", "request", "bundle", "last"}},
	{
		"ledger": object.union(
			{key: value | some key, value in production.ledger; not key in _served},
			{"adopted": false, "known_releases": [], "expected_aliases": []},
		),
		"request": {key: value | some key, value in production.request; key != "champion"},
		"bundle": {key: value | some key, value in production.bundle; key != "champion_digest"},
	},
)

development := object.union(
	{key: value | some key, value in production; not key in {"ledger", "last"}},
	{"request": object.union(production.request, {"environment": "development"}), "approvals": []},
)

denied := {result.code | some result in main.results; result.disposition == "denies"}

noted := {result.code | some result in main.results; result.disposition == "tolerated"}

accepted := {result.code | some result in main.results; result.disposition == "accepted"}

decision := main.decision

test_golden_is_allowed_in_production if {
	answer := main.decision with input as production with data.models.m as facts with data.trust as trust
	answer.allow == true
	answer.basis == "proven"
	answer.missing == set()
	answer.approvals == {"ml-owner", "risk"}
	answer.waivers == set()
	answer.valid_until_us == 1797776000000000
	count(answer.results) == 34
	{result.verdict | some result in answer.results} == {"pass"}
}

test_golden_is_allowed_in_development_without_trust if {
	answer := main.decision with input as development with data.models.m as facts
	answer.allow == true
	answer.basis == "proven"
	not answer.risk
}
