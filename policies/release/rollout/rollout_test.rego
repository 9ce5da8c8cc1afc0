package gates.release.rollout_test

import data.gates.release.rollout
import data.gates.testing as t

_codes := {result.code | some result in rollout.results}

test_no_more_than_the_first_step if {
	_codes == set() with input as t.production
	_codes == set() with input as t.production with input.request.percent as 1
	_codes == {"rollout.step"} with input as t.production with input.request.percent as 6
	_codes == {"rollout.step"} with input as t.production with input.request.percent as 100
	_codes == set() with input as t.production
		with input.request.percent as 100
		with input.request.environment as "staging"
	_codes == set() with input as t.development with input.request.percent as 100
	_codes == set() with input as t.development with input.request.percent as 101
}

_planned(steps) := [{"environment": "production", "steps": steps}]

test_a_plan_that_is_too_steep if {
	_codes == set() with input as t.production with input.plan.body.rollout as _planned([5, 25, 100])
	_codes == set() with input as t.production with input.plan.body.rollout as _planned([1, 5, 10, 25, 60, 100])
	_codes == {"rollout.plan"} with input as t.production with input.plan.body.rollout as _planned([6, 25, 100])
	_codes == {"rollout.plan"} with input as t.production with input.plan.body.rollout as _planned([5, 26, 100])
	_codes == {"rollout.plan"} with input as t.production with input.plan.body.rollout as _planned([5, 24, 100])
	_codes == set() with input as t.production
		with input.plan.body.rollout as _planned([100])
		with input.request.environment as "staging"
	steep := [{"environment": "staging", "steps": [100]}]
	_codes == set() with input as t.production
		with input.plan.body.rollout as steep
		with input.request.environment as "staging"
	_codes == set() with input as t.production with input.plan.body.rollout as steep
	_codes == {"rollout.plan"} with input as t.production
		with input.plan.body.rollout as [{"environment": "staging", "steps": ["all"]}]
		with input.request.environment as "staging"
	_codes == set() with input as t.development
		with input.plan.body.rollout as [{"environment": "development", "steps": [100]}]
		with data.release.environments.development.steps as [{"after": 0, "most": 5}]
}

test_a_step_that_nobody_says_denies if {
	_codes == {"rollout.step"} with input as t.production
		with input.request as {key: value | some key, value in t.production.request; key != "percent"}
	_codes == {"rollout.step"} with input as t.production
		with data.release.environments.production as {"below": "staging"}
	_codes == {"rollout.step"} with input as t.production with input.request.environment as "moon"
	_codes == {"rollout.step"} with input as t.production with input.request.percent as null
	_codes == {"rollout.step"} with input as t.production with data.release.environments.production.first_step_percent as "all"
}

test_a_first_release_takes_all_traffic if {
	first := object.union(t.facts, {"first_release": true})
	_codes == set() with input as t.first with input.request.percent as 100 with data.models.m as first
	_codes == {"rollout.step"} with input as t.first with input.request.percent as 50 with data.models.m as first
	_codes == {"rollout.step"} with input as t.first with input.request.percent as 100 with data.models.m as t.facts
	_codes == {"rollout.step"} with input as t.production with input.request.percent as 100 with data.models.m as first
}

test_what_it_takes_already_is_no_step if {
	routes := [{"version": t.candidate, "percent": 40}, {"version": t.champion, "percent": 60}]
	_codes == set() with input as t.production
		with input.request.percent as 40
		with input.ledger.release.routes as routes
	_codes == {"rollout.step"} with input as t.production
		with input.request.percent as 41
		with input.ledger.release.routes as routes
}
