# METADATA
# description: Claims. One is a check on a slice, which a requirement names, or which is a value of the column that it names.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.claims

import data.gates.lib.asked
import data.gates.lib.figures
import data.gates.lib.required

_named := {[r.check, r.slice] | some r in asked.requirements}

_valued := {[r.check, slice] | some r in asked.requirements; some slice in figures.slices[r.each]}

_said := _named | _valued

# Where two requirements name one claim, proof goes before no-harm.
_to_prove := {[r.check, r.slice] | some r in asked.requirements; r.role == "prove"} | {[r.check, slice] |
	some r in asked.requirements
	r.role == "prove"
	some slice in figures.slices[r.each]
}

# METADATA
# description: Check and slice of each.
all := [claim | some claim in _said]

# METADATA
# description: prove or no-harm.
role(check, slice) := "prove" if {
	_to_prove[[check, slice]]
} else := "no-harm"

# METADATA
# description: The figures that answer a claim, each of the subject that its check judges.
answers := [figure |
	some figure in figures.all
	_said[[figure.check, figure.slice]]
	figure.subject == required.checks[figure.check].subject
]
