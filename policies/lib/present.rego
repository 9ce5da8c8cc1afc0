# METADATA
# description: What is required and absent, whole checks and slices or single items of them.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MEASURE 1.1, MEASURE 2.1]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V Model Validation]
#     iso-42001: [A.6.2.4]
#   evidence: [plan.body.requirements, evidence.measurements]
#   not_covered: Whether what is required is enough for what the model is used for.
package gates.lib.present

import data.gates.lib.asked
import data.gates.lib.claims
import data.gates.lib.figures
import data.gates.lib.outcomes
import data.gates.lib.required

# METADATA
# title: No figure
# description: The check is required and the evidence holds neither a figure nor a reason why there is none.
# custom:
#   code: check.missing
#   remedy: Run the gate that measures it; `gates plan` lists what is required.
_missing_result(check, slice) := object.union(
	{"check": check, "slice": slice, "rule": "present"},
	outcomes.error("check.missing"),
)

# METADATA
# title: Figures left out
# description: The check has figures of several items, such as tables or levels. Each says how many there are, and there are fewer, or they disagree.
# custom:
#   code: check.incomplete
#   remedy: Measure again, and seal all that the gates wrote.
_left_out_result(check, slice) := object.union(
	{"check": check, "slice": slice, "rule": "present"},
	outcomes.error("check.incomplete"),
)

# METADATA
# title: Unknown check
# description: The check is required, and no gate's policy defines it.
# custom:
#   code: check.unknown
#   remedy: Correct the name; `gates explain` lists the checks.
_unknown_result(check, slice) := object.union(
	{"check": check, "slice": slice, "rule": "present"},
	outcomes.error("check.unknown"),
)

_unknown := {_unknown_result(r.check, object.get(r, "slice", _whole)) |
	some r in asked.requirements
	not required.checks[r.check]
}

_whole := {"kind": "whole"}

_answered := {[figure.check, figure.slice] | some figure in claims.answers}

# A named claim without a figure.
_silent := {_requirement(claim) |
	some claim in claims.all
	not _answered[claim]
	[check, _] := claim
	required.checks[check]
}

# A slice column in which nothing was measured.
_sliceless := {r | some r in asked.requirements; column := r.each; not figures.columns[column]}

# An item that the plan or the check names and no figure is about: a feature that vanished, a bin that was left out.
_items := {[check, slice, item] | some [check, slice, _, item] in _parts}

_vanished := {[claim, item] |
	some claim in claims.all
	[check, slice] := claim
	required.checks[check].items == "features"
	some feature in input.plan.body.columns.features
	item := {"kind": "feature", "name": feature}
	not _items[[check, slice, item]]
} | {[claim, item] |
	some claim in _binned
	[check, slice] := claim
	some name in required.checks[check].bins
	item := {"kind": "bin", "name": name}
	not _items[[check, slice, item]]
}

# Claims whose figures are of bins, and their number stands with each. One reason for all of them names no bin.
_binned := {[figure.check, figure.slice] |
	some figure in claims.answers
	required.checks[figure.check].bins
	_by_bin(figure)
}

_by_bin(figure) if figure.status == "measured"

_by_bin(figure) if figure.item.kind == "bin"

# A figure of one of several items, or of all beside figures of some, says how many there are; what has an item and does
# not say so says 0. Claims that have fewer, and claims whose figures disagree.
_parts := [[figure.check, figure.slice, _items_said(figure), object.get(figure, "item", {})] | some figure in claims.answers]

_items_said(figure) := figure.items

_items_said(figure) := 0 if {
	figure.item
	not figure.items
}

_numbers := {[check, slice, items] | some [check, slice, items, _] in _parts}

_numbered := {[check, slice] | some [check, slice, _] in _numbers}

_of_several := [part | some part in _parts; part[2] != 1]

_several := {[check, slice, items] | some [check, slice, items, _] in _of_several}

_left_out := {_requirement(claim) | some claim in (_short | _disagreed)}

_short := {[check, slice] |
	some [check, slice, items] in _several
	_fewer(count({item | some [of, same, _, item] in _of_several; of == check; same == slice}), items)
}

_fewer(_, 0)

_fewer(number, items) if number < items

_disagreed := {[check, slice] |
	count(_numbered) != count(_numbers)
	some [check, slice, items] in _numbers
	some [of, same, other] in _numbers
	items != other
	of == check
	same == slice
}

_incomplete := {_requirement(claim) | some [claim, _] in _vanished}

# METADATA
# description: Requirements, narrowed to slices, that no figure or not every figure answers.
missing := ((_silent | _sliceless) | _left_out) | _incomplete

_requirement([check, slice]) := {
	"environment": asked.environment,
	"check": check,
	"role": claims.role(check, slice),
	"slice": slice,
}

_absences := {_missing_result(r.check, object.get(r, "slice", _whole)) | some r in (_silent | _sliceless)} | {result |
	some r in _left_out
	result := _left_out_result(r.check, r.slice)
}

_vanishings := {object.union(_missing_result(check, slice), {"item": item}) |
	some [[check, slice], item] in _vanished
}

# METADATA
# description: One result for each absence.
results := [result | some part in [_unknown, _absences, _vanishings]; some result in part]
