package gates.lib.asked_test

import data.gates.lib.asked
import data.gates.testing as t

_first := object.union(t.facts, {"first_release": true})

_is_first(document) if {
	asked.first_release with input as document with data.models.m as _first
}

test_a_first_release_is_one_of_an_empty_slot_above_development if {
	_is_first(t.first)
	not _is_first(object.union(t.first, {"request": object.union(t.first.request, {"environment": "development"})}))
	not _is_first(object.union(t.first, {"ledger": object.union(t.first.ledger, {"release": t.production.ledger.release})}))
	not _is_first(object.union(t.first, {"ledger": object.union(t.first.ledger, {"adopted": true})}))
	not _is_first({key: value | some key, value in t.first; key != "ledger"})
	not asked.first_release with input as t.first with data.models.m as t.facts
}

test_there_is_a_champion_where_the_request_names_one if {
	asked.ask.has_champion == true with input as t.production with data.models.m as t.facts
	asked.ask.has_champion == false with input as t.first with data.models.m as t.facts
}

test_what_the_plan_says_is_asked_for_here if {
	row := {"environment": "production", "check": "own.wait", "role": "prove", "slice": t.whole}
	elsewhere := object.union(row, {"environment": "staging"})
	found := asked.requirements with input as t.production
		with input.plan.body.requirements as [row, elsewhere]
		with data.models.m as t.facts
	found[row]
	not found[elsewhere]
	asked.ask.first_release == false with input as t.production with data.models.m as t.facts
}

test_a_column_without_a_name_is_none if {
	asked.ask.columns == {"key"} with input as t.production
		with input.plan.body.columns as {"key": ["id"], "features": [], "time": ""}
		with data.models.m as t.facts
}

test_what_a_first_release_need_not_pass_no_plan_asks_for if {
	against := {"environment": "production", "check": "regression.auc_vs_champion", "role": "prove", "slice": t.whole}
	found := asked.requirements with input as t.first
		with input.plan.body.requirements as [against]
		with data.models.m as _first
	not found[against]
}
