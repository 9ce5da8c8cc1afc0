# The data gate's checks: is the holdout fit to judge by? All are claims about the rows read (a census).
#
# What a check may say (the same in every gate):
#   tasks     of models that it is about
#   optional  not required unless the policy owners' facts about a model, or a spec, ask for it
#   when      tables (by role), `contract` or `champion_contract` of any table, `champion`, `sets`, a word of the spec's
#             columns (`columns.time`), a parameter that the policy owners set (`parameters.maturation_seconds`) or
#             `reference` (what online is compared with where it cannot be paired): an optional check is required wherever
#             all are given
#   subject   whose figure is judged
#   sliced    also of each slice, and of the rest where slices are named
#   sense     at_most | at_least | within
#   items     none | any (at least one) | features (one for each feature of the plan)
#   advice    never denies: what is bad, undecided or unmeasured is reported
#   needs     words as of `when`, without which development does not ask for it
#
# METADATA
# description: What each check shows of the tables that judge the model.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MAP 2.3, MEASURE 2.1]
#     eu-ai-act: [Article 10(3)]
#     sr-11-7: ["IV Model Development, Implementation, and Use"]
#     iso-42001: [A.7.4]
#   evidence: [evidence.measurements, evidence.tables]
#   not_covered: Whether the rows stand for those whom the model will meet, and how they were collected.
package gates.checks.data

# METADATA
# title: Holdout schema
# description: Columns of the plan that the holdout lacks or has in another kind than the training table.
# custom:
#   code: data.schema
#   remedy: Build the holdout with the same columns and types as the training table.
checks["data.schema"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"training", "holdout"},
}

# METADATA
# title: Holdout rows
# description: Rows in the holdout; below the minimum no claim about the model is worth making.
# custom:
#   code: data.rows
#   remedy: Use a larger holdout.
checks["data.rows"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_least",
	"items": "any",
	"needs": {"holdout"},
}

# METADATA
# title: Null rates
# description: The share of nulls of a feature in the holdout minus that in the training table.
# custom:
#   code: data.null_rate_difference
#   remedy: Find out why the feature is filled differently in the two tables.
checks["data.null_rate_difference"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "within",
	"items": "features",
	"needs": {"training", "holdout"},
}

# METADATA
# title: Duplicate keys
# description: Rows of the holdout whose key occurs more than once.
# custom:
#   code: data.duplicate_keys
#   remedy: Make the key unique; doubled rows make every interval too narrow.
checks["data.duplicate_keys"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"holdout"},
}

# METADATA
# title: Holdout rows that the model has seen
# description: Rows of the holdout that the candidate learned from in any step, as its training run or the spec says; of each table of its own.
# custom:
#   code: data.holdout_overlap
#   remedy: Take these rows out of the holdout, or train without them; on rows that it has seen a model looks too good.
checks["data.holdout_overlap"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"training", "holdout"},
}

# METADATA
# title: Holdout rows that the champion has seen
# description: Rows of the holdout that the champion learned from in any step, as its training run or the spec says.
# custom:
#   code: data.champion_overlap
#   remedy: Take these rows out of the holdout; on rows that it has seen a champion looks too good to be beaten.
checks["data.champion_overlap"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"champion", "holdout"},
}

# METADATA
# title: Values outside the training range
# description: The share of holdout rows in which a feature has a value that training never saw.
# custom:
#   code: data.out_of_range
#   remedy: Train on data that covers these values, or mend the feature.
checks["data.out_of_range"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "features",
	"needs": {"training", "holdout"},
}

# METADATA
# title: Staleness
# description: Seconds from the newest event of the holdout to the time up to which it claims to be complete.
# custom:
#   code: data.staleness
#   remedy: Refresh the table, or correct its as-of time.
checks["data.staleness"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"holdout"},
}

# METADATA
# title: Rows without a label
# description: Rows of the holdout whose label is null.
# custom:
#   code: data.label_nulls
#   remedy: Use only rows whose label has matured; choose them by the age of the prediction.
checks["data.label_nulls"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"holdout"},
}

# METADATA
# title: Order in time
# description: Rows of a table that the candidate learned from which are not shown to come before the holdout's first event.
# custom:
#   code: data.time_order
#   remedy: Split by time; a model that has seen the future of its holdout looks better than it will be.
checks["data.time_order"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"training", "holdout", "columns.time"},
}

# METADATA
# title: Holdout rows with a twin in training
# description: The share of holdout rows that equal a training row in every feature, numbers rounded.
# custom:
#   code: data.near_duplicates
#   remedy: Look for rows that were copied or logged twice, and keep all copies of a row on one side of the split.
checks["data.near_duplicates"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"training", "holdout"},
}

# METADATA
# title: A feature that predicts too well
# description: How well one feature of the holdout tells the label by itself, as an area under the ROC curve of .5 to 1.
# custom:
#   code: data.single_feature_auc
#   remedy: Find out whether the feature is known at the time of the prediction, or is written from the outcome.
checks["data.single_feature_auc"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"advice": true,
	"needs": {"holdout"},
}

# METADATA
# title: Class balance
# description: The share of a class in the holdout minus that in the training table.
# custom:
#   code: data.class_balance
#   remedy: Find out why events are more or less frequent; a model learns the rate of its training rows.
checks["data.class_balance"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "data",
	"sense": "within",
	"items": "any",
	"optional": true,
	"needs": {"training", "holdout"},
}

# METADATA
# title: Agreement between annotators
# description: Krippendorff's alpha of the labels that people gave to the same items; 1 is agreement, 0 is chance.
# custom:
#   code: data.krippendorff_alpha
#   remedy: Look at the items on which they differ, sharpen the guideline, and have them labelled again.
checks["data.krippendorff_alpha"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_least",
	"items": "any",
	"optional": true,
	"needs": {"annotations"},
	"when": {"annotations"},
}

# METADATA
# title: Agreement between annotators, as kappa
# description: Cohen's kappa of two annotators' labels, Fleiss' kappa of more; 1 is agreement, 0 is chance.
# custom:
#   code: data.annotator_kappa
#   remedy: Look at the items on which they differ, sharpen the guideline, and have them labelled again.
checks["data.annotator_kappa"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "data",
	"sense": "at_least",
	"items": "any",
	"optional": true,
	"needs": {"annotations"},
}

# METADATA
# title: Guideline versions
# description: By how many versions of the guideline the candidate's labels were given, and the champion's with them.
# custom:
#   code: data.guideline_versions
#   remedy: Label both holdouts by one version; under two a better model cannot be told from another rule.
checks["data.guideline_versions"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"holdout", "columns.guideline"},
	"when": {"holdout", "columns.guideline"},
}

# METADATA
# title: Rows too young for a label
# description: The share of holdout rows whose event is younger than the window in which labels come for good.
# custom:
#   code: data.immature_rows
#   remedy: Choose rows by the age of the event, never by the arrival of the label; the slow labels are often the events.
checks["data.immature_rows"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"holdout", "columns.time"},
	"when": {"holdout", "columns.time", "parameters.maturation_seconds"},
}

# METADATA
# title: Late labels
# description: The share of mature holdout rows whose label came after the maturation window, never, or before the event.
# custom:
#   code: data.label_delay
#   remedy: Have the policy owners declare a longer window, or mend the clock that says when labels came.
checks["data.label_delay"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"holdout", "columns.time", "columns.labelled"},
	"when": {"holdout", "columns.time", "columns.labelled", "parameters.maturation_seconds"},
}

# METADATA
# title: Smallest cell
# description: Rows of the rarest combination of the columns that together may tell who a row is about.
# custom:
#   code: data.smallest_cell
#   remedy: Coarsen these columns (age bands, shorter postcodes), or take the rows of small cells out.
#   supports:
#     nist-ai-rmf: [MEASURE 2.10]
checks["data.smallest_cell"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_least",
	"items": "any",
	"optional": true,
	"needs": {"holdout", "columns.quasi_identifiers"},
	"when": {"columns.quasi_identifiers"},
}

# METADATA
# title: Columns without a class
# description: Columns of a table that its contract does not class as public, internal, sensitive or restricted.
# custom:
#   code: data.untagged_columns
#   remedy: Give each property of the contract a `classification`, and tag PII or PHI what is about people.
#   supports:
#     nist-ai-rmf: [MEASURE 2.10]
checks["data.untagged_columns"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"contract"},
}

# METADATA
# title: Untagged personal data
# description: The share of a column's values that look like personal data, where no contract tags it PII or PHI.
# custom:
#   code: data.untagged_personal_data
#   remedy: Tag the column in the contract, or take it out of the table; the attachment names what was recognised.
#   supports:
#     nist-ai-rmf: [MEASURE 2.10]
checks["data.untagged_personal_data"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"holdout"},
	"when": {"personal_data"},
}
