# METADATA
# description: Evidence is judged at the decision's effective time, whatever the time of evaluation.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     sr-11-7: [V Model Validation]
#     iso-42001: [A.6.2.5]
#   evidence: [evidence.finished_us, bundle.created_us]
#   not_covered: Whether the world is still as it was when the rows were collected.
package gates.release.freshness

import data.gates.lib.asked
import data.gates.lib.integers
import data.gates.lib.result

# METADATA
# title: Stale evidence
# description: Some evidence, or the bundle, is older than this environment allows.
# custom:
#   code: evidence.stale
#   remedy: Measure again.
results contains result.denies("release.freshness", "evidence.stale") if {
	asked.strict
	count({time | some time in _made; not _fresh(time)}) > 0
}

# METADATA
# title: Evidence from the future
# description: Some evidence, or the bundle, was made after the time that the decision is for, or ended before it began.
# custom:
#   code: evidence.future
#   remedy: Check the clocks of the measuring and the deciding machine.
results contains result.denies("release.freshness", "evidence.future") if {
	asked.strict
	some time in _made
	time > input.request.effective_time_us
}

results contains result.denies("release.freshness", "evidence.future") if {
	asked.strict
	some evidence in input.evidence
	evidence.started_us > evidence.finished_us
}

_made := {evidence.finished_us | some evidence in input.evidence} | {input.bundle.created_us}

_fresh(time) if {
	most := data.release.environments[asked.environment].evidence_max_age_us
	integers.add(time, most) >= input.request.effective_time_us
}
