# METADATA
# description: Approvals are counted by person, for exactly this move, and never from the one who asks for it.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [GOVERN 2.1, MEASURE 1.3]
#     eu-ai-act: [Article 17(1)(m)]
#     sr-11-7: [VI Roles and Responsibilities]
#     iso-42001: [A.3.2]
#   evidence: [approvals.statement, bundle.metadata.authors]
#   not_covered: Whether the one who approved understood what he approved.
package gates.release.approvals

import data.gates.lib.asked
import data.gates.lib.assent
import data.gates.lib.integers
import data.gates.lib.judge
import data.gates.lib.keys
import data.gates.lib.people
import data.gates.lib.required
import data.gates.lib.result
import data.gates.lib.said
import data.gates.release.narrowed
import data.gates.release.risk

_of_tier := {role | some role in data.release.approvals[asked.environment][asked.tier]}

_roles := (_of_tier | _of_risk) | _of_business

# Every role that may approve; an approval in one that is not needed by name still counts as one person more.
_known := {"ml-owner", "risk", "business-owner"}

# Where a model of tier high names its business owner, that person approves too.
_of_business := {"business-owner" |
	asked.tier == "high"
	count(_of_tier) > 0
	is_string(_business_owner)
}

_business_owner := required.model(input.request.model).business_owner

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
	not _alone
}

# METADATA
# title: Self-approved
# description: The policy owners let this model be approved by the one who asks or who made it; nobody else has looked.
# custom:
#   code: approval.self
#   remedy: Take `solo` out of models/<model>/data.yaml as soon as there is a second person.
results contains result.notes("release.approvals", "approval.self") if self_approved

# METADATA
# title: Reason missing
# description: At this tier nobody has to approve, and the one who asks has not said why.
# custom:
#   code: reason.missing
#   remedy: Say why, with --reason TEXT; it is recorded.
#   supports:
#     nist-ai-rmf: [MANAGE 1.1]
#     sr-11-7: [VI Documentation]
#     iso-42001: [A.6.2.5]
results contains result.denies("release.approvals", "reason.missing") if {
	asked.strict
	asked.tier in data.release.environments[asked.environment].reason_tiers
	not said.something(object.get(input.request, "reason", ""))
}

# METADATA
# title: Approval by an author
# description: An approval is by a person who triggered training or measuring, or committed since the champion; it does not count.
# custom:
#   code: approval.by_author
#   remedy: Have somebody else approve.
results contains result.notes("release.approvals", "approval.by_author") if {
	some approval in input.approvals
	_by_author(approval)
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
	not assent.in_time(approval.statement)
}

# METADATA
# title: Approval by a key not listed
# description: No key that signed an approval is listed for its role in this environment.
# custom:
#   code: approval.unlisted_key
#   remedy: Run `gates trust add` with the approver's public key and role, and activate the new trust data.
results contains result.notes("release.approvals", "approval.unlisted_key") if {
	some approval in input.approvals
	count(assent.approvers(approval)) == 0
}

# METADATA
# title: Another business owner
# description: An approval as business owner is by a person with that role whom this model's facts do not name; it does not count.
# custom:
#   code: approval.other_owner
#   remedy: Have `business_owner` of models/<model>/data.yaml name the person or an identity of the trust data, or have that person approve.
results contains result.notes("release.approvals", "approval.other_owner") if {
	some approval in input.approvals
	count(assent.approvers(approval)) > 0
	count(_approvers(approval)) == 0
}

# METADATA
# title: Approval by the one who asks
# description: An approval is by the person who asks or started the job, with this key or another one; it does not count.
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
	approval.statement.role in _known
	_binds(approval.statement)
	assent.in_time(approval.statement)
	not _barred(approval)
	count(_approvers(approval)) > 0
}

# Where the policy owners allow one person to be all, being actor or author bars nobody.
_barred(approval) if {
	not _solo
	_own(approval)
}

_own(approval) if _by_actor(approval)

_own(approval) if _by_author(approval)

_solo if required.model(input.request.model).solo == true

_by_author(approval) if count(keys.names(approval.key_ids) & _authors) > 0

_authors := {name | some name in input.bundle.metadata.authors} | keys.names(input.bundle.key_ids)

_by_actor(approval) if count(keys.names(approval.key_ids) & keys.asking) > 0

_approvers(approval) := {person |
	some person in assent.approvers(approval)
	_right(approval.statement.role, person)
}

# Another business owner than the model's is none.
_right(role, _) if role != "business-owner"

_right("business-owner", person) if {
	some key in data.trust.keys
	keys.person(key) == person
	_business_owner in {key.identity, key.person}
}

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

# METADATA
# description: Persons whose approval in this role counts.
persons(role) := {person |
	some approval in input.approvals
	approval.statement.role == role
	_counts(approval)
	some person in _approvers(approval)
}

# METADATA
# description: Why this environment wants one approval more, each by itself.
more contains why if {
	some why in data.release.environments[asked.environment].one_more
	_holds(why)
}

_holds("provisional") if judge.provisional

_holds("provisional") if {
	some result in judge.results
	result.disposition == "waived"
}

_holds("first_release") if asked.first_release

_holds("risk") if not _small_risk

_holds(why) if not why in {"provisional", "first_release", "risk"}

_small_risk if risk.points < data.release.risk.one_more_from

# METADATA
# description: How many different persons are to approve.
wanted := integers.add(count(_roles), count(more))

_everyone := {person | some role in _known; some person in persons(role)}

# Each role by a person of its own, and persons enough in all.
_enough if {
	data.release.approvals[asked.environment][asked.tier]
	people.distinct({role: persons(role) | some role in _roles})
	count(_everyone) >= wanted
}

# One person for all roles, each of them signed.
_alone if {
	self_approved
	data.release.approvals[asked.environment][asked.tier]
	count({role | some role in _roles; count(persons(role)) == 0}) == 0
}

default self_approved := false

# METADATA
# description: The policy owners allow one person to be all, and one who asks or made it is among those who approved.
self_approved if {
	# Where the policy does not let one person be all, no approval of one's own counts.
	asked.strict
	some approval in input.approvals
	_counts(approval)
	_own(approval)
}

self_approved if {
	asked.strict
	_solo
	count(_everyone) < wanted
	count(_everyone) > 0
}
