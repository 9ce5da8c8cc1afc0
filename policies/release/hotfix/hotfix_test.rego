package gates.release.hotfix_test

import data.gates.lib.hotfix
import data.gates.release.hotfix as rules
import data.gates.testing as t

_decide(changed) := found if {
	found := t.decision with input as changed with data.models.m as t.facts with data.trust as t.trust
}

_hotfix := object.union(t.production, {"request": object.union(t.production.request, {"incident": "INC-7"})})

_skipped := object.union(
	{key: value | some key, value in _hotfix; key != "ledger"},
	{"ledger": {key: value | some key, value in t.production.ledger; key != "rung_below"}},
)

_denying(answer) := {result.code | some result in answer.results; result.disposition == "denies"}

test_a_skipped_rung_and_a_large_step_are_left_for_later if {
	large := object.union(_skipped, {"request": object.union(_skipped.request, {"percent": 100})})
	answer := _decide(large)
	answer.allow == true
	answer.basis == "hotfix"
	answer.valid_until_us == 1790086400000000
	left := {result.code | some result in answer.results; result.disposition == "shortened"}
	left == {"ladder.skipped", "rollout.step"}
}

test_where_nothing_is_left_for_later_it_is_no_hotfix if {
	answer := _decide(_hotfix)
	answer.basis == "proven"
}

test_without_an_incident_nothing_is if {
	every incident in ["", " ", null] {
		request := object.union(_skipped.request, {"incident": incident})
		_denying(_decide(object.union(_skipped, {"request": request}))) == {"ladder.skipped"}
	}
}

test_a_first_hotfix_ends_the_next_too if {
	until := object.union(_skipped, {"ledger": object.union(_skipped.ledger, {"hotfix_until_us": 1790000000000001})})
	_decide(until).valid_until_us == 1790000000000001
	over := object.union(_skipped, {"ledger": object.union(_skipped.ledger, {"hotfix_until_us": 1790000000000000})})
	_denying(_decide(over)) == {"hotfix.expired"}
}

test_only_where_the_policy_knows_hotfixes_and_with_a_reason if {
	staging := object.union(_hotfix, {"request": object.union(_hotfix.request, {"environment": "staging"})})
	"hotfix.environment" in _denying(_decide(staging))
	"hotfix.environment" in _denying(_decide(_hotfix)) with data.release.hotfix as {}
	unreasoned := {key: value | some key, value in _hotfix.request; key != "reason"}
	without := object.union({key: value | some key, value in _hotfix; key != "request"}, {"request": unreasoned})
	_denying(_decide(without)) == {"hotfix.reason"}
	every reason in ["", " ", null] {
		blank := object.union(_hotfix.request, {"reason": reason})
		_denying(_decide(object.union(_hotfix, {"request": blank}))) == {"hotfix.reason"}
	}
}

_never := {
	"approval.missing": object.union(_hotfix, {"approvals": []}),
	"evidence.unlisted_key": object.union(_hotfix, {"evidence": [object.union(t.production.evidence[0], {"key_ids": ["k9"]})]}),
	"policy.inactive": object.union(_hotfix, {"ledger": object.union(_hotfix.ledger, {"policy_digest": "sha256:o"})}),
	"calibration.ece": object.union(_hotfix, {"evidence": t.changed("calibration.ece", t.whole, {
		"bounds": t.bounds(0.3, 0.4),
		"estimate": 0.35,
	})}),
	"parity.mismatch": object.union(_hotfix, {"evidence": t.changed("parity.mismatch", t.whole, {
		"bounds": t.bounds(0.3, 0.3),
		"estimate": 0.3,
	})}),
	"data.rows": object.union(_hotfix, {"evidence": t.changed("data.rows", t.whole, {
		"bounds": t.bounds(3, 3),
		"estimate": 3,
	})}),
}

test_evidence_authority_data_parity_and_calibration_are_never_left if {
	every code, spoilt in _never {
		code in _denying(_decide(spoilt)) with data.release.hotfix.shorten as [code]
	}
}

test_what_holds_is_not_left_for_later_and_nothing_is_where_hotfixes_are_not_known if {
	held := {"code": "ladder.skipped", "disposition": "satisfied"}
	denying := {"code": "ladder.skipped", "disposition": "denies"}
	hotfix.applied(held) == held with input as _skipped
	hotfix.applied(denying).disposition == "shortened" with input as _skipped
	hotfix.applied(denying) == denying with input as _skipped with input.request.environment as "staging"
}

test_nothing_is_asked_of_what_is_no_hotfix if {
	unreasoned := {key: value | some key, value in t.production.request; key != "reason"}
	rules.results == set() with input as t.production
		with input.request as unreasoned
		with input.ledger.hotfix_until_us as 1
}
