# Checks that the policy owners define themselves for a model, in models/<model>/data.yaml under `own`: name -> sense,
# subject and limits by environment. A definition says what a figure must keep to; `required` says where it is needed.
# Whatever writes the figure (a function, `gates record`, a file), a check that nobody defined here is unknown.
#
# METADATA
# description: What a check of the policy owners shows.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MEASURE 1.1]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V Model Validation]
#     iso-42001: [A.6.2.4]
#   evidence: [evidence.measurements]
#   not_covered: Whether the figure means what its name says; who wrote it is known, how he came by it is not.
package gates.checks.own

# Means of values of any size are judged only where the policy owners say that they know.
_bounded(definition) := false if {
	definition.range == "none"
} else := true

default _model := null

_model := model if {
	model := input.request.model
} else := input.model

# METADATA
# title: Own measurement
# description: A figure that the policy owners defined for this model, and that its authors measure themselves.
# custom:
#   code: own.name
#   remedy: Look at what measures it; its limits stand in models/<model>/data.yaml under `own`.
checks[name] := check if {
	some own, definition in object.get(data.models[_model], "own", {})
	name := concat(".", ["own", own])
	check := {
		"tasks": set(),
		"subject": object.get(definition, "subject", "candidate"),
		"sense": definition.sense,
		"items": "any",
		"needs": set(),
		"optional": true,
		"bounded": _bounded(definition),
		"limits": object.get(definition, "limits", {}),
		"at": concat("/", ["models", _model, "own", own, "limits"]),
	}
}
