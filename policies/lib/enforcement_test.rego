package gates.lib.enforcement_test

import data.gates.lib.enforcement
import data.gates.main
import data.gates.testing as t

_path(rest) := concat("/", ["overrides/production/enforcement", rest])

_levels(said, named, now) := [level |
	some check in ["calibration.ece", "calibration.bin", "data.rows", "nobody.knows"]
	level := _level(check, said, named, now)
]

_level(check, said, named, now) := found if {
	found := enforcement.level(check) with input as t.production
		with input.request.effective_time_us as now
		with input.ledger.loosened as named
		with data.overrides.production.enforcement as said
}

_all := [_path("all"), _path("rules/calibration"), _path("rules/calibration.ece")]

test_the_smallest_word_counts if {
	said := {"all": {"level": "observe"}, "rules": {
		"calibration": {"level": "warn"},
		"calibration.ece": {"level": "deny"},
	}}
	_levels(said, _all, 1) == ["deny", "warn", "observe", "observe"]
	_levels({"all": {"level": "warn"}}, _all, 1) == ["warn", "warn", "warn", "warn"]
	_levels({"rules": {"calibration.ece": {"level": "observe"}}}, _all, 1) == ["observe", "deny", "deny", "deny"]
	_levels({}, _all, 1) == ["deny", "deny", "deny", "deny"]
}

test_what_the_ledger_does_not_name_denies if {
	said := {"all": {"level": "observe"}, "rules": {"calibration": {"level": "warn"}}}
	_levels(said, [], 1) == ["deny", "deny", "deny", "deny"]
	_levels(said, [_path("all")], 1) == ["deny", "deny", "observe", "observe"]
	_levels(said, ["all", "overrides/staging/enforcement/all"], 1) == ["deny", "deny", "deny", "deny"]
}

test_development_needs_no_name if {
	enforcement.level("calibration.ece") == "observe" with input as t.development
		with data.overrides.development.enforcement as {"all": {"level": "observe"}}
}

test_an_unknown_level_denies if {
	every said in [{"level": "off"}, {"level": null}, {}, {"level": "off", "before": "off", "enforce_from_us": 9}] {
		_levels({"all": said}, _all, 1) == ["deny", "deny", "deny", "deny"]
	}
}

test_until_its_time_a_rule_is_milder if {
	said := {"rules": {"calibration.ece": {"level": "deny", "before": "warn", "enforce_from_us": 10}}}
	[_level("calibration.ece", said, _all, now) | some now in [9, 10, 11]] == ["warn", "deny", "deny"]
	text := {"rules": {"calibration.ece": {"level": "deny", "before": "warn", "enforce_from_us": "10"}}}
	_level("calibration.ece", text, _all, 9) == "deny"
}

test_what_is_loosened_and_what_is_unknown if {
	said := {"all": {"level": "warn"}, "rules": {
		"calibration": {"level": "deny"},
		"calibration.ece": {"level": "deny", "before": "warn", "enforce_from_us": 10},
		"release.trust": {"level": "observe"},
		"trust": {"level": "deny"},
	}}
	enforcement.loosened("production") == {_path("all"), _path("rules/calibration.ece"), _path("rules/release.trust")} with data.overrides.production.enforcement as said
	enforcement.unknown("production") == {_path("rules/release.trust"), _path("rules/trust")} with data.overrides.production.enforcement as said
	main.activation == {
		"loosened": {_path("all"), _path("rules/calibration.ece"), _path("rules/release.trust")},
		"unknown": {_path("rules/release.trust"), _path("rules/trust")},
	} with input as {"environment": "production"}
		with data.overrides.production.enforcement as said
}

_decided(said, named, evidence) := answer if {
	answer := main.decision with input as t.production
		with input.evidence as evidence
		with input.ledger.loosened as named
		with data.overrides.production.enforcement as said
		with data.models.m as t.facts
		with data.trust as t.trust
}

_bad := t.changed("calibration.ece", t.whole, {"estimate": 0.03, "bounds": t.bounds(0.025, 0.04)})

_dispositions(answer) := {[result.code, result.disposition] |
	some result in answer.results
	result.disposition != "satisfied"
}

test_what_would_deny_is_told if {
	every level, word in {"observe": "observed", "warn": "warned"} {
		answer := _decided({"rules": {"calibration.ece": {"level": level}}}, _all, _bad)
		answer.allow == true
		answer.basis == "unenforced"
		answer.valid_until_us == 1792592000000000
		_dispositions(answer) == {["calibration.ece", word]}
	}
}

_observe := {"all": {"level": "observe"}}

test_what_is_missing_always_denies if {
	gone := t.without("calibration.ece", t.whole)
	answer := _decided(_observe, _all, gone)
	answer.allow == false
	count(answer.missing) == 1
	_dispositions(answer) == {["check.missing", "denies"]}
	every evidence in [[], t.evidence([])] {
		nothing := _decided(_observe, _all, evidence)
		nothing.allow == false
		count(nothing.missing) > 10
		not "observed" in {word | some [_, word] in _dispositions(nothing)}
	}
	_observed_missing(1) == false
	_observed_missing(0) == true
}

# Without a result of its own, too.
_observed_missing(number) := answer.allow if {
	lacking := {"environment": "production", "check": "calibration.ece", "role": "prove", "slice": t.whole}
	missing := {lacking | number > 0}
	answer := _decided(_observe, _all, _bad) with data.gates.lib.present.missing as missing
}

test_what_is_not_to_be_believed_always_denies if {
	answer := _decided(_observe, _all, t.changed("calibration.ece", t.whole, {"family": {"name": "calibration.ece", "size": 1}}))
	answer.allow == false
	_dispositions(answer) == {["family.too_small", "denies"]}
	every code in ["slices.incomplete", "limit.missing", "looks.exhausted", "check.unknown", "unmeasured.other"] {
		result := {"check": "calibration.ece", "verdict": "error", "disposition": "denies", "code": code}
		_applied(result) == result
	}
}

_applied(result) := found if {
	found := enforcement.applied(result) with input as t.production
		with input.ledger.loosened as _all
		with data.overrides.production.enforcement as _observe
}

test_a_reason_why_there_is_no_figure_is_told if {
	every verdict in ["error", "inconclusive"] {
		result := {"check": "calibration.ece", "verdict": verdict, "disposition": "denies", "code": "unmeasured.one_class"}
		_applied(result).disposition == "observed"
	}
}

test_an_unnamed_level_denies_and_says_so if {
	answer := _decided({"all": {"level": "observe"}}, [], _bad)
	answer.allow == false
	_dispositions(answer) == {["calibration.ece", "denies"], ["override.loosened", "denies"]}
}

test_trust_always_denies if {
	said := {"all": {"level": "observe"}, "rules": {"release.trust": {"level": "observe"}}}
	named := [_path("all"), _path("rules/release.trust")]
	answer := main.decision with input as t.production
		with input.policy.digest as "sha256:other"
		with input.approvals as []
		with input.request.candidate.digest as "sha256:other"
		with input.ledger.loosened as named
		with data.overrides.production.enforcement as said
		with data.models.m as t.facts
		with data.trust as t.trust
	answer.allow == false
	{code | some [code, word] in _dispositions(answer); word == "denies"} == {
		"approval.missing",
		"ladder.skipped",
		"override.unknown",
		"policy.inactive",
		"subject.mismatch",
	}
}

test_rules_of_slices_are_of_figures if {
	result := {"check": "calibration.ece", "rule": "release", "verdict": "fail", "disposition": "denies", "code": "slices.undecided"}
	answer := main.decision with input as t.production
		with input.ledger.loosened as [_path("all")]
		with data.gates.release.slices.results as {result}
		with data.overrides.production.enforcement as {"all": {"level": "observe"}}
		with data.models.m as t.facts
		with data.trust as t.trust
	answer.allow == true
	_dispositions(answer) == {["slices.undecided", "observed"]}
}
