package gates.release.isolation_test

import data.gates.release.isolation
import data.gates.testing as t

_codes := {result.code | some result in isolation.results}

_ran(how) := [object.union(evidence, {"isolation": how}) | some evidence in t.production.evidence]

test_the_model_ran_apart if {
	_codes == set() with input as t.production
	_codes == {"isolation.process"} with input as t.production with input.evidence as _ran("process")
	_codes == {"isolation.process"} with input as t.production with input.evidence as _ran("none")
	_codes == set() with input as t.production
		with input.evidence as _ran("process")
		with input.request.environment as "staging"
}

test_we_scored_it_ourselves if {
	supplied := t.changed("calibration.ece", t.whole, {"predictions": "supplied"})
	_codes == {"predictions.supplied"} with input as t.production with input.evidence as supplied
	_codes == set() with input as t.production
		with input.evidence as supplied
		with input.request.environment as "staging"
	unnamed := t.evidence([{key: value | some key, value in figure; key != "predictions"} | some figure in t.figures])
	_codes == {"predictions.supplied"} with input as t.production with input.evidence as unnamed
	_codes == set() with input as t.production
		with input.evidence as t.changed("data.rows", t.whole, {"predictions": "supplied"})
}

test_only_what_a_model_scored_was_exposed_to_it if {
	figure := t.at(t.figure("calibration.ece", "candidate", 0, 0.019), {"predictions": "supplied"})
	_codes == {"predictions.supplied"} with input as t.production
		with input.evidence as [object.union(t.evidence([figure])[0], {"isolation": "none"})]
	_codes == set() with input as t.production
		with input.evidence as t.evidence([object.union(figure, t.unmeasured("one_class"))])
}

_table(name) := {"item": {"kind": "table", "name": name}}

_sample(name, upper) := t.at(t.figure("package.mismatch", "candidate", 0, upper), _table(name))

_agreeing := {"predictions": _sample("predictions", 0.01), "champion_predictions": _sample("champion_predictions", 0)}

_with_table := object.union(t.production, {"plan": {"body": {"tables": [{"role": role} |
	some role in ({role | some role in t.asked.roles} | {"predictions"})
]}}})

# Golden figures, one of them supplied, and what was scored again.
_supplied(again) := _both(t.changed("calibration.ece", t.whole, {"predictions": "supplied"})[0].measurements, again)

_both(some_figures, others) := t.evidence([figure | some part in [some_figures, others]; some figure in part])

_decided(again) := codes if {
	codes := _codes with input as _with_table with input.evidence as _supplied(again)
}

_changed(name, change) := object.union(_agreeing, {name: object.union(_agreeing[name], change)})

test_a_sample_that_agrees_vouches_for_the_rest if {
	_decided(_agreeing) == set()
	_decided({}) == {"predictions.supplied"}
	_decided([_agreeing.predictions]) == {"predictions.supplied"}
	_decided([_agreeing.champion_predictions]) == {"predictions.supplied"}
}

test_a_first_release_has_no_champion_to_agree_with if {
	_codes == set() with input as _with_table
		with input.request as {key: value | some key, value in t.production.request; key != "champion"}
		with input.evidence as _supplied([_agreeing.predictions])
}

test_each_of_both_must_be_proven_to_agree if {
	every name in ["predictions", "champion_predictions"] {
		# A unit in the last place beyond the limit; proven bad; not known; not the scorer's own; of no known origin.
		_decided(_changed(name, {"bounds": t.bounds(0, 0.010000000000000002)})) == {"predictions.supplied"}
		_decided(_changed(name, {"estimate": 0.2, "bounds": t.bounds(0.1, 0.3)})) == {"predictions.supplied"}
		_decided(_changed(name, t.unmeasured("scorer_failed"))) == {"predictions.supplied"}
		_decided(_changed(name, {"predictions": "supplied"})) == {"predictions.supplied"}
		_decided(_changed(name, {"predictions": null})) == {"predictions.supplied"}
	}
}

test_one_that_agrees_does_not_outweigh_one_that_does_not if {
	bad := t.at(_agreeing.predictions, {"estimate": 1, "bounds": t.bounds(1, 1), "params": [{"name": "seed", "value": 1}]})
	_decided({figure | some figure in _agreeing} | {bad}) == {"predictions.supplied"}
}

test_how_the_sample_was_scored_is_held_to_the_same if {
	_codes == {"isolation.process"} with input as _with_table
		with input.evidence as [object.union(evidence, {"isolation": "process"}) | some evidence in _supplied(_agreeing)]
	_codes == {"isolation.process"} with input as _with_table
		with input.evidence as [object.union(evidence, {"isolation": "none"}) |
			some evidence in t.evidence([figure | some figure in _agreeing])
		]
}

test_a_figure_that_does_not_say_whose_scores_it_has_is_vouched_for_by_none if {
	unnamed := [{key: value | some key, value in figure; key != "predictions"} | some figure in t.figures]
	_codes == {"predictions.supplied"} with input as _with_table with input.evidence as _both(unnamed, _agreeing)
}

_of_table(change) := t.at(t.figure("data.rows", "data", 1000, 1000), object.union(_table("predictions"), change))

_and(figures, more) := [figure | some part in [figures, [more]]; some figure in part]

test_only_what_was_scored_again_vouches if {
	_decided(_and([_agreeing.champion_predictions], _of_table({}))) == {"predictions.supplied"}
}

test_another_check_of_the_table_raises_no_doubt if {
	_decided(_and([figure | some figure in _agreeing], _of_table({"predictions": "supplied"}))) == set()
}
