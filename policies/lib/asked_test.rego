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
