package gates.checks.parity_test

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
