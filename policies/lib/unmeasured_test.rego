package gates.lib.unmeasured_test

import data.gates.lib.judge
import data.gates.lib.unmeasured
import data.gates.testing as t

test_an_empty_rest_is_tolerated_where_the_named_slices_hold_all_rows if {
	_rest("no_rest", {"UA", "OO"}) == {"tolerated"}
	_rest("no_rest", {"UA"}) == {"denies"}
	_rest("no_decisions", {"UA", "OO"}) == {"denies"}
}

test_shares_are_rounded_down if {
	found := {["calibration", "carrier", "UA", 499999], ["calibration", "carrier", "OO", 499999]}
	_rest("no_rest", {"UA", "OO"}) == {"tolerated", "denies"} with data.gates.lib.shares.said as found
	less := {["calibration", "carrier", "UA", 499999], ["calibration", "carrier", "OO", 499998]}
	_rest("no_rest", {"UA", "OO"}) == {"denies"} with data.gates.lib.shares.said as less
	_rest("no_rest", {"UA", "OO"}) == {"denies"} with data.gates.lib.shares.said as set()
}

test_values_of_two_columns_leave_a_rest if {
	other := {"kind": "value", "column": "origin", "value": "JFK"}
	found := {[gate, slice.column, slice.value, 500000] | some gate in ["calibration", "regression"]; some slice in [t.slice("UA"), other]}
	_rest_beside("no_rest", [t.slice("UA"), other]) == {"denies"} with data.gates.lib.shares.said as found
}

_rest(reason, names) := _rest_beside(reason, [t.slice(name) | some name in names])

_rest_beside(reason, named) := _rest_of(reason, named, "prove")

_rest_of(reason, named, role) := {r.disposition | some r in results; r.slice == rest} if {
	rest := {"kind": "rest"}
	unmeasured := {at |
		some figure in t.figures
		figure.slice == t.whole
		figure.check in {"calibration.ece", "regression.brier_vs_champion"}
		at := object.union(object.union(figure, t.unmeasured(reason)), {"slice": rest})
	}
	results := judge.results with input as t.production
		with input.evidence as t.evidence(t.array_of({figure | some figure in t.figures} | unmeasured))
		with data.trust as t.trust
		with data.gates.lib.asked.requirements as _of_rest | {object.union(t.to_prove("calibration.ece", slice), {"role": role}) | some slice in named}
}

_of_rest := {t.to_prove(check, {"kind": "rest"}) | some check in {"calibration.ece", "regression.brier_vs_champion"}}

test_small_slices_are_tolerated_and_nothing_else if {
	t.codes(t.decided(t.slice_ece(t.unmeasured("few_clusters"))), "tolerated") == {"unmeasured.few_clusters"}
	t.decided(t.slice_ece(t.unmeasured("one_class"))).allow == true
	t.codes(t.decided(t.slice_ece(t.unmeasured("nan_scores"))), "denies") == {"unmeasured.nan_scores"}
	t.codes(t.decided(t.ece(t.unmeasured("few_clusters"))), "denies") == {"unmeasured.few_clusters"}
}

test_every_reason_has_a_code if {
	every reason, _ in unmeasured.reasons {
		t.judged_as("prove", t.ece_alone(t.unmeasured(reason))) == {["error", "denies", concat(".", ["unmeasured", reason])]}
	}
	count(unmeasured.reasons) == 24
}

test_too_small_a_part_is_tolerated_where_it_need_not_be_proven if {
	few := t.unmeasured("few_clusters")
	group := {"item": {"kind": "group", "name": "a"}}
	rest := {"slice": {"kind": "rest"}}
	tolerated := {["inconclusive", "tolerated", "unmeasured.few_clusters"]}
	t.judged_as("no-harm", t.ece_alone(few)) == {["error", "denies", "unmeasured.few_clusters"]}
	t.judged_as("no-harm", t.ece_alone(object.union(few, {"slice": t.slice("OO")}))) == tolerated
	t.judged_as("prove", t.ece_alone(object.union(few, {"slice": t.slice("OO")}))) == {["error", "denies", "unmeasured.few_clusters"]}
	t.judged_as("no-harm", t.ece_alone(object.union(few, group))) == tolerated
	t.judged_as("prove", t.ece_alone(object.union(few, group))) == {["inconclusive", "denies", "unmeasured.few_clusters"]}
	t.judged_as("prove", t.ece_alone(object.union(t.unmeasured("nan_scores"), group))) == {["error", "denies", "unmeasured.nan_scores"]}
	t.judged_as("no-harm", t.ece_alone(object.union(t.unmeasured("nan_scores"), group))) == {["error", "denies", "unmeasured.nan_scores"]}
	t.judged_as("prove", t.ece_alone(object.union(t.unmeasured("no_rest"), rest))) == {["error", "denies", "unmeasured.no_rest"]}
	t.judged_as("prove", t.ece_alone(t.unmeasured("no_rest"))) == {["error", "denies", "unmeasured.no_rest"]}
}

test_a_decision_region_without_rows_is_nothing_to_prove if {
	none := t.unmeasured("no_decisions")
	region := {"item": {"kind": "bin", "name": "decision"}}
	t.judged_as("prove", t.ece_alone(object.union(none, region))) == {["inconclusive", "tolerated", "unmeasured.no_decisions"]}
	t.judged_as("prove", t.ece_alone(object.union(t.unmeasured("empty_table"), region))) == {["error", "denies", "unmeasured.empty_table"]}
	t.judged_as("prove", t.ece_alone(object.union(none, {"item": {"kind": "bin", "name": "10"}}))) == {["error", "denies", "unmeasured.no_decisions"]}
	t.judged_as("prove", t.ece_alone(none)) == {["error", "denies", "unmeasured.no_decisions"]}
}

test_only_slices_that_are_proven_leave_no_rest if {
	named := [t.slice("UA"), t.slice("OO")]
	_rest_of("no_rest", named, "no-harm") == {"denies"}
	_rest_of("no_rest", named, "prove") == {"tolerated"}
}

test_a_rest_is_no_bin_and_a_bin_no_rest if {
	region := {"item": {"kind": "bin", "name": "decision"}}
	t.judged_as("prove", t.ece_alone(object.union(t.unmeasured("no_rest"), region))) == {["error", "denies", "unmeasured.no_rest"]}
}

test_the_whole_is_no_rest if {
	named := [t.at(t.ece_alone({}), {"slice": t.slice(value), "share_ppm": 500000}) | some value in ["UA", "OO"]]
	proven := {t.to_prove("calibration.ece", slice) | some slice in [t.whole, t.slice("UA"), t.slice("OO")]}
	results := judge.results with input as t.production
		with input.evidence as t.evidence([f | some part in [named, [t.ece_alone(t.unmeasured("no_rest"))]]; some f in part])
		with data.models.m as t.facts
		with data.gates.lib.asked.requirements as proven
	{[r.code, r.disposition] | some r in results; r.slice == t.whole} == {["unmeasured.no_rest", "denies"]}
}

test_only_values_are_proven_by_name if {
	odd := {"kind": "rest", "column": "carrier", "value": "OO"}
	_rest_beside("no_rest", [t.slice("UA"), odd]) == {"denies"}
}
