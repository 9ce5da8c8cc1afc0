# METADATA
# description: The measurements of the evidence; an identical copy counts once.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.figures

# Lists where they are gone through, and sets where something is looked up: a step through a set looks its member up again by
# all that it says, in the compiled policies. Sets by comprehension: a rule with a key of its own takes quadratic time.
all := [figure | some evidence in input.evidence; some figure in evidence.measurements]

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
# description: Two different figures stand under one identity.
conflict if {
	count(_identities) != count(all)
	count(_identities) != count({figure | some figure in all})
}

# METADATA
# description: Columns by whose values any figure is about a slice.
columns := {figure.slice.column | some figure in all; figure.slice.kind == "value"}

# METADATA
# description: Column -> every slice of its values that any figure is about.
slices := {column: [slice | some slice in found] |
	some column in columns
	found := {figure.slice | some figure in all; figure.slice.kind == "value"; figure.slice.column == column}
}
