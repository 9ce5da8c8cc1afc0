package gates.release.champion_test

import data.gates.release.champion
import data.gates.testing as t

_codes := {result.code | some result in champion.results}

test_the_champion_is_the_ledgers if {
	_codes == set() with input as t.production
	_codes == {"champion.mismatch"} with input as t.production with input.request.champion as t.candidate
	_codes == {"champion.mismatch"} with input as t.production
		with input.request as {key: value | some key, value in t.production.request; key != "champion"}
	_codes == {"champion.mismatch"} with input as t.production
		with input.ledger.release.routes as [{"version": t.candidate, "percent": 100}]
}

test_it_was_measured_against if {
	_codes == {"champion.mismatch"} with input as t.production with input.bundle.champion_digest as "sha256:other"
	_codes == {"champion.mismatch"} with input as t.development with input.bundle.champion_digest as "sha256:other"
	other := [object.union(evidence, {"champion_digest": "sha256:other"}) | some evidence in t.production.evidence]
	_codes == {"champion.mismatch"} with input as t.production with input.evidence as other
	unnamed := [{key: value | some key, value in evidence; key != "champion_digest"} | some evidence in t.production.evidence]
	_codes == {"champion.mismatch"} with input as t.production with input.evidence as unnamed
}

test_first_release if {
	first := object.union(t.facts, {"first_release": true})
	_codes == {"champion.none"} with input as t.first with data.models.m as t.facts
	_codes == set() with input as t.first with data.models.m as first
	_codes == {"champion.none"} with input as t.first with input.ledger.adopted as true with data.models.m as first
	_codes == {"champion.none"} with input as t.first
		with input.ledger.known_releases as [{"state": "bad"}]
		with data.models.m as first
}
