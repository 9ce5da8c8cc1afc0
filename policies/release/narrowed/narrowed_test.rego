package gates.release.narrowed_test

import data.gates.release.narrowed
import data.gates.testing as t

# What was decided last: the same plan, but for a change.
_then(change) := {
	"decision_id": "sha256:last",
	"plan": {"digest": "sha256:then", "body": object.union(t.plan, change)},
}

_more(requirements) := _then({"requirements": [r | some rs in [t.plan.requirements, requirements]; some r in rs]})

_codes(last) := {result.code |
	found := narrowed.results with input as t.production
		with input.last as last
		with input.approvals as []
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
}

_names(last) := {result.item.name |
	found := narrowed.results with input as t.production
		with input.last as last
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
}

_extra(change) := object.union(
	{"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.slice("UA")},
	change,
)

test_the_same_again_is_no_less if {
	_codes(_then({})) == set()
	_codes(_more([_extra({"environment": "staging", "check": "calibration.slope"})])) == set()
}

test_a_model_that_is_scored_itself_needs_no_sample if {
	last := _more([_extra({"check": "package.mismatch", "slice": t.whole})])
	_codes(last) == set()
	found := narrowed.results with input as t.production
		with input.last as last
		with input.plan.body.tables as [{"role": role} | some role in ({role | some role in t.asked.roles} | {"predictions"})]
		with data.release.environments.production.hostile_model as false
		with data.models.m as t.facts
	{[result.code, result.check] | some result in found} == {["narrowed.check", "package.mismatch"]}
}

test_a_check_less if {
	_codes(_more([_extra({"check": "calibration.slope"})])) == {"narrowed.check"}
}

test_a_slice_less if {
	_codes(_more([_extra({})])) == {"narrowed.slice"}
	each := {"environment": "production", "check": "calibration.ece", "role": "no-harm", "each": "origin"}
	_codes(_more([each])) == {"narrowed.slice"}
	_names(_more([each])) == {"origin"}
	proven := object.union(each, {"each": "carrier", "role": "prove"})
	_codes(_more([proven])) == {"narrowed.slice"}
	whole := {"environment": "production", "check": "calibration.ece", "role": "no-harm", "slice": t.whole}
	_codes(_more([whole])) == set()
}

_tables(tables) := _then({"tables": [table | some these in [t.plan.tables, tables]; some table in these]})

test_a_table_less if {
	_names(_tables([{"role": "gold"}])) == {"gold"}
	_codes(_tables([{"role": "gold"}])) == {"narrowed.table"}
	_codes(_tables([{"role": "predictions"}])) == set()
	_names(_tables([{"role": "holdout", "contract": "c.yaml"}])) == {"contract of holdout"}
}

test_a_sample_in_place_of_all_rows if {
	now := [object.union(table, {"scope": "sample"}) | some table in t.plan.tables]
	found := narrowed.results with input as t.production
		with input.plan.body.tables as now
		with data.models.m as t.facts
		with data.trust as t.trust
	"all rows of holdout" in {result.item.name | some result in found}
}

_rule(change) := {"parity": {"features": [object.union({"feature": "wind"}, change)]}}

_with_rules(then, now) := {result.item.name |
	found := narrowed.results with input as t.production
		with input.last as _then(then)
		with input.plan.body as object.union(t.plan, now)
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
	result.code == "narrowed.tolerance"
}

test_a_looser_tolerance if {
	_with_rules(_rule({"absolute": 0.1}), {}) == {"wind"}
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": 0.1})) == set()
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": 0.05})) == set()
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": 0.10000000000000002})) == {"wind"}
	_with_rules(_rule({"ulp": 1}), _rule({"absolute": 0.1})) == {"wind"}
	_with_rules(_rule({"absolute": 0.1}), _rule({"feature": "rain", "absolute": 0.05})) == {"wind"}
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": null})) == {"wind"}
	_with_rules(_rule({"absolute": null}), {}) == set()
	_with_rules(_rule({"max_age_s": 60}), _rule({"max_age_s": "60"})) == {"wind"}
	_with_rules(_late(60), _late(60)) == set()
	_with_rules(_late(60), _late(61)) == {"lateness_s"}
	_with_rules(_late(60), {"backfill": {"partition": "day"}}) == {"lateness_s"}
	_with_rules(_late(60), _late(null)) == {"lateness_s"}
	_with_rules(_late(60), {}) == set()
}

test_a_way_more_to_be_near_is_wider if {
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": 0.1, "relative": 0.001})) == {"wind"}
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": 0.1, "ulp": 1})) == {"wind"}
	_with_rules(_rule({"absolute": 0.1}), _rule({"absolute": 0.1, "ulp": 0})) == set()
	_with_rules(_rule({"absolute": 0.1, "relative": 0.1}), _rule({"relative": 0.1})) == set()
	_with_rules(_rule({"max_age_s": 60}), _rule({"max_age_s": 60, "absolute": 0.1})) == set()
	_with_rules(_rule({"max_age_s": 60}), _rule({"max_age_s": 61})) == {"wind"}
}

test_texts_that_count_as_the_same if {
	_with_rules(_rule({"text": "exact"}), _rule({"text": "nfc"})) == {"wind"}
	_with_rules(_rule({"text": "exact"}), _rule({})) == {"wind"}
	_with_rules(_rule({"text": "nfc"}), _rule({"text": "nfc"})) == set()
	_with_rules(_rule({"text": "nfc"}), _rule({"text": "exact"})) == set()
	_with_rules(_rule({"text": "nfc"}), _rule({"feature": "rain", "text": "nfc"})) == {"wind"}
}

_late(most) := {"backfill": {"lateness_s": most}}

_rewrite(change) := {"backfill": object.union({"partition": "day", "zone": "UTC", "known": [], "written": []}, change)}

test_a_backfill_that_looks_at_less if {
	_with_rules(_rewrite({"known": ["seen", "read"]}), _rewrite({"known": ["read", "seen", "heard"]})) == set()
	_with_rules(_rewrite({"known": ["seen", "read"]}), _rewrite({"known": ["seen"]})) == {"known"}
	_with_rules(_rewrite({"known": ["seen"]}), {"backfill": {"partition": "day"}}) == {"known"}
	_with_rules(_rewrite({"known": ["seen"]}), {}) == set()
	_with_rules(_rewrite({"written": ["run"]}), _rewrite({})) == set()
	_with_rules(_rewrite({"written": ["run"]}), _rewrite({"written": ["run"]})) == set()
	_with_rules(_rewrite({}), _rewrite({"written": ["run"]})) == {"written"}
	_with_rules({"backfill": {"partition": "day"}}, _rewrite({"written": ["run"]})) == {"written"}
	_with_rules({}, _rewrite({"written": ["run"]})) == set()
	_keyed(_rewrite({}), _rewrite({})) == set()
	_keyed(_rewrite({}), _rewrite({"partition": "carrier"})) == {"partition of backfill"}
	_keyed(_rewrite({}), _rewrite({"zone": "Asia/Tokyo"})) == {"zone of backfill"}
	_keyed(_rewrite({}), {"backfill": {"partition": "day"}}) == {"zone of backfill"}
	_keyed(_rewrite({}), {}) == set()
}

_keyed(then, now) := {result.item.name |
	found := narrowed.results with input as t.production
		with input.last as _then(then)
		with input.plan.body as object.union(t.plan, now)
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
	result.code == "narrowed.key"
}

_aged(rule, written) := {"parity": {
	"written": written,
	"features": [object.union({"feature": "wind", "max_age_s": 60}, rule)],
}}

test_another_column_of_when_a_value_was_written if {
	_keyed(_aged({}, "at"), _aged({}, "at")) == set()
	_keyed(_aged({}, "at"), _aged({}, "later")) == {"written of wind"}
	_keyed(_aged({"written": "at"}, "at"), _aged({}, "at")) == set()
	_keyed(_aged({}, "at"), _aged({"written": "later"}, "at")) == {"written of wind"}
	_keyed(_aged({}, null), _aged({}, "later")) == {"written of wind"}
	_keyed(_aged({"max_age_s": null}, "at"), _aged({}, "later")) == set()
	owned := object.union(t.plan.parameters, {"parity_features": [{"feature": "rain", "max_age_s": 5}]})
	then := object.union(_aged({"max_age_s": null}, "at"), {"parameters": owned})
	_keyed(then, _aged({"max_age_s": null}, "later")) == {"written of rain"}
}

_store(change) := {"tables": [object.union(table, _if_holdout(table, {"feast": change})) | some table in t.plan.tables]}

test_a_feature_store_that_is_asked_otherwise if {
	asked := {"repo": "store", "time": "at", "created": true}
	_keyed(_store(asked), _store(asked)) == set()
	_keyed(_store(asked), _store(object.union(asked, {"time": "later"}))) == {"time of holdout"}
	_keyed(_store(asked), _store({"repo": "store", "created": true})) == {"time of holdout"}
	_keyed(_store(asked), _store(object.union(asked, {"created": false}))) == {"created of holdout"}
	_keyed(_store(object.union(asked, {"created": false})), _store(asked)) == set()
	_keyed(_store(asked), {"tables": t.plan.tables}) == set()
	"feast of holdout" in _names(_then(_store(asked)))
	"log of holdout" in _names(_tables([{"role": "holdout", "log": {"format": "databricks"}}]))
	"personal_data of holdout" in _names(_tables([{"role": "holdout", "personal_data": "found.json"}]))
}

test_another_key if {
	_names(_then({"columns": object.union(t.plan.columns, {"key": ["id", "day"]})})) == {"key"}
	_names(_then({"columns": object.union(t.plan.columns, {"label": "late"})})) == {"label"}
	_names(_then({"columns": object.union(t.plan.columns, {"groups": []})})) == set()
	_names(_then({"parameters": object.union(t.plan.parameters, {"cluster": "day"})})) == {"cluster"}
	_names(_then({"parameters": object.union(t.plan.parameters, {"cluster": "at", "cluster_by": "day"})})) == {"cluster"}
	same := narrowed.results with input as t.production
		with input.last as _then({"parameters": object.union(t.plan.parameters, {"cluster": "day"})})
		with input.plan.body.parameters.cluster as "day"
		with data.models.m as t.facts
		with data.trust as t.trust
	same == set()
	by_value := narrowed.results with input as t.production
		with input.last as _then({"parameters": object.union(t.plan.parameters, {"cluster": "at", "cluster_by": "day"})})
		with input.plan.body.parameters.cluster as "at"
		with data.models.m as t.facts
		with data.trust as t.trust
	{result.item.name | some result in by_value} == {"cluster"}
	found := narrowed.results with input as t.production
		with input.plan.body.independent_rows as true
		with data.models.m as t.facts
		with data.trust as t.trust
	{result.item.name | some result in found} == {"independent rows"}
	still := narrowed.results with input as t.production
		with input.last as _then({"independent_rows": true})
		with input.plan.body.independent_rows as true
		with data.models.m as t.facts
		with data.trust as t.trust
	still == set()
}

_with_columns(then, now) := {result.item.name |
	found := narrowed.results with input as t.production
		with input.last as _then({"columns": object.union(t.plan.columns, then)})
		with input.plan.body.columns as object.union(t.plan.columns, now)
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
	result.code == "narrowed.key"
}

test_rows_that_weigh_otherwise if {
	_with_columns({}, {"weight": "stay"}) == {"weight"}
	_with_columns({"weight": "stay"}, {}) == {"weight"}
	_with_columns({"weight": "stay"}, {"weight": "fare"}) == {"weight"}
	_with_columns({"weight": "stay"}, {"weight": "stay"}) == set()
	_with_columns({}, {"payoff": "fare"}) == {"payoff"}
	_with_columns({"payoff": "fare"}, {}) == {"payoff"}
}

test_a_weight_that_the_policy_owners_name_is_the_one_that_counts if {
	owned := object.union(t.plan.parameters, {"weight": "stay"})
	last := _then({"columns": object.union(t.plan.columns, {"weight": "fare"}), "parameters": owned})
	same := narrowed.results with input as t.production
		with input.last as last
		with input.plan.body.parameters as owned
		with data.models.m as t.facts
		with data.trust as t.trust
	same == set()
	_names(last) == {"weight"}
}

_level(level, column) := {"level": level, "column": column}

test_quantiles_and_intervals_that_are_others if {
	two := [_level(0.1, "a"), _level(0.9, "b")]
	every word in ["quantiles", "intervals"] {
		_with_columns({word: two}, {word: two}) == set()
		_with_columns({word: two}, {word: [two[0]]}) == {word}
		_with_columns({word: two}, {word: [_level(0.1, "c"), two[1]]}) == {word}
		_with_columns({word: two}, {word: [two[0], two[1], _level(0.5, "c")]}) == {word}
		_with_columns({word: two}, {}) == {word}
		_with_columns({word: []}, {word: two}) == set()
	}
}

test_classes_and_sets_that_are_others if {
	every word in ["classes", "set_columns"] {
		_with_columns({word: ["a", "b"]}, {word: ["a", "b"]}) == set()
		_with_columns({word: ["a", "b"]}, {word: ["b", "a"]}) == {word}
		_with_columns({word: ["a", "b"]}, {word: ["a", "b", "c"]}) == {word}
		_with_columns({word: ["a", "b"]}, {word: []}) == {word}
		_with_columns({word: []}, {word: ["a", "b"]}) == set()
	}
}

test_columns_of_predictions_that_are_others if {
	_with_columns({"score": "p"}, {"score": "p"}) == set()
	_with_columns({"score": "p"}, {"score": "q"}) == {"score"}
	_with_columns({"score": "p"}, {"score": ""}) == set()
	_with_columns({}, {"score": "q"}) == set()
	every word in ["champion_quantiles", "champion_intervals"] {
		_with_columns({word: [_level(0.1, "a")]}, {word: [_level(0.1, "b")]}) == {word}
		_with_columns({word: [_level(0.1, "a")]}, {word: []}) == set()
		_with_columns({word: []}, {word: [_level(0.1, "b")]}) == set()
	}
	every word in ["class_scores", "champion_class_scores", "champion_set_columns"] {
		_with_columns({word: ["a"]}, {word: ["b"]}) == {word}
	}
	_with_columns({"champion_score": "p"}, {"champion_score": "q"}) == {"champion_score"}
}

test_those_who_label_and_what_tells_who_somebody_is if {
	_with_columns({"annotator": "who"}, {"annotator": "team"}) == {"annotator"}
	_with_columns({"guideline": "rules"}, {"guideline": "version"}) == {"guideline"}
	_with_columns({"quasi_identifiers": ["age", "zip"]}, {"quasi_identifiers": ["age"]}) == {"quasi_identifiers"}
	_with_columns({"quasi_identifiers": ["age", "zip"]}, {"quasi_identifiers": ["zip", "sex", "age"]}) == set()
	_with_columns({"quasi_identifiers": ["age"]}, {}) == {"quasi_identifiers"}
}

_parameter(then, now) := _lost("narrowed.parameter", {"parameters": then}, {"parameters": now})

_lost(code, then, now) := {result.item.name |
	found := narrowed.results with input as t.production
		with input.last as _then({word: object.union(t.plan[word], said) | some word, said in then})
		with input.plan.body as object.union(t.plan, now)
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
	result.code == code
}

test_another_parameter if {
	_parameter({}, {}) == set()
	_parameter({"parity_tolerance": 0}, {}) == {"parity_tolerance"}
	_parameter({"parity_tolerance": 1}, {}) == set()
	_parameter({"bins": 20}, {}) == {"bins"}
	_parameter({"bins": 5}, {}) == set()
	_parameter({"operating_threshold": 0.2}, {}) == {"operating_threshold"}
	_parameter({"maturation_seconds": 60}, {}) == {"maturation_seconds"}
	_parameter({}, {"max_rows": 1000}) == {"max_rows"}
	_parameter({"parity_features": [{"feature": "wind", "absolute": 0}]}, {}) == {"parity_features"}
	_parameter({}, {"cluster": "day", "slices": ["origin"], "weight": "stay"}) == set()
}

test_another_task if {
	_lost("narrowed.parameter", {}, {"task": "numeric"}) == {"task"}
	_lost("narrowed.parameter", {}, {"task": t.plan.task}) == set()
}

test_a_feature_less if {
	then := {"columns": {"features": ["wind", "rain"]}}
	_lost("narrowed.feature", then, {}) == {"rain"}
	_lost("narrowed.feature", then, {"columns": {"features": ["rain", "wind", "snow"]}}) == set()
	without := {"columns": {word: said | some word, said in t.plan.columns; word != "features"}}
	bare := {word: said | some word, said in t.plan; word != "columns"}
	found := narrowed.results with input as t.production
		with input.last as _then({})
		with input.plan.body as object.union(bare, without)
		with data.models.m as t.facts
		with data.trust as t.trust
	"narrowed.feature" in {result.code | some result in found}
}

_values(slices) := {result.slice |
	found := narrowed.results with input as t.production
		with input.last as object.union(_then({}), {"slices": slices})
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
	result.code == "narrowed.value"
}

test_a_value_of_a_slice_less if {
	_values([t.slice("UA"), t.slice("OO")]) == set()
	_values([t.slice("UA"), t.slice("B6")]) == {t.slice("B6")}
	_values([{"kind": "value", "column": "origin", "value": "JFK"}]) == set()
}

test_another_tier if {
	low := object.union(t.facts, {"tier": "low"})
	found := narrowed.results with input as t.production with data.models.m as low with data.trust as t.trust
	"narrowed.tier" in {result.code | some result in found}
	raised := narrowed.results with input as t.production
		with input.last as _then({"tier": "low"})
		with data.models.m as t.facts
		with data.trust as t.trust
	raised == set()
}

_of(facts) := {result.code |
	found := narrowed.results with input as t.production
		with input.serving as {"target": "serving/production.json"}
		with data.models.m as object.union(t.facts, facts)
		with data.trust as t.trust
	some result in found
}

test_another_holdout_or_target if {
	_of({"holdouts": ["sha256:other", "sha256:holdout"]}) == set()
	_of({"holdouts": ["sha256:other"]}) == {"narrowed.holdout"}
	_of({"holdouts": []}) == set()
	_of({"target": "serving/production.json"}) == set()
	_of({"target": "elsewhere.json"}) == {"narrowed.target"}
}

test_no_holdout_is_none_that_is_named if {
	without := {word: value | some word, value in t.production.bundle; word != "holdout_digest"}
	found := narrowed.results with input as t.production
		with input.bundle as without
		with data.models.m as object.union(t.facts, {"holdouts": ["sha256:holdout"]})
		with data.trust as t.trust
	"narrowed.holdout" in {result.code | some result in found}
}

test_a_last_decision_that_nobody_can_compare_with if {
	_codes({"decision_id": "sha256:last"}) == {"narrowed.unknown"}
	_codes(object.union(_then({}), {"decision_id": "sha256:other"})) == {"narrowed.unknown"}
	without := {key: value | some key, value in t.production; key != "last"}
	found := narrowed.results with input as without with data.models.m as t.facts with data.trust as t.trust
	{result.code | some result in found} == {"narrowed.unknown"}
	below := narrowed.results with input as object.union(t.development, {"ledger": t.production.ledger})
		with data.models.m as t.facts
	below == set()
	never := {key: value | some key, value in t.production.ledger; key != "last_decision"}
	first := narrowed.results with input as object.union(
		{key: value | some key, value in without; key != "ledger"},
		{"ledger": never},
	)
		with data.models.m as t.facts
		with data.trust as t.trust
	first == set()
}

test_the_risk_role_approves_it if {
	less := _more([_extra({})])
	t.denied == {"narrowed.slice", "approval.missing"} with input as t.production
		with input.last as less
		with input.approvals as [t.approval("k2", "ml-owner")]
		with data.models.m as t.facts
		with data.trust as t.trust
	t.denied == set() with input as t.production
		with input.last as less
		with data.models.m as t.facts
		with data.trust as t.trust
	t.noted == {"narrowed.slice"} with input as t.production
		with input.last as less
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_in_staging_too if {
	less := _more([_extra({"environment": "staging"})])
	t.denied == {"narrowed.slice", "approval.missing"} with input as t.production
		with input.request.environment as "staging"
		with input.last as less
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_development_does_not_ask if {
	found := narrowed.results with input as t.development
		with input.last as _more([_extra({"environment": "development", "check": "calibration.slope"})])
		with data.models.m as t.facts
	found == set()
}

_one_said(change) := [object.union(table, _if_holdout(table, change)) | some table in t.plan.tables]

_if_holdout(table, change) := change if {
	table.role == "holdout"
} else := {}

test_what_one_table_said_and_still_says_is_no_less if {
	every change in [{"contract": "c.yaml"}, {"scope": "sample"}] {
		found := narrowed.results with input as t.production
			with input.last as _then({"tables": _one_said(change)})
			with input.plan.body.tables as _one_said(change)
			with data.models.m as t.facts
			with data.trust as t.trust
		found == set()
	}
}

_wind(rule) := {"parity": {"features": [object.union({"feature": "wind"}, rule)]}}

test_how_old_a_value_may_be_is_said_of_its_own_feature_and_in_seconds if {
	of_rain := {"parity": {"features": [{"feature": "wind", "text": "exact"}, {"feature": "rain", "max_age_s": 5}]}}
	_with_rules(_wind({"max_age_s": 60}), of_rain) == {"wind"}
	_with_rules(_wind({"max_age_s": 60}), _wind({"max_age_s": null})) == {"wind"}
}

test_a_tolerance_that_is_no_number_is_none if {
	_with_rules(_wind({"absolute": 1, "relative": null}), _wind({"absolute": 1, "relative": 0})) == set()
}

test_when_a_value_was_written_is_said_of_its_own_feature_and_by_a_name if {
	owned := object.union(t.plan.parameters, {"parity_features": [{"feature": "rain", "absolute": 0}]})
	then := object.union(_aged({"max_age_s": null}, "at"), {"parameters": owned})
	_keyed(then, _aged({"max_age_s": null}, "later")) == set()
	_keyed(_beside_rain("at"), _beside_rain("later")) == set()
	_keyed(_aged({"written": null}, "at"), _aged({}, "at")) == set()
	_keyed(_aged({}, null), _wind({"max_age_s": 60})) == set()
}

_beside_rain(written) := {"parity": {"written": "at", "features": [
	{"feature": "wind", "max_age_s": 60},
	{"feature": "rain", "absolute": 0, "written": written},
]}}

test_each_table_is_asked_of_the_store_as_before if {
	two := {"tables": [
		{"role": "holdout", "feast": {"time": "at", "created": false}},
		{"role": "online", "feast": {"time": "later", "created": false}},
	]}
	_keyed(two, two) == set()
}

test_a_parameter_is_no_column if {
	of_payoff := {"parameters": object.union(t.plan.parameters, {"payoff": "x"})}
	of_weight := {"parameters": object.union(t.plan.parameters, {"weight": null})}
	_keyed(_column(of_payoff, "payoff", "fare"), _column(of_payoff, "payoff", "tip")) == {"payoff"}
	_keyed(_column(of_weight, "weight", "fare"), _column(of_weight, "weight", "tip")) == {"weight"}
}

_column(said, word, column) := object.union(said, {"columns": object.union(t.plan.columns, {word: column})})
