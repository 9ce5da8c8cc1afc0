package gates.release.ready_test

import data.gates.release.ready
import data.gates.testing as t

_codes(rollback) := {result.code |
	found := ready.results with input as _input(rollback)
	some result in found
}

# Not the union of the two: that would keep what is to be taken out.
_input(rollback) := object.union({k: v | some k, v in t.production; k != "rollback"}, {"rollback": rollback})

_with(part, state) := _saying({said |
	some said in t.production.rollback.parts
	said.part != part
} | {{"part": part, "state": state}})

_saying(said) := object.union(t.production.rollback, {"parts": [one | some one in said]})

_without(part) := object.union(t.production.rollback, {"parts": [said |
	some said in t.production.rollback.parts
	said.part != part
]})

_parts := {"artifact", "image", "feature_views", "data_snapshot", "golden"}

test_the_golden_one if _codes(t.production.rollback) == set()

test_each_part_that_is_gone_denies if {
	every part in _parts {
		_codes(_with(part, "gone")) == {"rollback.gone"}
		_codes(_with(part, "changed")) == {"rollback.gone"}
	}
}

test_each_part_that_nobody_speaks_of_denies if {
	every part in _parts {
		_codes(_without(part)) == {"rollback.unsaid"}
		_codes(_with(part, "unsaid")) == {"rollback.unsaid"}
	}
}

test_what_a_release_may_lack if {
	every part in {"image", "feature_views", "data_snapshot"} {
		_codes(_with(part, "lacked")) == set()
	}
	every part in {"artifact", "golden"} {
		_codes(_with(part, "lacked")) == {"rollback.unsaid"}
	}
}

test_good_and_gone_at_once_is_gone if {
	twice := {said | some said in t.production.rollback.parts} | {{"part": "golden", "state": "gone"}}
	_codes(_saying(twice)) == {"rollback.gone"}
	found := ready.results with input as _input(_with("golden", "gone"))
	{result.item.name | some result in found} == {"golden"}
}

test_another_release_was_looked_at if {
	_codes(object.union(t.production.rollback, {"release_digest": "sha256:other"})) == {"rollback.unread"}
	found := ready.results with input as {k: v | some k, v in t.production; k != "rollback"}
	{result.code | some result in found} == {"rollback.unread", "rollback.window"}
}

test_kept_for_the_window if {
	_codes(object.union(t.production.rollback, {"kept_s": 86399})) == {"rollback.window"}
	unsaid := {k: v | some k, v in t.production.rollback; k != "kept_s"}
	_codes(unsaid) == {"rollback.window"}
	found := ready.results with input as _input(unsaid)
		with data.release.environments.production.rollback as {"parts": ["artifact"]}
	count(found) == 0
}

test_a_first_release_has_no_way_back_and_says_so if {
	first := {k: v | some k, v in t.production.ledger; k != "release"}
	found := ready.results with input as object.union(
		{k: v | some k, v in t.production; not k in {"ledger", "rollback"}},
		{"ledger": first},
	)
	{[result.code, result.disposition] | some result in found} == {["rollback.first", "tolerated"]}
	every rollback in [_with("golden", "gone"), _with("golden", "unsaid")] {
		lost := ready.results with input as _input(rollback) with input.ledger as first
		{result.code | some result in lost} == {"rollback.first"}
	}
}

test_not_asked_in_staging if {
	found := ready.results with input as {k: v | some k, v in t.production; k != "rollback"}
		with input.request.environment as "staging"
	count(found) == 0
	first := ready.results with input as t.first with input.request.environment as "staging"
	count(first) == 0
}

test_development_does_not_ask if {
	every document in [t.first, _input(_with("golden", "gone"))] {
		found := ready.results with input as document
			with input.request.environment as "development"
			with data.release.environments.development as data.release.environments.production
		count(found) == 0
	}
}
