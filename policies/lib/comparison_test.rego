package gates.lib.comparison_test

import data.gates.lib.comparison
import data.gates.testing as t

_figure(lower, upper) := t.figure("calibration.ece", "candidate", lower, upper)

_strict := {"value": 0.02, "inclusive": false}

_inclusive := {"value": 0.02, "inclusive": true}

_band := {"value": 0.05, "mirror": -0.05, "inclusive": true}

_floor := {"value": -0.01, "inclusive": true}

_read(sense, figure, bar, looks) := comparison.verdict(sense, figure, bar, comparison.rungs(figure.family.size, looks))

_verdict(sense, lower, upper, bar) := _read(sense, _figure(lower, upper), bar, 1)

test_at_most_inclusive if {
	_verdict("at_most", 0, 0.02, _inclusive) == "pass"
	_verdict("at_most", 0, 0.020000000000000004, _inclusive) == "inconclusive"
	_verdict("at_most", 0.02, 0.03, _inclusive) == "inconclusive"
	_verdict("at_most", 0.020000000000000004, 0.03, _inclusive) == "fail"
}

test_at_most_strict if {
	_verdict("at_most", 0, 0.019999999999999997, _strict) == "pass"
	_verdict("at_most", 0, 0.02, _strict) == "inconclusive"
	_verdict("at_most", 0.019999999999999997, 0.03, _strict) == "inconclusive"
	_verdict("at_most", 0.02, 0.03, _strict) == "fail"
}

test_at_least if {
	_verdict("at_least", -0.01, 0.01, _floor) == "pass"
	_verdict("at_least", -0.010000000000000002, 0.01, _floor) == "inconclusive"
	_verdict("at_least", -0.03, -0.01, _floor) == "inconclusive"
	_verdict("at_least", -0.03, -0.010000000000000002, _floor) == "fail"
}

test_at_least_strict if {
	bar := {"value": 1, "inclusive": false}
	_verdict("at_least", 1.0000000000000002, 2, bar) == "pass"
	_verdict("at_least", 1, 2, bar) == "inconclusive"
	_verdict("at_least", 0, 1, bar) == "fail"
}

test_within if {
	_verdict("within", -0.05, 0.05, _band) == "pass"
	_verdict("within", -0.05000000000000001, 0.05, _band) == "inconclusive"
	_verdict("within", -0.05, 0.05000000000000001, _band) == "inconclusive"
	_verdict("within", 0.05000000000000001, 0.06, _band) == "fail"
	_verdict("within", -0.06, -0.05000000000000001, _band) == "fail"
	_verdict("within", -0.06, 0.06, _band) == "inconclusive"
}

# OPA puts null before every number, as it puts text behind them.
test_what_is_no_number_proves_nothing if {
	every inclusive in [true, false] {
		_verdict("at_most", 0, null, {"value": 0.02, "inclusive": inclusive}) == "inconclusive"
		_verdict("at_least", -1, null, {"value": 0, "inclusive": inclusive}) == "inconclusive"
		_verdict("at_least", null, 1, {"value": 0, "inclusive": inclusive}) == "inconclusive"
		_verdict("at_most", null, 1, {"value": 0, "inclusive": inclusive}) == "inconclusive"
	}
}

test_unbounded_counts_as_infinite if {
	_verdict("at_most", 0, "unbounded", _inclusive) == "inconclusive"
	_verdict("at_most", "unbounded", 0, _inclusive) == "pass"
	_verdict("at_least", "unbounded", 9, _floor) == "inconclusive"
	_verdict("within", "unbounded", "unbounded", _band) == "inconclusive"
	_verdict("at_most", "unbounded", 0.5, _strict) == "inconclusive"
	_verdict("at_least", "unbounded", 9, {"value": 1, "inclusive": false}) == "inconclusive"
}

test_no_word_for_contradictions if {
	not _verdict("at_most", 0.03, 0.01, _inclusive)
	not _read("at_most", t.at(_figure(0, 0.01), {"bounds": []}), _inclusive, 1)
	not _read("at_most", t.at(_figure(0, 0.01), {"bounds": "none"}), _inclusive, 1)
	not _read("at_most", t.at(_figure(0, 0.01), {"estimate": "0"}), _inclusive, 1)
	not _read("at_most", {k: v | some k, v in _figure(0, 0.01); k != "estimate"}, _inclusive, 1)
	not _verdict("at_most", 0.01, 0.005, _inclusive)
	not _verdict("within", 0, 0.01, _inclusive)
	not _verdict("within", 0, 0.01, {"value": "0.05", "mirror": -0.05, "inclusive": true})
	not _verdict("nonsense", 0, 0.01, _inclusive)
	not _verdict("at_most", 0, 0.01, {"value": "0.02", "inclusive": true})

	# bounds that grow narrower up the ladder: good at the rung of a pass and bad at that of a fail
	odd := _bounds_of([[0.95, 0, 0.01], [0.975, 0.03, 0.04]])
	not _read("at_most", t.at(_figure(0, 0), {"bounds": odd, "family": {"size": 2}}), _inclusive, 1)
}

_bounds_of(rows) := [{"confidence": row[0], "lower": row[1], "upper": row[2]} | some row in rows]

test_a_doubled_rung_has_no_word if {
	twice := [{"confidence": 0.95, "lower": 0, "upper": 0.9}, {"confidence": 0.95, "lower": 0, "upper": 0.01}]
	not _read("at_most", t.at(_figure(0, 0), {"bounds": twice}), _inclusive, 1)
}

# Bounds that widen from rung to rung, so that each verdict tells the rung that it was read at.
_widening := [{"confidence": c, "lower": steps[i], "upper": 9} | some i, c in t.ladder] if {
	steps := [9, 8, 7, 6, 5, 4, 3, 2, 1]
}

_fails(size, looks, limit) if {
	figure := t.at(_figure(0, 0), {"bounds": _widening, "family": {"size": size}})
	_read("at_most", figure, {"value": limit, "inclusive": true}, looks) == "fail"
}

test_the_rung_of_a_fail_follows_family_and_looks if {
	_fails(1, 1, 8.5)
	not _fails(2, 1, 8.5)
	_fails(2, 1, 7.5)
	not _fails(3, 1, 7.5)
	_fails(3, 1, 6.5)
	_fails(10, 1, 5.5)
	not _fails(11, 1, 5.5)
	_fails(50000, 1, 0.5)
	not _fails(1, 2, 8.5)
	_fails(1, 2, 7.5)
	not _fails(1, 3, 6.5)
	_fails(1, 3, 5.5)
	_fails(1, 224, 0.5)
}

_passes(size, looks, limit) if {
	upper := [1, 2, 3, 4, 5, 6, 7, 8, 9]
	figure := t.at(_figure(0, 0), {
		"bounds": [{"confidence": c, "lower": 0, "upper": upper[i]} | some i, c in t.ladder],
		"family": {"size": size},
	})
	_read("at_most", figure, {"value": limit, "inclusive": true}, looks) == "pass"
}

test_the_rung_of_a_pass_follows_looks_alone if {
	_passes(1, 1, 1)
	_passes(50000, 1, 1)
	not _passes(1, 2, 1)
	_passes(1, 2, 2)
	not _passes(1, 3, 3)
	_passes(1, 3, 4)
	_passes(1, 224, 9)
}

test_beyond_the_tables if {
	comparison.looks_left(224)
	not comparison.looks_left(225)
	not comparison.looks_left("1")
	comparison.rungs(50000, 1)
	not comparison.rungs(50001, 1)
}

test_bounded if {
	ceiling := {"value": 0.05, "inclusive": false}
	near := t.at(_figure(0, 0.049), {"estimate": 0.021, "debiased": 0.019})
	comparison.bounded("at_most", near, _strict, ceiling, 1)
	not comparison.bounded("at_most", t.at(near, {"debiased": 0.02}), _strict, ceiling, 1)
	not comparison.bounded("at_most", t.at(near, {"bounds": t.bounds(0, 0.05)}), _strict, ceiling, 1)
	not comparison.bounded("at_most", {k: v | some k, v in near; k != "debiased"}, _strict, ceiling, 1)
	not comparison.bounded("at_most", near, _strict, {}, 1)
	comparison.bounded("within", _figure(-0.1, 0.1), {"value": 0.2, "mirror": -0.2, "inclusive": true}, {"value": 0.2, "mirror": -0.2, "inclusive": true}, 1)
}

test_pointed if {
	bare := t.at(_figure("unbounded", "unbounded"), {"estimate": 0.02})
	comparison.pointed("at_most", bare, _inclusive)
	not comparison.pointed("at_most", bare, _strict)
	not comparison.pointed("at_most", t.at(bare, {"bounds": t.bounds(0, "unbounded")}), _inclusive)
	not comparison.pointed("at_most", t.at(bare, {"bounds": t.bounds("unbounded", 0.01)}), _inclusive)
	not comparison.pointed("at_least", t.at(bare, {"estimate": "1"}), _floor)
	comparison.pointed("within", bare, _band)
	_verdict("at_most", "unbounded", "unbounded", _inclusive) == "inconclusive"
}

test_a_look_that_is_no_number_is_none if {
	every looks in [null, "1", true, [1]] {
		not comparison.looks_left(looks)
		not comparison.rungs(looks, 1)
	}
}

_turned(figure) := t.at(figure, {"bounds": [figure.bounds[i] | some i in [8, 7, 6, 5, 4, 3, 2, 1, 0]]})

test_bounds_in_another_order_say_the_same if {
	figure := t.at(_figure(0, 0), {"bounds": _widening, "family": {"size": 2}})
	bar := {"value": 7.5, "inclusive": true}
	_read("at_most", figure, bar, 1) == "fail"
	_read("at_most", _turned(figure), bar, 1) == "fail"
	_read("at_most", _turned(figure), {"value": 8, "inclusive": true}, 1) == "inconclusive"
	good := _figure(0, 0.01)
	_read("at_most", _turned(good), _inclusive, 1) == "pass"
	not _read("at_most", t.at(good, {"bounds": [bound | some part in [[good.bounds[0]], good.bounds]; some bound in part]}), _inclusive, 1)
	comparison.bounded("at_most", _turned(good), _strict, {"value": 0.05, "inclusive": false}, 1)
}

# Of a figure whose fail is read on another rung than its pass, either one that is crossed leaves no word.
_crossed_at(place) := t.at(_figure(0, 0.01), {
	"family": {"size": 100},
	"bounds": [bound |
		some i, b in _figure(0, 0.01).bounds
		bound := _crossed_if(i == place, b)
	],
})

_crossed_if(true, bound) := object.union(bound, {"lower": 0.015, "upper": 0.01})

_crossed_if(false, bound) := bound

test_each_bound_that_is_read_is_not_crossed if {
	at := comparison.rungs(100, 1)
	at.pass != at.fail
	not _read("at_most", _crossed_at(at.pass), _inclusive, 1)
	not _read("at_most", _crossed_at(at.fail), _inclusive, 1)
	other := min([i | some i in [0, 1, 2, 3, 4, 5, 6, 7, 8]; not i in {at.pass, at.fail}])
	_read("at_most", _crossed_at(other), _inclusive, 1) == "pass"
	ceiling := {"value": 0.05, "inclusive": false}
	not comparison.bounded("at_most", _crossed_at(0), _strict, ceiling, 1)
	comparison.bounded("at_most", _crossed_at(other), _strict, ceiling, 1)
}
