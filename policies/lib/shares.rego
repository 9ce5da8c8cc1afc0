# METADATA
# description: What figures say of how many of the rows are in a slice.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.shares

import data.gates.lib.figures
import data.gates.lib.integers
import data.gates.lib.required

# METADATA
# description: Check -> its gate. Own measurements say what their author likes of a slice's share, and are of none.
gates := {check: gate |
	some [gate, check] in required.of_gates
	gate != "own"
}

# METADATA
# description: |
#   Gate, column, value and share of all figures of values. Gates read other tables, so that a slice may be as large in one as
#   it is small in another; one gate has one share of it.
said := {[gates[figure.check], figure.slice.column, figure.slice.value, figure.share_ppm] |
	some figure in figures.all
	figure.slice.kind == "value"
}

# METADATA
# description: The shares add up to all rows. A share is rounded down, each by less than one in a million.
all_rows(shares) if integers.add(integers.total(shares), count(shares)) >= 1000000

# METADATA
# description: Columns of a slice of which figures of one gate say two shares.
contradicted := {column |
	count(_parts) != count(said)
	some [gate, column, value, share] in said
	some [of, named, same, other] in said
	of == gate
	named == column
	same == value
	share != other
}

_parts := {[gate, column, value] | some [gate, column, value, _] in said}
