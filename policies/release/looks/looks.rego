# METADATA
# description: How often a candidate may try, and how many candidates one holdout may judge; counted from the ledger.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MEASURE 2.13]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V Model Validation]
#   evidence: [ledger.looks, ledger.attempts, ledger.candidates_judged]
#   not_covered: Looks at the holdout that no ledger saw, and rows that came again under other keys.
package gates.release.looks

import data.gates.lib.asked
import data.gates.lib.result

# METADATA
# title: Too many attempts
# description: Evidence of this candidate was sealed more often than this environment allows, or nobody says how often.
# custom:
#   code: attempts.exhausted
#   remedy: Register a new version; measuring the same bytes until they pass is no proof.
results contains result.denies("release.looks", "attempts.exhausted") if {
	asked.strict
	not _few_attempts
}

# METADATA
# title: Too many candidates on one holdout
# description: This holdout has judged more candidates than this environment allows, so that the best of them may be luck.
# custom:
#   code: candidates.exhausted
#   remedy: Measure on fresh rows; they start a new count.
results contains result.denies("release.looks", "candidates.exhausted") if {
	asked.strict
	not _few_candidates
}

# METADATA
# title: Holdout of pull requests
# description: The evidence was measured on the holdout that gates.yaml names for pull requests, and was entered for a decision.
# custom:
#   code: holdout.pull_request
#   remedy: Measure on the holdout itself; the other is for looking at a change before it is merged.
results contains result.denies("release.looks", "holdout.pull_request") if {
	asked.strict
	input.plan.body.pull_request
	input.ledger.sealed
}

_few_attempts if input.ledger.attempts <= _most.attempts

_few_candidates if input.ledger.candidates_judged <= _most.candidates

_most := data.release.environments[asked.environment].most
