# METADATA
# description: What a hotfix asks for besides, as it leaves rules about order and pace for later.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MANAGE 2.4, MANAGE 4.3]
#     sr-11-7: [VI Policies and Procedures]
#   evidence: [request.incident, request.reason, ledger.hotfix_until_us]
#   not_covered: Whether there is an incident of that name, and whether this mends it.
package gates.release.hotfix

import data.gates.lib.hotfix
import data.gates.lib.result
import data.gates.lib.said

# METADATA
# title: No hotfix here
# description: The request names an incident, and this environment knows no hotfix.
# custom:
#   code: hotfix.environment
#   remedy: Promote without --hotfix.
results contains result.denies("release.hotfix", "hotfix.environment") if {
	hotfix.asked
	not hotfix.known
}

# METADATA
# title: Hotfix without a reason
# description: The request names an incident and does not say what this changes about it.
# custom:
#   code: hotfix.reason
#   remedy: Say why, with --reason TEXT; it is recorded.
results contains result.denies("release.hotfix", "hotfix.reason") if {
	hotfix.asked
	not said.something(object.get(input.request, "reason", ""))
}

# METADATA
# title: Hotfix upon an expired one
# description: What serves came by a hotfix whose time is over; another one does not prolong it.
# custom:
#   code: hotfix.expired
#   remedy: Promote with nothing left for later, or run `gates reconcile`, which rolls it back.
results contains result.denies("release.hotfix", "hotfix.expired") if {
	hotfix.asked
	input.ledger.hotfix_until_us <= input.request.effective_time_us
}
