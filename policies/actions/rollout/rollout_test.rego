package gates.actions.rollout_test

import data.gates.testing.acts as t

_of(changed) := object.union(t.rollout, {"rollout": object.union(t.rollout.rollout, changed)})

test_by_the_decision_that_began_it if {
	t.denied == {"rollout.decision"} with input as _of({"allow": false})
	t.denied == {"rollout.decision"} with input as _of({"decision_id": "sha256:other"})
	t.denied == {"rollout.decision"} with input as t.rollout with input.present.version_digest as "sha256:other"
	without := {key: value | some key, value in t.rollout; key != "rollout"}
	t.denied == {
		"rollout.decision", "rollout.expired", "rollout.inactive", "rollout.order", "rollout.suspect",
	} with input as without
}

test_while_it_holds if {
	t.denied == {"rollout.expired"} with input as _of({"valid_until_us": t.now})
	t.denied == set() with input as _of({"valid_until_us": 1790000000000001})
	t.denied == {"rollout.expired"} with input as _of({"decided_us": 1790000000000001})
	t.denied == {"rollout.inactive"} with input as _of({"policy_digest": "sha256:other"})
	t.denied == {"rollout.inactive"} with input as _of({"trust_digest": "sha256:other"})
}

test_steps_in_their_order if {
	t.denied == {"rollout.order", "rollout.large"} with input as t.rollout with input.request.percent as 100
	t.denied == {"rollout.order"} with input as t.rollout with input.request.percent as 24
	t.denied == {"rollout.order"} with input as t.rollout with input.request.percent as 5
	every steps in [[], [5], [25, 5, 10]] {
		t.denied == {"rollout.order"} with input as _of({"steps": steps})
	}
	unsaid := {word: said | some word, said in t.rollout.request; word != "percent"}
	others := {key: value | some key, value in t.rollout; key != "request"}
	t.denied == {"rollout.order", "rollout.large"} with input as object.union(others, {"request": unsaid})
	t.denied == {"rollout.order", "rollout.large"} with input as object.union(others, {"request": unsaid})
		with data.release.environments.production as {"first_step_percent": 5}
}

test_no_larger_than_this_environment_allows if {
	t.denied == {"rollout.large"} with input as _of({"steps": [5, 26]}) with input.request.percent as 26
	t.denied == {"rollout.large"} with input as t.rollout with data.release.environments.production as {}
	t.denied == set() with input as t.rollout with data.release.environments.production as {"first_step_percent": 5}
}

test_for_long_enough if {
	t.denied == set() with input as t.rollout with input.present.since_us as 1789996400000000
	t.denied == {"rollout.soak"} with input as t.rollout with input.present.since_us as 1789996400000001
	t.denied == {"rollout.soak"} with input as t.rollout with data.release.actions.environments.production.rollout as {}
}

test_known_as_good_everywhere if {
	t.denied == {"rollout.suspect"} with input as t.rollout with input.ledger.release_digest as "sha256:bad"
		with input.present.observed as "sha256:bad"
	t.denied == {"rollout.suspect"} with input as _of({"suspects": [_suspect]})
	t.denied == set() with input as _of({"suspects": [object.union(_suspect, {"time_us": 1789999899999999})]})
	t.denied == set() with input as _of({"suspects": [object.union(_suspect, {"version_digest": "sha256:v9"})]})
}

_suspect := {"environment": "staging", "version_digest": "sha256:v3", "time_us": 1789999900000000}

test_nobody_asked_to_stop_and_the_traffic_was_seen if {
	t.denied == {"rollout.alarm"} with input as t.rollout with input.present.alarms as 1
	t.denied == {"rollout.unseen"} with input as t.rollout with input.present.observed as "sha256:good"
	unseen := {key: value | some key, value in t.rollout.present; key != "observed"}
	others := {key: value | some key, value in t.rollout; key != "present"}
	t.denied == {"rollout.unseen"} with input as object.union(others, {"present": unseen})
}

test_a_step_in_the_moment_of_its_decision if {
	t.denied == set() with input as _of({"decided_us": t.now})
}
