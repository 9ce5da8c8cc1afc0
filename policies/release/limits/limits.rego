# METADATA
# description: Overrides of the policy owners may only tighten.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.release.limits

import data.gates.lib.asked
import data.gates.lib.limits
import data.gates.lib.result

# METADATA
# title: Override that loosens
# description: An override for this environment is wider than the limit that it replaces, or replaces none.
# custom:
#   code: override.loosened
#   remedy: Tighten it or take it out; a limit is loosened only in thresholds/, by the policy owners' review.
results contains result.denies("release.limits", "override.loosened") if {
	count(limits.loosened(asked.environment)) > 0
}
