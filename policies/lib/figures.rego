# METADATA
# description: The measurements of the evidence, indexed once; every identical copy counts once.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.figures

_nothing := {}

# METADATA
# description: Figures by who they are of. More than one under a key contradict each other.
by_identity[identity] contains figure if {
	some evidence in input.evidence
	some figure in evidence.measurements
	identity := [
		figure.check, figure.subject, figure.slice,
		object.get(figure, "item", _nothing), {param | some param in figure.params},
	]
}

# METADATA
# description: Figures by what a requirement can name.
by_claim[[figure.check, figure.subject, figure.slice]] contains figure if {
	some evidence in input.evidence
	some figure in evidence.measurements
}

# METADATA
# description: Every value that any figure has in a slice column.
values[figure.slice.column] contains figure.slice.value if {
	some evidence in input.evidence
	some figure in evidence.measurements
	figure.slice.kind == "value"
}

# METADATA
# description: The same person's two answers to one question.
conflicts contains identity if {
	some identity, figures in by_identity
	count(figures) > 1
}
