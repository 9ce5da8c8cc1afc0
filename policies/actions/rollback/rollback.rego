# METADATA
# description: |
#   Back to an earlier release: by authority and with a reason, and to nothing but what this environment's ledger knows as
#   good. Quality is not asked.
# schemas:
#   - input: schema["action-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MANAGE 2.4, MANAGE 4.3]
#     eu-ai-act: [Article 20(1)]
#     iso-42001: [A.6.2.6]
#   evidence: [ledger.served, ledger.archived, bytes]
#   not_covered: Whether the earlier release is any better today; nobody measured it again.
package gates.actions.rollback

import data.gates.lib.integers

asks := {"rollback.unknown", "rollback.suspect", "rollback.old", "rollback.bytes", "rollback.archived"}

_target contains release if {
	some release in input.ledger.served
	release.digest == input.request.release
}

# METADATA
# title: Not a release of this environment
# description: The ledger knows no such release as done here, or it is what serves now.
# custom:
#   code: rollback.unknown
#   remedy: Name one that was done here; anything else is a promotion.
holds contains "rollback.unknown" if {
	count(_target) == 1
	input.request.release != object.get(input.ledger, "release_digest", "")
}

# METADATA
# title: Release known as bad
# description: The release was rolled back from, or marked bad.
# custom:
#   code: rollback.suspect
#   remedy: Name a release that is known as good; promoting this one again needs new evidence.
holds contains "rollback.suspect" if {
	some release in _target
	release.state == "done"
}

# METADATA
# title: Release too old
# description: The release stopped serving longer ago than this environment goes back.
# custom:
#   code: rollback.old
#   remedy: Promote it again, on evidence of today.
holds contains "rollback.old" if {
	some release in _target
	longest := data.release.actions.environments[input.request.environment].rollback.longest_us
	integers.add(_last_served(release), longest) >= input.request.effective_time_us
}

_last_served(release) := left if {
	left := release.left_us
} else := release.time_us

# METADATA
# title: Model bytes changed
# description: The registered bytes of a version of that release are others than those that served, or nobody says which it has.
# custom:
#   code: rollback.bytes
#   remedy: Find out who changed them, and name another release.
holds contains "rollback.bytes" if {
	count(input.bytes) > 0
	count({hashed | some hashed in input.bytes; _other(hashed)}) == 0
}

# Bytes that could not be reached are a debt of the rollback, and paid when they can.
_other(hashed) if hashed.found != hashed.wanted

# METADATA
# title: Version archived
# description: A version of that release was archived, and its bytes may be gone.
# custom:
#   code: rollback.archived
#   remedy: Name another release.
holds contains "rollback.archived" if {
	wanted := {hashed.wanted | some hashed in input.bytes} | {release.candidate_digest | some release in _target}
	count(wanted & {digest | some digest in input.ledger.archived}) == 0
}
