# The regression gate's checks: is the candidate no worse than the champion by more than a margin, and better than a
# constant? Differences and ratios are measured on the same rows; "not below the champion" would refuse equals.
package gates.checks.regression

# METADATA
# title: AUC against the champion
# description: The candidate's AUC minus the champion's, on the same rows.
# custom:
#   code: regression.auc_vs_champion
#   remedy: The candidate ranks worse than what serves; compare features and training data.
checks["regression.auc_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Log loss against the champion
# description: The candidate's log loss divided by the champion's, on the same rows.
# custom:
#   code: regression.log_loss_vs_champion
#   remedy: Look for confident mistakes, which log loss punishes most.
checks["regression.log_loss_vs_champion"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Brier score against the champion
# description: The candidate's Brier score divided by the champion's, on the same rows.
# custom:
#   code: regression.brier_vs_champion
#   remedy: Compare calibration and ranking of the two, to see which of them was lost.
checks["regression.brier_vs_champion"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Skill against a constant
# description: The candidate's Brier score divided by that of the base rate; 1 and more means no skill.
# custom:
#   code: regression.brier_vs_baseline
#   remedy: The model knows no more than the base rate; check labels, join and features.
checks["regression.brier_vs_baseline"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
}

# METADATA
# title: Mean absolute error against the champion
# description: The candidate's mean absolute error over the champion's, on the same rows.
# custom:
#   code: regression.mae_vs_champion
#   remedy: The candidate is worse than what serves; look at the slices where.
checks["regression.mae_vs_champion"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Mean absolute error against a constant
# description: The candidate's mean absolute error over that of one number for all rows, the training table's median.
# custom:
#   code: regression.mae_vs_baseline
#   remedy: The model is no better than a constant; there is nothing to serve.
checks["regression.mae_vs_baseline"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
}
