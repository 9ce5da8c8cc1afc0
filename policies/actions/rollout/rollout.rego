# METADATA
# description: |
#   More of the traffic for what a promotion began with: only by a decision that still holds, in the order of the plan that
#   was decided on, and after the share of now was seen for long enough.
# schemas:
#   - input: schema["action-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MANAGE 2.4, MANAGE 4.1]
#     sr-11-7: ["IV Model Development, Implementation, and Use"]
#     iso-42001: [A.6.2.5]
#   evidence: [rollout, present, ledger.served]
#   not_covered: How the model does on the traffic that it has; a monitor has to look, and to say so.
package gates.actions.rollout

import data.gates.lib.integers

asks := {
	"rollout.decision",
	"rollout.expired",
	"rollout.inactive",
	"rollout.order",
	"rollout.large",
	"rollout.soak",
	"rollout.suspect",
	"rollout.alarm",
	"rollout.unseen",
}

# METADATA
# title: No decision to go on with
# description: What serves came by no decision that allowed it, or the step is about another version.
# custom:
#   code: rollout.decision
#   remedy: Begin with `gates promote`; what was adopted has no rollout.
holds contains "rollout.decision" if {
	input.rollout.allow == true
	input.rollout.decision_id == input.present.decision_id
	input.request.version.digest == input.present.version_digest
}

# METADATA
# title: Decision expired
# description: The decision that began this rollout does not hold at this time.
# custom:
#   code: rollout.expired
#   remedy: Decide again, with `gates promote` at the share that it has.
holds contains "rollout.expired" if {
	input.rollout.decided_us <= input.request.effective_time_us
	input.request.effective_time_us < input.rollout.valid_until_us
}

# METADATA
# title: Decided under other policies
# description: Policies or trust data changed since the decision that began this rollout.
# custom:
#   code: rollout.inactive
#   remedy: Decide again, with `gates promote` at the share that it has.
holds contains "rollout.inactive" if {
	input.rollout.policy_digest == input.ledger.policy_digest
	input.rollout.trust_digest == input.ledger.trust_digest
}

# METADATA
# title: Not the next step
# description: The share is not the next one of the rollout in the plan that was decided on, or that plan has none.
# custom:
#   code: rollout.order
#   remedy: Take the steps in their order; `rollout` in gates.yaml counts from the next promotion on.
holds contains "rollout.order" if {
	input.request.percent == min([step | some step in input.rollout.steps; step > input.present.percent])
}

# METADATA
# title: Step too large for this environment
# description: The step moves more of the traffic at once than this environment allows after the share of now.
# custom:
#   code: rollout.large
#   remedy: Put steps between; `steps` of this environment in release/data.yaml says how many percent may come after which.
holds contains "rollout.large" if {
	some allowed in data.release.environments[input.request.environment].steps
	allowed.after <= input.present.percent
	input.request.percent <= allowed.most
}

# Where no steps are named, the first one is all that is bounded.
holds contains "rollout.large" if {
	is_number(data.release.environments[input.request.environment].first_step_percent)
	not data.release.environments[input.request.environment].steps
	is_number(input.request.percent)
}

# METADATA
# title: Too soon
# description: The share of now has not served for as long as this environment wants to see it.
# custom:
#   code: rollout.soak
#   remedy: Wait; `soak_us` of this environment in release/data.yaml says for how long.
holds contains "rollout.soak" if {
	soak := data.release.actions.environments[input.request.environment].rollout.soak_us
	integers.add(input.present.since_us, soak) <= input.request.effective_time_us
}

# METADATA
# title: Rolled back from somewhere
# description: What serves is not known as good, or an environment rolled back from this version since it was decided on.
# custom:
#   code: rollout.suspect
#   remedy: Find out why; promoting this version needs new evidence.
holds contains "rollout.suspect" if {
	some release in input.ledger.served
	release.digest == input.ledger.release_digest
	release.state == "done"
	is_number(input.rollout.decided_us)
	count({suspect |
		some suspect in input.rollout.suspects
		suspect.version_digest == input.request.version.digest
		suspect.time_us >= input.rollout.decided_us
	}) == 0
}

# METADATA
# title: A monitor asked to stop
# description: Since this rollout began a monitor asked to go no further.
# custom:
#   code: rollout.alarm
#   remedy: Look at `gates log` for what it saw; a new decision begins again, a rollback ends it.
holds contains "rollout.alarm" if input.present.alarms == 0

# METADATA
# title: Last step not seen
# description: Nobody saw that the traffic follows the release that serves by the ledger.
# custom:
#   code: rollout.unseen
#   remedy: Wait until the target shows it, and run `gates reconcile`.
holds contains "rollout.unseen" if input.present.observed == input.ledger.release_digest
