# METADATA
# description: |
#   A version that nothing needs any more is marked so: it can be neither promoted nor rolled back to, and its bytes may go.
# schemas:
#   - input: schema["action-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [GOVERN 1.6, GOVERN 1.7]
#     sr-11-7: [VI Model Inventory]
#   evidence: [ledger.held, approvals]
#   not_covered: How long law or contract wants the bytes kept.
package gates.actions.archive

import data.gates.lib.assent

asks := {"archive.held", "archive.rung", "archive.approvals"}

# METADATA
# title: Version in use
# description: An environment serves this version, approved it, moves it, or would roll back to it.
# custom:
#   code: archive.held
#   remedy: Promote or retire what serves there first.
holds contains "archive.held" if count({held |
	some held in input.ledger.held
	held.version_digest == input.request.version.digest
}) == 0

# METADATA
# title: Not the highest environment
# description: Versions belong to all environments, so that those decide who may apply in the highest one.
# custom:
#   code: archive.rung
#   remedy: Ask there.
holds contains "archive.rung" if {
	count({name |
		some name, environment in data.release.environments
		environment.below == input.request.environment
	}) == 0
	data.release.environments[input.request.environment].below
}

# METADATA
# title: Approvals missing
# description: Fewer different persons than the policy wants have approved that this version is archived.
# custom:
#   code: archive.approvals
#   remedy: Have each role that is missing run `gates approve --action archive`.
holds contains "archive.approvals" if assent.enough
