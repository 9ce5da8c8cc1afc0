package gates.checks.parity_test

import data.gates.lib.asked
import data.gates.main
import data.gates.testing as t

_denied(check, value) := found if {
	found := t.denied with input as t.production
		with input.evidence as t.changed(check, t.whole, {"bounds": t.bounds(value, value), "estimate": value})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_limits if {
	_denied("parity.mismatch", 0.001) == set()
	_denied("parity.mismatch", 0.0010000000000000002) == {"parity.mismatch"}
	_denied("parity.missing", 0.001) == set()
	_denied("parity.missing", 0.0010000000000000002) == {"parity.missing"}
	_denied("parity.pairs", 1000) == set()
	_denied("parity.pairs", 999) == {"parity.pairs"}
	_denied("parity.pairs", 1) == {"parity.pairs"}
	_denied("parity.one_table", 1) == {"parity.one_table"}
}

_required(key, environment) := {r.check | some r in requirements} if {
	requirements := asked.by_policy with input as t.production
		with input.request.environment as environment
		with input.plan.body as object.union(t.plan, {"columns": {"key": key}})
}

test_without_a_key_only_development_does_without_pairs if {
	every check in ["parity.mismatch", "parity.pairs"] {
		check in _required(["id"], "development")
		not check in _required([], "development")
		check in _required([], "production")
	}
}

_requests(online, measured) := {code | some code in codes; code != "plan.mismatch"} if {
	body := object.union(t.plan, {"tables": [table |
		some role in ["training", "holdout", "offline", "online"]
		table := object.union({"role": role}, object.get({"online": online}, role, {}))
	]})
	codes := t.denied with input as object.union(t.production, {"plan": object.union(t.production.plan, {"body": body})})
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | measured))
		with data.models.m as t.facts
		with data.trust as t.trust
}

_unread(share) := {t.at(t.figure("parity.unread", "data", share, share), {"item": {"kind": "table", "name": "online"}})}

test_a_log_says_how_much_of_it_was_read if {
	log := {"log": {"format": "databricks"}}
	_requests({}, set()) == set()
	_requests(log, set()) == {"check.missing"}
	_requests(log, _unread(0.001)) == set()
	_requests(log, _unread(0.5)) == {"parity.unread"}
}

test_a_log_is_asked_about_in_every_plan if {
	plan := main.plan with input as object.union(t.asked, {"documents": ["log"]})
	every environment in t.asked.environments {
		{"environment": environment, "check": "parity.unread", "role": "prove", "slice": t.whole} in plan.requirements
	}
}

_of_events := {"parity.asof_mismatch", "parity.known_later"}

test_what_was_known_is_asked_where_there_are_events if {
	plan := main.plan with input as object.union(t.asked, {"roles": ["training", "holdout", "events"]})
	every environment in t.asked.environments {
		_of_events == {r.check | some r in plan.requirements; r.environment == environment} & _of_events
	}
	without := main.plan with input as object.union(t.asked, {"roles": ["training", "holdout", "offline", "online"]})
	{r.check | some r in without.requirements} & _of_events == set()
}

_with_events := object.union(t.production, {"plan": object.union(t.production.plan, {"body": object.union(
	t.plan,
	{"tables": [{"role": role} | some role in ["training", "holdout", "offline", "online", "events"]]},
)})})

_past(changes) := {code | some code in codes; code != "plan.mismatch"} if {
	measured := {t.at(t.figure(check, "data", value[0], value[1]), {"item": {"kind": "feature", "name": "wind"}}) |
		some check in _of_events
		value := object.get(changes, check, [0, 0])
	}
	codes := t.denied with input as _with_events
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | measured))
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_a_value_of_the_future_denies if {
	_past({}) == set()
	_past({"parity.known_later": [0.0000001, 0.0000001]}) == {"parity.known_later"}
	_past({"parity.known_later": [0, 0.0001]}) == {"parity.known_later.inconclusive"}
	_past({"parity.asof_mismatch": [0.001, 0.001]}) == set()
	_past({"parity.asof_mismatch": [0.0011, 0.0011]}) == {"parity.asof_mismatch"}
}

test_definitions_are_compared_where_there_are_two if {
	_by_definitions([]) == set()
	_by_definitions(["definitions"]) == set()
	_by_definitions(["definitions", "serving_definitions"]) == {"parity.definition_differs"}
	_by_definitions(["definitions", "champion_definitions"]) == {"parity.definition_changed"}
}

_by_definitions(documents) := {r.check |
	plan := main.plan with input as object.union(t.asked, {"documents": documents})
	some r in plan.requirements
	r.check in {"parity.definition_changed", "parity.definition_differs"}
}
