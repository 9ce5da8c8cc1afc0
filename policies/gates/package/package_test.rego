package gates.checks.package_test

import data.gates.main
import data.gates.testing as t

_asked(roles) := {r.environment |
	some r in plan.requirements
	r.check == "package.mismatch"
	r.role == "prove"
	r.slice == t.whole
} if {
	plan := main.plan with input as object.union(t.asked, {"roles": roles}) with data.models.m as t.facts
}

_roles(more) := t.array_of({role | some role in t.asked.roles} | {more})

test_asked_where_predictions_are_supplied_and_models_are_held_to_be_hostile if {
	_asked(_roles("predictions")) == {"production"}
	_asked(t.asked.roles) == set()
	_asked(_roles("champion_predictions")) == set()
	_asked(_roles("predictions")) == {"staging", "production"} with data.release.environments.staging.hostile_model as true
	_asked(_roles("predictions")) == set() with data.release.environments.production.hostile_model as false
}

_sample(name, lower, upper) := t.at(
	t.figure("package.mismatch", "candidate", lower, upper),
	{"item": {"kind": "table", "name": name}},
)

_denied(again) := {code | some code in codes; code != "plan.mismatch"} if {
	codes := t.denied with input as t.production
		with input.plan.body.tables as [{"role": role} | some role in _roles("predictions")]
		with input.evidence as t.evidence([figure | some part in [t.figures, again]; some figure in part])
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_limits if {
	_denied([_sample("predictions", 0, 0.01)]) == set()
	_denied([_sample("predictions", 0, 0.01), _sample("champion_predictions", 0.001, 0.01)]) == set()
	_denied([_sample("predictions", 0, 0.010000000000000002)]) == {"package.mismatch.inconclusive"}
	_denied([_sample("predictions", 0.02, 0.03)]) == {"package.mismatch"}
	_denied([_sample("predictions", 0, 0), _sample("champion_predictions", 0.02, 0.03)]) == {"package.mismatch"}
}

test_absent_or_unmeasured_is_not_good if {
	_denied([]) == {"check.missing"}
	_denied([t.at(_sample("predictions", 0, 0), t.unmeasured("scorer_failed"))]) == {"unmeasured.scorer_failed"}
	_denied([t.at(_sample("predictions", 0, 0), t.unmeasured("rows_unpaired"))]) == {"unmeasured.rows_unpaired"}
}
