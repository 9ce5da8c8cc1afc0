package gates.lib.judge_test

import data.gates.lib.judge
import data.gates.testing as t

_decide(evidence) := found if {
	found := t.decision with input as t.production
		with input.evidence as evidence
		with data.models.m as t.facts
		with data.trust as t.trust
}

_codes(answer, disposition) := {r.code | some r in answer.results; r.disposition == disposition}

_undecided := {"bounds": t.bounds(0.015, 0.03), "estimate": 0.019}

_ece(change) := t.changed("calibration.ece", t.whole, change)

_slice_ece(change) := t.changed("calibration.ece", t.slice("OO"), change)

test_results_are_references if {
	answer := _decide(t.evidence(t.figures))
	wanted := {
		"check": "data.out_of_range",
		"subject": "data",
		"slice": t.whole,
		"item": {"kind": "feature", "name": "wind"},
		"rule": "at_most",
		"verdict": "pass",
		"disposition": "satisfied",
		"code": "data.out_of_range.passed",
		"limit": "thresholds/production/limits/data.out_of_range/high",
	}
	wanted in answer.results
}

test_undecided_needs_proof_at_tier_high_in_production if {
	answer := _decide(_ece(_undecided))
	answer.allow == false
	answer.basis == "none"
	answer.valid_until_us == t.now
	_codes(answer, "denies") == {"calibration.ece.inconclusive"}
}

test_undecided_is_provisional_in_staging if {
	answer := t.decision with input as t.production
		with input.request.environment as "staging"
		with input.evidence as _ece(_undecided)
		with data.models.m as t.facts
		with data.trust as t.trust
	answer.allow == true
	answer.basis == "provisional"
	answer.valid_until_us == 1792592000000000
	_codes(answer, "accepted") == {"calibration.ece.provisional"}
}

test_the_bounded_rule_has_an_end if {
	t.denied == {"calibration.ece.inconclusive"} with input as t.production
		with input.request.environment as "staging"
		with input.evidence as _ece({"bounds": t.bounds(0.015, 0.05), "estimate": 0.019})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_development_accepts_what_is_undecided if {
	t.accepted == {"calibration.ece.provisional"} with input as t.development
		with input.evidence as _ece({"bounds": t.bounds(0, "unbounded"), "estimate": 0.9})
		with data.models.m as t.facts
}

test_what_is_accepted_without_proof_is_provisional if {
	judge.provisional with input as t.development
		with input.evidence as _ece({"bounds": t.bounds(0, "unbounded"), "estimate": 0.9})
		with data.models.m as t.facts
	not judge.provisional with input as t.development with data.models.m as t.facts
}

test_what_is_provisional_in_development_holds_as_long_as_what_is_proven if {
	answer := t.decision with input as t.development
		with input.evidence as _ece({"bounds": t.bounds(0, "unbounded"), "estimate": 0.9})
		with data.models.m as t.facts
	answer.basis == "provisional"
	answer.valid_until_us == 1797776000000000
}

test_medium_tier_accepts_in_production if {
	facts := object.union(t.facts, {"tier": "medium"})
	t.accepted == {"calibration.ece.provisional"} with input as t.production
		with input.evidence as _ece(_undecided)
		with input.plan.body.tier as "medium"
		with input.last.plan.body.tier as "medium"
		with data.models.m as facts
		with data.trust as t.trust
	t.denied == set() with input as t.production
		with input.evidence as _ece(_undecided)
		with input.plan.body.tier as "medium"
		with input.last.plan.body.tier as "medium"
		with data.models.m as facts
		with data.trust as t.trust
}

test_no_harm if {
	undecided := _decide(_slice_ece({"bounds": t.bounds(0, "unbounded")}))
	undecided.allow == true
	undecided.basis == "proven"
	_codes(undecided, "tolerated") == {"calibration.ece.inconclusive"}
	_codes(_decide(_slice_ece({"bounds": t.bounds(0.03, 0.1)})), "denies") == {"calibration.ece"}
}

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
		with data.gates.lib.asked.requirements as _of_rest | {object.union(_prove("calibration.ece", slice), {"role": role}) | some slice in named}
}

_of_rest := {_prove(check, {"kind": "rest"}) | some check in {"calibration.ece", "regression.brier_vs_champion"}}

_prove(check, slice) := {"environment": "production", "check": check, "role": "prove", "slice": slice}

test_small_slices_are_tolerated_and_nothing_else if {
	_codes(_decide(_slice_ece(t.unmeasured("few_clusters"))), "tolerated") == {"unmeasured.few_clusters"}
	_decide(_slice_ece(t.unmeasured("one_class"))).allow == true
	_codes(_decide(_slice_ece(t.unmeasured("nan_scores"))), "denies") == {"unmeasured.nan_scores"}
	_codes(_decide(_ece(t.unmeasured("few_clusters"))), "denies") == {"unmeasured.few_clusters"}
}

test_every_reason_has_a_code if {
	every reason, _ in judge.unmeasured {
		_of("prove", _alone(t.unmeasured(reason))) == {["error", "denies", concat(".", ["unmeasured", reason])]}
	}
	count(judge.unmeasured) == 23
}

test_missing if {
	answer := _decide(t.without("calibration.ece", t.whole))
	answer.missing == {{"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.whole}}
	_codes(answer, "denies") == {"check.missing"}
	slice := _decide(t.without("calibration.ece", t.slice("OO")))
	slice.missing == {{
		"environment": "production",
		"check": "calibration.ece",
		"role": "no-harm",
		"slice": t.slice("OO"),
	}}
}

test_a_column_without_any_slice if {
	answer := _decide(t.evidence([f | some f in t.figures; f.slice.kind == "whole"]))
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
	decision := _decide(_without_bin("decision"))
	_codes(decision, "denies") == {"check.incomplete", "check.missing"}
	{result.item | some result in decision.results; result.code == "check.missing"} == {{"kind": "bin", "name": "decision"}}
	{requirement.check | some requirement in decision.missing} == {"calibration.bin"}
	_codes(_decide(_without_bin("1")), "denies") == {"check.incomplete"}
	_codes(_decide(t.evidence([f | some f in t.figures; f.check != "calibration.bin"])), "denies") == {"check.missing"}
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
		with data.gates.lib.asked.requirements as {_prove("calibration.under_coverage", t.whole), _prove("calibration.under_coverage", t.slice("UA"))}
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
	_codes(_decide(t.evidence([f | some part in [all, [reason]]; some f in part])), "denies") == {"unmeasured.one_class"}
	of_bin := object.union(reason, {"item": {"kind": "bin", "name": "1"}, "items": 1})
	both := {"unmeasured.one_class", "check.missing"}
	_codes(_decide(t.evidence([f | some part in [all, [of_bin]]; some f in part])), "denies") == both
}

test_a_family_is_as_large_as_what_is_judged if {
	_codes(_decide(_ece_family(3)), "denies") == set()
	_codes(_decide(_ece_family(2)), "denies") == {"family.too_small"}
	_codes(_decide(_ece_family(12)), "denies") == set()
	_codes(_decide(_ece_family(13)), "denies") == {"family.padded"}
	unasked := {"kind": "value", "column": "origin", "value": "JFK"}
	_codes(_decide(_and_ece(_ece_family(3), unasked, 3)), "denies") == set()
	_codes(_decide(_and_ece(_ece_family(2), unasked, 2)), "denies") == {"family.too_small"}
	_codes(_decide(_and_ece(_ece_family(13), unasked, 13)), "denies") == set()
	unnamed := t.evidence([after | some f in t.figures; after := _if_ece(f, {"family": "none"})])
	_codes(_decide(unnamed), "denies") == {"family.too_large"}
}

test_each_class_may_be_looked_at if {
	answer := t.decision with input as t.production
		with input.plan.body.columns.classes as ["a", "b"]
		with input.evidence as _ece_family(24)
		with data.models.m as t.facts
		with data.trust as t.trust
	not "family.padded" in _codes(answer, "denies")
}

test_a_census_needs_no_correction if {
	found := t.evidence([after | some f in t.figures; after := _if_ece(f, {"scope": "census", "family": {"name": "f", "size": 1}})])
	_codes(_decide(found), "denies") == set()
}

_ece_family(size) := t.evidence([after |
	some f in t.figures
	after := _if_ece(f, {"family": {"name": "calibration.ece", "size": size}})
])

_and_ece(evidence, slice, size) := t.evidence([f | some part in [evidence[0].measurements, [more]]; some f in part]) if {
	whole := t.figure("calibration.ece", "candidate", 0, 0.01)
	more := t.at(whole, {"slice": slice, "family": {"name": "calibration.ece", "size": size}})
}

_if_ece(figure, change) := object.union(figure, change) if {
	figure.check == "calibration.ece"
} else := figure

test_what_is_shown_twice_is_said_once if {
	once := _decide(t.evidence([f | some f in t.figures]))
	twice := _decide(t.evidence([f | some _ in [1, 2]; some f in t.figures]))
	count(twice.results) == count(once.results)
	twice.allow == true
}

test_another_subject_does_not_answer if {
	_codes(_decide(_ece({"subject": "champion"})), "denies") == {"check.missing"}
}

test_no_evidence if {
	_codes(_decide([]), "denies") == {"check.missing"}
}

test_looks_and_families_end if {
	t.denied == {"looks.exhausted"} with input as t.production
		with input.ledger.looks as 225
		with data.models.m as t.facts
		with data.trust as t.trust
	_codes(_decide(_ece({"family": {"size": 50001}})), "denies") == {"family.too_large"}
	_codes(_decide(_ece({"bounds": t.bounds(0.03, 0.01)})), "denies") == {"bounds.invalid"}
}

test_an_unknown_look_is_no_first_look if {
	t.denied == {"looks.exhausted"} with input as t.production
		with input.ledger as {k: v | some k, v in t.production.ledger; k != "looks"}
		with data.models.m as t.facts
		with data.trust as t.trust
}

_with_extra(extra) := found if {
	found := t.decision with input as t.production
		with input.plan.body.requirements as [r | some r in ({r | some r in t.plan.requirements} | {extra})]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_a_plan_can_only_add if {
	unknown := {"environment": "production", "check": "fairness.parity", "role": "prove", "slice": t.whole}
	_codes(_with_extra(unknown), "denies") == {"check.unknown"}
	elsewhere := {"environment": "staging", "check": "fairness.parity", "role": "prove", "slice": t.whole}
	_with_extra(elsewhere).allow == true
	named := {"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.slice("OO")}
	_with_extra(named).allow == true
	column := {"environment": "production", "check": "fairness.parity", "role": "no-harm", "each": "carrier"}
	_codes(_with_extra(column), "denies") == {"check.unknown"}
}

test_proof_goes_before_no_harm if {
	named := {"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.slice("OO")}
	answer := t.decision with input as t.production
		with input.plan.body.requirements as [r | some r in ({r | some r in t.plan.requirements} | {named})]
		with input.evidence as _slice_ece({"bounds": t.bounds(0, "unbounded")})
		with data.models.m as t.facts
		with data.trust as t.trust
	_codes(answer, "denies") == {"calibration.ece.inconclusive"}
}

_rows(change) := _codes(_decide(t.changed("data.rows", t.whole, change)), "denies")

test_a_figure_says_its_unit if {
	_rows({"unit": ""}) == {"unit.missing"}
	_rows({"unit": null}) == {"unit.missing"}
	_rows({"unit": "rows"}) == set()
}

test_a_limit_in_another_unit_is_none if {
	said := {"data.rows": {"high": {"limit": 1, "inclusive": true, "unit": "rows"}}}
	answer := _decide(t.changed("data.rows", t.whole, {"unit": "rows"})) with data.thresholds.production.limits as said
	not "unit.mismatch" in _codes(answer, "denies")
	other := _decide(t.changed("data.rows", t.whole, {"unit": "hours"})) with data.thresholds.production.limits as said
	"unit.mismatch" in _codes(other, "denies")
}

_missing(thresholds) := {r.code |
	some r in answer.results
	r.check == "data.rows"
} if {
	answer := _decide(t.evidence(t.figures)) with data.thresholds as thresholds
}

test_each_limit_that_is_missing_has_its_code if {
	_missing({}) == {"limit.environment"}
	_missing({"production": {"limits": {}}}) == {"limit.missing"}
	_missing({"production": {"limits": {"data.rows": {"low": {"limit": 1, "inclusive": true}}}}}) == {"limit.tier"}
}

test_a_figure_against_a_champion_whom_nobody_names if {
	without := {key: value | some key, value in t.production.request; key != "champion"}
	"champion.missing" in t.denied with input as t.production
		with input.request as without
		with data.models.m as t.facts
		with data.trust as t.trust
}

# What is said of figures alone, where they are all that is required: cheaper than a whole decision.
_of(role, figure) := _judged(t.production, role, figure)

_judged(document, role, figure) := {[r.verdict, r.disposition, r.code] |
	some r in found
} if {
	found := judge.results with input as document
		with input.evidence as t.evidence([figure])
		with data.gates.lib.asked.requirements as {{
			"environment": "production",
			"check": figure.check,
			"role": role,
			"slice": figure.slice,
		}}
		with data.models.m as t.facts
}

_alone(change) := t.at(t.figure("calibration.ece", "candidate", 0, 0.019), change)

test_what_is_measured_is_judged_even_where_it_has_a_reason if {
	_of("prove", _alone({"reason": "nan_scores"})) == {["pass", "satisfied", "calibration.ece.passed"]}
}

_whatever(_) := {"w"}

test_only_a_figure_that_denies_is_waived if {
	undecided := _alone(_undecided)
	_of("prove", undecided) == {["inconclusive", "waived", "calibration.ece.inconclusive"]}
		with data.gates.lib.accepted.covering as _whatever
	_of("no-harm", undecided) == {["inconclusive", "tolerated", "calibration.ece.inconclusive"]}
		with data.gates.lib.accepted.covering as _whatever
	_of("prove", _alone({"bounds": t.bounds(0.03, 0.01)})) == {["error", "denies", "bounds.invalid"]}
		with data.gates.lib.accepted.covering as _whatever
	_of("prove", _alone(t.unmeasured("nan_scores"))) == {["error", "denies", "unmeasured.nan_scores"]}
		with data.gates.lib.accepted.covering as _whatever
}

test_too_small_a_part_is_tolerated_where_it_need_not_be_proven if {
	few := t.unmeasured("few_clusters")
	group := {"item": {"kind": "group", "name": "a"}}
	rest := {"slice": {"kind": "rest"}}
	tolerated := {["inconclusive", "tolerated", "unmeasured.few_clusters"]}
	_of("no-harm", _alone(few)) == {["error", "denies", "unmeasured.few_clusters"]}
	_of("no-harm", _alone(object.union(few, {"slice": t.slice("OO")}))) == tolerated
	_of("prove", _alone(object.union(few, {"slice": t.slice("OO")}))) == {["error", "denies", "unmeasured.few_clusters"]}
	_of("no-harm", _alone(object.union(few, group))) == tolerated
	_of("prove", _alone(object.union(few, group))) == {["inconclusive", "denies", "unmeasured.few_clusters"]}
	_of("prove", _alone(object.union(t.unmeasured("nan_scores"), group))) == {["error", "denies", "unmeasured.nan_scores"]}
	_of("no-harm", _alone(object.union(t.unmeasured("nan_scores"), group))) == {["error", "denies", "unmeasured.nan_scores"]}
	_of("prove", _alone(object.union(t.unmeasured("no_rest"), rest))) == {["error", "denies", "unmeasured.no_rest"]}
	_of("prove", _alone(t.unmeasured("no_rest"))) == {["error", "denies", "unmeasured.no_rest"]}
}

test_a_decision_region_without_rows_is_nothing_to_prove if {
	none := t.unmeasured("no_decisions")
	region := {"item": {"kind": "bin", "name": "decision"}}
	_of("prove", _alone(object.union(none, region))) == {["inconclusive", "tolerated", "unmeasured.no_decisions"]}
	_of("prove", _alone(object.union(t.unmeasured("empty_table"), region))) == {["error", "denies", "unmeasured.empty_table"]}
	_of("prove", _alone(object.union(none, {"item": {"kind": "bin", "name": "10"}}))) == {["error", "denies", "unmeasured.no_decisions"]}
	_of("prove", _alone(none)) == {["error", "denies", "unmeasured.no_decisions"]}
}

test_a_feature_is_not_answered_by_something_else_of_its_name if {
	other := t.at(t.figure("parity.mismatch", "data", 0.001, 0.001), {"item": {"kind": "group", "name": "wind"}})
	["error", "denies", "check.missing"] in _of("prove", other)
	_of("prove", t.at(other, {"item": {"kind": "feature", "name": "wind"}})) == {["pass", "satisfied", "parity.mismatch.passed"]}
}

test_only_a_figure_against_a_champion_needs_one if {
	_judged(t.first, "prove", _alone({})) == {["pass", "satisfied", "calibration.ece.passed"]}
	against := t.figure("regression.auc_vs_champion", "pair", -0.01, 0.01)
	_judged(t.first, "prove", against) == {["error", "denies", "champion.missing"]}
}

test_what_is_bad_and_advice_is_told if {
	telling := t.figure("data.single_feature_auc", "data", 0.995, 0.999)
	{[verdict, disposition] | some [verdict, disposition, _] in _of("prove", telling)} == {["fail", "tolerated"]}
}

test_an_undecided_figure_is_accepted_by_its_point_only_where_its_limit_says_so if {
	bare := _alone({"estimate": 0.01, "bounds": t.bounds("unbounded", "unbounded")})
	limit := {"limit": 0.02, "inclusive": true}
	_of("prove", bare) == {["inconclusive", "accepted", "calibration.ece.point"]}
		with data.thresholds.production.limits as {"calibration.ece": {"high": object.union(limit, {"point": true})}}
	_of("prove", bare) == {["inconclusive", "denies", "calibration.ece.inconclusive"]}
		with data.thresholds.production.limits as {"calibration.ece": {"high": limit}}
	_of("prove", _alone({"estimate": 0.01, "bounds": t.bounds(0.01, 0.03)})) == {["inconclusive", "denies", "calibration.ece.inconclusive"]}
		with data.thresholds.production.limits as {"calibration.ece": {"high": object.union(limit, {"point": true})}}
}

_beside(params) := {[verdict, disposition] | some [verdict, disposition, _] in found} if {
	slow := t.figure("regression.latency_vs_champion", "pair", 1.3, 1.5)
	found := _of("prove", t.at(slow, {"item": {"kind": "metric", "name": "p95"}, "params": params}))
}

test_a_figure_is_advice_where_the_parameter_that_the_check_names_says_so if {
	_beside([]) == {["fail", "denies"]}
	_beside([{"name": "warmed", "value": true}]) == {["fail", "denies"]}
	_beside([{"name": "shared_runner", "value": false}]) == {["fail", "denies"]}
	_beside([{"name": "shared_runner", "value": true}]) == {["fail", "tolerated"]}
}

_both_coverages(figures) := {[result.check, result.code] | some result in results; result.disposition != "satisfied"} if {
	results := judge.results with input as t.production
		with input.evidence as t.evidence(figures)
		with data.models.m as t.facts
		with data.gates.lib.asked.requirements as {_prove("calibration.under_coverage", t.whole), _prove("calibration.over_coverage", t.whole)}
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
}

test_only_slices_that_are_proven_leave_no_rest if {
	named := [t.slice("UA"), t.slice("OO")]
	_rest_of("no_rest", named, "no-harm") == {"denies"}
	_rest_of("no_rest", named, "prove") == {"tolerated"}
}

test_a_rest_is_no_bin_and_a_bin_no_rest if {
	region := {"item": {"kind": "bin", "name": "decision"}}
	_of("prove", _alone(object.union(t.unmeasured("no_rest"), region))) == {["error", "denies", "unmeasured.no_rest"]}
}

test_no_class_is_not_none if {
	answer := t.decision with input as t.production
		with input.plan.body.columns.classes as []
		with input.evidence as _ece_family(12)
		with data.models.m as t.facts
		with data.trust as t.trust
	not "family.padded" in _codes(answer, "denies")
}

test_what_was_not_measured_is_no_claim_of_its_family if {
	few := t.unmeasured("few_clusters")
	unmeasured := [after | some f in _ece_family(2)[0].measurements; after := _if_ece_of(f, "OO", few)]
	_codes(_decide(t.evidence(unmeasured)), "denies") == set()
	_codes(_decide(_ece_family(2)), "denies") == {"family.too_small"}
}

_if_ece_of(figure, value, change) := _if_ece(figure, change) if {
	figure.slice.value == value
} else := figure

test_the_whole_is_no_rest if {
	named := [t.at(_alone({}), {"slice": t.slice(value), "share_ppm": 500000}) | some value in ["UA", "OO"]]
	proven := {_prove("calibration.ece", slice) | some slice in [t.whole, t.slice("UA"), t.slice("OO")]}
	results := judge.results with input as t.production
		with input.evidence as t.evidence([f | some part in [named, [_alone(t.unmeasured("no_rest"))]]; some f in part])
		with data.models.m as t.facts
		with data.gates.lib.asked.requirements as proven
	{[r.code, r.disposition] | some r in results; r.slice == t.whole} == {["unmeasured.no_rest", "denies"]}
}

test_only_values_are_proven_by_name if {
	odd := {"kind": "rest", "column": "carrier", "value": "OO"}
	_rest_beside("no_rest", [t.slice("UA"), odd]) == {"denies"}
}
