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
		_denied == {"approval.missing"} with input as t.production
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
	approvals.counted == set() with input as t.production with data.models.m as t.facts with data.trust as {"keys": []}
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

test_by_the_account_that_started_the_job if {
	called := {"keys": [object.union(key, {"names": ["octo-mira"]}) | some key in t.trust.keys; key.key_id == "k2"]}
	every accounts in [["octo-mira"], ["octo", "octo-mira"], ["mira"]] {
		_noted == {"approval.by_actor"} with input as t.production
			with input.request.triggered_by as accounts
			with input.approvals as [t.approval("k2", "ml-owner")]
			with data.models.m as t.facts
			with data.trust as called
	}
	elsewhere := _also({"key_id": "k9", "identity": "m2@acme", "person": "mira", "names": ["octo-mira"], "roles": ["decide"]})
	_denied == {"approval.missing"} with input as t.production
		with input.request.triggered_by as ["octo-mira"]
		with data.models.m as t.facts
		with data.trust as elsewhere
	_denied == set() with input as t.production
		with input.request.triggered_by as ["octo-other"]
		with data.models.m as t.facts
		with data.trust as elsewhere
}

test_another_role_is_not_asked_for if {
	trust := {"keys": [object.union(key, {"roles": ["approve:cfo"]}) | some key in t.trust.keys]}
	approvals.counted == set() with input as t.production
		with input.approvals as [t.approval("k2", "cfo")]
		with data.models.m as t.facts
		with data.trust as trust
}

_fifth := {"key_id": "k5", "identity": "bo@acme", "person": "bo", "roles": ["approve:business-owner", "approve:risk"]}

_trusting := _also(_fifth)

_three := array_of({t.approval("k2", "ml-owner"), t.approval("k3", "risk"), t.approval("k5", "business-owner")})

array_of(set) := [item | some item in set]

_owned := object.union(t.facts, {"business_owner": "bo"})

test_the_business_owner_where_the_model_names_one if {
	_denied == {"approval.missing"} with input as t.production with data.models.m as _owned with data.trust as _trusting
	_denied == set() with input as t.production
		with input.approvals as _three
		with data.models.m as _owned
		with data.trust as _trusting
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as _three
		with data.models.m as object.union(t.facts, {"business_owner": "another"})
		with data.trust as _trusting
	"approval.other_owner" in _noted with input as t.production
		with input.approvals as _three
		with data.models.m as object.union(t.facts, {"business_owner": "another"})
		with data.trust as _trusting
	by_identity := object.union(t.facts, {"business_owner": "bo@acme"})
	_denied == set() with input as t.production
		with input.approvals as _three
		with data.models.m as by_identity
		with data.trust as _trusting
	not "approval.other_owner" in _noted with input as t.production
		with input.approvals as _three
		with data.models.m as by_identity
		with data.trust as _trusting
	medium := object.union(_owned, {"tier": "medium"})
	_denied == set() with input as t.production
		with input.last.plan.body.tier as "medium"
		with data.models.m as medium
		with data.trust as _trusting
}

_risk_by_bo := object.union(t.approval("k5", "risk"), {"digest": "third"})

_unbound(approvals) := [{"digest": approval.digest, "key_ids": approval.key_ids, "statement": statement} |
	some approval in approvals
	statement := {k: v | some k, v in approval.statement; k != "current_release_digest"}
]

test_a_first_release_wants_one_more if {
	first := object.union(t.facts, {"first_release": true})
	two := _unbound(t.production.approvals)
	three := _unbound([t.production.approvals[0], t.production.approvals[1], _risk_by_bo])
	_denied == {"approval.missing"} with input as t.first
		with input.approvals as two
		with data.models.m as first
		with data.trust as _trusting
	_denied == set() with input as t.first
		with input.approvals as three
		with data.models.m as first
		with data.trust as _trusting
}

_medium := object.union(t.facts, {"tier": "medium"})

_undecided := t.changed("calibration.ece", t.whole, {"bounds": t.bounds(0.015, 0.03), "estimate": 0.019})

test_what_is_provisional_wants_one_more_in_production if {
	_denied == {"approval.missing"} with input as t.production
		with input.last.plan.body.tier as "medium"
		with input.evidence as _undecided
		with input.approvals as [t.approval("k2", "ml-owner")]
		with data.models.m as _medium
		with data.trust as t.trust
	_denied == set() with input as t.production
		with input.last.plan.body.tier as "medium"
		with input.evidence as _undecided
		with data.models.m as _medium
		with data.trust as t.trust
}

_more_of(disposition) := found if {
	result := {"check": "calibration.ece", "slice": t.whole, "verdict": "fail", "disposition": disposition}
	found := approvals.more with input as t.production
		with data.gates.lib.judge.results as [result]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_what_is_waived_wants_one_more_as_what_is_provisional if {
	_more_of("waived") == {"provisional"}
	_more_of("accepted") == {"provisional"}
	_more_of("tolerated") == set()
}

test_a_high_risk_wants_one_more if {
	approvals.more == set() with input as t.production with data.models.m as t.facts with data.trust as t.trust
	approvals.more == {"risk"} with input as t.production
		with data.release.risk.one_more_from as 5
		with data.models.m as t.facts
		with data.trust as t.trust
	approvals.more == {"risk"} with input as t.production
		with data.release.risk as {}
		with data.models.m as t.facts
		with data.trust as t.trust
	approvals.more == {"full moon"} with input as t.production
		with data.release.environments.production.one_more as ["full moon"]
		with data.models.m as t.facts
		with data.trust as t.trust
	approvals.wanted == 2 with input as t.production with data.models.m as t.facts with data.trust as t.trust
}

test_an_author_does_not_approve if {
	every author in ["mira", "mira@acme"] {
		_denied == {"approval.missing"} with input as t.production
			with input.bundle.metadata.authors as [author]
			with data.models.m as t.facts
			with data.trust as t.trust
		_noted == {"approval.by_author"} with input as t.production
			with input.bundle.metadata.authors as [author]
			with data.models.m as t.facts
			with data.trust as t.trust
	}
	_noted == {"approval.by_author"} with input as t.production
		with input.bundle.metadata.authors as ["mira.m"]
		with data.models.m as t.facts
		with data.trust as {"keys": [object.union(key, {"names": [concat(".", [key.person, "m"])]}) | some key in t.trust.keys]}
	_noted == {"approval.by_author"} with input as t.production
		with input.bundle.key_ids as ["k2"]
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_no_approval_holds_for_ever if {
	_noted == {"approval.expired"} with input as t.production
		with input.approvals as _with({"time_us": 1787408000000000, "expires_us": 9007199254740991})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_where_nobody_approves_the_reason_is_said if {
	low := {"tier": "low"}
	silent := {key: value | some key, value in t.production.request; key != "reason"}
	_denied == {"reason.missing"} with input as t.production
		with input.request as silent
		with input.last.plan.body.tier as "low"
		with input.approvals as []
		with data.models.m as low
	_denied == set() with input as t.production with input.request as silent with data.models.m as t.facts with data.trust as t.trust
}

_solo := object.union(t.facts, {"solo": true})

_both_by_mira := [t.approval("k2", "ml-owner"), t.approval("k2", "risk")]

test_one_person_alone_by_explicit_policy if {
	_denied == set() with input as t.production
		with input.request.actor as "mira"
		with input.approvals as _both_by_mira
		with data.models.m as _solo
		with data.trust as t.trust
	"approval.self" in _noted with input as t.production
		with input.request.actor as "mira"
		with input.approvals as _both_by_mira
		with data.models.m as _solo
		with data.trust as t.trust
	"approval.self" in _noted with input as t.production
		with input.approvals as _both_by_mira
		with data.models.m as _solo
		with data.trust as t.trust
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as [t.approval("k2", "ml-owner")]
		with data.models.m as _solo
		with data.trust as t.trust
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as []
		with data.models.m as _solo
		with data.trust as t.trust
}

test_two_persons_under_a_solo_policy_are_not_alone if {
	_noted == set() with input as t.production with data.models.m as _solo with data.trust as t.trust
	answer := t.decision with input as t.production with data.models.m as _solo with data.trust as t.trust
	answer.bypasses == set()
	answer.risk.points == 5
	alone := t.decision with input as t.production
		with input.approvals as _both_by_mira
		with data.models.m as _solo
		with data.trust as t.trust
	alone.allow == true
	alone.bypasses == {"self-approved"}
}

test_where_nobody_is_needed_no_business_owner_is if {
	_denied == set() with input as t.production
		with input.request.environment as "staging"
		with input.approvals as []
		with data.models.m as _owned
		with data.trust as t.trust
}

test_development_asks_for_no_reason if {
	silent := {key: value | some key, value in t.development.request; key != "reason"}
	_denied == set() with input as t.development
		with input.request as silent
		with data.release.environments.development.reason_tiers as ["high"]
		with data.models.m as t.facts
}

_is_self_approved(document) if {
	approvals.self_approved with input as document
		with data.release.approvals.development as {"high": ["ml-owner", "risk"]}
		with data.models.m as _solo
		with data.trust as t.trust
}

_by(actor, given) := object.union(t.production, {
	"request": object.union(t.production.request, {"actor": actor}),
	"approvals": given,
})

_in_development(document) := object.union(document, {
	"request": object.union(document.request, {"environment": "development"}),
	"approvals": [object.union(approval, {"statement": object.union(approval.statement, {"environment": "development"})}) |
		some approval in document.approvals
	],
})

test_who_approves_himself_is_one_whose_own_approval_counts_or_one_where_more_are_wanted if {
	_is_self_approved(_by("mira", t.production.approvals))
	_is_self_approved(_by("nobody", _both_by_mira))
	not _is_self_approved(_by("nobody", t.production.approvals))
	not _is_self_approved(_by("nobody", []))
	late := object.union(t.approval("k2", "risk"), {"digest": "late"})
	over := object.union(late, {"statement": object.union(late.statement, {"expires_us": t.now})})
	not _is_self_approved(_by("nobody", [t.approval("k2", "ml-owner"), t.approval("k3", "risk"), over]))
	own := [object.union(t.approval("k2", "ml-owner"), {"statement": over.statement}) | true]
	not _is_self_approved(_by("mira", array_of({approval | some approval in own} | {t.approval("k3", "risk")})))
		with data.release.approvals.production as {"high": ["risk"]}
	not _is_self_approved(_in_development(_by("mira", _both_by_mira)))
	not _is_self_approved(_in_development(_by("nobody", _both_by_mira)))
}

test_one_person_alone_where_policy_does_not_say_who_approves_is_not_enough if {
	_denied == {"approval.missing"} with input as _by("mira", _both_by_mira)
		with data.release.approvals as {}
		with data.models.m as _solo
		with data.trust as t.trust
}

test_the_business_owner_is_not_whoever_is_trusted if {
	_denied == {"approval.missing"} with input as t.production
		with input.approvals as _three
		with data.models.m as object.union(t.facts, {"business_owner": "mira"})
		with data.trust as _trusting
}
