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

test_an_environment_that_nobody_names_or_that_is_below_none_is_not_the_highest if {
	"archive.rung" in t.denied with input as t.archive with data.release.environments as {"production": {}}
	"archive.rung" in t.denied with input as t.archive with data.release.environments as {}
}

test_between_two_others_is_not_the_highest if {
	highest := {"production": {"below": "staging"}}
	not "archive.rung" in t.denied with input as t.archive with data.release.environments as highest
	between := object.union(highest, {"everywhere": {"below": "production"}})
	"archive.rung" in t.denied with input as t.archive with data.release.environments as between
}
