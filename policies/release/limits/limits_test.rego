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

test_a_model_that_the_owners_have_no_facts_about if {
	every model, found in {"m": set(), "mm": {"override.unknown"}} {
		_codes == found with input as t.production
			with data.models.m as t.facts
			with data.overrides.production.models as {model: {"features": {}}}
	}
}

test_a_share_of_a_check_that_there_is_not if {
	every check, found in {"calibration.ece": set(), "calibration.eec": {"override.unknown"}} {
		_codes == found with input as t.production
			with data.models.m as object.union(t.facts, {"inconclusive_share_ppm": {check: 1}})
	}
}

_of(features) := {"m": {"features": features}}

_tight := {"data.out_of_range": {"limit": 0.001, "inclusive": true}}

_known := {"m": t.facts, "other": {}}

test_features_and_slices_that_are_not_there if {
	_codes == set() with input as t.production with data.models as _known
		with data.overrides.production.models as _of({"wind": {"limits": _tight}})
	_codes == {"override.feature"} with input as t.production with data.models as _known
		with data.overrides.production.models as _of({"wnid": {"limits": _tight}})
	_codes == set() with input as t.production with data.models as _known
		with data.overrides.production.models as {"other": {"features": {"wnid": {"limits": _tight}}}}
	_codes == set() with input as t.production with data.models as _known
		with data.overrides.production.models as _of({"wind": {"slices": {"carrier": {"UA": _tight}}}})
	every slices in [{"carrier": {"ZZ": _tight}}, {"origin": {"UA": _tight}}] {
		_codes == {"override.slice"} with input as t.production with data.models as _known
			with data.overrides.production.models as _of({"wind": {"slices": slices}})
	}
}

test_a_tighter_limit_of_a_feature_decides if {
	denied := t.denied with input as t.production
		with data.models.m as t.facts
		with data.trust as t.trust
		with data.overrides.production.models as _of({"wind": {"limits": _tight}})
	denied == {"data.out_of_range"}
}

test_what_is_held_less_strictly_is_named if {
	_codes == {"override.loosened"} with input as t.production
		with data.overrides.production.enforcement as {"all": {"level": "warn"}}
	_codes == set() with input as t.production
		with data.overrides.production.enforcement as {"all": {"level": "warn"}}
		with input.ledger.loosened as ["overrides/production/enforcement/all"]
	_codes == set() with input as t.development
		with data.overrides.development.enforcement as {"all": {"level": "warn"}}
}
