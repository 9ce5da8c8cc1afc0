# METADATA
# description: How much of the traffic one promotion may move at once.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     sr-11-7: ["IV Model Development, Implementation, and Use"]
#     iso-42001: [A.6.2.5]
#   evidence: [request.percent, plan.body.rollout]
#   not_covered: What happens between two steps.
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

# METADATA
# title: Rollout plan too steep
# description: A step of the rollout in gates.yaml moves more of the traffic at once than this environment allows.
# custom:
#   code: rollout.plan
#   remedy: Put steps between; `steps` of this environment in release/data.yaml says how many percent may come after which.
results contains result.denies("release.rollout", "rollout.plan") if {
	asked.strict
	some rollout in input.plan.body.rollout
	rollout.environment == asked.environment
	some index, step in rollout.steps
	not _gentle(step, {0} | {before | some i, before in rollout.steps; i < index})
}

# Where no steps are named, the first one is all that is bounded.
_gentle(step, _) if {
	not data.release.environments[asked.environment].steps
	is_number(step)
}

_gentle(step, before) if {
	some allowed in data.release.environments[asked.environment].steps
	allowed.after <= max(before)
	step <= allowed.most
}

# What it takes already is no step.
_within if {
	first := data.release.environments[asked.environment].first_step_percent
	is_number(first)
	is_number(input.request.percent)
	input.request.percent <= max({first} | _served)
}

_served := {route.percent |
	some route in input.ledger.release.routes
	route.version.digest == input.request.candidate.digest
}

# Where nothing ever served there is nobody to keep the rest.
_within if {
	asked.first_release
	input.request.percent == 100
}
