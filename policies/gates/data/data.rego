# The data gate's checks: is the holdout fit to judge by? All are claims about the rows read (a census).
#
# What a check may say (the same in every gate):
#   tasks     of models that it is about
#   optional  not required unless the policy owners' facts about a model, or a spec, ask for it
#   when      tables (by role), `champion` or `sets`: an optional check is required wherever all of them are given
#   subject   whose figure is judged
#   sliced    also of each slice, and of the rest where slices are named
#   sense     at_most | at_least | within
#   items     none | any (at least one) | features (one for each feature of the plan)
#   needs     tables (by role), `champion` or `sets`, without which development does not ask for it
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
# description: Rows of the holdout that the candidate learned from in any step, as its training run or the spec says.
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
