package gates.actions.policy_test

import data.gates.actions.policy
import data.gates.main
import data.gates.testing.acts as t

_denied := codes if {
	codes := {result.code |
		some result in main.change.results
		result.disposition == "denies"
	} with data.trust as t.trust
}

_asked(changed) := object.union(t.change, {"request": object.union(t.change.request, changed)})

_of(changed) := object.union(t.change, {"change": object.union(t.change.change, changed)})

_signed(key, changed) := object.union(
	{word: said | some word, said in t.change; word != "approvals"},
	{"approvals": [object.union(t.change.approvals[0], {
		"key_ids": [key],
		"statement": object.union(t.change.approvals[0].statement, changed),
	})]},
)

test_what_is_good_is_allowed if {
	answer := main.change with input as t.change with data.trust as t.trust
	answer.allow == true
	answer.valid_until_us == 1790003600000000
	answer.approvals == {"a1"}
}

test_by_a_policy_owner_and_with_a_reason if {
	_denied == set() with input as _asked({"actor": "owner", "actor_key_id": "k0"})
	_denied == {"action.authority"} with input as _asked({"actor": "ops@acme", "actor_key_id": "k1"})
	every reason in ["", "  ", null, 7] {
		_denied == {"action.reason"} with input as _asked({"reason": reason})
	}
	_denied == {"action.policy"} with input as t.change with input.policy.digest as "sha256:other"
	_denied == {"action.trust"} with input as t.change with input.policy.trust_digest as "sha256:other"
}

test_what_it_loosens_is_named if {
	_denied == {"change.loosened"} with input as _of({"named": []})
	_denied == {"change.loosened"} with input as _of({"named": ["a", "b"]})
	_denied == {"change.loosened"} with input as _of({"loosened": ["a", "b"]})
	_denied == {"change.unknown"} with input as _of({"unknown": ["x"]})
	unsaid := {word: said | some word, said in t.change.change; word != "loosened"}
	others := {key: value | some key, value in t.change; key != "change"}
	_denied == {"change.loosened"} with input as object.union(others, {"change": object.union(unsaid, {"named": []})})
}

test_somebody_else_approves_what_loosens if {
	_denied == {"change.approvals"} with input as object.union(t.change, {"approvals": []})
	_denied == set() with input as object.union(_of({"loosened": [], "named": []}), {"approvals": []})

	# Not by whom nobody lists for it, not by the one who asks, and not by another of his keys.
	every key in ["k1", "k4", "k6", "k7", "unlisted"] {
		_denied == {"change.approvals"} with input as _signed(key, {})
	}
	every changed in [
		{"environment": "staging"},
		{"policy_digest": "sha256:other"},
		{"trust_digest": "sha256:other"},
		{"current_policy_digest": "sha256:other"},
		{"current_trust_digest": "sha256:other"},
		{"role": "ml-owner"},
		{"time_us": 1790000000000001},
		{"time_us": 1787407999999999},
		{"expires_us": 1790000000000000},
	] {
		_denied == {"change.approvals"} with input as _signed("k3", changed)
	}
	_denied == {"change.approvals"} with input as t.change
		with data.release.actions.environments.production.policy as {}
}

test_what_it_would_have_done if {
	_denied == {"change.simulation"} with input as t.change with input.simulation.policy_digest as "sha256:other"
	without := {key: value | some key, value in t.change; key != "simulation"}
	_denied == {"change.simulation"} with input as without
	_denied == {"change.simulation"} with input as object.union(without, {"unsimulated": " "})
	_denied == set() with input as object.union(without, {"unsimulated": "an empty store"})
}

test_which_approvals_count if {
	policy.counted == {"a1"} with input as t.change with data.trust as t.trust
	policy.counted == set() with input as _signed("unlisted", {}) with data.trust as t.trust
	policy.counted == set() with input as _signed("k3", {"expires_us": 1790000000000000}) with data.trust as t.trust

	# Of the moment itself it counts, after the longest time that policy gives it does not.
	_denied == set() with input as _signed("k3", {"time_us": 1790000000000000})
	_denied == {"change.approvals"} with input as _signed("k3", {"time_us": 1787408000000000})

	# A yes in another role is none in this one.
	_denied == {"change.approvals"} with input as _signed("k2", {"role": "ml-owner"})
}

test_an_empty_past_is_looked_at_too if {
	_denied == set() with input as t.change with input.simulation.decisions as 0
	_denied == {"change.simulation"} with input as t.change with input.simulation.decisions as -1
}
