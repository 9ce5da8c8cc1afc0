# METADATA
# description: Approvals are counted by person, for exactly this move, and never from the one who asks for it.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.release.approvals

import data.gates.lib.asked
import data.gates.lib.keys
import data.gates.lib.result
import data.gates.release.narrowed

_roles := {role | some role in data.release.approvals[asked.environment][asked.tier]} | _of_risk

# Less than the last decision asked for is the risk role's to approve, wherever it is.
_of_risk := {"risk" | count(narrowed.found) > 0}

# METADATA
# title: Approval missing
# description: Fewer different persons than this environment wants have approved exactly this move.
# custom:
#   code: approval.missing
#   remedy: Have each role that is missing run `gates approve` for this bundle and environment.
results contains result.denies("release.approvals", "approval.missing") if {
	asked.strict
	not _enough
}

# METADATA
# title: Approval void
# description: An approval was given for another candidate, bundle, plan, policy, environment or current release.
# custom:
#   code: approval.void
#   remedy: Approve again; what was approved has changed.
results contains result.notes("release.approvals", "approval.void") if {
	some approval in input.approvals
	not _binds(approval.statement)
}

# METADATA
# title: Approval expired
# description: An approval is past its time, or dated after the time that the decision is for.
# custom:
#   code: approval.expired
#   remedy: Approve again.
results contains result.notes("release.approvals", "approval.expired") if {
	some approval in input.approvals
	not _in_time(approval.statement)
}

# METADATA
# title: Approval by a key not listed
# description: No key that signed an approval is listed for its role in this environment.
# custom:
#   code: approval.unlisted_key
#   remedy: Run `gates trust add` with the approver's public key and role, and activate the new trust data.
results contains result.notes("release.approvals", "approval.unlisted_key") if {
	some approval in input.approvals
	count(_approvers(approval)) == 0
}

# METADATA
# title: Approval by the one who asks
# description: An approval is by the person who asks, with this key or another one of theirs; it does not count.
# custom:
#   code: approval.by_actor
#   remedy: Have somebody else approve.
results contains result.notes("release.approvals", "approval.by_actor") if {
	some approval in input.approvals
	_by_actor(approval)
}

# METADATA
# description: Digests of the approvals that count.
counted contains approval.digest if {
	some approval in input.approvals
	_counts(approval)
}

_counts(approval) if {
	approval.statement.role in _roles
	_binds(approval.statement)
	_in_time(approval.statement)
	not _by_actor(approval)
	count(_approvers(approval)) > 0
}

_by_actor(approval) if count(keys.identities(approval.key_ids) & keys.asking) > 0

_approvers(approval) := keys.holders(approval.key_ids, concat(":", ["approve", approval.statement.role]))

_binds(statement) if {
	statement.model == input.request.model
	statement.environment == input.request.environment
	statement.action == input.request.action
	statement.candidate_digest == input.request.candidate.digest
	statement.bundle_digest == input.bundle.digest
	statement.plan_digest == input.plan.digest
	statement.policy_digest == input.policy.digest
	object.get(statement, "current_release_digest", "") == _current
}

default _current := ""

_current := input.ledger.release_digest

_in_time(statement) if {
	statement.time_us <= input.request.effective_time_us
	statement.expires_us > input.request.effective_time_us
}

# METADATA
# description: Persons whose approval in this role counts.
persons(role) := {person |
	some approval in input.approvals
	approval.statement.role == role
	_counts(approval)
	some person in _approvers(approval)
}

# Each role by a person of its own: for one, two or three roles exactly Hall's condition.
_enough if {
	data.release.approvals[asked.environment][asked.tier]
	count(_roles) <= 3
	everyone := {person | some role in _roles; some person in persons(role)}
	count(everyone) >= count(_roles)
	count({[a, b] | some a in _roles; some b in _roles; not _apart(a, b)}) == 0
}

_apart(role, role) if count(persons(role)) >= 1

_apart(a, b) if {
	a != b
	count(persons(a) | persons(b)) >= 2
}
