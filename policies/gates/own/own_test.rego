package gates.checks.own_test

import data.gates.main
import data.gates.testing as t

_limits := {
	"production": {"limit": 0.2, "inclusive": true},
	"staging": {"limit": 0.2, "inclusive": true, "point": true},
	"development": {"limit": 0.2, "inclusive": true, "point": false},
}

_facts(required) := object.union(t.facts, {
	"own": {"wait": {"sense": "at_most", "limits": _limits}},
	"required": required,
})

_wish := [{"check": "own.wait"}]

_wait(change) := t.evidence(t.array_of({f | some f in t.figures} | {t.at(t.figure("own.wait", "candidate", 0.1, 0.2), change)}))

_bare(value) := {"estimate": value, "bounds": t.bounds("unbounded", "unbounded")}

# The golden plan does not know of what these owners require besides.
_results(environment, change, facts) := {r |
	some r in answer.results
	r.check == "own.wait"
} if {
	answer := main.decision with input as t.production
		with input.request.environment as environment
		with input.evidence as _wait(change)
		with data.models.m as facts
		with data.trust as t.trust
}

_said(environment, change) := {[r.verdict, r.disposition, r.code] | some r in _results(environment, change, _facts(_wish))}

test_a_figure_is_judged_by_the_limit_of_its_environment if {
	{r.limit | some r in _results("production", {}, _facts(_wish))} == {"models/m/own/wait/limits/production"}
	_said("production", {}) == {["pass", "satisfied", "own.wait.passed"]}
	_said("production", {"bounds": t.bounds(0.1, 0.3)}) == {["inconclusive", "denies", "own.wait.inconclusive"]}
	_said("production", {"bounds": t.bounds(0.3, 0.4)}) == {["fail", "denies", "own.wait"]}
}

test_a_bare_number_never_passes if {
	_said("production", _bare(0.1)) == {["inconclusive", "denies", "own.wait.inconclusive"]}
	_said("production", _bare(0.3)) == {["inconclusive", "denies", "own.wait.inconclusive"]}
}

test_a_limit_may_accept_a_bare_number_by_its_point_and_says_so if {
	_said("staging", _bare(0.2)) == {["inconclusive", "accepted", "own.wait.point"]}
	_said("staging", _bare(0.20000000000000004)) == {["inconclusive", "denies", "own.wait.inconclusive"]}
	_said("staging", {"estimate": 0.1, "bounds": t.bounds(0.1, "unbounded")}) == {["inconclusive", "denies", "own.wait.inconclusive"]}
	_said("staging", {"estimate": 0.1, "bounds": t.bounds(0.1, 0.3)}) == {["inconclusive", "denies", "own.wait.inconclusive"]}
	_said("development", _bare(0.1)) == {["inconclusive", "accepted", "own.wait.provisional"]}
}

_mean(params) := object.union({"method": "student"}, {"params": params})

_declared := [{"name": "rows", "value": "clustered"}, {"name": "range", "value": "declared"}]

test_a_mean_of_values_of_any_size_is_judged_where_the_owners_say_so if {
	missing := {["error", "denies", "range.undeclared"]}
	_said("production", _mean([])) == missing
	_said("production", _mean([{"name": "range", "value": "none"}])) == missing
	_said("production", _mean([{"name": "rows", "value": "declared"}])) == missing
	_said("production", object.union(_mean([]), {"method": "asymptotic_confidence_sequence"})) == missing
	_said("production", object.union(_mean(_declared), {"method": "asymptotic_confidence_sequence"})) == {["pass", "satisfied", "own.wait.passed"]}
	_said("production", object.union(_mean([]), {"method": "confidence_sequence"})) == {["pass", "satisfied", "own.wait.passed"]}
	_said("production", _mean(_declared)) == {["pass", "satisfied", "own.wait.passed"]}
	_said("production", object.union(_mean([]), {"method": "korn_graubard"})) == {["pass", "satisfied", "own.wait.passed"]}
	every said, codes in {"none": {"own.wait.passed"}, "declared": {"range.undeclared"}} {
		knowing := object.union(_facts(_wish), {"own": {"wait": {"range": said}}})
		{r.code | some r in _results("production", _mean([]), knowing)} == codes
	}
}

test_an_undefined_check_is_unknown_and_an_unrequired_one_is_nothing if {
	defined := _facts(_wish)
	{r.code | some r in _results("production", {}, object.union(defined, {"required": []}))} == set()
	others := {key: value | some key, value in defined; key != "own"}
	{r.code | some r in _results("production", {}, others)} == {"check.unknown"}
	other := object.union(t.facts, {"required": [{"check": "own.weight"}], "own": defined.own})
	answer := main.decision with input as t.production
		with data.models.m as other
		with data.trust as t.trust
	{r.code | some r in answer.results; r.check == "own.weight"} == {"check.unknown"}
}

test_the_definition_of_another_model_is_none_of_ours if {
	answer := main.decision with input as t.production
		with data.models.m as object.union(t.facts, {"required": _wish})
		with data.models.other as _facts([])
		with data.trust as t.trust
	{r.code | some r in answer.results; r.check == "own.wait"} == {"check.unknown"}
}

test_without_a_limit_here_and_of_another_subject if {
	_lacking := object.union(t.facts, {"required": _wish, "own": {"wait": {"sense": "at_most"}}})
	{r.code | some r in _results("production", {}, _lacking)} == {"limit.missing"}
	pair := object.union(t.facts, {"required": _wish, "own": {"wait": {"sense": "at_most", "subject": "pair", "limits": _limits}}})
	{r.code | some r in _results("production", {}, pair)} == {"check.missing"}
	{r.code | some r in _results("production", {"subject": "pair"}, pair)} == {"own.wait.passed"}
}

test_the_plan_asks_for_it if {
	planned := main.plan with input as t.asked with data.models.m as _facts(_wish)
	{r.environment | some r in planned.requirements; r.check == "own.wait"} == {"development", "staging", "production"}
}

test_an_override_cannot_accept_by_point if {
	override := {"own.wait": {"high": {"limit": 0.1, "inclusive": true, "point": true}}}
	answer := main.decision with input as t.production
		with input.evidence as _wait(_bare(0.05))
		with data.models.m as _facts(_wish)
		with data.overrides.production.limits as override
		with data.trust as t.trust
	codes := {r.code | some r in answer.results; r.disposition == "denies"}
	{"override.loosened", "own.wait.inconclusive"} & codes == {"override.loosened", "own.wait.inconclusive"}
}
