package gates.lib.present_test

import data.gates.lib.judge
import data.gates.testing as t

test_missing if {
	answer := t.decided(t.without("calibration.ece", t.whole))
	answer.missing == {{"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.whole}}
	t.codes(answer, "denies") == {"check.missing"}
	slice := t.decided(t.without("calibration.ece", t.slice("OO")))
	slice.missing == {{
		"environment": "production",
		"check": "calibration.ece",
		"role": "no-harm",
		"slice": t.slice("OO"),
	}}
}

test_a_column_without_any_slice if {
	answer := t.decided(t.evidence([f | some f in t.figures; f.slice.kind == "whole"]))
	{[r.check, r.each] | some r in answer.missing} == {
		["calibration.ece", "carrier"],
		["calibration.under_coverage", "carrier"],
		["regression.auc_vs_champion", "carrier"],
		["regression.brier_vs_champion", "carrier"],
		["regression.log_loss_vs_champion", "carrier"],
	}
}

_without_bin(name) := t.evidence([f | some f in t.figures; not f.item.name == name])

test_a_bin_that_is_left_out if {
	decision := t.decided(_without_bin("decision"))
	t.codes(decision, "denies") == {"check.incomplete", "check.missing"}
	{result.item | some result in decision.results; result.code == "check.missing"} == {{"kind": "bin", "name": "decision"}}
	{requirement.check | some requirement in decision.missing} == {"calibration.bin"}
	t.codes(t.decided(_without_bin("1")), "denies") == {"check.incomplete"}
	t.codes(t.decided(t.evidence([f | some f in t.figures; f.check != "calibration.bin"])), "denies") == {"check.missing"}
}

_level(name, items) := t.at(
	t.figure("calibration.under_coverage", "candidate", -0.01, 0.02),
	{"item": {"kind": "level", "name": name}, "items": items},
)

_levels(figures) := {[result.check, result.slice, result.code] |
	some result in results
	result.disposition != "satisfied"
} if {
	results := judge.results with input as t.production
		with input.evidence as t.evidence(figures)
		with data.models.m as t.facts
		with data.gates.lib.asked.requirements as {t.to_prove("calibration.under_coverage", t.whole), t.to_prove("calibration.under_coverage", t.slice("UA"))}
}

_on_ua(figure) := t.at(figure, {"slice": t.slice("UA")})

test_as_many_items_as_each_figure_says if {
	two := [_level("0.8", 2), _level("0.9", 2), _on_ua(_level("0.9", 1))]
	left_out := {["calibration.under_coverage", t.whole, "check.incomplete"]}
	_levels(two) == set()
	_levels([f | some part in [two, two]; some f in part]) == set()
	every kept in [[two[0], two[2]], [two[1], two[2]]] {
		_levels(kept) == left_out
	}
	every copies in [[two[0], two[0], two[2]], [two[0], t.at(two[0], {"params": [{"name": "a", "value": 1}]}), two[2]]] {
		_levels(copies) == left_out
	}
	_levels([_level("0.8", 1), _level("0.9", 1), two[2]]) == set()
	_levels([_level("0.8", 2), _level("0.9", 3), two[2]]) == left_out
	_levels([_level("0.7", 1), two[0], two[1], two[2]]) == left_out
	_levels([_on_ua(two[0]), _level("0.9", 1), _on_ua(two[1])]) == set()
}

test_a_figure_says_of_how_many_items_it_is_one if {
	silent := [{key: value | some key, value in _level("0.8", 2); key != "items"}, _on_ua(_level("0.9", 1))]
	_levels(silent) == {["calibration.under_coverage", t.whole, "check.incomplete"]}
	whole := {key: value | some key, value in _level("0.8", 2); not key in {"item", "items"}}
	_levels([whole, _on_ua(_level("0.9", 1))]) == set()
	beside := object.union(whole, {"items": 2})
	_levels([beside, _level("0.8", 2), _on_ua(_level("0.9", 1))]) == set()
	_levels([beside, _on_ua(_level("0.9", 1))]) == {["calibration.under_coverage", t.whole, "check.incomplete"]}
}

test_a_reason_for_all_bins_names_none if {
	all := [f | some f in t.figures; f.check != "calibration.bin"]
	reason := object.union(t.unmeasured("one_class"), {
		"check": "calibration.bin",
		"subject": "candidate",
		"slice": t.whole,
		"params": [],
	})
	t.codes(t.decided(t.evidence([f | some part in [all, [reason]]; some f in part])), "denies") == {"unmeasured.one_class"}
	of_bin := object.union(reason, {"item": {"kind": "bin", "name": "1"}, "items": 1})
	both := {"unmeasured.one_class", "check.missing"}
	t.codes(t.decided(t.evidence([f | some part in [all, [of_bin]]; some f in part])), "denies") == both
}

test_no_evidence if {
	t.codes(t.decided([]), "denies") == {"check.missing"}
}

test_a_feature_is_not_answered_by_something_else_of_its_name if {
	other := t.at(t.figure("parity.mismatch", "data", 0.001, 0.001), {"item": {"kind": "group", "name": "wind"}})
	["error", "denies", "check.missing"] in t.judged_as("prove", other)
	t.judged_as("prove", t.at(other, {"item": {"kind": "feature", "name": "wind"}})) == {["pass", "satisfied", "parity.mismatch.passed"]}
}

_both_coverages(figures) := {[result.check, result.code] | some result in results; result.disposition != "satisfied"} if {
	results := judge.results with input as t.production
		with input.evidence as t.evidence(figures)
		with data.models.m as t.facts
		with data.gates.lib.asked.requirements as {t.to_prove("calibration.under_coverage", t.whole), t.to_prove("calibration.over_coverage", t.whole)}
}

_over(figure) := t.at(figure, {"check": "calibration.over_coverage", "estimate": 0, "bounds": t.bounds(-0.01, 0.01)})

test_another_check_or_slice_does_not_bring_its_items if {
	two := [_level("0.8", 2), _level("0.9", 2)]
	left_out := {["calibration.under_coverage", t.whole, "check.incomplete"]}
	_levels([two[0], _on_ua(two[0]), _on_ua(two[1])]) == left_out
	under := [code | some [check, code] in _both_coverages([two[0], _over(two[0]), _over(two[1])]); check == "calibration.under_coverage"]
	"check.incomplete" in under
	three := [_over(_level(name, 3)) | some name in ["0.7", "0.8", "0.9"]]
	not "check.incomplete" in {code | some [_, code] in _both_coverages([figure | some part in [two, three]; some figure in part])}
	unlike := [_level("0.8", 2), _level("0.9", 3)]
	incomplete := {check | some [check, "check.incomplete"] in _both_coverages([figure | some part in [unlike, three]; some figure in part])}
	incomplete == {"calibration.under_coverage"}
}
