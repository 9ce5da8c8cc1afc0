# The only place where policies add: integers, on which OPA and its compiled form agree to the last bit.
package gates.lib.integers

# Times must stay exact in JSON: at most 2^53 - 1.
_most := 9007199254740991

is_integer(x) if {
	is_number(x)
	floor(x) == x
}

# METADATA
# description: The sum of a list, at most the last exact integer; undefined unless all are integers.
total(numbers) := min([_most, sum(numbers)]) if {
	not is_object(numbers)
	every number in numbers {
		is_integer(number)
	}
}

# METADATA
# description: a + b, at most the last exact integer; undefined unless both are integers.
add(a, b) := min([_most, a + b]) if {
	is_integer(a)
	is_integer(b)
}
