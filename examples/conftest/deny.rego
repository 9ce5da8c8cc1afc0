# The decision of Model Gates, said as conftest asks for it: whatever is not a yes leaves something to deny.
package conftest_gates

import data.gates.main

# Both by `not` of a rule: `not f(main.decision.allow)` is undefined, and so denies nothing, where there is no decision.
deny contains "no decision: this is no decision input" if not _decided

deny contains message if {
	_decided
	not _allowed
	message := concat(": ", ["denied", concat(", ", {r.code | some r in main.decision.results; r.disposition == "denies"})])
}

_decided if is_boolean(main.decision.allow)

_allowed if main.decision.allow == true
