package gates.release.ladder_test

import data.gates.release.ladder
import data.gates.testing as t

_codes := {result.code | some result in ladder.results}

_below(change) := object.union(t.production.ledger.rung_below, change)

test_the_rung_below if {
	_codes == set() with input as t.production
	_codes == {"ladder.skipped"} with input as t.production
		with input.ledger as {key: value | some key, value in t.production.ledger; key != "rung_below"}
	_codes == {"ladder.skipped"} with input as t.production
		with input.ledger.rung_below as _below({"candidate_digest": "sha256:other"})
	_codes == {"ladder.skipped"} with input as t.production
		with input.ledger.rung_below as _below({"environment": "development"})
}

test_its_age if {
	_codes == set() with input as t.production with input.ledger.rung_below as _below({"time_us": 1787408000000000})
	_codes == {"ladder.skipped"} with input as t.production
		with input.ledger.rung_below as _below({"time_us": 1787407999999999})
	_codes == {"ladder.skipped"} with input as t.production
		with input.ledger.rung_below as _below({"time_us": 1790000000000001})
}

test_the_first_rung_with_a_ledger if {
	_codes == set() with input as t.production
		with input.request.environment as "staging"
		with input.ledger as {key: value | some key, value in t.production.ledger; key != "rung_below"}
	_codes == {"ladder.skipped"} with input as t.production with input.request.environment as "moon"
	_codes == set() with input as t.development
}

_known(state, time) := [{"state": state, "candidate_digest": "sha256:candidate", "time_us": time}]

test_a_release_that_was_rolled_back if {
	_codes == {"release.suspect"} with input as t.production with input.ledger.known_releases as _known("bad", 1)
	_codes == {"release.suspect"} with input as t.production
		with input.ledger.known_releases as _known("suspect", 1789990000000000)
	_codes == set() with input as t.production
		with input.ledger.known_releases as _known("suspect", 1789989999999999)
	_codes == set() with input as t.production with input.ledger.known_releases as _known("done", t.now)
}

test_old_measurements_sealed_again_are_no_new_evidence if {
	new := object.union(t.production.evidence[0], {"started_us": 1789993000000001})
	rolled_back := _known("suspect", 1789993000000000)
	_codes == set() with input as t.production
		with input.evidence as [new]
		with input.ledger.known_releases as rolled_back
	_codes == {"release.suspect"} with input as t.production
		with input.evidence as [new, t.production.evidence[0]]
		with input.ledger.known_releases as rolled_back
	_codes == {"release.suspect"} with input as t.production
		with input.evidence as []
		with input.bundle.created_us as 1789993000000000
		with input.ledger.known_releases as rolled_back
}

test_archived if {
	_codes == {"release.archived"} with input as t.production with input.ledger.archived as true
	_codes == set() with input as t.production with input.ledger.archived as false
}

test_the_rung_below_in_this_moment if {
	_codes == set() with input as t.production with input.ledger.rung_below as _below({"time_us": t.now})
}

test_what_became_of_another_version_is_not_held_against_this_one if {
	others := [object.union(_known("bad", 1)[0], {"candidate_digest": "sha256:other"})]
	_codes == set() with input as t.production with input.ledger.known_releases as others
}

test_development_does_not_ask if {
	_codes == set() with input as t.production
		with input.request.environment as "development"
		with input.ledger.known_releases as _known("bad", 1)
		with data.release.environments.development as {"below": "nothing"}
}
