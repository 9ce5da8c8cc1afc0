package gates.checks.drift_test

import data.gates.testing as t

_wind := {"item": {"kind": "feature", "name": "wind"}}

_required(tier, wishes) := object.union(t.facts, {"tier": tier, "required": wishes})

# The golden plan does not know of what these owners require besides.
_denied(tier, wishes, measured) := {code | some code in codes; not code in {"plan.mismatch", "plan.tier"}} if {
	facts := _required(tier, wishes)
	codes := t.denied with input as t.production
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | measured))
		with data.models.m as facts
		with data.trust as t.trust
}

_figure(check, change) := t.at(t.figure(check, "data", 0, 0.01), object.union(_wind, change))

_at(check, lower, upper) := _denied("high", [{"check": check}], {_figure(check, {"bounds": t.bounds(lower, upper)})})

test_nothing_of_it_is_required_unless_asked_for if {
	t.denied == set() with input as t.production
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_asked_for_and_not_measured if {
	every check in ["drift.psi", "drift.js", "drift.ks"] {
		_denied("high", [{"check": check}], set()) == {"check.missing"}
	}
}

test_limits_at_tier_high if {
	_limits := {"drift.psi": [0.1, 0.10000000000000002], "drift.js": [0.02, 0.020000000000000004], "drift.ks": [0.1, 0.10000000000000002]}
	every check, limit in _limits {
		_at(check, 0, limit[0]) == set()
		_at(check, 0, limit[1]) == {concat(".", [check, "inconclusive"])}
		_at(check, limit[0], 1) == {concat(".", [check, "inconclusive"])}
		_at(check, limit[1], 1) == {check}
	}
}

test_every_feature_is_judged if {
	wishes := [{"check": "drift.psi"}]
	of_rain := {"item": {"kind": "feature", "name": "rain"}, "bounds": t.bounds(0.3, 0.5), "items": 2}
	_denied("high", wishes, {_figure("drift.psi", {"items": 2}), _figure("drift.psi", of_rain)}) == {"drift.psi"}
	_denied("high", wishes, {_figure("drift.psi", {"items": 2})}) == {"check.incomplete"}
	_denied("high", wishes, {_figure("drift.psi", {"item": {"kind": "feature", "name": "rain"}})}) == {"check.missing"}
}

test_a_feature_that_cannot_be_compared_denies if {
	every reason in ["column_missing", "table_missing", "few_events", "few_clusters"] {
		gone := t.at(_figure("drift.psi", {}), t.unmeasured(reason))
		_denied("high", [{"check": "drift.psi"}], {gone}) == {concat(".", ["unmeasured", reason])}
	}
}

_texts := t.at(_figure("drift.ks", {}), t.unmeasured("no_order"))

test_levels_have_no_gap_and_must_then_be_close_otherwise if {
	ks := {"check": "drift.ks"}
	_denied("high", [ks], {_texts}) == {"unmeasured.no_order"}
	every check in ["drift.psi", "drift.js"] {
		_denied("high", [ks, {"check": check}], {_texts, _figure(check, {})}) == set()
		_denied("high", [ks, {"check": check, "role": "no-harm"}], {_texts, _figure(check, {})}) == {"unmeasured.no_order"}
		far := _figure(check, {"bounds": t.bounds(0.5, 0.9)})
		_denied("high", [ks, {"check": check}], {_texts, far}) == {check}
	}
	small := {"check": "drift.psi", "role": "no-harm"}
	_denied("high", [{"check": "drift.ks", "role": "no-harm"}, small], {_texts, _figure("drift.psi", {})}) == set()
	_denied("high", [ks, {"check": "data.class_balance"}], {_texts}) == {"unmeasured.no_order", "check.missing"}

	# Close in one carrier is not close.
	part := {"check": "drift.psi", "slice": {"kind": "value", "column": "carrier", "value": "AA"}}
	"unmeasured.no_order" in _denied("high", [ks, part], {_texts})
}
