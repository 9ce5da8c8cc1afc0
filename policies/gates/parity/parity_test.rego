package gates.checks.parity_test

import data.gates.lib.asked
import data.gates.testing as t

_denied(check, value) := found if {
	found := t.denied with input as t.production
		with input.evidence as t.changed(check, t.whole, {"bounds": t.bounds(value, value), "estimate": value})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_limits if {
	_denied("parity.mismatch", 0.001) == set()
	_denied("parity.mismatch", 0.0010000000000000002) == {"parity.mismatch"}
	_denied("parity.missing", 0.001) == set()
	_denied("parity.missing", 0.0010000000000000002) == {"parity.missing"}
}

_required(key, environment) := {r.check | some r in requirements} if {
	requirements := asked.by_policy with input as t.production
		with input.request.environment as environment
		with input.plan.body as object.union(t.plan, {"columns": {"key": key}})
}

test_without_a_key_only_development_does_without_pairs if {
	"parity.mismatch" in _required(["id"], "development")
	not "parity.mismatch" in _required([], "development")
	"parity.mismatch" in _required([], "production")
}
