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
