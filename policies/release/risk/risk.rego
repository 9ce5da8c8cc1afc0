# METADATA
# description: |
#   A few integer points for how much a decision risks: shown with the approval, and able to demand one more. The points
#   stand in release/data.yaml; docs/approvals.md says what they count.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.release.risk

import data.gates.lib.asked
import data.gates.lib.integers
import data.gates.lib.judge

# METADATA
# description: The points and what they are for; undefined where the policy has no points for a part.
summary := {"points": points, "parts": parts}

points := integers.total([part.points | some part in parts]) if _complete

parts := {part | some part in ((_fixed | _provisional) | _waived)}

_fixed := {
	{"part": "tier", "what": asked.tier, "points": _of.tier[asked.tier]},
	{"part": "change", "what": kind, "points": _of.change[kind]},
	{"part": "traffic", "what": _traffic.what, "points": _traffic.points},
}

_provisional := {{"part": "provisional", "what": "not all is proven", "points": _of.provisional} | judge.provisional}

_waived := {{"part": "waived", "what": "a bad figure is accepted", "points": _of.waived} | _waives}

# Absent points are no points for any part, so that each must be there.
_complete if {
	count(_fixed) == 3
	is_number(_of.provisional)
	is_number(_of.waived)
}

_of := data.release.risk

_traffic := found if {
	least := min([row.most | some row in _of.traffic; input.request.percent <= row.most])
	some found in _of.traffic
	found.most == least
}

_waives if {
	some result in judge.results
	result.disposition == "waived"
}

# METADATA
# description: What was changed since the last decision that was carried out here; unknown where nobody says.
default kind := "unknown"

kind := "first" if {
	asked.first_release
} else := "features" if {
	_then
	_differs({"feature_definitions", "label_definition"})
} else := "code" if {
	_then
	_differs({"code_revision", "parameters", "environment"})
} else := "data" if {
	_then
}

_then := input.last.metadata

_differs(words) if {
	some word in words
	not _same(word)
}

_same(word) if input.bundle.metadata[word] == _then[word]
