package gates.checks.regression_test

import data.gates.checks.regression as checks
import data.gates.testing as t

_denied(check, bounds) := found if {
	found := t.denied with input as t.production
		with input.evidence as t.changed(check, t.whole, {"bounds": bounds})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_margins_at_tier_high if {
	_denied("regression.auc_vs_champion", t.bounds(-0.01, 0)) == set()
	_denied("regression.auc_vs_champion", t.bounds(-0.03, -0.010000000000000002)) == {"regression.auc_vs_champion"}
	_denied("regression.log_loss_vs_champion", t.bounds(1, 1.02)) == set()
	_denied("regression.log_loss_vs_champion", t.bounds(1.0200000000000002, 2)) == {"regression.log_loss_vs_champion"}
	_denied("regression.brier_vs_champion", t.bounds(1, 1.02)) == set()
	_denied("regression.brier_vs_champion", t.bounds(1.0200000000000002, 2)) == {"regression.brier_vs_champion"}
}

test_no_skill if {
	_denied("regression.brier_vs_baseline", t.bounds(0.9, 0.9999999999999999)) == set()
	_denied("regression.brier_vs_baseline", t.bounds(1, 1.1)) == {"regression.brier_vs_baseline"}
}

test_a_slice_proven_worse_denies if {
	t.denied == {"regression.auc_vs_champion"} with input as t.production
		with input.evidence as t.changed("regression.auc_vs_champion", t.slice("UA"), {"bounds": t.bounds(-0.3, -0.2)})
		with data.models.m as t.facts
		with data.trust as t.trust
}

_asking(check) := object.union(t.facts, {"required": [{"check": check, "environments": ["production"]}]})

# The golden plan does not know of what these owners require besides.
_codes(figure) := {code | some code in found; code != "plan.mismatch"} if {
	found := t.denied with input as t.production
		with input.evidence as t.evidence(t.array_of({one | some one in t.figures} | {figure}))
		with data.models.m as _asking(figure.check)
		with data.trust as t.trust
}

test_superiority_asks_for_more_than_no_loss if {
	_codes(t.figure("regression.auc_superiority", "pair", 0.001, 0.01)) == set()
	_codes(t.figure("regression.auc_superiority", "pair", 0, 0.01)) == {"regression.auc_superiority.inconclusive"}
	_codes(t.figure("regression.auc_superiority", "pair", -0.02, 0)) == {"regression.auc_superiority"}
	_codes(t.figure("regression.log_loss_superiority", "pair", 0.9, 0.99)) == set()
}

test_the_anchor_gives_two_margins if {
	_denied("regression.auc_vs_anchor", t.bounds(-0.02, 0)) == set()
	_denied("regression.auc_vs_anchor", t.bounds(-0.05, -0.021)) == {"regression.auc_vs_anchor"}
	_denied("regression.log_loss_vs_anchor", t.bounds(1.041, 1.1)) == {"regression.log_loss_vs_anchor"}
	_denied("regression.brier_vs_anchor", t.bounds(1.041, 1.1)) == {"regression.brier_vs_anchor"}
}

test_gold_figures_are_held_against_no_champion if {
	_gold(t.figure("regression.gold_brier_vs_baseline", "pair", 0.9, 0.9999999999999999)) == set()
	_gold(t.figure("regression.gold_brier_vs_baseline", "pair", 0.9, 1)) == {"regression.gold_brier_vs_baseline.inconclusive"}
	_gold(t.figure("regression.gold_brier_vs_baseline", "pair", 1, 1.1)) == {"regression.gold_brier_vs_baseline"}
}

_gold(figure) := {code | some code in _codes(figure); code != "gold.mismatch"}

# Of more than two classes, where no figure has a champion beside it.
_several(figure) := t.judged(object.union(t.production, {"plan": {"body": {"task": "multiclass"}}}), "prove", figure)

_passed(code) := {["pass", "satisfied", concat(".", [code, "passed"])]}

_failed(code) := {["fail", "denies", code]}

test_several_classes_have_a_gold_table_too if {
	skill := "regression.gold_brier_vs_baseline"
	"multiclass" in checks.checks[skill].tasks
	checks.checks[skill].gold
	_several(t.figure(skill, "pair", 0.9, 0.99)) == _passed(skill)
	_several(t.figure(skill, "pair", 1, 1.01)) == _failed(skill)
}

_slow := t.at(t.figure("regression.latency_vs_champion", "pair", 1.3, 1.5), {"item": {"kind": "metric", "name": "p95"}})

test_times_beside_other_work_are_advice if {
	_codes(_slow) == {"regression.latency_vs_champion"}
	_codes(t.at(_slow, {"params": [{"name": "shared_runner", "value": false}]})) == {"regression.latency_vs_champion"}
	_codes(t.at(_slow, {"params": [{"name": "shared_runner", "value": true}]})) == set()
	_codes(t.at(_slow, {"params": [{"name": "warmed", "value": true}]})) == {"regression.latency_vs_champion"}
	unsure := t.at(_slow, {"bounds": t.bounds(1, 1.3), "params": [{"name": "shared_runner", "value": true}]})
	_codes(unsure) == set()
}
