package gates.checks.regression_test

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
