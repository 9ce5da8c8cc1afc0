package gates.release.limits_test

import data.gates.release.limits
import data.gates.testing as t

_codes := {result.code | some result in limits.results}

test_loosened if {
	_codes == {"override.loosened"} with input as t.production
		with data.overrides.production.limits as {"data.rows": {"high": {"limit": 1, "inclusive": true}}}
	_codes == set() with input as t.production
		with data.overrides.production.limits as {"data.rows": {"high": {"limit": 5000, "inclusive": true}}}
	_codes == set() with input as t.production
		with data.overrides.staging.limits as {"data.rows": {"high": {"limit": 1, "inclusive": true}}}
}

_named := ["overrides/production/limits/data.rows/high"]

test_what_the_ledger_names_may_loosen if {
	_codes == set() with input as t.production
		with input.ledger.loosened as _named
		with data.overrides.production.limits as {"data.rows": {"high": {"limit": 1, "inclusive": true}}}
	_codes == {"override.loosened"} with input as t.production
		with input.ledger.loosened as _named
		with data.overrides.production.limits as {"data.rows": {"medium": {"limit": 1, "inclusive": true}}}
	_codes == {"override.unknown"} with input as t.production
		with data.overrides.production.limits as {"data.nobody": {"high": {"limit": 1, "inclusive": true}}}
}
