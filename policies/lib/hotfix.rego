# A hotfix: a promotion in an incident, for hours, in which a few named rules about order and pace are left for later.
#
# METADATA
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.hotfix

import data.gates.lib.said

# What can be left for later at all, whatever data say: never evidence, authority, data, parity, calibration or any figure.
_can := {"ladder.skipped", "rollout.step", "rollout.plan", "attempts.exhausted", "candidates.exhausted"}

_shortened := _can & {code | some code in data.release.hotfix.shorten}

# METADATA
# description: The request names an incident.
asked if said.something(input.request.incident)

# METADATA
# description: This environment knows hotfixes. A helper, for a negated expression over something undefined is itself undefined.
known if input.request.environment in data.release.hotfix.environments

# METADATA
# description: A rule's result, left for later where this hotfix may.
applied(result) := object.union(result, {"disposition": "shortened"}) if {
	result.disposition == "denies"
	result.code in _shortened
	asked
	known
} else := result
