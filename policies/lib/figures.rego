# METADATA
# description: The measurements of the evidence; an identical copy counts once.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.figures

# Lists where they are gone through, and sets where something is looked up: a step through a set looks its member up again by
# all that it says, in the compiled policies. Sets by comprehension: a rule with a key of its own takes quadratic time.
all := [figure | some evidence in input.evidence; some figure in evidence.measurements]

# METADATA
# description: |
#   Check, item and slice of a figure as one text, which is looked up in a fraction of the time of what it says. Only a
#   slice's value, the last of its lines, can hold the end of a line.
place(figure) := concat("\n", [figure.check, _item(figure), slice.kind, slice.column, slice.value]) if {
	slice := figure.slice
} else := concat("\n", [figure.check, _item(figure), figure.slice.kind, object.get(figure.slice, "column", "")])

_item(figure) := concat("\n", [item.kind, item.name]) if {
	item := figure.item
} else := ""

# METADATA
# description: The family and place of each, and its subject.
places := [[figure.family.name, place(figure), figure.subject] | some figure in all]

_identities := {identity |
	some figure in all
	identity := [
		figure.check,
		figure.subject,
		figure.slice,
		object.get(figure, "item", {}),
		{param | some param in figure.params},
	]
}

# METADATA
# description: A subject has one figure at a place, as is nearly always so; then there is nothing to compare it with.
alone if count({[subject, place] | some [_, place, subject] in places}) == count(all)

# METADATA
# description: Two different figures stand under one identity.
conflict if {
	not alone
	count(_identities) != count({figure | some figure in all})
}

_values := {figure.slice | some figure in all; figure.slice.kind == "value"}

# METADATA
# description: Columns by whose values any figure is about a slice.
columns := {slice.column | some slice in _values}

# METADATA
# description: Column -> every slice of its values that any figure is about.
slices := {column: [slice | some slice in _values; slice.column == column] | some column in columns}
