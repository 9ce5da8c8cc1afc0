package gates.lib.families_test

import data.gates.testing as t

test_a_family_is_as_large_as_what_is_judged if {
	t.codes(t.decided(_ece_family(3)), "denies") == set()
	t.codes(t.decided(_ece_family(2)), "denies") == {"family.too_small"}
	t.codes(t.decided(_ece_family(12)), "denies") == set()
	t.codes(t.decided(_ece_family(13)), "denies") == {"family.padded"}
	unasked := {"kind": "value", "column": "origin", "value": "JFK"}
	t.codes(t.decided(_and_ece(_ece_family(3), unasked, 3)), "denies") == set()
	t.codes(t.decided(_and_ece(_ece_family(2), unasked, 2)), "denies") == {"family.too_small"}
	t.codes(t.decided(_and_ece(_ece_family(13), unasked, 13)), "denies") == set()
	unnamed := t.evidence([after | some f in t.figures; after := _if_ece(f, {"family": "none"})])
	t.codes(t.decided(unnamed), "denies") == {"family.too_large"}
}

test_each_class_may_be_looked_at if {
	answer := t.decision with input as t.production
		with input.plan.body.columns.classes as ["a", "b"]
		with input.evidence as _ece_family(24)
		with data.models.m as t.facts
		with data.trust as t.trust
	not "family.padded" in t.codes(answer, "denies")
}

test_a_census_needs_no_correction if {
	found := t.evidence([after | some f in t.figures; after := _if_ece(f, {"scope": "census", "family": {"name": "f", "size": 1}})])
	t.codes(t.decided(found), "denies") == set()
}

_ece_family(size) := t.evidence([after |
	some f in t.figures
	after := _if_ece(f, {"family": {"name": "calibration.ece", "size": size}})
])

_and_ece(evidence, slice, size) := t.evidence([f | some part in [evidence[0].measurements, [more]]; some f in part]) if {
	whole := t.figure("calibration.ece", "candidate", 0, 0.01)
	more := t.at(whole, {"slice": slice, "family": {"name": "calibration.ece", "size": size}})
}

_if_ece(figure, change) := object.union(figure, change) if {
	figure.check == "calibration.ece"
} else := figure

test_looks_and_families_end if {
	t.denied == {"looks.exhausted"} with input as t.production
		with input.ledger.looks as 225
		with data.models.m as t.facts
		with data.trust as t.trust
	t.codes(t.decided(t.ece({"family": {"size": 50001}})), "denies") == {"family.too_large"}
	t.codes(t.decided(t.ece({"bounds": t.bounds(0.03, 0.01)})), "denies") == {"bounds.invalid"}
}

test_an_unknown_look_is_no_first_look if {
	t.denied == {"looks.exhausted"} with input as t.production
		with input.ledger as {k: v | some k, v in t.production.ledger; k != "looks"}
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_no_class_is_not_none if {
	answer := t.decision with input as t.production
		with input.plan.body.columns.classes as []
		with input.evidence as _ece_family(12)
		with data.models.m as t.facts
		with data.trust as t.trust
	not "family.padded" in t.codes(answer, "denies")
}

test_what_was_not_measured_is_no_claim_of_its_family if {
	few := t.unmeasured("few_clusters")
	unmeasured := [after | some f in _ece_family(2)[0].measurements; after := _if_ece_of(f, "OO", few)]
	t.codes(t.decided(t.evidence(unmeasured)), "denies") == set()
	t.codes(t.decided(_ece_family(2)), "denies") == {"family.too_small"}
}

_if_ece_of(figure, value, change) := _if_ece(figure, change) if {
	figure.slice.value == value
} else := figure
