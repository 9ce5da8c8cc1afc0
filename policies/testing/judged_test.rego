# What the golden evidence, or a figure by itself, is judged to be.
package gates.testing

import data.gates.lib.judge

decided(evidence) := found if {
	found := decision with input as production
		with input.evidence as evidence
		with data.models.m as facts
		with data.trust as trust
}

codes(answer, disposition) := {r.code | some r in answer.results; r.disposition == disposition}

ece(change) := changed("calibration.ece", whole, change)

slice_ece(change) := changed("calibration.ece", slice("OO"), change)

to_prove(check, slice) := {"environment": "production", "check": check, "role": "prove", "slice": slice}

# What is said of figures alone, where they are all that is required: cheaper than a whole decision.
judged_as(role, figure) := judged(production, role, figure)

judged(document, role, figure) := {[r.verdict, r.disposition, r.code] |
	some r in found
} if {
	found := judge.results with input as document
		with input.evidence as evidence([figure])
		with data.gates.lib.asked.requirements as {{
			"environment": "production",
			"check": figure.check,
			"role": role,
			"slice": figure.slice,
		}}
		with data.models.m as facts
}

ece_alone(change) := at(figure("calibration.ece", "candidate", 0, 0.019), change)
