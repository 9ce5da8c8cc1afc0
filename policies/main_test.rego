package gates.main_test

import data.gates.lib.required
import data.gates.main
import data.gates.testing as t

_planned(change) := found if {
	found := main.plan with input as object.union(t.asked, change) with data.models.m as t.facts
}

_checks(plan, environment) := {r.check | some r in plan.requirements; r.environment == environment}

test_the_floor_of_a_binary_model if {
	plan := _planned({"slices": ["origin"]})
	plan.tier == "high"
	plan.not_applicable == set()
	count(_checks(plan, "production")) == 23
	_checks(plan, "staging") == _checks(plan, "production")
	{r.each | some r in plan.requirements; r.each} == {"carrier", "origin"}
	{r.role | some r in plan.requirements; r.each} == {"no-harm"}
	{r.role | some r in plan.requirements; r.slice} == {"prove"}
}

_of_models(task) := {check |
	some check in _checks(_planned({"task": task}), "production")
	required.checks[check].subject != "data"
}

test_every_task_has_a_calibration_form_and_a_coverage_form if {
	_of_models("multiclass") == {
		"calibration.ece",
		"calibration.bin",
		"calibration.under_coverage",
		"calibration.over_coverage",
		"regression.log_loss_vs_champion",
		"regression.brier_vs_champion",
		"regression.log_loss_vs_anchor",
		"regression.brier_vs_anchor",
		"regression.brier_vs_baseline",
	}
	_of_models("numeric") == {
		"calibration.pit",
		"calibration.under_coverage",
		"calibration.over_coverage",
		"calibration.width_vs_baseline",
		"regression.mae_vs_champion",
		"regression.mae_vs_anchor",
		"regression.mae_vs_baseline",
	}
}

test_above_development_nothing_is_left_out if {
	bare := _planned({"roles": ["predictions"], "has_champion": false, "has_sets": false})
	_checks(bare, "production") == _checks(_planned({}), "production") | {"package.mismatch"}
	_checks(bare, "development") == {"calibration.ece", "calibration.bin", "regression.brier_vs_baseline"}
}

test_what_online_is_compared_with_without_pairs if {
	shift := {"shift.smd": {
		"tasks": {"binary"},
		"subject": "data",
		"sense": "within",
		"items": "any",
		"optional": true,
		"needs": {"online"},
		"when": {"online", "reference"},
	}}
	asked := [
		{"roles": ["offline", "online"]},
		{"roles": ["offline", "online"], "columns": []},
		{"roles": ["fingerprint", "online"]},
		{"roles": ["online"], "columns": []},
	]
	[count({"shift.smd"} & _checks(plan, "production")) |
		some change in asked
		plan := main.plan with input as object.union(t.asked, change) with data.gates.checks.shift.checks as shift
	] == [0, 1, 1, 0]
}

test_the_rest_of_named_slices if {
	named := object.union(t.facts, {"required": [
		{"check": "calibration.ece", "slice": t.slice("UA")},
		{"check": "calibration.under_coverage", "slice": t.slice("OO"), "role": "no-harm"},
	]})
	plan := main.plan with input as t.asked with data.models.m as named
	{r.check | some r in plan.requirements; r.slice.kind == "rest"; r.role == "prove"} == {
		"calibration.ece",
		"calibration.under_coverage",
		"regression.auc_vs_champion",
		"regression.log_loss_vs_champion",
		"regression.brier_vs_champion",
	}
	{r | some r in _planned({}).requirements; r.slice.kind == "rest"} == set()
}

test_a_built_in_plan_asks_what_the_file_can_answer if {
	request := {
		"environments": ["development"],
		"built_in": true,
		"roles": ["predictions"],
		"has_champion": true,
		"has_sets": false,
		"slices": ["region"],
	}
	plan := main.plan with input as object.union(t.asked, request)
	_checks(plan, "development") == {
		"calibration.ece",
		"calibration.bin",
		"regression.brier_vs_baseline",
		"regression.auc_vs_champion",
		"regression.log_loss_vs_champion",
		"regression.brier_vs_champion",
	}
	plan.tier == "high"
}

test_what_a_spec_brings_a_table_for_is_required_everywhere if {
	replay := {"replay.mismatch": {
		"tasks": {"binary"},
		"subject": "data",
		"sense": "at_most",
		"items": "none",
		"optional": true,
		"needs": {"online"},
		"when": {"online", "offline", "columns.time"},
	}}
	both := main.plan with input as object.union(t.asked, {"roles": ["online", "offline"], "columns": ["time"]})
		with data.gates.checks.replay.checks as replay
	one := main.plan with input as object.union(t.asked, {"roles": ["online"], "columns": ["time"]})
		with data.gates.checks.replay.checks as replay
	timeless := main.plan with input as object.union(t.asked, {"roles": ["online", "offline"]})
		with data.gates.checks.replay.checks as replay
	every environment in t.asked.environments {
		"replay.mismatch" in _checks(both, environment)
		not "replay.mismatch" in _checks(one, environment)
		not "replay.mismatch" in _checks(timeless, environment)
	}
}

test_what_a_contract_stands_for_is_required_everywhere if {
	contract := main.plan with input as object.union(t.asked, {"documents": ["contract"]})
	none := main.plan with input as t.asked
	every environment in t.asked.environments {
		"data.contract" in _checks(contract, environment)
		"data.contract_incomplete" in _checks(contract, environment)
		not "data.contract" in _checks(none, environment)
	}
}

test_parameters if {
	plan := main.plan with input as object.union(t.asked, {"cluster": "user", "slices": ["b", "a"]})
		with data.models.m as {"parameters": {"bins": 15}, "slices": ["a"]}
	plan.parameters.bins == 15
	plan.parameters.micro_bins == 1000
	plan.parameters.cluster == "user"
	plan.parameters.slices == {"a", "b"}
	named := main.plan with input as object.union(t.asked, {"cluster": "user"}) with data.models.m as {"cluster": "day"}
	named.parameters.cluster == "day"
	none := main.plan with input as t.asked with data.models.m as {}
	not none.parameters.cluster
}

_by(change, facts) := object.get(plan.parameters, "cluster_by", "row") if {
	plan := main.plan with input as object.union(t.asked, change) with data.models.m as facts
}

test_a_time_key_makes_clusters_of_days if {
	timed := {"columns": ["key", "time"]}
	_by(timed, {}) == "day"
	_by({}, {}) == "row"
	_by(object.union(timed, {"independent_rows": true}), {}) == "row"
	_by(object.union(timed, {"cluster": "user"}), {}) == "row"
	_by(timed, {"cluster": "user"}) == "row"
	_by(object.union(timed, {"built_in": true, "environments": ["development"]}), {}) == "row"
}

test_extra_checks if {
	plan := _planned({"extra": [
		{"check": "data.rows"},
		{"check": "fairness.gap", "each": "sex"},
		{"check": "fairness.gap", "slice": t.slice("UA"), "role": "no-harm"},
		{"check": "drift.psi", "environments": ["production"]},
	]})
	wanted := {
		{"environment": "staging", "check": "fairness.gap", "role": "no-harm", "each": "sex"},
		{"environment": "staging", "check": "fairness.gap", "role": "no-harm", "slice": t.slice("UA")},
		{"environment": "production", "check": "drift.psi", "role": "prove", "slice": t.whole},
	}
	count({r | some r in wanted; not plan.requirements[r]}) == 0
	not "drift.psi" in _checks(plan, "staging")
}

test_what_the_policy_owners_require_besides if {
	facts := object.union(t.facts, {"required": [{"check": "calibration.ece", "slice": t.slice("UA")}]})
	plan := main.plan with input as t.asked with data.models.m as facts
	plan.requirements[{"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.slice("UA")}]
}

_first := object.union(t.facts, {"first_release": true})

test_first_release if {
	plan := main.plan with input as object.union(t.asked, {"has_champion": false}) with data.models.m as _first
	gone := {name |
		some metric in ["auc", "log_loss", "brier"]
		some rival in ["champion", "anchor"]
		name := concat("", ["regression.", metric, "_vs_", rival])
	}
	_checks(plan, "production") & gone == set()
	{r.check | some r in plan.not_applicable; r.environment == "production"} == gone
	{r.environment | some r in plan.not_applicable} == {"staging", "production"}
}

test_a_champion_makes_it_no_first_release if {
	plan := main.plan with input as t.asked with data.models.m as _first
	plan.not_applicable == set()
}

test_first_release_is_decided_by_the_ledger if {
	answer := main.decision with input as t.first with input.approvals as [] with data.models.m as _first with data.trust as t.trust
	{r.code | some r in answer.results; r.disposition == "denies"} == {"approval.missing"}
	{r.check | some r in answer.required} & {"regression.auc_vs_champion"} == set()
	again := main.decision with input as t.production with data.models.m as _first with data.trust as t.trust
	"regression.auc_vs_champion" in {r.check | some r in again.required}
}

test_another_task_is_not_judged if {
	t.denied == {"task.unsupported"} with input as t.development
		with input.plan.body.task as "ranking"
		with input.plan.body.requirements as []
		with data.models.m as t.facts
	not main.allow with input as t.development
		with input.plan.body.task as "ranking"
		with input.plan.body.requirements as []
		with data.models.m as t.facts
}

test_an_unknown_model_has_tier_high if {
	plan := main.plan with input as object.union(t.asked, {"model": "nobody"})
	plan.tier == "high"
	odd := main.plan with input as t.asked with data.models.m as {"tier": "none"}
	odd.tier == "high"
}

test_rules_of_the_owners_can_only_add if {
	denies := {"check": "custom.cost", "rule": "release", "verdict": "fail", "disposition": "denies", "code": "custom.cost"}
	good := object.union(denies, {"disposition": "satisfied", "verdict": "pass"})
	noted := object.union(denies, {"disposition": "tolerated"})
	misspelt := object.union(denies, {"disposition": "Denies"})
	silent := {key: value | some key, value in denies; key != "disposition"}
	[_custom(results) | some results in [{denies}, {good}, {noted}, {denies, good}, {misspelt}, {silent}]] == [
		[false, {["custom.cost", "denies"]}],
		[true, set()],
		[true, {["custom.cost", "tolerated"]}],
		[false, {["custom.cost", "denies"]}],
		[false, {["custom.cost", "denies"]}],
		[false, {["custom.cost", "denies"]}],
	]
	every verdict in ["fail", "Pass"] {
		_custom({object.union(good, {"verdict": verdict})}) == [false, {["custom.cost", "denies"]}]
	}
	codeless := {key: value | some key, value in good; key != "code"}
	every result in [codeless, object.union(codeless, {"disposition": "tolerated"}), object.union(good, {"verdict": 1}), "custom.cost", {}] {
		_custom({result}) == [false, {["custom.invalid", "denies"]}]
	}
}

_custom(results) := [answer.allow, {[r.code, r.disposition] | some r in answer.results; r.check == "custom.cost"}] if {
	answer := main.decision with input as t.production
		with data.custom.cost.results as results
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_rules_of_the_owners_can_require if {
	wish := {"check": "data.rows", "each": "carrier", "environments": ["production"]}
	required_ := {"environment": "production", "check": "data.rows", "role": "no-harm", "each": "carrier"}
	plan := main.plan with input as t.asked with data.models.m as t.facts with data.custom.cost.required as {wish}
	plan.requirements[required_]
	answer := main.decision with input as t.production
		with data.custom.cost.required as {wish}
		with data.models.m as t.facts
		with data.trust as t.trust
	answer.required[required_]
	answer.allow == false
	not "custom.invalid" in {r.code | some r in answer.results}
	typo := main.decision with input as t.production
		with data.custom.cost.required as {{"chek": "data.rows"}}
		with data.models.m as t.facts
		with data.trust as t.trust
	{r.code | some r in typo.results; r.disposition == "denies"} == {"custom.invalid"}
}

test_a_requirement_names_environments_and_roles_that_there_are if {
	every said in [{}, {"environments": ["staging"]}, {"environments": ["staging", "production"], "role": "no-harm"}] {
		_wished(said) == set()
	}
	every said in [
		{"environments": ["stagin"]},
		{"environments": ["staging", "stagin"]},
		{"environments": "staging"},
		{"environments": []},
		{"environments": null},
		{"environments": [1]},
		{"role": "proof"},
	] {
		_wished(said) == {"custom.invalid"}
	}
}

_wished(said) := {result.code | some result in found} if {
	found := main._of_owners with input as t.production
		with data.custom.cost.required as {object.union({"check": "data.rows"}, said)}
}

_good(document) := found if {
	found := main.decision with input as document with data.models.m as t.facts with data.trust as t.trust
}

_ranking := object.union(t.production, {"plan": {"body": {"task": "ranking", "requirements": [{
	"environment": "production",
	"check": "data.rows",
	"role": "prove",
	"slice": t.whole,
}]}}})

# Each by itself, whatever the other rules say.
test_what_is_asked_of_nothing_or_answered_by_nothing_is_not_allowed if {
	_good(_ranking).allow == false with data.gates.release.subject.results as set()
	_good(t.production).allow == false with data.gates.lib.claims.all as []
	_good(t.production).allow == false with data.gates.lib.judge.results as []
	lacking := {"environment": "production", "check": "data.rows", "role": "prove", "slice": t.whole}
	_good(t.production).allow == false with data.gates.lib.present.missing as {lacking}
	_good(t.production).allow == true
	_good(t.production).bypasses == set()
}

test_what_is_denied_has_no_basis if {
	skipped := {key: value | some key, value in t.production.ledger; key != "rung_below"}
	hurried := object.union({key: value | some key, value in t.production; key != "ledger"}, {
		"ledger": skipped,
		"request": object.union(t.production.request, {"incident": "INC-7"}),
	})
	_good(hurried).basis == "hotfix"
	denied := _good(object.union(hurried, {"approvals": []}))
	denied.basis == "none"
	denied.valid_until_us == t.now
	undecided := t.changed("calibration.ece", t.whole, {"bounds": t.bounds(0.015, 0.03), "estimate": 0.019})
	staging := object.union(t.production, {
		"request": object.union(t.production.request, {"environment": "staging"}),
		"evidence": undecided,
	})
	_good(staging).basis == "provisional"
	_good(object.union(staging, {"policy": {"digest": "sha256:other"}})).basis == "none"
	observed := object.union(t.production, {
		"ledger": {"loosened": ["overrides/production/enforcement/all"]},
		"evidence": undecided,
	})
	_good(observed).basis == "unenforced" with data.overrides.production.enforcement as {"all": {"level": "observe"}}
	_good(object.union(observed, {"approvals": []})).basis == "none"
		with data.overrides.production.enforcement as {"all": {"level": "observe"}}
}

test_only_what_was_left_for_later_ends_with_the_hotfix if {
	served := object.union(t.production, {"ledger": {"hotfix_until_us": 1790000000000001}})
	_good(served).valid_until_us == 1797776000000000
}

test_what_a_rule_and_the_owners_both_say_is_said_once if {
	unapproved := object.union(t.production, {"approvals": []})
	said := {result | some result in _good(unapproved).results; result.code == "approval.missing"}
	count(said) == 1
	twice := _good(unapproved) with data.custom.cost.results as said
	count([result | some result in twice.results; result.code == "approval.missing"]) == 1
}

test_a_pass_of_the_owners_is_good_only_where_it_is_satisfied if {
	passed := {"check": "custom.cost", "rule": "release", "verdict": "pass", "code": "custom.cost"}
	_custom({object.union(passed, {"disposition": "satisfied"})}) == [true, set()]
	every said in [passed, object.union(passed, {"disposition": "denies"})] {
		_custom({said}) == [false, {["custom.cost", "denies"]}]
	}
}
