package gates.release.trust_test

import data.gates.release.trust
import data.gates.testing as t

_codes := {result.code | some result in trust.results}

test_the_ledger_is_needed if {
	without := {key: value | some key, value in t.production; key != "ledger"}
	_codes == {"ledger.absent", "policy.inactive", "trust.inactive"} with input as without with data.trust as t.trust
	_codes == set() with input as t.development
}

test_active_digests if {
	_codes == set() with input as t.production with data.trust as t.trust
	_codes == {"policy.inactive"} with input as t.production
		with input.policy.digest as "sha256:loosened"
		with data.trust as t.trust
	_codes == {"trust.inactive"} with input as t.production
		with input.ledger.trust_digest as "sha256:other"
		with data.trust as t.trust
}

test_keys if {
	_codes == {"evidence.unlisted_key"} with input as t.production
		with input.bundle.key_ids as ["k2"]
		with data.trust as t.trust
	_codes == {"evidence.unlisted_key"} with input as t.production
		with input.bundle.key_ids as ["stranger"]
		with data.trust as t.trust
	_codes == {"evidence.unsigned", "evidence.unlisted_key"} with input as t.production
		with input.bundle.key_ids as []
		with data.trust as t.trust
	_codes == {"evidence.unlisted_key"} with input as t.production
	_codes == set() with input as t.development with input.bundle.key_ids as []
}

test_a_key_for_another_environment if {
	elsewhere := {"keys": [{"key_id": "k1", "person": "p", "identity": "i", "roles": ["measure"], "environments": ["staging"]}]}
	_codes == {"evidence.unlisted_key"} with input as t.production with data.trust as elsewhere
	_codes == set() with input as t.production with input.request.environment as "staging" with data.trust as elsewhere
}
