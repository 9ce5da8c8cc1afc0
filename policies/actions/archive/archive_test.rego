package gates.actions.archive_test

import data.gates.testing.acts as t

test_what_an_environment_needs_stays if {
	t.denied == {"archive.held"} with input as t.archive with input.request.version.digest as "sha256:v3"
}

test_the_highest_environment_decides if {
	t.denied == {"archive.rung", "archive.approvals"} with input as t.archive with input.request.environment as "staging"
	t.denied == {"action.authority", "archive.rung", "archive.approvals"} with input as t.archive
		with input.request.environment as "nowhere"
}
