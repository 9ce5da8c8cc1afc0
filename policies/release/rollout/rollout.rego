# METADATA
# description: How much of the traffic one promotion may move at once.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.release.rollout

import data.gates.lib.asked
import data.gates.lib.result

# METADATA
# title: Step too large
# description: The request moves more of the traffic at once than this environment's first step, or does not say how much.
# custom:
#   code: rollout.step
#   remedy: Promote with no more than the first step of this environment in release/data.yaml.
results contains result.denies("release.rollout", "rollout.step") if {
	asked.strict
	not _within
}

_within if input.request.percent <= data.release.environments[asked.environment].first_step_percent

# Where nothing ever served there is nobody to keep the rest.
_within if {
	asked.first_release
	input.request.percent == 100
}
