# METADATA
# description: A candidate climbs rung by rung.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MANAGE 1.1]
#     sr-11-7: ["IV Model Development, Implementation, and Use"]
#     iso-42001: [A.6.2.5]
#   evidence: [ledger.rung_below, ledger.known_releases]
#   not_covered: How well the rung below stands for this one.
package gates.release.ladder

import data.gates.lib.asked
import data.gates.lib.integers
import data.gates.lib.result

# METADATA
# title: Rung skipped
# description: This candidate was not promoted to all traffic of the rung below, or that was too long ago.
# custom:
#   code: ladder.skipped
#   remedy: Promote the candidate to all traffic of the rung below first.
results contains result.denies("release.ladder", "ladder.skipped") if {
	asked.strict
	not _climbed
}

_rung := data.release.environments[asked.environment]

_climbed if {
	_rung
	not _rung.below
}

_climbed if {
	below := input.ledger.rung_below
	below.environment == _rung.below
	below.candidate_digest == input.request.candidate.digest
	below.time_us <= input.request.effective_time_us
	integers.add(below.time_us, _rung.below_max_age_us) >= input.request.effective_time_us
}

# METADATA
# title: Version archived
# description: This version was archived; what rolls back, retires and reads the registry counts on its being gone.
# custom:
#   code: release.archived
#   remedy: Register the bytes as a new version, and measure that.
results contains result.denies("release.ladder", "release.archived") if input.ledger.archived

# METADATA
# title: Release known as bad
# description: This candidate served here before and was rolled back; it is bad, or some evidence is older than that.
# custom:
#   code: release.suspect
#   remedy: Measure again after the rollback; a release marked bad needs a new version.
results contains result.denies("release.ladder", "release.suspect") if {
	asked.strict
	some release in input.ledger.known_releases
	release.candidate_digest == input.request.candidate.digest
	_distrusted(release)
}

_distrusted(release) if release.state == "bad"

_distrusted(release) if {
	release.state == "suspect"
	some time in _measured
	time <= release.time_us
}

# The evidence's own times: sealing old measurements again makes them no younger.
_measured := {evidence.started_us | some evidence in input.evidence} | {input.bundle.created_us}
