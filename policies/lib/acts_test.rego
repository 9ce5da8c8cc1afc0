package gates.lib.acts_test

import data.gates.main
import data.gates.testing.acts as t

test_what_is_good_is_allowed if {
	every good in [t.rollback, t.retire, t.archive, t.rollout, t.monitor] {
		t.denied == set() with input as good
		answer := main.action with input as good with data.trust as t.trust
		answer.allow == true
		answer.valid_until_us == 1790003600000000
		{result.verdict | some result in answer.results} == {"pass"}
	}
}

test_authority_and_reason if {
	every good in [t.rollback, t.retire, t.archive, t.rollout, t.monitor] {
		t.denied == {"action.authority"} with input as good with input.request.actor_key_id as "k9"
		every reason in ["", " ", null, 1] {
			t.denied == {"action.reason"} with input as good with input.request.reason as reason
		}
		t.denied == {"action.authority"} with input as good with input.request.actor as "somebody"
		without := {key: value | some key, value in good.request; key != "reason"}
		t.denied == {"action.reason"} with input as object.union(
			{key: value | some key, value in good; key != "request"},
			{"request": without},
		)
	}
	main.action.valid_until_us == t.now with input as t.rollback with data.trust as {"keys": []}
}

test_what_is_in_force if {
	t.denied == {"action.policy"} with input as t.rollback with input.policy.digest as "sha256:other"
	t.denied == {"action.trust"} with input as t.rollback with input.ledger.trust_digest as "sha256:other"
}

test_an_action_that_no_rule_knows_is_denied if {
	answer := main.action with input as t.rollback with input.request.action as "anything" with data.trust as t.trust
	answer.allow == false
	{result.disposition | some result in answer.results} == {"satisfied"}
}

test_another_environment_of_the_key if {
	t.denied == {"action.authority", "rollback.old"} with input as t.rollback with input.request.environment as "elsewhere"
}
