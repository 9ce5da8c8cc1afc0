package gates.lib.figures_test

import data.gates.lib.figures
import data.gates.testing as t

_of(slice) := t.at(t.figure("calibration.ece", "candidate", 0, 0.01), {"slice": slice})

_odd := _of({"kind": "rest", "column": "carrier", "value": "OO"})

test_only_values_are_slices_of_their_column if {
	figures.columns == set() with input.evidence as t.evidence([_odd])
	figures.slices == {} with input.evidence as t.evidence([_odd])
	both := t.evidence([_odd, _of(t.slice("UA")), _of(t.slice("UA"))])
	figures.columns == {"carrier"} with input.evidence as both
	figures.slices == {"carrier": [t.slice("UA")]} with input.evidence as both
}

test_each_column_has_its_own if {
	other := {"kind": "value", "column": "origin", "value": "EWR"}
	found := figures.slices with input.evidence as t.evidence([_of(t.slice("UA")), _of(other)])
	found == {"carrier": [t.slice("UA")], "origin": [other]}
}
