# METADATA
# description: The measurements of the evidence; an identical copy counts once.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.figures

# Sets by comprehension, here and where they are used: both engines build those in linear time, and a rule with a key of
# its own in quadratic time.
all := {figure | some evidence in input.evidence; some figure in evidence.measurements}

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
conflict if count(_identities) != count(all)

# METADATA
# description: Every [column, value] that any figure is about.
values := {[figure.slice.column, figure.slice.value] | some figure in all; figure.slice.kind == "value"}
