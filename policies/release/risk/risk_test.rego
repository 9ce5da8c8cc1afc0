package gates.release.risk_test

import data.gates.release.risk
import data.gates.testing as t

_kind(change) := kind if {
	kind := risk.kind with input as t.production
		with input.bundle.metadata as object.union(t.described, change)
		with data.models.m as t.facts
}

test_what_was_changed if {
	_kind({}) == "data"
	_kind({"training_snapshot": "sha256:newer"}) == "data"
	_kind({"code_revision": "fedcba"}) == "code"
	_kind({"parameters": "sha256:other"}) == "code"
	_kind({"feature_definitions": "sha256:other", "code_revision": "fedcba"}) == "features"
	first := risk.kind with input as t.first with data.models.m as object.union(t.facts, {"first_release": true})
	first == "first"
	unknown := risk.kind with input as t.production
		with input.last as {"decision_id": "sha256:last"}
		with data.models.m as t.facts
	unknown == "unknown"
}

_parts(change) := {[part.part, part.points] |
	found := risk.parts with input as t.production
		with input.request.percent as change
		with data.models.m as t.facts
		with data.trust as t.trust
	some part in found
}

test_points if {
	_parts(5) == {["tier", 3], ["change", 1], ["traffic", 1]}
	_parts(10) == {["tier", 3], ["change", 1], ["traffic", 1]}
	_parts(11) == {["tier", 3], ["change", 1], ["traffic", 2]}
	_parts(100) == {["tier", 3], ["change", 1], ["traffic", 3]}
	points := risk.points with input as t.production with data.models.m as t.facts with data.trust as t.trust
	points == 5
}

_undecided := t.changed("calibration.ece", t.whole, {"bounds": t.bounds(0.015, 0.03), "estimate": 0.019})

test_what_is_provisional_or_waived_adds if {
	found := risk.parts with input as t.production
		with input.request.environment as "staging"
		with input.evidence as _undecided
		with data.models.m as t.facts
		with data.trust as t.trust
	["provisional", 2] in {[part.part, part.points] | some part in found}
	waived := risk.parts with input as t.production
		with data.gates.lib.judge.results as {{"disposition": "waived"}}
		with data.models.m as t.facts
	["waived", 2] in {[part.part, part.points] | some part in waived}
}

test_without_points_there_is_no_sum if {
	_points(data.release.risk) == 5
	not _points({})
	not _points({key: value | some key, value in data.release.risk; key != "waived"})
	not _points({key: value | some key, value in data.release.risk; key != "provisional"})
	not _points({key: value | some key, value in data.release.risk; key != "traffic"})
}

_points(of) := found if {
	found := risk.points with input as t.production with data.release.risk as of with data.models.m as t.facts
}
