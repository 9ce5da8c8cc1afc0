package gates.checks.data_contract_test

import data.gates.testing as t

_with(figure) := t.array_of({each | some each in t.figures} | {figure})

_promised(check, value) := found if {
	figure := object.union(
		t.figure(check, "data", value, value),
		{"item": {"kind": "rule", "name": "holdout: id.required"}},
	)
	tables := {{"role": role} | some role in t.asked.roles} | {{"role": "holdout", "contract": "c.yaml", "champion_contract": "d.yaml"}}
	found := t.denied with input as t.production
		with input.evidence as t.evidence(_with(figure))
		with input.plan.body.tables as t.array_of(tables)
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_a_contract_that_nobody_measured if {
	missing := {r.check |
		some r in t.decision.missing with input as t.production
			with input.evidence as t.evidence(_with(t.figure("data.contract", "data", 0, 0)))
			with input.plan.body.tables as [{"role": "holdout", "contract": "c.yaml"}]
			with data.models.m as t.facts
			with data.trust as t.trust
	}
	"data.contract_incomplete" in missing
	not "data.contract" in missing
}

test_rules_of_a_contract if {
	"data.contract" in _promised("data.contract", 1)
	not "data.contract" in _promised("data.contract", 0)
	"data.contract_incomplete" in _promised("data.contract_incomplete", 1)
	"data.contract_breaking" in _promised("data.contract_breaking", 1)
}
