package gates.release.looks_test

import data.gates.release.looks
import data.gates.testing as t

_codes := {result.code | some result in looks.results}

test_attempts if {
	_codes == set() with input as t.production with input.ledger.attempts as 10
	_codes == {"attempts.exhausted"} with input as t.production with input.ledger.attempts as 11
	_codes == set() with input as t.development
}

test_candidates if {
	_codes == set() with input as t.production with input.ledger.candidates_judged as 50
	_codes == {"candidates.exhausted"} with input as t.production with input.ledger.candidates_judged as 51
}

test_what_nobody_counts_denies if {
	without := {key: value | some key, value in t.production.ledger; not key in {"attempts", "candidates_judged"}}
	both := {"attempts.exhausted", "candidates.exhausted"}
	_codes == both with input as t.production with input.ledger as without
	_codes == both with input as t.production with data.release.environments.production as {}
}

test_the_holdout_of_pull_requests if {
	_codes == {"holdout.pull_request"} with input as t.production with input.plan.body.pull_request as true
	_codes == set() with input as t.production
		with input.plan.body.pull_request as true
		with input.ledger.sealed as false
	_codes == set() with input as t.production
		with input.plan.body.pull_request as true
		with input.request.environment as "development"
}
