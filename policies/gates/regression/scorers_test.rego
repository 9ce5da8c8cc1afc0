package gates.checks.regression_scorers_test

import data.gates.checks.regression
import data.gates.main
import data.gates.testing as t

_limits := {"production": {"limit": -0.02, "inclusive": true}}

_facts(scorer, environments) := object.union(t.facts, {
	"scorers": {scorer: {"limits": _limits}},
	"required": [{"check": concat("", ["regression.", scorer, "_vs_champion"]), "environments": environments}],
})

_said(scorer, environment, figures) := {[r.verdict, r.disposition, r.code, object.get(r, "limit", "")] |
	some r in answer.results
	r.check == concat("", ["regression.", scorer, "_vs_champion"])
} if {
	answer := main.decision with input as t.production
		with input.request.environment as environment
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | figures))
		with data.models.m as _facts(scorer, [environment])
		with data.trust as t.trust
}

_at := "models/m/scorers/jaccard/limits/production"

_seen(lower, upper) := {t.figure("regression.jaccard_vs_champion", "pair", lower, upper)}

test_a_scorer_that_the_owners_name_is_judged_by_their_limit if {
	_said("jaccard", "production", _seen(-0.02, 0.01)) == {["pass", "satisfied", "regression.jaccard_vs_champion.passed", _at]}
	_said("jaccard", "production", _seen(-0.021, 0.01)) == {["inconclusive", "denies", "regression.jaccard_vs_champion.inconclusive", _at]}
	_said("jaccard", "production", _seen(-0.1, -0.03)) == {["fail", "denies", "regression.jaccard_vs_champion", _at]}
}

test_without_a_figure_or_a_limit_it_denies if {
	{code | some [_, "denies", code, _] in _said("jaccard", "production", set())} == {"check.missing"}
	missing := {object.union(f, t.unmeasured("one_class")) | some f in _seen(0, 0)}
	{code | some [_, "denies", code, _] in _said("jaccard", "production", missing)} == {"unmeasured.one_class"}
	{code | some [_, "denies", code, _] in _said("jaccard", "staging", _seen(0, 0))} == {"limit.missing"}
}

test_a_scorer_that_there_is_not_is_an_unknown_check if {
	every scorer in ["jacard", "neg_max_error", "accuracy"] {
		figure := t.figure(concat("", ["regression.", scorer, "_vs_champion"]), "pair", 0, 0)
		{code | some [_, "denies", code, _] in _said(scorer, "production", {figure})} == {"check.unknown"}
	}
}

test_what_we_ship_keeps_its_limits if {
	figure := t.figure("regression.f1_macro_vs_champion", "pair", -0.015, 0)
	{limit | some [_, "denies", _, limit] in _said("f1_macro", "production", {figure})} == {"thresholds/production/limits/regression.f1_macro_vs_champion/high"}
}

test_the_plan_asks_for_it if {
	planned := main.plan with input as t.asked with data.models.m as _facts("jaccard", ["production"])
	{r.environment | some r in planned.requirements; r.check == "regression.jaccard_vs_champion"} == {"production"}
}

test_of_another_model_it_is_none_of_ours if {
	found := regression.checks with input as {"model": "m"} with data.models as {"other": _facts("jaccard", ["production"])}
	not found["regression.jaccard_vs_champion"]
	own := regression.checks with input as {"model": "m"} with data.models as {"m": _facts("jaccard", ["production"])}
	own["regression.jaccard_vs_champion"].tasks == {"binary"}
	own["regression.auc_vs_champion"]
}
