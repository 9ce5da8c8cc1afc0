package gates.release.slices_test

import data.gates.checks.calibration
import data.gates.release.slices
import data.gates.testing as t

_undecided := {"bounds": t.bounds(0.01, 0.06), "estimate": 0.019}

_within_ceiling := {"bounds": t.bounds(0.01, 0.04), "estimate": 0.019}

_evidence(changes) := t.evidence([after |
	some before in t.figures
	after := _changed(before, changes)
])

_changed(before, changes) := object.union(before, changes[before.slice.value]) if {
	before.check == "calibration.ece"
	changes[before.slice.value]
} else := object.union(before, {"share_ppm": share}) if {
	share := changes[before.slice.value].share_ppm
} else := before

# Where the shares are changed that a test is about, they need not add up.
_columns(evidence) := {row | some row in _all(evidence); row[2] != "slices.incomplete"}

_all(evidence) := {[result.check, result.item.name, result.code] |
	found := slices.results with input as t.production
		with input.evidence as evidence
		with data.models.m as t.facts
		with data.trust as t.trust
	some result in found
}

_share(change, share) := object.union(change, {"share_ppm": share})

test_the_share_of_rows_in_undecided_slices if {
	_columns(t.evidence(t.figures)) == set()
	_columns(_evidence({"OO": _share(_undecided, 500000)})) == set()
	found := {["calibration.ece", "carrier", "slices.undecided"]}
	_columns(_evidence({"OO": _share(_undecided, 500001)})) == found
	_columns(_evidence({"OO": _share(_undecided, 250000), "UA": _share(_undecided, 250001)})) == found
}

test_a_slice_too_small_to_measure_counts if {
	small := t.evidence([after |
		some before in t.figures
		after := _unmeasured(before)
	])
	_columns(small) == {["calibration.ece", "carrier", "slices.undecided"]}
}

_unmeasured(before) := object.union(_bare(before), object.union(t.unmeasured("few_events"), {"share_ppm": 600000})) if {
	before.check == "calibration.ece"
	before.slice == t.slice("OO")
} else := object.union(before, {"share_ppm": 600000}) if {
	before.slice == t.slice("OO")
} else := before

_bare(before) := {key: value | some key, value in before; not key in {"estimate", "bounds"}}

test_equal_shares_count_each if {
	count(_columns(_evidence({"OO": _share(_undecided, 300000), "UA": _share(_undecided, 300000)}))) == 1
}

test_what_is_within_the_ceiling_is_no_blind_spot if {
	_columns(_evidence({"OO": _share(_within_ceiling, 900000)})) == set()
}

test_it_denies if {
	t.denied == {"slices.undecided"} with input as t.production
		with input.evidence as _evidence({"OO": _share(_undecided, 600000)})
		with data.models.m as t.facts
		with data.trust as t.trust
}

test_without_a_limit_it_denies if {
	found := slices.results with input as t.production
		with input.evidence as _evidence({"OO": _share(_undecided, 1)})
		with data.models.m as t.facts
		with data.trust as t.trust
		with data.release.environments.production as {}
	count(_but_incomplete(found)) == 1
}

test_a_check_that_only_tells_does_not_count if {
	medium := object.union(t.facts, {"tier": "medium"})
	found := slices.results with input as t.production
		with input.evidence as _evidence({"OO": _share(_undecided, 600000)})
		with data.models.m as medium
		with data.trust as t.trust
		with data.gates.checks.calibration.checks as _telling
	_but_incomplete(found) == set()
}

_telling := object.union(calibration.checks, {"calibration.ece": {"lenient_tiers": {"medium"}}})

test_development_does_not_ask if {
	found := slices.results with input as t.development
		with input.evidence as _evidence({"OO": _share(_undecided, 900000)})
		with data.models.m as t.facts
	_but_incomplete(found) == set()
}

_literal(evidence, limits) := {[result.check, result.item.name, result.code] |
	found := slices.results with input as t.production
		with input.evidence as evidence
		with data.models.m as object.union(t.facts, {"inconclusive_share_ppm": limits})
		with data.trust as t.trust
	some result in _but_incomplete(found)
}

test_owners_may_limit_the_share_of_rows_in_inconclusive_slices if {
	some_rows := _evidence({"OO": _share(_within_ceiling, 400000)})
	all_rows := _evidence({"OO": _share(_within_ceiling, 500000), "UA": _share(_within_ceiling, 500000)})
	found := {["calibration.ece", "carrier", "slices.inconclusive"]}
	_literal(some_rows, {"calibration.ece": 400000}) == set()
	_literal(some_rows, {"calibration.ece": 399999}) == found
	_literal(some_rows, {"regression.auc_vs_champion": 0}) == set()
	_literal(some_rows, {"regression.auc_vs_champion": "half"}) == set()
	_literal(all_rows, {"calibration.ece": 999999}) == found
	_literal(all_rows, {"calibration.ece": 1000000}) == set()
	_literal(t.evidence(t.figures), {"calibration.ece": 0}) == set()
	_literal(some_rows, {"calibration.ece": "half"}) == found
}

test_in_development_no_share_is_limited if {
	evidence := _evidence({"OO": _share(_within_ceiling, 400000)})
	found := slices.results with input as t.development
		with input.evidence as evidence
		with data.models.m as object.union(t.facts, {"inconclusive_share_ppm": {"calibration.ece": 0}})
		with data.trust as t.trust
	_but_incomplete(found) == set()
}

_elsewhere := t.at(t.figure("calibration.ece", "candidate", 0.01, 0.06), {
	"slice": {"kind": "value", "column": "origin", "value": "EWR"},
	"share_ppm": 400000,
})

_uncovered := t.at(t.figure("calibration.under_coverage", "candidate", -0.5, 0.5), {
	"slice": t.slice("OO"),
	"share_ppm": 400000,
})

test_each_check_and_each_column_has_its_own_share if {
	undecided := t.at(t.figure("calibration.ece", "candidate", 0.01, 0.06), {"slice": t.slice("OO"), "share_ppm": 400000})
	every other in [_elsewhere, _uncovered] {
		found := slices.results with input as t.production
			with input.evidence as t.evidence([undecided, other])
			with data.models.m as object.union(t.facts, {
				"slices": ["carrier", "origin"],
				"inconclusive_share_ppm": {"calibration.ece": 400000},
			})
			with data.trust as t.trust
		_but_incomplete(found) == set()
	}
}

# Of these columns only a part is there.
_but_incomplete(found) := {result | some result in found; result.code != "slices.incomplete"}

_as_judged(verdict, disposition) := _but_incomplete(found) if {
	found := slices.results with input as t.production
		with input.evidence as t.evidence([object.union(_elsewhere, {"share_ppm": 600000})])
		with data.gates.lib.judge.results as [{
			"check": "calibration.ece",
			"slice": _elsewhere.slice,
			"verdict": verdict,
			"disposition": disposition,
		}]
		with data.models.m as t.facts
}

test_only_what_is_undecided_and_tolerated_counts if {
	count(_as_judged("inconclusive", "tolerated")) == 1
	_as_judged("fail", "tolerated") == set()
	_as_judged("inconclusive", "denies") == set()
	_as_judged("inconclusive", "accepted") == set()
}

_left_out(kept) := _all(t.evidence([figure | some figure in t.figures; not figure.slice.value in kept]))

test_a_value_that_is_left_out_of_all_figures if {
	found := {["release.slices", "carrier", "slices.incomplete"]}
	_left_out({"OO"}) == found
	_left_out({"OO", "UA"}) == set()
	_all(_all_shares(499999)) == set()
	_all(_all_shares(499998)) == found
}

_all_shares(share) := t.evidence([object.union(figure, {"share_ppm": object.get(shares, figure.slice.kind, 1000000)}) |
	shares := {"value": share}
	some figure in t.figures
])

test_own_figures_fill_no_column if {
	own := t.at(t.figure("own.wait", "candidate", 0, 1), {"slice": t.slice("OO"), "share_ppm": 1000000})
	without := [figure | some figure in t.figures; not figure.slice.value == "OO"]
	defined := {"own": {"wait": {"sense": "at_most", "limits": {}}}, "required": [{"check": "own.wait", "each": "carrier"}]}
	found := slices.results with input as t.production
		with input.evidence as t.evidence([figure | some part in [without, [own]]; some figure in part])
		with data.models.m as object.union(t.facts, defined)
		with data.trust as t.trust
	{result.code | some result in found} == {"slices.incomplete"}
}

_contradicted(figure) := _all(t.evidence([f | some part in [t.figures, [figure]]; some f in part]))

test_a_slice_has_one_share if {
	small := t.at(t.figure("calibration.under_coverage", "candidate", 0, 0.5), {"slice": t.slice("OO"), "share_ppm": 1})
	found := {["release.slices", "carrier", "slices.contradicted"]}
	_contradicted(small) == found
	_all([object.union(e, {"measurements": [_shrunk(f, "calibration.ece") | some f in e.measurements]}) | some e in t.production.evidence]) == found
	_all([object.union(e, {"measurements": [_shrunk(f, "regression.auc_vs_champion") | some f in e.measurements]}) | some e in t.production.evidence]) == found
}

_shrunk(figure, check) := object.union(figure, {"share_ppm": 1}) if {
	figure.check == check
	figure.slice.kind == "value"
} else := figure

test_two_shares_fill_no_column if {
	kept := [figure | some figure in t.figures; not figure.slice.value == "OO"]
	other := t.at(t.figure("regression.auc_vs_champion", "pair", 0, 1), {"slice": t.slice("UA"), "share_ppm": 500001})
	codes := {code | some [_, _, code] in _all(t.evidence([f | some part in [kept, [other]]; some f in part]))}
	"slices.contradicted" in codes
}

test_gates_read_other_tables if {
	_contradicted(t.at(t.figure("parity.mismatch", "data", 0, 0), {
		"item": {"kind": "feature", "name": "wind"},
		"slice": t.slice("OO"),
		"share_ppm": 300000,
	})) == set()
}

test_what_fills_a_column_at_one_gate_leaves_it_open_at_another if {
	kept := [figure | some figure in t.figures; not _regression_of(figure, "OO")]
	_all(t.evidence(kept)) == {["release.slices", "carrier", "slices.incomplete"]}
}

_regression_of(figure, value) if {
	figure.slice.value == value
	figure.subject == "pair"
}

test_a_gate_that_need_not_cut_the_column_leaves_none_out if {
	kept := [figure | some figure in t.figures; figure.subject != "pair"]
	part := t.at(t.figure("parity.mismatch", "data", 0, 0), {"slice": t.slice("OO"), "share_ppm": 300000})
	_all(t.evidence([figure | some figures in [kept, [part]]; some figure in figures])) == set()
}

test_another_column_fills_none if {
	kept := [figure | some figure in t.figures; not figure.slice.value == "OO"]
	others := [object.union(figure, {"slice": {"kind": "value", "column": "origin", "value": "JFK"}}) |
		some figure in t.figures
		figure.slice.value == "OO"
	]
	_all(t.evidence([figure | some part in [kept, others]; some figure in part])) == {["release.slices", "carrier", "slices.incomplete"]}
}

test_what_another_check_leaves_open_is_not_this_ones if {
	some_rows := _evidence({"OO": _share(_within_ceiling, 400000)})
	beside := t.evidence([after |
		some before in some_rows[0].measurements
		after := _changed_at(before, "calibration.under_coverage", "UA", {"bounds": t.bounds(-0.5, 0.5)})
	])
	_literal(beside, {"calibration.ece": 400000}) == set()
	_literal(beside, {"calibration.ece": 399999}) == {["calibration.ece", "carrier", "slices.inconclusive"]}
	_literal(beside, {"calibration.under_coverage": 499999}) == {["calibration.under_coverage", "carrier", "slices.inconclusive"]}
}

_changed_at(before, check, value, change) := object.union(before, change) if {
	before.check == check
	before.slice.value == value
} else := before
