# METADATA
# description: Families of claims, and looks at a holdout. At which rungs of the ladder a figure passes and fails.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.families

import data.gates.lib.claims
import data.gates.lib.comparison
import data.gates.lib.figures
import data.gates.lib.integers

# METADATA
# description: Which look at the holdout this is; null, for which there is no rung, where a ledger does not say.
default looks := null

looks := 1 if not input.ledger

looks := input.ledger.looks

# METADATA
# description: The ladder can correct for this look.
looks_left if comparison.looks_left(looks)

# Size of a family -> where its figures pass and fail at this look.
_rungs := {size: found |
	some size in {figure.family.size | some figure in claims.answers}
	found := comparison.rungs(size, looks)
}

# A family's size corrects a failure for the claims that were looked at together: no fewer than were judged, and not so
# many more than the evidence holds that nothing could fail. A census is what it is, in a family of whatever size.
_families := {figure.family.name | some figure in claims.answers; not figure.scope == "census"}

# METADATA
# description: Where a figure passes and fails; undefined where its family is larger than the ladder can correct for.
rungs(figure) := _rungs[figure.family.size]

# METADATA
# description: It declares no more claims than the evidence can stand for.
small_enough(figure) if figure.scope == "census"

small_enough(figure) if figure.family.size <= _at_most[figure.family.name]

# METADATA
# description: It declares no fewer claims than were judged.
large_enough(figure) if {
	figure.scope == "census"
} else if {
	# More is looked at than is judged: mostly the one count is enough.
	figure.family.size >= _looked_at[figure.family.name]
} else if {
	figure.family.size >= _judged_in[figure.family.name]
}

_judged_in := _sizes([[figure.family.name, figures.place(figure), figure.subject] |
	some figure in claims.answers
	figure.status == "measured"
])

_looked_at := _sizes(figures.places)

# Family -> how many different claims it has.
_sizes(places) := {name: count(found) |
	some name in _families
	found := {place | some [family, place, _] in places; family == name}
}

# The most that a gate looks at for one figure: two sides in each of two directions, of each class.
_at_most := {name: integers.total([number | some _ in [1, 2, 3, 4]; some _ in _classes]) | some name, number in _looked_at}

default _classes := ["one"]

_classes := input.plan.body.columns.classes if count(input.plan.body.columns.classes) > 0
