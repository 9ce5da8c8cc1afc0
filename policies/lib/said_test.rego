package gates.lib.said_test

import data.gates.lib.said

test_something if {
	every text in ["complaints", " x ", "0", "é"] {
		said.something(text)
	}
	every text in ["", " ", "  ", "\t", null, 0, true, [], ["x"], {"x": 1}] {
		not said.something(text)
	}
}
