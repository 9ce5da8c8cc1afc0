# METADATA
# description: One result for each required figure, and one for each that is absent.
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
package gates.lib.judge

import data.gates.lib.accepted
import data.gates.lib.asked
import data.gates.lib.comparison
import data.gates.lib.figures
import data.gates.lib.integers
import data.gates.lib.limits
import data.gates.lib.required
import data.gates.lib.shares

_whole := {"kind": "whole"}

# A claim is a check on a slice: named by a requirement, or one of the values of its column.
_named := {[r.check, r.slice] | some r in asked.requirements}

_valued := {[r.check, slice] | some r in asked.requirements; some slice in figures.slices[r.each]}

_claimed := _named | _valued

# Where two requirements name one claim, proof goes before no-harm.
_to_prove := {[r.check, r.slice] | some r in asked.requirements; r.role == "prove"} | {[r.check, slice] |
	some r in asked.requirements
	r.role == "prove"
	some slice in figures.slices[r.each]
}

# METADATA
# description: Check and slice of each claim.
claims := [claim | some claim in _claimed]

_role(check, slice) := "prove" if {
	_to_prove[[check, slice]]
} else := "no-harm"

# The figures that answer a claim: of the subject that the check judges.
_answers := [figure |
	some figure in figures.all
	_claimed[[figure.check, figure.slice]]
	figure.subject == required.checks[figure.check].subject
]

_answered := {[figure.check, figure.slice] | some figure in _answers}

# A ledger that does not say which look this is leaves none.
default _looks := null

_looks := 1 if not input.ledger

_looks := input.ledger.looks

# Two figures at one place may show the same, which is said once.
_judgements := _judged_each if {
	figures.alone
} else := [judgement | some judgement in {judgement | some judgement in _judged_each}]

_judged_each := [object.union(_reference(figure), _outcome(claim, figure)) |
	some figure in _answers
	claim := {"check": figure.check, "slice": figure.slice, "role": _role(figure.check, figure.slice)}
]

_reference(figure) := object.union(
	{"check": figure.check, "subject": figure.subject, "slice": figure.slice, "rule": required.checks[figure.check].sense},
	{"item": item | item := figure.item},
)

_outcome(claim, figure) := _unmeasured(claim, figure) if {
	figure.status != "measured"
} else := misfit if {
	misfit := _misfit(figure)
} else := _settled(figure, object.union(_measured(claim, figure, found), {"limit": found.path})) if {
	found := _limit(figure)
	not _other_unit(found.limit, figure)
} else := _unit_mismatch if {
	_limit(figure)
} else := _no_limit(claim.check)

# Where no limit is of a feature it is found once for a check.
_limit(figure) := _with_bar(limits.of_figure(asked.environment, asked.tier, figure)) if {
	limits.by_feature(asked.environment)
} else := _limits[figure.check]

_limits := {check: found |
	some check in {check | some [check, _] in _claimed}
	found := _with_bar(limits.of(asked.environment, check, asked.tier))
}

_with_bar(found) := object.union(found, {"bar": limits.bar(found.limit)})

_other_unit(limit, figure) if limit.unit != figure.unit

_misfit(figure) := _unit_missing if {
	not _has_unit(figure)
} else := _champion_missing if {
	"champion" in required.checks[figure.check].needs
	not input.request.champion
} else := _range_missing if {
	required.checks[figure.check].bounded
	figure.method == "student"
	not _has_range(figure)
}

# A mean of values whose range nobody knows.
_has_range(figure) if {
	some param in figure.params
	param == {"name": "range", "value": "declared"}
}

_has_unit(figure) if {
	is_string(figure.unit)
	figure.unit != ""
}

_no_limit(check) := _environment_missing if {
	not data.thresholds[asked.environment]
} else := _tier_missing if {
	data.thresholds[asked.environment].limits[check]
} else := _limit_missing

# The verdict stays; only a figure can be waived, never the absence of one.
_settled(figure, outcome) := object.union(outcome, {"disposition": "waived", "waiver": waiver}) if {
	outcome.disposition == "denies"
	outcome.verdict in {"fail", "inconclusive"}
	waiver := min(accepted.covering(figure))
} else := outcome

_measured(claim, figure, found) := _looks_exhausted if {
	not _looks_left
} else := _family_too_large if {
	not _family_fits(figure)
} else := _family_too_small if {
	not figure.scope == "census"
	not _large_enough(figure)
} else := _family_padded if {
	not figure.scope == "census"
	not _small_enough(figure)
} else := _judged(word, claim, figure, found) if {
	word := comparison.verdict(_sense(claim), figure, found.bar, _rungs[figure.family.size])
} else := _bounds_invalid

_looks_left if comparison.looks_left(_looks)

# Size of a family -> where its figures pass and fail at this look.
_rungs := {size: rungs |
	some size in {figure.family.size | some figure in _answers}
	rungs := comparison.rungs(size, _looks)
}

# A family's size corrects a failure for the claims that were looked at together: no fewer than were judged, and not so
# many more than the evidence holds that nothing could fail. A census is what it is, in a family of whatever size.
_families := {figure.family.name | some figure in _answers; not figure.scope == "census"}

_family_fits(figure) if _rungs[figure.family.size]

_small_enough(figure) if figure.family.size <= _at_most[figure.family.name]

# What was looked at is more than what was judged: mostly the one count is enough.
_large_enough(figure) if {
	figure.family.size >= _looked_at[figure.family.name]
} else if {
	figure.family.size >= _judged_in[figure.family.name]
}

_judged_in := _sizes([[figure.family.name, figures.place(figure), figure.subject] |
	some figure in _answers
	figure.status == "measured"
])

_looked_at := _sizes(figures.places)

# Family -> how many different claims it has.
_sizes(places) := {name: count(found) |
	some name in _families
	found := {place | some [family, place, _] in places; family == name}
}

# The most that a gate looks at for one figure: two sides in each of two directions, of each class.
_at_most := {name: integers.total([number | some _ in [1, 2, 3, 4]; some _ in _classes]) | some name, number in _looked_at}

default _classes := ["one"]

_classes := input.plan.body.columns.classes if count(input.plan.body.columns.classes) > 0

_sense(claim) := required.checks[claim.check].sense

_judged("pass", claim, _, _) := _passed(claim.check)

_judged("fail", claim, figure, _) := _failed(claim.check) if not _lenient(claim, figure)

_judged("fail", claim, figure, _) := _failed_leniently(claim.check) if _lenient(claim, figure)

_judged("inconclusive", claim, figure, found) := _undecided_harmless(claim.check) if {
	_tolerates(claim, figure)
} else := _by_point(claim.check) if {
	found.limit.point == true
	comparison.pointed(_sense(claim), figure, found.bar)
} else := _provisional(claim.check) if {
	_accepts(claim, figure, found)
} else := _undecided(claim.check)

_lenient(claim, _) if asked.tier in required.checks[claim.check].lenient_tiers

_lenient(claim, _) if required.checks[claim.check].advice

# Times that were taken beside other work are advice, whoever took them.
_lenient(claim, figure) if {
	some param in figure.params
	param.name == required.checks[claim.check].advice_where
	param.value == true
}

_tolerates(claim, _) if claim.role == "no-harm"

_tolerates(claim, figure) if _lenient(claim, figure)

_accepts(_, _, _) if not asked.strict

_accepts(claim, figure, found) if {
	asked.tier in data.release.environments[asked.environment].provisional
	comparison.bounded(_sense(claim), figure, found.bar, limits.ceiling(found.limit), _looks)
}

_code(check, suffix) := concat(".", [check, suffix])

# METADATA
# title: proven
# description: The bound that a pass needs is within the limit.
# custom:
#   suffix: passed
_passed(check) := {"verdict": "pass", "disposition": "satisfied", "code": _code(check, "passed")}

_failed(check) := {"verdict": "fail", "disposition": "denies", "code": check}

# METADATA
# title: proven bad, tolerated at this tier
# description: The figure is outside its limit; at this tier that is reported and does not deny.
# custom:
#   suffix: tolerated
_failed_leniently(check) := {"verdict": "fail", "disposition": "tolerated", "code": _code(check, "tolerated")}

# METADATA
# title: undecided, accepted within a wider ceiling
# description: Not proven good and not proven bad; this environment accepts it for a limited time, as provisional.
# custom:
#   suffix: provisional
#   remedy: More rows in the holdout would decide it.
_provisional(check) := {"verdict": "inconclusive", "disposition": "accepted", "code": _code(check, "provisional")}

# METADATA
# title: a number without bounds, accepted by its point
# description: Nothing is known of how far the number may be off; the policy owners accept it here by its point alone.
# custom:
#   suffix: point
#   remedy: Record counts, sums or rows, from which bounds are computed, and take `point` out of the limit.
_by_point(check) := {"verdict": "inconclusive", "disposition": "accepted", "code": _code(check, "point")}

# METADATA
# title: undecided
# description: Not proven good and not proven bad; where proof is required this denies.
# custom:
#   suffix: inconclusive
#   remedy: Measure on more rows; the advice says how many.
_undecided(check) := {"verdict": "inconclusive", "disposition": "denies", "code": _code(check, "inconclusive")}

_undecided_harmless(check) := {
	"verdict": "inconclusive",
	"disposition": "tolerated",
	"code": _code(check, "inconclusive"),
}

_error(code) := {"verdict": "error", "disposition": "denies", "code": code}

# METADATA
# title: No limit
# description: The check is required, and the policy has no limit for it in this environment at this tier.
# custom:
#   code: limit.missing
#   remedy: Add the limit under thresholds/<environment>/data.yaml.
_limit_missing := _error("limit.missing")

# METADATA
# title: No limit at this tier
# description: The check has limits in this environment, and none for the model's tier.
# custom:
#   code: limit.tier
#   remedy: Add the tier under thresholds/<environment>/data.yaml.
_tier_missing := _error("limit.tier")

# METADATA
# title: No limits in this environment
# description: The policy has no limits at all in this environment.
# custom:
#   code: limit.environment
#   remedy: Add thresholds/<environment>/data.yaml, or ask for an environment that has one.
_environment_missing := _error("limit.environment")

# METADATA
# title: Figure without a unit
# description: The figure does not say what it is measured in, so that no limit means anything for it.
# custom:
#   code: unit.missing
#   remedy: Measure again; the gate that made this figure is broken.
_unit_missing := _error("unit.missing")

# METADATA
# title: Range of values unknown
# description: The figure is a mean of values of which nobody declared the least and the largest; a few that are very large, of which no row is, would change it, and its bounds cannot allow for them.
# custom:
#   code: range.undeclared
#   remedy: Record it with `--range LOW HIGH`, or as a share; policy owners who accept such a mean say so in models/<model>/data.yaml (docs/own-measurements.md).
_range_missing := _error("range.undeclared")

# METADATA
# title: Another unit
# description: The limit names a unit, and the figure is measured in another one.
# custom:
#   code: unit.mismatch
#   remedy: Say the limit in the figure's unit, or record the figure in the limit's.
_unit_mismatch := _error("unit.mismatch")

# METADATA
# title: Compared with nobody
# description: The figure is against a champion, and the request names none.
# custom:
#   code: champion.missing
#   remedy: Decide where the champion serves, or measure without one.
_champion_missing := _error("champion.missing")

# METADATA
# title: Too many looks
# description: This holdout was looked at more often than the ladder of confidences can correct for.
# custom:
#   code: looks.exhausted
#   remedy: Measure on fresh rows; they start a new count.
_looks_exhausted := _error("looks.exhausted")

# METADATA
# title: Too many claims
# description: The family of claims is larger than the ladder of confidences can correct for.
# custom:
#   code: family.too_large
#   remedy: Name fewer slices or items.
_family_too_large := _error("family.too_large")

# METADATA
# title: Fewer claims than were judged
# description: The family that the figure declares is smaller than the set of its figures, so that some would fail by chance.
# custom:
#   code: family.too_small
#   remedy: Measure again; what wrote this figure counted wrongly, or only a part of the figures is of this run.
_family_too_small := _error("family.too_small")

# METADATA
# title: More claims than there are figures
# description: The family that the figure declares is far larger than what the evidence holds of it, so that hardly anything could fail.
# custom:
#   code: family.padded
#   remedy: Measure again, and seal all that the gates wrote; the size of a family is the number of its claims.
_family_padded := _error("family.padded")

# METADATA
# title: Bounds that contradict themselves
# description: A bound at the needed confidence is absent, doubled or crossed, or says good and bad at once.
# custom:
#   code: bounds.invalid
#   remedy: Measure again; the gate that made this figure is broken.
_bounds_invalid := _error("bounds.invalid")

# A small slice or group that must only not be proven bad may be too small to say anything.
_unmeasured(claim, figure) := object.union(_error(_code("unmeasured", figure.reason)), _small) if {
	claim.role == "no-harm"
	_part(claim, figure)
	unmeasured[figure.reason].small
} else := object.union(_error(_code("unmeasured", figure.reason)), {"verdict": "inconclusive"}) if {
	figure.item.kind == "group"
	unmeasured[figure.reason].small
} else := object.union(_error(_code("unmeasured", figure.reason)), _small) if {
	_of_nothing(claim, figure)
} else := object.union(_error(_code("unmeasured", figure.reason)), _small) if {
	required.checks[claim.check].advice
} else := _error(_code("unmeasured", figure.reason))

_of_nothing(claim, figure) if {
	claim.slice.kind == "rest"
	figure.reason == "no_rest"
	_restless[shares.gates[claim.check]]
}

_of_nothing(_, figure) if {
	figure.reason == "no_decisions"
	figure.item == {"kind": "bin", "name": "decision"}
}

# Gates by whose shares the slices of some column that are proven by name hold all rows.
_restless := {gate |
	some column in {column | some [column, _] in _proven}
	some gate in {gate | some [gate, _, _, _] in shares.said}
	found := [share | some [of, named, value, share] in shares.said; of == gate; named == column; _proven[[named, value]]]
	shares.all_rows(found)
}

_proven := {[r.slice.column, r.slice.value] |
	some r in asked.requirements
	r.role == "prove"
	r.slice.kind == "value"
}

_part(claim, _) if claim.slice.kind != "whole"

_part(_, figure) if figure.item.kind == "group"

_small := {"verdict": "inconclusive", "disposition": "tolerated"}

# METADATA
# title: No figure
# description: The check is required and the evidence holds neither a figure nor a reason why there is none.
# custom:
#   code: check.missing
#   remedy: Run the gate that measures it; `gates plan` lists what is required.
_missing_result(check, slice) := object.union(
	{"check": check, "slice": slice, "rule": "present"},
	_error("check.missing"),
)

# METADATA
# title: Figures left out
# description: The check has figures of several items, such as tables or levels. Each says how many there are, and there are fewer, or they disagree.
# custom:
#   code: check.incomplete
#   remedy: Measure again, and seal all that the gates wrote.
_left_out_result(check, slice) := object.union(
	{"check": check, "slice": slice, "rule": "present"},
	_error("check.incomplete"),
)

# METADATA
# title: Unknown check
# description: The check is required, and no gate's policy defines it.
# custom:
#   code: check.unknown
#   remedy: Correct the name; `gates explain` lists the checks.
_unknown_result(check, slice) := object.union(
	{"check": check, "slice": slice, "rule": "present"},
	_error("check.unknown"),
)

_unknown := {_unknown_result(r.check, object.get(r, "slice", _whole)) |
	some r in asked.requirements
	not required.checks[r.check]
}

# A named claim without a figure.
_silent := {_requirement(claim) |
	some claim in claims
	not _answered[claim]
	[check, _] := claim
	required.checks[check]
}

# A slice column in which nothing was measured.
_sliceless := {r | some r in asked.requirements; column := r.each; not figures.columns[column]}

# An item that the plan or the check names and no figure is about: a feature that vanished, a bin that was left out.
_items := {[check, slice, item] | some [check, slice, _, item] in _parts}

_vanished := {[claim, item] |
	some claim in claims
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
	some figure in _answers
	required.checks[figure.check].bins
	_by_bin(figure)
}

_by_bin(figure) if figure.status == "measured"

_by_bin(figure) if figure.item.kind == "bin"

# A figure of one of several items, or of all beside figures of some, says how many there are; what has an item and does
# not say so says 0. Claims that have fewer, and claims whose figures disagree.
_parts := [[figure.check, figure.slice, _items_said(figure), object.get(figure, "item", {})] | some figure in _answers]

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
	"role": _role(check, slice),
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
# description: One result for each required figure, and one for each that is absent.
results := [result | some part in [_judgements, _unknown, _absences, _vanishings]; some result in part]

# METADATA
# description: Something that is required was accepted without proof.
provisional if {
	some result in results
	result.disposition == "accepted"
}

# Why a check is unmeasured. `small`: a slice may lack what the figure needs without anything being wrong.
#
# METADATA
# title: Empty table
# description: A table that the check needs has no rows.
# custom:
#   code: unmeasured.empty_table
#   remedy: Look at the query that makes the table.
unmeasured["empty_table"] := {}

# METADATA
# title: NaN scores
# description: The model gave NaN, or no score, for some rows.
# custom:
#   code: unmeasured.nan_scores
#   remedy: Find the rows for which the model cannot answer; impute before scoring, not after.
unmeasured["nan_scores"] := {}

# METADATA
# title: Null labels
# description: Some rows of the holdout have no label.
# custom:
#   code: unmeasured.null_labels
#   remedy: Use only rows whose label has matured.
unmeasured["null_labels"] := {}

# METADATA
# title: One class only
# description: All labels are the same, so that the figure does not exist.
# custom:
#   code: unmeasured.one_class
#   remedy: Use a holdout with both outcomes.
unmeasured["one_class"] := {"small": true}

# METADATA
# title: No spread
# description: All values of the feature are the same in one table, so that a difference has nothing to be measured in.
# custom:
#   code: unmeasured.no_spread
#   remedy: Find out why the feature does not vary there; a constant in place of a value is a common cause.
unmeasured["no_spread"] := {}

# METADATA
# title: One group only
# description: No two groups have rows that the figure is of, so that there is nothing to compare.
# custom:
#   code: unmeasured.one_group
#   remedy: Use a holdout with rows of every group, or correct columns.groups in gates.yaml.
unmeasured["one_group"] := {}

# METADATA
# title: No second opinion
# description: No item of the annotations has labels of two people, so that nobody agrees with anybody.
# custom:
#   code: unmeasured.one_annotation
#   remedy: Have a part of the items labelled by a second person.
unmeasured["one_annotation"] := {}

# METADATA
# title: Too few clusters
# description: There are fewer independent groups of rows than an interval needs, or a few of them hold most of the rows.
# custom:
#   code: unmeasured.few_clusters
#   remedy: Use a holdout that spans more days, users or whatever the cluster key names, none of which is most of it.
unmeasured["few_clusters"] := {"small": true}

# METADATA
# title: Too few events
# description: No class has as many rows as a figure of its own needs.
# custom:
#   code: unmeasured.few_events
#   remedy: Use a larger holdout, or one with more rows of the rare classes.
unmeasured["few_events"] := {"small": true}

# METADATA
# title: Too few levels
# description: The predicted quantiles, or the intervals, leave out levels that policy wants a curve to have.
# custom:
#   code: unmeasured.few_levels
#   remedy: Name a quantile near each of the policy's curve_levels in columns.quantiles; as shipped .1, .25, .5, .75, .9, or deciles. Intervals need .5 and .8.
unmeasured["few_levels"] := {}

# METADATA
# title: Column missing
# description: A column that the check needs is not in the table.
# custom:
#   code: unmeasured.column_missing
#   remedy: Add the column to the table, or correct its name in gates.yaml.
unmeasured["column_missing"] := {}

# METADATA
# title: Table missing
# description: A table that the check needs is not named in gates.yaml, or the training run names one that is out of reach.
# custom:
#   code: unmeasured.table_missing
#   remedy: Name the table under `tables`; log what a model learns from with the file that it is from (docs/metadata.md).
unmeasured["table_missing"] := {}

# METADATA
# title: Table changed
# description: A table that the training run names has another number of rows than the run saw.
# custom:
#   code: unmeasured.table_changed
#   remedy: Keep the tables that a model learned from as they were; register their digests as `gates.lineage.*_digest`.
unmeasured["table_changed"] := {}

# METADATA
# title: Keys not unique
# description: Rows cannot be paired, since a key occurs more than once.
# custom:
#   code: unmeasured.keys_not_unique
#   remedy: Make the key unique, or name more key columns.
unmeasured["keys_not_unique"] := {}

# METADATA
# title: Rows unpaired
# description: Rows of two tables that belong together could not be matched.
# custom:
#   code: unmeasured.rows_unpaired
#   remedy: Score exactly the rows of the holdout.
unmeasured["rows_unpaired"] := {}

# METADATA
# title: No row is decided yes
# description: No score of the holdout reaches the operating threshold, so that there is no decision to be right or wrong. The other bins are judged as ever.
# custom:
#   code: unmeasured.no_decisions
#   remedy: Where the model is served with another threshold, have the policy owners set operating_threshold in models/<model>/data.yaml; models of rare events seldom reach .5.
unmeasured["no_decisions"] := {}

# METADATA
# title: No other rows
# description: Every row is in a slice that is proven by its name; there is no rest. That holds where the shares of such slices of one column add up to all rows.
# custom:
#   code: unmeasured.no_rest
#   remedy: Nothing is to be done where it is tolerated. Where it denies, have the policy owners name the other values of the column, or measure on rows that have some of them.
unmeasured["no_rest"] := {}

# METADATA
# title: No champion
# description: The check compares with what serves, and nothing was compared with.
# custom:
#   code: unmeasured.no_champion
#   remedy: Enter what serves with `gates adopt`, or measure with its champion.
unmeasured["no_champion"] := {}

# METADATA
# title: No prediction sets
# description: The model gives no prediction sets, so that coverage does not exist.
# custom:
#   code: unmeasured.no_sets
#   remedy: Conformalize the model, or have the policy owners take coverage out for it.
unmeasured["no_sets"] := {}

# METADATA
# title: Not provided
# description: What the check needs was not given.
# custom:
#   code: unmeasured.not_provided
#   remedy: Give the column or table that the check names.
unmeasured["not_provided"] := {}

# METADATA
# title: Scoring failed
# description: The model did not give predictions in its scorer process.
# custom:
#   code: unmeasured.scorer_failed
#   remedy: Read the scorer's message in the report; run the model on the same rows by hand.
unmeasured["scorer_failed"] := {}

# METADATA
# title: Extra not installed
# description: What measures the check is an extra of the package, and was not installed where it ran.
# custom:
#   code: unmeasured.extra_missing
#   remedy: Install it, such as with `pip install 'model-gates[pii]'`.
unmeasured["extra_missing"] := {}

# METADATA
# title: Gate failed
# description: The gate that measures the check ended with an error.
# custom:
#   code: unmeasured.gate_failed
#   remedy: Run `gates measure --debug` and report the trace.
unmeasured["gate_failed"] := {}
