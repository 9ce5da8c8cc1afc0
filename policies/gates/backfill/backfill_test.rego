package gates.checks.backfill_test

import data.gates.main
import data.gates.testing as t

_tables := ["live", "shadow"]

_of_all := {
	"backfill.columns",
	"backfill.row_difference",
	"backfill.keys_missing",
	"backfill.keys_added",
	"backfill.keys_repeated",
	"backfill.changed_outside_window",
}

_asked(roles, backfill) := {r.check |
	plan := main.plan with input as object.union(t.asked, {"roles": roles, "backfill": backfill})
	some r in plan.requirements
	r.environment == "production"
	r.check in _every
}

test_what_a_spec_brings_is_required if {
	_asked(["live"], {"known": []}) == set()
	_asked(_tables, {"known": []}) == _of_all
	_asked(_tables, {"known": ["seen"], "lateness_s": 0}) == _of_all | {"backfill.late_rows", "backfill.known_later"}
	_asked(["live", "shadow", "rerun", "training"], {"known": ["seen"], "lateness_s": 0, "ttl_s": 0}) == _every
}

_golden := object.union(t.production, {"plan": object.union(t.production.plan, {"body": object.union(t.plan, {
	"tables": [{"role": role} | some role in ["training", "holdout", "offline", "online", "live", "shadow", "rerun"]],
	"backfill": {"known": ["seen"], "lateness_s": 60, "ttl_s": 60},
})})})

_every := ((_of_all | {"backfill.rerun_difference"}) | {"backfill.mixed_training"}) | {
	"backfill.late_rows",
	"backfill.known_later",
	"backfill.expired_rows",
}

_judged(changes) := {code | some code in codes; code != "plan.mismatch"} if {
	measured := {t.figure(check, "data", value, value) |
		some check in _every
		value := object.get(changes, check, 0)
		value != "absent"
	}
	codes := t.denied with input as _golden
		with input.evidence as t.evidence(t.array_of({f | some f in t.figures} | measured))
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_one_row_is_one_too_many if {
	_judged({}) == set()
	_judged({check: 1 | some check in _every}) == _every
}

test_absent_is_not_good if {
	_judged({"backfill.keys_added": "absent"}) == {"check.missing"}
}

test_a_partition_denies_beside_the_whole if {
	day := t.at(t.figure("backfill.keys_missing", "data", 2, 2), {"item": {"kind": "partition", "name": "2013-01-01"}})
	whole := {t.figure(check, "data", 0, 0) | some check in _every}
	"backfill.keys_missing" in t.denied with input as _golden
		with input.evidence as t.evidence(t.array_of((({f | some f in t.figures} | whole) | {day})))
		with data.models.m as t.facts
		with data.trust as t.trust
}
