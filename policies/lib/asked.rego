# METADATA
# description: What this decision requires, recomputed from the policy's data; the plan can only add.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.asked

import data.gates.lib.required

environment := input.request.environment

tier := required.tier(input.request.model)

# METADATA
# description: The environments in which a ledger, listed keys and full evidence are demanded.
default strict := true

strict := false if environment in required.lenient

# METADATA
# description: |
#   Nothing was ever promoted or adopted here, and the policy owners say that this model may start so.
first_release if {
	strict
	required.model(input.request.model).first_release == true
	_empty_slot
}

_empty_slot if {
	not input.ledger.release
	not input.ledger.adopted
	count(input.ledger.known_releases) == 0
}

default _first := false

_first if first_release

default _champion := false

_champion if input.request.champion

_beside := {
	"contract",
	"champion_contract",
	"definitions",
	"serving_definitions",
	"champion_definitions",
	"personal_data",
	"log",
}

_documents := {word |
	some table in input.plan.body.tables
	some word in _beside
	table[word]
}

ask := {
	"environment": environment,
	"model": input.request.model,
	"task": input.plan.body.task,
	"roles": {table.role | some table in input.plan.body.tables},
	"documents": _documents,
	"has_champion": _champion,
	"has_sets": false,
	"columns": {word | some word, said in input.plan.body.columns; count(said) > 0},
	"slices": input.plan.body.parameters.slices,
	"first_release": _first,
	"backfill": object.get(input.plan.body, "backfill", {}),
}

_excused := {r.check | some r in required.not_applicable(ask)}

# METADATA
# description: What the policy by itself requires here.
by_policy := required.requirements(ask)

_by_plan := {r |
	some r in input.plan.body.requirements
	r.environment == environment
	not r.check in _excused
}

# METADATA
# description: The required set; a plan that lacks a part of it is another plan than this policy's.
requirements := by_policy | _by_plan
