# METADATA
# description: |
#   Other policies or trust data in force: by a policy owner and with a reason, with each thing named that they loosen, approved
#   by somebody else where they do, and with what they would have decided, or why nobody tried.
# schemas:
#   - input: schema["change-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [GOVERN 1.4, GOVERN 2.1]
#     eu-ai-act: [Article 17(1)(m)]
#     sr-11-7: ["VI Governance, Policies, and Controls"]
#     iso-42001: [A.3.2]
#   evidence: [change, approvals, simulation]
#   not_covered: Whether the new policies are the right ones, and what another version of our own rules changes.
package gates.actions.policy

import data.gates.lib.assent
import data.gates.lib.said

asks := {"change.unknown", "change.loosened", "change.approvals", "change.simulation"}

roles := {"policy"}

# The owners of entry 0 stand in the ledger, whatever the trust data say.
holds contains "action.authority" if {
	some key_id in input.ledger.owners
	key_id == input.request.actor_key_id
}

# METADATA
# title: Override of nothing
# description: The new policies override a check, a gate or a feature that there is none of.
# custom:
#   code: change.unknown
#   remedy: Correct the name; `gates explain` lists the checks.
holds contains "change.unknown" if count(input.change.unknown) == 0

# METADATA
# title: Loosened without a name
# description: What the new policies loosen is not what is named, so that the ledger would not say it.
# custom:
#   code: change.loosened
#   remedy: Name each path with --loosen PATH, or take it out.
holds contains "change.loosened" if _loosened == {path | some path in input.change.named}

_loosened := {path | some path in input.change.loosened} if input.change.loosened

# METADATA
# title: Approvals missing
# description: Fewer different persons than this environment wants, none of them the one who asks, have approved this change.
# custom:
#   code: change.approvals
#   remedy: Have each role that is missing run `gates policy approve`.
holds contains "change.approvals" if {
	wanted := data.release.actions.environments[input.request.environment].policy.approvals[_kind]
	assent.by_each({role | some role in wanted}, _counting)
}

_kind := "loosens" if {
	count(_loosened) > 0
} else := "tightens"

# METADATA
# title: Not simulated, and nobody says why
# description: What these policies would have decided on past inputs is neither there, nor is it said why not.
# custom:
#   code: change.simulation
#   remedy: Have it tried with --simulate, or say why not with --unsimulated TEXT.
holds contains "change.simulation" if {
	input.simulation.policy_digest == input.change.policy_digest
	input.simulation.decisions >= 0
}

holds contains "change.simulation" if said.something(input.unsimulated)

# METADATA
# description: Digests of the approvals that count.
counted := {approval.digest | some approval in _counting}

_counting := assent.counting([approval | some approval in input.approvals; _binds(approval.statement)])

_binds(statement) if {
	statement.environment == input.request.environment
	statement.policy_digest == input.change.policy_digest
	statement.trust_digest == input.change.trust_digest
	statement.current_policy_digest == input.ledger.policy_digest
	statement.current_trust_digest == input.ledger.trust_digest
}
