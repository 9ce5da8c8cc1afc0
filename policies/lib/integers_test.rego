package gates.lib.integers_test

import data.gates.lib.integers

test_total if {
	integers.total([]) == 0
	integers.total([2, 2, 3]) == 7
	integers.total([9007199254740000, 9007199254740000]) == 9007199254740991
	not integers.total([1, 0.5])
	not integers.total([1, "1"])
	not integers.total({"a": 1})
	not integers.total("1")
}

test_add if {
	integers.add(2, 3) == 5
	integers.add(9007199254740000, 9007199254740000) == 9007199254740991
	not integers.add(0.1, 1)
	not integers.add(1, 0.1)
	not integers.add("1", 1)
	not integers.add(1, null)
}
