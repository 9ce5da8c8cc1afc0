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

test_the_champion_has_most_of_the_traffic if {
	_codes == {"champion.mismatch"} with input as t.production
		with input.ledger.release.routes as [{"version": t.champion, "percent": 5}, {"version": t.candidate, "percent": 95}]
	_codes == set() with input as t.production
		with input.ledger.release.routes as [{"version": t.champion, "percent": 50}, {"version": t.candidate, "percent": 50}]
}

test_development_may_measure_without_one if {
	alone := {key: value | some key, value in t.production.request; key != "champion"}
	_codes == set() with input as t.production with input.request as object.union(alone, {"environment": "development"})
}

_beside(figure) := [t.production.evidence[0], {"digest": "sha256:beside", "measurements": [figure]}]

test_what_is_measured_without_a_champion_is_against_none if {
	against := t.figure("regression.auc_vs_champion", "pair", -0.01, 0.01)
	_codes == {"champion.mismatch"} with input as t.production with input.evidence as _beside(against)
	_codes == set() with input as t.production
		with input.evidence as _beside(object.union(against, t.unmeasured("no_champion")))
	_codes == set() with input as t.production with input.evidence as _beside(t.figure("data.rows", "data", 1000, 1000))
}
