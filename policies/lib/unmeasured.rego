# METADATA
# description: Reasons in the place of figures.
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
package gates.lib.unmeasured

import data.gates.lib.asked
import data.gates.lib.outcomes
import data.gates.lib.required
import data.gates.lib.shares

# METADATA
# description: What a figure that is not there does. A small slice or group that must only not be proven bad may be too small to say anything.
outcome(claim, figure) := object.union(_error(figure), _small) if {
	claim.role == "no-harm"
	_part(claim, figure)
	reasons[figure.reason].small
} else := object.union(_error(figure), {"verdict": "inconclusive"}) if {
	figure.item.kind == "group"
	reasons[figure.reason].small
} else := object.union(_error(figure), _small) if {
	_of_nothing(claim, figure)
} else := object.union(_error(figure), _small) if {
	required.checks[claim.check].advice
} else := _error(figure)

_of_nothing(claim, figure) if {
	claim.slice.kind == "rest"
	figure.reason == "no_rest"
	_restless[shares.gates[claim.check]]
}

_of_nothing(_, figure) if {
	figure.reason == "no_decisions"
	figure.item == {"kind": "bin", "name": "decision"}
}

# A feature without an order has no largest gap; the distance of its levels must be asked for as strictly.
_of_nothing(claim, figure) if {
	figure.reason == "no_order"
	some other in asked.requirements
	other.check in {"drift.psi", "drift.js"}
	other.role in {"prove", claim.role}
	other.slice == claim.slice
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

_error(figure) := outcomes.error(outcomes.code("unmeasured", figure.reason))

# Why a check is unmeasured. `small`: a slice may lack what the figure needs without anything being wrong.
#
# METADATA
# title: Empty table
# description: A table that the check needs has no rows.
# custom:
#   code: unmeasured.empty_table
#   remedy: Look at the query that makes the table.
reasons["empty_table"] := {}

# METADATA
# title: NaN scores
# description: The model gave NaN, or no score, for some rows.
# custom:
#   code: unmeasured.nan_scores
#   remedy: Find the rows for which the model cannot answer; impute before scoring, not after.
reasons["nan_scores"] := {}

# METADATA
# title: Null labels
# description: Some rows of the holdout have no label.
# custom:
#   code: unmeasured.null_labels
#   remedy: Use only rows whose label has matured.
reasons["null_labels"] := {}

# METADATA
# title: One class only
# description: All labels are the same, so that the figure does not exist.
# custom:
#   code: unmeasured.one_class
#   remedy: Use a holdout with both outcomes.
reasons["one_class"] := {"small": true}

# METADATA
# title: No spread
# description: All values of the feature are the same in one table, so that a difference has nothing to be measured in.
# custom:
#   code: unmeasured.no_spread
#   remedy: Find out why the feature does not vary there; a constant in place of a value is a common cause.
reasons["no_spread"] := {}

# METADATA
# title: No order
# description: The feature's values are texts or truth values, of which none is above another. That holds where a divergence of its levels is required too.
# custom:
#   code: unmeasured.no_order
#   remedy: Have the policy owners require drift.psi or drift.js beside drift.ks.
reasons["no_order"] := {}

# METADATA
# title: One group only
# description: No two groups have rows that the figure is of, so that there is nothing to compare.
# custom:
#   code: unmeasured.one_group
#   remedy: Use a holdout with rows of every group, or correct columns.groups in gates.yaml.
reasons["one_group"] := {}

# METADATA
# title: No second opinion
# description: No item of the annotations has labels of two people, so that nobody agrees with anybody.
# custom:
#   code: unmeasured.one_annotation
#   remedy: Have a part of the items labelled by a second person.
reasons["one_annotation"] := {}

# METADATA
# title: Too few clusters
# description: There are fewer independent groups of rows than an interval needs, or a few of them hold most of the rows.
# custom:
#   code: unmeasured.few_clusters
#   remedy: Use a holdout that spans more days, users or whatever the cluster key names, none of which is most of it.
reasons["few_clusters"] := {"small": true}

# METADATA
# title: Too few events
# description: A class, a feature or a stream has fewer rows than a figure of its own needs.
# custom:
#   code: unmeasured.few_events
#   remedy: Use a larger holdout, or one with more rows of the rare classes; wait until the stream has 1,000 rows.
reasons["few_events"] := {"small": true}

# METADATA
# title: Too few levels
# description: The predicted quantiles, or the intervals, leave out levels that policy wants a curve to have.
# custom:
#   code: unmeasured.few_levels
#   remedy: Name a quantile near each of the policy's curve_levels in columns.quantiles; as shipped .1, .25, .5, .75, .9, or deciles. Intervals need .5 and .8.
reasons["few_levels"] := {}

# METADATA
# title: Column missing
# description: A column that the check needs is not in the table.
# custom:
#   code: unmeasured.column_missing
#   remedy: Add the column to the table, or correct its name in gates.yaml.
reasons["column_missing"] := {}

# METADATA
# title: Table missing
# description: A table that the check needs is not named in gates.yaml, or the training run names one that is out of reach.
# custom:
#   code: unmeasured.table_missing
#   remedy: Name the table under `tables`; log what a model learns from with the file that it is from (docs/metadata.md).
reasons["table_missing"] := {}

# METADATA
# title: Table changed
# description: A table that the training run names has another number of rows than the run saw.
# custom:
#   code: unmeasured.table_changed
#   remedy: Keep the tables that a model learned from as they were; register their digests as `gates.lineage.*_digest`.
reasons["table_changed"] := {}

# METADATA
# title: Keys not unique
# description: Rows cannot be paired, since a key occurs more than once.
# custom:
#   code: unmeasured.keys_not_unique
#   remedy: Make the key unique, or name more key columns.
reasons["keys_not_unique"] := {}

# METADATA
# title: Rows unpaired
# description: Rows of two tables that belong together could not be matched.
# custom:
#   code: unmeasured.rows_unpaired
#   remedy: Score exactly the rows of the holdout.
reasons["rows_unpaired"] := {}

# METADATA
# title: No row is decided yes
# description: No score of the holdout reaches the operating threshold, so that there is no decision to be right or wrong. The other bins are judged as ever.
# custom:
#   code: unmeasured.no_decisions
#   remedy: Where the model is served with another threshold, have the policy owners set operating_threshold in models/<model>/data.yaml; models of rare events seldom reach .5.
reasons["no_decisions"] := {}

# METADATA
# title: No other rows
# description: Every row is in a slice that is proven by its name; there is no rest. That holds where the shares of such slices of one column add up to all rows.
# custom:
#   code: unmeasured.no_rest
#   remedy: Nothing is to be done where it is tolerated. Where it denies, have the policy owners name the other values of the column, or measure on rows that have some of them.
reasons["no_rest"] := {}

# METADATA
# title: No champion
# description: The check compares with what serves, and nothing was compared with.
# custom:
#   code: unmeasured.no_champion
#   remedy: Enter what serves with `gates adopt`, or measure with its champion.
reasons["no_champion"] := {}

# METADATA
# title: No prediction sets
# description: The model gives no prediction sets, so that coverage does not exist.
# custom:
#   code: unmeasured.no_sets
#   remedy: Conformalize the model, or have the policy owners take coverage out for it.
reasons["no_sets"] := {}

# METADATA
# title: Not provided
# description: What the check needs was not given.
# custom:
#   code: unmeasured.not_provided
#   remedy: Give the column or table that the check names.
reasons["not_provided"] := {}

# METADATA
# title: Scoring failed
# description: The model did not give predictions in its scorer process.
# custom:
#   code: unmeasured.scorer_failed
#   remedy: Read the scorer's message in the report; run the model on the same rows by hand.
reasons["scorer_failed"] := {}

# METADATA
# title: Extra not installed
# description: What measures the check is an extra of the package, and was not installed where it ran.
# custom:
#   code: unmeasured.extra_missing
#   remedy: Install it, such as with `pip install 'model-gates[pii]'`.
reasons["extra_missing"] := {}

# METADATA
# title: Gate failed
# description: The gate that measures the check ended with an error.
# custom:
#   code: unmeasured.gate_failed
#   remedy: Run `gates measure --debug` and report the trace.
reasons["gate_failed"] := {}
