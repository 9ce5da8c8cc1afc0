# METADATA
# description: |
#   What is asked for now against the last decision that was carried out here, and against the policy owners' facts: less
#   than that is for the risk role to approve.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [GOVERN 1.4, MEASURE 1.2]
#     sr-11-7: [VI Policies and Procedures]
#   evidence: [last.plan.body, plan.body]
#   not_covered: What was too little from the beginning.
package gates.release.narrowed

import data.gates.lib.asked
import data.gates.lib.facts
import data.gates.lib.judge
import data.gates.lib.required
import data.gates.lib.result
import data.gates.release.approvals

# METADATA
# description: Each way in which less is asked for, as a result without its disposition.
found := (((((_checks | _slices) | _tables) | _tolerances) | _keys) | _facts) | ((_values | _parameters) | _features)

default _approved := false

# The approval names the plan's digest, and so exactly this narrowing.
_approved if count(approvals.persons("risk")) > 0

_disposition := "tolerated" if _approved

else := "denies"

results contains object.union(way, {"rule": "release", "verdict": "fail", "disposition": _disposition}) if {
	asked.strict
	some way in found
}

# METADATA
# title: Last decision unknown
# description: The ledger names a last decision here whose plan is not in the store, so that nobody can compare.
# custom:
#   code: narrowed.unknown
#   remedy: Decide with the store that holds the evidence of what serves.
results contains result.denies("release.narrowed", "narrowed.unknown") if {
	asked.strict
	input.ledger.last_decision
	not _known
}

_known if {
	input.last.decision_id == input.ledger.last_decision
	input.last.plan
}

_then := input.last.plan.body

_before := {r | some r in _then.requirements; r.environment == asked.environment}

_named := {r.check | some r in asked.requirements}

# METADATA
# title: A check less
# description: The last decision here required this check, and nothing requires it now.
# custom:
#   code: narrowed.check
#   remedy: Require it again in gates.yaml or models/<model>/data.yaml, or have the risk role approve.
_checks := {_less(r.check, "narrowed.check") |
	some r in _before
	not _named[r.check]
	not _scored_itself(r.check)
}

# What only supplied predictions have to show; without a table of them the model is scored itself.
_scored_itself("package.mismatch") if {
	count([table | some table in input.plan.body.tables; table.role == "predictions"]) == 0
}

# METADATA
# title: A slice less
# description: The last decision here judged this check on these rows, or proved it there; now it does not.
# custom:
#   code: narrowed.slice
#   remedy: Name the slice again, or have the risk role approve.
_slices := {object.union(_less(r.check, "narrowed.slice"), _place(r)) |
	some r in _before
	_named[r.check]
	not _covered(r)
}

_covered(r) if r in asked.requirements

_covered(r) if object.union(r, {"role": "prove"}) in asked.requirements

_place(r) := {"slice": slice} if {
	slice := r.slice
} else := {"item": {"kind": "column", "name": r.each}}

# METADATA
# title: A slice's value less
# description: The last decision here judged the rows of this value; the column is still asked for, and no figure is of them.
# custom:
#   code: narrowed.value
#   remedy: Measure on rows that have the value as before, or have the risk role approve.
_values := {object.union(_less("release.narrowed", "narrowed.value"), {"slice": slice}) |
	some slice in input.last.slices
	_columns[slice.column]
	not _judged[slice]
}

_columns := {r.each | some r in asked.requirements}

_judged := {slice | some [_, slice] in judge.claims}

# Tables whose absence is no less: the model is scored itself, or needs no memory of what it was compared with.
_spare := {"predictions", "champion_predictions", "champion_training", "champion_calibration", "champion_holdout"}

# METADATA
# title: A table less
# description: The last decision here read this table, its contract or its definitions, or all of its rows; now it does not.
# custom:
#   code: narrowed.table
#   remedy: Name it again in gates.yaml, or have the risk role approve.
_tables := {object.union(_less("release.narrowed", "narrowed.table"), {"item": {"kind": "table", "name": name}}) |
	some name in _lost
}

_lost := ({table.role |
	some table in _then.tables
	not table.role in _spare
	not table.role in {now.role | some now in input.plan.body.tables}
} | {name |
	some table in _then.tables
	some now in input.plan.body.tables
	now.role == table.role
	some word in {"contract", "definitions", "serving_definitions"}
	table[word]
	not now[word]
	name := concat(" of ", [word, table.role])
}) | {name |
	some table in _then.tables
	some now in input.plan.body.tables
	now.role == table.role
	now.scope == "sample"
	not table.scope
	name := concat(" of ", ["all rows", table.role])
}

# METADATA
# title: A looser tolerance
# description: The spec's own rule for this feature, or for a backfill, is absent or wider than at the last decision here.
# custom:
#   code: narrowed.tolerance
#   remedy: Put the tighter rule back in gates.yaml, or have the risk role approve.
_tolerances := {object.union(_less("release.narrowed", "narrowed.tolerance"), {"item": {"kind": "feature", "name": name}}) |
	some name in _looser
}

_rules := {"absolute", "relative", "ulp", "max_age_s"}

_looser := {rule.feature |
	some rule in _then.parity.features
	some word in _rules
	is_number(rule[word])
	not _as_tight(rule.feature, word, rule[word])
} | {word |
	some word in {"lateness_s", "ttl_s"}
	input.plan.body.backfill
	most := _then.backfill[word]
	not _no_later(word, most)
}

_no_later(word, most) if {
	is_number(input.plan.body.backfill[word])
	input.plan.body.backfill[word] <= most
}

_as_tight(feature, word, most) if {
	some rule in input.plan.body.parity.features
	rule.feature == feature
	is_number(rule[word])
	rule[word] <= most
}

# METADATA
# title: Another key
# description: Rows are told apart, labelled, dated, weighed or grouped by other columns than at the last decision here, or the model's quantiles and intervals are others.
# custom:
#   code: narrowed.key
#   remedy: Name the columns as before, or have the risk role approve.
_keys := {object.union(_less("release.narrowed", "narrowed.key"), {"item": {"kind": "column", "name": name}}) |
	some name in _other
}

_other := (({word |
	some word in _words
	said := _then.columns[word]
	not said in {"", []}
	not _same(word, said)
} | {"cluster" |
	cluster := _then.parameters.cluster
	not _as_grouped(cluster)
}) | {"independent rows" |
	input.plan.body.independent_rows == true
	_then.independent_rows == false
}) | {word |
	some word in {"weight", "payoff"}
	_said(input.plan.body, word) != _said(_then, word)
}

_words := {
	"key", "label", "time", "ingested", "labelled", "annotator", "guideline", "quasi_identifiers", "groups",
	"quantiles", "intervals",
}

_as_grouped(cluster) if {
	input.plan.body.parameters.cluster == cluster
	object.get(input.plan.body.parameters, "cluster_by", "") == object.get(_then.parameters, "cluster_by", "")
}

_same(word, said) if input.plan.body.columns[word] == said

# More columns that may tell who a row is about are more to keep to.
_same("quasi_identifiers", said) if {
	every name in said {
		name in input.plan.body.columns.quasi_identifiers
	}
}

# Naming a weight is as good as naming another one: rows that count for nothing are rows that nobody looks at.
_said(plan, word) := plan.parameters[word] if {
	word == "weight"
	is_string(plan.parameters[word])
} else := object.get(plan.columns, word, "")

# METADATA
# title: Another parameter
# description: Figures are computed with another parameter than at the last decision here, which may ask less.
# custom:
#   code: narrowed.parameter
#   remedy: Put the parameter back in models/<model>/data.yaml, or have the risk role approve.
_parameters := {object.union(_less("release.narrowed", "narrowed.parameter"), {"item": {"kind": "parameter", "name": name}}) |
	some name in (object.keys(_then.parameters) | object.keys(input.plan.body.parameters))
	not name in {"cluster", "cluster_by", "slices", "weight"}
	not _as_strict(name)
}

_as_strict(name) if facts.as_strict(name, _then.parameters[name], input.plan.body.parameters[name])

# METADATA
# title: A feature less
# description: The last decision here was about this feature too; now no table is compared or looked at for it.
# custom:
#   code: narrowed.feature
#   remedy: Name the feature again, or have the risk role approve that the model does without it.
_features := {object.union(_less("release.narrowed", "narrowed.feature"), {"item": {"kind": "feature", "name": feature}}) |
	some feature in _then.columns.features
	not _has(feature)
}

_has(feature) if feature in input.plan.body.columns.features

# METADATA
# title: Another tier
# description: The policy owners have put the model into a lower tier since the last decision here.
# custom:
#   code: narrowed.tier
#   remedy: Have the risk role approve.
_facts contains _less("release.narrowed", "narrowed.tier") if {
	asked.tier in _below[_then.tier]
}

_below := {"high": {"medium", "low"}, "medium": {"low"}}

# METADATA
# title: Another holdout
# description: The evidence was measured on other rows than the policy owners name for this model.
# custom:
#   code: narrowed.holdout
#   remedy: Measure on the holdout that models/<model>/data.yaml names, or have the policy owners add this one.
_facts contains _less("release.narrowed", "narrowed.holdout") if {
	count(required.model(input.request.model).holdouts) > 0
	not _named_holdout
}

# A helper: `not x in y` is undefined where x is, and an absent holdout is no holdout that is named.
_named_holdout if input.bundle.holdout_digest in required.model(input.request.model).holdouts

# METADATA
# title: Another target
# description: gates.yaml names another serving target than the policy owners name for this model, or none.
# custom:
#   code: narrowed.target
#   remedy: Name the target of models/<model>/data.yaml, or have the policy owners change it.
_facts contains _less("release.narrowed", "narrowed.target") if {
	is_string(required.model(input.request.model).target)
	not input.serving.target == required.model(input.request.model).target
}

_less(check, code) := {"check": check, "code": code}
