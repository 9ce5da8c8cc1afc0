# METADATA
# description: Approvals of an action, counted by person, for exactly this action, and never from the one who asks for it.
# schemas:
#   - input: schema["action-input.v1"]
package gates.lib.assent

import data.gates.lib.integers
import data.gates.lib.keys
import data.gates.lib.people
import data.gates.lib.required

# METADATA
# description: The roles that this action needs here, at this model's tier; undefined where the policy does not say.
roles := {role | some role in _said} if _said

_said := data.release.actions.environments[input.request.environment][input.request.action].approvals[_tier]

_tier := required.tier(input.request.model)

# METADATA
# description: Digests of the approvals that count.
counted contains approval.digest if {
	some approval in input.approvals
	_counts(approval)
}

_counts(approval) if {
	_binds(approval.statement)
	_in_time(approval.statement)
	count(keys.identities(approval.key_ids) & keys.asking) == 0
	count(_approvers(approval)) > 0
}

_approvers(approval) := keys.holders(approval.key_ids, concat(":", ["approve", approval.statement.role]))

_binds(statement) if {
	statement.model == input.request.model
	statement.environment == input.request.environment
	statement.action == input.request.action
	statement.candidate_digest == input.request.version.digest
	statement.policy_digest == input.policy.digest
	object.get(statement, "current_release_digest", "") == object.get(input.ledger, "release_digest", "")
}

_in_time(statement) if {
	statement.time_us <= input.request.effective_time_us
	statement.expires_us > input.request.effective_time_us
	integers.add(statement.time_us, data.release.approval_longest_us) > input.request.effective_time_us
}

_persons(role) := {person |
	some approval in input.approvals
	approval.statement.role == role
	_counts(approval)
	some person in _approvers(approval)
}

# METADATA
# description: Each role that is needed has a person of its own.
enough if {
	# Undefined roles would make an empty object of the next line.
	count(roles) >= 0
	people.distinct({role: _persons(role) | some role in roles})
}
