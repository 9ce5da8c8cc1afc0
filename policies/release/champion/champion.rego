# METADATA
# description: The champion of a decision is what the ledger says serves here, and what was measured against.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [GOVERN 1.6]
#     sr-11-7: [VI Model Inventory]
#     iso-42001: [A.6.2.5]
#   evidence: [ledger.release, bundle.champion_digest]
#   not_covered: What serves outside this ledger.
package gates.release.champion

import data.gates.lib.asked
import data.gates.lib.required
import data.gates.lib.result

# METADATA
# title: No champion in the ledger
# description: Nothing serves here by the ledger, and the policy does not name this a first release.
# custom:
#   code: champion.none
#   remedy: Enter what serves with `gates adopt`, or have the policy owners set first_release for the model.
results contains result.denies("release.champion", "champion.none") if {
	asked.strict
	not asked.first_release
	not input.ledger.release
}

# METADATA
# title: Another champion
# description: The request or the evidence names another champion than the one that the ledger says serves here.
# custom:
#   code: champion.mismatch
#   remedy: Measure again, against the champion that serves here now.
results contains result.denies("release.champion", "champion.mismatch") if {
	asked.strict
	input.ledger.release
	not _serves
}

results contains result.denies("release.champion", "champion.mismatch") if {
	input.request.champion
	not _measured_against
}

_serves if {
	most := max([route.percent | some route in input.ledger.release.routes])
	some route in input.ledger.release.routes
	route.percent == most
	route.version.digest == input.request.champion.digest
}

_measured_against if {
	input.bundle.champion_digest == input.request.champion.digest
	count({evidence.digest |
		some evidence in input.evidence
		evidence.champion_digest != input.request.champion.digest
	}) == 0
	count({evidence.digest |
		some evidence in input.evidence
		not evidence.champion_digest
		some figure in evidence.measurements
		figure.check in required.against_champion
		figure.status == "measured"
	}) == 0
}
