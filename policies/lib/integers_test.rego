package gates.lib.integers_test

import data.gates.lib.integers

test_add if {
	integers.add(2, 3) == 5
	integers.add(9007199254740000, 9007199254740000) == 9007199254740991
	not integers.add(0.1, 1)
	not integers.add(1, 0.1)
	not integers.add("1", 1)
	not integers.add(1, null)
}
