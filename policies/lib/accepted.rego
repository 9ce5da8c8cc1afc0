# Figures that two people accepted for a time: a waiver of one version, or a baseline of what a model failed one day.
#
# Each names a check, a slice and an item, and is a wider limit for that one figure: its point must be within `limit` and
# its bound at .95 within `ceiling`, whatever the look. A worse figure is not covered.
#
# METADATA
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.accepted

import data.gates.lib.comparison
import data.gates.lib.integers
import data.gates.lib.keys
import data.gates.lib.limits
import data.gates.lib.required

_now := input.request.effective_time_us

# METADATA
# description: Those against which nothing speaks.
in_force := [waiver |
	some waiver in input.waivers
	binds(waiver.statement)
	begun(waiver.statement)
	not over(waiver.statement)
	short(waiver.statement)
	of_gates(waiver.statement)
	listed(waiver)
	approved_by_others(waiver)
]

# METADATA
# description: It is about this model and environment, and about this version where it names one.
binds(statement) if {
	statement.model == input.request.model
	statement.environment == input.request.environment
	_of_version(statement)
}

_of_version(statement) if {
	statement.kind == "waiver"
	statement.candidate == input.request.candidate
}

_of_version(statement) if statement.kind == "baseline"

# METADATA
# description: Its time has begun, which is [from, until).
begun(statement) if {
	statement.from_us <= _now
	statement.time_us <= _now
}

# METADATA
# description: Its time is over.
over(statement) if statement.until_us <= _now

# METADATA
# description: It lasts no longer than this environment allows.
short(statement) if {
	longest := data.release.environments[input.request.environment].longest_us[statement.kind]
	integers.add(statement.from_us, longest) >= statement.until_us
}

# METADATA
# description: |
#   It accepts figures of gates only. What stands under data.gates.release is authority, identity and order, and is
#   nobody's to waive.
of_gates(statement) if {
	count(statement.accepted) > 0
	every accepted in statement.accepted {
		required.checks[accepted.check]
	}
}

# METADATA
# description: The trust data know who asked for it.
listed(waiver) if count(keys.persons(waiver.key_ids)) > 0

# METADATA
# description: Somebody with the role approved it.
approved(waiver) if count(_approvals(waiver)) > 0

# METADATA
# description: Somebody approved it who neither asked for it nor asks for this decision.
approved_by_others(waiver) if {
	asking := keys.names(waiver.key_ids) | keys.asking
	some key_ids in _approvals(waiver)
	count(keys.names(key_ids) & asking) == 0
}

_approvals(waiver) := {approval.key_ids |
	some approval in waiver.approvals
	approval.statement.waiver_digest == waiver.digest
	approval.statement.model == input.request.model
	approval.statement.environment == input.request.environment
	approval.statement.time_us <= _now
	count(keys.holders(approval.key_ids, data.release.waivers.approver)) > 0
}

# METADATA
# description: Check, slice and item of a figure, or of an acceptance.
place(one) := [one.check, one.slice, object.get(one, "item", {})]

_places := {place(accepted) | some waiver in in_force; some accepted in waiver.statement.accepted}

# METADATA
# description: Digests of those in force that accept this figure.
covering(figure) := {waiver.digest |
	_places[place(figure)]
	some waiver in in_force
	some accepted in waiver.statement.accepted
	place(accepted) == place(figure)
	comparison.bounded(
		required.checks[figure.check].sense,
		figure,
		limits.bar(accepted.accepts),
		limits.ceiling(accepted.accepts),
		1,
	)
}
