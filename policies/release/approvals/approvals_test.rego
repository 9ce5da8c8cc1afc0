package gates.release.approvals_test

import data.gates.release.approvals
import data.gates.testing as t

_denied := {result.code | some result in approvals.results; result.disposition == "denies"}

_noted := {result.code | some result in approvals.results; result.disposition == "tolerated"}

_with(change) := [object.union(approval, {"statement": object.union(approval.statement, change)}) |
	some approval in t.production.approvals
]

test_two_persons if {
	_denied == set() with input as t.production with data.models.m as t.facts with data.trust as t.trust
	_noted == set() with input as t.production with data.models.m as t.facts with data.trust as t.trust
	approvals.counted == {"ml-owner", "risk"} with input as t.production
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_none_and_one if {
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as []
		with data.models.m as t.facts
		with data.trust as t.trust
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as [t.approval("k2", "ml-owner")]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_one_person_in_both_roles_is_one_person if {
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as [t.approval("k2", "ml-owner"), t.approval("k2", "risk")]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_two_persons_in_one_role_are_one_role if {
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as [t.approval("k3", "risk"), object.union(t.approval("k2", "risk"), {"digest": "2"})]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_tiers if {
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as []
		with input.last.plan.body.tier as "medium"
		with data.models.m as {"tier": "medium"}
		with data.trust as t.trust
	_denied == set() with input as t.production
		with input.approvals as [t.approval("k2", "ml-owner")]
		with input.last.plan.body.tier as "medium"
		with data.models.m as {"tier": "medium"}
		with data.trust as t.trust
	_denied == set() with input as t.production with input.approvals as [] with input.last.plan.body.tier as "low"
		with data.models.m as {"tier": "low"}
	_denied == set() with input as t.production
		with input.approvals as []
		with input.request.environment as "staging"
		with data.models.m as t.facts
	_denied == set() with input as t.development with data.models.m as t.facts
}

test_a_rule_of_approvals_that_is_missing_denies if {
	_denied == {"approval.missing"} with input as t.production
		with data.release.approvals as {}
		with data.models.m as t.facts
		with data.trust as t.trust
	_denied == {"approval.missing"} with input as t.production
		with data.release.approvals.production.high as ["a", "b", "c", "d"]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_void if {
	every change in [
		{"model": "n"}, {"environment": "staging"}, {"action": "rollback"}, {"candidate_digest": "sha256:other"},
		{"bundle_digest": "sha256:other"}, {"plan_digest": "sha256:other"}, {"policy_digest": "sha256:other"},
		{"current_release_digest": "sha256:other"},
	] {
		changed := _with(change)
		_denied == {"approval.missing"} with input as t.production
			with input.approvals as changed
			with data.models.m as t.facts
			with data.trust as t.trust
		_noted == {"approval.void"} with input as t.production
			with input.approvals as changed
			with data.models.m as t.facts
			with data.trust as t.trust
	}
}

test_void_once_something_serves if {
	unbound := [{
		"digest": "1",
		"key_ids": ["k2"],
		"statement": {k: v | some k, v in t.approval("k2", "ml-owner").statement; k != "current_release_digest"},
	}]
	_noted == {"approval.void"} with input as t.production
		with input.approvals as unbound
		with data.models.m as t.facts
		with data.trust as t.trust
	_noted == set() with input as t.first
		with input.approvals as unbound
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_expired if {
	every change in [{"expires_us": t.now}, {"time_us": 1790000000000001}] {
		_noted == {"approval.expired"} with input as t.production
			with input.approvals as _with(change)
			with data.models.m as t.facts
			with data.trust as t.trust
	}
}

test_unlisted if {
	_noted == {"approval.unlisted_key"} with input as t.production with data.models.m as t.facts with data.trust as {"keys": []}
	_noted == {"approval.unlisted_key"} with input as t.production
		with input.approvals as [t.approval("k3", "ml-owner")]
		with data.models.m as t.facts
		with data.trust as t.trust
	_denied == {"approval.missing"} with input as t.production with data.models.m as t.facts
}

test_by_the_actor if {
	every actor in ["mira", "mira@acme"] {
		_noted == {"approval.by_actor"} with input as t.production
			with input.request.actor as actor
			with data.models.m as t.facts
			with data.trust as t.trust
		_denied == {"approval.missing"} with input as t.production
			with input.request.actor as actor
			with data.models.m as t.facts
			with data.trust as t.trust
	}
}

_also(new) := {"keys": [key | some keys in [t.trust.keys, [new]]; some key in keys]}

test_by_another_key_of_the_actors_person if {
	deploys := {"key_id": "k9", "identity": "mira-deploy@acme", "person": "mira", "roles": ["decide", "apply"]}
	stranger := object.union(deploys, {"person": "somebody"})
	_noted == {"approval.by_actor"} with input as t.production
		with input.request.actor_key_id as "k9"
		with data.models.m as t.facts
		with data.trust as _also(deploys)
	_denied == {"approval.missing"} with input as t.production
		with input.request.actor_key_id as "k9"
		with data.models.m as t.facts
		with data.trust as _also(deploys)
	_denied == set() with input as t.production
		with input.request.actor_key_id as "k9"
		with data.models.m as t.facts
		with data.trust as _also(stranger)
}

test_another_role_is_not_asked_for if {
	trust := {"keys": [object.union(key, {"roles": ["approve:cfo"]}) | some key in t.trust.keys]}
	approvals.counted == set() with input as t.production
		with input.approvals as [t.approval("k2", "cfo")]
		with data.models.m as t.facts
		with data.trust as trust
}
