# METADATA
# description: |
#   All rows are in some slice of a column that is judged by its values. Slices that need not be proven may be undecided.
#   Those that are not even within the wider ceiling of the bounded rule may together hold only so many of the rows.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [MEASURE 2.5]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V.3 Outcomes Analysis]
#     iso-42001: [A.6.2.4]
#   evidence: [evidence.measurements.share_ppm]
#   not_covered: Groups of rows that no column tells apart.
package gates.release.slices

import data.gates.lib.asked
import data.gates.lib.comparison
import data.gates.lib.figures
import data.gates.lib.integers
import data.gates.lib.judge
import data.gates.lib.limits
import data.gates.lib.required
import data.gates.lib.shares

# METADATA
# title: Too many rows in undecided slices
# description: Slices of this column of which nothing is known, good or bad, even within the wider ceiling hold too many of the rows.
# custom:
#   code: slices.undecided
#   remedy: Measure on more rows; or have the policy owners judge by a coarser column, whose slices are larger.
results contains _result(check, column, "slices.undecided") if {
	asked.strict
	some [check, column] in _columns
	not _within(check, column)
}

# METADATA
# title: Too many rows in inconclusive slices
# description: Slices of this column that are proven neither good nor bad hold more of the rows than the policy owners allow for this check.
# custom:
#   code: slices.inconclusive
#   remedy: Measure on more rows; or have the policy owners raise `inconclusive_share_ppm` in models/<model>/data.yaml.
results contains _result(check, column, "slices.inconclusive") if {
	asked.strict
	some check, most in required.model(input.request.model).inconclusive_share_ppm
	some column in {slice.column | some [named, slice, _] in _open; named == check}
	not _few(check, column, most)
}

# METADATA
# title: A value left out
# description: The slices of this column do not add up to all rows; the evidence leaves a value of it out.
# custom:
#   code: slices.incomplete
#   remedy: Measure again, and seal all that the gates wrote.
results contains object.union(_result("release.slices", column, "slices.incomplete"), {"verdict": "error"}) if {
	some [gate, column] in _cut
	found := [share | some [of, named, _, share] in shares.said; of == gate; named == column]
	count(found) > 0
	not shares.all_rows(found)
}

# METADATA
# title: Two shares of one slice
# description: Figures of one gate say different things of how many rows are in one slice, so that no share can be relied on.
# custom:
#   code: slices.contradicted
#   remedy: Measure again; what wrote these figures is broken, or they are of two runs.
results contains object.union(_result("release.slices", column, "slices.contradicted"), {"verdict": "error"}) if {
	some column in shares.contradicted
}

_cut := {[gate, r.each] | some r in asked.requirements; gate := shares.gates[r.check]}

_few(check, column, most) if {
	is_number(most)
	integers.total([share | some [named, slice, share] in _open; named == check; slice.column == column]) <= most
}

_result(check, column, code) := {
	"check": check,
	"item": {"kind": "column", "name": column},
	"rule": "release",
	"verdict": "fail",
	"disposition": "denies",
	"code": code,
}

_within(check, column) if {
	shares := [share | some [named, slice, share] in _parts; named == check; slice.column == column]
	integers.total(shares) <= data.release.environments[asked.environment].undecided_share_ppm[asked.tier]
}

_columns := {[check, slice.column] | some [check, slice, _] in _parts}

# Each slice counts once, however many of its items are undecided.
_parts := {_part(figure) | some figure in _figures; not _bounded(figure)}

_open := {_part(figure) | some figure in _figures}

_part(figure) := [figure.check, figure.slice, figure.share_ppm]

_figures := [figure | some figure in figures.all; _undecided[figure.check][figure.slice]]

_bounded(figure) if {
	limit := limits.of_figure(asked.environment, asked.tier, figure).limit
	sense := required.checks[figure.check].sense
	comparison.bounded(sense, figure, limits.bar(limit), limits.ceiling(limit), input.ledger.looks)
}

# Check -> its slices of which nothing is known.
_undecided := {check: slices |
	some check in {result.check | some result in _tolerated}
	not asked.tier in object.get(required.checks[check], "lenient_tiers", set())
	slices := {result.slice | some result in _tolerated; result.check == check}
}

_tolerated := [result |
	some result in judge.results
	result.verdict == "inconclusive"
	result.disposition == "tolerated"
]
