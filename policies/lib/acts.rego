# What every action besides a promotion is asked, and the answer that comes of it.
#
# A package gates.actions.<action> says in `asks` which codes it asks, and in `holds` which of them were shown to hold.
# Whatever was not shown denies.
#
# METADATA
# schemas:
#   - input: schema["action-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [GOVERN 2.1]
#     eu-ai-act: [Article 12(1), Article 17(1)(m)]
#     sr-11-7: [VI Roles and Responsibilities]
#     iso-42001: [A.3.2, A.6.2.8]
#   evidence: [request.actor_key_id, request.reason, policy, ledger.policy_digest, ledger.trust_digest]
#   not_covered: Whether the reason is a good one.
package gates.lib.acts

import data.gates.lib.integers
import data.gates.lib.keys
import data.gates.lib.said

_common := {"action.authority", "action.reason", "action.policy", "action.trust"}

# METADATA
# title: No authority
# description: |
#   The key that asks is not listed for this in this environment: for `apply`; a monitor's demand also for `monitor`, a change
#   of policies for `policy`.
# custom:
#   code: action.authority
#   remedy: Use a key that may; a policy owner enrols one with `gates trust add`, then `gates policy activate`.
_holds contains "action.authority" if {
	some role in _roles
	count(keys.holders([input.request.actor_key_id], role)) > 0
	input.request.actor in keys.identities([input.request.actor_key_id])
}

_roles := roles if {
	roles := data.gates.actions[input.request.action].roles
} else := {"apply"}

# METADATA
# title: No reason
# description: Nobody said why this is done.
# custom:
#   code: action.reason
#   remedy: Say why, with --reason TEXT; it is recorded.
_holds contains "action.reason" if said.something(input.request.reason)

# METADATA
# title: Other policies than those in force
# description: The policies that judge this action are not those that the ledger names here.
# custom:
#   code: action.policy
#   remedy: Judge by the policies in force, or have the policy owners run `gates policy activate`.
_holds contains "action.policy" if input.ledger.policy_digest == input.policy.digest

# METADATA
# title: Other trust data than those in force
# description: The trust data that judge this action are not those that the ledger names here.
# custom:
#   code: action.trust
#   remedy: Judge by the trust data in force, or have the policy owners run `gates policy activate`.
_holds contains "action.trust" if input.ledger.trust_digest == input.policy.trust_digest

_asks := _common | asks if {
	asks := data.gates.actions[input.request.action].asks
} else := _common

_shown := _holds | holds if {
	holds := data.gates.actions[input.request.action].holds
} else := _holds

# METADATA
# description: One for each code that is asked.
results := {_result(code) | some code in _asks}

_result(code) := object.union(_reference(code), {"verdict": "pass", "disposition": "satisfied"}) if {
	code in _shown
} else := object.union(_reference(code), {"verdict": "fail", "disposition": "denies"})

_reference(code) := {"check": concat(".", ["action", input.request.action]), "rule": "action", "code": code}

default allow := false

allow if {
	count(_asks) > count(_common)
	count({result | some result in results; result.disposition != "satisfied"}) == 0
}

valid_until_us := integers.add(input.request.effective_time_us, data.release.actions.valid_us) if {
	allow
} else := input.request.effective_time_us
