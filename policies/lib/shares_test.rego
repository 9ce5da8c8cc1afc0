package gates.lib.shares_test

import data.gates.lib.shares
import data.gates.testing as t

_share(check, column, value, share) := t.at(
	t.figure(check, "candidate", 0, 0.01),
	{"slice": {"kind": "value", "column": column, "value": value}, "share_ppm": share},
)

_contradicted(figures) := found if {
	found := shares.contradicted with input as t.production with input.evidence as t.evidence(figures)
}

# Of each pair one word is another: the gate, the column, the value. None of these is said twice.
_sound := [
	_share("calibration.ece", "origin", "JFK", 10),
	_share("regression.brier_vs_champion", "origin", "JFK", 20),
	_share("calibration.ece", "origin", "LGA", 30),
	_share("calibration.ece", "dest", "JFK", 40),
]

test_a_share_is_said_once if {
	_contradicted(_sound) == set()
	_contradicted([figure | some part in [_sound, _sound]; some figure in part]) == set()
	twice := [_share("calibration.ece", "carrier", "UA", 500000), _share("calibration.bin", "carrier", "UA", 1)]
	_contradicted([figure | some part in [_sound, twice]; some figure in part]) == {"carrier"}
}

test_only_a_value_has_a_share if {
	figure := _share("calibration.ece", "carrier", "UA", 500000)
	odd := t.at(figure, {"slice": {"kind": "rest", "column": "carrier", "value": "OO"}})
	found := shares.said with input as t.production with input.evidence as t.evidence([figure, odd])
	found == {["calibration", "carrier", "UA", 500000]}
}

test_own_measurements_have_no_share if {
	own := _share("own.wait", "carrier", "UA", 500000)
	found := shares.said with input as t.production
		with input.evidence as t.evidence([own])
		with data.models.m as {"own": {"wait": {"sense": "at_most", "limits": {}}}}
	found == set()
}
