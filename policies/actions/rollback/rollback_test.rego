package gates.actions.rollback_test

import data.gates.testing.acts as t

test_the_target if {
	t.denied == {"rollback.unknown", "rollback.suspect", "rollback.old"} with input as t.rollback
		with input.request.release as "sha256:elsewhere"
	t.denied == {"rollback.unknown"} with input as t.rollback with input.request.release as "sha256:present"
	t.denied == {"rollback.suspect"} with input as t.rollback with input.request.release as "sha256:bad"
	t.denied == {"rollback.suspect"} with input as t.rollback with input.ledger.served as _marked
}

_marked := [object.union(release, {"state": "bad"}) | some release in t.ledger.served]

test_too_old if {
	t.denied == set() with input as t.rollback with input.request.effective_time_us as 1805551000000000
	t.denied == {"rollback.old"} with input as t.rollback with input.request.effective_time_us as 1805551000000001
	never_left := [{key: value | some key, value in release; key != "left_us"} | some release in t.ledger.served]
	t.denied == {"rollback.old"} with input as t.rollback with input.ledger.served as never_left
	t.denied == {"rollback.old"} with input as t.rollback with data.release.actions.environments as {}
}

test_bytes if {
	t.denied == {"rollback.bytes"} with input as t.rollback with input.bytes as []
	t.denied == {"rollback.bytes"} with input as t.rollback
		with input.bytes as [{"wanted": "sha256:v1", "found": "sha256:other"}]
	t.denied == set() with input as t.rollback with input.bytes as [{"wanted": "sha256:v1"}]
}

test_archived if {
	t.denied == {"rollback.archived"} with input as t.rollback with input.ledger.archived as ["sha256:v1"]
	t.denied == {"rollback.archived"} with input as t.rollback
		with input.bytes as [{"wanted": "sha256:v1"}, {"wanted": "sha256:v0"}]
}
