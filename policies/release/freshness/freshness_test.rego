package gates.release.freshness_test

import data.gates.release.freshness
import data.gates.testing as t

_codes := {result.code | some result in freshness.results}

test_stale if {
	_codes == set() with input as t.production
	_codes == set() with input as t.production with input.bundle.created_us as 1787408000000000
	_codes == {"evidence.stale"} with input as t.production with input.bundle.created_us as 1787407999999999
	_codes == {"evidence.stale"} with input as t.production
		with data.release.environments.production.evidence_max_age_us as 1
	_codes == {"evidence.stale"} with input as t.production with data.release.environments.production as {}
}

test_future if {
	_codes == set() with input as t.production with input.bundle.created_us as t.now
	_codes == {"evidence.future"} with input as t.production with input.bundle.created_us as 1790000000000001
	backwards := [object.union(evidence, {"started_us": 1789995000000001}) | some evidence in t.production.evidence]
	_codes == {"evidence.future"} with input as t.production with input.evidence as backwards
}

test_development_does_not_ask if {
	_codes == set() with input as t.development with input.bundle.created_us as 0
	_codes == set() with input as t.development with input.bundle.created_us as 1790000000000001
	backwards := [object.union(evidence, {"started_us": 1789995000000001}) | some evidence in t.production.evidence]
	_codes == set() with input as t.development with input.evidence as backwards
}

test_a_measurement_of_no_time_is_of_no_future if {
	at_once := [object.union(evidence, {"started_us": evidence.finished_us}) | some evidence in t.production.evidence]
	_codes == set() with input as t.production with input.evidence as at_once
}
