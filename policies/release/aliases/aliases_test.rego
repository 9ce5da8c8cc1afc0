package gates.release.aliases_test

import data.gates.release.aliases
import data.gates.testing as t

_codes := {result.code | some result in aliases.results}

test_aliases_are_the_ledgers_shadow if {
	_codes == set() with input as t.production
	_codes == {"alias.mismatch"} with input as t.production with input.registry.aliases as []
	_codes == {"alias.mismatch"} with input as t.production
		with input.registry.aliases as [{"alias": "deployed-production", "version": "7"}]
	_codes == {"alias.mismatch"} with input as t.production
		with input.registry.aliases as [{"alias": "deployed-production", "version": "7"}, {"alias": "deployed-production", "version": "3"}]
	_codes == set() with input as t.production with input.ledger.expected_aliases as []
	_codes == set() with input as t.development with input.registry.aliases as []
	_codes == set() with input as t.development
		with input.registry.aliases as []
		with input.ledger.expected_aliases as t.production.ledger.expected_aliases
	_codes == set() with input as t.production
		with input.registry.aliases as [{"alias": "deployed-production", "version": "3"}, {"alias": "best", "version": "7"}]
}
