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
import data.gates.lib.claims
import data.gates.lib.facts
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

_judged := {slice | some [_, slice] in claims.all}

# Tables whose absence is no less: the model is scored itself, or needs no memory of what it was compared with.
_spare := {"predictions", "champion_predictions", "champion_training", "champion_calibration", "champion_holdout"}

# METADATA
# title: A table less
# description: The last decision here read this table, its contract or its definitions, had it from a store or a log, or read all of its rows; now it does not.
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
	some word in {"contract", "definitions", "serving_definitions", "personal_data", "feast", "log"}
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

_looser := (({rule.feature |
	some rule in _then.parity.features
	some word in _ruled(rule)
	not _as_tight(word, rule)
} | {word |
	some word in {"lateness_s", "ttl_s"}
	input.plan.body.backfill
	most := _then.backfill[word]
	not _no_later(word, most)
}) | {"known" |
	input.plan.body.backfill
	some name in _then.backfill.known
	not _watched(name)
}) | {"written" |
	some name in input.plan.body.backfill.written
	_then.backfill
	not _spared(name)
}

_no_later(word, most) if {
	is_number(input.plan.body.backfill[word])
	input.plan.body.backfill[word] <= most
}

_watched(name) if name in input.plan.body.backfill.known

_spared(name) if name in _then.backfill.written

# Numbers are near enough by any of three words, so that one word more is as wide as one that is larger.
_near := {"absolute", "relative", "ulp"}

_ruled(rule) := ({"near" | _bounded(rule)} | {"max_age_s" | is_number(rule.max_age_s)}) | {"text" | is_string(rule.text)}

_bounded(rule) if {
	some word in _near
	is_number(rule[word])
}

_as_tight("near", was) if {
	some rule in input.plan.body.parity.features
	rule.feature == was.feature
	_bounded(rule)
	every word in _near {
		_reach(rule, word) <= _reach(was, word)
	}
}

_as_tight("max_age_s", was) if {
	some rule in input.plan.body.parity.features
	rule.feature == was.feature
	is_number(rule.max_age_s)
	rule.max_age_s <= was.max_age_s
}

_as_tight("text", was) if {
	some rule in input.plan.body.parity.features
	rule.feature == was.feature
	rule.text in {was.text, "exact"}
}

_reach(rule, word) := rule[word] if {
	is_number(rule[word])
} else := 0

# METADATA
# title: Another key
# description: Rows are told apart, labelled, dated, scored, weighed or grouped by other columns than at the last decision here, or the model's classes, sets, quantiles and intervals are others.
# custom:
#   code: narrowed.key
#   remedy: Name the columns as before, or have the risk role approve.
_keys := {object.union(_less("release.narrowed", "narrowed.key"), {"item": {"kind": "column", "name": name}}) |
	some name in _other
}

_other contains word if {
	some word in _words
	said := _then.columns[word]
	not said in {"", []}
	not _same(word, said)
}

_other contains word if {
	some word in _given
	said := _then.columns[word]
	now := input.plan.body.columns[word]
	said != []
	not now in {said, "", []}
}

_other contains concat(" of ", [word, "backfill"]) if {
	some word in {"partition", "zone"}
	input.plan.body.backfill
	said := _then.backfill[word]
	not input.plan.body.backfill[word] == said
}

_other contains concat(" of ", ["written", feature]) if {
	some feature in _dated
	not _written(input.plan.body, feature) == _written(_then, feature)
}

_other contains name if {
	some table in _then.tables
	some now in input.plan.body.tables
	now.role == table.role
	some name in _asked_otherwise(table, now)
}

_other contains "cluster" if {
	cluster := _then.parameters.cluster
	not _as_grouped(cluster)
}

_other contains "independent rows" if {
	input.plan.body.independent_rows == true
	_then.independent_rows == false
}

_other contains word if {
	some word in {"weight", "payoff"}
	_said(input.plan.body, word) != _said(_then, word)
}

_words := {
	"key", "label", "time", "ingested", "labelled", "annotator", "guideline", "quasi_identifiers", "groups",
	"classes", "set_columns", "quantiles", "intervals",
}

# Columns of tables of predictions: none is named where the model is scored itself, or needs no memory of them.
_given := {
	"score", "class_scores", "champion_score", "champion_class_scores", "champion_set_columns",
	"champion_quantiles", "champion_intervals",
}

# Features whose values had to be young, by the spec or by the policy owners.
_dated := {rule.feature | some rule in _then.parity.features; is_number(rule.max_age_s)} | {rule.feature |
	some rule in _then.parameters.parity_features
	is_number(rule.max_age_s)
}

# The column that says when a feature's value was written; none where the table's source says it.
_written(plan, feature) := column if {
	some rule in plan.parity.features
	rule.feature == feature
	column := rule.written
	is_string(column)
} else := column if {
	column := plan.parity.written
	is_string(column)
} else := ""

# What a feature store is asked for another time, or with values that it learned of only later, is another answer.
_asked_otherwise(table, now) := {concat(" of ", ["time", table.role]) |
	now.feast
	said := table.feast.time
	not now.feast.time == said
} | {concat(" of ", ["created", table.role]) |
	table.feast.created == true
	now.feast.created == false
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
} | {object.union(_less("release.narrowed", "narrowed.parameter"), {"item": {"kind": "parameter", "name": "task"}}) |
	was := _then.task
	not input.plan.body.task == was
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
