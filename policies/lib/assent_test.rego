package gates.lib.assent_test

import data.gates.lib.assent
import data.gates.testing.acts as t

_with(changed) := object.union(t.retire, {"approvals": [
	object.union(t.approval("k2", "ml-owner", "retire", "sha256:v3"), {"statement": changed}),
	t.approval("k3", "risk", "retire", "sha256:v3"),
]})

_lacking := {"retire.approvals"}

test_each_thing_that_an_approval_binds if {
	every changed in [
		{"model": "other"},
		{"environment": "staging"},
		{"action": "promote"},
		{"candidate_digest": "sha256:other"},
		{"policy_digest": "sha256:other"},
		{"current_release_digest": "sha256:other"},
		{"time_us": 1790000000000001},
		{"time_us": 1787407999999999},
		{"expires_us": 1790000000000000},
		{"role": "business-owner"},
	] {
		t.denied == _lacking with input as _with(changed)
	}
	t.denied == set() with input as _with({"time_us": 1787408000000001})
}

test_two_roles_are_two_persons if {
	both := [t.approval("k2", "ml-owner", "retire", "sha256:v3"), t.approval("k2", "risk", "retire", "sha256:v3")]
	t.denied == _lacking with input as t.retire with input.approvals as both
}

test_two_persons_of_one_role_are_one_role if {
	both := [t.approval("k2", "risk", "retire", "sha256:v3"), t.approval("k3", "risk", "retire", "sha256:v3")]
	t.denied == _lacking with input as t.retire with input.approvals as both
}

test_not_by_the_one_who_asks if {
	own := [t.approval("k4", "ml-owner", "retire", "sha256:v3"), t.approval("k3", "risk", "retire", "sha256:v3")]
	t.denied == _lacking with input as t.retire with input.approvals as own
}

test_not_by_the_account_that_started_the_job if {
	t.denied == _lacking with input as t.retire with input.request.triggered_by as ["mira"]
	t.denied == set() with input as t.retire with input.request.triggered_by as ["octo"]
}

test_counted if {
	assent.counted == {"k2/ml-owner", "k3/risk"} with input as t.retire with data.trust as t.trust
}

test_an_environment_without_a_word_denies if {
	t.denied == _lacking with input as t.retire with data.release.actions.environments.production.retire.approvals as {}
}

test_a_lower_tier if {
	one := [t.approval("k2", "ml-owner", "retire", "sha256:v3")]
	t.denied == set() with input as t.retire with input.approvals as one with data.models.m as {"tier": "medium"}
	t.denied == _lacking with input as t.retire with input.approvals as [] with data.models.m as {"tier": "medium"}
}

test_an_approval_of_the_moment_counts_and_one_of_the_longest_time_ago_does_not if {
	t.denied == set() with input as _with({"time_us": 1790000000000000})
	t.denied == _lacking with input as _with({"time_us": 1787408000000000})
}

test_only_what_counts_is_counted if {
	late := _with({"expires_us": 1790000000000000})
	assent.counted == {"k3/risk"} with input as late with data.trust as t.trust
	strange := [
		t.approval("unlisted", "ml-owner", "retire", "sha256:v3"),
		t.approval("k3", "risk", "retire", "sha256:v3"),
	]
	assent.counted == {"k3/risk"} with input as t.retire with input.approvals as strange with data.trust as t.trust
}
