package gates.release.waivers_test

import data.gates.lib.judge
import data.gates.main
import data.gates.release.waivers as rules
import data.gates.testing as t

_trust := {"keys": t.array_of({key | some key in t.trust.keys} | {
	{"key_id": "k4", "identity": "ada@acme", "person": "ada", "roles": ["measure"]},
	{"key_id": "k5", "identity": "ada2@acme", "person": "ada", "roles": ["approve:risk"]},
	{"key_id": "k6", "identity": "applier@acme", "person": "app", "roles": ["approve:risk"]},
	{"key_id": "k7", "identity": "nils@acme", "person": "nils", "roles": ["approve:risk"]},
})}

# What is waived wants one person more.
_three := [approval | some part in [t.production.approvals, [t.approval("k7", "risk")]]; some approval in part]

_approval(key_id) := {"digest": concat("", ["by ", key_id]), "key_ids": [key_id], "statement": {
	"waiver_digest": "w",
	"model": "m",
	"environment": "production",
	"time_us": t.now,
}}

_approval_of(digest) := object.union(_approval("k3"), {"statement": {"waiver_digest": digest}})

_slice := t.slice("UA")

_waiver := {
	"kind": "waiver",
	"model": "m",
	"environment": "production",
	"candidate": t.candidate,
	"accepted": [_accepted("calibration.ece", _slice, 0.03, 0.04)],
	"time_us": t.now,
	"from_us": t.now,
	"until_us": 1790259200000000,
}

_accepted(check, slice, limit, ceiling) := {
	"check": check,
	"slice": slice,
	"accepts": {"limit": limit, "ceiling": ceiling, "inclusive": true},
}

_signed(change) := {
	"digest": "w",
	"key_ids": ["k4"],
	"statement": object.union(_waiver, change),
	"approvals": [_approval("k3")],
}

_good := _signed({})

# The figure is at .03, proven bad: the limit is .02.
_bad := t.changed("calibration.ece", _slice, {"estimate": 0.03, "bounds": t.bounds(0.025, 0.04)})

_decided(waivers, evidence) := answer if {
	answer := main.decision with input as t.production
		with input.evidence as evidence
		with input.waivers as waivers
		with input.approvals as _three
		with data.models.m as t.facts
		with data.trust as _trust
}

_codes(answer, disposition) := {[result.check, result.code] |
	some result in answer.results
	result.disposition == disposition
}

# What is said of waivers of one bad figure alone: cheaper than a whole decision.
_note(waivers) := codes if {
	codes := {result.code | some result in rules.results} with input as t.production
		with input.evidence as _alone
		with input.waivers as waivers
		with data.gates.lib.asked.requirements as {_asked}
		with data.trust as _trust
}

_asked := {"environment": "production", "check": "calibration.ece", "role": "no-harm", "slice": _slice}

_alone := t.evidence([object.union(
	t.figure("calibration.ece", "candidate", 0, 1),
	{"slice": _slice, "estimate": 0.03, "bounds": t.bounds(0.025, 0.04)},
)])

_covers(waiver) if {
	found := judge.results with input as t.production
		with input.evidence as _alone
		with input.waivers as [waiver]
		with data.gates.lib.asked.requirements as {_asked}
		with data.trust as _trust
	{result.disposition | some result in found} == {"waived"}
}

test_without_one_it_denies if {
	answer := _decided([], _bad)
	answer.allow == false
	_codes(answer, "denies") == {["calibration.ece", "calibration.ece"]}
}

test_a_waiver_covers_the_figure_and_the_verdict_stays if {
	answer := _decided([_good], _bad)
	answer.allow == true
	answer.basis == "provisional"
	answer.waivers == {"w"}
	waived := {result | some result in answer.results; result.disposition == "waived"}
	waived == {{
		"check": "calibration.ece",
		"subject": "candidate",
		"slice": _slice,
		"rule": "at_most",
		"verdict": "fail",
		"disposition": "waived",
		"code": "calibration.ece",
		"limit": "thresholds/production/limits/calibration.ece/high",
		"waiver": "w",
	}}
	_note([_good]) == set()
}

test_what_rests_on_a_waiver_ends_with_it if {
	_decided([_good], _bad).valid_until_us == 1790259200000000
	_decided([_signed({"until_us": 1790000000000001})], _bad).valid_until_us == 1790000000000001
	long := _decided([_good], t.evidence(t.figures))
	long.valid_until_us == 1797776000000000
	long.waivers == set()
}

test_an_undecided_figure_is_waived_too if {
	open := t.changed("calibration.ece", t.whole, {"estimate": 0.019, "bounds": t.bounds(0.01, 0.04)})
	answer := _decided([_signed({"accepted": [_accepted("calibration.ece", t.whole, 0.03, 0.04)]})], open)
	answer.allow == true
	{result.verdict | some result in answer.results; result.disposition == "waived"} == {"inconclusive"}
}

test_a_worse_figure_is_not_covered if {
	worse := [
		{"estimate": 0.030000000000000002},
		{"bounds": t.bounds(0.025, 0.04000000000000001)},
		{"bounds": t.bounds(0.025, "unbounded")},
		{"debiased": 0.031},
	]
	every change in worse {
		figure := object.union(_alone[0].measurements[0], change)
		codes := {result.code | some result in rules.results} with input as t.production
			with input.evidence as t.evidence([figure])
			with input.waivers as [_good]
			with data.gates.lib.asked.requirements as {_asked}
			with data.trust as _trust
		codes == {"waiver.exceeded"}
	}
	_decided([_good], t.changed("calibration.ece", _slice, {"estimate": 0.031, "bounds": t.bounds(0.025, 0.04)})).allow == false
}

test_a_better_one_is if {
	better := t.changed("calibration.ece", _slice, {"estimate": 0.025, "bounds": t.bounds(0.021, 0.03)})
	_decided([_good], better).allow == true
}

test_later_looks_do_not_change_what_was_accepted if {
	wide := [{"confidence": c, "lower": 0.025, "upper": upper} | some i, c in t.ladder; upper := [0.04, 0.05][min([i, 1])]]
	answer := main.decision with input as t.production
		with input.evidence as t.changed("calibration.ece", _slice, {"estimate": 0.03, "bounds": wide})
		with input.ledger.looks as 5
		with input.waivers as [_good]
		with input.approvals as _three
		with data.models.m as t.facts
		with data.trust as _trust
	answer.allow == true
}

test_another_place_is_not_covered if {
	places := [
		_accepted("calibration.ece", t.whole, 0.5, 0.5),
		_accepted("calibration.ece", t.slice("OO"), 0.5, 0.5),
		_accepted("calibration.bin", _slice, 0.5, 0.5),
		object.union(_accepted("calibration.ece", _slice, 0.5, 0.5), {"item": {"kind": "bin", "name": "1"}}),
	]
	every place in places {
		not _covers(_signed({"accepted": [place]}))
		_note([_signed({"accepted": [place]})]) == {"waiver.unused"}
	}
}

test_unused_is_said_and_harms_nobody if {
	answer := _decided([_good], t.evidence(t.figures))
	answer.allow == true
	answer.basis == "proven"
	_codes(answer, "tolerated") == {["release.waivers", "waiver.unused"]}
}

_void := {
	"waiver.void": [
		_signed({"model": "n"}),
		_signed({"environment": "staging"}),
		_signed({"candidate": {"name": "m", "version": "7", "digest": "sha256:other"}}),
		_signed({"kind": "other"}),
	],
	"waiver.early": [_signed({"from_us": 1790000000000001}), _signed({"time_us": 1790000000000001})],
	"waiver.expired": [_signed({"from_us": 1, "until_us": t.now})],
	"waiver.too_long": [_signed({"until_us": 1791209600000001}), _signed({"kind": "other"})],
	"waiver.never": [
		_signed({"accepted": [_accepted("release.trust", _slice, 1, 1), _accepted("calibration.ece", _slice, 0.03, 0.04)]}),
		_signed({"accepted": []}),
	],
	"waiver.unlisted_key": [object.union(_good, {"key_ids": ["k9"]}), object.union(_good, {"key_ids": []})],
	"waiver.unapproved": [
		object.union(_good, {"approvals": []}),
		object.union(_good, {"approvals": [_approval("k1")]}),
		object.union(_good, {"approvals": [_approval("k9")]}),
		object.union(_good, {"digest": "v"}),
		_changed_approval({"model": "n"}),
		_changed_approval({"environment": "staging"}),
		_changed_approval({"time_us": 1790000000000001}),
	],
	"waiver.self_approved": [
		object.union(_good, {"approvals": [_approval("k5")]}),
		object.union(_good, {"approvals": [_approval("k6")]}),
		object.union(_good, {"key_ids": ["k3"]}),
		object.union(_good, {"key_ids": ["k4", "k3"]}),
	],
}

_changed_approval(change) := object.union(_good, {"approvals": [object.union(
	_approval("k3"),
	{"statement": object.union(_approval("k3").statement, change)},
)]})

test_one_that_does_not_count_says_why if {
	every code, waivers in _void {
		every waiver in waivers {
			not _covers(waiver)
			code in _note([waiver])
		}
	}
	_note([_signed({"until_us": 1791209600000000})]) == set()
	_note([object.union(_good, {"approvals": []})]) == {"waiver.unapproved"}
	_covers(_good)
}

test_whoever_started_the_job_approves_none if {
	answer := main.decision with input as t.production
		with input.evidence as _bad
		with input.waivers as [_good]
		with input.request.triggered_by as ["rolf@acme"]
		with data.models.m as t.facts
		with data.trust as _trust
	"waiver.self_approved" in {result.code | some result in answer.results}
}

test_two_approvals_one_of_somebody_else if {
	both := object.union(_good, {"approvals": [_approval("k5"), _approval("k3")]})
	_decided([both], _bad).allow == true
}

test_an_expired_one_is_reported_beside_one_in_force if {
	old := object.union(_signed({"from_us": 1, "until_us": 2}), {"digest": "old", "approvals": [_approval_of("old")]})
	answer := _decided([old, _good], _bad)
	answer.allow == true
	answer.waivers == {"w"}
	notes := {[result.code, result.waiver] | some result in answer.results; result.check == "release.waivers"}
	notes == {["waiver.expired", "old"]}
}

# Whatever stands under data.gates.release denies, whatever a waiver says.
test_trust_is_never_waived if {
	every name in ["subject", "trust", "freshness", "ladder", "champion", "approvals", "aliases", "new"] {
		check := concat(".", ["release", name])
		result := {"check": check, "rule": "release", "verdict": "fail", "disposition": "denies", "code": "x"}
		waiver := _signed({"accepted": [_accepted(check, t.whole, 1, 1)]})
		answer := main.decision with input as t.production
			with input.waivers as [waiver]
			with data.gates.release.aliases.results as {result}
			with data.models.m as t.facts
			with data.trust as _trust
		answer.allow == false
		answer.waivers == set()
		["release.waivers", "waiver.never"] in _codes(answer, "tolerated")
	}
}

test_no_figure_is_never_waived if {
	gone := [t.without("calibration.ece", _slice), t.changed("calibration.ece", _slice, t.unmeasured("nan_scores"))]
	every evidence in gone {
		answer := _decided([_good], evidence)
		answer.waivers == set()
	}
	_decided([_signed({"accepted": [_accepted("calibration.ece", t.whole, 1, 1)]})], t.without("calibration.ece", t.whole)).allow == false
	_decided(
		[_signed({"accepted": [_accepted("calibration.ece", t.whole, 1, 1)]})],
		t.changed("calibration.ece", t.whole, t.unmeasured("nan_scores")),
	).allow == false
}

# A baseline names no version and many checks, and may last longer.
_baseline := object.union(
	_signed({}),
	{"statement": object.union(
		{key: value | some key, value in _waiver; key != "candidate"},
		{
			"kind": "baseline",
			"until_us": 1795184000000000,
			"accepted": [
				_accepted("calibration.ece", _slice, 0.03, 0.04),
				_accepted("regression.brier_vs_baseline", t.whole, 1.1, 1.2),
			],
		},
	)},
)

test_a_baseline_covers_whatever_version if {
	other := {"name": "m", "version": "8", "digest": "sha256:candidate"}
	answer := main.decision with input as t.production
		with input.request.candidate as other
		with input.evidence as _bad
		with input.waivers as [_baseline]
		with input.approvals as _three
		with data.models.m as t.facts
		with data.trust as _trust
	answer.allow == true
	answer.waivers == {"w"}
	_codes(answer, "tolerated") == {["release.waivers", "waiver.unused"]}
}

test_a_new_failure_and_a_worse_one_deny_beside_a_baseline if {
	worse := t.changed("calibration.ece", _slice, {"estimate": 0.031, "bounds": t.bounds(0.025, 0.04)})
	_codes(_decided([_baseline], worse), "denies") == {["calibration.ece", "calibration.ece"]}
	new := t.changed("calibration.ece", t.whole, {"estimate": 0.03, "bounds": t.bounds(0.025, 0.04)})
	_codes(_decided([_baseline], new), "denies") == {["calibration.ece", "calibration.ece"]}
}

test_two_sides_are_accepted_as_two if {
	place := {"kind": "bin", "name": "1"}
	low := [figure |
		some before in t.figures
		figure := _lowered(before)
	]
	evidence := t.evidence(low)
	accepts := {"limit": 0.05, "ceiling": 0.05, "inclusive": true, "mirror": {"limit": -0.08, "ceiling": -0.09}}
	both := {"check": "calibration.bin", "slice": t.whole, "item": place, "accepts": accepts}
	_decided([_signed({"accepted": [both]})], evidence).allow == true
	one := {"check": "calibration.bin", "slice": t.whole, "item": place, "accepts": {
		"limit": 0.05,
		"ceiling": 0.05,
		"inclusive": true,
	}}
	_decided([_signed({"accepted": [one]})], evidence).allow == false
}

_lowered(figure) := object.union(figure, {"estimate": -0.08, "bounds": t.bounds(-0.09, -0.07)}) if {
	figure.check == "calibration.bin"
	figure.item.name == "1"
} else := figure
