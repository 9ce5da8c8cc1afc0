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
counted := {approval.digest | some approval in _counting}

_counting := counting([approval | some approval in input.approvals; _binds(approval.statement)])

_binds(statement) if {
	statement.model == input.request.model
	statement.environment == input.request.environment
	statement.action == input.request.action
	statement.candidate_digest == input.request.version.digest
	statement.policy_digest == input.policy.digest
	object.get(statement, "current_release_digest", "") == object.get(input.ledger, "release_digest", "")
}

# METADATA
# description: Those of these approvals that are in time, by a key listed for their role, and not by the one who asks.
counting(approvals) := [approval |
	some approval in approvals
	in_time(approval.statement)
	count(keys.names(approval.key_ids) & keys.asking) == 0
	count(approvers(approval)) > 0
]

# METADATA
# description: The persons who may approve in the role that an approval names, by the keys that signed it.
approvers(approval) := keys.holders(approval.key_ids, concat(":", ["approve", approval.statement.role]))

in_time(statement) if {
	statement.time_us <= input.request.effective_time_us
	statement.expires_us > input.request.effective_time_us
	integers.add(statement.time_us, data.release.approval_longest_us) > input.request.effective_time_us
}

# METADATA
# description: Each role that is needed has a person of its own.
enough if by_each(roles, _counting)

# METADATA
# description: Each of these roles has a person of its own among these approvals that count.
by_each(wanted, approvals) if people.distinct({role: _persons(role, approvals) | some role in wanted})

_persons(role, approvals) := {person |
	some approval in approvals
	approval.statement.role == role
	some person in approvers(approval)
}
