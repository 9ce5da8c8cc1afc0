package gates.checks.fairness_test

import data.gates.testing as t

_group(name) := {"item": {"kind": "group", "name": concat("=", ["sex", name])}}

_required(checks, role) := object.union(t.facts, {"required": [{"check": check, "role": role} | some check in checks]})

# The golden plan does not know of what these owners require besides.
_denied(changes, check, role) := {code | some code in codes; code != "plan.mismatch"} if {
	measured := {t.at(figure, change) |
		some name, change in changes
		figure := t.at(t.figure(check, "candidate", 0, 0.01), _group(name))
	}
	facts := _required([check], role)
	codes := t.denied with input as t.production
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | measured))
		with data.models.m as facts
		with data.trust as t.trust
}

_bounds(lower, upper) := {"bounds": t.bounds(lower, upper)}

test_nothing_of_it_is_required_unless_asked_for if {
	t.denied == set() with input as t.production
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_asked_for_and_not_measured if {
	facts := _required(["fairness.ece"], "prove")
	t.denied == {"check.missing", "plan.mismatch"} with input as t.production
		with data.models.m as facts
		with data.trust as t.trust
}

test_every_group_is_judged if {
	_denied({"b": {}, "c": {}}, "fairness.selection_rate_difference", "prove") == set()
	_denied({"b": {}, "c": _bounds(0.2, 0.3)}, "fairness.selection_rate_difference", "prove") == {"fairness.selection_rate_difference"}
	_denied({"b": {}, "c": _bounds(0, 0.9)}, "fairness.selection_rate_difference", "prove") == {"fairness.selection_rate_difference.inconclusive"}
	_denied({"b": {}, "c": _bounds(0, 0.9)}, "fairness.selection_rate_difference", "no-harm") == set()
}

test_limits_at_tier_high if {
	_limits := {
		"fairness.selection_rate_difference": {"good": [0, 0.1], "bad": [0.10000000000000002, 1]},
		"fairness.true_positive_rate_difference": {"good": [0, 0.1], "bad": [0.10000000000000002, 1]},
		"fairness.false_positive_rate_difference": {"good": [0, 0.1], "bad": [0.10000000000000002, 1]},
		"fairness.selection_rate_ratio": {"good": [0.8, 1], "bad": [0, 0.7999999999999999]},
		"fairness.true_positive_rate_ratio": {"good": [0.8, 1], "bad": [0, 0.7999999999999999]},
		"fairness.false_positive_rate_ratio": {"good": [0.8, 1], "bad": [0, 0.7999999999999999]},
		"fairness.ece": {"good": [0, 0.05], "bad": [0.05000000000000001, 1]},
	}
	every check, limit in _limits {
		_denied({"b": _bounds(limit.good[0], limit.good[1])}, check, "prove") == set()
		_denied({"b": _bounds(limit.bad[0], limit.bad[1])}, check, "prove") == {check}
	}
}

test_a_group_too_small_to_have_the_figure_is_undecided if {
	small := {"b": {}, "c": t.unmeasured("one_class")}
	_denied(small, "fairness.true_positive_rate_difference", "prove") == {"unmeasured.one_class"}
	_denied(small, "fairness.true_positive_rate_difference", "no-harm") == set()
	_verdicts(small, "prove") == {"pass", "inconclusive"}
	_denied({"b": t.unmeasured("nan_scores")}, "fairness.true_positive_rate_difference", "no-harm") == {"unmeasured.nan_scores"}
}

_verdicts(changes, role) := {r.verdict | some r in answer.results; r.check == "fairness.true_positive_rate_difference"} if {
	measured := {t.at(figure, change) |
		some name, change in changes
		figure := t.at(t.figure("fairness.true_positive_rate_difference", "candidate", 0, 0.01), _group(name))
	}
	facts := _required(["fairness.true_positive_rate_difference"], role)
	answer := t.decision with input as t.production
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | measured))
		with data.models.m as facts
		with data.trust as t.trust
}
